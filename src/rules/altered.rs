//! A genuine record that was changed after signing (篡改). Page: docs/rules/altered.md.
//!
//! ## What it sees
//! Bytes that continue, or repeat, the terminal's true chain, but whose signature does not cover
//! them. They were refused and are kept; the genuine record, if it comes, is committed as always.
//!
//! ## Why it matters
//! Somebody between terminal and centre, or on the terminal's disk, changes attendance
//! (Hebei 七: 篡改数据).
//!
//! ## Example
//! Record 17 of cd-1 with the right previous hash and another check-in time.
//!
//! ## What it cannot know
//! Who changed it, and which byte. A failing disk or memory looks the same, though it seldom hits a
//! field that is still well formed.
//!
//! ## What to do
//! Compare with the genuine record of the same number; run `rollcall terminal journal check` at the
//! terminal; look who can reach its disk and its line.

use crate::domain::{AnomalyKind, Bilingual, Finding, Severity};
use crate::ledger::Entry;
use crate::rules::refused::Refused;
use crate::rules::{Ground, Rule, words};

/// Looks at one refusal at a time.
pub(super) struct Altered;

impl Rule for Altered {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::Altered
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
        let why = Bilingual::new(
            format!(
                "{when} 以终端 {terminal}（{}）名义送来的记录与其记录链衔接{}，但签名与内容不符，已拒收并留存。\
                 应为真实记录在签名之后被改动；存储介质损坏也可能如此。",
                place.zh, claim.zh
            ),
            format!(
                "A record sent at {when} as terminal {terminal} ({}) fits the terminal's chain{}, \
                 but the signature does not cover its content; it was refused and kept. A genuine \
                 record was probably changed after signing; a failing disk can look the same.",
                place.en, claim.en
            ),
        );
        vec![refused.raise(self.kind(), Severity::Alarm, why, registry)]
    }
}
