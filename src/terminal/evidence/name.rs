//! The names of the files, which are the only index: each says to which record its picture belongs, and
//! which step was the last. Pure.
//!
//! ```text
//! 41.new ─► 41.picture ─► 41.gone ─► (nothing)
//!         │             │          └ picture_deleted is on record
//!         │             └ holds the digest alone; the picture is being removed
//!         └ picture_kept is on record
//! 41.1775003405000.picture       a picture without a date of its own, kept until that millisecond
//! ```

use std::fmt;

use crate::domain::Timestamp;

/// Which step was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Stored, and not on record yet.
    New,
    /// Kept, and on record.
    Kept,
    /// Deleted, and that is not on record yet: only the digest is left.
    Gone,
}

/// A file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// Number of the record.
    pub(super) seq: u64,
    /// Until when it is kept, where it does not say so itself.
    pub(super) until: Option<Timestamp>,
    pub(super) stage: Stage,
}

impl Name {
    /// The same picture at another step.
    pub(super) fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// `None` for a name that none of ours is.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (numbers, stage) = text.rsplit_once('.')?;
        let stage = match stage {
            "new" => Stage::New,
            "picture" => Stage::Kept,
            "gone" => Stage::Gone,
            _ => return None,
        };
        let (seq, until) = match numbers.split_once('.') {
            Some((seq, until)) => (seq, Some(Timestamp::from_ms(until.parse().ok()?))),
            None => (numbers, None),
        };
        let name = Self { seq: seq.parse().ok()?, until, stage };
        // One name for one picture: no leading zero, no sign.
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seq)?;
        if let Some(until) = self.until {
            write!(f, ".{}", until.as_ms())?;
        }
        f.write_str(match self.stage {
            Stage::New => ".new",
            Stage::Kept => ".picture",
            Stage::Gone => ".gone",
        })
    }
}
