//! One person in two classes at the same time (同时两班). Page: docs/rules/two_classes.md.
//!
//! ## What it sees
//! Two stays of one person in lessons of two classes, each with check-in and check-out, that overlap by more
//! than the profile allows, clock uncertainty left out because the overlap must exceed minutes.
//!
//! ## Why it matters
//! Each class draws a subsidy for the same hour of the same person (Hebei 十一: 拼凑人数, 冒领).
//!
//! ## Example
//! In the welding class from 08:22 to 11:33 and in the electricians' class from 08:24 to 11:31.
//!
//! ## What it cannot know
//! Which of the two she attended. Two classes that are taught together look the same unless their timetable
//! says so.
//!
//! ## What to do
//! Compare both rosters; ask both teachers. If the classes are taught together, let the institution declare it.

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, ClassId, Finding, LessonId, Severity, TerminalId, Timestamp,
};
use crate::rules::lessons::Held;
use crate::rules::recent::{Days, Recent};
use crate::rules::{Ground, Rule, words};

const MINUTE_MS: i64 = 60_000;

/// Stays that lie farther apart do not overlap.
const DAYS: i64 = 2;

/// Remembers each person's stays of two days.
#[derive(Default)]
pub(super) struct TwoClasses {
    persons: Recent<Days<Stayed>>,
}

#[derive(Debug, Clone)]
struct Stayed {
    class: ClassId,
    lesson: LessonId,
    until: Timestamp,
    evidence: [u64; 2],
    terminal: TerminalId,
}

impl Rule for TwoClasses {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::TwoClasses
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "overlap_minutes_max",
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
        let allowed = policy.overlap_minutes_max();
        let allowed_ms = i64::from(allowed) * MINUTE_MS;
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let Some((came, left)) = stay.whole().filter(|(came, left)| came.at < left.at) else {
                continue;
            };
            let stays = self.persons.of(*person, left.at);
            let overlap_ms =
                |from: Timestamp, until: Timestamp| until.min(left.at).ms_since(from.max(came.at));
            let other = stays
                .iter()
                .filter(|(_, other)| other.class != lesson.class)
                .map(|(from, other)| (overlap_ms(*from, other.until), other))
                .filter(|(overlap, _)| *overlap > allowed_ms)
                .max_by_key(|(overlap, other)| (*overlap, other.evidence));
            if let Some((overlap, other)) = other {
                let mut evidence = [other.evidence, [came.index, left.index]].concat();
                evidence.sort_unstable();
                let mut terminals = vec![other.terminal.clone(), came.terminal.clone()];
                terminals.sort();
                terminals.dedup();
                let (stretch, length) = (words::stretch(came.at, left.at), words::length(overlap));
                let place = words::site(registry, &lesson.site);
                let (one, two) = (&other.lesson, &lesson.id);
                raised.push(Finding {
                    id: AnomalyId::of(AnomalyKind::TwoClasses, &evidence),
                    kind: AnomalyKind::TwoClasses,
                    severity: Severity::Warning,
                    at: came.at,
                    who: vec![*person],
                    terminals,
                    site: Some(lesson.site.clone()),
                    why: Bilingual::new(
                        format!(
                            "{stretch}，{}：同一学员同时在两个班的课次 {one} 与 {two} 中，重叠 {}（允许 {allowed} 分钟）。\
                             可能一人两头计学时；两班合上而未申报也会如此。",
                            place.zh, length.zh
                        ),
                        format!(
                            "{stretch}, {}: one person was in lessons {one} and {two} of two classes at once, for \
                             {} ({allowed} min are allowed). Hours may be drawn twice; two classes that are taught \
                             together without being declared look the same.",
                            place.en, length.en
                        ),
                    ),
                    evidence,
                });
            }
            let stayed = Stayed {
                class: lesson.class.clone(),
                lesson: lesson.id.clone(),
                until: left.at,
                evidence: [came.index, left.index],
                terminal: came.terminal.clone(),
            };
            stays.add(came.at, stayed, DAYS);
        }
        raised
    }
}
