//! The append-only ledger: what was admitted, what was refused, and what the centre stated, in
//! one order, each once.
//!
//! - [`Entry`] is one line of it, as rules and reports read it.
//! - [`Staged`] is a batch on its way in: sealed, hashed, not stored yet. Pure.
//! - [`Ledger`] is the port; [`Sqlite`], [`Postgres`] and [`Memory`] stand behind it under one contract
//!   test.
//! - [`tree`] is the Merkle tree over the hashes of all sealed entries, [`tiles`] its form as static
//!   files for everybody (docs/spec/log-v1.md), [`bundle`] what an auditor
//!   takes home (docs/spec/bundle-v2.md), [`proof`] what a trainee does (docs/spec/proof-v1.md).
//!
//! Whatever is stored as an entry is a complete signed statement: a terminal's record, or the
//! centre's own statement of a fact or a refusal. So every leaf can be checked by itself.

pub mod backup;
pub mod bundle;
mod edge;
mod entry;
mod keys;
mod memory;
mod open;
mod postgres;
pub mod proof;
mod sqlite;
mod staged;
pub mod tiles;
pub mod tree;

use std::error::Error;
use std::fmt;

pub use entry::{Body, Entry};
pub use keys::{KeyFactError, RecordKeyError, learn, open_with};
pub use memory::Memory;
pub use open::OpenLedgerError;
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub use staged::{Item, Kind, StageError, Staged, Stored, may_lie_beside};

use crate::domain::{PersonId, TerminalId, Timestamp};
use crate::ingest::{Head, Past};
use crate::platform::telemetry::Class;
use tree::TreeHash;

/// Reading the ledger failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The storage failed.
    #[error("could not read the ledger")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
    /// What is stored at a place is not what was put there.
    #[error("entry {index} of the ledger is damaged")]
    Damaged {
        /// Which entry.
        index: u64,
        /// What is wrong with it.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// A batch was not committed. But for [`CommitError::Unknown`], nothing of it is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The storage failed: disk full, file locked, disk broken.
    #[error("could not commit a batch of {entries} to the ledger")]
    Storage {
        /// How many the batch had.
        entries: usize,
        /// What the storage said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The storage was asked to commit and gave no answer: all of the batch is there, or nothing. Only
    /// reading the ledger back tells.
    #[error("could not learn whether {entries} entries were committed to the ledger")]
    Unknown {
        /// How many the batch had.
        entries: usize,
        /// What was said instead of an answer.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The batch takes a place that is taken: what ingest believed of the chain is wrong.
    #[error("place {seq} in the chain of {terminal} is taken")]
    Taken {
        /// Whose chain.
        terminal: TerminalId,
        /// Which place.
        seq: u64,
    },
    /// The batch was staged for an earlier time than that of the last entry.
    #[error("a batch for {at} cannot follow an entry of {last}")]
    Backwards {
        /// The batch's time.
        at: Timestamp,
        /// The last entry's.
        last: Timestamp,
    },
}

impl CommitError {
    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            CommitError::Storage { .. } => Class::Transient,
            // Going on would commit to a ledger whose state we no longer know: the process ends,
            // and the next start reads the heads back from the ledger itself.
            CommitError::Unknown { .. }
            | CommitError::Taken { .. }
            | CommitError::Backwards { .. } => Class::FailStop,
        }
    }
}

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// Hands on every entry of a ledger, in order, some at a time.
pub fn each_entry<L: Ledger + ?Sized>(
    ledger: &L,
    mut take: impl FnMut(&Entry),
) -> Result<(), ReadError> {
    let mut next = 0;
    loop {
        let entries = ledger.entries_since(next, READ_ENTRIES)?;
        let Some(last) = entries.last() else { return Ok(()) };
        next = last.index + 1;
        entries.iter().for_each(&mut take);
    }
}

/// A ledger. Whoever commits holds it alone; entries are never changed or removed, only the
/// openings beside them can be erased.
pub trait Ledger: Past<Error = ReadError> + fmt::Debug + Send {
    /// Appends a batch: all of it durably, or nothing. When this returns, a receipt may be given.
    fn commit(&mut self, batch: Staged) -> Result<Vec<Entry>, CommitError>;

    /// At most `max` entries from `index` on, in order.
    fn entries_since(&self, index: u64, max: usize) -> Result<Vec<Entry>, ReadError>;

    /// At most `max` entries from `index` on, as they are stored.
    fn stored_since(&self, index: u64, max: usize) -> Result<Vec<Stored>, ReadError>;

    /// The ends of all chains.
    fn heads(&self) -> Result<Vec<(TerminalId, Head)>, ReadError>;

    /// How many refusals are kept, by the terminal under whose name they came.
    fn refusals(&self) -> Result<Vec<(TerminalId, u64)>, ReadError>;

    /// Number of entries.
    fn size(&self) -> u64;

    /// Root of the Merkle tree over all entries.
    fn root(&self) -> TreeHash;

    /// Time of the last commit; the epoch for an empty ledger.
    fn last_committed_at(&self) -> Timestamp;

    /// Erases every opening that names a person, and says how many there were. Entries, chains
    /// and tree stay as they are.
    fn erase(&mut self, person: PersonId) -> Result<usize, CommitError>;
}

/// An entry from its stored form; what does not read back is damage.
pub(crate) fn read_back(stored: &Stored) -> Result<Entry, ReadError> {
    let index = stored.index;
    stored.entry().map_err(|cause| ReadError::Damaged { index, cause: cause.into() })
}
