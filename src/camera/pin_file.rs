//! The camera that was pinned at set-up, in a file.

use std::io;
use std::path::{Path, PathBuf};

use super::Identity;
use crate::platform::durable::{self, Access, WriteError};

/// Longest file that is read: three parts of an identity.
const BYTES_MAX: u64 = 4096;

/// The pinned camera cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It cannot be read.
    #[error("could not read the pinned camera in {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// It could not be written.
    #[error("could not pin the camera in {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: WriteError,
    },
}

impl PinError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "look at who may read it, or pin the camera again: `rollcall terminal camera pin --again`"
            }
            Self::Write { .. } => "look at the disk and who may write there",
        }
    }
}

/// The pinned camera; `None` when none was.
pub fn read(path: &Path) -> Result<Option<Identity>, PinError> {
    let failed = |io| PinError::Read { path: path.to_owned(), io };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(found) if found.len() > BYTES_MAX => {
            return Err(failed(io::Error::other(format!("it has more than {BYTES_MAX} bytes"))));
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(error.into()))
}

/// Pins a camera in the place of any other.
pub fn write(path: &Path, identity: &Identity) -> Result<(), PinError> {
    let text = serde_json::to_string(identity).expect("three texts are always JSON") + "\n";
    durable::write(path, text.as_bytes(), Access::Owner)
        .map_err(|source| PinError::Write { path: path.to_owned(), source })
}
