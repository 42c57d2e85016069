//! Roll calls that are over and told of, with who was asked and who came.
//!
//! A roll call is over, and all is told, when the same terminal has told of something later: its records come
//! in their order. So silence is never taken for absence.
//!
//! Remembers who is in, by terminal and lesson: the people of the lessons of two days.

use std::collections::BTreeSet;

use crate::domain::{
    Event, LessonId, NoticeKind, Outcome, PersonId, Policy, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::Ground;
use crate::rules::names::Numbered;

const MINUTE_MS: i64 = 60_000;

/// A lesson that has been over for so long is forgotten, in milliseconds: whoever is still checked in
/// has forgotten to check out.
const OVER_MS: i64 = 24 * 60 * MINUTE_MS;

/// A roll call: over, or on, or one whose end nobody has told yet.
#[derive(Debug)]
pub(super) struct Roll {
    pub(super) terminal: TerminalId,
    pub(super) lesson: LessonId,
    pub(super) began: Timestamp,
    pub(super) until: Timestamp,
    /// Ledger index of the notice.
    pub(super) index: u64,
    /// Who was in.
    pub(super) asked: BTreeSet<PersonId>,
    /// Who came, or left by the terminal.
    pub(super) seen: BTreeSet<PersonId>,
}

impl Roll {
    /// Who was in and did not come.
    pub(super) fn unseen(&self) -> Vec<PersonId> {
        self.asked.difference(&self.seen).copied().collect()
    }
}

#[derive(Debug, Default)]
struct Room {
    inside: BTreeSet<PersonId>,
    roll: Option<Roll>,
    newest: Timestamp,
}

impl Room {
    fn take(&mut self, record: &Record, person: Option<PersonId>) {
        let accepted = record.outcome == Some(Outcome::Accepted);
        let Some(person) = person.filter(|_| accepted) else { return };
        match record.event {
            Event::CheckIn => {
                self.inside.insert(person);
            }
            Event::CheckOut => {
                self.inside.remove(&person);
                // Who left by the terminal was there.
                if let Some(roll) = &mut self.roll {
                    roll.seen.insert(person);
                }
            }
            Event::Presence => {
                if let Some(roll) = &mut self.roll {
                    roll.seen.insert(person);
                }
            }
            Event::Attempt | Event::Gap | Event::Notice => {}
        }
    }
}

/// How long a roll call lasts: as it was ordered, else as the profile says.
fn lasts_ms(record: &Record, registry: &Registry, policy: &Policy) -> i64 {
    let digest = record.notice.and_then(|notice| notice.digest);
    let ordered = registry.roll_orders(&record.terminal).iter();
    let ordered = ordered.rev().find(|it| Some(it.order.order) == digest);
    let minutes = ordered.map_or(policy.roll_call_minutes(), |it| it.order.minutes);
    i64::from(minutes) * MINUTE_MS
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Rolls {
    kiosks: Numbered<Kiosk>,
}

/// The rooms behind a terminal.
#[derive(Debug, Default)]
struct Kiosk {
    /// The newest last: mostly it is asked for.
    rooms: Vec<(u32, Room)>,
    /// How many roll calls are on: mostly none, and then nobody needs to look for one that is over.
    on: usize,
}

impl Rolls {
    /// Takes in an entry and hands on the roll calls that are over by it.
    pub(super) fn take(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Roll> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        let Some((moment, numbers)) = ground.moment.zip(ground.numbers) else { return Vec::new() };
        let Kiosk { rooms, on } = self.kiosks.of(numbers.terminal);
        let mut over = Vec::new();
        if *on > 0 {
            for (_, room) in rooms.iter_mut() {
                over.extend(room.roll.take_if(|roll| moment.at > roll.until));
            }
            *on -= over.len();
            over.sort_by(|one, other| one.lesson.cmp(&other.lesson));
        }
        if let Some((lesson, number)) = record.lesson.as_ref().zip(numbers.lesson) {
            let now = entry.committed_at;
            let known = rooms.iter().rposition(|(known, _)| *known == number);
            let place = known.unwrap_or_else(|| {
                rooms.push((number, Room::default()));
                rooms.len() - 1
            });
            let room = &mut rooms[place].1;
            room.newest = room.newest.max(moment.at);
            room.take(record, *person);
            if record.notice.is_some_and(|notice| notice.kind == NoticeKind::RollCalled) {
                *on += usize::from(room.roll.is_none());
                room.roll = Some(Roll {
                    terminal: record.terminal.clone(),
                    lesson: lesson.clone(),
                    began: moment.at,
                    until: moment.at.plus_ms(lasts_ms(record, registry, policy)),
                    index: entry.index,
                    asked: room.inside.clone(),
                    seen: BTreeSet::new(),
                });
            }
            if known.is_none() {
                let allowed_ms =
                    i64::from(policy.time_bound_hours_max()) * 60 * MINUTE_MS + OVER_MS;
                rooms.retain(|(_, room)| now.ms_since(room.newest) <= allowed_ms);
                *on = rooms.iter().filter(|(_, room)| room.roll.is_some()).count();
            }
        }
        over
    }
}
