//! What the collector's core decides: messages in, one commit, sealed answers out. No thread, no
//! clock, no network: the core's thread (`core.rs`) runs it, and the simulation of a voyage runs the
//! very same.
//!
//! **Commit, then answer.** [`Office::settle`] gives an answer only after the ledger has said that
//! the commit is durable. If it fails, this state is ahead of the ledger and must be thrown away.

use std::collections::{BTreeSet, VecDeque};

use super::CoreError;
use super::platforms::{Platforms, Reason};
use crate::domain::{Fact, PlatformId, TerminalId, Timestamp};
#[cfg(feature = "testing")]
use crate::ingest::Head;
use crate::ingest::{Answer, Evidence, Intake, Limits, Past, Step, answers};
use crate::ledger::{Body, Entry, Item, Ledger, ReadError, Staged};
#[cfg(feature = "testing")]
use crate::record::SealedHash;
use crate::record::{Batch, SigningKey, TimeAnswer, Wanted, peek_kid, seal_statement};

/// What a message holds. Too long ones are cut where they come in, so that the queue is bounded in
/// bytes and not only in messages.
pub enum Payload {
    /// All of it.
    Whole(Vec<u8>),
    /// The beginning of it.
    TooLong(Evidence),
}

/// What was taken in since the last commit.
#[derive(Default)]
pub struct Taken {
    steps: Vec<Step>,
    /// The facts, each with the number of steps before it: order is kept.
    facts: VecDeque<(usize, Fact)>,
    /// Platforms that are to be told what is there.
    reported: BTreeSet<PlatformId>,
}

impl Taken {
    /// What was judged.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many entries of the ledger it becomes.
    pub fn entries(&self) -> usize {
        self.steps.iter().filter(|step| becomes_entry(step)).count() + self.facts.len()
    }

    /// In the order in which it came.
    fn into_items(self) -> Vec<Item> {
        let Self { steps, mut facts, reported: _ } = self;
        let mut items = Vec::with_capacity(steps.len() + facts.len());
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
        items.extend(facts.into_iter().map(|(_, fact)| Item::Fact(fact)));
        items
    }
}

/// What is told after a commit.
pub struct Settled {
    /// The new entries.
    pub committed: Vec<Entry>,
    /// Sealed answers, and to whom.
    pub answers: Vec<(TerminalId, Vec<u8>)>,
    /// Sealed answers to platforms.
    pub taken: Vec<(PlatformId, Vec<u8>)>,
}

/// The state between messages, with the centre's keys.
pub struct Office {
    intake: Intake,
    platforms: Platforms,
    log: SigningKey,
    receipt: SigningKey,
    /// How the receipt keys of before led to this one, sealed, the oldest first.
    handovers: Vec<Vec<u8>>,
    /// Who was told of them, in this life of the program.
    told: BTreeSet<TerminalId>,
}

impl Office {
    /// Knows nobody yet: then every entry of the ledger is remembered, and the rest resumed.
    pub fn new(limits: Limits, log: SigningKey, receipt: SigningKey) -> Self {
        let (handovers, told) = (Vec::new(), BTreeSet::new());
        let (intake, platforms) = (Intake::new(limits), Platforms::default());
        Self { intake, platforms, log, receipt, handovers, told }
    }

    /// Terminals that pin an earlier receipt key are led on by these, the oldest first.
    #[must_use]
    pub fn leading_on(mut self, handovers: Vec<Vec<u8>>) -> Self {
        self.handovers = handovers;
        self
    }

    /// Takes note of an entry that the ledger holds already, and of the key that sealed it.
    pub fn remember(&mut self, entry: &Entry, sealed: &[u8]) {
        match &entry.body {
            Body::Fact(fact) => {
                self.intake.learn(fact);
                self.platforms.learn(fact);
            }
            Body::Record { record, .. } => {
                if let Ok(key) = peek_kid(sealed) {
                    self.intake.resume_key(&record.terminal, key);
                }
            }
            Body::Refused { .. } => {}
        }
    }

    /// Goes on where the ledger ends, once all of it is remembered.
    pub fn resume<L: Ledger + ?Sized>(&mut self, ledger: &L) -> Result<(), ReadError> {
        for (terminal, head) in ledger.heads()? {
            self.intake.resume_head(terminal, head);
        }
        for (terminal, kept) in ledger.refusals()? {
            self.intake.resume_evidence(terminal, kept);
        }
        Ok(())
    }

    /// The key that seals what the centre states.
    pub fn log(&self) -> &SigningKey {
        &self.log
    }

    /// Whether this terminal is registered.
    pub fn knows(&self, terminal: &TerminalId) -> bool {
        self.intake.head(terminal).is_some()
    }

