//! Bytes that only the holder of a key can read or make: XChaCha20-Poly1305. What stands beside them
//! readable (`beside`) is authenticated with them.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// Bytes of a nonce; random ones never repeat.
pub const NONCE_BYTES: usize = 24;

/// Bytes that encryption adds.
pub const TAG_BYTES: usize = 16;

/// Encrypts. A nonce must never serve twice under one key.
pub fn seal(key: &[u8; 32], nonce: &[u8; NONCE_BYTES], beside: &[u8], plain: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad: beside })
        .expect("the cipher takes up to 256 GB, and what we encrypt is bounded far below")
}

/// Decrypts; `None` for the wrong key or a changed byte: the cipher cannot tell which.
pub fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    beside: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: beside })
        .ok()
}
