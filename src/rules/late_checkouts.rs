//! Somebody who checks out late again and again (惯常晚签退). Page: docs/rules/late_checkouts.md.
//!
//! ## What it sees
//! Check-outs of one person that come long after the lesson's end, though not so long that each were an
//! anomaly (`excess_hours`), on more days of two weeks than the profile allows.
//!
//! ## Why it matters
//! Whoever knows the limit stays just below it, every day. One late check-out is chatting with the teacher;
//! ten in two weeks are hours.
//!
//! ## Example
//! Checked out 44 to 57 minutes after the lesson's end on four days between 16 and 24 March.
//!
//! ## What it cannot know
//! Whether she practises after each lesson, which nobody forbids. Minutes after the lesson's end do not count
//! in any case.
//!
//! ## What to do
//! See how many of her class do the same on the same days; ask the teacher until when the room is in use.

use std::collections::BTreeSet;

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::lessons::Held;
use crate::rules::recent::{Days, Recent};
use crate::rules::{Ground, Rule, words};

const MINUTE_MS: i64 = 60_000;

/// Days that are looked at together.
const DAYS: i64 = 14;

/// Remembers each person's late check-outs of two weeks.
#[derive(Default)]
pub(super) struct LateCheckouts {
    persons: Recent<Days<u64>>,
}

impl Rule for LateCheckouts {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::LateCheckouts
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "late_checkout_minutes",
            "late_checkout_days_max",
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
        let ends = registry.latest_end_of(&lesson.id).unwrap_or(lesson.ends);
        let (minutes, allowed) = (policy.late_checkout_minutes(), policy.late_checkout_days_max());
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let Some((_, left)) = stay.whole() else { continue };
            if left.at.ms_since(ends) <= i64::from(minutes) * MINUTE_MS {
                continue;
            }
            let late = self.persons.of(*person, left.at);
            late.add(left.at, left.index, DAYS);
            let days: BTreeSet<_> = late.iter().map(|(at, _)| at.shanghai().date()).collect();
            if u32::try_from(days.len()).unwrap_or(u32::MAX) <= allowed {
                continue;
            }
            let mut evidence: Vec<u64> = late.iter().map(|(_, index)| *index).collect();
            evidence.sort_unstable();
            late.clear();
            let (count, place) = (days.len(), words::site(registry, &lesson.site));
            let until = words::clock(left.at);
            raised.push(Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Notice,
                at: left.at,
                who: vec![*person],
                terminals: vec![left.terminal.clone()],
                site: Some(lesson.site.clone()),
                why: Bilingual::new(
                    format!(
                        "{}，至 {until}：该学员两周内有 {count} 天在下课 {minutes} 分钟之后才签退（允许 {allowed} 天）。\
                         可能虚增学时；课后天天练习也会如此。下课后的时间不计学时。",
                        place.zh
                    ),
                    format!(
                        "{}, until {until}: on {count} days of two weeks this person checked out more than {minutes} \
                         min after the lesson's end ({allowed} are allowed). Hours may be padded; practising after \
                         each lesson looks the same. Time after the end does not count.",
                        place.en
                    ),
                ),
                evidence,
            });
        }
        raised
    }
}
