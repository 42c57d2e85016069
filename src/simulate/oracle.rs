//! Who sees everything: holds each state of the world against what the specification promises. It
//! shares no code with those that it watches, but the formats.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use crate::domain::{Event, Refusal, TerminalId};
use crate::ledger::tree::Frontier;
use crate::ledger::{Body, Ledger, Memory, Stored};
use crate::record::{
    Gap, Receipt, Record, SealedEvidence, SealedHash, Verdict, VerifyingKey, peek_statement,
};

/// What must always hold, or at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// What was shown green stands in the journal after every crash and power cut.
    GreenMeansDurable,
    /// A record that the journal has released was in the ledger at that time, committed or refused.
    FreedMeansReceived,
    /// A released record is kept for the days and bytes of the bounds.
    FreedIsNotForgotten,
    /// The journal takes nothing beyond its bound, and drops nothing that is not released.
    FullMeansRed,
    /// What a repaired journal has lost lies in the gap that it states.
    LossesAreStated,
    /// A terminal never sends two records with one number.
    NumbersAreUsedOnce,
    /// Each chain in the ledger is one, without a hole that no gap statement bridges.
    OneOrder,
    /// What is committed is never refused when it comes again.
    DuplicatesAreInnocent,
    /// No genuine record of a terminal whose key and disk were left alone is refused.
    HonestAreNotAccused,
    /// Entries are never lost or changed, but by a restored backup.
    LedgerNeverShrinks,
    /// Whatever a receipt says stands in the ledger when it leaves the centre.
    ReceiptsAfterCommit,
    /// In fair weather every record that stands gets its answer.
    EveryoneIsAnswered,
    /// In fair weather a restored ledger gets back what terminals keep.
    TheLedgerHeals,
    /// Once all is answered, nobody offers anything again.
    ItComesToRest,
}

impl Invariant {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Invariant::GreenMeansDurable => "green means durable",
            Invariant::FreedMeansReceived => "freed means received",
            Invariant::FreedIsNotForgotten => "freed is not forgotten",
            Invariant::FullMeansRed => "full means red",
            Invariant::LossesAreStated => "losses are stated",
            Invariant::NumbersAreUsedOnce => "numbers are used once",
            Invariant::OneOrder => "one order",
            Invariant::DuplicatesAreInnocent => "duplicates are innocent",
            Invariant::HonestAreNotAccused => "the honest are not accused",
            Invariant::LedgerNeverShrinks => "the ledger never shrinks",
            Invariant::ReceiptsAfterCommit => "receipts come after the commit",
            Invariant::EveryoneIsAnswered => "everyone is answered",
            Invariant::TheLedgerHeals => "the ledger heals",
            Invariant::ItComesToRest => "it comes to rest",
        }
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.as_str(), self.what)
    }
}

/// `Ok` if it holds.
pub(super) fn must(
    holds: bool,
    invariant: Invariant,
    what: impl FnOnce() -> String,
) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { invariant, what: what() }) }
}

/// What the ledger holds now, and what everybody has ever done.
#[derive(Default)]
pub(super) struct Oracle {
    frontier: Frontier,
    chains: BTreeMap<TerminalId, BTreeMap<u64, SealedHash>>,
    committed: HashSet<SealedHash>,
    refused: HashMap<(TerminalId, SealedHash), String>,
    /// All that any ledger has ever held, with those that a backup replaced.
    ever: HashSet<(TerminalId, SealedHash)>,
    /// Every record that a terminal has truly made.
    genuine: HashMap<SealedHash, (TerminalId, u64)>,
    sent: HashMap<(TerminalId, u64), SealedHash>,
    /// Names whose key or disk was copied.
    forked: BTreeSet<TerminalId>,
    lost: Vec<(TerminalId, Gap)>,
}

impl Oracle {
    /// A key or disk of this name is in the world twice.
    pub(super) fn fork(&mut self, name: &TerminalId) {
        self.forked.insert(name.clone());
    }

    pub(super) fn is_honest(&self, name: &TerminalId) -> bool {
        !self.forked.contains(name)
    }

    /// A damaged terminal has stated what it lost.
    pub(super) fn lose(&mut self, name: &TerminalId, gap: Gap) {
        self.lost.push((name.clone(), gap));
    }

    /// A terminal has made a record.
    pub(super) fn made(&mut self, name: &TerminalId, seq: u64, hash: SealedHash) {
        self.genuine.insert(hash, (name.clone(), seq));
    }

    /// A terminal sends a record.
    pub(super) fn sends(
        &mut self,
        name: &TerminalId,
        seq: u64,
        hash: SealedHash,
    ) -> Result<(), Broken> {
        let before = *self.sent.entry((name.clone(), seq)).or_insert(hash);
        let fine = before == hash || !self.is_honest(name);
        must(fine, Invariant::NumbersAreUsedOnce, || {
            format!("{name} sends two records {seq}: {before:?} and {hash:?}")
        })
    }

    /// Whether a record of this number was sent before.
    pub(super) fn has_sent(&self, name: &TerminalId, seq: u64) -> bool {
        self.sent.contains_key(&(name.clone(), seq))
    }

    /// A journal has released a record.
    pub(super) fn freed(
        &self,
        name: &TerminalId,
        seq: u64,
        hash: SealedHash,
    ) -> Result<(), Broken> {
        let received = self.ever.contains(&(name.clone(), hash));
        must(received, Invariant::FreedMeansReceived, || {
            format!("{name} has freed record {seq}, which no ledger has ever had")
        })
    }

