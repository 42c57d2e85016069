//! The centre's signed answers. Only these free a record at the terminal
//! (docs/spec/record-v1.md, "Receipts").

use minicbor::{Decode, Encode};

use super::cose::{self, OpenError, Typ};
use super::record_v1::decode_strictly;
use super::{SealedHash, SigningKey, VerifyingKey};
use crate::domain::{TerminalId, Timestamp};

/// What became of the records that a receipt names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Committed to the ledger, all of them.
    Committed,
    /// Refused, and stored as evidence; always exactly one record.
    Refused {
        /// The stable word of `domain::Refusal::code`.
        code: String,
    },
}

/// The answer to one record or to a run of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whose records.
    pub terminal: TerminalId,
    /// First sequence number that it covers.
    pub first: u64,
    /// Last sequence number that it covers.
    pub last: u64,
    /// Hash of the record `last`; through the chain it fixes all before it.
    pub hash: SealedHash,
    /// Number of entries in the ledger when it was given.
    pub ledger_size: u64,
    /// The centre's time when it was given.
    pub at: Timestamp,
    /// Committed or refused.
    pub verdict: Verdict,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    first: u64,
    #[n(3)]
    last: u64,
    #[n(4)]
    hash: SealedHash,
    #[n(5)]
    ledger_size: u64,
    #[n(6)]
    at: Timestamp,
    #[n(7)]
    refused: Option<String>,
}

impl Receipt {
    /// Seals the receipt with the centre's receipt key.
    pub fn seal(&self, key: &SigningKey) -> Vec<u8> {
        let (typ, refused) = match &self.verdict {
            Verdict::Committed => (Typ::Receipt, None),
            Verdict::Refused { code } => (Typ::Refusal, Some(code.clone())),
        };
        let payload = Payload {
            terminal: self.terminal.clone(),
            first: self.first,
            last: self.last,
            hash: self.hash,
            ledger_size: self.ledger_size,
            at: self.at,
            refused,
        };
        let payload = minicbor::to_vec(payload).expect("writing to a vector cannot fail");
        cose::seal(typ, &payload, key)
    }

    /// Opens a receipt of either kind.
    pub fn open(sealed: &[u8], key: &VerifyingKey) -> Result<Self, OpenError> {
        let envelope = cose::parse(sealed)?;
        let refusal = envelope.typ == Typ::Refusal.as_str();
        envelope.verify(if refusal { Typ::Refusal } else { Typ::Receipt }, key)?;
        let payload: Payload = decode_strictly(envelope.payload)?;
        let verdict = match payload.refused {
            Some(code) if refusal => Verdict::Refused { code },
            None if !refusal => Verdict::Committed,
            Some(_) | None => {
                return Err(OpenError::Payload("the reason does not fit the kind".into()));
            }
        };
        if payload.first > payload.last || (refusal && payload.first != payload.last) {
            return Err(OpenError::Payload("the range does not fit the kind".into()));
        }
        Ok(Self {
            terminal: payload.terminal,
            first: payload.first,
            last: payload.last,
            hash: payload.hash,
            ledger_size: payload.ledger_size,
            at: payload.at,
            verdict,
        })
    }
}

/// The centre lacks records of a terminal from `from` on: after lost messages, or because it was
/// restored from an older backup. The terminal offers them again, released ones too.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wanted {
    /// Whose records.
    #[n(1)]
    pub terminal: TerminalId,
    /// First sequence number that is missing.
    #[n(2)]
    pub from: u64,
}
