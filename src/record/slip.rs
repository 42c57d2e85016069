//! What a trainee takes home at once: the terminal's word that it has stored a record. It fits a QR
//! code, and says nothing of the person: docs/spec/proof-v1.md, "Slip".

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};

use super::cose::{OpenError, Typ};
use super::statement::{Stated, open_statement, peek_statement, seal_statement};
use super::{SealedHash, SigningKey, VerifyingKey};
use crate::domain::TerminalId;

/// What a slip's text begins with. Capitals and digits alone make the smaller QR codes.
const START: &str = "ROLLCALL-SLIP:";

/// Longest slip, in characters.
pub const SLIP_CHARS_MAX: usize = 400;

/// That a terminal has stored a record. Not yet confirmed: the centre may still refuse it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Slip {
    /// Which terminal.
    #[n(1)]
    pub terminal: TerminalId,
    /// The record's sequence number.
    #[n(2)]
    pub seq: u64,
    /// The hash of its sealed bytes: its entry in the public log, once it is there.
    #[n(3)]
    pub hash: SealedHash,
}

impl Stated for Slip {
    const TYP: Typ = Typ::Slip;
}

/// A slip's text, whose signature is not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipText(Vec<u8>);

/// A text is no slip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlipError {
    /// Too long, or not the letters of one.
    #[error("a slip is {START} and letters, at most {SLIP_CHARS_MAX} in all")]
    Text,
    /// The letters hold no slip.
    #[error("the slip cannot be read")]
    Content(#[from] OpenError),
}

impl Slip {
    /// Seals it with the terminal's key.
    pub fn seal(&self, key: &SigningKey) -> SlipText {
        SlipText(seal_statement(self, key))
    }
}

impl SlipText {
    /// What it says, with no signature checked.
    pub fn peek(&self) -> Result<Slip, SlipError> {
        Ok(peek_statement(&self.0)?)
    }

    /// What it says, sealed with the terminal's `key`.
    pub fn open(&self, key: &VerifyingKey) -> Result<Slip, SlipError> {
        Ok(open_statement(&self.0, key)?)
    }
}

impl FromStr for SlipText {
    type Err = SlipError;

    fn from_str(text: &str) -> Result<Self, SlipError> {
        let text = text.trim();
        if text.len() > SLIP_CHARS_MAX {
            return Err(SlipError::Text);
        }
        let letters = text.strip_prefix(START).ok_or(SlipError::Text)?;
        let bytes = BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| SlipError::Text)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for SlipText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}", BASE32_NOPAD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(terminal: &str) -> Slip {
        Slip { terminal: terminal.parse().unwrap(), seq: u64::MAX >> 1, hash: SealedHash([7; 32]) }
    }

    #[test]
    fn the_longest_slip_fits_its_bound_and_reads_back() {
        let key = SigningKey::from_secret(&[1; 32]);
        let text = slip(&"x".repeat(40)).seal(&key).to_string();
        assert!(text.len() <= SLIP_CHARS_MAX, "{} characters", text.len());
        let read: SlipText = text.parse().unwrap();
        assert_eq!(read.open(&key.verifying_key()), Ok(slip(&"x".repeat(40))));
        let other = SigningKey::from_secret(&[2; 32]).verifying_key();
        assert!(read.open(&other).is_err());
    }

    #[test]
    fn one_changed_letter_is_no_slip_of_this_terminal() {
        let key = SigningKey::from_secret(&[1; 32]);
        let text = slip("t-1").seal(&key).to_string();
        for at in 0..text.len() {
            let mut letters = text.clone().into_bytes();
            letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(letters).unwrap();
            let opened =
                touched.parse::<SlipText>().and_then(|text| text.open(&key.verifying_key()));
            assert!(opened.is_err(), "letter {at}");
        }
        for wrong in ["", "ROLLCALL-SLIP:", "ROLLCALL-SLIP:0", "slip", &"A".repeat(401)] {
            let opened = wrong.parse::<SlipText>().and_then(|text| text.peek());
            assert!(opened.is_err(), "{wrong}");
        }
    }
}
