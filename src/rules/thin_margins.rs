//! Faces that only just pass, many of them at one terminal (勉强通过成堆). Page: docs/rules/thin_margins.md.
//!
//! ## What it sees
//! A lesson in which, of the comings at one terminal, at least ten, more than the profile's share passed the
//! threshold by less than its thin margin.
//!
//! ## Why it matters
//! One thin match is a poor picture. A pile of them is a threshold that was lowered, faces that are not those
//! of the roster, or a camera that nobody can trust.
//!
//! ## Example
//! 21 of 30 check-ins of the morning passed by less than 0.05.
//!
//! ## What it cannot know
//! Which of these it is. A dirty lens does it, and the low sun.
//!
//! ## What to do
//! Run `rollcall terminal doctor` at the kiosk; compare with the same class at another terminal.

use std::collections::BTreeMap;

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, PersonId, Severity, TerminalId};
use crate::rules::lessons::{Held, Mark};
use crate::rules::{Ground, Rule, words};

/// With fewer comparisons a share says nothing.
const FACES_MIN: usize = 10;

/// Looks at one lesson at a time.
pub(super) struct ThinMargins;

impl Rule for ThinMargins {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ThinMargins
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "thin_match_margin",
            "thin_match_percent_max",
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
        let mut by_terminal: BTreeMap<&TerminalId, Vec<(PersonId, &Mark)>> = BTreeMap::new();
        for (person, stay) in &held.stays {
            if let Some(came) = stay.came.as_ref().filter(|came| came.is_by_face()) {
                by_terminal.entry(&came.terminal).or_default().push((*person, came));
            }
        }
        let (margin, allowed) = (policy.thin_match_margin(), policy.thin_match_percent_max());
        let mut raised = Vec::new();
        for (terminal, faces) in by_terminal {
            let is_thin = |mark: &Mark| mark.margin_e4().is_some_and(|e4| e4 < margin.as_e4());
            let thin: Vec<_> = faces.iter().filter(|(_, mark)| is_thin(mark)).collect();
            let (count, all) = (thin.len(), faces.len());
            if all < FACES_MIN || count * 100 <= usize::try_from(allowed).unwrap_or(100) * all {
                continue;
            }
            let mut evidence: Vec<u64> = thin.iter().map(|(_, mark)| mark.index).collect();
            evidence.sort_unstable();
            let place = words::place(registry, terminal);
            let span = words::stretch(lesson.starts, lesson.ends);
            raised.push(Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Warning,
                at: lesson.starts,
                who: thin.iter().map(|(person, _)| *person).collect(),
                terminals: vec![terminal.clone()],
                site: Some(lesson.site.clone()),
                why: Bilingual::new(
                    format!(
                        "{}，终端 {terminal}，课次 {}（{span}）：{all} 次人脸签到中 {count} 次仅以不足 {margin} 的差值通过\
                         （允许 {allowed}%）。可能阈值被改低、或并非名册中的人；镜头脏污、逆光也会如此。",
                        place.zh, lesson.id
                    ),
                    format!(
                        "{}, terminal {terminal}, lesson {} ({span}): of {all} comings by face {count} passed by less \
                         than {margin} ({allowed} % are allowed). The threshold may have been lowered, or they are not \
                         those of the roster; a dirty lens or the low sun look the same.",
                        place.en, lesson.id
                    ),
                ),
                evidence,
            });
        }
        raised
    }
}
