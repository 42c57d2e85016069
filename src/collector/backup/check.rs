//! Holds a backup against its seal, and every entry against its own. Pure: lines come in as bytes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::super::audit::sealed;
use crate::domain::{TerminalId, Timestamp};
use crate::ledger::backup::{FORMAT, First, LINE_BYTES_MAX, Last, Line};
use crate::ledger::tree::{Frontier, TreeHash};
use crate::ledger::{Kind, Stored, may_lie_beside};
use crate::record::{
    BackupSeal, CentreKeys, Keyring, OpenError, Opening, Record, SealedFact, VerifyingKey,
    open_statement, peek_statement,
};

/// What is wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It does not begin as one.
    #[error("it is no backup of version 1")]
    Format,
    /// It was sealed with another key than the folder's.
    #[error("it was sealed with the log key {found}, and this folder's is {wanted}")]
    Key {
        /// The key that it names.
        found: String,
        /// The folder's.
        wanted: String,
    },
    /// It ends too early.
    #[error("it ends after {entries} entries, without its seal: a part of it is missing")]
    Short {
        /// How many there are.
        entries: u64,
    },
    /// A line is longer than any.
    #[error("the line after {entries} entries is longer than any can be")]
    Long {
        /// How many entries are before it.
        entries: u64,
    },
    /// A line cannot be read.
    #[error("the line after {entries} entries cannot be read")]
    Line {
        /// How many entries are before it.
        entries: u64,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// An entry is not what it must be.
    #[error("entry {index} does not hold: {why}")]
    Entry {
        /// Its place.
        index: u64,
        /// Why.
        why: String,
    },
    /// The seal does not hold.
    #[error("its seal does not hold")]
    Seal(#[source] OpenError),
    /// The seal is over other lines.
    #[error("it was changed after it was sealed")]
    Digest,
    /// The seal is over other entries.
    #[error("its {entries} entries are not those that its seal is for")]
    Tree {
        /// How many it has.
        entries: u64,
    },
    /// Something follows the seal.
    #[error("something follows its seal")]
    Beyond,
    /// It was another when it was read again.
    #[error("it changed while it was being read")]
    Changed,
}

/// What a line was.
pub(super) enum Took {
    First,
    Entry(Box<Stored>),
    Last(BackupSeal),
}

/// A backup as far as it was read.
pub(super) struct Check {
    keys: CentreKeys,
    /// The key that sealed it.
    sealer: VerifyingKey,
    first: Option<First>,
    hash: Sha256,
    frontier: Frontier,
    last_at: Timestamp,
    terminals: BTreeMap<TerminalId, Keyring>,
}

impl Check {
    /// Nothing was read yet; one of these log keys must have sealed it.
    pub(super) fn new(keys: CentreKeys) -> Self {
        Self {
            sealer: keys.newest(),
            keys,
            first: None,
            hash: Sha256::new(),
            frontier: Frontier::default(),
            last_at: Timestamp::default(),
            terminals: BTreeMap::new(),
        }
    }

    /// Takes the next line, with its end.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Took, Wrong> {
        let entries = self.frontier.size();
        if line.last() != Some(&b'\n') {
            let long = line.len() == LINE_BYTES_MAX;
            return Err(match (&self.first, long) {
                (None, _) => Wrong::Format,
                (Some(_), true) => Wrong::Long { entries },
                (Some(_), false) => Wrong::Short { entries },
            });
        }
        let Some(first) = &self.first else {
            let first: First = serde_json::from_slice(line).map_err(|_| Wrong::Format)?;
            if first.format != FORMAT {
                return Err(Wrong::Format);
            }
            let sealer = self.keys.all().iter().find(|key| key.to_string() == first.log);
            let Some(sealer) = sealer else {
                let wanted = self.keys.newest().to_string();
                return Err(Wrong::Key { found: first.log, wanted });
            };
            self.sealer = *sealer;
            self.first = Some(first);
            self.hash.update(line);
            return Ok(Took::First);
        };
        if line.starts_with(b"{\"seal\"") {
            let unread = |cause| Wrong::Line { entries, cause };
            let Last { seal } = serde_json::from_slice(line).map_err(unread)?;
            let seal: BackupSeal = open_statement(&seal.0, &self.sealer).map_err(Wrong::Seal)?;
            let digest: [u8; 32] = self.hash.clone().finalize().into();
            if seal.digest != digest || seal.origin != first.origin {
                return Err(Wrong::Digest);
            }
            if (seal.size, TreeHash(seal.root)) != (entries, self.frontier.root()) {
                return Err(Wrong::Tree { entries });
            }
            return Ok(Took::Last(seal));
        }
        let read: Line =
            serde_json::from_slice(line).map_err(|cause| Wrong::Line { entries, cause })?;
        let wrong = |why: String| Wrong::Entry { index: entries, why };
        let stored = read.stored().ok_or_else(|| wrong("a salt has not its length".into()))?;
        self.hold(&stored).map_err(wrong)?;
        self.hash.update(line);
        self.frontier.push(stored.leaf());
        self.last_at = stored.committed_at;
        Ok(Took::Entry(Box::new(stored)))
    }

    fn hold(&mut self, stored: &Stored) -> Result<(), String> {
        if stored.index != self.frontier.size() {
            return Err(format!("it says that it is entry {}", stored.index));
        }
        if stored.committed_at < self.last_at {
            return Err("it is earlier than the one before it".into());
        }
        sealed(stored, &mut self.keys, &mut self.terminals)?;
        match stored.kind {
            Kind::Record => {
                let (record, _) =
                    Record::peek(&stored.sealed).map_err(|error| error.to_string())?;
                let opens = |commitment, opening: Option<Opening>| match opening {
                    None => true,
                    Some(opening) => commitment == Some(opening.commitment()),
                };
                let fits = opens(record.person, stored.person)
                    && opens(record.second_person(), stored.other);
                if !fits {
                    return Err("an opening beside it is not its own".into());
                }
            }
            Kind::Fact => {
                let fact = peek_statement::<SealedFact>(&stored.sealed);
                let fact = fact.map_err(|error| error.to_string())?.fact;
                if !may_lie_beside(&fact, stored.person, stored.other) {
                    return Err("an opening beside it is not its own".into());
                }
            }
            Kind::Refused => {
                if stored.person.is_some() || stored.other.is_some() {
                    return Err("an opening lies beside what names nobody".into());
                }
            }
        }
        Ok(())
    }
}
