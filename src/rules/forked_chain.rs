//! One key tells two histories (链分叉). Page: docs/rules/forked_chain.md.
//!
//! ## What it sees
//! A correctly signed record whose number is taken by another committed record, or which follows
//! another record than the one that the ledger holds. It was refused and is kept.
//!
//! ## Why it matters
//! A terminal signs one history. Two of them mean that its key is in two places.
//!
//! ## Example
//! Two records number 30 of cd-1, both with a valid signature, with different content.
//!
//! ## What it cannot know
//! Which history is the true one. A terminal whose disk was restored from an older copy looks the
//! same.
//!
//! ## What to do
//! Ask whether the terminal was restored or replaced; if not, take the key out of service and set
//! the terminal up anew.

use crate::domain::{AnomalyKind, Bilingual, Finding, Refusal, Severity};
use crate::ledger::Entry;
use crate::rules::refused::Refused;
use crate::rules::{Ground, Rule, words};

/// Looks at one refusal at a time.
pub(super) struct ForkedChain;

impl Rule for ForkedChain {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ForkedChain
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
            Refusal::Forked => Bilingual::new(
                "该序号已有另一条不同的记录",
                "its number is taken by another record",
            ),
            Refusal::BrokenChain
            | Refusal::Malformed { .. }
            | Refusal::UnknownTerminal
            | Refusal::ForeignTerminal { .. }
            | Refusal::ForeignKey
            | Refusal::BadSignature { .. }
            | Refusal::BadOpening
            | Refusal::Revoked => Bilingual::new(
                "它所接续的并非账本中的前一条记录",
                "it follows another record than the ledger holds",
            ),
        };
        let why = Bilingual::new(
            format!(
                "{when} 终端 {terminal}（{}）送来签名有效的记录{}，但{}，已拒收并留存。同一密钥讲出了两段历史：\
                 密钥可能被复制；终端由旧备份恢复也会如此。",
                place.zh, claim.zh, how.zh
            ),
            format!(
                "At {when} terminal {terminal} ({}) sent a record with a valid signature{}, but {}; \
                 it was refused and kept. One key tells two histories: the key may have been \
                 copied; a terminal restored from an old backup looks the same.",
                place.en, claim.en, how.en
            ),
        );
        vec![refused.raise(self.kind(), Severity::Alarm, why, registry)]
    }
}
