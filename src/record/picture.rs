//! An evidence picture as it lies on a disk: encrypted by the terminal to the regulator's reading key
//! (docs/spec/picture-v1.md). What it belongs to and until when it is kept is readable by everybody, and
//! bound to what is not.
//!
//! ```text
//! [ mark, cover, encapsulated key, ciphertext ]
//!           │                        └ map: the cover's fields once more, and the picture
//!           └ terminal, number and hash of the record, taken, expires, for whose key
//! ```
//!
//! No type here holds a picture: bytes go in, and bytes come out for whoever has the key. That a
//! terminal made them says the notice with their digest in its chain; HPKE says nothing about who
//! encrypted.

use minicbor::bytes::{ByteSlice, ByteVec};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::reading_key::{ENCAPSULATED_BYTES, Encrypted, ReadingKey, ReadingPublic};
use super::record_v1::decode_strictly;
use super::{SealedHash, Unreadable};
use crate::domain::{TerminalId, Timestamp};

/// Longest picture, in bytes: a good JPEG of 1,280 pixels has a third of it.
pub const PICTURE_BYTES_MAX: usize = 1024 * 1024;

/// Longest sealed picture: cover, tag and heads beside it.
pub const SEALED_PICTURE_BYTES_MAX: usize = PICTURE_BYTES_MAX + 1024;

/// Begins a sealed picture, and is the purpose that it is encrypted for.
const MARK: &str = "rollcall-evidence-picture-v1";

/// What everybody may read of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Cover {
    /// Whose camera took it.
    #[n(0)]
    pub terminal: TerminalId,
    /// Number of the record that it belongs to.
    #[n(1)]
    pub seq: u64,
    /// Hash of that record.
    #[n(2)]
    pub record: SealedHash,
    /// When it was taken, by the terminal's clock.
    #[n(3)]
    pub taken: Timestamp,
    /// When it is to be deleted; `None` where no time was proven: then its days begin with the first that
    /// is.
    #[n(4)]
    pub expires: Option<Timestamp>,
    /// The public half of the key that reads it.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub reader: [u8; 32],
}

/// A picture could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealPictureError {
    /// It is too large.
    #[error("the picture has more than {PICTURE_BYTES_MAX} bytes")]
    TooLong,
    /// Nobody could read it.
    #[error("the regulator's key is not usable")]
    Key,
}

/// Bytes are no sealed picture, or cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// No sealed picture.
    #[error("it is no evidence picture: {0}")]
    Shape(String),
    /// For somebody else.
    #[error("it is encrypted to {found}, and this key is {held}")]
    OtherKey {
        /// To whose key.
        found: ReadingPublic,
        /// Which one was given.
        held: ReadingPublic,
    },
    /// The cipher does not open.
    #[error("it was changed since it was encrypted")]
    Unreadable,
    /// What is inside contradicts the cover.
    #[error("what is inside belongs to another record than the cover says")]
    Inside,
}

/// A sealed picture: its bytes, whose shape and cover were read.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedPicture {
    bytes: Vec<u8>,
    cover: Cover,
}

#[derive(Encode, Decode)]
struct Wire<'b> {
    #[b(0)]
    mark: &'b str,
    #[n(1)]
    cover: Cover,
    #[b(2)]
    encapsulated: &'b ByteSlice,
    #[b(3)]
    ciphertext: &'b ByteSlice,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Inside {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    seq: u64,
    #[n(3)]
    record: SealedHash,
    #[n(4)]
    taken: Timestamp,
    #[n(5)]
    expires: Option<Timestamp>,
    #[n(6)]
    picture: ByteVec,
}

impl SealedPicture {
    /// Encrypts a picture to the key that its cover names. `chance`: 32 fresh random bytes.
    pub fn seal(cover: Cover, picture: &[u8], chance: [u8; 32]) -> Result<Self, SealPictureError> {
        if picture.len() > PICTURE_BYTES_MAX {
            return Err(SealPictureError::TooLong);
        }
        let inside = Inside {
            terminal: cover.terminal.clone(),
            seq: cover.seq,
            record: cover.record,
            taken: cover.taken,
            expires: cover.expires,
            picture: picture.to_vec().into(),
        };
        let text = minicbor::to_vec(inside).expect("writing to a vector cannot fail");
        let encrypted = ReadingPublic(cover.reader)
            .encrypt(&text, MARK.as_bytes(), &cover.beside(), chance)
            .map_err(|Unreadable| SealPictureError::Key)?;
        let wire = Wire {
            mark: MARK,
            cover: cover.clone(),
            encapsulated: encrypted.encapsulated[..].into(),
            ciphertext: encrypted.ciphertext[..].into(),
        };
        let bytes = minicbor::to_vec(wire).expect("writing to a vector cannot fail");
        Ok(Self { bytes, cover })
    }

