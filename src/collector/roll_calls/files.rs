//! Wishes for roll calls: one small file each in the collector's folder, there until the running
//! collector has stated it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::{LessonId, TerminalId, Timestamp};
use crate::platform::durable::{self, Access, WriteError};

const ENDING: &str = ".wish.json";

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 4_096;

/// Somebody wants the roll called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// 32 random bytes that name it.
    pub order: [u8; 32],
    /// At which terminal.
    pub terminal: TerminalId,
    /// In which lesson; `None`: the one that is under way.
    pub lesson: Option<LessonId>,
    /// How long each has to show the face; `None`: as the policy says.
    pub minutes: Option<u32>,
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    terminal: TerminalId,
    lesson: Option<LessonId>,
    minutes: Option<u32>,
    by: String,
    at: Timestamp,
}

/// The folder of wishes could not be used.
#[derive(Debug, thiserror::Error)]
pub enum WishesError {
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
    #[error("could not keep a wish")]
    Write(#[from] WriteError),
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Wishes(PathBuf);

impl Wishes {
    /// In the collector's folder; made where there is none.
    pub fn open(data_dir: &Path) -> Result<Self, WishesError> {
        let folder = data_dir.join("roll-calls");
        fs::create_dir_all(&folder).map_err(|io| WishesError::Io { path: folder.clone(), io })?;
        Ok(Self(folder))
    }

    fn path(&self, order: &[u8; 32]) -> PathBuf {
        self.0.join(format!("{}{ENDING}", HEXLOWER.encode(order)))
    }

    /// Leaves a wish for the running collector.
    pub fn leave(&self, wish: &Wish) -> Result<(), WishesError> {
        let Wish { order, terminal, lesson, minutes, by, at } = wish.clone();
        let text = serde_json::to_string(&Raw { terminal, lesson, minutes, by, at })
            .expect("plain data is always JSON");
        Ok(durable::write(&self.path(&order), text.as_bytes(), Access::Owner)?)
    }

    /// All of them. What is none is told and removed: it would be in the way for ever.
    pub fn all(&self) -> Result<Vec<Wish>, WishesError> {
        let failed = |io| WishesError::Io { path: self.0.clone(), io };
        let mut wishes = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.and_then(|name| name.strip_suffix(ENDING)) else { continue };
            match read(&path, name) {
                Some(wish) => wishes.push(wish),
                None => {
                    tracing::warn!("Removed {}: it is no order to call the roll.", path.display());
                    remove(&path)?;
                }
            }
        }
        wishes.sort_by_key(|wish| (wish.at, wish.order));
        Ok(wishes)
    }

    /// Removes one.
    pub fn forget(&self, wish: &Wish) -> Result<(), WishesError> {
        remove(&self.path(&wish.order))
    }
}

fn read(path: &Path, name: &str) -> Option<Wish> {
    let order = HEXLOWER.decode(name.as_bytes()).ok()?.try_into().ok()?;
    let fits = fs::metadata(path).is_ok_and(|about| about.len() <= FILE_BYTES_MAX);
    let bytes = fits.then(|| fs::read(path).ok())??;
    let Raw { terminal, lesson, minutes, by, at } = serde_json::from_slice(&bytes).ok()?;
    Some(Wish { order, terminal, lesson, minutes, by, at })
}

fn remove(path: &Path) -> Result<(), WishesError> {
    match fs::remove_file(path) {
        Err(io) if io.kind() != io::ErrorKind::NotFound => {
            Err(WishesError::Io { path: path.to_owned(), io })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
