//! A class in which nobody is ever missing (全勤异常). Page: docs/rules/perfect_attendance.md.
//!
//! ## What it sees
//! A class of which the whole roster came and left in each of its newest lessons, though by the attendance of
//! all other classes at least so many absences were to be expected as the profile says.
//!
//! ## Why it matters
//! People fall ill and miss buses. A list that is complete every day was not made by people (Hebei 七:
//! 学习记录造假; 十一: 拼凑人数).
//!
//! ## Example
//! 32 people in fifteen lessons, none missing, while elsewhere six in a hundred are: 29 absences were to be
//! expected.
//!
//! ## What it cannot know
//! Whether a factory sends its shift to the class and drives it there. Good attendance is not punished: it
//! takes many lessons without a single absence.
//!
//! ## What to do
//! Call the roll in this class; hold some of its people's check-ins against what else they did.

use std::collections::BTreeMap;

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, ClassId, Finding, Severity};
use crate::rules::lessons::Held;
use crate::rules::{Ground, Rule, words};

/// Before so many places of other classes were counted, nothing is to be expected.
const PLACES_MIN: u64 = 2_000;

/// A smaller class says nothing.
const PEOPLE_MIN: usize = 10;

/// Counts how many places of all lessons were taken, and each class's lessons without an absence.
#[derive(Default)]
pub(super) struct PerfectAttendance {
    all: Places,
    full: BTreeMap<ClassId, Full>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Places {
    taken: u64,
    there: u64,
}

#[derive(Debug, Default)]
struct Full {
    places: u64,
    lessons: u64,
    evidence: Vec<u64>,
}

impl Rule for PerfectAttendance {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::PerfectAttendance
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "perfect_absences_expected_min",
            "report_grace_hours",
            "door_opens_minutes_before",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let Some(class) = registry.class(&lesson.class) else { return Vec::new() };
        let whole = held.stays.values().filter(|stay| stay.whole().is_some()).count();
        let persons = usize::try_from(class.persons).unwrap_or(usize::MAX);
        // A lesson to which hardly anybody came was another matter, and no measure.
        if persons < PEOPLE_MIN || whole * 2 < persons || !held.heard {
            self.full.remove(&lesson.class);
            return Vec::new();
        }
        let (there, taken) = (persons as u64, whole.min(persons) as u64);
        self.all.taken += taken;
        self.all.there += there;
        let full = self.full.entry(lesson.class.clone()).or_default();
        if taken < there {
            self.full.remove(&lesson.class);
            return Vec::new();
        }
        full.places += there;
        full.lessons += 1;
        full.evidence.extend(held.stays.values().flat_map(|stay| stay.marks()).map(|it| it.index));
        let Places { taken: all_taken, there: all_there } = self.all;
        let missing = all_there - all_taken;
        let expected = (full.places * missing).checked_div(all_there).unwrap_or(0);
        let needed = policy.perfect_absences_expected_min();
        let known = all_there >= PLACES_MIN;
        if !known || expected < u64::from(needed) {
            return Vec::new();
        }
        let Some(full) = self.full.remove(&lesson.class) else { return Vec::new() };
        let mut evidence = full.evidence;
        evidence.sort_unstable();
        let (lessons, place) = (full.lessons, words::site(registry, &lesson.site));
        let until = words::clock(lesson.ends);
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Notice,
            at: lesson.starts,
            who: held.stays.keys().copied().collect(),
            terminals: Vec::new(),
            site: Some(lesson.site.clone()),
            why: Bilingual::new(
                format!(
                    "{}，班级 {}，至 {until}：连续 {lessons} 个课次 {persons} 人无一缺席；按其他班级的出勤，应有约 {expected} \
                     人次缺席（{needed} 起提示）。可能照名单生成；统一接送的班级也会如此。",
                    place.zh, lesson.class
                ),
                format!(
                    "{}, class {}, until {until}: in {lessons} lessons in a row none of {persons} was missing; by the \
                     attendance of other classes some {expected} absences were to be expected (from {needed} on it is \
                     told). A list may have made them; a class that is driven there together looks the same.",
                    place.en, lesson.class
                ),
            ),
            evidence,
        }]
    }
}
