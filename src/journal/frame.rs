//! The bytes of the log (docs/spec/journal-v1.md): frames, each of which says by itself whether it is
//! whole, and which one it follows.
//!
//! ```text
//! "RCj1" · number (8) · length of payload (4) · link (8) · payload · SHA-256 of all before (32)
//! ```

use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};

use super::storage::Write;

/// Largest payload, in bytes: the small values that each segment repeats at its beginning, 40 bytes
/// for each of 200,000 refusals out of turn, twice.
pub(super) const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a frame has beside its payload.
pub(super) const OVERHEAD: usize = HEAD + SUM;

const MAGIC: [u8; 4] = *b"RCj1";
const HEAD: usize = 24;
const SUM: usize = 32;

/// Names the frame before: the first bytes of its sum. Zeros in frame 1.
pub(super) type Link = [u8; 8];

/// A frame that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'b> {
    pub(super) number: u64,
    /// Names the frame before it.
    pub(super) link: Link,
    /// Names this one.
    pub(super) name: Link,
    pub(super) payload: &'b [u8],
}

impl Frame<'_> {
    pub(super) fn bytes(&self) -> usize {
        OVERHEAD + self.payload.len()
    }
}

pub(super) fn encode(number: u64, link: Link, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("payloads are bounded by PAYLOAD_BYTES_MAX");
    let mut bytes = Vec::with_capacity(OVERHEAD + payload.len());
    bytes.extend(MAGIC);
    bytes.extend(number.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(link);
    bytes.extend(payload);
    let sum = Sha256::digest(&bytes);
    bytes.extend(sum);
    bytes
}

/// The name of the frame that these bytes are.
pub(super) fn name_of(frame: &[u8]) -> Link {
    let sum = frame.len().saturating_sub(SUM);
    frame.get(sum..).and_then(|sum| sum.first_chunk()).copied().unwrap_or_default()
}

/// The frame that these bytes begin with, if it is whole.
pub(super) fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (number, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (link, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > PAYLOAD_BYTES_MAX {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(length)?;
    let sum: &[u8; SUM] = rest.first_chunk()?;
    if Sha256::digest(&bytes[..HEAD + length]).as_slice() != sum {
        return None;
    }
    let number = u64::from_be_bytes(*number);
    Some(Frame { number, link: *link, name: name_of(sum), payload })
}

/// A stretch of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch<'b> {
    /// A whole frame at this place.
    Frame(usize, Frame<'b>),
    /// Bytes that are no frame: from, to.
    Unreadable(usize, usize),
}

/// All that a file holds. Behind unreadable bytes it goes on with the next frame that is whole.
pub(super) fn stretches(bytes: &[u8]) -> Vec<Stretch<'_>> {
    let (mut found, mut at, mut unreadable) = (Vec::new(), 0, None);
    while at < bytes.len() {
        match read(&bytes[at..]) {
            Some(frame) => {
                found.extend(unreadable.take().map(|from| Stretch::Unreadable(from, at)));
                found.push(Stretch::Frame(at, frame));
                at += frame.bytes();
            }
            None => {
                unreadable.get_or_insert(at);
                let next = bytes[at + 1..].windows(MAGIC.len()).position(|four| four == MAGIC);
                at = next.map_or(bytes.len(), |ahead| at + 1 + ahead);
            }
        }
    }
    found.extend(unreadable.map(|from| Stretch::Unreadable(from, at)));
    found
}

/// What a frame says: where the log begins that counts, and changes in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Payload<'b> {
    /// Number of the first frame that still counts; it begins a segment.
    pub(super) oldest: u64,
    pub(super) changes: Vec<Change<'b>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change<'b> {
    pub(super) key: &'b [u8],
    /// The new value, and where it begins in the payload; `None` removes the key.
    pub(super) value: Option<(usize, &'b [u8])>,
}

pub(super) fn encode_payload(oldest: u64, writes: &[Write]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    let done = (|| {
        encoder.array(2)?.u64(oldest)?.array(writes.len() as u64)?;
        for write in writes {
            encoder.array(2)?.bytes(&write.key)?;
            match &write.value {
                Some(value) => encoder.bytes(value)?,
                None => encoder.null()?,
            };
        }
        Ok::<_, minicbor::encode::Error<_>>(())
    })();
    done.expect("writing to a vector cannot fail");
    encoder.into_writer()
}

pub(super) fn decode_payload(bytes: &[u8]) -> Option<Payload<'_>> {
    let mut decoder = Decoder::new(bytes);
    let array = |decoder: &mut Decoder<'_>| decoder.array().ok().flatten();
    (array(&mut decoder)? == 2).then_some(())?;
    let oldest = decoder.u64().ok()?;
    let count = array(&mut decoder)?;
    let mut changes = Vec::new();
    for _ in 0..count {
        (array(&mut decoder)? == 2).then_some(())?;
        let key = decoder.bytes().ok()?;
        let value = if decoder.datatype().ok()? == minicbor::data::Type::Null {
            decoder.null().ok()?;
            None
        } else {
            let value = decoder.bytes().ok()?;
            Some((decoder.position() - value.len(), value))
        };
        changes.push(Change { key, value });
    }
    (decoder.position() == bytes.len()).then_some(Payload { oldest, changes })
}

/// Where the payload begins in a frame.
pub(super) const PAYLOAD_AT: usize = HEAD;
