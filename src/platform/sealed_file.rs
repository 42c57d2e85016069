//! A file that only the holder of its key can read or make: XChaCha20-Poly1305.
//!
//! ```text
//! head (names kind and version) · nonce (24 bytes) · ciphertext and tag
//! ```
//! The head is authenticated with the rest. Writing is atomic and durable; a changed byte, a cut, or
//! the wrong key is told as such and never gives half of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::aead::{self, NONCE_BYTES};
use super::chance::random_bytes;
use super::durable::{self, Access, WriteError};

/// Why a sealed file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// Not there, or not readable.
    Io(io::Error),
    /// It begins otherwise, or is larger than such a file can be.
    Format,
    /// Wrong key, or a changed byte: the cipher cannot tell which.
    Sealed,
}

/// Replaces the file. A crash leaves the old one or the new one.
pub fn store(path: &Path, head: &[u8], plain: &[u8], key: &[u8; 32]) -> Result<(), WriteError> {
    let nonce = random_bytes::<NONCE_BYTES>();
    let sealed = aead::seal(key, &nonce, head, plain);
    durable::write(path, &[head, &nonce, &sealed].concat(), Access::Owner)
}

/// Reads the file: which of the `heads` it begins with, and what it holds.
pub fn load<'h>(
    path: &Path,
    heads: &[&'h [u8]],
    key: &[u8; 32],
    bytes_max: u64,
) -> Result<(&'h [u8], Vec<u8>), Unreadable> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Unreadable::Io)?;
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > bytes_max) {
        return Err(Unreadable::Format);
    }
    let known = heads.iter().find_map(|head| Some((*head, bytes.strip_prefix(*head)?)));
    let (head, rest) = known.ok_or(Unreadable::Format)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable::Format)?;
    let plain = aead::open(key, nonce, head, sealed).ok_or(Unreadable::Sealed)?;
    Ok((head, plain))
}
