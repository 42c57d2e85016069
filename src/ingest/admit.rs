//! The judgement on one offered record: [`admit`]. The order of the checks is the order of
//! `domain::Refusal`, from the outside in, so that each reason assumes that those before it held.

use crate::domain::{Event, Refusal, TerminalId};
use crate::record::{
    Commitment, Gap, KeyId, OpenError, Opening, Parcel, Record, Sealed, SealedHash, VerifyingKey,
};

/// Largest sequence number: what fits a signed 64-bit column. A terminal that makes one record a
/// millisecond reaches it in 292 million years.
pub const SEQ_MAX: u64 = i64::MAX as u64;

/// How much of refused bytes is kept. A sealed record always fits; of longer garbage the
/// beginning tells an investigator what it was, and hash and length fix the rest.
pub const EVIDENCE_BYTES_MAX: usize = 4096;

/// Longest text that says what a decoder stumbled over: it stands in a sealed statement.
const DETAIL_CHARS_MAX: usize = 120;

/// The last link of a terminal's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its sequence number; 0 before the first record.
    pub seq: u64,
    /// The hash that the next record must name.
    pub hash: SealedHash,
}

impl Head {
    /// Before the first record.
    pub const START: Self = Self { seq: 0, hash: SealedHash::GENESIS };
}

/// A place in a terminal's chain that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The sealed bytes that took it.
    pub hash: SealedHash,
    /// The code of the refusal, where they took it as a refused record.
    pub refused: Option<String>,
}

/// What the centre knows that bears on one offer.
#[derive(Debug, Clone)]
pub struct Known {
    /// The registered key of the terminal whose topic it came on.
    pub key: Option<VerifyingKey>,
    /// A newer key of the topic's terminal has sealed a record before: this one seals nothing new.
    pub retired: bool,
    /// The registered key of the terminal that the record names, where that is another one.
    pub named_key: Option<VerifyingKey>,
    /// The end of the topic's terminal's chain.
    pub head: Head,
    /// The topic's terminal is revoked: nothing of it is admitted any more.
    pub revoked: bool,
    /// What has taken the place that the record claims.
    pub here: Option<Link>,
    /// The hash at the place that it must follow: the one before it, or before the gap that it
    /// states.
    pub before: Option<SealedHash>,
    /// Whether it follows a record that was refused for good: one beside the chain, as its
    /// predecessor, never in it.
    pub astray: bool,
}

/// A parcel under the name that it came under, taken apart but not believed.
#[derive(Debug, Clone)]
pub struct Offer {
    topic: TerminalId,
    parcel: Parcel,
    claims: Result<(Box<Record>, KeyId), OpenError>,
}

impl Offer {
    /// Takes apart what came on the topic of `topic`.
    pub fn read(topic: TerminalId, parcel: Parcel) -> Self {
        let claims =
            Record::peek(parcel.sealed.bytes()).map(|(record, kid)| (Box::new(record), kid));
        Self { topic, parcel, claims }
    }

    /// Whose topic it came on.
    pub fn topic(&self) -> &TerminalId {
        &self.topic
    }

    /// Hash of the sealed bytes.
    pub fn hash(&self) -> SealedHash {
        self.parcel.sealed.hash()
    }

    /// What the bytes claim to say; nothing in it is proven.
    pub fn claims(&self) -> Option<&Record> {
        self.claims.as_ref().ok().map(|(record, _)| record.as_ref())
    }

    /// The name of the key that they claim to be sealed with.
    pub fn key(&self) -> Option<KeyId> {
        self.claims.as_ref().ok().map(|(_, kid)| *kid)
    }

    /// The place in the chain that they claim; 0 where they cannot be read.
    pub fn seq(&self) -> u64 {
        self.claims().map_or(0, |record| record.seq)
    }

    /// The first number that they claim to account for: their own, or the first of the gap that they
    /// state. The number before it is the record that they follow.
    pub(super) fn begins(&self) -> u64 {
        self.claims().map_or(0, |record| bridged(record).map_or(record.seq, |gap| gap.first))
    }
}

/// A record that passed every check. Only [`admit`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    record: Box<Record>,
    sealed: Sealed,
    person: Option<Opening>,
    other: Option<Opening>,
}

impl Admitted {
    /// What the terminal states.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The signed bytes.
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Opens the record's `person`.
    pub fn person(&self) -> Option<Opening> {
        self.person
    }

    /// Opens the record's `other`.
    pub fn other(&self) -> Option<Opening> {
        self.other
    }