    /// Whether the ledger holds a record, in its place or as evidence.
    pub(super) fn holds(&self, name: &TerminalId, hash: SealedHash) -> bool {
        self.committed.contains(&hash) || self.refused.contains_key(&(name.clone(), hash))
    }

    pub(super) fn ever_held(&self, name: &TerminalId, hash: SealedHash) -> bool {
        self.ever.contains(&(name.clone(), hash))
    }

    /// How far the ledger has a chain.
    pub(super) fn head(&self, name: &TerminalId) -> u64 {
        let last = self.chains.get(name).and_then(|chain| chain.last_key_value());
        last.map_or(0, |(seq, _)| *seq)
    }

    /// A backup has taken the ledger's place.
    pub(super) fn restored(&mut self, ledger: &Memory) -> Result<(), Broken> {
        self.frontier = Frontier::default();
        self.chains.clear();
        self.committed.clear();
        self.refused.clear();
        self.look(ledger)
    }

    /// Looks at what the ledger has more than before.
    pub(super) fn look(&mut self, ledger: &Memory) -> Result<(), Broken> {
        let known = self.frontier.size();
        must(ledger.size() >= known, Invariant::LedgerNeverShrinks, || {
            format!("{known} entries were there, {} are left", ledger.size())
        })?;
        let news = ledger.stored_since(known, usize::MAX).expect("memory can be read");
        for stored in &news {
            self.frontier.push(stored.leaf());
            self.entry(stored)?;
        }
        must(self.frontier.root() == ledger.root(), Invariant::LedgerNeverShrinks, || {
            "the tree is not that of the entries".into()
        })
    }

    fn entry(&mut self, stored: &Stored) -> Result<(), Broken> {
        match stored.entry().expect("what was committed reads back").body {
            Body::Fact(_) => Ok(()),
            Body::Record { record, hash, .. } => {
                must(self.committed.insert(hash), Invariant::OneOrder, || {
                    format!("record {} of {} is there twice", record.seq, record.terminal)
                })?;
                self.ever.insert((record.terminal.clone(), hash));
                self.link(&record, hash)
            }
            Body::Refused { terminal, refusal, claims, hash } => {
                must(!self.committed.contains(&hash), Invariant::DuplicatesAreInnocent, || {
                    format!("a committed record of {terminal} is refused as {}", refusal.code())
                })?;
                self.judge(&terminal, &refusal, hash)?;
                self.refused.insert((terminal.clone(), hash), refusal.code().to_owned());
                self.ever.insert((terminal, hash));
                let statement: SealedEvidence =
                    peek_statement(&stored.sealed).expect("what was committed reads back");
                match (statement.seq, claims) {
                    (Some(_), Some(record)) => self.link(&record, hash),
                    (_, _) => Ok(()),
                }
            }
        }
    }

    /// Whether a refusal may be.
    fn judge(&self, topic: &TerminalId, refusal: &Refusal, hash: SealedHash) -> Result<(), Broken> {
        let Some((name, seq)) = self.genuine.get(&hash).filter(|(name, _)| name == topic) else {
            return Ok(());
        };
        // What was spoilt on the way too often is refused; what a damaged terminal has stated as
        // lost contradicts it when it arrives late.
        let spoilt = *refusal == Refusal::BadOpening;
        let given_up = self
            .lost
            .iter()
            .any(|(whose, gap)| whose == name && (gap.first..=gap.last).contains(seq));
        let fine = spoilt || given_up || !self.is_honest(name);
        must(fine, Invariant::HonestAreNotAccused, || {
            format!("record {seq} of {name} is refused as {}", refusal.code())
        })
    }

    fn link(&mut self, record: &Record, hash: SealedHash) -> Result<(), Broken> {
        let name = &record.terminal;
        let chain = self.chains.entry(name.clone()).or_default();
        let last = chain.last_key_value().map_or(0, |(seq, _)| *seq);
        let begins = match record.gap {
            Some(gap) if record.event == Event::Gap => gap.first,
            Some(_) | None => record.seq,
        };
        let before = match begins {
            0 | 1 => Some(SealedHash::GENESIS),
            begins => chain.get(&(begins - 1)).copied(),
        };
        let fits = record.seq > last && begins <= last + 1 && before == Some(record.prev);
        chain.insert(record.seq, hash);
        must(fits, Invariant::OneOrder, || {
            format!(
                "record {} of {name} does not continue its chain, which ends at {last}",
                record.seq
            )
        })
    }

    /// An answer leaves the centre.
    pub(super) fn answer(&self, sealed: &[u8], key: &VerifyingKey) -> Result<(), Broken> {
        let Ok(receipt) = Receipt::open(sealed, key) else { return Ok(()) };
        let Receipt { terminal, first, last, hash, verdict, .. } = &receipt;
        let empty = BTreeMap::new();
        let chain = self.chains.get(terminal).unwrap_or(&empty);
        let true_word = match verdict {
            Verdict::Committed => {
                let all = (*first..=*last).all(|seq| chain.contains_key(&seq));
                all && chain.get(last) == Some(hash) && self.committed.contains(hash)
            }
            Verdict::Refused { .. } => self.refused.contains_key(&(terminal.clone(), *hash)),
        };
        must(true_word, Invariant::ReceiptsAfterCommit, || {
            format!(
                "{terminal} is told {verdict:?} for {first} to {last}, and the ledger has it not"
            )
        })
    }
}
