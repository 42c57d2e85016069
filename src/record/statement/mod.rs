//! The centre's other signed statements share one way of sealing and opening.

use minicbor::{Decode, Encode};

use super::cose::{self, OpenError, SEALED_BYTES_MAX, Typ};
use super::record_v1::decode_strictly;
use super::{KeyId, SealedHash, SigningKey, VerifyingKey, Wanted};
use crate::domain::{Fact, Refusal, TerminalId, Timestamp};

/// A type that is sealed as one kind of statement.
pub trait Stated: Encode<()> + for<'b> Decode<'b, ()> {
    /// The kind that stands in the protected header.
    const TYP: Typ;
    /// How long it may be when it is sealed, in bytes.
    const BYTES_MAX: usize = SEALED_BYTES_MAX;
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
    /// The last number of the asker's chain that the centre has; 0 for none. A terminal that holds
    /// receipts beyond it offers again: the centre was restored from an older backup.
    #[n(4)]
    pub head: Option<u64>,
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

/// That bytes were refused, as the centre seals it into its ledger. The bytes themselves lie
/// beside it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SealedEvidence {
    /// When the centre stated it.
    #[n(1)]
    pub at: Timestamp,
    /// Under whose name the bytes came.
    #[n(2)]
    pub terminal: TerminalId,
    /// Why they were refused.
    #[n(3)]
    pub refusal: Refusal,
    /// Hash of the complete bytes.
    #[n(4)]
    pub hash: SealedHash,
    /// How many they are. Of long garbage only the beginning is kept.
    #[n(5)]
    pub bytes: u64,
    /// The place in the terminal's chain that they take: a correctly signed record that is
    /// refused for what lies beside it is still the one that the next record continues.
    #[n(6)]
    pub seq: Option<u64>,
}

impl Stated for SealedEvidence {
    const TYP: Typ = Typ::Evidence;
}

/// What the ledger held at one moment: its size and the root of its Merkle tree (RFC 9162,
/// section 2.1). Whoever holds one can prove later that an entry was there, or is gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Checkpoint {
    /// Which ledger.
    #[n(1)]
    pub origin: String,
    /// How many entries it has.
    #[n(2)]
    pub size: u64,
    /// Root hash over them.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// When the centre stated it.
    #[n(4)]
    pub at: Timestamp,
}

impl Stated for Checkpoint {
    const TYP: Typ = Typ::Checkpoint;
}

/// What a backup of the ledger holds (docs/spec/backup-v1.md).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BackupSeal {
    /// Which ledger.
    #[n(1)]
    pub origin: String,
    /// How many entries.
    #[n(2)]
    pub size: u64,
    /// Root hash over them.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// When it was made.
    #[n(4)]
    pub at: Timestamp,
    /// SHA-256 of all lines before the seal.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

impl Stated for BackupSeal {
    const TYP: Typ = Typ::Backup;
}

/// Seals a statement.
pub fn seal_statement<T: Stated>(statement: &T, key: &SigningKey) -> Vec<u8> {
    let payload = minicbor::to_vec(statement).expect("writing to a vector cannot fail");
    cose::seal(T::TYP, &payload, key)
}

/// Opens a statement: kind, key, signature, payload; all or nothing.
pub fn open_statement<T: Stated>(sealed: &[u8], key: &VerifyingKey) -> Result<T, OpenError> {
    let envelope = cose::parse_within(sealed, T::BYTES_MAX)?;
    envelope.verify(T::TYP, key)?;
    decode_strictly(envelope.payload)
}

/// The id of the key that a statement of this kind says to be sealed with, unverified.
pub(super) fn kid_of<T: Stated>(sealed: &[u8]) -> Result<KeyId, OpenError> {
    cose::parse_within(sealed, T::BYTES_MAX).map(|envelope| envelope.kid)
}

/// Reads what a sealed statement says, with no signature checked: only for bytes from our own
/// storage.
pub fn peek_statement<T: Stated>(sealed: &[u8]) -> Result<T, OpenError> {
    let envelope = cose::parse_within(sealed, T::BYTES_MAX)?;
    if envelope.typ != T::TYP.as_str() {
        return Err(OpenError::Type { wanted: T::TYP.as_str() });
    }
    decode_strictly(envelope.payload)
}

#[cfg(test)]
mod tests;
