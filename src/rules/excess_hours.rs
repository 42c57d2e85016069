//! More hours than the timetable or the profile allows (超时长). Page: docs/rules/excess_hours.md.
//!
//! ## What it sees
//! A person's check-in and check-out of one lesson, where the check-out comes longer after the
//! lesson's end than the profile allows; or presence in all lessons of one day that sums to more
//! than the profile allows. Overlapping presences count once. A presence belongs to the day of its
//! check-in.
//!
//! ## Why it matters
//! Hours are money: a check-out at night stretches an afternoon into a working day.
//!
//! ## Example
//! The lesson ends at 17:00; checked in at 14:02, checked out at 19:40.
//!
//! ## What it cannot know
//! Whether somebody stayed to practise with the teacher. A forgotten check-out gives no hours and
//! raises nothing.
//!
//! ## What to do
//! Ask the teacher until when the room was in use; see whether many persons of one class share the
//! late minute.

use jiff::civil::Date;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Event, Finding, LessonId, Outcome, Policy, Severity,
    Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;
use crate::rules::window::{Seen, Window};
use crate::rules::{Rule, moment, words};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Remembers each person's comings and goings.
#[derive(Default)]
pub(super) struct ExcessHours {
    seen: Window<Mark>,
}

/// A coming or a going.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    lesson: LessonId,
    leaves: bool,
    uncertainty_ms: i64,
}

/// A person in a lesson, from her first check-in to her last check-out.
#[derive(Debug, Clone, Copy)]
struct Presence<'w> {
    came: &'w Seen<Mark>,
    left: &'w Seen<Mark>,
}

/// The presence that some marks (earliest first) make in one lesson.
fn presence_in<'w>(
    marks: impl Iterator<Item = &'w Seen<Mark>>,
    lesson: &LessonId,
) -> Option<Presence<'w>> {
    let mut marks = marks.filter(|mark| mark.what.lesson == *lesson);
    let came = marks.find(|mark| !mark.what.leaves)?;
    let left = marks.filter(|mark| mark.what.leaves).last()?;
    Some(Presence { came, left })
}

/// The presences that some marks (earliest first) make. One comes after the other, so the lesson of a mark
/// is mostly the one looked at last.
fn presences<'w>(marks: impl Iterator<Item = &'w Seen<Mark>>) -> Vec<Presence<'w>> {
    let mut all: Vec<(&Seen<Mark>, Option<&Seen<Mark>>)> = Vec::new();
    for mark in marks {
        let known = all.iter_mut().rev().find(|(came, _)| came.what.lesson == mark.what.lesson);
        match known {
            Some((_, left)) if mark.what.leaves => *left = Some(mark),
            None if !mark.what.leaves => all.push((mark, None)),
            Some(_) | None => {}
        }
    }
    all.into_iter().filter_map(|(came, left)| Some(Presence { came, left: left? })).collect()
}

/// By how much a presence outlasts its lesson beyond what is allowed; `None` if it does not.
fn overrun_ms(presence: Presence<'_>, registry: &Registry, policy: &Policy) -> Option<i64> {
    let left = presence.left;
    let ends = registry.latest_end_of(&left.what.lesson)?;
    let over_ms = left.at.ms_since(ends);
    let allowed_ms = i64::from(policy.overrun_minutes_max()) * MINUTE_MS + left.what.uncertainty_ms;
    (over_ms > allowed_ms).then_some(over_ms)
}

fn day(at: Timestamp) -> Date {
    at.shanghai().date()
}

/// The presences that began on `date`, and how long they last together, overlaps counted once.
fn of_day(mut all: Vec<Presence<'_>>, date: Date) -> (Vec<Presence<'_>>, i64) {
    all.retain(|presence| day(presence.came.at) == date);
    all.sort_by_key(|presence| (presence.came.at, presence.came.index));
    let mut sum_ms = 0;
    let mut until = Timestamp::from_ms(i64::MIN);
    for presence in &all {
        let from = presence.came.at.max(until);
        sum_ms += presence.left.at.ms_since(from).max(0);
        until = until.max(presence.left.at);
    }
    (all, sum_ms)
}

/// What is wrong, in words, with the entries that prove it.
struct Excess {
    at: Timestamp,
    why: Bilingual,
    evidence: Vec<u64>,
}

