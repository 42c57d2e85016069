//! Somebody who is again and again not seen when the roll is called (屡次点名未到). Page:
//! docs/rules/often_unseen.md.
//!
//! ## What it sees
//! A person who was in, by the terminal's own records, at sixteen of her roll calls in a row, and was not seen
//! in more of them than the profile allows. They are then counted anew, so it is said again only when
//! it goes on.
//!
//! ## Why it matters
//! Who exists on paper only answers no roll call, and an accomplice who answers for her does so at times
//! (Hebei 七: 挂课; Hebei 十一: 拼凑人数).
//!
//! ## Example
//! In at sixteen roll calls between 16 March and 3 April, seen in seven.
//!
//! ## What it cannot know
//! Where she was. Whoever works in the far workshop, or is asked by the staff to help elsewhere, misses roll
//! calls as well. Nobody is absent by it.
//!
//! ## What to do
//! Call the roll again and look for this person; ask her what was taught last week.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::recent::{Days, Recent};
use crate::rules::rolls::Roll;
use crate::rules::{Ground, Rule, words};

/// So many roll calls of one person are looked at together: with fewer, bad luck looks the same.
const ROLLS: usize = 16;

/// Older ones say nothing of today.
const DAYS: i64 = 30;

/// Remembers each person's newest roll calls.
#[derive(Default)]
pub(super) struct OftenUnseen {
    persons: Recent<Days<Answer>>,
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    seen: bool,
    index: u64,
}

impl Rule for OftenUnseen {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::OftenUnseen
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "person_unseen_percent_max",
            "roll_call_minutes",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn roll_over(&mut self, roll: &Roll, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let allowed = policy.person_unseen_percent_max();
        let mut raised = Vec::new();
        for person in &roll.asked {
            let answers = self.persons.of(*person, roll.began);
            let answer = Answer { seen: roll.seen.contains(person), index: roll.index };
            answers.add(roll.began, answer, DAYS);
            if answer.seen {
                continue;
            }
            let newest: Vec<_> = answers.iter().rev().take(ROLLS).copied().collect();
            let unseen: Vec<_> = newest.iter().filter(|(_, answer)| !answer.seen).collect();
            let allowed_of = usize::try_from(allowed).unwrap_or(100) * ROLLS;
            if newest.len() < ROLLS || unseen.len() * 100 <= allowed_of {
                continue;
            }
            let mut evidence: Vec<u64> = unseen.iter().map(|(_, answer)| answer.index).collect();
            evidence.sort_unstable();
            let since = newest.last().map_or(roll.began, |(at, _)| *at);
            let (from, until) = (words::clock(since), words::clock(roll.began));
            let (count, place) = (unseen.len(), words::place(registry, &roll.terminal));
            answers.clear();
            raised.push(Finding {
                id: AnomalyId::about(self.kind(), &evidence, &person.0),
                kind: self.kind(),
                severity: Severity::Warning,
                at: roll.began,
                who: vec![*person],
                terminals: vec![roll.terminal.clone()],
                site: registry.site_of(&roll.terminal).cloned(),
                why: Bilingual::new(
                    format!(
                        "{}，{from} 至 {until}：该学员在场时的 {ROLLS} 次点名中 {count} 次未到镜头前（允许 {allowed}%）。\
                         可能并未到场；常在远处实操的人也会如此，未到不因此缺勤。",
                        place.zh
                    ),
                    format!(
                        "{}, {from} to {until}: in {count} of {ROLLS} roll calls while she was in, this person \
                         did not show her face ({allowed} % are allowed). She may not have been there; whoever \
                         works far from the kiosk looks the same, and nobody is absent by it.",
                        place.en
                    ),
                ),
                evidence,
            });
        }
        raised
    }
}
