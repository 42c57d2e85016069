//! Many who were checked in were not seen when the roll was called (点名多人未到). Page:
//! docs/rules/missed_roll_call.md.
//!
//! ## What it sees
//! A roll call within a lesson, at random or ordered by an inspector, in which more of those who were in, by
//! this terminal's own records, did not show their face than the profile allows, and at least three.
//!
//! ## Why it matters
//! A class that checks in and goes home draws its hours all the same (Hubei 二(一): 全流程; Hebei 七: 挂课).
//!
//! ## Example
//! 38 checked in at 08:30; when the roll was called at 10:12, four came.
//!
//! ## What it cannot know
//! Where the others were: in a workshop far from the kiosk, at lunch, or gone. Who left by the terminal is not
//! asked. One person who was not seen is nobody's anomaly.
//!
//! ## What to do
//! Call the roll again, unannounced (`rollcall collector roll-call`), or go there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Event, Finding, LessonId, NoticeKind, Outcome, PersonId,
    Policy, Severity, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::{Rule, moment, words};

const MINUTE_MS: i64 = 60_000;

/// Fewer say nothing: somebody is always outside.
const UNSEEN_MIN: usize = 3;

/// A lesson that has been over for so long is forgotten, in milliseconds: whoever is still checked in
/// has forgotten to check out.
const OVER_MS: i64 = 24 * 60 * MINUTE_MS;

/// Remembers who is in, by terminal and lesson: the people of the lessons of two days.
#[derive(Default)]
pub(super) struct MissedRollCall {
    kiosks: HashMap<TerminalId, Kiosk>,
}

/// The rooms behind a terminal.
#[derive(Default)]
struct Kiosk {
    rooms: BTreeMap<LessonId, Room>,
    /// How many roll calls are on: mostly none, and then nobody needs to look for one that is over.
    on: usize,
}

#[derive(Default)]
struct Room {
    inside: BTreeSet<PersonId>,
    roll: Option<Roll>,
    newest: Timestamp,
}

/// A roll call that is on, or whose end nobody has told yet.
struct Roll {
    began: Timestamp,
    until: Timestamp,
    index: u64,
    asked: BTreeSet<PersonId>,
    seen: BTreeSet<PersonId>,
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

impl MissedRollCall {
    /// Ends the roll call of a room, if more were not seen than may be.
    fn conclude(
        &self,
        terminal: &TerminalId,
        (lesson, roll): &(LessonId, Roll),
        registry: &Registry,
        policy: &Policy,
    ) -> Option<Finding> {
        let unseen: Vec<PersonId> = roll.asked.difference(&roll.seen).copied().collect();
        let (count, asked) = (unseen.len(), roll.asked.len());
        let allowed = policy.roll_call_unseen_percent_max();
        let allowed_of = usize::try_from(allowed).unwrap_or(100) * asked;
        if count < UNSEEN_MIN || count * 100 <= allowed_of {
            return None;
        }
        let place = words::place(registry, terminal);
        let stretch = words::stretch(roll.began, roll.until);
        Some(Finding {
            id: AnomalyId::of(self.kind(), &[roll.index]),
            kind: self.kind(),
            severity: Severity::Warning,
            at: roll.began,
            who: unseen,
            terminals: vec![terminal.clone()],
            site: registry.site_of(terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{stretch}，{}，课次 {lesson}：点名时在场 {asked} 人，{count} 人未到镜头前（允许 {allowed}%）。\
                     可能签到后离开；在远处实操或用餐也会如此，未到者不因此缺勤。",
                    place.zh
                ),
                format!(
                    "{stretch}, {}, lesson {lesson}: of {asked} who were in, {count} did not show their face \
                     when the roll was called ({allowed} % are allowed). They may have left after checking \
                     in; a workshop far from the kiosk looks the same, and nobody is absent by it.",
                    place.en
                ),
            ),
            evidence: vec![roll.index],
        })
    }
}

impl Rule for MissedRollCall {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MissedRollCall
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "roll_call_minutes",
            "roll_call_unseen_percent_max",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    /// A roll call is over, and all is told, when the same terminal has told of something later: its records
    /// come in their order. So silence is never taken for absence.
    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Finding> {
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        let Some(moment) = moment::proven(record, entry.committed_at, policy) else {
            return Vec::new();
        };
        let mut over = Vec::new();
        let terminal = &record.terminal;
        let Kiosk { rooms, on } = self.kiosks.entry(terminal.clone()).or_default();
        if *on > 0 {
            for (lesson, room) in &mut *rooms {
                if room.roll.as_ref().is_some_and(|roll| moment.at > roll.until) {
                    over.extend(room.roll.take().map(|roll| (lesson.clone(), roll)));
                }
            }
            *on -= over.len();
        }
        if let Some(lesson) = &record.lesson {
            let room = rooms.entry(lesson.clone()).or_default();
            let is_new = room.newest == Timestamp::default();
            room.newest = room.newest.max(moment.at);
            room.take(record, *person);
            if record.notice.is_some_and(|notice| notice.kind == NoticeKind::RollCalled) {
                *on += usize::from(room.roll.is_none());
                room.roll = Some(Roll {
                    began: moment.at,
                    until: moment.at.plus_ms(lasts_ms(record, registry, policy)),
                    index: entry.index,
                    asked: room.inside.clone(),
                    seen: BTreeSet::new(),
                });
            }
            if is_new {
                let now = entry.committed_at;
                let allowed_ms =
                    i64::from(policy.time_bound_hours_max()) * 60 * MINUTE_MS + OVER_MS;
                rooms.retain(|_, room| now.ms_since(room.newest) <= allowed_ms);
                *on = rooms.values().filter(|room| room.roll.is_some()).count();
            }
        }
        let raised = over.iter().filter_map(|it| self.conclude(terminal, it, registry, policy));
        raised.collect()
    }
}
