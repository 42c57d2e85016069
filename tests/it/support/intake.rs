//! An intake beside a ledger that only remembers, and what its steps say.

use std::collections::HashMap;
use std::convert::Infallible;

use rollcall::domain::{Refusal, TerminalId};
use rollcall::ingest::{Head, Intake, Limits, Link, Past, Step};
use rollcall::record::{Parcel, Record, SealedHash};

use super::pen::Pen;

/// An intake with a ledger that only remembers.
pub(crate) struct Centre {
    pub(crate) intake: Intake,
    pub(crate) past: Remembered,
}

#[derive(Default)]
pub(crate) struct Remembered {
    links: HashMap<(TerminalId, u64), Link>,
    refused: HashMap<(TerminalId, SealedHash), String>,
}

impl Past for Remembered {
    type Error = Infallible;
    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, Infallible> {
        Ok(self.links.get(&(terminal.clone(), seq)).cloned())
    }
    fn refused(&self, t: &TerminalId, hash: SealedHash) -> Result<Option<String>, Infallible> {
        Ok(self.refused.get(&(t.clone(), hash)).cloned())
    }
}

impl Centre {
    pub(crate) fn knowing(pens: &[&Pen]) -> Self {
        Self::with(pens, Limits::default())
    }

    pub(crate) fn with(pens: &[&Pen], limits: Limits) -> Self {
        let mut intake = Intake::new(limits);
        for pen in pens {
            intake.learn(&pen.registration());
        }
        Self { intake, past: Remembered::default() }
    }

    /// Offers under the name that the record itself has.
    pub(crate) fn offer(&mut self, parcel: &Parcel) -> Vec<Step> {
        let named = Record::peek(parcel.sealed.bytes()).map(|(record, _)| record.terminal);
        self.offer_as(&named.unwrap_or("t-1".parse().unwrap()), parcel)
    }

    /// Offers and commits.
    pub(crate) fn offer_as(&mut self, topic: &TerminalId, parcel: &Parcel) -> Vec<Step> {
        let steps = self.intake.offer(topic, parcel.clone(), &self.past).unwrap();
        for step in &steps {
            match step {
                Step::Commit(admitted) => self.link(topic, admitted.head(), None),
                Step::Keep { refused, .. } => {
                    let code = refused.refusal().code().to_owned();
                    let hash = refused.evidence().hash();
                    self.past.refused.insert((topic.clone(), hash), code.clone());
                    if let Some(head) = refused.takes() {
                        self.link(topic, head, Some(code));
                    }
                }
                Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {}
            }
        }
        self.intake.committed();
        steps
    }

    pub(crate) fn link(&mut self, terminal: &TerminalId, head: Head, refused: Option<String>) {
        let link = Link { hash: head.hash, refused };
        assert!(self.past.links.insert((terminal.clone(), head.seq), link).is_none(), "twice");
    }

    pub(crate) fn head(&self, pen: &Pen) -> u64 {
        self.intake.head(&pen.terminal).unwrap().seq
    }
}

#[track_caller]
pub(crate) fn refusal(steps: &[Step]) -> Refusal {
    match steps {
        [Step::Keep { refused, .. }] => refused.refusal().clone(),
        other => panic!("not one refusal: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn admitted(steps: &[Step]) -> Vec<u64> {
    let seq = |step: &Step| match step {
        Step::Commit(admitted) => admitted.head().seq,
        Step::Keep { .. } | Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {
            panic!("not admitted: {step:?}")
        }
    };
    steps.iter().map(seq).collect()
}
