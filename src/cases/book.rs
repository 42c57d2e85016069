//! The cases of a running centre: what was found and what was done, kept in short, and gathered anew only when
//! something has come. Some 200 bytes for each anomaly; a province's year of them fits in a few mebibytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Brief, Case, Cases, Found, Lived, ReadError, Stated, gather, lived};
use crate::domain::{AnomalyKind, CaseId, Fact};
use crate::ledger::{Body, Entry};

/// Anomalies read at once.
const READ_ANOMALIES: usize = 500;

/// All cases at one moment.
#[derive(Debug, Default)]
pub struct Gathered {
    /// In the order of their opening.
    pub cases: Vec<Case>,
    /// What each rule has lived.
    pub lived: BTreeMap<AnomalyKind, Lived>,
}

impl Gathered {
    /// A case by its name, or by any anomaly in it.
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        let holds = |case: &&Case| case.anomalies.iter().any(|it| CaseId::opened_by(it.id) == id);
        self.cases.iter().find(|case| case.id == id).or_else(|| self.cases.iter().find(holds))
    }

    /// The cases whose name begins with `start`.
    pub fn beginning_with(&self, start: &str) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.id.to_string().starts_with(start)).collect()
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Book {
    found: Vec<Brief>,
    steps: Vec<Stated>,
    /// `None`: something has come since.
    gathered: Option<Arc<Gathered>>,
}

impl Book {
    /// With all anomalies of a store; the steps come with the ledger's entries.
    pub fn read(store: &dyn Cases) -> Result<Self, ReadError> {
        let mut book = Self::default();
        loop {
            let after = book.found.last().map_or(0, |brief| brief.number);
            let page = store.after(after, READ_ANOMALIES)?;
            if page.is_empty() {
                return Ok(book);
            }
            book.find(&page);
        }
    }

    /// Takes in what was found, in that order.
    pub fn find(&mut self, found: &[Found]) {
        if !found.is_empty() {
            self.found.extend(found.iter().map(Brief::of));
            self.gathered = None;
        }
    }

    /// Takes in an entry of the ledger; only steps change anything.
    pub fn apply(&mut self, entry: &Entry) {
        if let Body::Fact(Fact::CaseStep(step)) = &entry.body {
            let (index, at) = (entry.index, entry.committed_at);
            self.steps.push(Stated { index, at, step: step.clone() });
            self.gathered = None;
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
    pub fn gathered(&mut self) -> Arc<Gathered> {
        let gathered = self.gathered.get_or_insert_with(|| {
            let cases = gather(&self.found, &self.steps);
            let lived = lived(&cases);
            Arc::new(Gathered { cases, lived })
        });
        Arc::clone(gathered)
    }
}
