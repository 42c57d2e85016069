//! What travels from a terminal to the centre: sealed records with their openings beside them
//! (docs/spec/transport.md, "Batch").

use minicbor::{Decode, Encode};

use super::{Opening, SEALED_BYTES_MAX, Sealed};

/// Most parcels in one message.
pub const BATCH_PARCELS_MAX: usize = 64;

/// Largest message: the parcels at their bound, each with two openings (2 × 56 bytes) and a
/// frame, rounded up.
pub const BATCH_BYTES_MAX: usize = 80 * 1024;

/// One sealed record with what opens its commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The signed bytes.
    pub sealed: Sealed,
    /// Opens the record's `person`.
    pub person: Option<Opening>,
    /// Opens the record's `other` or `staff`.
    pub other: Option<Opening>,
}

/// The parcels of one message, in sequence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch(pub Vec<Parcel>);

/// Why a message is no batch. The whole message is kept as evidence then, within bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Larger than [`BATCH_BYTES_MAX`].
    #[error("a message of {bytes} bytes; {BATCH_BYTES_MAX} are allowed")]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// None, or more than [`BATCH_PARCELS_MAX`].
    #[error("{parcels} records in one message; 1 to {BATCH_PARCELS_MAX} are allowed")]
    Count {
        /// How many; one more than the bound stands for all that were not counted.
        parcels: usize,
    },
    /// One record is larger than a record may be.
    #[error("a record of {bytes} bytes; {SEALED_BYTES_MAX} are allowed")]
    Record {
        /// Its size.
        bytes: usize,
    },
    /// Not the CBOR of the specification.
    #[error("no batch: {0}")]
    Shape(String),
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct WireParcel<'b> {
    #[b(0)]
    #[cbor(with = "minicbor::bytes")]
    sealed: &'b [u8],
    #[n(1)]
    person: Option<Opening>,
    #[n(2)]
    other: Option<Opening>,
}

impl Parcel {
    /// As bytes, for the journal: the same form as in a batch.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self.wire()).expect("writing to a vector cannot fail")
    }

    /// From the journal's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let wire: WireParcel<'_> = decode_whole(bytes)?;
        Self::from_wire(&wire)
    }

    fn wire(&self) -> WireParcel<'_> {
        WireParcel { sealed: self.sealed.bytes(), person: self.person, other: self.other }
    }

    fn from_wire(wire: &WireParcel<'_>) -> Result<Self, BatchError> {
        if wire.sealed.len() > SEALED_BYTES_MAX {
            return Err(BatchError::Record { bytes: wire.sealed.len() });
        }
        Ok(Self {
            sealed: Sealed::from_stored(wire.sealed.to_vec()),
            person: wire.person,
            other: wire.other,
        })
    }
}

impl Batch {
    /// As bytes for one message.
    pub fn encode(&self) -> Vec<u8> {
        let parcels: Vec<_> = self.0.iter().map(Parcel::wire).collect();
        minicbor::to_vec(parcels).expect("writing to a vector cannot fail")
    }

    /// From the bytes of one message. Bounds are checked before anything is kept.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() > BATCH_BYTES_MAX {
            return Err(BatchError::TooLong { bytes: bytes.len() });
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let shape = |error: minicbor::decode::Error| BatchError::Shape(error.to_string());
        // One more than may be there, and no further: a message of parcels of nothing has thousands.
        let wires = decoder.array_iter().map_err(shape)?.take(BATCH_PARCELS_MAX + 1);
        let wires: Vec<WireParcel<'_>> = wires.collect::<Result<_, _>>().map_err(shape)?;
        if !(1..=BATCH_PARCELS_MAX).contains(&wires.len()) {
            return Err(BatchError::Count { parcels: wires.len() });
        }
        let parcels = wires.iter().map(Parcel::from_wire).collect::<Result<_, _>>()?;
        ended(&decoder, bytes)?;
        Ok(Self(parcels))
    }
}

fn decode_whole<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, BatchError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|error| BatchError::Shape(error.to_string()))?;
    ended(&decoder, bytes)?;
    Ok(value)
}

fn ended(decoder: &minicbor::Decoder<'_>, bytes: &[u8]) -> Result<(), BatchError> {
    if decoder.position() == bytes.len() {
        Ok(())
    } else {
        Err(BatchError::Shape("bytes follow its end".into()))
    }
}
