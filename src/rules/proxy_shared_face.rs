//! Proxy: one face serves under two names (一人多名). Page: docs/rules/proxy_shared_face.md.
//!
//! ## What it sees
//! An accepted record whose face the terminal found to be the face of an earlier accepted record of
//! its own, under another name; and a template that a terminal refused to make, because the face is
//! confidently that of somebody else who has one at the institution.
//!
//! ## Why it matters
//! When a class is padded with names, somebody's face must be enrolled for them; each name then
//! draws a subsidy (Hebei 十一: 拼凑人数, 冒领).
//!
//! ## Example
//! A checks in at 08:31. At 08:36 B is accepted with a face that is like A's by 0.82.
//!
//! ## What it cannot know
//! Twins. Nor faces that come to two different terminals under templates of their own: pictures do not
//! leave a terminal, so it compares only those before its own camera, of the same day, and those that
//! the institution's terminals share.
//!
//! ## What to do
//! Call both persons to the camera together; compare their enrolment with their identity papers.

use std::collections::VecDeque;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Finding, NoticeKind, Outcome, PersonId, Policy, Severity,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::names::Numbered;
use crate::rules::{Ground, Rule, moment, words};

/// Accepted records remembered of one terminal: it compares within a day, and a day of six lessons
/// of 40 persons, in and out, is 480. An older record cannot be pointed to.
const TERMINAL_MAX: usize = 512;

/// Pairs that are remembered as told: a province has fewer twins in training.
const PAIRS_MAX: usize = 4_096;

/// Remembers whom each terminal's newest accepted records were about. Only admitted records get
/// here, so there are no more terminals than the centre registered.
#[derive(Default)]
pub(super) struct ProxySharedFace {
    accepted: Numbered<VecDeque<Accepted>>,
    /// Who was said to have whose face, oldest first: two are told once, not at each coming and going.
    told: VecDeque<[PersonId; 2]>,
}

struct Accepted {
    seq: u64,
    index: u64,
    person: Option<PersonId>,
}

impl ProxySharedFace {
    /// Whether the two were told of before; from now on they were.
    fn was_told(&mut self, mut pair: [PersonId; 2]) -> bool {
        pair.sort_unstable();
        if self.told.contains(&pair) {
            return true;
        }
        self.told.push_back(pair);
        if self.told.len() > PAIRS_MAX {
            self.told.pop_front();
        }
        false
    }

    fn earlier(&mut self, terminal: u32, seq: u64) -> Option<&Accepted> {
        let own = self.accepted.of(terminal);
        own.get(own.binary_search_by_key(&seq, |accepted| accepted.seq).ok()?)
    }

    /// A terminal's numbers grow along the ledger, so the newest is the last.
    fn remember(&mut self, terminal: u32, accepted: Accepted) {
        let own = self.accepted.of(terminal);
        own.push_back(accepted);
        if own.len() > TERMINAL_MAX {
            own.pop_front();
        }
    }
}

/// The face that was to be enrolled for one person is enrolled for another.
fn refused_template(
    entry: &Entry,
    record: &Record,
    [person, other]: [Option<PersonId>; 2],
    registry: &Registry,
    policy: &Policy,
) -> Vec<Finding> {
    let least = policy.same_face_score_min();
    let alike = record.other.as_ref().map(|other| other.score).filter(|score| *score >= least);
    let Some(alike) = alike.filter(|_| person != other) else { return Vec::new() };
    let (at, when) = moment::told(record, entry.committed_at, policy);
    let place = words::place(registry, &record.terminal);
    vec![Finding {
        id: AnomalyId::of(AnomalyKind::ProxySharedFace, &[entry.index]),
        kind: AnomalyKind::ProxySharedFace,
        severity: Severity::Warning,
        at,
        who: other.into_iter().chain(person).collect(),
        terminals: vec![record.terminal.clone()],
        site: registry.site_of(&record.terminal).cloned(),
        why: Bilingual::new(
            format!(
                "{}，{}：建立模板被拒：这张脸与已在本机构登记的另一人相似度达 {alike}（{least} 起视为同一张脸）。\
                 可能一人顶多名；双胞胎、登记时站错人也会如此。",
                when.zh, place.zh
            ),
            format!(
                "{}, {}: a template was refused: the face is like that of another person enrolled at the \
                 institution by {alike} (from {least} on they count as one). One person may serve for several \
                 names; twins, or the wrong person before the camera, look the same.",
                when.en, place.en
            ),
        ),
        evidence: vec![entry.index],
    }]
}

impl Rule for ProxySharedFace {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::ProxySharedFace
    }

    fn version(&self) -> u16 {
        2
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "same_face_score_min",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person, other, .. } = &entry.body else { return Vec::new() };
        let Some(numbers) = ground.numbers else { return Vec::new() };
        if record.notice.is_some_and(|notice| notice.kind == NoticeKind::TemplateRefused) {
            return refused_template(entry, record, [*person, *other], registry, policy);
        }
        if record.outcome != Some(Outcome::Accepted) {
            return Vec::new();
        }
        let least = policy.same_face_score_min();
        let pointed = record.same_face.filter(|same| same.score >= least);
        let earlier = pointed.and_then(|same| {
            let earlier = self.earlier(numbers.terminal, same.seq)?;
            // Erasing a person erases her everywhere: if one of two is erased, they are two.
            (earlier.person != *person).then_some((same, earlier.index, earlier.person))
        });
        let earlier = earlier.filter(|(_, _, other)| {
            !person.zip(*other).is_some_and(|(one, other)| self.was_told([one, other]))
        });
        self.remember(
            numbers.terminal,
            Accepted { seq: record.seq, index: entry.index, person: *person },
        );
        let Some((same, index, other)) = earlier else { return Vec::new() };
        let (at, when) = moment::told(record, entry.committed_at, policy);
        let place = words::place(registry, &record.terminal);
        let evidence = vec![index, entry.index];
        vec![Finding {
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
        }]
    }
}
