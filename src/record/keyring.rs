//! The record keys of one terminal, in the order in which they followed each other
//! (docs/spec/enrolment-v1.md, "Another record key").
//!
//! The overlap has no clock: all keys are good until the terminal has sealed a record with a newer one,
//! because its records stand in one chain, and what came before the change was sealed before it.

use super::cose::OpenError;
use super::enrolment::open_succession;
use super::{KeyId, VerifyingKey};
use crate::domain::TerminalId;

/// Most keys of one terminal: one a month for twenty years.
const KEYS_MAX: usize = 256;

/// A key does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// The key before it does not say so, or the new one is not held.
    #[error("could not let a key follow: its proof does not hold")]
    Proof(#[source] OpenError),
    /// The proof speaks of another key.
    #[error("could not let a key follow: its proof speaks of another key")]
    Other,
    /// It was there before, or there are too many.
    #[error("could not let a key follow: it was this terminal's before, or there are too many")]
    Again,
}

/// A key of the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ringed {
    /// The key.
    pub key: VerifyingKey,
    /// A newer key has sealed a record: this one seals nothing new.
    pub retired: bool,
}

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// Never empty.
    keys: Vec<VerifyingKey>,
    /// The place of the newest key that has sealed a record.
    used: usize,
}

impl Keyring {
    /// A terminal that is registered with this key.
    pub fn new(key: VerifyingKey) -> Self {
        Self { keys: vec![key], used: 0 }
    }

    /// The newest key.
    pub fn newest(&self) -> VerifyingKey {
        *self.keys.last().expect("it is never empty")
    }

    /// All keys, the newest last.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The key of that name.
    pub fn find(&self, kid: KeyId) -> Option<Ringed> {
        let place = self.keys.iter().rposition(|key| key.id() == kid)?;
        Some(Ringed { key: self.keys[place], retired: place < self.used })
    }

    /// Lets a key follow the newest one, if `proof` holds.
    pub fn succeed(
        &mut self,
        terminal: &TerminalId,
        key: &[u8; 32],
        proof: &[u8],
    ) -> Result<(), SuccessionError> {
        let next = open_succession(proof, terminal, &self.newest());
        let next = next.map_err(SuccessionError::Proof)?;
        if next.to_bytes() != *key {
            return Err(SuccessionError::Other);
        }
        if self.keys.contains(&next) || self.keys.len() >= KEYS_MAX {
            return Err(SuccessionError::Again);
        }
        self.keys.push(next);
        Ok(())
    }

    /// A record that is part of the chain was sealed with this key.
    pub fn sealed_with(&mut self, kid: KeyId) {
        let place = self.keys.iter().rposition(|key| key.id() == kid);
        self.used = self.used.max(place.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::super::enrolment::seal_succession;
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_secret(&[n; 32])
    }

    fn terminal(name: &str) -> TerminalId {
        name.parse().unwrap()
    }

    #[test]
    fn both_keys_are_good_until_the_newer_one_has_sealed() {
        let (old, new) = (key(1), key(2));
        let mut ring = Keyring::new(old.verifying_key());
        let proof = seal_succession(&terminal("t-1"), &old, &new);
        let next = new.verifying_key();
        ring.succeed(&terminal("t-1"), &next.to_bytes(), &proof).unwrap();
        let retired =
            |ring: &Keyring, n: u8| ring.find(key(n).verifying_key().id()).unwrap().retired;
        ring.sealed_with(old.verifying_key().id());
        assert_eq!((retired(&ring, 1), retired(&ring, 2)), (false, false));
        ring.sealed_with(next.id());
        ring.sealed_with(old.verifying_key().id());
        assert_eq!((retired(&ring, 1), retired(&ring, 2)), (true, false));
    }

    #[test]
    fn a_key_follows_only_by_the_word_of_the_one_before_and_its_own() {
        let (old, new, thief) = (key(1), key(2), key(3));
        let next = new.verifying_key().to_bytes();
        let mut ring = Keyring::new(old.verifying_key());
        let mut follow = |by: &SigningKey, whom: &SigningKey, whose: &str| {
            ring.succeed(&terminal("t-1"), &next, &seal_succession(&terminal(whose), by, whom))
        };
        assert!(matches!(follow(&thief, &new, "t-1"), Err(SuccessionError::Proof(_))));
        assert!(matches!(follow(&old, &new, "t-2"), Err(SuccessionError::Proof(_))));
        assert_eq!(follow(&old, &thief, "t-1"), Err(SuccessionError::Other));
        follow(&old, &new, "t-1").unwrap();
        let back = seal_succession(&terminal("t-1"), &new, &old);
        let key = old.verifying_key().to_bytes();
        assert_eq!(ring.succeed(&terminal("t-1"), &key, &back), Err(SuccessionError::Again));
    }
}
