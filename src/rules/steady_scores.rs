//! Scores that no face gives (相似度过稳). Page: docs/rules/steady_scores.md.
//!
//! ## What it sees
//! Twenty comparisons of one person in a row that scatter less than the profile's least spread (standard
//! deviation of the cosines).
//!
//! ## Why it matters
//! A living face is never twice the same to a camera: light, distance, glasses, mood. A number that hardly
//! moves was not measured before a person (Hebei 七: 学习记录造假).
//!
//! ## Example
//! Twenty check-ins and check-outs in ten days with scores between 0.79 and 0.81.
//!
//! ## What it cannot know
//! Who wrote the numbers. A photograph on a stand gives steady scores as well, which is no better. A program
//! that scatters its numbers is not seen here.
//!
//! ## What to do
//! Hold the terminal's firmware against the registered one; call the roll for this person.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::lessons::Held;
use crate::rules::recent::{Days, Recent};
use crate::rules::{Ground, Rule, words};

/// So many comparisons are looked at together.
const RUN: usize = 20;

/// They lie within so many days.
const DAYS: i64 = 30;

/// Remembers each person's newest scores.
#[derive(Default)]
pub(super) struct SteadyScores {
    persons: Recent<Days<Compared>>,
}

#[derive(Debug, Clone, Copy)]
struct Compared {
    e4: i64,
    index: u64,
}

/// Sum of the squared distances from the mean, times the number of them: whole numbers, so that every
/// machine judges alike.
fn scatter<'s>(scores: impl Iterator<Item = &'s Compared>) -> i64 {
    let (count, sum, squares) = scores.fold((0, 0, 0), |(count, sum, squares), it| {
        (count + 1, sum + it.e4, squares + it.e4 * it.e4)
    });
    count * squares - sum * sum
}

impl Rule for SteadyScores {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::SteadyScores
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "score_spread_min",
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
        let least = policy.score_spread_min();
        let count = i64::try_from(RUN).unwrap_or(i64::MAX);
        let least_scatter = (i64::from(least.as_e4()) * count).pow(2);
        let mut raised = Vec::new();
        for (person, stay) in &held.stays {
            let faces = || stay.marks().filter(|mark| mark.is_by_face());
            let Some(last) = faces().last() else { continue };
            let scores = self.persons.of(*person, last.at);
            for mark in faces() {
                let Some(score) = mark.score else { continue };
                let compared = Compared { e4: i64::from(score.as_e4()), index: mark.index };
                scores.add(mark.at, compared, DAYS);
                let newest = scores.iter().rev().take(RUN).map(|(_, it)| it);
                if scores.len() < RUN || scatter(newest.clone()) >= least_scatter {
                    continue;
                }
                let newest: Vec<_> = newest.copied().collect();
                let mut evidence: Vec<u64> = newest.iter().map(|it| it.index).collect();
                evidence.sort_unstable();
                scores.clear();
                let (low, high) = newest.iter().fold((i64::MAX, i64::MIN), |(low, high), it| {
                    (low.min(it.e4), high.max(it.e4))
                });
                let (until, place) = (words::clock(mark.at), words::site(registry, &lesson.site));
                let (low, high) = (words::cosine(low), words::cosine(high));
                raised.push(Finding {
                    id: AnomalyId::of(AnomalyKind::SteadyScores, &evidence),
                    kind: AnomalyKind::SteadyScores,
                    severity: Severity::Warning,
                    at: mark.at,
                    who: vec![*person],
                    terminals: vec![mark.terminal.clone()],
                    site: Some(lesson.site.clone()),
                    why: Bilingual::new(
                        format!(
                            "{}，至 {until}：该学员连续 {RUN} 次比对的相似度都在 {low} 与 {high} 之间，离散度低于 {least}。\
                             真人不会这样稳；可能由程序写出，也可能是固定的照片。",
                            place.zh
                        ),
                        format!(
                            "{}, until {until}: {RUN} comparisons of this person in a row lie between {low} and {high}, \
                             with a spread below {least}. A living face is not so steady: a program may have written \
                             them, or a picture on a stand stood there.",
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
