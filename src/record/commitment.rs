//! How a record names a person without naming her (docs/spec/record-v1.md, "Person"): by a
//! commitment whose opening travels beside the record and can be erased without touching it.

use std::fmt;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::domain::PersonId;

/// Length of a record's random salt.
pub const SALT_BYTES: usize = 32;

/// SHA-256(salt ‖ person id).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Commitment(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({})", HEXLOWER.encode(&self.0[..4]))
    }
}

/// What turns a commitment back into a person. Erasing it erases her from the record.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opening {
    /// Random, fresh for each commitment.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; SALT_BYTES],
    /// Whom the commitment stands for.
    #[n(2)]
    pub person: PersonId,
}

impl Opening {
    /// The commitment that this opening opens.
    pub fn commitment(&self) -> Commitment {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(self.person.0);
        Commitment(hash.finalize().into())
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({:?})", self.person)
    }
}

/// What a registered class says of its roster: SHA-256 over a random salt and the person ids in
/// ascending order. Proves later who was on it; tells nobody now.
pub fn roster_commitment(salt: &[u8; SALT_BYTES], roster: &[PersonId]) -> [u8; 32] {
    let mut sorted = roster.to_vec();
    sorted.sort();
    let mut hash = Sha256::new();
    hash.update(salt);
    for person in sorted {
        hash.update(person.0);
    }
    hash.finalize().into()
}
