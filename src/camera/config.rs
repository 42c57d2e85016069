//! The camera's section of the terminal's configuration.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::http::StreamUrl;

/// `[camera]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// What is replayed in place of a camera: a folder of pictures, or a Motion JPEG file; empty: no
    /// recording.
    pub replay: PathBuf,
    /// Address of a camera that sends Motion JPEG over HTTP; empty: none.
    pub stream: String,
    /// The V4L2 device behind the stream, where it is plugged into this machine: its identity is held
    /// against the pinned one. Empty: a camera on the network, which has no identity.
    pub device: PathBuf,
    /// File of the pinned camera; made by `rollcall terminal camera pin`.
    pub pin_file: PathBuf,
    /// Time between two frames, in milliseconds.
    pub frame_ms: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            replay: PathBuf::new(),
            stream: String::new(),
            device: PathBuf::new(),
            pin_file: "/var/lib/rollcall/camera.json".into(),
            frame_ms: 200,
        }
    }
}

/// Which camera a terminal looks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A folder of pictures, or a Motion JPEG file.
    Replay(PathBuf),
    /// A camera that sends Motion JPEG over HTTP.
    Stream {
        /// Where.
        url: StreamUrl,
        /// Its device on this machine, if it has one.
        device: Option<PathBuf>,
        /// File of the pinned identity.
        pin_file: PathBuf,
    },
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Replay(path) => write!(f, "the recording {}", path.display()),
            Choice::Stream { url, .. } => write!(f, "the camera {url}"),
        }
    }
}

impl Section {
    /// Which camera, if any; or what is wrong with the section.
    pub fn choice(&self) -> Result<Option<Choice>, String> {
        if !(20..=60_000).contains(&self.frame_ms) {
            return Err("frame_ms must be 20 to 60000".into());
        }
        let named = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        match (named(&self.replay), self.stream.as_str()) {
            (None, "") if named(&self.device).is_some() => {
                Err("device needs stream: a program that sends its pictures (docs/setup.md)".into())
            }
            (None, "") => Ok(None),
            (Some(path), "") => Ok(Some(Choice::Replay(path))),
            (None, url) => {
                let url = StreamUrl::parse(url)?;
                let (device, pin_file) = (named(&self.device), self.pin_file.clone());
                Ok(Some(Choice::Stream { url, device, pin_file }))
            }
            (Some(_), _) => Err("replay and stream exclude each other".into()),
        }
    }
}
