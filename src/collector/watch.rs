//! What the collector does with committed entries: judge them, keep the anomalies, feed the page.
//!
//! Nothing here is a source of truth: all of it follows from the ledger. At each start the whole
//! ledger passes through once more; cases and feed keep each thing once, so nothing is lost by a
//! crash between commit and announcement, and nothing is repeated.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::cases::{self, Book, Cases};
use crate::collector::Hooks;
use crate::collector::profiles::Profiles;
use crate::collector::shadow::{Shadow, Tried};
use crate::collector::{Announcer, Names, SelfReport, Store, Told};
use crate::domain::{Anomaly, AnomalyId, ClockQuality, Policy, TerminalId};
use crate::feed::{self, Feed};
use crate::ledger::Entry;
use crate::platform::telemetry::Chain;
use crate::rules::Judge;
use crate::web;

/// Most anomalies and events that wait for a storage that fails: a day of a busy province. Beyond
/// it the newest are left to the next start, which makes them again from the ledger.
const PENDING_MAX: usize = 100_000;

/// A watch could not begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenWatchError {
    /// The store of anomalies.
    #[error("could not open the cases")]
    Cases(#[from] cases::OpenError),
    /// What it holds.
    #[error("could not read the cases")]
    Read(#[from] cases::ReadError),
    /// The feed.
    #[error("could not open the feed")]
    Feed(#[from] feed::OpenError),
}

/// The judged side of a running collector.
#[derive(Clone)]
pub struct Watch {
    inner: Arc<Mutex<Inner>>,
    feed: Arc<Feed>,
    seen: tokio::sync::watch::Sender<u64>,
}

struct Inner {
    announcer: Announcer,
    cases: Box<dyn Cases>,
    trials: Trials,
    book: Book,
    pending: Told,
}

/// By what is judged.
#[derive(Debug, Clone)]
pub struct Judging {
    /// What is used until the ledger names a profile.
    pub configured: Policy,
    /// Other profiles, by which earlier stretches were judged or which are tried out.
    pub kept: Vec<Policy>,
    /// Where the anomalies of candidates are kept; `None`: no candidate is tried out.
    pub trials: Option<PathBuf>,
}

impl Judging {
    /// By one profile, without a candidate.
    pub fn by(configured: Policy) -> Self {
        Self { configured, kept: Vec::new(), trials: None }
    }
}

impl Watch {
    /// Opens cases and feed beside the ledger.
    pub fn open(store: &Store, judging: Judging, names: Names) -> Result<Self, OpenWatchError> {
        let cases = store.open_cases()?;
        let feed = store.open_feed()?;
        let Judging { configured, kept, trials } = judging;
        let shadow = Shadow::new(if trials.is_some() { kept.clone() } else { Vec::new() });
        let announcer = Announcer::new(Judge::knowing(configured, kept), shadow, names);
        let trials = Trials { data_dir: trials, open: BTreeMap::new() };
        let book = Book::read(&*cases)?;
        let inner = Inner { announcer, cases, book, trials, pending: Told::default() };
        let seen = tokio::sync::watch::Sender::new(0);
        Ok(Self { inner: Arc::new(Mutex::new(inner)), feed, seen })
    }

    /// What the collector calls.
    pub fn hooks(&self) -> Hooks {
        let (committed, status) = (self.clone(), self.clone());
        Hooks {
            on_committed: Box::new(move |entries| committed.take(entries)),
            on_status: Box::new(move |terminal, message| status.hear(terminal, message)),
            ..Hooks::none()
        }
    }

    /// The live feed, for the page.
    pub fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// Name and digest of the policy profile that the ledger names last.
    pub fn policy_in_force(&self) -> Option<(String, [u8; 32])> {
        let inner = self.lock();
        inner.announcer.registry().policy().map(|(name, digest)| (name.to_owned(), *digest))
    }

    /// Waits until `entries` entries of the ledger have been judged.
    pub async fn judged(&self, entries: u64) {
        let mut seen = self.seen.subscribe();
        let judged = seen.wait_for(|&seen| seen >= entries).await;
        judged.expect("the sender lives in self");
    }

    /// How many entries have been judged.
    pub fn judged_so_far(&self) -> u64 {
        *self.seen.borrow()
    }

    /// All anomalies so far, oldest first.
    pub fn anomalies(&self) -> Result<Vec<Anomaly>, cases::ReadError> {
        const PAGE: usize = 500;
        let inner = self.lock();
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = inner.cases.after(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(all) };
            after = last.number;
            all.extend(page.into_iter().map(|case| case.anomaly));
        }
    }

    /// Asks the book of cases something; with what the ledger says and how persons are called.
    pub fn ask<T>(&self, question: impl FnOnce(&mut Book, &Announcer) -> T) -> T {
        let inner = &mut *self.lock();
        question(&mut inner.book, &inner.announcer)
    }

    /// Stored anomalies behind a number, oldest first.
    pub fn found_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<cases::Found>, cases::ReadError> {
        self.lock().cases.after(after, limit)
    }

    /// A stored anomaly.
    pub fn found(&self, id: AnomalyId) -> Result<Option<cases::Found>, cases::ReadError> {
        self.lock().cases.by_id(id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, entries: &[Entry]) {
        let mut inner = self.lock();
        let told = inner.announcer.take(entries);
        entries.iter().for_each(|entry| inner.book.apply(entry));
        inner.pending.anomalies.extend(told.anomalies);
        inner.pending.events.extend(told.events);
        inner.pending.tried.extend(told.tried);
        self.keep(&mut inner);
        let Inner { trials, pending, .. } = &mut *inner;
        trials.keep(&mut pending.tried);
        if let Some(last) = entries.last() {
            self.seen.send_replace(last.index + 1);
        }
    }

    fn hear(&self, terminal: &TerminalId, message: &[u8]) {
        let Some(report) = read_status(message) else { return };
        let mut inner = self.lock();
        let event = inner.announcer.hear(terminal, report);
        inner.pending.events.extend(event);
        self.keep(&mut inner);
    }

    /// Cases first, then the feed: what the page shows can be opened as a case. A crash in between
    /// leaves a case that the next start announces.
    fn keep(&self, inner: &mut Inner) {
        match inner.cases.store(&inner.pending.anomalies) {
            Err(error) => {
                tracing::error!("Anomalies wait for the store of cases: {}.", Chain(&error));
            }
            Ok(found) => {
                inner.book.find(&found);
                inner.pending.anomalies.clear();
                match self.feed.announce(&inner.pending.events) {
                    Ok(_) => inner.pending.events.clear(),
                    Err(error) => tracing::error!("Events wait for the feed: {}.", Chain(&error)),
                }
            }
        }
        inner.pending.anomalies.truncate(PENDING_MAX);
        inner.pending.events.truncate(PENDING_MAX);
    }
}

/// The anomalies of candidates, each candidate's in a file of its own.
struct Trials {
    data_dir: Option<PathBuf>,
    open: BTreeMap<[u8; 32], Box<dyn Cases>>,
}

impl Trials {
    /// What cannot be kept waits, and never holds up what is in force.
    fn keep(&mut self, pending: &mut Vec<Tried>) {
        while let Some(candidate) = pending.first().map(|tried| tried.candidate) {
            let of_it = pending.iter().filter(|tried| tried.candidate == candidate);
            let anomalies: Vec<Anomaly> = of_it.map(|tried| tried.anomaly.clone()).collect();
            let Some(cases) = self.cases(candidate) else { break };
            if let Err(error) = cases.store(&anomalies) {
                tracing::error!("What a candidate raised waits for its store: {}.", Chain(&error));
                break;
            }
            pending.retain(|tried| tried.candidate != candidate);
        }
        pending.truncate(PENDING_MAX);
    }

    fn cases(&mut self, candidate: [u8; 32]) -> Option<&dyn Cases> {
        if !self.open.contains_key(&candidate) {
            match Profiles::open_trial(self.data_dir.as_ref()?, &candidate) {
                Ok(cases) => drop(self.open.insert(candidate, Box::new(cases))),
                Err(error) => {
                    tracing::error!("What a candidate raises is not kept: {}.", Chain(&error));
                    return None;
                }
            }
        }
        self.open.get(&candidate).map(|cases| &**cases)
    }
}

/// A terminal's status message (docs/spec/transport.md, "Status"); anything else is no report.
fn read_status(message: &[u8]) -> Option<SelfReport> {
    #[derive(Deserialize)]
    struct Status {
        state: String,
        waiting: Option<u64>,
        #[serde(default)]
        full: bool,
        clock: Option<ClockQuality>,
    }
    let status: Status = serde_json::from_slice(message).ok()?;
    let online = status.state == "online";
    Some(SelfReport { online, full: status.full, clock: status.clock, waiting: status.waiting })
}

/// The ledger as the page reads it: opened for each read, beside the one that commits.
pub struct Entries(Store);

impl Entries {
    /// Reads the ledger of this store.
    pub fn of(store: &Store) -> Self {
        Self(store.clone())
    }
}

impl web::Entries for Entries {
    fn entry(&self, index: u64) -> Result<Option<Entry>, web::EntriesError> {
        let ledger = self.0.read_ledger()?;
        Ok(ledger.entries_since(index, 1)?.into_iter().next().filter(|e| e.index == index))
    }

    fn count(&self) -> Result<u64, web::EntriesError> {
        Ok(self.0.read_ledger()?.size())
    }
}
