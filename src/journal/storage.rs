//! What the journal needs of a disk, and the layout of what it stores there: one ordered space of
//! keys, every value with a checksum over its key and itself.
//!
//! | key | value |
//! |---|---|
//! | `b` | number of boots |
//! | `f` ‖ first | a run of released records: last, the receipt's time |
//! | `g` | numbers whose records are lost, to be stated as a gap |
//! | `i` | layout version, terminal, key id |
//! | `r` ‖ seq | a parcel, as in a batch |
//! | `s` | newest signed time |
//! | `u` | the largest number that may have been used before the last repair |

use std::io;
use std::ops::ControlFlow;

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

pub(super) use super::positions::Span;
use super::survey::Loss;
use crate::domain::{TerminalId, Timestamp};
use crate::record::{BatchError, Gap, KeyId, OpenError, Parcel};

/// What looks at the pairs of a scan.
pub type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'v;

/// An ordered map of bytes that survives a power cut.
pub trait Storage: Send + Sync {
    /// Shows all pairs with keys from `from` on, ascending, until told to stop.
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StorageError>;

    /// Makes all writes or none; on `Ok` they are on stable storage. After an `Err` nothing is
    /// known: they may be there, or not, or vanish.
    fn write_durably(&self, writes: &[Write]) -> Result<(), StorageError>;
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which key.
    pub key: Vec<u8>,
    /// Its new value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

impl Write {
    /// Size of the value.
    pub(super) fn bytes(&self) -> u64 {
        self.value.as_ref().map_or(0, |value| value.len() as u64)
    }
}

/// Why the storage could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no store where one should be.
    #[error("there is none")]
    Missing,
    /// There is a store where a new one should be made.
    #[error("there is one already")]
    Exists,
    /// Somebody else has it open.
    #[error("another process uses it")]
    Busy,
    /// What was once written stands no more.
    #[error("it is damaged: {0}")]
    Lost(Loss),
    /// A whole write that this version cannot read.
    #[error("write {write} is not in the layout of this version")]
    Unknown {
        /// Which one, counted over the journal's whole life.
        write: u64,
    },
    /// The operating system reports an error.
    #[error("the operating system refused")]
    Io(#[source] io::Error),
}

/// Why a stored value cannot be what was once written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not fit its checksum.
    #[error("it does not fit its checksum")]
    Checksum,
    /// It fits its checksum, but is not the layout of this version.
    #[error("it is not in the layout of this version ({0})")]
    Layout(String),
    /// The parcel in it does not decode.
    #[error("it holds no parcel: {0}")]
    Parcel(BatchError),
    /// The record in the parcel does not open.
    #[error("its record does not open: {0}")]
    Record(OpenError),
    /// The record is another one than its key says, or not chained to the one before it.
    #[error("it does not continue the chain of the records before it")]
    Chain,
    /// A record is missing between two others.
    #[error("it is missing")]
    Missing,
}

const CHECKSUM_BYTES: usize = 8;
const LAYOUT_VERSION: u8 = 1;

/// The keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Boots,
    Freed(u64),
    Gap,
    Identity,
    Record(u64),
    Signed,
    Used,
}

impl Key {
    pub(super) fn encode(self) -> Vec<u8> {
        let (letter, number) = match self {
            Key::Boots => (b'b', None),
            Key::Freed(first) => (b'f', Some(first)),
            Key::Gap => (b'g', None),
            Key::Identity => (b'i', None),
            Key::Record(seq) => (b'r', Some(seq)),
            Key::Signed => (b's', None),
            Key::Used => (b'u', None),
        };
        // Big-endian, so that the order of the bytes is the order of the numbers.
        let number = number.map(u64::to_be_bytes);
        [letter].into_iter().chain(number.into_iter().flatten()).collect()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (letter, number) = bytes.split_first()?;
        if number.is_empty() {
            return match letter {
                b'b' => Some(Key::Boots),
                b'g' => Some(Key::Gap),
                b'i' => Some(Key::Identity),
                b's' => Some(Key::Signed),
                b'u' => Some(Key::Used),
                _ => None,
            };
        }
        let number = u64::from_be_bytes(number.try_into().ok()?);
        match letter {
            b'f' => Some(Key::Freed(number)),
            b'r' => Some(Key::Record(number)),
            _ => None,
        }
    }
}

/// Whether a value is small, and repeated where the log begins anew: all but the records.
pub(super) fn is_carried(key: &[u8]) -> bool {
    key.first() != Some(&b'r')
}

