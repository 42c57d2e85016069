//! One terminal of a voyage: its disks, its clock, and, while it runs, the real journal, link,
//! timekeeper and pen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::disk::{Disks, Image};
use super::mutant::Mutant;
use super::oracle::{Broken, Invariant, Oracle, must};
use super::weather::Weather;
use crate::domain::{TerminalId, Timestamp, Uptime};
use crate::journal::{Journal, Log, OpenError, repair_on};
use crate::platform::clock::Clock;
use crate::record::{CentreKeys, Gap, Record, SealedHash, SigningKey, VerifyingKey};
use crate::terminal::pen::Pen;
use crate::uplink::{Link, Timekeeper};

/// The begin of all voyages: 2026-03-02 08:30 in China.
const DEPARTURE: Timestamp = Timestamp::from_ms(1_772_411_400_000);

/// Wall time at a moment of the voyage.
pub(super) fn wall(now_ms: u64) -> Timestamp {
    DEPARTURE.plus_ms(i64::try_from(now_ms).unwrap_or(i64::MAX))
}

/// A clock that the world moves.
#[derive(Debug, Default)]
pub(super) struct SimClock {
    wall: AtomicI64,
    uptime: AtomicU64,
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.wall.load(Ordering::Relaxed))
    }

    fn uptime(&self) -> Uptime {
        Uptime::from_ms(self.uptime.load(Ordering::Relaxed))
    }
}

/// What the world remembers of a record that this station holds durably.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) hash: SealedHash,
    /// The centre's time of the receipt that freed it.
    freed: Option<Timestamp>,
}

impl Page {
    pub(super) fn is_freed(&self) -> bool {
        self.freed.is_some()
    }
}

/// A running program.
pub(super) struct Live {
    pub(super) pen: Pen,
    pub(super) link: Link,
    pub(super) asked: Uptime,
}

pub(super) struct Station {
    pub(super) name: TerminalId,
    pub(super) key: SigningKey,
    pub(super) disks: Disks,
    /// What it pins of the centre, and has followed durably.
    trust: Option<CentreKeys>,
    pub(super) clock: Arc<SimClock>,
    pub(super) clock_off_ms: i64,
    boot_ms: u64,
    pub(super) live: Option<Live>,
    /// Counts programs, so that what was meant for one does not reach the next.
    pub(super) life: u64,
    pub(super) connection: Option<u64>,
    pub(super) half_open: bool,
    pub(super) unplugged: bool,
    pub(super) wake_at_ms: Option<u64>,
    pub(super) checkins_left: u64,
    pub(super) book: BTreeMap<u64, Page>,
    pub(super) older: Option<(Image, BTreeMap<u64, Page>)>,
    /// Its medium was damaged, and it has not been repaired since.
    pub(super) damaged: bool,
    /// Nothing stands that it could go on from: it stays red, and people take what it exports.
    pub(super) wrecked: bool,
    weather: Weather,
    mutant: Option<Mutant>,
}

impl Station {
    /// A station with an empty journal, not started.
    pub(super) fn new(
        name: TerminalId,
        key: SigningKey,
        weather: &Weather,
        mutant: Option<Mutant>,
    ) -> Self {
        let disks = Disks::new(mutant == Some(Mutant::SyncDoesNothing));
        let log = Log::open_with(disks.both(), weather.segment_bytes).expect("the disks are empty");
        Journal::init_on(&log, Path::new("sea"), &name, key.verifying_key().id())
            .expect("the disks are empty");
        Self::on(name, key, disks, weather, mutant)
    }

    /// A station on disks that hold a journal.
    pub(super) fn on(
        name: TerminalId,
        key: SigningKey,
        disks: Disks,
        weather: &Weather,
        mutant: Option<Mutant>,
    ) -> Self {
        Self {
            name,
            key,
            disks,
            trust: None,
            clock: Arc::default(),
            clock_off_ms: 0,
            boot_ms: 0,
            live: None,
            life: 0,
            connection: None,
            half_open: false,
            unplugged: false,
            wake_at_ms: None,
            checkins_left: weather.checkins,
            book: BTreeMap::new(),
            older: None,
            damaged: false,
            wrecked: false,
            weather: weather.clone(),
            mutant,
        }
    }

