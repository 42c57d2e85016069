//! Attendance where no lesson is (课外异常). Page: docs/rules/off_timetable.md.
//!
//! ## What it sees
//! Attendance that names no lesson: our terminal accepts nobody without one. Attendance, farther in time from
//! every lesson that was announced for the site than the profile's margin; a lesson that was entered only
//! after its end announces nothing. And at night, farther than that margin, somebody who was recognised and
//! told that there is no lesson.
//!
//! ## Why it matters
//! Hours count only for a lesson registered before it began (Sichuan 九: 开班备案、过程监管;
//! Hubei 二: 不得事后补录). Attendance made at 03:12 is how hours are produced in bulk.
//!
//! ## Example
//! A check-in at 03:12; the site's nearest lesson is the evening class that ended at 21:00.
//!
//! ## What it cannot know
//! A lesson that was moved on the day and not registered. Evening, weekend and holiday classes on the
//! timetable are encouraged (Sichuan 八) and raise nothing; night and holidays only make attendance without
//! a lesson graver. Who comes by day and is told that there is no lesson has made no attendance: a class whose
//! lesson was registered too late stands there (`late_registration`), or somebody who mistook the day.
//!
//! ## What to do
//! Ask the site what went on; look for other records of the same hour at the same terminal.

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Event, Finding, Holidays, Outcome, Policy, Severity, SiteId,
    Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::{Announced, Registry};
use crate::rules::{Ground, Rule, words};

const MINUTE_MS: i64 = 60_000;

/// How far around a record a lesson is looked for, to tell the reader of it.
const NEAR_MS: i64 = 24 * 60 * MINUTE_MS;

/// Looks at one record at a time.
pub(super) struct OffTimetable;

/// Too early and too late are a person's mishap at the door; an attempt that nobody was recognised
/// in is nobody's. The check-out of a registered lesson is the matter of `excess_hours`.
fn concerns(record: &Record, is_night: bool, registry: &Registry) -> bool {
    let recognised = match record.outcome {
        Some(Outcome::Accepted) => record.person.is_some(),
        Some(Outcome::NoLesson) => is_night && record.person.is_some(),
        Some(
            Outcome::AlreadyIn
            | Outcome::NotRecognised
            | Outcome::LooksLikeOther
            | Outcome::Ambiguous
            | Outcome::NotOnRoster
            | Outcome::TooEarly
            | Outcome::TooLate
            | Outcome::NotLive
            | Outcome::RefusedByPolicy,
        )
        | None => false,
    };
    let leaves_a_lesson = record.event == Event::CheckOut
        && record.lesson.as_ref().is_some_and(|id| registry.lesson(id).is_some());
    recognised && !leaves_a_lesson
}

/// Time between a moment and a lesson, 0 within it.
fn distance_ms(announced: &Announced, at: Timestamp) -> i64 {
    let lesson = &announced.lesson;
    lesson.starts.ms_since(at).max(at.ms_since(lesson.ends)).max(0)
}

/// The lesson nearest to `at`, among those that `wanted` picks.
fn nearest<'r>(
    registry: &'r Registry,
    site: &SiteId,
    at: Timestamp,
    wanted: impl Fn(&Announced) -> bool,
) -> Option<(&'r Announced, i64)> {
    registry
        .lessons_between(site, at.plus_ms(-NEAR_MS), at.plus_ms(NEAR_MS))
        .filter(|announced| wanted(announced))
        .map(|announced| (announced, distance_ms(announced, at)))
        .min_by_key(|(_, distance_ms)| *distance_ms)
}

fn is_near(registry: &Registry, site: &SiteId, at: Timestamp) -> bool {
    nearest(registry, site, at, |announced| !announced.is_backfilled()).is_some()
}

fn why(registry: &Registry, site: &SiteId, at: Timestamp, policy: &Policy) -> Bilingual {
    let place = words::site(registry, site);
    let night = match (policy.is_night(at), Holidays::china().contain(at)) {
        (true, _) => ("（夜间）", " (at night)"),
        (false, true) => ("（节假日）", " (a public holiday)"),
        (false, false) => ("", ""),
    };
    let margin_minutes = policy.timetable_margin_minutes();
    let time = words::clock(at);
    let within = nearest(registry, site, at, Announced::is_backfilled)
        .filter(|(_, distance_ms)| *distance_ms == 0);
    let reason = if let Some((announced, _)) = within {
        let span = words::stretch(announced.lesson.starts, announced.lesson.ends);
        let registered = words::clock(announced.registered_at);
        Bilingual::new(
            format!("该时段的课次（{span}）在结束之后，于 {registered} 才登记"),
            format!(
                "the lesson of that time ({span}) was registered only after its end, at {registered}"
            ),
        )
    } else if let Some((announced, distance_ms)) =
        nearest(registry, site, at, |announced| !announced.is_backfilled())
            .filter(|(_, distance_ms)| *distance_ms > i64::from(margin_minutes) * MINUTE_MS)
    {
        let span = words::stretch(announced.lesson.starts, announced.lesson.ends);
        let distance = words::length(distance_ms);
        Bilingual::new(
            format!("本教学点最近的课次（{span}）相距 {}，超过 {margin_minutes} 分钟", distance.zh),
            format!(
                "the nearest lesson of the site ({span}) is {} away, more than {margin_minutes} min",
                distance.en
            ),
        )
    } else if is_near(registry, site, at) {
        Bilingual::new(
            "该记录未指明任何课次，本系统的终端不会如此签到",
            "it names no lesson, and no terminal of ours accepts anybody without one",
        )
    } else {
        Bilingual::new(
            "本教学点前后 24 小时内没有登记任何课次",
            "no lesson of the site is registered within 24 h before or after",
        )
    };
    Bilingual::new(
        format!(
            "{time}{}，{}有考勤，而{}。可能是虚造考勤；临时调课未登记也会如此。",
            night.0, place.zh, reason.zh
        ),
        format!(
            "{time}{}, {}: attendance, while {}. It may be made up; a lesson moved without being \
             registered looks the same.",
            night.1, place.en, reason.en
        ),
    )
}

impl Rule for OffTimetable {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::OffTimetable
    }

    fn version(&self) -> u16 {
        2
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "timetable_margin_minutes",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
            "night_from",
            "night_to",
        ]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        let Some(moment) = ground.moment else { return Vec::new() };
        let Some(site) = ground.site else { return Vec::new() };
        let at = moment.at;
        let is_night = policy.is_night(at);
        if !concerns(record, is_night, registry) {
            return Vec::new();
        }
        let margin_ms =
            i64::from(policy.timetable_margin_minutes()) * MINUTE_MS + moment.uncertainty_ms;
        let accepted = record.outcome == Some(Outcome::Accepted);
        let names_none = accepted && record.lesson.is_none();
        let excused = !names_none
            && registry
                .lessons_between(site, at.plus_ms(-margin_ms), at.plus_ms(margin_ms))
                .any(|announced| !announced.is_backfilled());
        if excused {
            return Vec::new();
        }
        let severity = if is_night || Holidays::china().contain(at) {
            Severity::Alarm
        } else {
            Severity::Warning
        };
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[entry.index]),
            kind: self.kind(),
            severity,
            at,
            who: person.iter().copied().collect(),
            terminals: vec![record.terminal.clone()],
            site: Some(site.clone()),
            why: why(registry, site, at, policy),
            evidence: vec![entry.index],
        }]
    }
}
