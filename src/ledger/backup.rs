//! A ledger as one portable file, line by line: the same from every database and into every database
//! (docs/spec/backup-v1.md). Here is its form; who writes, reads and checks it is the collector.

use serde::{Deserialize, Serialize};

use super::bundle::{Bytes, Opened};
use super::staged::{Kind, Stored};
use crate::domain::Timestamp;
use crate::record::{Opening, SALT_BYTES};

/// What stands in every backup's first line.
pub const FORMAT: &str = "rollcall-backup-v1";

/// Longest line, with its end. An entry has at most 1,024 sealed bytes and 4,096 of evidence, which
/// are 6,900 in base64.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// [`FORMAT`].
    pub format: String,
    /// The name of the ledger's log.
    pub origin: String,
    /// The log key that sealed it, so that a wrong one is told before anything else.
    pub log: String,
}

/// A line for each entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its place in the ledger.
    pub index: u64,
    /// When it was committed.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// What kind of statement it is.
    pub kind: Kind,
    /// The complete sealed bytes.
    pub sealed: Bytes,
    /// The refused bytes, or their beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Bytes>,
    /// Opens the record's `person`, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Opened>,
    /// Opens the record's `other`, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Opened>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// A sealed [`crate::record::BackupSeal`] over everything before.
    pub seal: Bytes,
}

impl Line {
    /// An entry as a line.
    pub fn of(stored: Stored) -> Self {
        let opened = |opening: Opening| Opened {
            salt: Bytes(opening.salt.to_vec()),
            person: opening.person,
        };
        Self {
            index: stored.index,
            at: stored.committed_at,
            kind: stored.kind,
            sealed: Bytes(stored.sealed),
            evidence: stored.evidence.map(Bytes),
            person: stored.person.map(opened),
            other: stored.other.map(opened),
        }
    }

    /// The entry; `None` when a salt has not its length.
    pub fn stored(self) -> Option<Stored> {
        let opening = |opened: Option<Opened>| match opened {
            None => Some(None),
            Some(Opened { salt: Bytes(salt), person }) => {
                let salt: [u8; SALT_BYTES] = salt.try_into().ok()?;
                Some(Some(Opening { salt, person }))
            }
        };
        Some(Stored {
            index: self.index,
            committed_at: self.at,
            kind: self.kind,
            sealed: self.sealed.0,
            evidence: self.evidence.map(|Bytes(bytes)| bytes),
            person: opening(self.person)?,
            other: opening(self.other)?,
        })
    }
}

/// Any of the lines, with its end.
pub fn json<T: Serialize>(line: &T) -> String {
    serde_json::to_string(line).expect("plain data with text keys is always JSON") + "\n"
}
