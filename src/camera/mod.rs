//! Where frames come from.
//!
//! A [`Frame`] is one picture in memory; a [`FrameSource`] hands out one after the other. What the
//! source is (a folder of pictures, a Motion JPEG file, a stream of a camera) nobody behind it knows.
//! Pictures end here and in `face`, but for those that `terminal/evidence` seals: no type of any later
//! stage can hold one, and [`Frame`] does not print its pixels.

use std::fmt;
use std::path::PathBuf;

use crate::platform::telemetry::Class;

mod config;
mod folder;
pub mod http;
mod identity;
mod light;
pub mod mjpeg;
mod mjpeg_file;
#[cfg(feature = "camera")]
mod nokhwa;
#[cfg(not(feature = "camera"))]
#[path = "no_nokhwa.rs"]
mod nokhwa;
mod open;
mod picture;
pub mod pin_file;
mod preview;
pub mod reconnect;
pub mod sysfs;
pub mod yuyv;
#[cfg(test)]
mod tests;

pub use config::{Choice, Format, Pixels, Section};
pub use folder::Folder;
pub use identity::Identity;
pub use light::Light;
pub use mjpeg_file::MjpegFile;
pub use open::{OpenError, open};
pub use picture::{PICTURE_BYTES_MAX, PICTURE_SIDE_PX_MAX, PictureError, decode, read};
pub use preview::{preview, still};

/// One picture: 8-bit RGB, row by row from the top left, without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Frame {
    /// From pixels; `None` unless there are exactly `width` × `height` × 3 bytes and at least one
    /// pixel.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let bytes = u64::from(width) * u64::from(height) * 3;
        (bytes > 0 && u64::try_from(rgb.len()) == Ok(bytes)).then_some(Self { width, height, rgb })
    }

    /// A black picture; sides of zero count as one pixel.
    pub(crate) fn black(width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { width, height, rgb: vec![0; width as usize * height as usize * 3] }
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes: red, green, blue, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The bytes, to draw into.
    pub(crate) fn rgb_mut(&mut self) -> &mut [u8] {
        &mut self.rgb
    }

    /// The pixel in column `x` and row `y`, which lie inside.
    pub(crate) fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = (y as usize * self.width as usize + x as usize) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame(<{} × {} pixels>)", self.width, self.height)
    }
}

/// Whatever gives frames.
pub trait FrameSource: Send {
    /// The next frame; `None` at the end of a recording (a device has no end).
    ///
    /// An error concerns this frame only: the next call goes on with the following one.
    fn next(&mut self) -> Result<Option<Frame>, CaptureError>;

    /// It gives no frames now, and is tried again.
    fn is_lost(&self) -> bool {
        false
    }

    /// Digest of its identity, where it is another one than the pinned one.
    fn other(&self) -> Option<[u8; 32]> {
        None
    }
}

/// No frame could be captured.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The folder itself cannot be read.
    #[error("could not list the pictures in {folder}")]
    List {
        /// Which folder.
        folder: PathBuf,
        /// What the operating system said.
        #[source]
        io: std::io::Error,
    },
    /// There is nothing to replay.
    #[error("there is no picture (.jpg, .jpeg, .png) in {folder}")]
    Empty {
        /// Which folder.
        folder: PathBuf,
    },
    /// More files than a replay can want.
    #[error("there are more than {pictures_max} pictures in {folder}")]
    TooMany {
        /// Which folder.
        folder: PathBuf,
        /// The bound.
        pictures_max: usize,
    },
    /// The recording cannot be read.
    #[error("could not read the recording {path}")]
    Recording {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: std::io::Error,
    },
    /// The camera does not open.
    #[error("could not open the camera {camera}")]
    Open {
        /// Which one.
        camera: String,
        /// Why not.
        #[source]
        io: std::io::Error,
    },
    /// It gave frames, and does no more.
    #[error("could not get another picture from the camera {camera}")]
    Lost {
        /// Which one.
        camera: String,
        /// Why not.
        #[source]
        io: std::io::Error,
    },
    /// It was lost before, and it is not yet time to try again.
    #[error("could not get a picture: the camera is away")]
    Away,
    /// It said that it has no more frames.
    #[error("could not get another picture: the camera has ended")]
    Ended,
    /// One picture is not usable.
    #[error("could not use the picture {path}")]
    Picture {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        why: PictureError,
    },
}

impl CaptureError {
    /// Stable name, for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            Self::List { .. } => "capture_list",
            Self::Empty { .. } => "capture_empty",
            Self::TooMany { .. } => "capture_too_many",
            Self::Recording { .. } => "capture_recording",
            Self::Open { .. } => "capture_open",
            Self::Lost { .. } => "capture_lost",
            Self::Away => "capture_away",
            Self::Ended => "capture_ended",
            Self::Picture { .. } => "capture_picture",
        }
    }

    /// A bad picture is followed by the next one, and a lost camera comes back; a bad folder stays bad.
    pub fn class(&self) -> Class {
        match self {
            Self::List { .. }
            | Self::Empty { .. }
            | Self::TooMany { .. }
            | Self::Recording { .. } => Class::Permanent,
            Self::Open { .. }
            | Self::Lost { .. }
            | Self::Away
            | Self::Ended
            | Self::Picture { .. } => Class::Transient,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::List { .. } => "check that the folder exists and that this user may read it",
            Self::Empty { .. } => "put pictures of faces into it, or name another folder",
            Self::TooMany { .. } => "split the folder",
            Self::Recording { .. } => "check that the file exists and that this user may read it",
            Self::Open { .. } | Self::Lost { .. } | Self::Away | Self::Ended => {
                "check its cable and its power, and [camera] stream; it is tried again by itself"
            }
            Self::Picture { why, .. } => why.hint(),
        }
    }
}
