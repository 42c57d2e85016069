//! One line of the ledger, as rules and reports read it.

use crate::domain::{Fact, PersonId, Refusal, TerminalId, Timestamp};
use crate::record::{Record, SealedHash};

/// One committed entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, counted from 0 without a hole.
    pub index: u64,
    /// The centre's time of commit; never runs backwards along the ledger.
    pub committed_at: Timestamp,
    /// What it holds.
    pub body: Body,
}

/// What an entry holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// A record that was admitted.
    Record {
        /// What the terminal states.
        record: Box<Record>,
        /// Hash of its sealed bytes.
        hash: SealedHash,
        /// Whom its `person` commits to; `None` without one, or once erased.
        person: Option<PersonId>,
        /// Whom its `other` commits to; `None` without one, or once erased.
        other: Option<PersonId>,
    },
    /// Bytes that were refused and are kept as evidence.
    Refused {
        /// Under whose name they came (the topic's terminal).
        terminal: TerminalId,
        /// Why they were refused.
        refusal: Refusal,
        /// What they claim to say, as far as they can be read. Nothing in it is proven.
        claims: Option<Box<Record>>,
        /// Hash of the refused bytes.
        hash: SealedHash,
    },
    /// A fact that the centre stated.
    Fact(Fact),
}
