//! A person's scores that drift away from her template (相似度走低). Page: docs/rules/score_drift.md.
//!
//! ## What it sees
//! The mean of a person's ten newest comparisons lies lower than that of her ten first ones by more than the
//! profile allows.
//!
//! ## Why it matters
//! Somebody who looks much like her may have taken her place, a little more often each week; or the template
//! has aged, and she will soon be refused wrongly.
//!
//! ## Example
//! 0.72 in the first week of the class, 0.53 in its fifth.
//!
//! ## What it cannot know
//! Which of the two it is. Glasses, a beard and winter light do it as well.
//!
//! ## What to do
//! Look at the person beside her identity papers, and make a new template.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::lessons::Held;
use crate::rules::recent::Recent;
use crate::rules::{Ground, Rule, words};

/// So many comparisons make a mean.
const FEW: usize = 10;

/// Remembers each person's first and newest scores.
#[derive(Default)]
pub(super) struct ScoreDrift {
    persons: Recent<Course>,
}

#[derive(Debug, Default)]
struct Course {
    first: Vec<(i64, u64)>,
    newest: Vec<(i64, u64)>,
}

fn sum(scores: &[(i64, u64)]) -> i64 {
    scores.iter().map(|(e4, _)| e4).sum()
}

impl Rule for ScoreDrift {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ScoreDrift
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "score_drift_max",
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
        let allowed = policy.score_drift_max();
        let few = i64::try_from(FEW).unwrap_or(i64::MAX);
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let faces = || stay.marks().filter(|mark| mark.is_by_face());
            let Some(last) = faces().last() else { continue };
            let course = self.persons.of(*person, last.at);
            for mark in faces() {
                let Some(score) = mark.score else { continue };
                let compared = (i64::from(score.as_e4()), mark.index);
                if course.first.len() < FEW {
                    course.first.push(compared);
                    continue;
                }
                if course.newest.len() == FEW {
                    course.newest.remove(0);
                }
                course.newest.push(compared);
                let fallen = sum(&course.first) - sum(&course.newest);
                if course.newest.len() < FEW || fallen <= few * i64::from(allowed.as_e4()) {
                    continue;
                }
                let both = course.first.iter().chain(&course.newest);
                let mut evidence: Vec<u64> = both.map(|(_, index)| *index).collect();
                evidence.sort_unstable();
                let mean = |scores: &[(i64, u64)]| words::cosine(sum(scores) / few);
                let (before, after) = (mean(&course.first), mean(&course.newest));
                // From here on the lower scores are what is compared with.
                course.first = std::mem::take(&mut course.newest);
                let (until, place) = (words::clock(mark.at), words::site(registry, &lesson.site));
                raised.push(Finding {
                    id: AnomalyId::of(AnomalyKind::ScoreDrift, &evidence),
                    kind: AnomalyKind::ScoreDrift,
                    severity: Severity::Notice,
                    at: mark.at,
                    who: vec![*person],
                    terminals: vec![mark.terminal.clone()],
                    site: Some(lesson.site.clone()),
                    why: Bilingual::new(
                        format!(
                            "{}，至 {until}：该学员最近 {FEW} 次比对的平均相似度为 {after}，最初 {FEW} 次为 {before}，\
                             下降超过 {allowed}。可能换了相像的人；模板陈旧、眼镜或光线变化也会如此。",
                            place.zh
                        ),
                        format!(
                            "{}, until {until}: the mean of this person's {FEW} newest comparisons is {after}, that of \
                             her {FEW} first ones {before}: lower by more than {allowed}. Somebody who looks like her may \
                             have taken her place; an old template, glasses or other light look the same.",
                            place.en
                        ),
                    ),
                    evidence,
                });
            }
        }
        raised
    }
}
