//! Proxy: somebody checks in under another person's name (替课). Page: docs/rules/proxy_stand_in.md.
//!
//! ## What it sees
//! A claim (card, number, choice from the list) whose face the terminal compared 1:1, found unlike
//! the claimed person, and confidently like another person of its gallery.
//!
//! ## Why it matters
//! Subsidised hours are paid for the person who sits in the lesson; a paid stand-in is fraud on the
//! fund (Hebei 七: 替课).
//!
//! ## Example
//! Somebody claims to be A at 08:41; the face is like A by 0.12 and like B by 0.71.
//!
//! ## What it cannot know
//! Twins, a wrong enrolment picture, or a slip of the finger on the list look the same. A face that
//! is merely unlike the claimed one, and nobody else's, is an attempt and is never flagged.
//!
//! ## What to do
//! Ask both persons and the teacher; look whether the claimed person is in the room; enrol anew
//! when the picture was wrong.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Outcome, Severity, Way};
use crate::ledger::{Body, Entry};
use crate::rules::{Ground, Rule, moment, words};

/// Looks at one record at a time.
pub(super) struct ProxyStandIn;

impl Rule for ProxyStandIn {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ProxyStandIn
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "stand_in_score_min",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person, other, .. } = &entry.body else { return Vec::new() };
        let contradicted =
            record.way == Some(Way::Claimed) && record.outcome == Some(Outcome::LooksLikeOther);
        let least = policy.stand_in_score_min();
        let Some(found) = record.other.filter(|found| contradicted && found.score >= least) else {
            return Vec::new();
        };
        let (at, when) = moment::told(record, entry.committed_at, policy);
        let place = words::place(registry, &record.terminal);
        let claimed = record.scores.and_then(|s| Some((s.match_score?, s.threshold))).map_or_else(
            || Bilingual::new("", ""),
            |(score, threshold)| {
                Bilingual::new(
                    format!("与所声称学员的相似度仅 {score}（接受须 {threshold}）。"),
                    format!(
                        " It is like the claimed person only by {score} ({threshold} is needed)."
                    ),
                )
            },
        );
        let why = Bilingual::new(
            format!(
                "{}，{}：有人自称某学员，人脸与另一名在册人员的相似度却达 {}（{least} 起视为他人）。{}\
                 可能是替课；双胞胎、登记照片有误或点错姓名也会如此。",
                when.zh, place.zh, found.score, claimed.zh
            ),
            format!(
                "{}, {}: somebody claimed to be one person, but the face is like another enrolled \
                 person by {} (from {least} on it counts as the other's).{} It may be a stand-in; \
                 twins, a wrong enrolment picture or a slip on the list look the same.",
                when.en, place.en, found.score, claimed.en
            ),
        );
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[entry.index]),
            kind: self.kind(),
            severity: Severity::Alarm,
            at,
            who: person.iter().chain(other).copied().collect(),
            terminals: vec![record.terminal.clone()],
            site: registry.site_of(&record.terminal).cloned(),
            why,
            evidence: vec![entry.index],
        }]
    }
}
