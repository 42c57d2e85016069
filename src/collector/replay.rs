//! What would another profile have raised? Folds the ledger through two judges, the one whose profiles were
//! in force and a candidate, and holds what they raise against each other. Pure: entries in, differences
//! out.
//!
//! Both see the whole history, so that each remembers what it would remember; compared is only what is raised
//! at entries committed within the range. Two anomalies are the same when they have the same id (kind and
//! evidence); one that rests on other entries, but is of the same kind, about the same persons and terminals
//! on the same day, has merely moved.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::domain::{Anomaly, AnomalyId, AnomalyKind, PersonId, TerminalId, Timestamp, Verdict};
use crate::ledger::Entry;
use crate::rules::Judge;

/// How often reviewers found what about somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// See [`Verdict::Fraud`].
    pub fraud: u32,
    /// See [`Verdict::Error`].
    pub error: u32,
    /// See [`Verdict::Undecided`].
    pub undecided: u32,
}

impl Verdicts {
    fn count(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Fraud => &mut self.fraud,
            Verdict::Error => &mut self.error,
            Verdict::Undecided => &mut self.undecided,
        };
        *count += 1;
    }
}

/// Two judges over one ledger.
pub struct Replay {
    standing: Judge,
    candidate: Judge,
    range: (Timestamp, Timestamp),
    raised: Raised,
    reviewed: Reviewed,
    entries: u64,
    unjudged: u64,
}

#[derive(Default)]
struct Raised {
    standing: Vec<Anomaly>,
    candidate: Vec<Anomaly>,
}

impl Replay {
    /// Nothing seen yet. Compared is what is raised from the first moment until before the second.
    pub fn new(standing: Judge, candidate: Judge, range: (Timestamp, Timestamp)) -> Self {
        Self {
            standing,
            candidate,
            range,
            raised: Raised::default(),
            reviewed: Reviewed::default(),
            entries: 0,
            unjudged: 0,
        }
    }

    /// Takes in one entry, in order. `verdict_of` says what reviewers found of an anomaly, today.
    pub fn take(&mut self, entry: &Entry, verdict_of: &dyn Fn(&AnomalyId) -> Option<Verdict>) {
        let (standing, candidate) = (self.standing.judge(entry), self.candidate.judge(entry));
        for anomaly in &standing {
            if let Some(verdict) = verdict_of(&anomaly.id) {
                self.reviewed.add(anomaly, verdict);
            }
        }
        let (from, until) = self.range;
        if (from..until).contains(&entry.committed_at) {
            self.entries += 1;
            self.unjudged += u64::from(self.standing.is_silent());
            self.raised.standing.extend(standing);
            self.raised.candidate.extend(candidate);
        }
    }

    /// What differs.
    pub fn conclude(self) -> Comparison {
        let Self { standing, candidate, raised, reviewed, entries, unjudged, .. } = self;
        let kinds = standing.kinds().into_iter().chain(candidate.kinds()).collect();
        Comparison {
            entries,
            unjudged,
            rules: compare(raised.standing, raised.candidate, kinds, &reviewed),
        }
    }
}

/// Two profiles held against each other.
#[derive(Debug, PartialEq)]
pub struct Comparison {
    /// Entries within the range.
    pub entries: u64,
    /// Those of them at which no profile was in force that is kept: there the one side says nothing.
    pub unjudged: u64,
    /// For each rule.
    pub rules: BTreeMap<AnomalyKind, Difference>,
}

/// What differs in one rule.
#[derive(Debug, Default, PartialEq)]
pub struct Difference {
    /// Raised by the candidate alone.
    pub fires: Vec<Shown>,
    /// Raised by what is in force alone.
    pub silent: Vec<Shown>,
    /// Raised by both, on other evidence: as the candidate says it.
    pub moved: Vec<Shown>,
    /// Raised by both.
    pub stays: Vec<Shown>,
}

