//! Why a ledger cannot be opened or made, in whatever database it lies.

use std::error::Error;

use crate::platform::postgres::ConnectError;

/// The ledger could not be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum OpenLedgerError {
    /// `init` was not run, or the data folder is not mounted.
    #[error("there is no ledger at {place}")]
    Missing {
        /// Where it should be.
        place: String,
    },
    /// A ledger is never replaced.
    #[error("there is a ledger at {place} already")]
    Exists {
        /// Where.
        place: String,
    },
    /// Some other database.
    #[error("{place} is no ledger")]
    Foreign {
        /// Where.
        place: String,
    },
    /// A newer program wrote it.
    #[error("the ledger at {place} has version {found}, and this program knows up to {known}")]
    Newer {
        /// Where.
        place: String,
        /// Its version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// It would have to be brought forward, and whoever reads does not write.
    #[error("the ledger at {place} has version {found}, and {known} is needed to read it")]
    Older {
        /// Where.
        place: String,
        /// Its version.
        found: usize,
        /// The version that can be read.
        known: usize,
    },
    /// A restore into it did not come to its end.
    #[error("the restore into {place} did not come to its end")]
    Unfinished {
        /// Where.
        place: String,
    },
    /// Another process writes to it.
    #[error("another collector writes to the ledger at {place}")]
    Held {
        /// Where.
        place: String,
    },
    /// The stored edge of the tree does not fit the entries.
    #[error("the ledger at {place} contradicts itself: {detail}")]
    Contradiction {
        /// Where.
        place: String,
        /// What does not fit.
        detail: String,
    },
    /// There is no connection to the database, or none that can be relied on.
    #[error("could not use the ledger's database")]
    Connect(#[from] ConnectError),
    /// The database could not.
    #[error("could not open the ledger at {place}")]
    Storage {
        /// Where.
        place: String,
        /// What it said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}