fn overrun(presence: Presence<'_>, over_ms: i64, registry: &Registry, policy: &Policy) -> Excess {
    let Presence { came, left } = presence;
    let ends = left.at.plus_ms(-over_ms);
    let over = words::length(over_ms);
    let allowed = policy.overrun_minutes_max();
    let (came_at, left_at) = (words::clock(came.at), words::clock(left.at));
    let ends = words::clock(ends);
    let place = registry
        .lesson(&left.what.lesson)
        .map_or_else(|| Bilingual::new("", ""), |known| words::site(registry, &known.lesson.site));
    Excess {
        at: left.at,
        why: Bilingual::new(
            format!(
                "{}：课次于 {ends} 结束，该学员 {came_at} 签到，{left_at} 才签退，晚于下课 {}，超过允许的 \
                 {allowed} 分钟。可能虚增学时；课后留堂练习也会如此。",
                place.zh, over.zh
            ),
            format!(
                "{}: the lesson ended at {ends}; checked in at {came_at}, checked out at {left_at}, \
                 {} after its end, more than the {allowed} min allowed. Hours may be padded; \
                 staying on to practise looks the same.",
                place.en, over.en
            ),
        ),
        evidence: vec![came.index, left.index],
    }
}

fn long_day(today: &[Presence<'_>], sum_ms: i64, date: Date, policy: &Policy) -> Excess {
    let sum = words::length(sum_ms);
    let allowed = policy.hours_per_day_max();
    let lessons = today.len();
    Excess {
        at: today.iter().map(|presence| presence.left.at).max().unwrap_or_default(),
        why: Bilingual::new(
            format!(
                "该学员 {date} 在 {lessons} 个课次中在课合计 {}，超过每日 {allowed} 小时。\
                 可能虚增学时；集中强化培训也会如此。",
                sum.zh
            ),
            format!(
                "On {date} the person was present for {} in {lessons} lessons, more than {allowed} h \
                 a day. Hours may be padded; an intensive course looks the same.",
                sum.en
            ),
        ),
        evidence: today.iter().flat_map(|p| [p.came.index, p.left.index]).collect(),
    }
}

/// What `new` makes wrong that was not wrong without it. So a lesson, or a day, is raised once, and
/// nothing needs to be remembered of what was raised.
fn turned_wrong(
    marks: &[Seen<Mark>],
    new: &Seen<Mark>,
    registry: &Registry,
    policy: &Policy,
) -> Option<Excess> {
    let lesson = &new.what.lesson;
    let others = || marks.iter().filter(|mark| *mark != new);
    // Whoever has only come makes nothing wrong yet: half of all.
    let presence = presence_in(marks.iter(), lesson)?;

    let was_over = presence_in(others(), lesson)
        .is_some_and(|presence| overrun_ms(presence, registry, policy).is_some());
    if let Some(over_ms) = overrun_ms(presence, registry, policy).filter(|_| !was_over) {
        return Some(overrun(presence, over_ms, registry, policy));
    }

    let date = day(presence.came.at);
    let (today, sum_ms) = of_day(presences(marks.iter()), date);
    let (_, before_ms) = of_day(presences(others()), date);
    let allowed_ms = i64::from(policy.hours_per_day_max()) * HOUR_MS
        + today
            .iter()
            .map(|p| p.came.what.uncertainty_ms + p.left.what.uncertainty_ms)
            .sum::<i64>();
    (before_ms <= allowed_ms && allowed_ms < sum_ms).then(|| long_day(&today, sum_ms, date, policy))
}

impl Rule for ExcessHours {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ExcessHours
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "overrun_minutes_max",
            "hours_per_day_max",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Finding> {
        let Body::Record { record, person: Some(person), .. } = &entry.body else {
            return Vec::new();
        };
        let leaves = match record.event {
            Event::CheckIn => false,
            Event::CheckOut => true,
            Event::Attempt | Event::Gap | Event::Presence | Event::Notice => return Vec::new(),
        };
        let accepted = record.outcome == Some(Outcome::Accepted);
        let (Some(moment), Some(lesson)) = (
            moment::proven(record, entry.committed_at, policy),
            record.lesson.as_ref().filter(|_| accepted),
        ) else {
            return Vec::new();
        };
        // The registry's own copy of the name, where it has one: it is shared.
        let lesson = registry.lesson(lesson).map_or(lesson, |known| &known.lesson.id).clone();
        let what = Mark { lesson, leaves, uncertainty_ms: moment.uncertainty_ms };
        let new = Seen { at: moment.at, index: entry.index, what };
        self.seen.add(*person, new.clone(), entry.committed_at, policy);
        let raised = turned_wrong(self.seen.of(person), &new, registry, policy).map(|excess| {
            let mut evidence = excess.evidence;
            evidence.sort_unstable();
            Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Warning,
                at: excess.at,
                who: vec![*person],
                terminals: vec![record.terminal.clone()],
                site: registry.site_of(&record.terminal).cloned(),
                why: excess.why,
                evidence,
            }
        });
        raised.into_iter().collect()
    }
}
