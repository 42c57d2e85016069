//! Opens the camera that a configuration chooses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::http::{HttpStream, StreamUrl};
use super::nokhwa::{BUILT_IN, Device};
use super::pin_file::{self, PinError};
use super::reconnect::{Kept, Opened};
use super::{CaptureError, Choice, Folder, FrameSource, Identity, MjpegFile, sysfs};
use crate::platform::clock::Clock;

/// A camera cannot be used at all; one that is only away comes back by itself.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The recording.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// Looking through a device is no part of this program.
    #[error(
        "could not look through the camera {device}: this program was built without the feature \"camera\""
    )]
    NotBuilt {
        /// Which one.
        device: String,
    },
    /// The pinned identity.
    #[error(transparent)]
    Pin(#[from] PinError),
}

impl OpenError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Capture(error) => error.hint(),
            Self::NotBuilt { .. } => {
                "build it with `cargo build --release --features camera` (needs libclang), or name a \
                 stream that another program makes of the device (docs/setup.md)"
            }
            Self::Pin(error) => error.hint(),
        }
    }
}

/// The camera, ready to give frames. `sysfs` is where the kernel tells of its devices, `/sys`.
///
/// A recording is opened at once; a camera with the first frame, and again whenever it was lost.
pub fn open(
    choice: &Choice,
    sysfs: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn FrameSource>, OpenError> {
    match choice {
        Choice::Replay(path) if path.is_file() => Ok(Box::new(MjpegFile::open(path)?)),
        Choice::Replay(path) => Ok(Box::new(Folder::open(path)?)),
        Choice::Device { device, .. } if !BUILT_IN => {
            Err(OpenError::NotBuilt { device: device.display().to_string() })
        }
        Choice::Device { device, format, pin_file } => {
            let pinned = pin_file::read(pin_file)?;
            let (device, format, root) = (device.clone(), *format, sysfs.to_owned());
            let open = move || {
                let identity = identity_of(Some(&device), &root)?;
                let source = Box::new(Device::open(&device, &format)?);
                Ok(Opened { source, identity })
            };
            Ok(Box::new(Kept::new(Box::new(open), pinned, clock)))
        }
        Choice::Stream { url, device, pin_file } => {
            let pinned = pin_file::read(pin_file)?;
            let (url, device) = (url.clone(), device.clone());
            let (root, time) = (sysfs.to_owned(), Arc::clone(&clock));
            let open = move || stream(&url, device.as_ref(), &root, Arc::clone(&time));
            Ok(Box::new(Kept::new(Box::new(open), pinned, clock)))
        }
    }
}

fn stream(
    url: &StreamUrl,
    device: Option<&PathBuf>,
    root: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Opened, CaptureError> {
    let identity = identity_of(device, root)?;
    Ok(Opened { source: Box::new(HttpStream::open(url, clock)?), identity })
}

/// Who the device is, as the kernel tells it.
fn identity_of(device: Option<&PathBuf>, root: &Path) -> Result<Option<Identity>, CaptureError> {
    let Some(device) = device else { return Ok(None) };
    let failed = |io| CaptureError::Open { camera: device.display().to_string(), io };
    let gone = || std::io::Error::other("the kernel knows no such camera: is it plugged in?");
    let found = sysfs::camera(root, device).map_err(failed)?;
    Ok(Some(found.ok_or_else(|| failed(gone()))?))
}
