//! A folder for the length of one run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Gone when dropped, with all that is in it.
#[derive(Debug)]
pub struct Scratch(PathBuf);

/// It could not be made.
#[derive(Debug, thiserror::Error)]
#[error("could not use the folder {folder}")]
pub struct ScratchError {
    /// Which.
    pub folder: PathBuf,
    /// Why.
    #[source]
    pub io: io::Error,
}

impl Scratch {
    /// An empty one in the machine's folder for such things; `name` says whose it is.
    pub fn make(name: &str) -> Result<Self, ScratchError> {
        let folder = std::env::temp_dir().join(format!("rollcall-{name}-{}", std::process::id()));
        let failed = |io| ScratchError { folder: folder.clone(), io };
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!("Left the folder {}: {error}.", self.0.display());
        }
    }
}