/// An anomaly, with what reviewers found of its subjects: of it, or of others about the same persons, or
/// at the same terminals where nobody is known.
#[derive(Debug, PartialEq)]
pub struct Shown {
    /// What was raised.
    pub anomaly: Anomaly,
    /// What was found.
    pub verdicts: Verdicts,
}

/// What reviewers have said, by whom it is about.
#[derive(Debug, Default)]
pub struct Reviewed {
    verdicts: Vec<Verdict>,
    persons: HashMap<PersonId, Vec<usize>>,
    terminals: HashMap<TerminalId, Vec<usize>>,
}

impl Reviewed {
    /// Takes in one verdict.
    pub fn add(&mut self, anomaly: &Anomaly, verdict: Verdict) {
        let number = self.verdicts.len();
        self.verdicts.push(verdict);
        for person in &anomaly.who {
            self.persons.entry(*person).or_default().push(number);
        }
        if anomaly.who.is_empty() {
            for terminal in &anomaly.terminals {
                self.terminals.entry(terminal.clone()).or_default().push(number);
            }
        }
    }

    fn of(&self, anomaly: &Anomaly) -> Verdicts {
        let persons = anomaly.who.iter().filter_map(|person| self.persons.get(person));
        let terminals = anomaly.terminals.iter().filter_map(|it| self.terminals.get(it));
        let terminals = terminals.filter(|_| anomaly.who.is_empty());
        // Who stands in one case twice is judged once in it.
        let numbers: BTreeSet<usize> = persons.chain(terminals).flatten().copied().collect();
        let mut verdicts = Verdicts::default();
        numbers.into_iter().for_each(|number| verdicts.count(self.verdicts[number]));
        verdicts
    }
}

/// What an anomaly is about when its evidence is left out.
type About = (AnomalyKind, Vec<PersonId>, Vec<TerminalId>, Date);

fn about(anomaly: &Anomaly) -> About {
    let (mut who, mut terminals) = (anomaly.who.clone(), anomaly.terminals.clone());
    who.sort();
    terminals.sort();
    (anomaly.kind, who, terminals, anomaly.at.shanghai().date())
}

/// Holds what two judges raised against each other, rule by rule.
pub fn compare(
    standing: Vec<Anomaly>,
    candidate: Vec<Anomaly>,
    kinds: BTreeSet<AnomalyKind>,
    reviewed: &Reviewed,
) -> BTreeMap<AnomalyKind, Difference> {
    let shown = |anomaly: Anomaly| Shown { verdicts: reviewed.of(&anomaly), anomaly };
    let mut rules: BTreeMap<AnomalyKind, Difference> =
        kinds.into_iter().map(|kind| (kind, Difference::default())).collect();
    let known: BTreeSet<AnomalyId> = standing.iter().map(|anomaly| anomaly.id).collect();
    let mut new = Vec::new();
    let mut both = BTreeSet::new();
    for anomaly in candidate {
        if known.contains(&anomaly.id) {
            both.insert(anomaly.id);
            rules.entry(anomaly.kind).or_default().stays.push(shown(anomaly));
        } else {
            new.push(anomaly);
        }
    }
    // Each silent one can have moved to one place only.
    let mut left: BTreeMap<About, Vec<Anomaly>> = BTreeMap::new();
    for anomaly in standing {
        if !both.contains(&anomaly.id) {
            left.entry(about(&anomaly)).or_default().push(anomaly);
        }
    }
    for anomaly in new {
        let was = left.get_mut(&about(&anomaly)).and_then(Vec::pop);
        let difference = rules.entry(anomaly.kind).or_default();
        match was {
            Some(_) => difference.moved.push(shown(anomaly)),
            None => difference.fires.push(shown(anomaly)),
        }
    }
    let mut silent: Vec<Anomaly> = left.into_values().flatten().collect();
    silent.sort_by_key(|anomaly| (anomaly.ledger.last, anomaly.id));
    for anomaly in silent {
        rules.entry(anomaly.kind).or_default().silent.push(shown(anomaly));
    }
    rules
}