/// Whose journal it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) terminal: TerminalId,
    /// Seals its records.
    pub(super) key: KeyId,
    /// The keys that sealed its records before, the oldest first.
    pub(super) former: Vec<KeyId>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct StoredIdentity {
    #[n(0)]
    version: u8,
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    key: [u8; 8],
    /// Left out where the key was never changed.
    #[n(3)]
    former: Option<Vec<StoredKey>>,
}

#[derive(Encode, Decode)]
#[cbor(transparent)]
struct StoredKey(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    [u8; 8],
);

#[derive(Encode, Decode)]
#[cbor(array)]
struct StoredSpan {
    #[n(0)]
    last: u64,
    #[n(1)]
    at: Timestamp,
}

fn checksum(key: &[u8], payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new().chain_update(key).chain_update(payload).finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}

fn guard(key: Key, payload: &[u8]) -> Write {
    let key = key.encode();
    let value = [&checksum(&key, payload)[..], payload].concat();
    Write { key, value: Some(value) }
}

fn unguard(key: Key, value: &[u8]) -> Result<&[u8], Damage> {
    let (sum, payload) = value.split_at_checked(CHECKSUM_BYTES).ok_or(Damage::Checksum)?;
    if sum == checksum(&key.encode(), payload) { Ok(payload) } else { Err(Damage::Checksum) }
}

fn put<T: Encode<()>>(key: Key, value: &T) -> Write {
    guard(key, &minicbor::to_vec(value).expect("writing to a vector cannot fail"))
}

fn get<'b, T: Decode<'b, ()>>(key: Key, value: &'b [u8]) -> Result<T, Damage> {
    minicbor::decode(unguard(key, value)?).map_err(|error| Damage::Layout(error.to_string()))
}

pub(super) fn remove(key: Key) -> Write {
    Write { key: key.encode(), value: None }
}

pub(super) fn put_boots(boots: u64) -> Write {
    put(Key::Boots, &boots)
}

pub(super) fn get_boots(value: &[u8]) -> Result<u64, Damage> {
    get(Key::Boots, value)
}

pub(super) fn put_signed(at: Timestamp) -> Write {
    put(Key::Signed, &at)
}

pub(super) fn get_signed(value: &[u8]) -> Result<Timestamp, Damage> {
    get(Key::Signed, value)
}

pub(super) fn put_span(span: Span) -> Write {
    put(Key::Freed(span.first), &StoredSpan { last: span.last, at: span.at })
}

pub(super) fn get_span(first: u64, value: &[u8]) -> Result<Span, Damage> {
    let stored: StoredSpan = get(Key::Freed(first), value)?;
    Ok(Span { first, last: stored.last, at: stored.at })
}

pub(super) fn put_gap(gap: Gap) -> Write {
    put(Key::Gap, &gap)
}

pub(super) fn get_gap(value: &[u8]) -> Result<Gap, Damage> {
    get(Key::Gap, value)
}

pub(super) fn put_used(seq: u64) -> Write {
    put(Key::Used, &seq)
}

pub(super) fn get_used(value: &[u8]) -> Result<u64, Damage> {
    get(Key::Used, value)
}

pub(super) fn put_identity(identity: &Identity) -> Write {
    let Identity { terminal, key, former } = identity.clone();
    let former: Vec<_> = former.into_iter().map(|key| StoredKey(key.0)).collect();
    let former = (!former.is_empty()).then_some(former);
    put(Key::Identity, &StoredIdentity { version: LAYOUT_VERSION, terminal, key: key.0, former })
}

pub(super) fn get_identity(value: &[u8]) -> Result<Identity, Damage> {
    let stored: StoredIdentity = get(Key::Identity, value)?;
    if stored.version != LAYOUT_VERSION {
        return Err(Damage::Layout(format!("version {}", stored.version)));
    }
    let former = stored.former.unwrap_or_default().into_iter().map(|key| KeyId(key.0)).collect();
    Ok(Identity { terminal: stored.terminal, key: KeyId(stored.key), former })
}

pub(super) fn put_parcel(seq: u64, parcel: &Parcel) -> Write {
    guard(Key::Record(seq), &parcel.encode())
}

pub(super) fn get_parcel(seq: u64, value: &[u8]) -> Result<Parcel, Damage> {
    Parcel::decode(unguard(Key::Record(seq), value)?).map_err(Damage::Parcel)
}
