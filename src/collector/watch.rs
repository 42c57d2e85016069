//! What the collector does with committed entries: judge them, keep the anomalies, feed the page.
//!
//! Nothing here is a source of truth: all of it follows from the ledger. At each start the whole
//! ledger passes through once more; cases and feed keep each thing once, so nothing is lost by a
//! crash between commit and announcement, and nothing is repeated.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use crate::cases::{self, Book, Cases};
use crate::collector::Hooks;
use crate::collector::{Announcer, Names, SelfReport, Store, Told};
use crate::domain::{Anomaly, AnomalyId, ClockQuality, Policy, TerminalId};
use crate::feed::{self, Feed};
use crate::ledger::Entry;
use crate::platform::telemetry::Chain;
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
    book: Book,
    pending: Told,
}

impl Watch {
    /// Opens cases and feed beside the ledger.
    pub fn open(store: &Store, policy: Policy, names: Names) -> Result<Self, OpenWatchError> {
        let cases = store.open_cases()?;
        let feed = store.open_feed()?;
        let announcer = Announcer::new(policy, names);
        let book = Book::read(&*cases)?;
        let inner = Inner { announcer, cases, book, pending: Told::default() };
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
        self.keep(&mut inner);
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
