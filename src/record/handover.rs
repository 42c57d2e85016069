//! The centre's keys of one kind, in the order in which they followed each other: receipt keys, of which a
//! terminal pins one and is led on by the word of each (docs/spec/transport.md, "Another receipt
//! key"), and log keys (docs/runbook/centre-keys.md).

use minicbor::{Decode, Encode};

use super::cose::peek_kid;
use super::cose::{OpenError, Typ};
use super::statement::{Stated, open_statement, peek_statement, seal_statement};
use super::{SigningKey, VerifyingKey};
use crate::domain::Timestamp;

/// Most keys of one centre: one a month for twenty years.
pub const CENTRE_KEYS_MAX: usize = 256;

/// The centre's word that another key follows the one that this is sealed with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handover {
    /// The key that this is sealed with.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub from: [u8; 32],
    /// The key that follows.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub to: [u8; 32],
    /// When the centre said so.
    #[n(3)]
    pub at: Timestamp,
}

impl Stated for Handover {
    const TYP: Typ = Typ::Handover;
}

/// The old key says which one follows.
pub fn seal_handover(next: &VerifyingKey, at: Timestamp, old: &SigningKey) -> Vec<u8> {
    let from = old.verifying_key().to_bytes();
    seal_statement(&Handover { from, to: next.to_bytes(), at }, old)
}

/// What a handover means to somebody who knows some of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It led on: the key of before opens nothing more.
    Newer,
    /// It was followed before.
    Known,
}

/// The keys that were followed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentreKeys {
    /// Never empty, the newest last.
    keys: Vec<VerifyingKey>,
    /// The place of the newest key that [`CentreKeys::open_next`] has met.
    met: usize,
}

impl From<VerifyingKey> for CentreKeys {
    fn from(pinned: VerifyingKey) -> Self {
        Self { keys: vec![pinned], met: 0 }
    }
}

impl CentreKeys {
    /// The keys that led to `own`, and the handovers that prove it. What leads beyond it was begun and not
    /// finished, and what does not lead to it belongs to a key that was lost: neither counts.
    pub fn leading_to(own: VerifyingKey, handovers: &[Vec<u8>]) -> (Self, Vec<Vec<u8>>) {
        let (mut keys, mut proofs) = (vec![own], Vec::new());
        for sealed in handovers.iter().rev() {
            let from = peek_statement::<Handover>(sealed).ok();
            let from = from.and_then(|over| VerifyingKey::from_bytes(&over.from).ok());
            let Some(from) = from.filter(|from| !keys.contains(from)) else { continue };
            let proven = open_statement::<Handover>(sealed, &from);
            if proven.is_ok_and(|over| over.to == keys[0].to_bytes()) {
                keys.insert(0, from);
                proofs.insert(0, sealed.clone());
            }
        }
        (Self { keys, met: 0 }, proofs)
    }

    /// All of them, the newest last.
    pub fn all(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// Opens the next of a row of statements: once a newer key has sealed one, the keys before it seal none.
    pub fn open_next<T: Stated>(&mut self, sealed: &[u8]) -> Result<T, OpenError> {
        let kid = peek_kid(sealed)?;
        let place = self.keys.iter().position(|key| key.id() == kid);
        let place = place.filter(|place| *place >= self.met);
        // Another key than any of them opens nothing, and the error names it.
        let opened = open_statement(sealed, &self.keys[place.unwrap_or(self.keys.len() - 1)])?;
        self.met = place.unwrap_or(self.met);
        Ok(opened)
    }

    /// The key that opens the centre's answers now.
    pub fn newest(&self) -> VerifyingKey {
        *self.keys.last().expect("it is never empty")
    }

    /// Takes a handover: of the newest key, or one that was taken before.
    pub fn follow(&mut self, sealed: &[u8]) -> Result<Follow, OpenError> {
        match open_statement::<Handover>(sealed, &self.newest()) {
            Ok(Handover { from, to, .. }) => {
                if from != self.newest().to_bytes() {
                    return Err(OpenError::Payload("it speaks of another key".into()));
                }
                let next = VerifyingKey::from_bytes(&to)
                    .map_err(|error| OpenError::Payload(error.to_string()))?;
                if self.keys.contains(&next) {
                    return Ok(Follow::Known);
                }
                if self.keys.len() >= CENTRE_KEYS_MAX {
                    return Err(OpenError::Payload("too many keys".into()));
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

    fn keys(pinned: u8) -> CentreKeys {
        CentreKeys::from(key(pinned).verifying_key())
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
    fn a_key_knows_those_that_led_to_it_and_no_others() {
        let public = |n: u8| key(n).verifying_key();
        // 3 follows 2 follows 1; 4 was begun and never came into force; 9 leads nowhere.
        let chain = [over(9, 8), over(1, 2), over(1, 2), over(2, 3), over(3, 4)];
        let (keys, proofs) = CentreKeys::leading_to(public(3), &chain);
        assert_eq!(keys.all(), [public(1), public(2), public(3)]);
        assert_eq!(proofs, [over(1, 2), over(2, 3)]);
        // Somebody else's word about a key that he does not hold.
        let forged = Handover {
            from: public(1).to_bytes(),
            to: public(2).to_bytes(),
            at: Timestamp::from_ms(5),
        };
        let forged = [seal_statement(&forged, &key(9))];
        assert_eq!(CentreKeys::leading_to(public(2), &forged).0.all(), [public(2)]);
    }

    #[test]
    fn a_key_seals_nothing_more_once_a_newer_one_has() {
        let chain = [over(1, 2), over(2, 3)];
        let (mut keys, _) = CentreKeys::leading_to(key(3).verifying_key(), &chain);
        let word = |by: u8| seal_handover(&key(7).verifying_key(), Timestamp::from_ms(1), &key(by));
        let mut opens = |by| keys.open_next::<Handover>(&word(by)).is_ok();
        assert_eq!([1, 1, 3, 3].map(&mut opens), [true; 4]);
        assert_eq!([1, 2, 9, 3].map(&mut opens), [false, false, false, true]);
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
        let mut keys = CentreKeys::from(secret(0).verifying_key());
        let lead = |n: usize| {
            seal_handover(&secret(n + 1).verifying_key(), Timestamp::from_ms(1), &secret(n))
        };
        for n in 0..CENTRE_KEYS_MAX - 1 {
            assert_eq!(keys.follow(&lead(n)), Ok(Follow::Newer), "{n}");
        }
        assert!(keys.follow(&lead(CENTRE_KEYS_MAX - 1)).is_err());
    }
}
