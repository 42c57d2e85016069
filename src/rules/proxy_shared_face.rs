//! Proxy: one face serves under two names (一人多名). Page: docs/rules/proxy_shared_face.md.
//!
//! ## What it sees
//! An accepted record whose face the terminal found to be the face of an earlier accepted record of
//! its own, under another name.
//!
//! ## Why it matters
//! When a class is padded with names, somebody's face must be enrolled for them; each name then
//! draws a subsidy (Hebei 十一: 拼凑人数, 冒领).
//!
//! ## Example
//! A checks in at 08:31. At 08:36 B is accepted with a face that is like A's by 0.82.
//!
//! ## What it cannot know
//! Twins. Nor faces that come to two different terminals: pictures do not leave a terminal, so it
//! compares only those before its own camera, of the same day.
//!
//! ## What to do
//! Call both persons to the camera together; compare their enrolment with their identity papers.

use std::collections::{HashMap, VecDeque};

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Finding, Outcome, PersonId, Policy, Severity, TerminalId,
};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;
use crate::rules::{Rule, moment, words};

/// Accepted records remembered of one terminal: it compares within a day, and a day of six lessons
/// of 40 persons, in and out, is 480. An older record cannot be pointed to.
const TERMINAL_MAX: usize = 512;

/// Remembers whom each terminal's newest accepted records were about, by their numbers. Only admitted
/// records get here, so there are no more terminals than the centre registered.
#[derive(Default)]
pub(super) struct ProxySharedFace {
    accepted: HashMap<TerminalId, VecDeque<Accepted>>,
}

struct Accepted {
    seq: u64,
    index: u64,
    person: Option<PersonId>,
    /// Whose face it was said to be as well: the two are told once, not at each coming and going.
    told_with: Option<PersonId>,
}

impl ProxySharedFace {
    fn earlier(&self, terminal: &TerminalId, seq: u64) -> Option<&Accepted> {
        let own = self.accepted.get(terminal)?;
        own.get(own.binary_search_by_key(&seq, |accepted| accepted.seq).ok()?)
    }

    fn was_told(&self, terminal: &TerminalId, one: PersonId, other: PersonId) -> bool {
        let own = self.accepted.get(terminal).into_iter().flatten();
        own.filter_map(|accepted| accepted.person.zip(accepted.told_with))
            .any(|pair| pair == (one, other) || pair == (other, one))
    }

    /// A terminal's numbers grow along the ledger, so the newest is the last.
    fn remember(&mut self, terminal: &TerminalId, accepted: Accepted) {
        let own = self.accepted.entry(terminal.clone()).or_default();
        own.push_back(accepted);
        if own.len() > TERMINAL_MAX {
            own.pop_front();
        }
    }
}

impl Rule for ProxySharedFace {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ProxySharedFace
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "same_face_score_min",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Finding> {
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        if record.outcome != Some(Outcome::Accepted) {
            return Vec::new();
        }
        let least = policy.same_face_score_min();
        let pointed = record.same_face.filter(|same| same.score >= least);
        let earlier = pointed.and_then(|same| {
            let earlier = self.earlier(&record.terminal, same.seq)?;
            // Erasing a person erases her everywhere: if one of two is erased, they are two.
            (earlier.person != *person).then_some((same, earlier.index, earlier.person))
        });
        let told_with = earlier.and_then(|(_, _, other)| other);
        let earlier = earlier.filter(|_| {
            let both = person.zip(told_with);
            !both.is_some_and(|(one, other)| self.was_told(&record.terminal, one, other))
        });
        let seen = earlier.map(|(same, index, other)| {
            let (at, when) = moment::told(record, entry.committed_at, policy);
            let place = words::place(registry, &record.terminal);
            let evidence = vec![index, entry.index];
            Finding {
                id: AnomalyId::of(self.kind(), &evidence),
                kind: self.kind(),
                severity: Severity::Alarm,
                at,
                who: other.iter().chain(person).copied().collect(),
                terminals: vec![record.terminal.clone()],
                site: registry.site_of(&record.terminal).cloned(),
                why: Bilingual::new(
                    format!(
                        "{}，{}：本次被接受的人脸与本终端先前以另一姓名接受的人脸（序号 {}）相似度达 {}\
                         （{least} 起视为同一张脸）。可能是一人顶多名；双胞胎也会如此。",
                        when.zh, place.zh, same.seq, same.score
                    ),
                    format!(
                        "{}, {}: the face accepted here is like the face that this terminal \
                         accepted before under another name (its record {}) by {} (from {least} on \
                         they count as one). One person may serve for several names; twins look \
                         the same.",
                        when.en, place.en, same.seq, same.score
                    ),
                ),
                evidence,
            }
        });
        self.remember(
            &record.terminal,
            Accepted { seq: record.seq, index: entry.index, person: *person, told_with },
        );
        seen.into_iter().collect()
    }
}
