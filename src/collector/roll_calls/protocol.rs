//! What came of an ordered roll call: a fold over the ledger. Pure, so that the same entries give the same
//! protocol for ever.
//!
//! Who was not seen is *not seen*: the protocol says it, and nothing follows from it by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Event, NoticeKind, Outcome, PersonId, RollOrder, Timestamp};
use crate::ledger::{Body, Entry};
use crate::record::Record;

/// How somebody stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Was in when it began, and has not shown her face since.
    Awaited,
    /// Has, at this time of the terminal's clock.
    At(Timestamp),
}

/// Something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The terminal calls the roll; so many are asked.
    Begun {
        /// When, by the terminal's clock.
        at: Timestamp,
        /// How many.
        asked: usize,
    },
    /// Somebody has shown her face.
    Here {
        /// Who.
        person: PersonId,
        /// When, by the terminal's clock.
        at: Timestamp,
    },
}

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// What was ordered.
    pub order: RollOrder,
    /// When it began, by the terminal's clock, and when that was committed; `None`: the terminal has not
    /// answered.
    pub begun: Option<(Timestamp, Timestamp)>,
    /// Everybody who was asked.
    pub people: BTreeMap<PersonId, Seen>,
    /// Who is in, until it begins.
    inside: BTreeSet<PersonId>,
}

impl Protocol {
    /// Nothing has come yet.
    pub fn new(order: RollOrder) -> Self {
        Self { order, begun: None, people: BTreeMap::new(), inside: BTreeSet::new() }
    }

    /// Takes in the next entry; entries of the lesson from before the order are needed to know who was in.
    pub fn take(&mut self, entry: &Entry) -> Option<Answer> {
        let Body::Record { record, person, .. } = &entry.body else { return None };
        let hers = record.terminal == self.order.terminal
            && record.lesson.as_ref() == Some(&self.order.lesson);
        if !hers {
            return None;
        }
        if self.begins(record) {
            let at = record.clock.wall;
            self.begun = Some((at, entry.committed_at));
            let inside = std::mem::take(&mut self.inside);
            self.people = inside.into_iter().map(|person| (person, Seen::Awaited)).collect();
            return Some(Answer::Begun { at, asked: self.people.len() });
        }
        let accepted = record.outcome == Some(Outcome::Accepted);
        let person = person.filter(|_| accepted)?;
        match (record.event, self.begun) {
            (Event::CheckIn, None) => drop(self.inside.insert(person)),
            (Event::CheckOut, None) => drop(self.inside.remove(&person)),
            (Event::Presence, Some(_)) => {
                let at = record.clock.wall;
                let seen = self.people.entry(person).or_insert(Seen::Awaited);
                if *seen == Seen::Awaited {
                    *seen = Seen::At(at);
                    return Some(Answer::Here { person, at });
                }
            }
            (
                Event::CheckIn
                | Event::CheckOut
                | Event::Attempt
                | Event::Gap
                | Event::Presence
                | Event::Notice,
                _,
            ) => {}
        }
        None
    }

    fn begins(&self, record: &Record) -> bool {
        self.begun.is_none()
            && record.notice.is_some_and(|notice| {
                notice.kind == NoticeKind::RollCalled && notice.digest == Some(self.order.order)
            })
    }

    /// Who was asked and has not shown her face.
    pub fn awaited(&self) -> impl Iterator<Item = &PersonId> {
        self.people.iter().filter(|(_, seen)| **seen == Seen::Awaited).map(|(person, _)| person)
    }
}
