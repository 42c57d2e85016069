//! In place of `nokhwa.rs` where the program is built without the feature `camera`: says so.

use std::io;
use std::path::Path;

use super::{CaptureError, Format, Frame, FrameSource};

/// Whether this program can look through a device.
pub(super) const BUILT_IN: bool = false;

/// No device can be opened.
pub(super) struct Device;

impl Device {
    /// Says why not.
    pub(super) fn open(device: &Path, _format: &Format) -> Result<Self, CaptureError> {
        let why = "this program was built without the feature \"camera\"";
        Err(CaptureError::Open { camera: device.display().to_string(), io: io::Error::other(why) })
    }
}

impl FrameSource for Device {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        Err(CaptureError::Away)
    }
}