    /// Reads the cover of sealed bytes. Nothing says yet that it is true.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, PictureError> {
        if bytes.len() > SEALED_PICTURE_BYTES_MAX {
            let why = format!("it has more than {SEALED_PICTURE_BYTES_MAX} bytes");
            return Err(PictureError::Shape(why));
        }
        let Wire { mark, cover, encapsulated, .. } =
            decode_strictly(&bytes).map_err(|error| PictureError::Shape(error.to_string()))?;
        if mark != MARK {
            return Err(PictureError::Shape("another format, or a later version".into()));
        }
        if encapsulated.len() != ENCAPSULATED_BYTES {
            return Err(PictureError::Shape("an encapsulated key of another length".into()));
        }
        Ok(Self { bytes, cover })
    }

    /// The complete sealed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What everybody may read.
    pub fn cover(&self) -> &Cover {
        &self.cover
    }

    /// SHA-256 of the sealed bytes: what notices and facts call it by.
    pub fn digest(&self) -> [u8; 32] {
        digest_of_picture(&self.bytes)
    }

    /// Whether a key is the one that reads it.
    pub fn is_for(&self, key: &ReadingKey) -> Result<(), PictureError> {
        let (found, held) = (ReadingPublic(self.cover.reader), key.public());
        if found == held { Ok(()) } else { Err(PictureError::OtherKey { found, held }) }
    }

    /// The picture's bytes. Whoever opens one states that first (docs/spec/picture-v1.md, "Opening").
    pub fn open(&self, key: &ReadingKey) -> Result<Vec<u8>, PictureError> {
        self.is_for(key)?;
        let wire: Wire<'_> =
            decode_strictly(&self.bytes).map_err(|error| PictureError::Shape(error.to_string()))?;
        let encapsulated =
            (**wire.encapsulated).try_into().map_err(|_| PictureError::Unreadable)?;
        let encrypted = Encrypted { encapsulated, ciphertext: wire.ciphertext.to_vec() };
        let text = key
            .decrypt(&encrypted, MARK.as_bytes(), &self.cover.beside())
            .map_err(|Unreadable| PictureError::Unreadable)?;
        let inside: Inside =
            decode_strictly(&text).map_err(|error| PictureError::Shape(error.to_string()))?;
        let Inside { terminal, seq, record, taken, expires, picture } = inside;
        let reader = self.cover.reader;
        if (Cover { terminal, seq, record, taken, expires, reader }) != self.cover {
            return Err(PictureError::Inside);
        }
        Ok(picture.into())
    }
}

/// What notices and facts call the sealed bytes of a picture by.
pub fn digest_of_picture(sealed: &[u8]) -> [u8; 32] {
    Sha256::digest(sealed).into()
}

impl Cover {
    /// What the cipher binds: these fields, as they stand in the sealed bytes.
    fn beside(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a vector cannot fail")
    }
}

impl std::fmt::Debug for SealedPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedPicture({} bytes, {:?})", self.bytes.len(), self.cover)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &ReadingKey) -> SealedPicture {
        let cover = Cover {
            terminal: "t-1".parse().unwrap(),
            seq: 10,
            record: SealedHash([7; 32]),
            taken: Timestamp::from_ms(1_000),
            expires: Some(Timestamp::from_ms(2_000)),
            reader: key.public().0,
        };
        SealedPicture::seal(cover, b"a picture", [9; 32]).unwrap()
    }

    #[test]
    fn only_the_key_that_it_is_for_opens_it() {
        let [own, other] = [1, 2].map(|n| ReadingKey::from_secret(&[n; 32]));
        let sealed = sealed(&own);
        assert!(!sealed.bytes().windows(9).any(|part| part == b"a picture"));
        assert_eq!(sealed.open(&own).unwrap(), b"a picture");
        let (found, held) = (own.public(), other.public());
        assert_eq!(sealed.open(&other), Err(PictureError::OtherKey { found, held }));
    }

    /// Also those of the cover: a later expiry, another record.
    #[test]
    fn no_bit_of_it_can_be_changed() {
        let key = ReadingKey::from_secret(&[1; 32]);
        let sealed = sealed(&key);
        for bit in 0..sealed.bytes().len() * 8 {
            let mut flipped = sealed.bytes().to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let opened = SealedPicture::parse(flipped).and_then(|flipped| flipped.open(&key));
            assert!(opened.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn what_is_too_long_is_not_sealed_and_not_read() {
        let cover = sealed(&ReadingKey::from_secret(&[1; 32])).cover().clone();
        let long = vec![0; PICTURE_BYTES_MAX + 1];
        let refused = SealedPicture::seal(cover.clone(), &long, [9; 32]);
        assert_eq!(refused, Err(SealPictureError::TooLong));
        let longest = SealedPicture::seal(cover, &long[1..], [9; 32]).unwrap();
        assert!(longest.bytes().len() <= SEALED_PICTURE_BYTES_MAX);
        assert!(SealedPicture::parse(vec![0; SEALED_PICTURE_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn a_key_of_small_order_would_let_anybody_read() {
        let cover = sealed(&ReadingKey::from_secret(&[1; 32])).cover().clone();
        let refused = SealedPicture::seal(Cover { reader: [0; 32], ..cover }, b"", [9; 32]);
        assert_eq!(refused, Err(SealPictureError::Key));
    }
}
