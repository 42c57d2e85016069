//! A name with a public key, as the signers of notes are known (C2SP signed-note, "Verifier keys"):
//! `name+hash+base64`, where the hash is the key's short id in eight hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::record::{KeyError, VerifyingKey, base64};

/// Longest name of a key.
pub const NAME_BYTES_MAX: usize = 255;

/// Longest vkey: the name, two plus signs, eight digits, 33 bytes in base64.
const VKEY_BYTES_MAX: usize = NAME_BYTES_MAX + 2 + 8 + 44;

/// A text is no vkey, or cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VkeyError {
    /// Not three parts.
    #[error("a note's key is written name+hash+base64")]
    Shape,
    /// A name that would break a line apart.
    #[error(
        "a key's name has 1 to {NAME_BYTES_MAX} bytes without spaces, control characters and `+`"
    )]
    Name,
    /// A type of key that we do not know.
    #[error("a note's key of type {kind:#04x}; 0x01 is a log's and 0x04 a witness's")]
    Kind {
        /// The type's byte.
        kind: u8,
    },
    /// The hash is that of another name or key.
    #[error("the hash in the note's key is not that of its name and key")]
    Hash,
    /// The key is no key.
    #[error("could not use the key of {name}")]
    Key {
        /// Whose.
        name: String,
        /// Why not.
        #[source]
        cause: KeyError,
    },
}

/// What a key signs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Plain Ed25519 over the text: type 0x01.
    Log,
    /// Ed25519 over a time and the text, `cosignature/v1`: type 0x04.
    Witness,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A name with a public key and what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

/// Whether a text can stand as a name in a signature line.
pub(super) fn is_name(text: &str) -> bool {
    let fine = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(fine)
}

impl Vkey {
    /// From its parts.
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<Self, VkeyError> {
        if is_name(name) {
            Ok(Self { name: name.to_owned(), kind, key })
        } else {
            Err(VkeyError::Name)
        }
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key itself.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// SHA-256(name ‖ 0x0A ‖ type ‖ key), the first four bytes: finds a key, proves nothing.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.to_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl FromStr for Vkey {
    type Err = VkeyError;

    fn from_str(text: &str) -> Result<Self, VkeyError> {
        if text.len() > VKEY_BYTES_MAX {
            return Err(VkeyError::Shape);
        }
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(VkeyError::Shape);
        };
        let bytes = base64::decode(base64).ok_or(VkeyError::Shape)?;
        let (&kind, key) = bytes.split_first().ok_or(VkeyError::Shape)?;
        let kind = match kind {
            0x01 => KeyKind::Log,
            0x04 => KeyKind::Witness,
            kind => return Err(VkeyError::Kind { kind }),
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| VkeyError::Shape)?;
        let key = VerifyingKey::from_bytes(key)
            .map_err(|cause| VkeyError::Key { name: name.to_owned(), cause })?;
        let vkey = Self::new(name, kind, key)?;
        if hash == HEXLOWER.encode(&vkey.id()) { Ok(vkey) } else { Err(VkeyError::Hash) }
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()][..], &self.key.to_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}
