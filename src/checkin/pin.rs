//! The second factor of those who come without a face: a PIN, and how often it may be wrong.
//!
//! A PIN of a few digits is guessed quickly by whoever may try without end. Here nobody may: after
//! [`WRONG_MAX`] wrong ones in a row a person's PIN is locked for a while, and every wrong one is a
//! record. Verifiers lie encrypted on the terminal; they are salted, and could be guessed by whoever
//! has the terminal's key as well.

use std::collections::HashMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::domain::PersonId;

/// Wrong PINs in a row before it is locked.
pub const WRONG_MAX: u8 = 5;

/// How long it is locked, in milliseconds.
pub const LOCKED_MS: u64 = 300_000;

/// Digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// Whether a text can be a PIN at all: digits alone, and not all the same or in a row.
pub fn may_be_pin(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().collect();
    let steps: Vec<i16> =
        digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    let plain = steps.windows(2).all(|pair| pair[0] == pair[1])
        && steps.first().is_some_and(|step| step.abs() <= 1);
    PIN_DIGITS.contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && !plain
}

/// What a PIN is checked against.
#[derive(Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct Verifier {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    salt: [u8; 16],
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    hash: [u8; 32],
}

impl Verifier {
    /// Of this person's PIN; the salt is fresh and random.
    pub fn new(person: &PersonId, pin: &str, salt: [u8; 16]) -> Self {
        Self { salt, hash: Self::hash(person, pin, &salt) }
    }

    fn hash(person: &PersonId, pin: &str, salt: &[u8; 16]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"rollcall-pin-v1");
        hash.update(salt);
        hash.update(person.0);
        hash.update(pin.as_bytes());
        hash.finalize().into()
    }

    fn accepts(&self, person: &PersonId, pin: &str) -> bool {
        let wanted = Self::hash(person, pin, &self.salt);
        // All bytes are compared, so that the time tells nothing.
        wanted.iter().zip(self.hash).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(<hidden>)")
    }
}

/// What a PIN was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// Hers.
    Right,
    /// Not hers.
    Wrong,
    /// Not looked at: too many were wrong before.
    Locked,
}

/// Counts wrong PINs. Forgets at a restart: whoever can restart the terminal at will has it in hand.
#[derive(Debug, Default)]
pub struct Pins {
    /// Wrong in a row, and until when it is locked. Only people who have a PIN stand here.
    wrong: HashMap<PersonId, (u8, u64)>,
}

impl Pins {
    /// Checks a PIN of `person`; `at_ms` is monotonic time.
    pub fn check(&mut self, person: &PersonId, verifier: &Verifier, pin: &str, at_ms: u64) -> Pin {
        let (wrong, locked_ms) = self.wrong.get(person).copied().unwrap_or_default();
        if at_ms < locked_ms {
            return Pin::Locked;
        }
        if verifier.accepts(person, pin) {
            self.wrong.remove(person);
            return Pin::Right;
        }
        let wrong = wrong + 1;
        let counted = match wrong < WRONG_MAX {
            true => (wrong, 0),
            false => (0, at_ms.saturating_add(LOCKED_MS)),
        };
        self.wrong.insert(*person, counted);
        Pin::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LI: PersonId = PersonId([1; 16]);
    const WANG: PersonId = PersonId([2; 16]);

    #[test]
    fn right_pin_is_right_and_of_nobody_else() {
        let hers = Verifier::new(&LI, "2580", [7; 16]);
        let mut pins = Pins::default();
        assert_eq!(pins.check(&LI, &hers, "2580", 0), Pin::Right);
        assert_eq!(pins.check(&LI, &hers, "2581", 0), Pin::Wrong);
        assert_eq!(pins.check(&LI, &hers, "", 0), Pin::Wrong);
        assert_eq!(pins.check(&WANG, &hers, "2580", 0), Pin::Wrong);
        assert_ne!(hers, Verifier::new(&LI, "2580", [8; 16]), "salted");
    }

    #[test]
    fn five_wrong_ones_in_a_row_lock_this_person_and_nobody_else_for_a_while() {
        let (hers, his) =
            (Verifier::new(&LI, "2580", [7; 16]), Verifier::new(&WANG, "9173", [9; 16]));
        let mut pins = Pins::default();
        for _ in 1..WRONG_MAX {
            assert_eq!(pins.check(&LI, &hers, "0000", 10), Pin::Wrong);
        }
        assert_eq!(pins.check(&LI, &hers, "2580", 10), Pin::Right, "and the count begins anew");
        for _ in 0..WRONG_MAX {
            assert_eq!(pins.check(&LI, &hers, "0000", 20), Pin::Wrong);
        }
        assert_eq!(pins.check(&LI, &hers, "2580", 20), Pin::Locked);
        assert_eq!(pins.check(&WANG, &his, "9173", 20), Pin::Right);
        assert_eq!(pins.check(&LI, &hers, "2580", 20 + LOCKED_MS), Pin::Right);
    }

    #[test]
    fn what_everybody_tries_first_is_no_pin() {
        for poor in ["", "123", "1234", "9876", "0000", "123456789", "12a4", "１２３５", "5678"]
        {
            assert!(!may_be_pin(poor), "{poor}");
        }
        for fine in ["2580", "90817263", "1232"] {
            assert!(may_be_pin(fine), "{fine}");
        }
    }
}
