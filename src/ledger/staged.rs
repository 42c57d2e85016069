//! A batch on its way into the ledger, and the stored form on its way out. Pure: sealing needs
//! only the log key and a time.

use serde::{Deserialize, Serialize};

use super::CommitError;
use super::entry::{Body, Entry};
use super::tree::TreeHash;
use crate::domain::{Activity, Fact, Refusal, TerminalId, Timestamp};
use crate::ingest::{Admitted, Evidence, Head, Refused};
use crate::record::{
    OpenError, Opening, Record, SEALED_BYTES_MAX, SealedEvidence, SealedFact, SealedHash,
    SigningKey, peek_statement, seal_statement,
};

/// What can be committed.
#[derive(Debug, Clone)]
pub enum Item {
    /// A record that passed every check.
    Record(Admitted),
    /// Bytes that did not.
    Refused(Refused),
    /// Something that the centre states.
    Fact(Fact),
}

/// What kind of statement an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A terminal's record.
    Record,
    /// The centre's statement that it refused something.
    Refused,
    /// The centre's statement of a fact.
    Fact,
}

/// A batch could not be staged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// Names in it are too long.
    #[error("a fact of {bytes} bytes; {SEALED_BYTES_MAX} are allowed")]
    TooLong {
        /// How long the sealed fact would be.
        bytes: usize,
    },
}

/// One entry on its way in.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    pub(super) kind: Kind,
    pub(super) sealed: Vec<u8>,
    pub(super) terminal: Option<TerminalId>,
    /// The place that it takes in the terminal's chain.
    pub(super) link: Option<Head>,
    pub(super) evidence: Option<Evidence>,
    pub(super) person: Option<Opening>,
    pub(super) other: Option<Opening>,
    pub(super) body: Body,
}

/// A batch: complete signed statements, ready to be stored.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Of its last entry.
    at: Timestamp,
    pub(super) rows: Vec<Row>,
}

impl Staged {
    /// Seals what the centre itself states with its log key. `at` is the centre's time; where its
    /// clock stands before `last`, the time of the ledger's last entry, that time is taken: the
    /// ledger never runs backwards.
    pub fn seal(
        items: impl IntoIterator<Item = Item>,
        at: Timestamp,
        last: Timestamp,
        log: &SigningKey,
    ) -> Result<Self, StageError> {
        let at = at.max(last);
        let rows = items.into_iter().map(|item| Row::seal(item, at, log));
        Ok(Self { at, rows: rows.collect::<Result<_, _>>()? })
    }

    /// The entries of a ledger, as they stand there, for an empty one that becomes its copy. Nothing
    /// is sealed anew: whoever restores holds every seal against its key.
    pub fn restored(stored: Vec<Stored>) -> Result<Self, OpenError> {
        let at = stored.last().map_or(Timestamp::default(), |last| last.committed_at);
        Ok(Self { at, rows: stored.into_iter().map(Row::restored).collect::<Result<_, _>>()? })
    }

    /// Puts a later batch behind this one, each with its own time, so that both are committed at once.
    pub fn append(&mut self, later: Self) {
        self.at = later.at;
        self.rows.extend(later.rows);
    }

    /// Holds the batch's times against that of the last entry before it, and each other.
    pub(super) fn follows(&self, mut last: Timestamp) -> Result<(), CommitError> {
        for at in self.rows.iter().map(|row| row.at).chain([self.at]) {
            if at < last {
                return Err(CommitError::Backwards { at, last });
            }
            last = at;
        }
        Ok(())
    }

    /// The places in chains that it takes.
    pub(super) fn places(&self) -> impl Iterator<Item = (TerminalId, u64)> {
        let places = self.rows.iter().filter_map(|row| row.terminal.clone().zip(row.link));
        places.map(|(terminal, head)| (terminal, head.seq))
    }

    /// A place that it takes twice.
    pub(super) fn twice(&self) -> Option<(TerminalId, u64)> {
        let mut places: Vec<_> = self.places().collect();
        places.sort();
        places.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
    }

    /// The time of its last entry.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// How many entries it makes.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it makes none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The entries that it becomes from `first` on.
    pub(super) fn into_entries(self, first: u64) -> Vec<Entry> {
        let numbered = (first..).zip(self.rows);
        numbered.map(|(index, row)| Entry { index, committed_at: row.at, body: row.body }).collect()
    }
}

impl Row {
    fn seal(item: Item, at: Timestamp, log: &SigningKey) -> Result<Self, StageError> {
        Ok(match item {
            Item::Record(admitted) => {
                let head = admitted.head();
                let (record, sealed, person, other) = admitted.into_parts();
                Self {
                    at,
                    kind: Kind::Record,
                    sealed: sealed.bytes().to_vec(),
                    terminal: Some(record.terminal.clone()),
                    link: Some(head),
                    evidence: None,
                    body: Body::Record {
                        record,
                        hash: sealed.hash(),
                        person: person.map(|opening| opening.person),
                        other: other.map(|opening| opening.person),
                    },
                    person,
                    other,
                }
            }
            Item::Refused(refused) => {
                let statement = SealedEvidence {
                    at,
                    terminal: refused.topic().clone(),
                    refusal: refused.refusal().clone(),
                    hash: refused.evidence().hash(),
                    bytes: refused.evidence().bytes(),
                    seq: refused.takes().map(|head| head.seq),
                };
                Self {
                    at,
                    kind: Kind::Refused,
                    sealed: seal_statement(&statement, log),
                    link: refused.takes(),
                    evidence: Some(refused.evidence().clone()),
                    person: None,
                    other: None,
                    body: Body::Refused {
                        terminal: statement.terminal.clone(),
                        refusal: statement.refusal,
                        claims: refused.claims().cloned().map(Box::new),
                        hash: statement.hash,
                    },
                    terminal: Some(statement.terminal),
                }
            }
            Item::Fact(fact) => {
                let sealed = seal_statement(&SealedFact { at, fact: fact.clone() }, log);
                if sealed.len() > SEALED_BYTES_MAX {
                    return Err(StageError::TooLong { bytes: sealed.len() });
                }
                Self {
                    at,
                    kind: Kind::Fact,
                    sealed,
                    terminal: None,
                    link: None,
                    evidence: None,
                    person: beside(&fact),
                    other: None,
                    body: Body::Fact(fact),
                }
            }
        })
    }
}

