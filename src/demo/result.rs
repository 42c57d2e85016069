//! Was every planted fraud found, for the right reason, and nobody else accused?

use std::collections::BTreeSet;

use serde::Serialize;

use super::script::Plant;
use super::world::{PEOPLE, person_id};
use crate::domain::{Anomaly, PersonId};

/// What `rollcall demo --once --json` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// One row for each fraud of the script.
    pub planted: Vec<Planted>,
    /// Anomalies that match no fraud of the script: each is a wrong accusation.
    pub honest_flagged: Vec<String>,
    /// What became of the records.
    pub records: Records,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// One fraud and what was said of it.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    /// The kind, as in `AnomalyKind::as_str`.
    pub kind: &'static str,
    /// What ought to be said.
    pub expected: String,
    /// What was said; empty when nothing was.
    pub got: String,
    /// Whether the two agree.
    pub ok: bool,
}

/// Counts of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Sealed by the terminals.
    pub made: u64,
    /// Committed to the ledger.
    pub committed: u64,
    /// Refused and kept as evidence.
    pub refused: u64,
}

impl Outcome {
    /// Holds what was found against what was planted.
    pub(super) fn judge(
        plants: &[Plant],
        anomalies: &[Anomaly],
        records: Records,
        elapsed_ms: u64,
    ) -> Self {
        let ids = |who: &BTreeSet<usize>| who.iter().map(|&p| person_id(p)).collect();
        let fits = |plant: &Plant, anomaly: &Anomaly| {
            let wanted: BTreeSet<PersonId> = ids(&plant.who);
            let said: BTreeSet<PersonId> = anomaly.who.iter().copied().collect();
            plant.kind == anomaly.kind && wanted == said
        };
        let planted = plants.iter().map(|plant| {
            let found = anomalies.iter().find(|anomaly| fits(plant, anomaly));
            Planted {
                kind: plant.kind.as_str(),
                expected: describe(plant.kind.as_str(), &ids(&plant.who)),
                got: found.map(describe_anomaly).unwrap_or_default(),
                ok: found.is_some(),
            }
        });
        let honest = anomalies.iter().filter(|a| !plants.iter().any(|plant| fits(plant, a)));
        Self {
            planted: planted.collect(),
            honest_flagged: honest.map(describe_anomaly).collect(),
            records,
            elapsed_ms,
        }
    }

    /// Whether everything came out as it ought to.
    pub fn holds(&self) -> bool {
        self.planted.iter().all(|planted| planted.ok)
            && self.honest_flagged.is_empty()
            && self.records.made == self.records.committed
    }
}

fn describe_anomaly(anomaly: &Anomaly) -> String {
    let who = anomaly.who.iter().copied().collect();
    format!("{} — {}", describe(anomaly.kind.as_str(), &who), anomaly.why.en)
}

fn describe(kind: &str, who: &BTreeSet<PersonId>) -> String {
    let names: Vec<_> = who.iter().map(name_of).collect();
    if names.is_empty() { kind.to_owned() } else { format!("{kind}: {}", names.join(", ")) }
}

fn name_of(id: &PersonId) -> String {
    (0..PEOPLE.len())
        .find(|&person| person_id(person) == *id)
        .map_or_else(|| format!("{id:?}"), |person| PEOPLE[person].name.1.to_owned())
}