    /// The chain's new end.
    pub fn head(&self) -> Head {
        Head { seq: self.record.seq, hash: self.sealed.hash() }
    }

    /// Its parts, for storing.
    pub fn into_parts(self) -> (Box<Record>, Sealed, Option<Opening>, Option<Opening>) {
        (self.record, self.sealed, self.person, self.other)
    }
}

/// Bytes kept as evidence: whole, or the beginning of something long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    kept: Vec<u8>,
    hash: SealedHash,
    bytes: u64,
}

impl Evidence {
    /// Keeps at most [`EVIDENCE_BYTES_MAX`] of `bytes`, and the hash of all of them.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            kept: bytes[..bytes.len().min(EVIDENCE_BYTES_MAX)].to_vec(),
            hash: SealedHash::of(bytes),
            bytes: bytes.len() as u64,
        }
    }

    /// Evidence that was kept before; `None` when these are not the bytes that it says.
    pub fn kept_of(kept: Vec<u8>, hash: SealedHash, bytes: u64) -> Option<Self> {
        let whole = kept.len() as u64 == bytes;
        let fits = match whole {
            true => SealedHash::of(&kept) == hash,
            false => kept.len() == EVIDENCE_BYTES_MAX && bytes > kept.len() as u64,
        };
        fits.then_some(Self { kept, hash, bytes })
    }

    /// What is kept of them.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// Hash of all of them.
    pub fn hash(&self) -> SealedHash {
        self.hash
    }

    /// How many they were.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Bytes that were refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    topic: TerminalId,
    refusal: Refusal,
    evidence: Evidence,
    claims: Option<Box<Record>>,
    takes_place: bool,
}

impl Refused {
    /// A message that is not even a batch.
    pub(super) fn message(topic: TerminalId, evidence: Evidence, detail: &str) -> Self {
        Self { topic, refusal: malformed(detail), evidence, claims: None, takes_place: false }
    }

    fn record(offer: Offer, refusal: Refusal, takes_place: bool) -> Self {
        Self {
            topic: offer.topic,
            refusal,
            evidence: Evidence::of(offer.parcel.sealed.bytes()),
            claims: offer.claims.ok().map(|(record, _)| record),
            takes_place,
        }
    }

    /// Whose topic they came on.
    pub fn topic(&self) -> &TerminalId {
        &self.topic
    }

    /// Why.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// The bytes.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What they claim to say; nothing in it is proven.
    pub fn claims(&self) -> Option<&Record> {
        self.claims.as_deref()
    }

    /// The place in the topic's terminal's chain that they take all the same.
    pub fn takes(&self) -> Option<Head> {
        let record = self.claims.as_ref().filter(|_| self.takes_place)?;
        Some(Head { seq: record.seq, hash: self.evidence.hash })
    }

    /// The place that they claim; 0 where they cannot be read.
    pub fn seq(&self) -> u64 {
        self.claims.as_ref().map_or(0, |record| record.seq)
    }
}

/// A record that was answered before: the very same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Whose.
    pub terminal: TerminalId,
    /// Its place.
    pub seq: u64,
    /// Hash of its bytes.
    pub hash: SealedHash,
    /// The code of the refusal, where the first answer was a refusal.
    pub refused: Option<String>,
}

/// What becomes of an offer.
#[derive(Debug, Clone)]
pub enum Ruling {
    /// It is the next of its chain and everything holds.
    Admitted(Admitted),
    /// These very bytes are committed already. Innocent: MQTT redelivers (DESIGN, decision 10).
    Duplicate(Duplicate),
    /// Correctly signed, but something before it is missing. To be judged again later.
    Parked(Offer),
    /// Refused.
    Refused(Refused),
}

/// Judges an offer. Pure: the same offer and the same knowledge give the same ruling.
pub fn admit(offer: Offer, known: &Known) -> Ruling {
    match check(&offer, known) {
        Ok(Passed::Next(record)) => {
            let Parcel { sealed, person, other } = offer.parcel;
            Ruling::Admitted(Admitted { record, sealed, person, other })
        }
        Ok(Passed::Again(refused)) => Ruling::Duplicate(Duplicate {
            seq: offer.seq(),
            hash: offer.hash(),
            terminal: offer.topic,
            refused,
        }),
        Ok(Passed::Ahead) => Ruling::Parked(offer),
        Ok(Passed::ButRefused(refusal)) => Ruling::Refused(Refused::record(offer, refusal, true)),
        Err(refusal) => Ruling::Refused(Refused::record(offer, refusal, false)),
    }
}

