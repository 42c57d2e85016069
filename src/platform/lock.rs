//! A lock that keeps a second process out of a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock(File);

/// The lock was not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or this one, holds it.
    #[error("it is locked")]
    Held,
    /// The operating system refused.
    #[error("it cannot be locked")]
    Io(#[from] io::Error),
}

impl Lock {
    /// Takes the lock that the file at `path` stands for; the file is made where there is none.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Held),
            Err(TryLockError::Error(cause)) => Err(LockError::Io(cause)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Not left to the closing of the file: a process that is being started from this one holds a
        // copy of it for a moment, and with it the lock. What fails here ends with the file.
        self.0.unlock().ok();
    }
}
