//! The one thread that decides and commits: wait for messages, judge them, commit them in one
//! batch, and only then answer, acknowledge and hand the new entries on. What it decides stands in
//! `office.rs`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{info, warn};

use super::home::Home;
use super::mqtt::{Outlet, Ticket};
use super::office::{Office, Payload, Settled, Taken};
use super::platforms::{Heard, Reason};
use super::{CoreError, Counters, Hooks, StartError, StateError, check_facts};
use crate::domain::{Fact, PlatformId, TerminalId, Timestamp};
use crate::ingest::{Limits, Step};
use crate::ledger::tree::Frontier;
use crate::ledger::{Entry, Kind, Ledger, Stored};
use crate::platform::clock::Clock;
use crate::record::share::SHARE_BYTES_MAX;
use crate::record::topic::{Channel, taken_of};
use crate::record::{CentreKeys, Checkpoint, SealedEvidence, SealedFact, seal_statement};

/// Entries read back at once when a collector starts.
const REPLAY_ENTRIES: usize = 1_000;

/// Most parcels that are committed together: bounds what one commit keeps in memory (about 2 MB)
/// and how long the first of them waits.
const BATCH_PARCELS: usize = 1_024;

/// How long the core sleeps at most: a tick is late by no more than this.
const NAP: Duration = Duration::from_millis(100);

/// Largest status that is handed on. It is a hint for the page, a few short fields.
const STATUS_BYTES_MAX: usize = 4_096;

/// What the core waits for.
pub(super) enum Inbound {
    Message { terminal: TerminalId, channel: Channel, payload: Payload, ticket: Option<Ticket> },
    Report { platform: PlatformId, payload: Payload, way: Way },
    State { facts: Vec<Fact>, reply: SyncSender<Result<Vec<Entry>, StateError>> },
    Checkpoint { reply: SyncSender<Vec<u8>> },
    Stop,
}

/// On which way a report came, and so where its answer goes.
pub(super) enum Way {
    Broker(Option<Ticket>),
    Waiting(oneshot::Sender<Heard>),
}

/// Somebody who waits to hear what becomes of his report.
struct Waiting {
    platform: PlatformId,
    judged: Result<(), Reason>,
    reply: oneshot::Sender<Heard>,
}

struct Statement {
    facts: usize,
    first: usize,
    reply: SyncSender<Result<Vec<Entry>, StateError>>,
}

/// What was taken in since the last commit, and who waits for it.
#[derive(Default)]
struct Work {
    taken: Taken,
    statements: Vec<Statement>,
    tickets: Vec<Ticket>,
    /// Platforms that hear their answer over the broker.
    over_broker: BTreeSet<PlatformId>,
    waiting: Vec<Waiting>,
    parcels: usize,
}

pub(super) struct Core {
    ledger: Box<dyn Ledger>,
    office: Office,
    clock: Arc<dyn Clock>,
    origin: String,
    tick_ms: Option<u64>,
    last_tick: Timestamp,
    hooks: Hooks,
    outlet: Outlet,
    counters: Arc<Counters>,
    // Holds the folder's lock as long as the core lives.
    _lock: crate::platform::lock::Lock,
}

/// What the core is made of, besides its folder.
pub(super) struct Parts {
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) origin: String,
    pub(super) tick_ms: Option<u64>,
    pub(super) hooks: Hooks,
    pub(super) outlet: Outlet,
    pub(super) counters: Arc<Counters>,
}

/// What the centre itself stated must be sealed with this folder's keys, in their order: whoever writes
/// into the file can neither plant a terminal's key nor put another collector's ledger here.
fn check_own(stored: &Stored, log: &mut CentreKeys) -> Result<(), StartError> {
    let opened = match stored.kind {
        Kind::Record => return Ok(()),
        Kind::Fact => log.open_next::<SealedFact>(&stored.sealed).map(drop),
        Kind::Refused => log.open_next::<SealedEvidence>(&stored.sealed).map(drop),
    };
    opened.map_err(|_| StartError::ForeignLogKey { index: stored.index })
}

