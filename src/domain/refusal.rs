//! Why the centre did not admit a record. An expected "no", not an error: it is stored as
//! evidence and judged by rules.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::TerminalId;

/// Reasons for refusing a record, from the outside in: each assumes that those before it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The bytes are no sealed record of a known version.
    #[n(1)]
    #[cbor(map)]
    Malformed {
        /// What the decoder stumbled over.
        #[n(1)]
        detail: String,
    },
    /// The record, or the topic it came on, names a terminal that nobody registered.
    #[n(2)]
    UnknownTerminal,
    /// A record of one terminal came under another terminal's name.
    #[n(3)]
    #[cbor(map)]
    ForeignTerminal {
        /// Whose record it claims to be.
        #[n(1)]
        named: TerminalId,
    },
    /// Sealed with a key that is not the terminal's registered one.
    #[n(4)]
    ForeignKey,
    /// The signature does not cover these bytes.
    #[n(5)]
    #[cbor(map)]
    BadSignature {
        /// Whether sequence number and previous hash continue (or repeat) the terminal's true
        /// chain: then a genuine record was altered, else the whole was made up.
        #[n(1)]
        fits_chain: bool,
    },
    /// Correctly signed, but another record with this number is already committed: two histories.
    #[n(6)]
    Forked,
    /// Correctly signed, but the previous hash is not that of the record before it.
    #[n(7)]
    BrokenChain,
    /// The opening beside the record does not open its commitment.
    #[n(8)]
    BadOpening,
    /// Correctly signed by a terminal that the centre has revoked.
    #[n(9)]
    Revoked,
}

impl Refusal {
    /// A stable word for receipts, metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Malformed { .. } => "malformed",
            Refusal::UnknownTerminal => "unknown_terminal",
            Refusal::ForeignTerminal { .. } => "foreign_terminal",
            Refusal::ForeignKey => "foreign_key",
            Refusal::BadSignature { .. } => "bad_signature",
            Refusal::Forked => "forked",
            Refusal::BrokenChain => "broken_chain",
            Refusal::BadOpening => "bad_opening",
            Refusal::Revoked => "revoked",
        }
    }
}
