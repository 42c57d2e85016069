//! The centre's other signed statements share one way of sealing and opening.

use minicbor::{Decode, Encode};

use super::cose::{self, OpenError, Typ};
use super::record_v1::decode_strictly;
use super::{SigningKey, VerifyingKey, Wanted};
use crate::domain::{Fact, TerminalId, Timestamp};

/// A type that is sealed as one kind of statement.
pub trait Stated: Encode<()> + for<'b> Decode<'b, ()> {
    /// The kind that stands in the protected header.
    const TYP: Typ;
}

impl Stated for Wanted {
    const TYP: Typ = Typ::Wanted;
}

/// The centre's time, as answer to a terminal's question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TimeAnswer {
    /// Who asked.
    #[n(1)]
    pub terminal: TerminalId,
    /// The asker's random nonce: an old answer cannot be played again.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// The centre's time.
    #[n(3)]
    pub at: Timestamp,
}

impl Stated for TimeAnswer {
    const TYP: Typ = Typ::Time;
}

/// A fact of the ledger, as the centre seals it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedFact {
    /// When the centre stated it.
    #[n(1)]
    pub at: Timestamp,
    /// What it states.
    #[n(2)]
    pub fact: Fact,
}

impl Stated for SealedFact {
    const TYP: Typ = Typ::Fact;
}

/// Seals a statement.
pub fn seal_statement<T: Stated>(statement: &T, key: &SigningKey) -> Vec<u8> {
    let payload = minicbor::to_vec(statement).expect("writing to a vector cannot fail");
    cose::seal(T::TYP, &payload, key)
}

/// Opens a statement: kind, key, signature, payload; all or nothing.
pub fn open_statement<T: Stated>(sealed: &[u8], key: &VerifyingKey) -> Result<T, OpenError> {
    let envelope = cose::parse(sealed)?;
    envelope.verify(T::TYP, key)?;
    decode_strictly(envelope.payload)
}
