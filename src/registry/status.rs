//! Dated states. All of them are kept: what held at a moment is asked for that moment, so a state
//! that came later changes nothing of what was before it.

use std::collections::BTreeMap;

use crate::domain::{Aspect, Status, Subject, Timestamp};

/// A status together with when the centre learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The status.
    pub status: Status,
    /// The centre's time when it was stated.
    pub stated_at: Timestamp,
}

/// All states that were ever stated.
#[derive(Debug, Clone, Default)]
pub(super) struct Statuses(BTreeMap<Subject, Vec<Stated>>);

impl Statuses {
    /// The same state of the same moment again replaces its term and basis, and is as old as before.
    pub(super) fn state(&mut self, status: Status, stated_at: Timestamp) {
        let all = self.0.entry(status.of.clone()).or_default();
        let same =
            |old: &Stated| (old.status.aspect(), old.status.from) == (status.aspect(), status.from);
        match all.iter().position(same) {
            Some(at) if all[at].status.state == status.state => all[at].status = status,
            Some(at) => all[at] = Stated { status, stated_at },
            None => all.push(Stated { status, stated_at }),
        }
        all.sort_by_key(|stated| stated.status.from);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Stated> {
        self.0.values().flatten()
    }

    pub(super) fn of(&self, subject: &Subject) -> &[Stated] {
        self.0.get(subject).map_or(&[], Vec::as_slice)
    }

    pub(super) fn at(&self, subject: &Subject, aspect: Aspect, at: Timestamp) -> Option<&Stated> {
        let mut before = self.of(subject).iter().rev();
        before.find(|stated| stated.status.aspect() == aspect && stated.status.from <= at)
    }
}