enum Passed {
    Next(Box<Record>),
    Again(Option<String>),
    Ahead,
    /// The terminal's true next record, but it cannot be admitted as it came. It keeps its place,
    /// because the terminal's next record continues it: else one fault would block all after it.
    ButRefused(Refusal),
}

fn check(offer: &Offer, known: &Known) -> Result<Passed, Refusal> {
    let sealed = &offer.parcel.sealed;
    let (claims, _) = offer.claims.as_ref().map_err(|error| malformed(&error.to_string()))?;
    if !(1..=SEQ_MAX).contains(&claims.seq) {
        return Err(malformed("a sequence number out of range"));
    }
    let key = known.key.as_ref().ok_or(Refusal::UnknownTerminal)?;
    if claims.terminal != offer.topic {
        // Whether this is a genuine record under a wrong name, only its own key can tell.
        let named_key = known.named_key.as_ref().ok_or(Refusal::UnknownTerminal)?;
        open(sealed, named_key, false)?;
        return Err(Refusal::ForeignTerminal { named: claims.terminal.clone() });
    }
    if let Some(link) = known.here.as_ref().filter(|link| link.hash == sealed.hash()) {
        return Ok(Passed::Again(link.refused.clone()));
    }
    let record = open(sealed, key, known.before == Some(claims.prev))?;
    if known.revoked {
        return Err(Refusal::Revoked);
    }
    if record.seq <= known.head.seq {
        return Err(Refusal::Forked);
    }
    // Whoever kept a copy of an old key has no say in what comes now.
    if known.retired {
        return Err(Refusal::ForeignKey);
    }
    // What follows a refused record can never be committed, whatever else may come: waiting for it
    // would block all that its terminal makes.
    if known.astray {
        return Err(Refusal::BrokenChain);
    }
    if !continues(&record, known.head) {
        return Ok(Passed::Ahead);
    }
    let follows = known.before == Some(record.prev);
    if !follows && record.prev != known.head.hash {
        return Err(Refusal::BrokenChain);
    }
    if let Err(contradiction) = record.consistent() {
        return Ok(Passed::ButRefused(malformed(contradiction)));
    }
    if !follows {
        let contradiction = "a gap that does not follow the record before it";
        return Ok(Passed::ButRefused(malformed(contradiction)));
    }
    let opens = opens(record.person, offer.parcel.person)
        && opens(record.second_person(), offer.parcel.other);
    Ok(if opens { Passed::Next(Box::new(record)) } else { Passed::ButRefused(Refusal::BadOpening) })
}

/// Whether a record's number is the next after `head`: directly, or because the record itself
/// states that all between will never come. A terminal that has lost its disk cannot know which of
/// the lost numbers had arrived, so a gap may cover committed ones too; they stay what they are.
pub(super) fn continues(record: &Record, head: Head) -> bool {
    let next = head.seq.saturating_add(1);
    let bridges = bridged(record).is_some_and(|gap| gap.first <= next && next <= record.seq);
    record.seq == next || bridges
}

/// The gap that a record states, if it is a gap statement of the right form.
fn bridged(record: &Record) -> Option<Gap> {
    let ends = |gap: &Gap| gap.first <= gap.last && gap.last.checked_add(1) == Some(record.seq);
    record.gap.filter(|gap| record.event == Event::Gap && gap.first >= 1 && ends(gap))
}

/// Whether what follows a record that was refused so can never be in the chain. Other refusals may
/// be undone: a terminal is registered later, a key is announced later.
pub(super) fn leads_astray(code: &str) -> bool {
    code == Refusal::Forked.code() || code == Refusal::BrokenChain.code()
}

fn open(sealed: &Sealed, key: &VerifyingKey, fits_chain: bool) -> Result<Record, Refusal> {
    Record::open(sealed.bytes(), key).map_err(|error| match error {
        OpenError::Key { .. } => Refusal::ForeignKey,
        OpenError::Signature => Refusal::BadSignature { fits_chain },
        OpenError::TooLong { .. }
        | OpenError::Envelope(_)
        | OpenError::Type { .. }
        | OpenError::Payload(_) => malformed(&error.to_string()),
    })
}

fn opens(commitment: Option<Commitment>, opening: Option<Opening>) -> bool {
    commitment == opening.map(|opening| opening.commitment())
}

fn malformed(detail: &str) -> Refusal {
    Refusal::Malformed { detail: detail.chars().take(DETAIL_CHARS_MAX).collect() }
}
