//! Opens the camera that a configuration chooses.

use super::{CaptureError, Choice, Folder, FrameSource, MjpegFile};

/// The camera, ready to give frames.
pub fn open(choice: &Choice) -> Result<Box<dyn FrameSource>, CaptureError> {
    match choice {
        Choice::Replay(path) if path.is_file() => Ok(Box::new(MjpegFile::open(path)?)),
        Choice::Replay(path) => Ok(Box::new(Folder::open(path)?)),
    }
}
