//! What somebody wants of a running collector: one small JSON file each in a folder of its own, there until
//! it is carried out. Whoever may write into the collector's folder may want something.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::durable::{self, Access, WriteError};

const ENDING: &str = ".wish.json";

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 4_096;

/// The folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("could not use {path}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// It cannot be written.
    #[error("could not leave a wish for the collector")]
    Write(#[from] WriteError),
}

/// A folder of wishes of one kind, by name.
#[derive(Debug, Clone)]
pub struct Folder<W>(PathBuf, PhantomData<fn() -> W>);

impl<W: Serialize + DeserializeOwned> Folder<W> {
    /// The folder of that name in the collector's; made where there is none.
    pub fn open(data_dir: &Path, name: &str) -> Result<Self, FolderError> {
        let folder = data_dir.join(name);
        fs::create_dir_all(&folder).map_err(|io| FolderError::Io { path: folder.clone(), io })?;
        Ok(Self(folder, PhantomData))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}{ENDING}"))
    }

    /// Leaves a wish. `name`: letters and digits that nothing else is named by.
    pub fn leave(&self, name: &str, wish: &W) -> Result<(), FolderError> {
        let text = serde_json::to_string(wish).expect("plain data is always JSON");
        Ok(durable::write(&self.path(name), text.as_bytes(), Access::Owner)?)
    }

    /// All of them, by name. What is none is told and removed: it would be in the way for ever.
    pub fn all(&self) -> Result<Vec<(String, W)>, FolderError> {
        let failed = |io| FolderError::Io { path: self.0.clone(), io };
        let mut wishes = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.and_then(|name| name.strip_suffix(ENDING)) else { continue };
            match read(&path) {
                Some(wish) => wishes.push((name.to_owned(), wish)),
                None => {
                    tracing::warn!("Removed {}: it is no wish of this kind.", path.display());
                    remove(&path)?;
                }
            }
        }
        wishes.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(wishes)
    }

    /// Removes one.
    pub fn forget(&self, name: &str) -> Result<(), FolderError> {
        remove(&self.path(name))
    }
}

fn read<W: DeserializeOwned>(path: &Path) -> Option<W> {
    let fits = fs::metadata(path).is_ok_and(|about| about.len() <= FILE_BYTES_MAX);
    let bytes = fits.then(|| fs::read(path).ok())??;
    serde_json::from_slice(&bytes).ok()
}

fn remove(path: &Path) -> Result<(), FolderError> {
    match fs::remove_file(path) {
        Err(io) if io.kind() != io::ErrorKind::NotFound => {
            Err(FolderError::Io { path: path.to_owned(), io })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
