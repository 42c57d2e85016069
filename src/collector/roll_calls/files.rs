//! Wishes for roll calls: one small file each in the collector's folder, there until the running
//! collector has stated it.

use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::collector::wishes::{Folder, FolderError};
use crate::domain::{LessonId, TerminalId, Timestamp};

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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    terminal: TerminalId,
    lesson: Option<LessonId>,
    minutes: Option<u32>,
    by: String,
    at: Timestamp,
}

/// The folder.
#[derive(Debug, Clone)]
pub struct Wishes(Folder<Raw>);

impl Wishes {
    /// In the collector's folder; made where there is none.
    pub fn open(data_dir: &Path) -> Result<Self, FolderError> {
        Folder::open(data_dir, "roll-calls").map(Self)
    }

    /// Leaves a wish for the running collector.
    pub fn leave(&self, wish: &Wish) -> Result<(), FolderError> {
        let Wish { order, terminal, lesson, minutes, by, at } = wish.clone();
        self.0.leave(&HEXLOWER.encode(&order), &Raw { terminal, lesson, minutes, by, at })
    }

    /// All of them, the oldest first. What is none is told and removed: it would be in the way for ever.
    pub fn all(&self) -> Result<Vec<Wish>, FolderError> {
        let mut wishes = Vec::new();
        for (name, Raw { terminal, lesson, minutes, by, at }) in self.0.all()? {
            match HEXLOWER.decode(name.as_bytes()).ok().and_then(|order| order.try_into().ok()) {
                Some(order) => wishes.push(Wish { order, terminal, lesson, minutes, by, at }),
                None => {
                    tracing::warn!("Removed {name}: it is no order to call the roll.");
                    self.0.forget(&name)?;
                }
            }
        }
        wishes.sort_by_key(|wish| (wish.at, wish.order));
        Ok(wishes)
    }

    /// Removes one.
    pub fn forget(&self, wish: &Wish) -> Result<(), FolderError> {
        self.0.forget(&HEXLOWER.encode(&wish.order))
    }
}
