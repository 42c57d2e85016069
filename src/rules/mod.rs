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
mod clocks;
mod lessons;
mod moment;
mod names;
mod online;
mod passages;
mod recent;
mod refused;
mod rolls;
mod window;
mod words;

// The rules, from who stood there, over where and when, to what was sent.
mod altered;
mod background_play;
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
mod moved_cohort;
mod multi_device;
mod off_timetable;
mod often_unseen;
mod over_limit;
mod pairs;
mod perfect_attendance;
mod platform_sessions;
mod proxy_shared_face;
mod proxy_stand_in;
mod replayed;
mod score_drift;
mod short_lesson;
mod silent_terminal;
mod spoof_attempts;
mod steady_scores;
mod thin_margins;
mod time_refuted;
mod two_classes;
mod unregistered_terminal;
mod without_face;

use std::collections::BTreeMap;

use crate::domain::{Anomaly, AnomalyKind, Fact, Finding, LedgerRange, Policy, SiteId};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;
use clocks::{Clocks, Heard};
use lessons::{Held, Lessons};
use moment::Moment;
use names::{Book, Numbers};
use passages::{Passage, Passages};
use rolls::{Roll, Rolls};
use time_refuted::Claim;

/// What a rule judges by.
struct Ground<'j> {
    /// As it stands after the entry at hand.
    registry: &'j Registry,
    policy: &'j Policy,
    /// Where and when everybody came and went, with the entry at hand.
    passages: &'j Passages,
    /// Which numbers stand for which names.
    book: &'j Book,
    /// The numbers of what the record at hand names.
    numbers: Option<Numbers>,
    /// When the record at hand was made, if that is proven.
    moment: Option<Moment>,
    /// Where the terminal of the record at hand stands.
    site: Option<&'j SiteId>,
}

/// One detector. It looks at entries, at comings and goings, at lessons or roll calls that are over, at clocks that are
/// contradicted, whatever tells what it is about.
trait Rule: Send {
    /// What it looks for. Names its file and its page.
    fn kind(&self) -> AnomalyKind;

    /// From 1, one more with each change of what it raises or says.
    fn version(&self) -> u16;

    /// Which numbers of the profile it reads, itself or through what it shares with others.
    fn numbers(&self) -> &'static [&'static str];

    /// Takes in one entry and says what it sees.
    fn judge(&mut self, _entry: &Entry, _ground: &Ground<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Takes in a coming or a going.
    fn passed(&mut self, _passage: &Passage<'_>, _ground: &Ground<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Takes in a lesson that is over and told of.
    fn lesson_over(&mut self, _held: &Held, _ground: &Ground<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Takes in a roll call that is over and told of.
    fn roll_over(&mut self, _roll: &Roll, _ground: &Ground<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Takes in a record that contradicts its own clock, or the time of others of its terminal.
    fn clock_heard(
        &mut self,
        _entry: &Entry,
        _heard: &Heard<Claim>,
        _ground: &Ground<'_>,
    ) -> Vec<Finding> {
        Vec::new()
    }
}

/// A rule as it stands in this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Which rule.
    pub kind: AnomalyKind,
    /// From 1, one more with each change of what it raises or says.
    pub version: u16,
    /// Which numbers of the profile it reads.
    pub numbers: &'static [&'static str],
}

/// All rules at work on one ledger: feed it every entry, in order.
///
/// Nobody is judged by numbers that were not in force when it happened: each stretch of the ledger is
/// judged by the profile that the ledger names there, if its text is known here. Where it is not, nothing
/// is raised; what that profile raised was raised then. What rules remember passes from one profile to the
/// next.
pub struct Judge {
    known: Vec<Policy>,
    policy: Policy,
    in_force: InForce,
    registry: Registry,
    book: Book,
    passages: Passages,
    lessons: Lessons,
    rolls: Rolls,
    clocks: Clocks<Claim>,
    rules: Vec<Seat>,
    first: Option<u64>,
    next: u64,
}

/// How a judge's profile stands to the one that the ledger names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InForce {
    /// It is that one, or the ledger has named none yet.
    Own,
    /// The ledger names one whose text is not known.
    Unknown,
    /// It does not matter: a candidate judges everything.
    Whatever,
}

/// A rule, and what of the profile it is given: the same for all that it finds.
struct Seat {
    rule: Box<dyn Rule>,
    inputs: BTreeMap<String, String>,
}

impl Judge {
    /// Every rule that there is, with nothing seen yet and one profile known.
    pub fn new(policy: Policy) -> Self {
        Self::knowing(policy, Vec::new())
    }

    /// The same with more profiles known. Until the ledger names one, `policy` is used.
    pub fn knowing(policy: Policy, mut others: Vec<Policy>) -> Self {
        others.push(policy.clone());
        Self::of(policy, others, InForce::Own, Registry::default())
    }

    /// Judges by this profile whatever is in force, from where `registry` stands.
    pub fn of_candidate(policy: Policy, registry: Registry) -> Self {
        Self::of(policy, Vec::new(), InForce::Whatever, registry)
    }

    fn of(policy: Policy, known: Vec<Policy>, in_force: InForce, registry: Registry) -> Self {
        let rules = every_rule().into_iter();
        let rules = rules.map(|rule| Seat { inputs: inputs(&*rule, &policy), rule }).collect();
        let (book, passages, lessons, rolls, clocks) = Default::default();
        Self {
            known,
            policy,
            in_force,
            registry,
            book,
            passages,
            lessons,
            rolls,
            clocks,
            rules,
            first: None,
            next: 0,
        }
    }

