//! How good each rule is by what people found, not by a made world: of the cases that were judged, how many were
//! fraud (docs/cases.md). A case counts once for each kind of anomaly in it, however many of a kind there are:
//! they are not independent. Honest mistakes and broken devices are errors, and are counted by their
//! reason; what could not be told counts in neither direction.

use std::collections::BTreeMap;

use super::Case;
use crate::domain::{AnomalyKind, Share, Verdict, VerdictReason, float};

/// Verdicts that every rule is credited with in [`Lived::estimate`], half of them fraud: one verdict does not
/// make a rule infallible, nor worthless.
const PRIOR_VERDICTS: f64 = 4.0;

/// What became of one rule's findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lived {
    /// Judged to be fraud.
    pub fraud: u64,
    /// Judged to be none, by reason.
    pub errors: BTreeMap<VerdictReason, u64>,
    /// Judged, and it could not be told.
    pub undecided: u64,
}

impl Lived {
    /// Judged to be no fraud, whatever it was.
    pub fn error(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Confirmed among decided.
    pub fn precision(&self) -> Share {
        Share { hits: self.fraud, of: self.fraud + self.error() }
    }

    /// What is taken for the precision where a number is needed: one half without any verdict, and the more
    /// verdicts there are the nearer to what they say.
    pub fn estimate(&self) -> f64 {
        let Share { hits, of } = self.precision();
        (float(hits) + PRIOR_VERDICTS / 2.0) / (float(of) + PRIOR_VERDICTS)
    }
}

/// Counts the verdicts that stand.
pub fn lived<'c>(cases: impl IntoIterator<Item = &'c Case>) -> BTreeMap<AnomalyKind, Lived> {
    let mut by_kind: BTreeMap<AnomalyKind, Lived> = BTreeMap::new();
    for case in cases {
        let Some((verdict, reason)) = case.verdict() else { continue };
        let mut kinds: Vec<_> = case.anomalies.iter().map(|brief| brief.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let lived = by_kind.entry(kind).or_default();
            match verdict {
                Verdict::Fraud => lived.fraud += 1,
                Verdict::Error => *lived.errors.entry(reason).or_default() += 1,
                Verdict::Undecided => lived.undecided += 1,
            }
        }
    }
    by_kind
}
