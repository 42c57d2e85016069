//! What was claimed or engaged goes beyond a limit (超出限制). Page: docs/rules/over_limit.md.
//!
//! ## What it sees
//! An objection that the centre stated when a claim, a teacher or a certificate was entered: more subsidies of
//! a person in a year than allowed, the same occupation and level again, a lower level after a higher one, more
//! hours than the ledger can prove, too few of them offline, a part-time teacher at too many institutions, too
//! few full-time teachers, a certificate without an examination.
//!
//! ## Why it matters
//! Each is money for training that was paid already, that nobody had, or that may not be paid (Hebei 七, 十二;
//! Guizhou 九; Changchun 四(二); Hubei 二(一)).
//!
//! ## Example
//! 40 persons are claimed with 240 lesson hours each; the ledger can prove 180 of one of them.
//!
//! ## What it cannot know
//! Whether a clerk mistook a number for another. Who was erased, or is known under two numbers, is nobody's
//! double. The objection is of the day when it was stated: what was put right since is not asked again.
//!
//! ## What to do
//! `rollcall collector limits` says of whom and on what it rests; ask the institution before anybody else.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Fact, Finding, Objected, Severity};
use crate::ledger::{Body, Entry};
use crate::rules::{Ground, Rule, limits};

/// Remembers nothing: the objection says it all.
pub(super) struct OverLimit;

impl Rule for OverLimit {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::OverLimit
    }

    fn version(&self) -> u16 {
        1
    }

    /// What it went by stands in the objection.
    fn numbers(&self) -> &'static [&'static str] {
        &[]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { policy, .. } = *ground;
        let Body::Fact(Fact::Objected(objected)) = &entry.body else { return Vec::new() };
        let Objected { of, limit, persons, found, allowed, policy: by } = objected;
        // What another profile forbids was objected to under that profile.
        if *by != policy.profile() {
            return Vec::new();
        }
        let (about, why) = (limits::subject_words(of), limits::why(*limit, *found, *allowed));
        let (zh, en) = match persons {
            0 | 1 => (String::new(), String::new()),
            more => (format!("（涉及 {more} 人，此为其一）"), format!(" (one of {more} persons)")),
        };
        let evidence = vec![entry.index];
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Warning,
            at: entry.committed_at,
            who: Vec::new(),
            terminals: Vec::new(),
            site: None,
            why: Bilingual::new(
                format!("{}：{}{zh}。可能是重复或虚报；录入有误也会如此。", about.zh, why.zh),
                format!(
                    "{}: {}{en}. It may be claimed twice or made up; a slip in a table looks the same.",
                    about.en, why.en
                ),
            ),
            evidence,
        }]
    }
}
