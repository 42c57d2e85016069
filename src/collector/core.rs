//! The one thread that decides and commits: wait for messages, judge them, commit them in one
//! batch, and only then answer, acknowledge and hand the new entries on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tracing::{info, warn};

use super::home::Home;
use super::mqtt::{Outlet, Ticket};
use super::{CoreError, Counters, Hooks, StartError, StateError, check_facts};
use crate::domain::{Fact, TerminalId, Timestamp};
use crate::ingest::{Answer, Evidence, Intake, Limits, Step, answers};
use crate::ledger::tree::Frontier;
use crate::ledger::{Body, Entry, Item, Kind, Ledger, Staged, Stored};
use crate::platform::clock::Clock;
use crate::record::topic::Channel;
use crate::record::{
    Batch, Checkpoint, SealedEvidence, SealedFact, SigningKey, TimeAnswer, Wanted, open_statement,
    peek_kid, seal_statement,
};

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
    State { facts: Vec<Fact>, reply: SyncSender<Result<Vec<Entry>, StateError>> },
    Checkpoint { reply: SyncSender<Vec<u8>> },
    Stop,
}

/// What a message holds. Too long ones are cut where they come in, so that the queue is bounded in
/// bytes and not only in messages.
pub(super) enum Payload {
    Whole(Vec<u8>),
    TooLong(Evidence),
}

struct Statement {
    facts: usize,
    first: usize,
    reply: SyncSender<Result<Vec<Entry>, StateError>>,
}

/// What was taken in since the last commit.
#[derive(Default)]
struct Work {
    steps: Vec<Step>,
    /// The facts, each with the number of steps before it: order is kept.
    facts: VecDeque<(usize, Fact)>,
    statements: Vec<Statement>,
    tickets: Vec<Ticket>,
    parcels: usize,
}