    /// Judges a message with records, and says how many they were.
    pub fn take_records<P: Past + ?Sized>(
        &mut self,
        topic: &TerminalId,
        payload: Payload,
        past: &P,
        taken: &mut Taken,
    ) -> Result<usize, P::Error> {
        let (evidence, detail) = match payload {
            Payload::TooLong(evidence) => {
                let detail = format!("a message of {} bytes", evidence.bytes());
                (evidence, detail)
            }
            Payload::Whole(bytes) => match Batch::decode(&bytes) {
                Ok(Batch(parcels)) => {
                    let count = parcels.len();
                    for parcel in parcels {
                        taken.steps.extend(self.intake.offer(topic, parcel, past)?);
                    }
                    return Ok(count);
                }
                Err(error) => (Evidence::of(&bytes), error.to_string()),
            },
        };
        taken.steps.push(self.intake.garbage(topic, evidence, &detail, past)?);
        Ok(1)
    }

    /// Judges a platform's report. One that is not taken because another is missing before it is answered all
    /// the same, so that its platform knows where to go on; whatever else is not taken gets no answer.
    pub fn take_report(
        &mut self,
        topic: &PlatformId,
        payload: &Payload,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<usize, Reason> {
        let Payload::Whole(bytes) = payload else { return Err(Reason::Unsigned) };
        let judged = self.platforms.take(topic, bytes, now);
        if matches!(judged, Ok(_) | Err(Reason::Gap)) {
            taken.reported.insert(topic.clone());
        }
        let facts = judged?;
        let count = facts.len();
        for fact in facts {
            taken.facts.push_back((taken.steps.len(), fact));
        }
        Ok(count)
    }

    /// The sealed answer to a question for the time, behind what leads to the key that it is sealed
    /// with. Anything but sixteen bytes of a registered terminal is no question: no answer, no harm.
    pub fn answer_time(
        &self,
        terminal: &TerminalId,
        payload: &Payload,
        at: Timestamp,
    ) -> Vec<Vec<u8>> {
        let Payload::Whole(bytes) = payload else { return Vec::new() };
        let nonce = <[u8; 16]>::try_from(bytes.as_slice());
        let (Ok(nonce), Some(head)) = (nonce, self.intake.head(terminal)) else {
            return Vec::new();
        };
        let answer = TimeAnswer { terminal: terminal.clone(), nonce, at, head: Some(head.seq) };
        let mut answers = self.handovers.clone();
        answers.push(seal_statement(&answer, &self.receipt));
        answers
    }

    /// A mistake for the simulation to notice: believes that a chain ends just before this place.
    #[cfg(feature = "testing")]
    pub(crate) fn skip_to(&mut self, terminal: &TerminalId, seq: u64, prev: SealedHash) {
        let head = Head { seq: seq.saturating_sub(1), hash: prev };
        if self.intake.head(terminal).is_some_and(|known| known.seq < head.seq) {
            self.intake.resume_head(terminal.clone(), head);
        }
    }

    /// States a fact, behind all that was taken before.
    pub fn state(&mut self, fact: Fact, taken: &mut Taken) {
        self.intake.learn(&fact);
        self.platforms.learn(&fact);
        taken.facts.push_back((taken.steps.len(), fact));
    }

    /// Commits, and only then gives the answers.
    pub fn settle<L: Ledger + ?Sized>(
        &mut self,
        taken: Taken,
        ledger: &mut L,
        now: Timestamp,
    ) -> Result<Settled, CoreError> {
        let last = ledger.last_committed_at();
        let size = ledger.size() + taken.entries() as u64;
        let answers = answers(&taken.steps, size, now.max(last));
        let reported = taken.reported.clone();
        let items = taken.into_items();
        let mut committed = Vec::new();
        if !items.is_empty() {
            let staged = Staged::seal(items, now, last, &self.log).map_err(CoreError::Stage)?;
            // A crash before this line leaves everything unanswered and unacknowledged: it comes
            // again. A crash after it leaves entries without receipts: their terminals offer them
            // again, and are answered as duplicates.
            committed = ledger.commit(staged)?;
            self.intake.committed();
        }
        let mut sealed = Vec::with_capacity(answers.len());
        for answer in &answers {
            let (terminal, answer) = self.seal(answer);
            // It asks for the time at its next connection; until then it would not understand this.
            if !self.handovers.is_empty() && self.told.insert(terminal.clone()) {
                sealed.extend(self.handovers.iter().map(|over| (terminal.clone(), over.clone())));
            }
            sealed.push((terminal, answer));
        }
        let at = now.max(last);
        let told = reported.iter().filter_map(|platform| {
            let answer = self.platforms.answer(platform, &self.receipt, at)?;
            Some((platform.clone(), answer))
        });
        Ok(Settled { committed, answers: sealed, taken: told.collect() })
    }

    fn seal(&self, answer: &Answer) -> (TerminalId, Vec<u8>) {
        let sealed = match answer {
            Answer::Receipt(receipt) => receipt.seal(&self.receipt),
            Answer::Wanted(wanted) => seal_statement::<Wanted>(wanted, &self.receipt),
        };
        (answer.terminal().clone(), sealed)
    }
}

fn becomes_entry(step: &Step) -> bool {
    match step {
        Step::Commit(_) | Step::Keep { .. } => true,
        Step::Again(_) | Step::Want { .. } | Step::Count { .. } => false,
    }
}
