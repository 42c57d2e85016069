//! A record sent again as something else (重放). Page: docs/rules/replayed.md.
//!
//! ## What it sees
//! A record of one terminal that came under another terminal's name. It was refused and is kept.
//!
//! ## Why it matters
//! Attendance of one site is to count at another as well.
//!
//! ## Example
//! Record 12 of cd-1, byte for byte, on the topic of my-1.
//!
//! ## What it cannot know
//! Whether somebody means it: two boards whose certificates were swapped at installation send like
//! this, all day long. An exact redelivery under the right name is the transport's habit and is
//! never raised.
//!
//! ## What to do
//! See whether all records of the terminal come like this (then the installation is wrong) or single
//! ones (then somebody copies).

use crate::domain::{AnomalyKind, Bilingual, Finding, Refusal, Severity};
use crate::ledger::Entry;
use crate::rules::refused::Refused;
use crate::rules::{Ground, Rule, words};

/// Looks at one refusal at a time.
pub(super) struct Replayed;

impl Rule for Replayed {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::Replayed
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, .. } = *ground;
        let Some(refused) = Refused::of(entry, self.kind()) else { return Vec::new() };
        let (terminal, when, claim) = (refused.terminal, refused.when(), refused.claim());
        let place = words::place(registry, terminal);
        let named = match refused.refusal {
            Refusal::ForeignTerminal { named } => named.as_str(),
            Refusal::Malformed { .. }
            | Refusal::UnknownTerminal
            | Refusal::ForeignKey
            | Refusal::BadSignature { .. }
            | Refusal::Forked
            | Refusal::BrokenChain
            | Refusal::BadOpening
            | Refusal::Revoked => "?",
        };
        let why = Bilingual::new(
            format!(
                "{when} 终端 {named} 的记录以终端 {terminal}（{}）的名义送来{}，已拒收并留存。可能是把一处的\
                 考勤冒作另一处；安装时证书装错也会如此。",
                place.zh, claim.zh
            ),
            format!(
                "At {when} a record of terminal {named} came under the name of terminal {terminal} \
                 ({}){}; it was refused and kept. Attendance of one place may be passed off as \
                 another's; certificates swapped at installation look the same.",
                place.en, claim.en
            ),
        );
        vec![refused.raise(self.kind(), Severity::Alarm, why, registry)]
    }
}
