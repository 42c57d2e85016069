//! A lesson that was over before its time (课时不足). Page: docs/rules/short_lesson.md.
//!
//! ## What it sees
//! Of a lesson's people, at least five, four in five checked out before a good part of it was over, or never.
//!
//! ## Why it matters
//! A lesson that ends after half its time is claimed as a whole one (Hebei 七: 挂课; Hubei 二(一): 全流程).
//!
//! ## Example
//! The lesson lasts from 14:00 to 17:00; 27 of 30 checked out between 15:10 and 15:20.
//!
//! ## What it cannot know
//! Why: the teacher may have fallen ill, the power may have failed. A kiosk that was switched off early takes
//! no check-outs. Hours that lack a check-out do not count in any case.
//!
//! ## What to do
//! Ask the institution; see whether the class's other lessons end early as well.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity, TerminalId};
use crate::rules::lessons::Held;
use crate::rules::{Ground, Rule, words};

/// With fewer people a lesson is not a class.
const PEOPLE_MIN: usize = 5;

/// Of a hundred people so many: the others may have been forgotten, or stayed to clean up.
const MOST_PERCENT: usize = 80;

/// Looks at one lesson at a time.
pub(super) struct ShortLesson;

impl Rule for ShortLesson {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ShortLesson
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "early_end_percent_max",
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
        let came = held.stays.iter().filter(|(_, stay)| stay.came.is_some());
        let came: Vec<_> = came.collect();
        let missing = policy.early_end_percent_max();
        let length_ms = lesson.ends.ms_since(lesson.starts);
        let early = lesson.ends.plus_ms(-length_ms * i64::from(missing) / 100);
        let left_early = |stay: &&crate::rules::lessons::Stay| {
            stay.left.as_ref().is_some_and(|left| left.at < early)
        };
        let left = came.iter().filter(|(_, stay)| left_early(stay)).count();
        let never = came.iter().filter(|(_, stay)| stay.left.is_none()).count();
        let most = |count: usize| count * 100 >= MOST_PERCENT * came.len();
        // The terminal where they came may still have their check-outs if it has told of nothing since.
        let mut terminals = came.iter().flat_map(|(_, stay)| stay.marks()).map(|it| &it.terminal);
        let is_never = most(never) && !terminals.any(|it| held.silent.contains(it));
        if came.len() < PEOPLE_MIN || !(most(left) || is_never) {
            return Vec::new();
        }
        let place = words::site(registry, &lesson.site);
        let (span, people) = (words::stretch(lesson.starts, lesson.ends), came.len());
        let early = words::clock(early);
        let (zh, en) = if most(left) {
            (
                format!("{people} 人中 {left} 人在 {early} 之前签退（剩余时间超过 {missing}%）"),
                format!(
                    "of {people} people {left} checked out before {early}, more than {missing} % early"
                ),
            )
        } else {
            (
                format!("{people} 人中 {never} 人没有签退"),
                format!("of {people} people {never} never checked out"),
            )
        };
        let mut evidence: Vec<u64> =
            came.iter().flat_map(|(_, stay)| stay.marks()).map(|mark| mark.index).collect();
        evidence.sort_unstable();
        let mut terminals: Vec<TerminalId> = came
            .iter()
            .flat_map(|(_, stay)| stay.marks())
            .map(|mark| mark.terminal.clone())
            .collect();
        terminals.sort();
        terminals.dedup();
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Notice,
            at: lesson.starts,
            who: came.iter().map(|(person, _)| **person).collect(),
            terminals,
            site: Some(lesson.site.clone()),
            why: Bilingual::new(
                format!(
                    "{}：课次 {}（{span}），{zh}。可能提前下课而按整课申报；停电、教师临时有事或终端提前关机也会如此。",
                    place.zh, lesson.id
                ),
                format!(
                    "{}: lesson {} ({span}): {en}. It may have been cut short and be claimed whole; a power cut, a \
                     teacher who fell ill or a kiosk that was switched off look the same.",
                    place.en, lesson.id
                ),
            ),
            evidence,
        }]
    }
}
