//! The centre's receipt keys, in the order in which they followed each other (docs/spec/transport.md,
//! "Another receipt key"). A terminal pins one of them, and the word of each leads to the next.

use minicbor::{Decode, Encode};

use super::cose::{OpenError, Typ};
use super::statement::{Stated, open_statement, seal_statement};
use super::{SigningKey, VerifyingKey};
use crate::domain::Timestamp;

/// Most keys of one centre: one a month for twenty years.
pub const RECEIPT_KEYS_MAX: usize = 256;

/// The centre's word that another receipt key follows the one that this is sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handover {
    /// The key that follows.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// When the centre said so.
    #[n(2)]
    pub at: Timestamp,
}

impl Stated for Handover {
    const TYP: Typ = Typ::Handover;
}

/// The old key says which one follows.
pub fn seal_handover(next: &VerifyingKey, at: Timestamp, old: &SigningKey) -> Vec<u8> {
    seal_statement(&Handover { key: next.to_bytes(), at }, old)
}

/// What a handover means to somebody who knows some of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It led on: the key of before opens nothing more.
    Newer,
    /// It was followed before.
    Known,
}

/// The receipt keys that were followed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptKeys {
    /// Never empty, the newest last.
    keys: Vec<VerifyingKey>,
}

impl From<VerifyingKey> for ReceiptKeys {
    fn from(pinned: VerifyingKey) -> Self {
        Self { keys: vec![pinned] }
    }
}

impl ReceiptKeys {
    /// The key that opens the centre's answers now.
    pub fn newest(&self) -> VerifyingKey {
        *self.keys.last().expect("it is never empty")
    }

    /// Takes a handover: of the newest key, or one that was taken before.
    pub fn follow(&mut self, sealed: &[u8]) -> Result<Follow, OpenError> {
        match open_statement::<Handover>(sealed, &self.newest()) {
            Ok(Handover { key, .. }) => {
                let next = VerifyingKey::from_bytes(&key)
                    .map_err(|error| OpenError::Payload(error.to_string()))?;
                if self.keys.contains(&next) {
                    return Ok(Follow::Known);
                }
                if self.keys.len() >= RECEIPT_KEYS_MAX {
                    return Err(OpenError::Payload("too many receipt keys".into()));
                }
                self.keys.push(next);
                Ok(Follow::Newer)
            }
            Err(error) => {
                let opens = |key| open_statement::<Handover>(sealed, key).is_ok();
                if self.keys.iter().any(opens) { Ok(Follow::Known) } else { Err(error) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Receipt, SealedHash, Verdict};

    fn key(n: u8) -> SigningKey {
        SigningKey::from_secret(&[n; 32])
    }

    fn over(old: u8, next: u8) -> Vec<u8> {
        seal_handover(&key(next).verifying_key(), Timestamp::from_ms(5), &key(old))
    }

    fn keys(pinned: u8) -> ReceiptKeys {
        ReceiptKeys::from(key(pinned).verifying_key())
    }

    #[test]
    fn each_key_leads_to_the_next_from_wherever_one_begins() {
        let chain = [over(1, 2), over(2, 3)];
        for pinned in 1..=3 {
            let mut keys = keys(pinned);
            for handover in &chain {
                drop(keys.follow(handover));
            }
            assert_eq!(keys.newest(), key(3).verifying_key(), "from {pinned}");
        }
    }

    #[test]
    fn what_was_followed_is_known_and_never_leads_back() {
        let mut keys = keys(1);
        assert_eq!(keys.follow(&over(1, 2)), Ok(Follow::Newer));
        assert_eq!(keys.follow(&over(1, 2)), Ok(Follow::Known));
        assert_eq!(keys.follow(&over(2, 1)), Ok(Follow::Known));
        // Whoever comes to hold the old key leads nobody on who has left it.
        assert_eq!(keys.follow(&over(1, 9)), Ok(Follow::Known));
        assert_eq!(keys.newest(), key(2).verifying_key());
    }

    #[test]
    fn nothing_but_a_handover_of_the_newest_key_leads_on() {
        let mut keys = keys(1);
        assert!(keys.follow(&over(9, 2)).is_err());
        let receipt = Receipt {
            terminal: "t-1".parse().unwrap(),
            first: 1,
            last: 1,
            hash: SealedHash([1; 32]),
            ledger_size: 1,
            at: Timestamp::from_ms(1),
            verdict: Verdict::Committed,
        };
        assert!(keys.follow(&receipt.seal(&key(1))).is_err());
        assert!(keys.follow(b"nothing").is_err());
        assert_eq!(keys.newest(), key(1).verifying_key());
    }

    #[test]
    fn their_number_has_a_bound() {
        let secret = |n: usize| {
            let mut secret = [0; 32];
            secret[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
            SigningKey::from_secret(&secret)
        };
        let mut keys = ReceiptKeys::from(secret(0).verifying_key());
        let lead = |n: usize| {
            seal_handover(&secret(n + 1).verifying_key(), Timestamp::from_ms(1), &secret(n))
        };
        for n in 0..RECEIPT_KEYS_MAX - 1 {
            assert_eq!(keys.follow(&lead(n)), Ok(Follow::Newer), "{n}");
        }
        assert!(keys.follow(&lead(RECEIPT_KEYS_MAX - 1)).is_err());
    }
}
