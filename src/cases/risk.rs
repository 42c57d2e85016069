//! How urgent a case is, from 0 to 100, with each part of the number: an order for reading, never a verdict
//! and never a probability (docs/cases.md, "The score").
//!
//! ```text
//! points of a kind = severity × repetition × precision as lived × age
//! score            = sum of all points × (1 + ¼ for each further kind, at most 1¾), at most 100
//! ```

use std::collections::BTreeMap;

use super::{Brief, Case, Lived};
use crate::domain::{AnomalyKind, Severity, Timestamp};

/// What one kind of anomaly adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Which kind.
    pub kind: AnomalyKind,
    /// How many of it.
    pub count: usize,
    /// The highest severity among them.
    pub severity: Severity,
    /// Points for that severity.
    pub weight: f64,
    /// From 1, for a single one, towards 2: each further one adds half of what the one before added.
    pub repetition: f64,
    /// The rule's precision as lived; one half where nothing was judged.
    pub precision: f64,
    /// From 1, within a week, down to a quarter, after 90 days: for the newest of them.
    pub age: f64,
    /// All of it multiplied.
    pub points: f64,
}

/// A score and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// 0 to 100.
    pub score: u8,
    /// For each kind, the most points first.
    pub parts: Vec<Part>,
    /// For more than one kind: different rules rarely err together.
    pub variety: f64,
}

/// The score of a case at a moment, by the precision that its rules have lived.
pub fn risk(case: &Case, lived: &BTreeMap<AnomalyKind, Lived>, now: Timestamp) -> Risk {
    let mut kinds: BTreeMap<AnomalyKind, Vec<&Brief>> = BTreeMap::new();
    for brief in &case.anomalies {
        kinds.entry(brief.kind).or_default().push(brief);
    }
    let mut parts: Vec<Part> =
        kinds.iter().map(|(kind, of_kind)| part(*kind, of_kind, lived.get(kind), now)).collect();
    parts.sort_by(|a, b| b.points.total_cmp(&a.points).then(a.kind.cmp(&b.kind)));
    let variety = match parts.len() {
        0 | 1 => 1.0,
        2 => 1.25,
        3 => 1.5,
        _ => 1.75,
    };
    let sum: f64 = parts.iter().map(|part| part.points).sum();
    Risk { score: whole(sum * variety), parts, variety }
}

fn part(kind: AnomalyKind, of_kind: &[&Brief], lived: Option<&Lived>, now: Timestamp) -> Part {
    let severity = of_kind.iter().map(|brief| brief.severity).max().unwrap_or(Severity::Notice);
    let weight = match severity {
        Severity::Notice => 10.0,
        Severity::Warning => 30.0,
        Severity::Alarm => 60.0,
    };
    let further = i32::try_from(of_kind.len().saturating_sub(1)).unwrap_or(i32::MAX);
    let repetition = 2.0 - 0.5_f64.powi(further);
    let precision = lived.map_or_else(|| Lived::default().estimate(), Lived::estimate);
    let newest = of_kind.iter().map(|brief| brief.at).max().unwrap_or(now);
    let age = match now.ms_since(newest) / 86_400_000 {
        ..=7 => 1.0,
        8..=30 => 0.75,
        31..=90 => 0.5,
        91.. => 0.25,
    };
    let points = weight * repetition * precision * age;
    Part { kind, count: of_kind.len(), severity, weight, repetition, precision, age, points }
}

fn whole(points: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between 0 and 100"
    )]
    let score = points.clamp(0.0, 100.0).round() as u8;
    score
}
