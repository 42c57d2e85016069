//! A record that was made up without the terminal's key (伪造). Page: docs/rules/forged.md.
//!
//! ## What it sees
//! Bytes under a registered terminal's name that are sealed with another key, or whose signature is
//! wrong and which do not continue the terminal's chain. They were refused and are kept.
//!
//! ## Why it matters
//! Somebody wants hours in the ledger that no terminal saw (Hebei 七: 学习记录造假).
//!
//! ## Example
//! A record as terminal cd-1, number 9000, while cd-1 stands at 41.
//!
//! ## What it cannot know
//! Who sent it: only under whose name it came. A terminal that was set up anew and whose new key is
//! not registered yet looks the same.
//!
//! ## What to do
//! Ask whether the terminal was set up anew; else look in the broker's log for the sender's
//! certificate, and revoke it.

use crate::domain::{AnomalyKind, Bilingual, Finding, Refusal, Severity};
use crate::ledger::Entry;
use crate::rules::refused::Refused;
use crate::rules::{Ground, Rule, words};

/// Looks at one refusal at a time.
pub(super) struct Forged;

impl Rule for Forged {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::Forged
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
        let how = match refused.refusal {
            Refusal::ForeignKey => Bilingual::new(
                "由未登记的密钥签名",
                "is sealed with a key that is not the terminal's",
            ),
            Refusal::BadSignature { .. }
            | Refusal::Malformed { .. }
            | Refusal::UnknownTerminal
            | Refusal::ForeignTerminal { .. }
            | Refusal::Forked
            | Refusal::BrokenChain
            | Refusal::BadOpening
            | Refusal::Revoked => Bilingual::new(
                "签名无效，且与该终端的记录链不衔接",
                "has a wrong signature and does not continue the terminal's chain",
            ),
        };
        let why = Bilingual::new(
            format!(
                "{when} 以终端 {terminal}（{}）名义送来的记录{}{}，已拒收并留存。可能是伪造；\
                 终端重新初始化而新密钥未登记也会如此。",
                place.zh, how.zh, claim.zh
            ),
            format!(
                "A record sent at {when} as terminal {terminal} ({}) {}{}; it was refused and kept. \
                 It may be made up; a terminal set up anew whose new key is not registered looks \
                 the same.",
                place.en, how.en, claim.en
            ),
        );
        vec![refused.raise(self.kind(), Severity::Alarm, why, registry)]
    }
}