    /// Takes in one entry: first the registry, then every rule. An entry that was judged before
    /// (by its index) changes nothing and raises nothing, so a caller that starts over after a
    /// failure may hand in the same stretch again.
    pub fn judge(&mut self, entry: &Entry) -> Vec<Anomaly> {
        if entry.index < self.next {
            return Vec::new();
        }
        self.next = entry.index.saturating_add(1);
        let ledger =
            LedgerRange { first: *self.first.get_or_insert(entry.index), last: entry.index };
        self.registry.apply(entry);
        if let Body::Fact(Fact::Policy { digest, .. }) = &entry.body {
            self.follow(digest);
        }
        let (registry, policy) = (&self.registry, &self.policy);
        let (moment, site, numbers) = match &entry.body {
            Body::Record { record, .. } => {
                let site = registry.site_of(&record.terminal);
                let moment = moment::proven(record, entry.committed_at, policy);
                (moment, site, Some(self.book.numbers(record, site)))
            }
            Body::Fact(_) | Body::Refused { .. } => (None, None, None),
        };
        let passed = self.passages.take(entry, (moment, numbers), policy);
        let (passages, book) = (&self.passages, &self.book);
        let ground = Ground { registry, policy, passages, book, numbers, moment, site };
        let lessons = self.lessons.take(entry, &ground);
        let rolls = self.rolls.take(entry, &ground);
        let heard = time_refuted::hear(&mut self.clocks, entry, &ground);
        let passage =
            passed.map(|(person, new)| Passage { person, new, all: passages.of(&person) });
        let mut raised = Vec::new();
        for Seat { rule, inputs } in &mut self.rules {
            let mut found = rule.judge(entry, &ground);
            if let Some(passage) = &passage {
                found.extend(rule.passed(passage, &ground));
            }
            for held in &lessons {
                found.extend(rule.lesson_over(held, &ground));
            }
            for roll in &rolls {
                found.extend(rule.roll_over(roll, &ground));
            }
            if let Some(heard) = &heard {
                found.extend(rule.clock_heard(entry, heard, &ground));
            }
            for finding in found {
                raised.push(judged(finding, policy, rule.version(), inputs.clone(), ledger));
            }
        }
        if self.is_silent() { Vec::new() } else { raised }
    }

    /// Another profile comes into force.
    fn follow(&mut self, digest: &[u8; 32]) {
        if self.in_force == InForce::Whatever {
            return;
        }
        let named = self.known.iter().find(|policy| policy.digest() == *digest);
        self.in_force = if named.is_some() { InForce::Own } else { InForce::Unknown };
        let Some(policy) = named.filter(|policy| **policy != self.policy) else { return };
        self.policy = policy.clone();
        for Seat { rule, inputs } in &mut self.rules {
            *inputs = self::inputs(&**rule, &self.policy);
        }
    }

    /// Whether nothing is raised, because the text of the profile in force is not known.
    pub fn is_silent(&self) -> bool {
        self.in_force == InForce::Unknown
    }

    /// Index of the first entry not yet judged.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What the entries so far say of institutions, sites, terminals and lessons.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The profile whose numbers are used now.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is looked for, in the order of judging.
    pub fn kinds(&self) -> Vec<AnomalyKind> {
        self.rules.iter().map(|seat| seat.rule.kind()).collect()
    }

    /// The same, with the version of each and the numbers that it reads.
    pub fn versions(&self) -> Vec<Version> {
        let version = |Seat { rule, .. }: &Seat| Version {
            kind: rule.kind(),
            version: rule.version(),
            numbers: rule.numbers(),
        };
        self.rules.iter().map(version).collect()
    }
}

fn every_rule() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(proxy_stand_in::ProxyStandIn),
        Box::new(proxy_shared_face::ProxySharedFace::default()),
        Box::new(multi_device::MultiDevice),
        Box::new(off_timetable::OffTimetable),
        Box::new(excess_hours::ExcessHours),
        Box::new(forged::Forged),
        Box::new(altered::Altered),
        Box::new(replayed::Replayed),
        Box::new(unregistered_terminal::UnregisteredTerminal::default()),
        Box::new(forked_chain::ForkedChain),
        Box::new(made_afterwards::MadeAfterwards::default()),
        Box::new(time_refuted::TimeRefuted::default()),
        Box::new(machine_pace::MachinePace::default()),
        Box::new(spoof_attempts::SpoofAttempts::default()),
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
        Box::new(over_limit::OverLimit),
        Box::new(moved_cohort::MovedCohort::default()),
        Box::new(platform_sessions::PlatformSessions::default()),
        Box::new(background_play::BackgroundPlay::default()),
    ]
}

fn inputs(rule: &dyn Rule, policy: &Policy) -> BTreeMap<String, String> {
    let numbers = policy.numbers().into_iter().filter(|line| rule.numbers().contains(&line.name));
    numbers.map(|line| (line.name.to_owned(), line.value)).collect()
}

fn judged(
    finding: Finding,
    policy: &Policy,
    rule: u16,
    inputs: BTreeMap<String, String>,
    ledger: LedgerRange,
) -> Anomaly {
    let Finding { id, kind, severity, at, who, terminals, site, why, evidence } = finding;
    let policy = policy.profile();
    Anomaly {
        id,
        kind,
        severity,
        at,
        who,
        terminals,
        site,
        why,
        evidence,
        policy,
        rule,
        inputs,
        ledger,
    }
}
