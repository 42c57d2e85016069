//! Holds an anomaly against what was planted. It matches an incident if it shares a subject, a person or
//! a terminal, and lies in the incident's period, a day of tolerance either way.

use std::collections::HashMap;

use crate::domain::{Anomaly, PersonId, TerminalId, Timestamp};
use crate::province::Label;

/// An anomaly may lie so far outside of the period.
const TOLERANCE_MS: i64 = 86_400_000;

/// The incidents, by whom they are about.
pub(super) struct Planted<'l> {
    labels: &'l [Label],
    persons: HashMap<PersonId, Vec<usize>>,
    terminals: HashMap<&'l TerminalId, Vec<usize>>,
}

impl<'l> Planted<'l> {
    pub(super) fn new(labels: &'l [Label]) -> Self {
        let mut persons: HashMap<PersonId, Vec<usize>> = HashMap::new();
        let mut terminals: HashMap<&TerminalId, Vec<usize>> = HashMap::new();
        for (n, label) in labels.iter().enumerate() {
            for person in &label.persons {
                persons.entry(*person).or_default().push(n);
            }
            for terminal in &label.terminals {
                terminals.entry(terminal).or_default().push(n);
            }
        }
        Self { labels, persons, terminals }
    }

    /// The incidents that an anomaly matches, each once.
    pub(super) fn matched(&self, anomaly: &Anomaly) -> Vec<usize> {
        let persons = anomaly.who.iter().filter_map(|who| self.persons.get(who));
        let terminals = anomaly.terminals.iter().filter_map(|it| self.terminals.get(it));
        let mut all: Vec<usize> = persons.chain(terminals).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|n| {
            let label = &self.labels[*n];
            let (from, until) =
                (label.from.plus_ms(-TOLERANCE_MS), label.until.plus_ms(TOLERANCE_MS));
            (from..=until).contains(&anomaly.at)
        });
        all
    }

    /// Whether somebody is part of no incident at this time.
    pub(super) fn is_honest(&self, person: PersonId, at: Timestamp) -> bool {
        let own = self.persons.get(&person).into_iter().flatten();
        !own.map(|n| &self.labels[*n]).any(|label| (label.from..label.until).contains(&at))
    }
}
