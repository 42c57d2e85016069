//! A candidate beside the profile in force: judges the same entries by its own numbers, from the fact that
//! names it until it is withdrawn, promoted or followed by another. What it raises is kept apart and reaches
//! neither case nor feed.
//!
//! It begins where it was named, with the registry as it stood there and no memory of what came before:
//! its first days see less than it would see later. Where it began follows from the ledger, so a restart
//! changes nothing.

use crate::domain::{Anomaly, Fact, Policy, Trial, TrialStep};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;
use crate::rules::Judge;

/// See the head of this file.
pub struct Shadow {
    known: Vec<Policy>,
    trial: Option<Running>,
}

struct Running {
    digest: [u8; 32],
    judge: Judge,
}

/// What a candidate raised.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// Digest of the candidate.
    pub candidate: [u8; 32],
    /// What it raised.
    pub anomaly: Anomaly,
}

impl Shadow {
    /// Tries out those of `known` that the ledger names.
    pub fn new(known: Vec<Policy>) -> Self {
        Self { known, trial: None }
    }

    /// Takes in one entry, with the registry as it stands after it.
    pub fn take(&mut self, entry: &Entry, registry: &Registry) -> Vec<Tried> {
        match &entry.body {
            Body::Fact(Fact::Trial(candidate)) => self.heed(candidate, registry),
            Body::Fact(_) | Body::Record { .. } | Body::Refused { .. } => {}
        }
        let Some(Running { digest, judge }) = &mut self.trial else { return Vec::new() };
        let candidate = *digest;
        judge.judge(entry).into_iter().map(|anomaly| Tried { candidate, anomaly }).collect()
    }

    fn heed(&mut self, candidate: &Trial, registry: &Registry) {
        let Trial { digest, step, .. } = candidate;
        match step {
            TrialStep::Named => {
                let policy = self.known.iter().find(|policy| policy.digest() == *digest);
                // A candidate whose text is not here cannot be tried; the one before it has ended.
                self.trial = policy.map(|policy| Running {
                    digest: *digest,
                    judge: Judge::of_candidate(policy.clone(), registry.clone()),
                });
            }
            TrialStep::Withdrawn | TrialStep::Promoted => {
                self.trial = self.trial.take().filter(|trial| trial.digest != *digest);
            }
        }
    }
}