/// What opens the person of a fact: only of a session's.
fn beside(fact: &Fact) -> Option<Opening> {
    let Fact::Activity(Activity { opened, .. }) = fact else { return None };
    opened.map(|(salt, person)| Opening { salt, person })
}

/// The fact with what opens its person, if that is still there and fits.
fn opened(fact: Fact, opening: Option<Opening>) -> Fact {
    if let Fact::Activity(activity) = fact {
        let fits = opening.filter(|it| it.commitment().0 == activity.person);
        let opened = fits.map(|it| (it.salt, it.person));
        Fact::Activity(Activity { opened, ..activity })
    } else {
        fact
    }
}

/// Whether an opening may lie beside a fact: that of a session's person, and no other.
pub fn may_lie_beside(fact: &Fact, person: Option<Opening>, other: Option<Opening>) -> bool {
    let fits = |opening: Opening| matches!(fact, Fact::Activity(activity) if opening.commitment().0 == activity.person);
    other.is_none() && person.is_none_or(fits)
}

impl Row {
    /// What lies beside the sealed bytes of an entry follows from them.
    fn restored(stored: Stored) -> Result<Self, OpenError> {
        let body = stored.entry()?.body;
        let Stored { committed_at: at, kind, sealed, evidence, person, other, .. } = stored;
        let wrong = || OpenError::Payload("not the bytes that were refused".into());
        let (terminal, link, evidence) = match kind {
            Kind::Record => {
                let (record, _) = Record::peek(&sealed)?;
                let head = Head { seq: record.seq, hash: SealedHash::of(&sealed) };
                (Some(record.terminal), Some(head), None)
            }
            Kind::Refused => {
                let SealedEvidence { terminal, hash, bytes, seq, .. } = peek_statement(&sealed)?;
                let kept = evidence.ok_or_else(wrong)?;
                let evidence = Evidence::kept_of(kept, hash, bytes).ok_or_else(wrong)?;
                (Some(terminal), seq.map(|seq| Head { seq, hash }), Some(evidence))
            }
            Kind::Fact => (None, None, None),
        };
        Ok(Self { at, kind, sealed, terminal, link, evidence, person, other, body })
    }

    /// Why it was refused, and what is kept of it.
    pub(super) fn refused(&self) -> Option<(&Refusal, &Evidence)> {
        match &self.body {
            Body::Refused { refusal, .. } => Some(refusal).zip(self.evidence.as_ref()),
            Body::Record { .. } | Body::Fact(_) => None,
        }
    }
}

/// One entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub index: u64,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// What kind of statement it holds.
    pub kind: Kind,
    /// The complete sealed bytes: the leaf of the tree.
    pub sealed: Vec<u8>,
    /// The refused bytes, or their beginning.
    pub evidence: Option<Vec<u8>>,
    /// Opens the record's `person`, unless erased.
    pub person: Option<Opening>,
    /// Opens the record's `other`, unless erased.
    pub other: Option<Opening>,
}

impl Stored {
    /// Its leaf hash.
    pub fn leaf(&self) -> TreeHash {
        TreeHash::of_sealed(&self.sealed)
    }

    /// As rules and reports read it.
    pub fn entry(&self) -> Result<Entry, OpenError> {
        let body = match self.kind {
            Kind::Record => Body::Record {
                record: Box::new(Record::peek(&self.sealed)?.0),
                hash: SealedHash::of(&self.sealed),
                person: self.person.map(|opening| opening.person),
                other: self.other.map(|opening| opening.person),
            },
            Kind::Refused => {
                let statement: SealedEvidence = peek_statement(&self.sealed)?;
                self.stated_at(statement.at)?;
                let claims = self.evidence.as_deref().and_then(|b| Record::peek(b).ok());
                Body::Refused {
                    terminal: statement.terminal,
                    refusal: statement.refusal,
                    claims: claims.map(|(record, _)| Box::new(record)),
                    hash: statement.hash,
                }
            }
            Kind::Fact => {
                let statement: SealedFact = peek_statement(&self.sealed)?;
                self.stated_at(statement.at)?;
                Body::Fact(opened(statement.fact, self.person))
            }
        };
        Ok(Entry { index: self.index, committed_at: self.committed_at, body })
    }

    /// The centre's own statements carry their time under its seal: what stands beside them in the
    /// file is only believed if it says the same.
    fn stated_at(&self, at: Timestamp) -> Result<(), OpenError> {
        if at == self.committed_at {
            Ok(())
        } else {
            Err(OpenError::Payload("stated at another time than its place says".into()))
        }
    }
}
