//! The log, and those who wait for its next number.
//!
//! A subscriber is only told *that* the log grew, and reads *what* from the log itself. So there
//! is one way for all: the fast, the slow, and those who come back after a restart; nothing is
//! queued for anybody, and a slow reader cannot lose or repeat an event or hold up others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{AnnounceError, Body, Event, Filter, Log, LogId, Page, ReadError, Snapshot, Totals};

/// Events that a subscriber reads at once: some 200 kB, and one lock of the log for all of them.
const READ_EVENTS_MAX: u64 = 256;

/// The live feed. Calls without `async` block for a short read or one durable write.
#[derive(Debug)]
pub struct Feed {
    log: Mutex<Box<dyn Log>>,
    head: watch::Sender<Head>,
}

/// What subscribers watch.
#[derive(Debug, Clone, Copy)]
struct Head {
    id: u64,
    open: bool,
}

/// How a subscription begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Everything after the number told will come.
    Resumed(LogId),
    /// The reader is new, or its number is of another log or too old: what it holds must give way
    /// to this, and everything after it will come.
    Fresh(Snapshot),
}

impl Feed {
    /// The feed of an open log.
    pub fn of(log: Box<dyn Log>) -> Arc<Self> {
        // A log that cannot tell its head now will tell it at the first announcement; until then
        // subscribers read once at their start, whatever the head.
        let id = log.head().unwrap_or(0);
        Arc::new(Self { log: Mutex::new(log), head: watch::Sender::new(Head { id, open: true }) })
    }

    /// Numbers what is new, durably, then tells the subscribers; see [`Log::announce`].
    pub fn announce(&self, bodies: &[Body]) -> Result<Vec<Option<u64>>, AnnounceError> {
        let mut log = self.lock();
        let ids = log.announce(bodies)?;
        // Still under the lock, so that the head never runs back.
        // Where nothing is new, an earlier call may have been stored whose answer was lost.
        let newest = ids.iter().copied().flatten().max().or_else(|| log.head().ok());
        self.head.send_if_modified(|head| {
            let grew = newest.is_some_and(|newest| newest > head.id);
            head.id = newest.filter(|_| grew).unwrap_or(head.id);
            grew
        });
        Ok(ids)
    }

    /// Ends all subscriptions, now and to come: the program is ending.
    pub fn close(&self) {
        self.head.send_modify(|head| head.open = false);
    }

    /// Which log this is.
    pub fn log_id(&self) -> LogId {
        self.lock().id().clone()
    }

    /// The highest number given so far.
    pub fn head(&self) -> u64 {
        self.head.borrow().id
    }

    /// See [`Log::anomalies`].
    pub async fn anomalies(
        self: &Arc<Self>,
        before: Option<u64>,
        count_max: u64,
        filter: Filter,
    ) -> Result<Page, ReadError> {
        self.read(move |log| log.anomalies(before, count_max, filter)).await
    }

    /// See [`Log::totals`].
    pub async fn totals(self: &Arc<Self>, day: String) -> Result<Totals, ReadError> {
        self.read(move |log| log.totals(&day)).await
    }

    /// Begins to read after the number `after`, or with a snapshot.
    pub async fn subscribe(
        self: &Arc<Self>,
        after: Option<u64>,
    ) -> Result<(Start, Subscription), ReadError> {
        // Watched before the log is read: what is announced in between is then read twice by
        // nobody, and missed by nobody.
        let head = self.head.subscribe();
        let (start, cursor) = self
            .read(move |log| {
                if let Some(after) = after
                    && log.can_resume(after)?
                {
                    return Ok((Start::Resumed(log.id().clone()), after));
                }
                let snapshot = log.snapshot()?;
                let cursor = snapshot.cursor;
                Ok((Start::Fresh(snapshot), cursor))
            })
            .await?;
        let feed = Arc::clone(self);
        Ok((start, Subscription { feed, head, cursor, read: VecDeque::new() }))
    }

    /// Reads on a thread that may block.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&dyn Log) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let feed = Arc::clone(self);
        tokio::task::spawn_blocking(move || read(&**feed.lock()))
            .await
            .unwrap_or(Err(ReadError::Ending))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Log>> {
        // The log's own state changes in transactions only: a panic elsewhere cannot spoil it.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One reader's place in the feed.
#[derive(Debug)]
pub struct Subscription {
    feed: Arc<Feed>,
    head: watch::Receiver<Head>,
    cursor: u64,
    read: VecDeque<Event>,
}

impl Subscription {
    /// Waits for the next event; `None` once the feed is closed, or when this reader is so slow
    /// that what it needs next was forgotten.
    pub async fn next(&mut self) -> Result<Option<Event>, ReadError> {
        loop {
            let Head { id, open } = *self.head.borrow_and_update();
            if !open {
                return Ok(None);
            }
            if let Some(event) = self.read.pop_front() {
                self.cursor = event.id;
                return Ok(Some(event));
            }
            if id > self.cursor {
                let after = self.cursor;
                let read = move |log: &dyn Log| {
                    let whole = log.can_resume(after)?;
                    if whole { log.since(after, READ_EVENTS_MAX).map(Some) } else { Ok(None) }
                };
                let Some(events) = self.feed.read(read).await? else {
                    // Slower than the log forgets: ending here makes the reader come back and
                    // begin with a snapshot, instead of meeting a silent hole.
                    return Ok(None);
                };
                self.read = events.into();
                if self.read.is_empty() {
                    // The newest numbers were replaced meanwhile; their successors bring a new head.
                    self.cursor = id;
                }
            } else if self.head.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}
