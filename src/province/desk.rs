//! The centre of a made province: whatever comes is judged by the same admission as real records and
//! committed to a true ledger, with the times of the simulated clock. Many batches, each with its own
//! time, go to the disk in one transaction: nobody waits for a receipt here, and a run that is broken
//! off is begun anew.

use super::coming::{Coming, What};
use super::{MadeWorld, MakeError};
use crate::domain::{Fact, Timestamp};
use crate::ingest::{Intake, Limits, Step};
use crate::ledger::{Item, Ledger, Staged};
use crate::record::SigningKey;

/// Entries that go to the disk together.
const COMMIT_ENTRIES: usize = 4_096;
/// How often the centre states that time has passed.
const TICK_MS: i64 = 3_600_000;

/// See the file's head.
pub(super) struct Desk {
    intake: Intake,
    log: SigningKey,
    ledger: Box<dyn Ledger>,
    held: Staged,
    next_tick: Timestamp,
    pub(super) made: MadeWorld,
}

impl Desk {
    /// A centre that begins to work at `opens`.
    pub(super) fn new(
        ledger: Box<dyn Ledger>,
        log: SigningKey,
        opens: Timestamp,
    ) -> Result<Self, MakeError> {
        let held = Staged::seal([], opens, opens, &log).map_err(MakeError::Stage)?;
        let intake = Intake::new(Limits::default());
        let made = MadeWorld::default();
        Ok(Self { intake, log, ledger, held, next_tick: opens.plus_ms(TICK_MS), made })
    }

    /// Takes in what comes, in the order of time.
    pub(super) fn take(&mut self, coming: Coming) -> Result<(), MakeError> {
        self.pass_until(coming.at)?;
        match coming.what {
            What::Facts(facts) => self.state(facts, coming.at),
            What::Parcels { topic, parcels, .. } => {
                let mut items = Vec::with_capacity(parcels.len());
                for parcel in parcels {
                    for step in self.intake.offer(&topic, parcel, &*self.ledger)? {
                        items.extend(self.count(step));
                    }
                }
                self.hold(items, coming.at)
            }
        }
    }

    /// States facts.
    pub(super) fn state(&mut self, facts: Vec<Fact>, at: Timestamp) -> Result<(), MakeError> {
        facts.iter().for_each(|fact| self.intake.learn(fact));
        self.made.facts += facts.len() as u64;
        self.hold(facts.into_iter().map(Item::Fact).collect(), at)
    }

    /// Lets time pass at the centre.
    pub(super) fn pass_until(&mut self, at: Timestamp) -> Result<(), MakeError> {
        while self.next_tick <= at {
            let tick = self.next_tick;
            self.next_tick = tick.plus_ms(TICK_MS);
            self.state(vec![Fact::Tick], tick)?;
        }
        Ok(())
    }

    fn count(&mut self, step: Step) -> Option<Item> {
        match step {
            Step::Commit(admitted) => {
                self.made.records += 1;
                Some(Item::Record(admitted))
            }
            Step::Keep { refused, .. } => {
                *self.made.refused.entry(refused.refusal().code()).or_default() += 1;
                Some(Item::Refused(refused))
            }
            Step::Again(_) => {
                self.made.repeated += 1;
                None
            }
            Step::Want { .. } => {
                self.made.waiting += 1;
                None
            }
            Step::Count { .. } => None,
        }
    }

    fn hold(&mut self, items: Vec<Item>, at: Timestamp) -> Result<(), MakeError> {
        let staged = Staged::seal(items, at, self.held.at(), &self.log);
        self.held.append(staged.map_err(MakeError::Stage)?);
        if self.held.len() >= COMMIT_ENTRIES {
            self.commit()?;
        }
        Ok(())
    }

    /// Brings to the disk what is held.
    pub(super) fn commit(&mut self) -> Result<(), MakeError> {
        let at = self.held.at();
        let empty = Staged::seal([], at, at, &self.log).map_err(MakeError::Stage)?;
        let held = std::mem::replace(&mut self.held, empty);
        // A crash in here leaves a world that ends early; it has no labels yet, so `evaluate` refuses it.
        self.ledger.commit(held)?;
        self.intake.committed();
        Ok(())
    }
}