    pub(super) fn set_clock(&self, now_ms: u64) {
        let at = wall(now_ms).plus_ms(self.clock_off_ms);
        self.clock.wall.store(at.as_ms(), Ordering::Relaxed);
        self.clock.uptime.store(now_ms.saturating_sub(self.boot_ms), Ordering::Relaxed);
    }

    fn open(&self) -> Result<Journal, OpenError> {
        let dir = Path::new("sea");
        let log = Log::open_with(self.disks.both(), self.weather.segment_bytes);
        let log = log.map_err(|source| OpenError::of(dir, source))?;
        let mut bounds = self.weather.bounds;
        if self.mutant == Some(Mutant::ForgetsTheFreed) {
            (bounds.kept_days, bounds.kept_bytes_max) = (0, 0);
        }
        if self.mutant == Some(Mutant::KnowsNoBound) {
            bounds.records_max *= 2;
        }
        let id = self.key.verifying_key().id();
        Journal::open_on(Box::new(log), dir, &self.name, id, bounds)
    }

    /// Starts the program: the journal first, repaired if it must be. `false` if the power went
    /// meanwhile, or nothing can be started any more.
    pub(super) fn start(
        &mut self,
        now_ms: u64,
        receipt_key: VerifyingKey,
        oracle: &mut Oracle,
    ) -> Result<bool, Broken> {
        self.boot_ms = now_ms;
        self.life += 1;
        self.set_clock(now_ms);
        let mut repaired = false;
        let journal = loop {
            match self.open() {
                Ok(journal) => break Arc::new(journal),
                Err(_) if self.disks.is_dead() => return Ok(false),
                Err(error) => {
                    must(self.damaged && !repaired, Invariant::GreenMeansDurable, || {
                        format!("the journal of {} does not open: {error}", self.name)
                    })?;
                    if !self.repair() {
                        self.wrecked = true;
                        return Ok(false);
                    }
                    repaired = true;
                }
            }
        };
        self.damaged = false;
        let gap = journal.next().gap;
        let stated = gap.filter(|_| self.mutant != Some(Mutant::StatesNoGap));
        self.read_back(&journal, repaired, stated, oracle)?;
        if let Some(gap) = stated {
            oracle.lose(&self.name, gap);
        }
        let (public, clock) = (self.key.verifying_key(), Arc::clone(&self.clock));
        let timekeeper = Timekeeper::start(clock, Arc::clone(&journal), &public, 120_000);
        let Ok(timekeeper) = timekeeper else { return Ok(false) };
        let pen = Pen {
            terminal: self.name.clone(),
            key: SigningKey::from_secret(&self.key.secret()),
            journal: Arc::clone(&journal),
            timekeeper: Arc::new(timekeeper),
            policy: String::from("voyage/1").into(),
            firmware: "0".into(),
            pack: None,
        };
        if pen.state_gap().is_err() {
            return Ok(false);
        }
        if gap.is_some() {
            self.read_back(&journal, false, None, oracle)?;
        }
        let link = Link::new(
            self.name.clone(),
            self.trust.get_or_insert_with(|| receipt_key.into()).clone(),
            self.weather.pace,
            journal.standing(),
            journal.freed_ahead(),
        );
        self.live = Some(Live { pen, link, asked: Uptime::default() });
        self.wake_at_ms = None;
        Ok(true)
    }

    /// As `rollcall terminal journal repair` does it.
    fn repair(&mut self) -> bool {
        let fresh = Disks::new(self.mutant == Some(Mutant::SyncDoesNothing));
        let repaired = repair_on(&self.disks.both(), fresh.both());
        if !matches!(repaired, Ok(Some(_))) {
            return false;
        }
        self.disks = fresh;
        true
    }

