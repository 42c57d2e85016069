//! What can go wrong with each of the journal's operations, and what the caller shall do about it.

use std::path::{Path, PathBuf};

use super::storage::{Damage, StorageError};
use super::survey::Loss;
use crate::domain::TerminalId;
use crate::platform::telemetry::Class;
use crate::record::{KeyId, OpenError as UnsealError};

/// A new journal could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// One is there; it may hold records that nobody has received.
    #[error("could not make a journal in {dir}: there is one already")]
    Exists {
        /// Where.
        dir: PathBuf,
    },
    /// The storage failed.
    #[error("could not make a journal in {dir}")]
    Storage {
        /// Where.
        dir: PathBuf,
        /// What it said.
        #[source]
        source: StorageError,
    },
}

impl InitError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            InitError::Exists { .. } => "journal_exists",
            InitError::Storage { .. } => "journal_storage",
        }
    }

    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            InitError::Exists { .. } => Class::Permanent,
            InitError::Storage { .. } => Class::Transient,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            InitError::Exists { .. } => "name another folder in [journal] dir",
            InitError::Storage { .. } => "see that its disk is there, writable and not full",
        }
    }
}

/// A journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none. It is not made silently: a wrong path would begin a second history.
    #[error("could not open the journal in {dir}: there is none")]
    Missing {
        /// Where it should be.
        dir: PathBuf,
    },
    /// It belongs to another terminal, or was written with another key.
    #[error(
        "could not open the journal in {dir}: it belongs to terminal {found_terminal} with key {found_key}, this is terminal {terminal} with key {key}"
    )]
    Foreign {
        /// Where.
        dir: PathBuf,
        /// Whose it is.
        found_terminal: TerminalId,
        /// With which key.
        found_key: KeyId,
        /// Who opens it.
        terminal: TerminalId,
        /// With which key.
        key: KeyId,
    },
    /// A stored value is not what was once written.
    #[error("could not open the journal in {dir}: {what} is damaged")]
    Damaged {
        /// Where.
        dir: PathBuf,
        /// Which value: "record 17", "the boot counter".
        what: String,
        /// How it shows.
        #[source]
        source: Damage,
    },
    /// Writes are gone from both copies.
    #[error("could not open the journal in {dir}: {loss}")]
    Lost {
        /// Where.
        dir: PathBuf,
        /// What is gone.
        loss: Loss,
    },
    /// Records are lost, and the statement of it could not be appended.
    #[error("could not state in the journal in {dir} which records are lost")]
    Unstated {
        /// Where.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: AppendError,
    },
    /// The storage failed.
    #[error("could not open the journal in {dir}")]
    Storage {
        /// Where.
        dir: PathBuf,
        /// What it said.
        #[source]
        source: StorageError,
    },
}

impl OpenError {
    /// What a storage that does not open means for the journal in `dir`.
    pub fn of(dir: &Path, source: StorageError) -> Self {
        let dir = dir.to_owned();
        match source {
            StorageError::Missing => OpenError::Missing { dir },
            StorageError::Lost(loss) => OpenError::Lost { dir, loss },
            StorageError::Exists
            | StorageError::Busy
            | StorageError::Unknown { .. }
            | StorageError::Io(_) => OpenError::Storage { dir, source },
        }
    }

    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Missing { .. } => "journal_missing",
            OpenError::Foreign { .. } => "journal_foreign",
            OpenError::Damaged { .. } | OpenError::Lost { .. } => "journal_damaged",
            OpenError::Storage { .. } => "journal_storage",
            OpenError::Unstated { source, .. } => source.code(),
        }
    }

    /// What the caller shall do. A journal that is missing may lie on a disk that is not mounted
    /// yet: the next start may find it. Damage is a fail-stop: going on would chain new records to
    /// a history that is not the one which was shown green.
    pub fn class(&self) -> Class {
        match self {
            OpenError::Missing { .. } | OpenError::Storage { .. } => Class::Transient,
            OpenError::Foreign { .. } => Class::Permanent,
            OpenError::Unstated { source, .. } => source.class(),
            OpenError::Damaged { .. } | OpenError::Lost { .. } => Class::FailStop,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            OpenError::Missing { .. } => {
                "is its disk mounted? on a new terminal run `rollcall terminal init`"
            }
            OpenError::Foreign { .. } => {
                "use the journal and the key of the same terminal; a re-used board needs a new folder and `rollcall terminal init`"
            }
            OpenError::Damaged { .. } | OpenError::Lost { .. } => {
                "run `rollcall terminal journal check`, then `rollcall terminal journal repair`: the damaged folder is kept beside"
            }
            OpenError::Unstated { .. } => "see that its disk is there, writable and not full",
            OpenError::Storage { .. } => {
                "see that no other rollcall uses the folder, and that its disk is there, writable and not full"
            }
        }
    }
}