impl Core {
    /// Reads the ledger back: every entry passes through the hook once, in order.
    pub(super) fn resume(home: Home, parts: Parts) -> Result<Self, StartError> {
        let Parts { limits, clock, origin, tick_ms, mut hooks, outlet, counters } = parts;
        let Home { ledger, log, receipt, _lock, .. } = home;
        let mut log_keys = log.keys;
        let mut office = Office::new(limits, log.key, receipt.key).leading_on(receipt.handovers);
        let mut last_tick = Timestamp::default();
        let mut frontier = Frontier::default();
        let mut next = 0;
        loop {
            let stored = ledger.stored_since(next, REPLAY_ENTRIES)?;
            let Some(last) = stored.last() else { break };
            next = last.index + 1;
            for stored in &stored {
                frontier.push(stored.leaf());
                check_own(stored, &mut log_keys)?;
            }
            let entries = stored.iter().map(crate::ledger::read_back);
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            for (entry, stored) in entries.iter().zip(&stored) {
                office.remember(entry, &stored.sealed);
                if entry.body == crate::ledger::Body::Fact(Fact::Tick) {
                    last_tick = entry.committed_at;
                }
            }
            (hooks.on_committed)(&entries);
        }
        if frontier.root() != ledger.root() {
            return Err(StartError::Contradiction);
        }
        office.resume(&*ledger)?;
        info!(ledger.size = ledger.size(), "Read the ledger back.");
        Ok(Self {
            ledger,
            office,
            clock,
            origin,
            tick_ms,
            last_tick,
            hooks,
            outlet,
            counters,
            _lock,
        })
    }

    /// Works until told to stop or until the ledger fails.
    pub(super) fn run(mut self, inbound: &Receiver<Inbound>) -> Result<(), CoreError> {
        loop {
            let mut work = Work::default();
            let mut stop = false;
            match inbound.recv_timeout(NAP) {
                Ok(message) => stop = self.take(message, &mut work)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stop = true,
            }
            while !stop && work.parcels < BATCH_PARCELS {
                match inbound.try_recv() {
                    Ok(message) => stop = self.take(message, &mut work)?,
                    Err(_) => break,
                }
            }
            self.tick_if_due(&mut work);
            self.finish(work)?;
            if stop {
                return Ok(());
            }
        }
    }

    /// Judges one message. `true` when it was the wish to stop.
    fn take(&mut self, message: Inbound, work: &mut Work) -> Result<bool, CoreError> {
        match message {
            Inbound::Message { terminal, channel, payload, ticket } => {
                self.counters.messages.fetch_add(1, Relaxed);
                work.tickets.extend(ticket);
                // Also what brings no record: else a stream of questions would put off the commit
                // for ever.
                work.parcels += 1;
                match channel {
                    Channel::Records => {
                        let taken = &mut work.taken;
                        work.parcels +=
                            self.office.take_records(&terminal, payload, &*self.ledger, taken)?;
                    }
                    Channel::Ask => {
                        let now = self.clock.now();
                        for answer in self.office.answer_time(&terminal, &payload, now) {
                            self.outlet.publish(Channel::Answers.of(&terminal), answer);
                        }
                    }
                    Channel::Status => self.pass_status(&terminal, &payload),
                    Channel::Share => self.pass_share(&terminal, &payload),
                    Channel::Answers | Channel::Dispatch | Channel::Shared => {}
                }
            }
            Inbound::Report { platform, payload, way } => {
                self.counters.messages.fetch_add(1, Relaxed);
                work.parcels += 1;
                let (now, taken) = (self.clock.now(), &mut work.taken);
                let judged = self.office.take_report(&platform, &payload, now, taken);
                match judged {
                    Ok(count) => work.parcels += count,
                    Err(reason) => self.count_refused(&platform, reason),
                }
                match way {
                    Way::Broker(ticket) => {
                        work.tickets.extend(ticket);
                        if matches!(judged, Ok(_) | Err(Reason::Gap)) {
                            work.over_broker.insert(platform);
                        }
                    }
                    Way::Waiting(reply) => {
                        let judged = judged.map(drop);
                        work.waiting.push(Waiting { platform, judged, reply });
                    }
                }
            }
            Inbound::State { facts, reply } => match check_facts(&facts, self.office.log()) {
                Ok(()) => {
                    let first = work.taken.entries();
                    work.statements.push(Statement { facts: facts.len(), first, reply });
                    work.parcels += facts.len();
                    for fact in facts {
                        self.office.state(fact, &mut work.taken);
                    }
                }
                Err(error) => drop(reply.send(Err(error))),
            },
            Inbound::Checkpoint { reply } => {
                let checkpoint = Checkpoint {
                    origin: self.origin.clone(),
                    size: self.ledger.size(),
                    root: self.ledger.root().0,
                    at: self.clock.now().max(self.ledger.last_committed_at()),
                };
                drop(reply.send(seal_statement(&checkpoint, self.office.log())));
            }
            Inbound::Stop => return Ok(true),
        }
        Ok(false)
    }

