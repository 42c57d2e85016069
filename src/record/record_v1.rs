//! Record, version 1: what it says, how it is sealed, how it is opened.

use std::fmt;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::cose::{self, OpenError, Typ};
use super::{Commitment, KeyId, SigningKey, VerifyingKey};
use crate::domain::{
    ClockEvidence, Event, LessonId, Notice, NoticeKind, Outcome, SameFace, Score, Scores,
    TerminalId, Way,
};

/// SHA-256 over the complete sealed bytes: links the chain, names a record in receipts, and is
/// what the ledger's tree hashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SealedHash(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub [u8; 32],
);

impl SealedHash {
    /// What stands as previous hash in the first record of a terminal.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of complete sealed bytes.
    pub fn of(sealed: &[u8]) -> Self {
        Self(Sha256::digest(sealed).into())
    }
}

impl fmt::Display for SealedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for SealedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedHash({})", HEXLOWER.encode(&self.0[..4]))
    }
}

/// A confident match to somebody other than the person claimed, by commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Other {
    /// Whom the face belongs to.
    #[n(1)]
    pub person: Commitment,
    /// How similar.
    #[n(2)]
    pub score: Score,
}

/// Sequence numbers that will never come (docs/spec/record-v1.md, "Gap").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Gap {
    /// First missing number.
    #[n(1)]
    pub first: u64,
    /// Last missing number; the gap record itself carries the next one.
    #[n(2)]
    pub last: u64,
}

/// One statement of one terminal. The numbers are the keys of the CBOR map, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Who states it.
    #[n(1)]
    pub terminal: TerminalId,
    /// Counts the terminal's records from 1 without a hole.
    #[n(2)]
    pub seq: u64,
    /// Hash of the record before it; [`SealedHash::GENESIS`] for the first.
    #[n(3)]
    pub prev: SealedHash,
    /// What happened.
    #[n(4)]
    pub event: Event,
    /// The terminal's answer; absent in a gap statement.
    #[n(5)]
    pub outcome: Option<Outcome>,
    /// The lesson, by the terminal's timetable.
    #[n(6)]
    pub lesson: Option<LessonId>,
    /// The person claimed or found.
    #[n(7)]
    pub person: Option<Commitment>,
    /// How she was identified.
    #[n(8)]
    pub way: Option<Way>,
    /// The numbers behind the answer.
    #[n(9)]
    pub scores: Option<Scores>,
    /// With a contradicted claim: whom the face belongs to.
    #[n(10)]
    pub other: Option<Other>,
    /// The same face under another name, earlier.
    #[n(11)]
    pub same_face: Option<SameFace>,
    /// What bounds the time of making.
    #[n(12)]
    pub clock: ClockEvidence,
    /// SHA-256 of the model pack's manifest entry, so that scores can be read; absent where no
    /// model took part.
    #[n(13)]
    #[cbor(with = "minicbor::bytes")]
    pub pack: Option<[u8; 32]>,
    /// Policy profile and version in force at the terminal.
    #[n(14)]
    pub policy: String,
    /// Version of the terminal's program.
    #[n(15)]
    pub firmware: String,
    /// In a gap statement: what is missing.
    #[n(16)]
    pub gap: Option<Gap>,
    /// In a notice: what the terminal states.
    #[n(17)]
    pub notice: Option<Notice>,
    /// With [`Way::Staff`]: which member of the staff confirmed her.
    #[n(18)]
    pub staff: Option<Commitment>,
}

/// A record in the only form that counts: its signed bytes, with the hash at hand.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
    hash: SealedHash,
}

impl Sealed {
    /// Seals a record with the terminal's key.
    pub fn seal(record: &Record, key: &SigningKey) -> Self {
        let payload = minicbor::to_vec(record).expect("writing to a vector cannot fail");
        Self::from_stored(cose::seal(Typ::Record, &payload, key))
    }

    /// Wraps bytes that come from our own storage, without looking into them.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        let hash = SealedHash::of(&bytes);
        Self { bytes, hash }
    }

    /// The complete sealed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their hash.
    pub fn hash(&self) -> SealedHash {
        self.hash
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes, {:?})", self.bytes.len(), self.hash)
    }
}

