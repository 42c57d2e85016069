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
mod lessons;
mod moment;
mod recent;
mod refused;
mod rolls;
mod window;
mod words;

// The rules, from who stood there, over where and when, to what was sent.
mod altered;
mod device_changed;
mod excess_hours;
mod forged;
mod forked_chain;
mod late_checkouts;
mod late_registration;
mod long_week;
mod machine_pace;
mod made_afterwards;
mod missed_roll_call;
mod multi_device;
mod off_timetable;
mod often_unseen;
mod pairs;
mod perfect_attendance;
mod proxy_shared_face;
mod proxy_stand_in;
mod replayed;
mod score_drift;
mod short_lesson;
mod silent_terminal;
mod spoof_attempts;
mod steady_scores;
mod thin_margins;
mod two_classes;
mod unregistered_terminal;
mod without_face;

use crate::domain::{Anomaly, AnomalyKind, Policy};
use crate::ledger::Entry;
use crate::registry::Registry;
use lessons::{Held, Lessons};
use rolls::{Roll, Rolls};

/// What a rule judges by.
struct Ground<'j> {
    /// As it stands after the entry at hand.
    registry: &'j Registry,
    policy: &'j Policy,
}

/// One detector. It looks at entries, at lessons that are over, or at roll calls that are over, whatever
/// tells what it is about.
trait Rule: Send {
    /// What it looks for. Names its file and its page.
    fn kind(&self) -> AnomalyKind;

    /// Takes in one entry, with the registry as it stands after that entry, and says what it sees.
    fn judge(&mut self, _entry: &Entry, _registry: &Registry, _policy: &Policy) -> Vec<Anomaly> {
        Vec::new()
    }

    /// Takes in a lesson that is over and told of.
    fn lesson_over(&mut self, _held: &Held, _ground: &Ground<'_>) -> Vec<Anomaly> {
        Vec::new()
    }

    /// Takes in a roll call that is over and told of.
    fn roll_over(&mut self, _roll: &Roll, _ground: &Ground<'_>) -> Vec<Anomaly> {
        Vec::new()
    }
}

/// All rules at work on one ledger: feed it every entry, in order.
pub struct Judge {
    policy: Policy,
    registry: Registry,
    lessons: Lessons,
    rolls: Rolls,
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
            Box::new(missed_roll_call::MissedRollCall),
            Box::new(often_unseen::OftenUnseen::default()),
            Box::new(late_registration::LateRegistration::default()),
            Box::new(two_classes::TwoClasses::default()),
            Box::new(short_lesson::ShortLesson),
            Box::new(late_checkouts::LateCheckouts::default()),
            Box::new(long_week::LongWeek::default()),
            Box::new(without_face::WithoutFace::default()),
            Box::new(steady_scores::SteadyScores::default()),
            Box::new(score_drift::ScoreDrift::default()),
            Box::new(thin_margins::ThinMargins),
            Box::new(pairs::Pairs::default()),
            Box::new(perfect_attendance::PerfectAttendance::default()),
            Box::new(silent_terminal::SilentTerminal::default()),
            Box::new(device_changed::DeviceChanged::default()),
        ];
        let (registry, lessons, rolls) = Default::default();
        Self { policy, registry, lessons, rolls, rules, next: 0 }
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
        let (registry, policy) = (&self.registry, &self.policy);
        let lessons = self.lessons.take(entry, registry, policy);
        let rolls = self.rolls.take(entry, registry, policy);
        let ground = Ground { registry, policy };
        let mut raised = Vec::new();
        for rule in &mut self.rules {
            raised.extend(rule.judge(entry, registry, policy));
            raised.extend(lessons.iter().flat_map(|held| rule.lesson_over(held, &ground)));
            raised.extend(rolls.iter().flat_map(|roll| rule.roll_over(roll, &ground)));
        }
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