    fn pass_status(&mut self, terminal: &TerminalId, payload: &Payload) {
        let Payload::Whole(bytes) = payload else { return };
        if bytes.len() <= STATUS_BYTES_MAX && self.office.knows(terminal) {
            (self.hooks.on_status)(terminal, bytes);
        }
    }

    fn pass_share(&mut self, terminal: &TerminalId, payload: &Payload) {
        match payload {
            Payload::Whole(bytes)
                if bytes.len() <= SHARE_BYTES_MAX && self.office.knows(terminal) =>
            {
                (self.hooks.on_share)(terminal, bytes);
            }
            Payload::Whole(_) | Payload::TooLong(_) => {
                self.counters.shares_ignored.fetch_add(1, Relaxed);
            }
        }
    }

    /// The first of each life of the program is told; the rest is counted.
    fn count_refused(&self, platform: &PlatformId, reason: Reason) {
        if self.counters.reports_refused.fetch_add(1, Relaxed) == 0 {
            warn!(
                refusal.code = reason.code(),
                "A report of platform {platform} was not taken in."
            );
        }
    }

    fn tick_if_due(&mut self, work: &mut Work) {
        let Some(tick_ms) = self.tick_ms else { return };
        let now = self.clock.now();
        if now.ms_since(self.last_tick) >= i64::try_from(tick_ms).unwrap_or(i64::MAX) {
            self.last_tick = now;
            self.office.state(Fact::Tick, &mut work.taken);
        }
    }

    /// Commits, and only then answers.
    fn finish(&mut self, work: Work) -> Result<(), CoreError> {
        let Work { taken, statements, tickets, over_broker, waiting, parcels: _ } = work;
        self.count(taken.steps());
        let Settled { committed, answers, taken } =
            self.office.settle(taken, &mut *self.ledger, self.clock.now())?;
        for (terminal, sealed) in answers {
            self.outlet.publish(Channel::Answers.of(&terminal), sealed);
        }
        for Waiting { platform, judged, reply } in waiting {
            let sealed = taken.iter().find(|(whose, _)| *whose == platform);
            let heard = match (judged, sealed.map(|(_, sealed)| sealed.clone())) {
                (Ok(()), Some(sealed)) => Heard::Taken(sealed),
                (Err(Reason::Gap), Some(sealed)) => Heard::Missing(sealed),
                (Err(reason), _) => Heard::Refused(reason),
                // Whose report was taken is known, so there is an answer; without one he hears nothing.
                (Ok(()), None) => continue,
            };
            // Whoever waited may have gone away: he asks again, and is told the same.
            drop(reply.send(heard));
        }
        for (platform, sealed) in taken {
            if over_broker.contains(&platform) {
                self.outlet.publish(taken_of(&platform), sealed);
            }
        }
        self.outlet.acknowledge(tickets);
        for Statement { facts, first, reply } in statements {
            let stated = committed.get(first..first + facts).unwrap_or_default().to_vec();
            // Whoever asked may have gone away; the facts are stated all the same.
            drop(reply.send(Ok(stated)));
        }
        if !committed.is_empty() {
            (self.hooks.on_committed)(&committed);
        }
        Ok(())
    }

    fn count(&self, steps: &[Step]) {
        for step in steps {
            let counter = match step {
                Step::Commit(_) => &self.counters.admitted,
                Step::Keep { .. } => &self.counters.refused,
                Step::Again(_) => &self.counters.repeated,
                Step::Want { .. } => &self.counters.parked,
                Step::Count { code } => {
                    if self.counters.uncommitted.fetch_add(1, Relaxed) == 0 {
                        warn!(
                            refusal.code = code,
                            "A sender is over its bound of kept refusals: the rest is only counted."
                        );
                    }
                    continue;
                }
            };
            counter.fetch_add(1, Relaxed);
        }
    }
}