/// A record could not be appended. No light turns green.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The bound is reached. Full means red: nothing is dropped to make room.
    #[error(
        "could not append: {records} records ({bytes} bytes) wait for a receipt, and no more have room"
    )]
    Full {
        /// Records that wait.
        records: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// The record is not the next one of the chain.
    #[error(
        "could not append record {seq}: the next one is {wanted}, chained to the one before it"
    )]
    OutOfTurn {
        /// Its number.
        seq: u64,
        /// The number that is next.
        wanted: u64,
    },
    /// The record is another terminal's, or sealed with another key.
    #[error("could not append a record of terminal {terminal} with key {key}")]
    Foreign {
        /// Whose it is.
        terminal: TerminalId,
        /// Sealed with which key.
        key: KeyId,
    },
    /// The bytes are no record.
    #[error("could not append bytes that are no record")]
    Unreadable {
        /// Why not.
        #[source]
        source: UnsealError,
    },
    /// The storage failed; whether the record is on the disk is not known.
    #[error("could not append record {seq} durably")]
    Storage {
        /// Its number.
        seq: u64,
        /// What it said.
        #[source]
        source: StorageError,
    },
    /// An earlier write failed; see [`AppendError::Storage`].
    #[error(
        "could not append: an earlier write to the journal failed, so nothing is known of the disk"
    )]
    Failed,
}

impl AppendError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            AppendError::Full { .. } => "journal_full",
            AppendError::OutOfTurn { .. } => "journal_out_of_turn",
            AppendError::Foreign { .. } => "journal_foreign_record",
            AppendError::Unreadable { .. } => "journal_unreadable_record",
            AppendError::Storage { .. } | AppendError::Failed => "journal_storage",
        }
    }

    /// What the caller shall do: wait for receipts when it is full; end the process when a write
    /// failed, because only recovery can say what is on the disk.
    pub fn class(&self) -> Class {
        match self {
            AppendError::Full { .. } => Class::Transient,
            AppendError::OutOfTurn { .. }
            | AppendError::Foreign { .. }
            | AppendError::Unreadable { .. } => Class::Permanent,
            AppendError::Storage { .. } | AppendError::Failed => Class::FailStop,
        }
    }
}

/// Records could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A stored record is not what was once written.
    #[error("could not replay record {seq}: it is damaged")]
    Damaged {
        /// Its number.
        seq: u64,
        /// How it shows.
        #[source]
        source: Damage,
    },
    /// The storage failed.
    #[error("could not replay records")]
    Storage {
        /// What it said.
        #[source]
        source: StorageError,
    },
}

impl ReplayError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            ReplayError::Damaged { .. } => "journal_damaged",
            ReplayError::Storage { .. } => "journal_storage",
        }
    }

    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            ReplayError::Damaged { .. } | ReplayError::Storage { .. } => Class::FailStop,
        }
    }
}

/// A receipt released nothing. All but a failed storage are about the receipt, and need an alarm.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// It is another terminal's.
    #[error("could not release by a receipt for terminal {terminal}")]
    Foreign {
        /// Whose.
        terminal: TerminalId,
    },
    /// It names another record under this number: two terminals share a key, or the centre has a
    /// history that is not ours.
    #[error("could not release up to record {seq}: the receipt names another record")]
    Mismatch {
        /// The number.
        seq: u64,
    },
    /// It names a record that this journal has not made: the journal is older than what the centre
    /// holds, so it was restored from a copy, or its key is used elsewhere.
    #[error("could not release up to record {seq}: the newest here is {appended}")]
    Ahead {
        /// The number.
        seq: u64,
        /// Our newest.
        appended: u64,
    },
    /// The storage failed; whether the release is on the disk is not known.
    #[error("could not release durably")]
    Storage {
        /// What it said.
        #[source]
        source: StorageError,
    },
    /// An earlier write failed; see [`AppendError::Storage`].
    #[error(
        "could not release: an earlier write to the journal failed, so nothing is known of the disk"
    )]
    Failed,
}

impl ReleaseError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            ReleaseError::Foreign { .. } => "receipt_foreign",
            ReleaseError::Mismatch { .. } => "receipt_mismatch",
            ReleaseError::Ahead { .. } => "receipt_ahead",
            ReleaseError::Storage { .. } | ReleaseError::Failed => "journal_storage",
        }
    }

    /// What the caller shall do: ignore the receipt with an alarm, or end the process.
    pub fn class(&self) -> Class {
        match self {
            ReleaseError::Foreign { .. }
            | ReleaseError::Mismatch { .. }
            | ReleaseError::Ahead { .. } => Class::Permanent,
            ReleaseError::Storage { .. } | ReleaseError::Failed => Class::FailStop,
        }
    }
}

/// A signed time could not be noted durably.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// The storage failed.
    #[error("could not note the centre's time durably")]
    Storage {
        /// What it said.
        #[source]
        source: StorageError,
    },
    /// An earlier write failed; see [`AppendError::Storage`].
    #[error("could not note the centre's time: an earlier write to the journal failed")]
    Failed,
}

impl NoteError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            NoteError::Storage { .. } | NoteError::Failed => "journal_storage",
        }
    }

    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            NoteError::Storage { .. } | NoteError::Failed => Class::FailStop,
        }
    }
}
