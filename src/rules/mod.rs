//! One detector, one file, one page (`docs/rules/`): a fold over the ledger. A rule reads entries,
//! the registry that the same entries project, and the numbers of the policy profile; no clock, no
//! file, no chance. The same ledger under the same profile gives the same anomalies for ever.
//!
//! An anomaly is a question with evidence. Every rule therefore says, in its file and on its page,
//! what it sees, why that matters, an example, **what it cannot know**, and what to do.
//!
//! Three things hold for all rules:
//! - A rule on times speaks only of times that are proven (`moment`); else it stays silent.
//! - Arrival is not happening: a terminal that was offline delivers late, and whatever order two
//!   terminals' records arrive in, the same kinds are raised about the same persons.
//! - Memory is bounded, by time (the profile's longest provable delay) and by count (`window`).

pub mod hours;
pub mod limits;
mod moment;
mod online;
mod refused;
mod window;
mod words;

// The rules, from who stood there, over where and when, to what was sent.
mod altered;
mod background_play;
mod excess_hours;
mod forged;
mod forked_chain;
mod machine_pace;
mod made_afterwards;
mod missed_roll_call;
mod moved_cohort;
mod multi_device;
mod off_timetable;
mod over_limit;
mod platform_sessions;
mod proxy_shared_face;
mod proxy_stand_in;
mod replayed;
mod spoof_attempts;
mod unregistered_terminal;

use crate::domain::{Anomaly, AnomalyKind, Policy};
use crate::ledger::Entry;
use crate::registry::Registry;

/// One detector.
pub trait Rule: Send {
    /// What it looks for. Names its file and its page.
    fn kind(&self) -> AnomalyKind;

    /// Takes in one entry, with the registry as it stands after that entry, and says what it sees.
    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Anomaly>;
}

/// All rules at work on one ledger: feed it every entry, in order.
pub struct Judge {
    policy: Policy,
    registry: Registry,
    rules: Vec<Box<dyn Rule>>,
    next: u64,
}

impl Judge {
    /// Every rule that there is, with nothing seen yet.
    pub fn new(policy: Policy) -> Self {
        let rules: Vec<Box<dyn Rule>> = vec![
            Box::new(proxy_stand_in::ProxyStandIn),
            Box::new(proxy_shared_face::ProxySharedFace::default()),
            Box::new(multi_device::MultiDevice::new(&policy)),
            Box::new(off_timetable::OffTimetable),
            Box::new(excess_hours::ExcessHours::new(&policy)),
            Box::new(forged::Forged),
            Box::new(altered::Altered),
            Box::new(replayed::Replayed),
            Box::new(unregistered_terminal::UnregisteredTerminal::default()),
            Box::new(forked_chain::ForkedChain),
            Box::new(made_afterwards::MadeAfterwards::default()),
            Box::new(machine_pace::MachinePace::default()),
            Box::new(spoof_attempts::SpoofAttempts::new(&policy)),
            Box::new(missed_roll_call::MissedRollCall::default()),
            Box::new(over_limit::OverLimit),
            Box::new(moved_cohort::MovedCohort::new(&policy)),
            Box::new(platform_sessions::PlatformSessions::new(&policy)),
            Box::new(background_play::BackgroundPlay::new(&policy)),
        ];
        Self { policy, registry: Registry::default(), rules, next: 0 }
    }

    /// Takes in one entry: first the registry, then every rule. An entry that was judged before
    /// (by its index) changes nothing and raises nothing, so a caller that starts over after a
    /// failure may hand in the same stretch again.
    pub fn judge(&mut self, entry: &Entry) -> Vec<Anomaly> {
        if entry.index < self.next {
            return Vec::new();
        }
        self.next = entry.index.saturating_add(1);
        self.registry.apply(entry);
        let rules = self.rules.iter_mut();
        let raised: Vec<_> =
            rules.flat_map(|rule| rule.judge(entry, &self.registry, &self.policy)).collect();
        // Nobody is judged by numbers that were not in force when it happened: what an earlier
        // profile raised was raised then.
        let other = self.registry.policy().is_some_and(|(_, d)| *d != self.policy.digest());
        if other { Vec::new() } else { raised }
    }

    /// Index of the first entry not yet judged.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What the entries so far say of institutions, sites, terminals and lessons.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The profile whose numbers are used.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is looked for, in the order of judging.
    pub fn kinds(&self) -> Vec<AnomalyKind> {
        self.rules.iter().map(|rule| rule.kind()).collect()
    }
}
