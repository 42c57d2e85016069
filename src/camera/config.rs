//! The camera's section of the terminal's configuration.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[camera]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// What is replayed in place of a camera: a folder of pictures, or a Motion JPEG file; empty: no
    /// recording.
    pub replay: PathBuf,
    /// Time between two frames, in milliseconds.
    pub frame_ms: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self { replay: PathBuf::new(), frame_ms: 200 }
    }
}

/// Which camera a terminal looks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// A folder of pictures, or a Motion JPEG file.
    Replay(PathBuf),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Replay(path) => write!(f, "the recording {}", path.display()),
        }
    }
}

impl Section {
    /// Which camera, if any; or what is wrong with the section.
    pub fn choice(&self) -> Result<Option<Choice>, String> {
        if !(20..=60_000).contains(&self.frame_ms) {
            return Err("frame_ms must be 20 to 60000".into());
        }
        let replay = (!self.replay.as_os_str().is_empty()).then(|| self.replay.clone());
        Ok(replay.map(Choice::Replay))
    }
}
