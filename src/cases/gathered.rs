//! All cases at one moment: gathered from both lists at once, or carried on as something comes.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::{Brief, Case, Lived, Stated, Subject, lived};
use crate::domain::{AnomalyKind, CaseId, Step};

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Gathered {
    cases: Vec<Case>,
    /// The places of a subject's cases.
    of_subject: HashMap<Subject, Vec<usize>>,
    /// The place of the case that holds an anomaly, by what a case opened by it would be called.
    holds: HashMap<CaseId, usize>,
    /// Steps about anomalies that were not found yet.
    early: HashMap<CaseId, Vec<Stated>>,
    lived: OnceLock<BTreeMap<AnomalyKind, Lived>>,
}

impl Gathered {
    /// Gathers what was found, in the order of finding, with what was done, in the ledger's order.
    ///
    /// A step belongs to the case that holds the anomaly by which it names its case. That is the one that
    /// opened it, unless the store was made anew by other rules, which may find another one first.
    pub fn of(found: &[Brief], steps: &[Stated]) -> Self {
        let mut gathered = Self::default();
        for stated in steps {
            gathered.early.entry(stated.step.case).or_default().push(stated.clone());
        }
        found.iter().for_each(|brief| gathered.find(brief));
        gathered
    }

    /// Takes in one more anomaly.
    pub fn find(&mut self, brief: &Brief) {
        let of_subject = self.of_subject.entry(brief.subject.clone()).or_default();
        let taker = of_subject.iter().rev().copied().find(|&it| self.cases[it].takes(brief));
        let place = taker.unwrap_or_else(|| {
            of_subject.push(self.cases.len());
            self.cases.push(Case::opened_by(brief));
            self.cases.len() - 1
        });
        let (case, name) = (&mut self.cases[place], CaseId::opened_by(brief.id));
        case.anomalies.push(brief.clone());
        self.holds.insert(name, place);
        if let Some(early) = self.early.remove(&name) {
            case.steps.extend(early);
            case.steps.sort_by_key(|stated| stated.index);
            self.lived = OnceLock::new();
        }
    }

    /// Takes in one more step. `false`: it is a verdict on less than what the case holds by now, and all must
    /// be gathered anew.
    #[must_use]
    pub fn step(&mut self, stated: &Stated) -> bool {
        self.lived = OnceLock::new();
        let Some(&place) = self.holds.get(&stated.step.case) else {
            self.early.entry(stated.step.case).or_default().push(stated.clone());
            return true;
        };
        let case = &mut self.cases[place];
        case.steps.push(stated.clone());
        match stated.step.step {
            Step::Judged { anomalies, .. } => {
                usize::try_from(anomalies).is_ok_and(|judged| case.anomalies.len() <= judged)
            }
            Step::Taken
            | Step::Commented
            | Step::Snoozed { .. }
            | Step::Appealed { .. }
            | Step::Reopened => true,
        }
    }

    /// In the order of their opening.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// A case by its name, or by any anomaly in it.
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.holds.get(&id).map(|&place| &self.cases[place])
    }

    /// The cases whose name begins with `start`.
    pub fn beginning_with(&self, start: &str) -> Vec<&Case> {
        self.cases.iter().filter(|case| case.id.to_string().starts_with(start)).collect()
    }

    /// What each rule has lived.
    pub fn lived(&self) -> &BTreeMap<AnomalyKind, Lived> {
        self.lived.get_or_init(|| lived(&self.cases))
    }
}
