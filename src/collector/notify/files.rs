//! The folder of outboxes: one JSON file for each receiver, and what somebody wants tried once more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::outbox::Outbox;
use crate::collector::wishes::{Folder, FolderError};
use crate::platform::durable::{self, Access, WriteError};

const ENDING: &str = ".outbox.json";

/// Somebody wants something tried once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// For whom.
    pub receiver: String,
    /// Which message; `None`: all that were given up.
    pub id: Option<String>,
}

/// The folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The operating system refused.
    #[error("could not use {path}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// It is no outbox.
    #[error("could not understand {path}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// It cannot be written.
    #[error("could not keep what a receiver was told")]
    Write(#[from] WriteError),
    /// The wishes.
    #[error(transparent)]
    Wishes(#[from] FolderError),
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
    wishes: Folder<Again>,
}

impl Shelf {
    /// In the collector's folder; made where there is none.
    pub fn open(data_dir: &Path) -> Result<Self, ShelfError> {
        let wishes = Folder::open(data_dir, "notifications/again")?;
        Ok(Self { folder: data_dir.join("notifications"), wishes })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{ENDING}"))
    }

    /// The outbox of a receiver; `None`: it is new.
    pub fn read(&self, name: &str) -> Result<Option<Outbox>, ShelfError> {
        let path = self.path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(io) if io.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(io) => return Err(ShelfError::Io { path, io }),
        };
        let outbox = serde_json::from_slice(&bytes);
        outbox.map(Some).map_err(|cause| ShelfError::Content { path, cause })
    }

    /// Keeps the outbox of a receiver.
    pub fn write(&self, name: &str, outbox: &Outbox) -> Result<(), ShelfError> {
        let text = serde_json::to_string(outbox).expect("plain data is always JSON");
        Ok(durable::write(&self.path(name), text.as_bytes(), Access::Owner)?)
    }

    /// All receivers that were ever told anything, by name.
    pub fn all(&self) -> Result<Vec<(String, Outbox)>, ShelfError> {
        let failed = |io| ShelfError::Io { path: self.folder.clone(), io };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.to_str().and_then(|it| it.strip_suffix(ENDING)).map(str::to_owned));
        }
        names.sort();
        let mut all = Vec::new();
        for name in names {
            all.extend(self.read(&name)?.map(|outbox| (name, outbox)));
        }
        Ok(all)
    }

    /// What somebody wants tried once more.
    pub fn wishes(&self) -> Result<Vec<(String, Again)>, ShelfError> {
        Ok(self.wishes.all()?)
    }

    /// Leaves a wish.
    pub fn leave(&self, name: &str, again: &Again) -> Result<(), ShelfError> {
        Ok(self.wishes.leave(name, again)?)
    }

    /// Removes a wish.
    pub fn forget(&self, name: &str) -> Result<(), ShelfError> {
        Ok(self.wishes.forget(name)?)
    }
}
