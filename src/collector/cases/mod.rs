//! What people do about cases, joined to the ledger: a step is judged and stated by whoever holds the ledger,
//! the running collector or, while none runs, the command itself (docs/decisions/0028).
//!
//! ```text
//! rollcall cases … ─► step (a file) ─► may it be? ─► fact ─► book of cases ─► page, notifications
//! ```

#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::task::spawn_blocking;

pub use view::{Teller, step_word};

use super::wishes::{Folder, FolderError};
use super::{StateError, Stater, Store, Watch};
use crate::cases::{self, Book, Cases, Found, Gathered, may};
use crate::domain::{CaseId, CaseStep, Fact, PersonId, Timestamp};
use crate::ledger::{OpenLedgerError, ReadError, each_entry};
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;
use crate::registry::Registry;
use crate::web::{self, CaseLine, CaseView, LivedView};

/// How often it is looked for steps.
const LOOK: Duration = Duration::from_millis(500);

/// In the collector's folder.
const FOLDER: &str = "case-steps";

/// The folder in which steps wait for the running collector.
pub fn waiting(data_dir: &std::path::Path) -> Result<Folder<CaseStep>, FolderError> {
    Folder::open(data_dir, FOLDER)
}

/// The name of a waiting step.
pub fn name_of(step: &CaseStep) -> String {
    HEXLOWER.encode(&step.id)
}

/// A step could not be stated.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Its file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its fact.
    #[error("could not state a step of a case")]
    State(#[from] StateError),
}

/// States the steps that wait, while a collector runs.
pub struct Steps {
    /// The cases.
    pub watch: Watch,
    /// What waits.
    pub waiting: Folder<CaseStep>,
    /// States facts.
    pub stater: Stater,
}

impl Steps {
    /// States each waiting step that may be, and removes it. One that was stated before a crash is not
    /// stated again.
    pub fn look(&self, now: Timestamp) -> Result<(), StepError> {
        for (name, step) in self.waiting.all()? {
            let judged = self.watch.ask(|book, _| {
                let stated = book.has_step(&step.id);
                (!stated).then(|| may(book.gathered().case(step.case), &step, now))
            });
            match judged {
                Some(Ok(())) => drop(self.stater.state(vec![Fact::CaseStep(step)])?),
                Some(Err(denied)) => {
                    tracing::warn!("Passed over a step of a case: {}.", Chain(&denied));
                }
                None => {}
            }
            self.waiting.forget(&name)?;
        }
        Ok(())
    }
}

/// Looks for ever.
pub async fn serve(steps: Steps, clock: Arc<dyn Clock>) {
    let steps = Arc::new(steps);
    let mut pace = tokio::time::interval(LOOK);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let (steps, clock) = (Arc::clone(&steps), Arc::clone(&clock));
        match spawn_blocking(move || steps.look(clock.now())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("Could not state a step: {}.", Chain(&error)),
            // The program is about to end.
            Err(_) => return std::future::pending().await,
        }
    }
}

/// The cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// The ledger does not open.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// The ledger cannot be read.
    #[error("could not read the ledger")]
    Ledger(#[from] ReadError),
    /// The anomalies do not open.
    #[error("could not open the anomalies")]
    OpenCases(#[from] cases::OpenError),
    /// The anomalies cannot be read.
    #[error("could not read the anomalies")]
    Cases(#[from] cases::ReadError),
}

/// The cases as they lie in a store, whether a collector runs or not.
pub struct Reading {
    /// The cases.
    pub gathered: Gathered,
    /// What the ledger says.
    pub registry: Registry,
    store: Box<dyn Cases>,
}

impl Reading {
    /// Reads ledger and anomalies once.
    pub fn of(store: &Store) -> Result<Self, ReadingError> {
        let cases = store.open_cases()?;
        let mut book = Book::read(&*cases)?;
        let ledger = store.read_ledger()?;
        let mut registry = Registry::default();
        each_entry(&*ledger, |entry| {
            registry.apply(entry);
            book.apply(entry);
        })?;
        Ok(Self { gathered: book.into_gathered(), registry, store: cases })
    }

    /// Whether this step is in the ledger.
    pub fn has_step(&self, id: &[u8; 16]) -> bool {
        let steps = self.gathered.cases().iter().flat_map(|case| &case.steps);
        steps.into_iter().any(|stated| stated.step.id == *id)
    }

    /// What is stored of a case's anomalies.
    pub fn found(&self, case: &cases::Case) -> Result<Vec<Found>, cases::ReadError> {
        found(case, |id| self.store.by_id(id))
    }

    /// Everybody whom a case names.
    pub fn people(&self, case: &cases::Case) -> Result<Vec<PersonId>, cases::ReadError> {
        let found = self.found(case)?;
        let mut people: Vec<_> = found.into_iter().flat_map(|it| it.anomaly.who).collect();
        people.sort_unstable();
        people.dedup();
        Ok(people)
    }
}

fn found(
    case: &cases::Case,
    by_id: impl Fn(crate::domain::AnomalyId) -> Result<Option<Found>, cases::ReadError>,
) -> Result<Vec<Found>, cases::ReadError> {
    case.anomalies.iter().filter_map(|brief| by_id(brief.id).transpose()).collect()
}

/// The cases as the page reads them.
pub struct Desk(pub Watch);

impl Desk {
    fn told<T>(&self, now: Timestamp, tell: impl FnOnce(&Teller<'_>) -> T) -> T {
        self.0.ask(|book, announcer| {
            let called = |person: &PersonId| announcer.names().of(person);
            let (gathered, registry) = (book.gathered(), announcer.registry());
            tell(&Teller { gathered, registry, called: &called, now })
        })
    }
}

impl web::Cases for Desk {
    fn lines(&self, now: Timestamp) -> Result<Vec<CaseLine>, web::EntriesError> {
        Ok(self.told(now, |teller| teller.lines()))
    }

    fn case(&self, id: CaseId, now: Timestamp) -> Result<Option<CaseView>, web::EntriesError> {
        let case = self.0.ask(|book, _| book.gathered().case(id).cloned());
        let Some(case) = case else { return Ok(None) };
        let found = found(&case, |id| self.0.found(id))?;
        Ok(Some(self.told(now, |teller| teller.case(&case, &found))))
    }

    fn lived(&self) -> Result<Vec<LivedView>, web::EntriesError> {
        Ok(self.told(Timestamp::default(), |teller| teller.lived()))
    }
}
