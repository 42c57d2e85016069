//! More hours in a week than anybody learns (周超时长). Page: docs/rules/long_week.md.
//!
//! ## What it sees
//! Stays of one person, with check-in and check-out, within her lessons of any seven days, that sum to more
//! hours than the profile allows. Stays that overlap count once.
//!
//! ## Why it matters
//! Hours are money, and who stays below the limit of a day can still sum up more than a working week.
//!
//! ## Example
//! 46 hours in eleven lessons between Monday and Friday.
//!
//! ## What it cannot know
//! Whether an intensive course was agreed. The law's working week, 44 hours (劳动法 36), is a measure for
//! work, not for learning: the number is the operator's.
//!
//! ## What to do
//! Hold the sum against the plans of her classes; ask her what she does in the evening.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity, Timestamp};
use crate::rules::lessons::Held;
use crate::rules::recent::{Days, Recent};
use crate::rules::{Ground, Rule, words};

const HOUR_MS: i64 = 3_600_000;
const DAYS: i64 = 7;

/// Remembers each person's stays of a week.
#[derive(Default)]
pub(super) struct LongWeek {
    persons: Recent<Days<Stayed>>,
}

#[derive(Debug, Clone, Copy)]
struct Stayed {
    until: Timestamp,
    evidence: [u64; 2],
}

/// How long stays last together, earliest first, overlaps counted once.
fn sum_ms<'s>(stays: impl Iterator<Item = &'s (Timestamp, Stayed)>) -> i64 {
    let (mut sum_ms, mut told) = (0, Timestamp::from_ms(i64::MIN));
    for (from, stayed) in stays {
        sum_ms += stayed.until.ms_since((*from).max(told)).max(0);
        told = told.max(stayed.until);
    }
    sum_ms
}

impl Rule for LongWeek {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::LongWeek
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "hours_per_week_max",
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
        let allowed = policy.hours_per_week_max();
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let Some((came, left)) = stay.whole() else { continue };
            let (from, until) = (came.at.max(lesson.starts), left.at.min(lesson.ends));
            if from >= until {
                continue;
            }
            let stays = self.persons.of(*person, left.at);
            stays.add(from, Stayed { until, evidence: [came.index, left.index] }, DAYS);
            let sum = sum_ms(stays.iter());
            if sum <= i64::from(allowed) * HOUR_MS {
                continue;
            }
            let mut evidence: Vec<u64> = stays.iter().flat_map(|(_, it)| it.evidence).collect();
            evidence.sort_unstable();
            let since = stays.iter().next().map_or(from, |(from, _)| *from);
            let (count, sum) = (stays.len(), words::length(sum));
            stays.clear();
            let (since, place) =
                (words::stretch(since, until), words::site(registry, &lesson.site));
            raised.push(Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Notice,
                at: until,
                who: vec![*person],
                terminals: vec![left.terminal.clone()],
                site: Some(lesson.site.clone()),
                why: Bilingual::new(
                    format!(
                        "{since}，{}：该学员七天内在 {count} 个课次中在课合计 {}，超过每周 {allowed} 小时。\
                         可能虚增学时；集中强化培训也会如此。",
                        place.zh, sum.zh
                    ),
                    format!(
                        "{since}, {}: within seven days this person was present for {} in {count} lessons, more than \
                         {allowed} h a week. Hours may be padded; an intensive course looks the same.",
                        place.en, sum.en
                    ),
                ),
                evidence,
            });
        }
        raised
    }
}