pub(super) struct Core {
    ledger: Box<dyn Ledger>,
    log: SigningKey,
    receipt: SigningKey,
    intake: Intake,
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

/// What the centre itself stated must be sealed with this folder's key: whoever writes into the
/// file can neither plant a terminal's key nor put another collector's ledger here.
fn check_own(stored: &Stored, log: &SigningKey) -> Result<(), StartError> {
    let key = log.verifying_key();
    let opened = match stored.kind {
        Kind::Record => return Ok(()),
        Kind::Fact => open_statement::<SealedFact>(&stored.sealed, &key).map(drop),
        Kind::Refused => open_statement::<SealedEvidence>(&stored.sealed, &key).map(drop),
    };
    opened.map_err(|_| StartError::ForeignLogKey { index: stored.index })
}

impl Core {
    /// Reads the ledger back: every entry passes through the hook once, in order.
    pub(super) fn resume(home: Home, parts: Parts) -> Result<Self, StartError> {
        let Parts { limits, clock, origin, tick_ms, mut hooks, outlet, counters } = parts;
        let Home { ledger, log, receipt, _lock, .. } = home;
        let mut intake = Intake::new(limits);
        let mut last_tick = Timestamp::default();
        let mut frontier = Frontier::default();
        let mut next = 0;
        loop {
            let stored = ledger.stored_since(next, REPLAY_ENTRIES)?;
            let Some(last) = stored.last() else { break };
            next = last.index + 1;
            for stored in &stored {
                frontier.push(stored.leaf());
                check_own(stored, &log)?;
            }
            let entries = stored.iter().map(crate::ledger::read_back);
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            for (entry, stored) in entries.iter().zip(&stored) {
                match &entry.body {
                    Body::Fact(fact) => {
                        intake.learn(fact);
                        if *fact == Fact::Tick {
                            last_tick = entry.committed_at;
                        }
                    }
                    Body::Record { record, .. } => {
                        if let Ok(key) = peek_kid(&stored.sealed) {
                            intake.resume_key(&record.terminal, key);
                        }
                    }
                    Body::Refused { .. } => {}
                }
            }
            (hooks.on_committed)(&entries);
        }
        if frontier.root() != ledger.root() {
            return Err(StartError::Contradiction);
        }
        for (terminal, head) in ledger.heads()? {
            intake.resume_head(terminal, head);
        }
        for (terminal, kept) in ledger.refusals()? {
            intake.resume_evidence(terminal, kept);
        }
        info!(ledger.size = ledger.size(), "Read the ledger back.");
        Ok(Self {
            ledger,
            log,
            receipt,
            intake,
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
                    Channel::Records => self.take_records(&terminal, payload, work)?,
                    Channel::Ask => self.answer_time(terminal, &payload),
                    Channel::Status => self.pass_status(&terminal, &payload),
                    Channel::Answers => {}
                }
            }
            Inbound::State { facts, reply } => match check_facts(&facts, &self.log) {
                Ok(()) => {
                    let first = work.steps.iter().filter(|step| becomes_entry(step)).count()
                        + work.facts.len();
                    work.statements.push(Statement { facts: facts.len(), first, reply });
                    work.parcels += facts.len();
                    for fact in facts {
                        self.intake.learn(&fact);
                        work.facts.push_back((work.steps.len(), fact));
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
                drop(reply.send(seal_statement(&checkpoint, &self.log)));
            }
            Inbound::Stop => return Ok(true),
        }
        Ok(false)
    }

    fn take_records(
        &mut self,
        terminal: &TerminalId,
        payload: Payload,
        work: &mut Work,
    ) -> Result<(), CoreError> {
        let (evidence, detail) = match payload {
            Payload::TooLong(evidence) => {
                let detail = format!("a message of {} bytes", evidence.bytes());
                (evidence, detail)
            }
            Payload::Whole(bytes) => match Batch::decode(&bytes) {
                Ok(Batch(parcels)) => {
                    work.parcels += parcels.len();
                    for parcel in parcels {
                        work.steps.extend(self.intake.offer(terminal, parcel, &*self.ledger)?);
                    }
                    return Ok(());
                }
                Err(error) => (Evidence::of(&bytes), error.to_string()),
            },
        };
        work.parcels += 1;
        work.steps.push(self.intake.garbage(terminal, evidence, &detail, &*self.ledger)?);
        Ok(())
    }

    fn answer_time(&mut self, terminal: TerminalId, payload: &Payload) {
        // Anything but sixteen bytes of a registered terminal is no question: no answer, no harm.
        let Payload::Whole(bytes) = payload else { return };
        let Ok(nonce) = <[u8; 16]>::try_from(bytes.as_slice()) else { return };
        if self.intake.head(&terminal).is_some() {
            let topic = Channel::Answers.of(&terminal);
            let answer = TimeAnswer { terminal, nonce, at: self.clock.now() };
            self.outlet.publish(topic, seal_statement(&answer, &self.receipt));
        }
    }

    fn pass_status(&mut self, terminal: &TerminalId, payload: &Payload) {
        let Payload::Whole(bytes) = payload else { return };
        if bytes.len() <= STATUS_BYTES_MAX && self.intake.head(terminal).is_some() {
            (self.hooks.on_status)(terminal, bytes);
        }
    }

    fn tick_if_due(&mut self, work: &mut Work) {
        let Some(tick_ms) = self.tick_ms else { return };
        let now = self.clock.now();
        if now.ms_since(self.last_tick) >= i64::try_from(tick_ms).unwrap_or(i64::MAX) {
            self.last_tick = now;
            work.facts.push_back((work.steps.len(), Fact::Tick));
        }
    }

    /// Commits, and only then answers.
    fn finish(&mut self, work: Work) -> Result<(), CoreError> {
        let Work { steps, mut facts, statements, tickets, .. } = work;
        self.count(&steps);
        let entries = steps.iter().filter(|step| becomes_entry(step)).count() + facts.len();
        let size = self.ledger.size() + entries as u64;
        let at = self.clock.now().max(self.ledger.last_committed_at());
        let answers = answers(&steps, size, at);

        let mut items = Vec::with_capacity(entries);
        let before = steps.len();
        for (place, step) in steps.into_iter().enumerate() {
            while let Some((_, fact)) = facts.pop_front_if(|(steps, _)| *steps <= place) {
                items.push(Item::Fact(fact));
            }
            match step {
                Step::Commit(admitted) => items.push(Item::Record(admitted)),
                Step::Keep { refused, .. } => items.push(Item::Refused(refused)),
                Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {}
            }
        }
        debug_assert!(facts.iter().all(|(steps, _)| *steps == before), "facts keep their order");
        items.extend(facts.into_iter().map(|(_, fact)| Item::Fact(fact)));

        let mut committed = Vec::new();
        if !items.is_empty() {
            let last = self.ledger.last_committed_at();
            let staged = Staged::seal(items, at, last, &self.log).map_err(CoreError::Stage)?;
            // A crash before this line leaves everything unanswered and unacknowledged: it comes
            // again. A crash after it leaves entries without receipts: their terminals offer them
            // again, and are answered as duplicates.
            committed = self.ledger.commit(staged)?;
            self.intake.committed();
        }
        for answer in &answers {
            let sealed = match answer {
                Answer::Receipt(receipt) => receipt.seal(&self.receipt),
                Answer::Wanted(wanted) => seal_statement::<Wanted>(wanted, &self.receipt),
            };
            self.outlet.publish(Channel::Answers.of(answer.terminal()), sealed);
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

fn becomes_entry(step: &Step) -> bool {
    match step {
        Step::Commit(_) | Step::Keep { .. } => true,
        Step::Again(_) | Step::Want { .. } | Step::Count { .. } => false,
    }
}
