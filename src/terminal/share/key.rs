//! The institution key: what the terminals of one institution have in common and their centre lacks. It is
//! made at one of them and carried to the others by a person, as a code of sixty letters.

use std::fmt;

use data_encoding::DecodeKind;
use sha2::{Digest, Sha256};

use crate::domain::PersonId;
use crate::platform::mac::hmac;
use crate::record::base32::BASE32;

/// Stands before a code, so that a scanner's reader knows what it has.
const PREFIX: &str = "ROLLCALL-SHARE:";

const VERSION: u8 = 1;
const SECRET_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 4;
const GROUP_CHARS: usize = 5;

/// Letters of a code, without prefix and dashes.
const CODE_LETTERS: usize = 60;

/// Longest code in characters that is read, with every dash and blank.
const CODE_CHARS_MAX: usize = 200;

/// A text is no code of an institution key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Letters that stand in no code, or too few or too many of them.
    #[error("it has not the sixty letters and digits of a code")]
    Shape,
    /// Another version.
    #[error("it is a code of version {0}, which this program does not know")]
    Version(u8),
    /// Mistyped.
    #[error("a letter of it is wrong")]
    Checksum,
}

/// The key, and what follows from it. Never printed but as a code, on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct InstitutionKey {
    secret: [u8; SECRET_BYTES],
    cipher: [u8; 32],
    slots: [u8; 32],
    mark: [u8; 8],
}

impl InstitutionKey {
    /// From 32 random bytes. Each use has a key of its own, which tells nothing of the others.
    pub fn from_secret(secret: [u8; SECRET_BYTES]) -> Self {
        let derived = |purpose: &str| hmac(&secret, &[purpose.as_bytes()]);
        let mut mark = [0; 8];
        mark.copy_from_slice(&derived("rollcall-share-v1 mark")[..8]);
        let (cipher, slots) =
            (derived("rollcall-share-v1 cipher"), derived("rollcall-share-v1 slot"));
        Self { secret, cipher, slots, mark }
    }

    /// Encrypts contents.
    pub(super) fn cipher(&self) -> &[u8; 32] {
        &self.cipher
    }

    /// Names the key; tells nothing of it.
    pub fn mark(&self) -> [u8; 8] {
        self.mark
    }

    /// What the centre knows a person by.
    pub fn slot(&self, person: &PersonId) -> [u8; 16] {
        let mut slot = [0; 16];
        slot.copy_from_slice(&hmac(&self.slots, &[&person.0])[..16]);
        slot
    }

    /// The secret, for its file.
    pub fn secret(&self) -> [u8; SECRET_BYTES] {
        self.secret
    }

    /// How a person carries it: version, key and checksum in base32, in groups of five.
    pub fn code(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.secret);
        bytes.extend(checksum(&bytes));
        let letters: Vec<_> = BASE32.encode(&bytes).chars().collect();
        let groups: Vec<String> =
            letters.chunks(GROUP_CHARS).map(|it| it.iter().collect()).collect();
        PREFIX.to_owned() + &groups.join("-")
    }

    /// Reads what [`Self::code`] gave, as it was typed or scanned.
    pub fn from_code(text: &str) -> Result<Self, CodeError> {
        if text.len() > CODE_CHARS_MAX {
            return Err(CodeError::Shape);
        }
        let text = text.trim();
        let letters: String = text
            .strip_prefix(PREFIX)
            .unwrap_or(text)
            .chars()
            .filter(|c| *c != '-' && !c.is_whitespace())
            .collect();
        let mut bytes = BASE32.decode(letters.as_bytes()).map_err(|error| match error.kind {
            // So many letters, and the last one is none that a code can end with.
            DecodeKind::Trailing if letters.len() == CODE_LETTERS => CodeError::Checksum,
            DecodeKind::Trailing
            | DecodeKind::Length
            | DecodeKind::Symbol
            | DecodeKind::Padding => CodeError::Shape,
        })?;
        if bytes.len() != 1 + SECRET_BYTES + CHECKSUM_BYTES {
            return Err(CodeError::Shape);
        }
        let found = bytes.split_off(1 + SECRET_BYTES);
        if found != checksum(&bytes) {
            return Err(CodeError::Checksum);
        }
        if bytes[0] != VERSION {
            return Err(CodeError::Version(bytes[0]));
        }
        let secret = bytes[1..].try_into().map_err(|_| CodeError::Shape)?;
        Ok(Self::from_secret(secret))
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash =
        Sha256::new().chain_update(b"rollcall-share-code-v1\0").chain_update(bytes).finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&hash[..CHECKSUM_BYTES]);
    sum
}

impl fmt::Debug for InstitutionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstitutionKey(<hidden>)")
    }
}
