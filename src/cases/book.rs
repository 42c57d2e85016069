//! The cases of a running centre: what was found and what was done, kept in short and gathered as it comes.
//! Some 500 bytes for each anomaly; a province's year of them fits in some tens of mebibytes.

use super::{Brief, Cases, Found, Gathered, ReadError, Stated};
use crate::domain::Fact;
use crate::ledger::{Body, Entry};

/// Anomalies read at once.
const READ_ANOMALIES: usize = 500;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Book {
    found: Vec<Brief>,
    steps: Vec<Stated>,
    gathered: Gathered,
    /// Whether all must be gathered anew, at the next question.
    stale: bool,
}

impl Book {
    /// With all anomalies of a store; the steps come with the ledger's entries.
    pub fn read(store: &dyn Cases) -> Result<Self, ReadError> {
        let mut book = Self::default();
        loop {
            let after = book.newest();
            let page = store.after(after, READ_ANOMALIES)?;
            if page.is_empty() {
                return Ok(book);
            }
            book.find(&page);
        }
    }

    /// Takes in what was found, in that order.
    pub fn find(&mut self, found: &[Found]) {
        for brief in found.iter().map(Brief::of) {
            if !self.stale {
                self.gathered.find(&brief);
            }
            self.found.push(brief);
        }
    }

    /// Takes in an entry of the ledger; only steps change anything.
    pub fn apply(&mut self, entry: &Entry) {
        if let Body::Fact(Fact::CaseStep(step)) = &entry.body {
            let (index, at) = (entry.index, entry.committed_at);
            let stated = Stated { index, at, step: step.clone() };
            self.stale = self.stale || !self.gathered.step(&stated);
            self.steps.push(stated);
        }
    }

    /// Whether this step is in the ledger.
    pub fn has_step(&self, id: &[u8; 16]) -> bool {
        self.steps.iter().any(|stated| stated.step.id == *id)
    }

    /// The number of the newest anomaly; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.found.last().map_or(0, |brief| brief.number)
    }

    /// What was done, in the ledger's order.
    pub fn steps(&self) -> &[Stated] {
        &self.steps
    }

    /// All cases as they are now.
    pub fn gathered(&mut self) -> &Gathered {
        if self.stale {
            self.gathered = Gathered::of(&self.found, &self.steps);
            self.stale = false;
        }
        &self.gathered
    }

    /// The same, where nothing more comes.
    pub fn into_gathered(mut self) -> Gathered {
        self.gathered();
        self.gathered
    }
}