    /// Holds what the journal has after a start against what it had.
    fn read_back(
        &mut self,
        journal: &Journal,
        repaired: bool,
        gap: Option<Gap>,
        oracle: &mut Oracle,
    ) -> Result<(), Broken> {
        let name = &self.name;
        let standing = journal.standing();
        let found = journal.replay(0, usize::MAX).expect("it was just opened");
        let found: BTreeMap<u64, SealedHash> =
            found.into_iter().map(|(seq, parcel)| (seq, parcel.sealed.hash())).collect();
        let lost = |seq: &u64| gap.is_some_and(|gap| (gap.first..=gap.last).contains(seq));
        let mut gone = Vec::new();
        for (seq, page) in &self.book {
            let there = found.get(seq) == Some(&page.hash);
            let pruned = !repaired && page.freed.is_some() && *seq < standing.kept_from;
            if there || pruned {
                continue;
            }
            gone.push(*seq);
            if repaired {
                // What the centre has had is no loss, also where the word that it was freed is gone.
                let told = page.freed.is_some() || oracle.ever_held(name, page.hash);
                must(lost(seq) || told, Invariant::LossesAreStated, || {
                    format!("{name} has lost record {seq} and states {gap:?}")
                })?;
            } else {
                must(false, Invariant::GreenMeansDurable, || {
                    format!("record {seq} of {name} was shown green and is gone")
                })?;
            }
        }
        for seq in gone {
            self.book.remove(&seq);
        }
        for (seq, hash) in &found {
            oracle.made(name, *seq, *hash);
            self.book.entry(*seq).or_insert(Page { hash: *hash, freed: None });
        }
        // A repair may have lost the word that something was freed: it is offered again.
        let ahead = journal.freed_ahead();
        let signed = journal.newest_signed_time();
        for (seq, page) in &mut self.book {
            let freed = *seq <= standing.released || ahead.contains(seq);
            if freed && page.freed.is_none() {
                oracle.freed(name, *seq, page.hash)?;
                page.freed = signed;
            } else if !freed {
                must(page.freed.is_none() || repaired, Invariant::GreenMeansDurable, || {
                    format!("{name} has forgotten that record {seq} was freed")
                })?;
                page.freed = None;
            }
        }
        Ok(())
    }

    /// Keeps the word that another receipt key follows.
    pub(super) fn follow(&mut self, handover: &[u8]) {
        if let Some(trust) = &mut self.trust {
            trust.follow(handover).expect("the link has taken it");
        }
    }

    /// A record is shown green.
    pub(super) fn green(&mut self, seq: u64, hash: SealedHash) {
        self.book.insert(seq, Page { hash, freed: None });
    }

    /// Looks at the journal after a step. `at` is the time of the receipt that was just taken.
    pub(super) fn audit(&mut self, at: Option<Timestamp>, oracle: &Oracle) -> Result<(), Broken> {
        let Some(live) = &self.live else { return Ok(()) };
        let (name, journal) = (&self.name, &live.pen.journal);
        let standing = journal.standing();
        let ahead = journal.freed_ahead();
        let signed = journal.newest_signed_time();
        let mut waiting = 0;
        for (seq, page) in &mut self.book {
            if page.freed.is_some() {
                continue;
            }
            if *seq <= standing.released || ahead.contains(seq) {
                oracle.freed(name, *seq, page.hash)?;
                page.freed = at.or(signed);
            } else {
                waiting += 1;
            }
        }
        must(waiting == standing.waiting, Invariant::FullMeansRed, || {
            format!("{waiting} records of {name} wait, and its journal knows {}", standing.waiting)
        })?;
        let newest_forgotten = self.book.range(..standing.kept_from).next_back();
        let Some((seq, page)) = newest_forgotten else { return Ok(()) };
        let kept_ms = i64::from(self.weather.bounds.kept_days) * 86_400_000;
        let old = page.freed.zip(signed).is_some_and(|(freed, now)| now.ms_since(freed) > kept_ms);
        must(old, Invariant::FreedIsNotForgotten, || {
            format!("{name} has forgotten record {seq}, freed at {:?}, at {signed:?}", page.freed)
        })
    }

    /// The records that it holds unfreed, by what the world knows.
    pub(super) fn waiting(&self) -> usize {
        self.book.values().filter(|page| page.freed.is_none()).count()
    }
}

/// The numbers and hashes in a batch that is about to be sent.
pub(super) fn contents(batch: &crate::record::Batch) -> Vec<(u64, SealedHash)> {
    let number = |sealed: &crate::record::Sealed| {
        Record::peek(sealed.bytes()).expect("the journal holds records").0.seq
    };
    batch.0.iter().map(|parcel| (number(&parcel.sealed), parcel.sealed.hash())).collect()
}
