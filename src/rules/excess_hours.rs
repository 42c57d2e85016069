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

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Policy, Severity, Timestamp};
use crate::rules::passages::{Mark, Passage};
use crate::rules::window::Seen;
use crate::rules::{Ground, Rule, words};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Looks at what is remembered of a person's comings and goings.
pub(super) struct ExcessHours;

/// A person in a lesson, from her first check-in to her last check-out.
#[derive(Debug, Clone, Copy)]
struct Presence {
    lesson: u32,
    came: Seen<Mark>,
    left: Seen<Mark>,
}

/// The presence that some marks (earliest first) make in one lesson.
fn presence_in<'w>(marks: impl Iterator<Item = &'w Seen<Mark>>, lesson: u32) -> Option<Presence> {
    let mut marks = marks.filter(|mark| mark.what.lesson == Some(lesson));
    let came = *marks.find(|mark| !mark.what.leaves)?;
    let left = *marks.filter(|mark| mark.what.leaves).last()?;
    Some(Presence { lesson, came, left })
}

/// The presences that some marks (earliest first) make. One comes after the other, so the lesson of a mark
/// is mostly the one looked at last.
fn presences<'w>(marks: impl Iterator<Item = &'w Seen<Mark>>) -> Vec<Presence> {
    let mut all: Vec<(u32, Seen<Mark>, Option<Seen<Mark>>)> = Vec::new();
    for mark in marks {
        let Some(lesson) = mark.what.lesson else { continue };
        let known = all.iter_mut().rev().find(|(known, ..)| *known == lesson);
        match known {
            Some((_, _, left)) if mark.what.leaves => *left = Some(*mark),
            None if !mark.what.leaves => all.push((lesson, *mark, None)),
            Some(_) | None => {}
        }
    }
    let whole = |(lesson, came, left): (u32, Seen<Mark>, Option<Seen<Mark>>)| {
        Some(Presence { lesson, came, left: left? })
    };
    all.into_iter().filter_map(whole).collect()
}

/// By how much a presence outlasts its lesson beyond what is allowed; `None` if it does not.
fn overrun_ms(presence: Presence, ground: &Ground<'_>) -> Option<i64> {
    let Ground { registry, policy, book, .. } = *ground;
    let left = presence.left;
    let ends = registry.latest_end_of(book.lesson(presence.lesson))?;
    let over_ms = left.at.ms_since(ends);
    let allowed_ms =
        i64::from(policy.overrun_minutes_max()) * MINUTE_MS + left.what.uncertainty_ms();
    (over_ms > allowed_ms).then_some(over_ms)
}

/// The presences that began on `date`, and how long they last together, overlaps counted once.
fn of_day(mut all: Vec<Presence>, date: Date) -> (Vec<Presence>, i64) {
    all.retain(|presence| presence.came.at.shanghai().date() == date);
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

fn overrun(presence: Presence, over_ms: i64, ground: &Ground<'_>) -> Excess {
    let Ground { registry, policy, book, .. } = *ground;
    let Presence { lesson, came, left } = presence;
    let ends = left.at.plus_ms(-over_ms);
    let over = words::length(over_ms);
    let allowed = policy.overrun_minutes_max();
    let (came_at, left_at) = (words::clock(came.at), words::clock(left.at));
    let ends = words::clock(ends);
    let place = registry
        .lesson(book.lesson(lesson))
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

fn long_day(today: &[Presence], sum_ms: i64, date: Date, policy: &Policy) -> Excess {
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
fn turned_wrong(passage: &Passage<'_>, ground: &Ground<'_>) -> Option<Excess> {
    let Passage { new, all: marks, .. } = *passage;
    let policy = ground.policy;
    let lesson = new.what.lesson?;
    let others = || marks.iter().filter(|mark| **mark != new);
    // Whoever has only come makes nothing wrong yet: half of all.
    let presence = presence_in(marks.iter(), lesson)?;
    if let Some(over_ms) = overrun_ms(presence, ground) {
        let was_over = presence_in(others(), lesson)
            .is_some_and(|presence| overrun_ms(presence, ground).is_some());
        if !was_over {
            return Some(overrun(presence, over_ms, ground));
        }
    }

    let date = presence.came.at.shanghai().date();
    let (today, sum_ms) = of_day(presences(marks.iter()), date);
    let allowed_ms = i64::from(policy.hours_per_day_max()) * HOUR_MS
        + today
            .iter()
            .map(|p| p.came.what.uncertainty_ms() + p.left.what.uncertainty_ms())
            .sum::<i64>();
    if sum_ms <= allowed_ms {
        return None;
    }
    let (_, before_ms) = of_day(presences(others()), date);
    (before_ms <= allowed_ms).then(|| long_day(&today, sum_ms, date, policy))
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

    fn passed(&mut self, passage: &Passage<'_>, ground: &Ground<'_>) -> Vec<Finding> {
        let Some(excess) = turned_wrong(passage, ground) else { return Vec::new() };
        let terminal = ground.book.terminal(passage.new.what.terminal);
        let mut evidence = excess.evidence;
        evidence.sort_unstable();
        vec![Finding {
            id: AnomalyId::of(AnomalyKind::ExcessHours, &evidence),
            kind: AnomalyKind::ExcessHours,
            severity: Severity::Warning,
            at: excess.at,
            who: vec![passage.person],
            terminals: vec![terminal.clone()],
            site: ground.registry.site_of(terminal).cloned(),
            why: excess.why,
            evidence,
        }]
    }
}
