//! What only one terminal shall read is encrypted to its reading key: HPKE, base mode (RFC 9180), with
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305. It says nothing about who encrypted:
//! that a centre did, the signature inside says (`dispatch.rs`).

use std::convert::Infallible;
use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};

use super::base64;

/// How many bytes the encapsulated key has, which stands before what is encrypted.
pub(super) const ENCAPSULATED_BYTES: usize = 32;

/// How many bytes encryption adds to a text, without the encapsulated key.
pub(super) const TAG_BYTES: usize = 16;

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Nothing can be encrypted to a key, or bytes cannot be read with one: another key, or a changed byte;
/// the cipher cannot tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the key, or the bytes were changed")]
pub struct Unreadable;

/// The private half. Never printed, never leaves its terminal.
pub struct ReadingKey(Private);

/// The public half: an X25519 key (RFC 7748).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReadingPublic(pub [u8; 32]);

/// A text that is encrypted to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// From which the reader makes the key.
    pub encapsulated: [u8; ENCAPSULATED_BYTES],
    /// The text and its tag.
    pub ciphertext: Vec<u8>,
}

impl ReadingKey {
    /// From 32 random bytes, for storing which its owner has a file of its own.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(Private::from_bytes(secret).expect("each 32 bytes are an X25519 key"))
    }

    /// The public half.
    pub fn public(&self) -> ReadingPublic {
        ReadingPublic(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }

    /// Reads what was encrypted to this key for the same purpose (`info`) beside the same bytes (`aad`).
    pub fn decrypt(
        &self,
        encrypted: &Encrypted,
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, Unreadable> {
        let key = Encapsulated::from_bytes(&encrypted.encapsulated).map_err(|_| Unreadable)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &key,
            info,
            &encrypted.ciphertext,
            aad,
        )
        .map_err(|_| Unreadable)
    }
}

impl fmt::Debug for ReadingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadingKey(<hidden>)")
    }
}

impl ReadingPublic {
    /// Encrypts a text to this key. `chance`: 32 fresh random bytes (`ikmE` of RFC 9180). An error
    /// means that the key is none that anybody could read with.
    pub fn encrypt(
        &self,
        text: &[u8],
        info: &[u8],
        aad: &[u8],
        chance: [u8; 32],
    ) -> Result<Encrypted, Unreadable> {
        let public = Public::from_bytes(&self.0).map_err(|_| Unreadable)?;
        let sealed = hpke::single_shot_seal_with_rng::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &public, info, text, aad, &mut Given(chance));
        let (encapsulated, ciphertext) = sealed.map_err(|_| Unreadable)?;
        Ok(Encrypted { encapsulated: encapsulated.to_bytes().into(), ciphertext })
    }
}

impl std::str::FromStr for ReadingPublic {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let bytes = text.strip_prefix("x25519:").and_then(base64::decode);
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(Unreadable)
    }
}

impl fmt::Display for ReadingPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x25519:{}", BASE64.encode(&self.0))
    }
}

impl fmt::Debug for ReadingPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReadingPublic({}…)", HEXLOWER.encode(&self.0[..4]))
    }
}

/// Chance that was handed in: one draw of 32 bytes is all that a seal takes.
struct Given([u8; 32]);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for (byte, given) in into.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *given;
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    fn array(hex: &str) -> [u8; 32] {
        bytes(hex).try_into().unwrap()
    }

    /// RFC 9180, appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode,
    /// sequence number 0.
    #[test]
    fn the_vectors_of_rfc_9180_come_out() {
        let reader = ReadingKey::from_secret(&array(
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        ));
        let public = array("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
        assert_eq!(reader.public(), ReadingPublic(public));
        let (info, aad) = (bytes("4f6465206f6e2061204772656369616e2055726e"), b"Count-0");
        let text = b"Beauty is truth, truth beauty";
        let chance = array("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
        let encrypted = reader.public().encrypt(text, &info, aad, chance).unwrap();
        let encapsulated = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
        assert_eq!(encrypted.encapsulated, array(encapsulated));
        let ciphertext = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db\
                          21993c62ce81883d2dd1b51a28";
        assert_eq!(encrypted.ciphertext, bytes(ciphertext));
        assert_eq!(reader.decrypt(&encrypted, &info, aad).unwrap(), text);
    }

    #[test]
    fn another_key_purpose_neighbour_or_byte_reads_nothing() {
        let [own, other] = [1, 2].map(|n| ReadingKey::from_secret(&[n; 32]));
        let encrypted = own.public().encrypt(b"text", b"for", b"beside", [7; 32]);
        let encrypted = encrypted.unwrap();
        assert_eq!(own.decrypt(&encrypted, b"for", b"beside").unwrap(), b"text");
        assert!(other.decrypt(&encrypted, b"for", b"beside").is_err());
        assert!(own.decrypt(&encrypted, b"For", b"beside").is_err());
        assert!(own.decrypt(&encrypted, b"for", b"Beside").is_err());
        let mut changed = encrypted.clone();
        changed.ciphertext[0] ^= 1;
        assert!(own.decrypt(&changed, b"for", b"beside").is_err());
        // A point of small order would let anybody read.
        assert!(ReadingPublic([0; 32]).encrypt(b"text", b"", b"", [7; 32]).is_err());
    }

    #[test]
    fn the_public_half_goes_as_text_and_back() {
        let public = ReadingKey::from_secret(&[9; 32]).public();
        assert_eq!(public.to_string().parse(), Ok(public));
        assert!("x25519:AAAA".parse::<ReadingPublic>().is_err());
        assert!("ed25519:AAAA".parse::<ReadingPublic>().is_err());
    }
}
