//! Many who were checked in were not seen when the roll was called (点名多人未到). Page:
//! docs/rules/missed_roll_call.md.
//!
//! ## What it sees
//! A roll call within a lesson, at random or ordered by an inspector, in which more of those who were in, by
//! this terminal's own records, did not show their face than the profile allows, and at least three.
//!
//! ## Why it matters
//! A class that checks in and goes home draws its hours all the same (Hubei 二(一): 全流程; Hebei 七: 挂课).
//!
//! ## Example
//! 38 checked in at 08:30; when the roll was called at 10:12, four came.
//!
//! ## What it cannot know
//! Where the others were: in a workshop far from the kiosk, at lunch, or gone. Who left by the terminal is not
//! asked. One person who was not seen is nobody's anomaly.
//!
//! ## What to do
//! Call the roll again, unannounced (`rollcall collector roll-call`), or go there.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity};
use crate::rules::rolls::Roll;
use crate::rules::{Ground, Rule, words};

/// Fewer say nothing: somebody is always outside.
const UNSEEN_MIN: usize = 3;

/// Looks at one roll call at a time.
pub(super) struct MissedRollCall;

impl Rule for MissedRollCall {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MissedRollCall
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "roll_call_unseen_percent_max",
            "roll_call_minutes",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn roll_over(&mut self, roll: &Roll, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let unseen = roll.unseen();
        let (count, asked, terminal) = (unseen.len(), roll.asked.len(), &roll.terminal);
        let allowed = policy.roll_call_unseen_percent_max();
        let allowed_of = usize::try_from(allowed).unwrap_or(100) * asked;
        if count < UNSEEN_MIN || count * 100 <= allowed_of {
            return Vec::new();
        }
        let (place, lesson) = (words::place(registry, terminal), &roll.lesson);
        let stretch = words::stretch(roll.began, roll.until);
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[roll.index]),
            kind: self.kind(),
            severity: Severity::Warning,
            at: roll.began,
            who: unseen,
            terminals: vec![terminal.clone()],
            site: registry.site_of(terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{stretch}，{}，课次 {lesson}：点名时在场 {asked} 人，{count} 人未到镜头前（允许 {allowed}%）。\
                     可能签到后离开；在远处实操或用餐也会如此，未到者不因此缺勤。",
                    place.zh
                ),
                format!(
                    "{stretch}, {}, lesson {lesson}: of {asked} who were in, {count} did not show their face \
                     when the roll was called ({allowed} % are allowed). They may have left after checking \
                     in; a workshop far from the kiosk looks the same, and nobody is absent by it.",
                    place.en
                ),
            ),
            evidence: vec![roll.index],
        }]
    }
}
