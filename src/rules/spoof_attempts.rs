//! Somebody who is again and again not shown to be alive (多次活体未通过). Page: docs/rules/spoof_attempts.md.
//!
//! ## What it sees
//! More attempts of one day with the outcome "not live" under one person's name than the profile allows, at
//! whatever terminals. Once for each person and day.
//!
//! ## Why it matters
//! Whoever holds up a picture or a recording of an absent person must try until the movements fit (Hebei 七:
//! 替课).
//!
//! ## Example
//! Five failed challenges between 08:25 and 08:34 under one name, and none before or after.
//!
//! ## What it cannot know
//! Who stood there. Honest people fail too, some of them often: those who can hardly turn their head, and
//! those who do not understand what is asked. Not one of these attempts is a fraud by itself.
//!
//! ## What to do
//! Ask the teacher who stood there; offer card and PIN to whoever cannot do the movements.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Outcome, Severity, TerminalId};
use crate::ledger::{Body, Entry};
use crate::rules::window::{Seen, Window};
use crate::rules::{Ground, Rule, words};

/// Remembers each person's failed tries.
#[derive(Default)]
pub(super) struct SpoofAttempts {
    seen: Window<TerminalId>,
}

impl Rule for SpoofAttempts {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::SpoofAttempts
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "failed_liveness_per_day_max",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person: Some(person), .. } = &entry.body else {
            return Vec::new();
        };
        if record.outcome != Some(Outcome::NotLive) {
            return Vec::new();
        }
        let Some(moment) = ground.moment else { return Vec::new() };
        let what = record.terminal.clone();
        let new = Seen { at: moment.at, index: entry.index, what };
        let all = self.seen.add(*person, new, entry.committed_at, policy);
        let date = moment.at.shanghai().date();
        let of_day: Vec<_> = all.iter().filter(|seen| seen.at.shanghai().date() == date).collect();
        let most = policy.failed_liveness_per_day_max();
        // Raised by the one that is too many; further ones say nothing new.
        if u32::try_from(of_day.len()) != Ok(most.saturating_add(1)) {
            return Vec::new();
        }
        let evidence: Vec<u64> = of_day.iter().map(|seen| seen.index).collect();
        let mut terminals: Vec<TerminalId> = of_day.iter().map(|seen| seen.what.clone()).collect();
        terminals.sort();
        terminals.dedup();
        let (Some(first), Some(last)) = (of_day.first(), of_day.last()) else { return Vec::new() };
        let (stretch, count) = (words::stretch(first.at, last.at), of_day.len());
        let place = words::place(registry, &record.terminal);
        let mut sorted = evidence.clone();
        sorted.sort_unstable();
        vec![Finding {
            id: AnomalyId::of(AnomalyKind::SpoofAttempts, &evidence),
            kind: AnomalyKind::SpoofAttempts,
            severity: Severity::Warning,
            at: last.at,
            who: vec![*person],
            terminals,
            site: registry.site_of(&record.terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{stretch}，{}：同一姓名下 {count} 次活体未通过，当日允许 {most} 次。可能有人手持照片或录像\
                     反复尝试；行动不便或没看懂动作的人也会如此，单次未通过不说明任何问题。",
                    place.zh
                ),
                format!(
                    "{stretch}, {}: {count} attempts under one name were not shown to be alive; {most} a day \
                     are allowed. Somebody may be trying a picture or a recording; those who cannot turn \
                     their head, or do not see what is asked, look the same, and no single one says anything.",
                    place.en
                ),
            ),
            evidence: sorted,
        }]
    }
}
