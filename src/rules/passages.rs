//! Comings and goings: what several rules compare with one another, remembered once for all of them.
//!
//! A passage is a check-in or check-out that was accepted, of a person who is known, at a proven time.

use crate::domain::{Event, Outcome, PersonId, Policy};
use crate::ledger::{Body, Entry};
use crate::rules::moment::Moment;
use crate::rules::names::Numbers;
use crate::rules::window::{Seen, Window};

/// A coming or a going. Names are numbers: a province has a million of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) leaves: bool,
    pub(super) lesson: Option<u32>,
    pub(super) terminal: u32,
    pub(super) site: u32,
    uncertainty_ms: u32,
}

impl Mark {
    /// How far off its time may be, either way.
    pub(super) fn uncertainty_ms(self) -> i64 {
        i64::from(self.uncertainty_ms)
    }
}

/// A passage that has just become known, with what is remembered of the same person.
pub(super) struct Passage<'p> {
    pub(super) person: PersonId,
    pub(super) new: Seen<Mark>,
    /// With the new one; earliest first, by their own time.
    pub(super) all: &'p [Seen<Mark>],
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Passages {
    seen: Window<Mark>,
}

impl Passages {
    /// Takes in an entry whose record was made at `moment`, with the numbers of what it names; hands out whose
    /// passage it is.
    pub(super) fn take(
        &mut self,
        entry: &Entry,
        (moment, numbers): (Option<Moment>, Option<Numbers>),
        policy: &Policy,
    ) -> Option<(PersonId, Seen<Mark>)> {
        let Body::Record { record, person: Some(person), .. } = &entry.body else { return None };
        let leaves = match record.event {
            Event::CheckIn => false,
            Event::CheckOut => true,
            Event::Attempt | Event::Gap | Event::Presence | Event::Notice => return None,
        };
        let (moment, Numbers { terminal, site, lesson }) = moment.zip(numbers)?;
        let site = site?;
        if record.outcome != Some(Outcome::Accepted) {
            return None;
        }
        let what = Mark {
            leaves,
            lesson,
            terminal,
            site,
            uncertainty_ms: u32::try_from(moment.uncertainty_ms).unwrap_or(u32::MAX),
        };
        let new = Seen { at: moment.at, index: entry.index, what };
        self.seen.add(*person, new, entry.committed_at, policy);
        Some((*person, new))
    }

    /// All that is remembered of a person, earliest first.
    pub(super) fn of(&self, person: &PersonId) -> &[Seen<Mark>] {
        self.seen.of(person)
    }
}