impl Record {
    /// Opens sealed bytes: envelope, kind, key, signature, payload; all or nothing. Whether the
    /// fields fit each other is another question: [`Self::consistent`].
    pub fn open(sealed: &[u8], key: &VerifyingKey) -> Result<Self, OpenError> {
        let envelope = cose::parse(sealed)?;
        envelope.verify(Typ::Record, key)?;
        decode_strictly(envelope.payload)
    }

    /// Reads what sealed bytes *claim*, with no signature checked. Only for finding the key, and
    /// for keeping refused bytes as evidence.
    pub fn peek(sealed: &[u8]) -> Result<(Self, KeyId), OpenError> {
        let envelope = cose::parse(sealed)?;
        if envelope.typ != Typ::Record.as_str() {
            return Err(OpenError::Type { wanted: Typ::Record.as_str() });
        }
        Ok((decode_strictly(envelope.payload)?, envelope.kid))
    }

    /// Whether the fields fit each other (docs/spec/record-v1.md, "Consistency"); else what does
    /// not. A terminal's fault that makes such a record must not block all after it, so the centre
    /// asks this last: refused, the record still keeps its place in the chain.
    pub fn consistent(&self) -> Result<(), &'static str> {
        if self.seq == 0 {
            return Err("sequence numbers start at 1");
        }
        if (self.event == Event::Notice) != self.notice.is_some() {
            return Err("a notice, and nothing else, has a notice");
        }
        if (self.way == Some(Way::Staff)) != self.staff.is_some() {
            return Err("who is confirmed by the staff is so by somebody, and nobody else is");
        }
        if self.staff.is_some() && self.other.is_some() {
            return Err("who is confirmed by the staff has no other's face");
        }
        match (self.event, self.gap, self.outcome) {
            (
                Event::CheckIn | Event::CheckOut | Event::Attempt | Event::Presence,
                None,
                Some(_),
            ) => Ok(()),
            (Event::CheckIn | Event::CheckOut | Event::Attempt | Event::Presence, _, _) => {
                Err("an event with a person has an outcome and no gap")
            }
            (Event::Gap, Some(gap), None) => {
                if self.tells_of_somebody() {
                    return Err("a gap statement tells of nobody");
                }
                if gap.first >= 1 && gap.first <= gap.last && gap.last == self.seq - 1 {
                    Ok(())
                } else {
                    Err("a gap ends just before its statement's own number")
                }
            }
            (Event::Gap, _, _) => Err("a gap statement has a gap and no outcome"),
            (Event::Notice, None, None) => {
                let kind = self.notice.map(|notice| notice.kind);
                let says = |whether: fn(NoticeKind) -> bool| kind.is_some_and(whether);
                let fits = says(NoticeKind::concerns_somebody) == self.person.is_some()
                    && says(NoticeKind::names_another) == self.other.is_some()
                    && says(NoticeKind::is_of_a_lesson) == self.lesson.is_some();
                let rest = Self { person: None, other: None, lesson: None, ..self.clone() };
                if !fits || rest.tells_of_somebody() {
                    return Err("a notice names whom and what it concerns, and tells nothing else");
                }
                Ok(())
            }
            (Event::Notice, _, _) => Err("a notice has no outcome and no gap"),
        }
    }

    /// What the second opening beside the record opens: the other person, or the member of the
    /// staff; never both.
    pub fn second_person(&self) -> Option<Commitment> {
        self.other.map(|other| other.person).or(self.staff)
    }

    fn tells_of_somebody(&self) -> bool {
        self.lesson.is_some()
            || self.person.is_some()
            || self.way.is_some()
            || self.scores.is_some()
            || self.other.is_some()
            || self.same_face.is_some()
            || self.staff.is_some()
    }
}

/// Decodes a payload and refuses every encoding but the one that we would write.
pub(super) fn decode_strictly<'b, T>(payload: &'b [u8]) -> Result<T, OpenError>
where
    T: Decode<'b, ()> + Encode<()>,
{
    let value: T =
        minicbor::decode(payload).map_err(|error| OpenError::Payload(error.to_string()))?;
    let again = minicbor::to_vec(&value).expect("writing to a vector cannot fail");
    if again == payload {
        Ok(value)
    } else {
        Err(OpenError::Payload("not the deterministic encoding, or fields unknown to v1".into()))
    }
}
