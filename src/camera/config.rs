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
    /// The V4L2 device, where the camera is plugged into this machine: its identity is held against the
    /// pinned one. With `stream` it is the device behind it; without, the program looks through it itself.
    /// Empty: a camera on the network, which has no identity.
    pub device: PathBuf,
    /// Width of the device's pictures, in pixels; the nearest that it has is taken.
    pub width: u32,
    /// Height of the device's pictures, in pixels.
    pub height: u32,
    /// Pictures that the device gives a second.
    pub rate: u32,
    /// What the device's pictures are: `mjpeg` or `yuyv`.
    pub format: Pixels,
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
            width: 640,
            height: 480,
            rate: 15,
            format: Pixels::Mjpeg,
            pin_file: "/var/lib/rollcall/camera.json".into(),
            frame_ms: 200,
        }
    }
}

/// What a device's pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pixels {
    /// Each picture is a JPEG.
    Mjpeg,
    /// Uncompressed, 4:2:2.
    Yuyv,
}

/// Which pictures are asked for of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures a second.
    pub rate: u32,
    /// Which kind.
    pub pixels: Pixels,
}

/// Which camera a terminal looks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A folder of pictures, or a Motion JPEG file.
    Replay(PathBuf),
    /// A camera that is plugged into this machine.
    Device {
        /// `/dev/video0`.
        device: PathBuf,
        /// What is asked of it.
        format: Format,
        /// File of the pinned identity.
        pin_file: PathBuf,
    },
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
            Choice::Device { device, .. } => write!(f, "the camera {}", device.display()),
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
            (None, "") => {
                if !(16..=4_096).contains(&self.width)
                    || !(16..=4_096).contains(&self.height)
                    || !(1..=120).contains(&self.rate)
                {
                    return Err("width and height must be 16 to 4096, rate 1 to 120".into());
                }
                let format = Format {
                    width: self.width,
                    height: self.height,
                    rate: self.rate,
                    pixels: self.format,
                };
                let pin_file = self.pin_file.clone();
                Ok(named(&self.device).map(|device| Choice::Device { device, format, pin_file }))
            }
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
