//! Holds what the rules raise against what was planted in a made province: precision, recall by care, false
//! alarms on honest days, delay until detection, each with an interval (docs/evaluation.md).
//!
//! - An incident is found if an anomaly shares a subject with it and lies in its period
//!   (`matching.rs`). One incident counts once, however many alarms it raises.
//! - An alarm that matches nothing is a false one.
//! - The day of a trainee who attends and is part of no incident then is an honest day.
//! - A detector's recall is that of the kinds that it aims at (`aims.rs`); its precision asks only whether
//!   the alarm was about somebody who is part of a fraud.
//!
//! The rules are folded as they are: the same `Judge` as at a running centre, over the ledger alone. The
//! labels are read here and nowhere else.

mod aims;
mod figures;
mod html;
mod json;
mod matching;
mod plots;
mod reasons;

use std::collections::HashSet;
use std::path::Path;

pub use crate::domain::Share;
pub use aims::{aimed_by, aims};
pub use figures::{Cell, Figures, Raised};

use self::matching::Planted;
use crate::collector::Store;
use crate::domain::{AnomalyKind, Bilingual, Event, Outcome, PersonId, Policy, Timestamp};
use crate::ledger::{Body, Entry, OpenLedgerError, ReadError, each_entry};
use crate::province::{Care, Label, Labels, LabelsError};
use crate::rules::Judge;

/// False alarms of one detector that are kept as examples.
const EXAMPLES_MAX: usize = 20;

/// A world could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// There are no labels: it is no made world, or one that was not finished.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// The ledger could not be opened.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The terminals worked by other numbers.
    #[error("could not judge by {given}: the world was made under {made}")]
    Policy {
        /// By which it shall be judged.
        given: String,
        /// Under which it was made.
        made: String,
    },
    /// They worked by other numbers of the same name.
    #[error("could not judge by {given}: the world was made under other numbers of that name")]
    Numbers {
        /// By which it shall be judged.
        given: String,
    },
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// What was planted, and from what the world was made.
    pub labels: Labels,
    /// Entries of the ledger.
    pub entries: u64,
    /// Records among them.
    pub records: u64,
    /// Days of trainees who attended and were part of no incident.
    pub honest_days: u64,
    /// All detectors together, over everything that was planted.
    pub overall: Figures,
    /// The same over the kinds that leave a trace in records.
    pub visible: Figures,
    /// Recall by care, counting only what a detector found that aims at the kind: whoever is part of a
    /// fraud may be flagged for something else.
    pub by_aim: [Share; 3],
    /// Each detector, over the kinds that it aims at.
    pub detectors: Vec<(AnomalyKind, Figures)>,
    /// Each kind and care.
    pub cells: Vec<Cell>,
    /// The first false alarms of each detector, in the words that an investigator would read.
    pub false_alarms: Vec<(AnomalyKind, Bilingual)>,
    /// What was missed, by its place among the labels.
    pub missed: Vec<usize>,
}

/// Counts while the ledger is read.
struct Count<'l> {
    planted: Planted<'l>,
    days: HashSet<(PersonId, i64)>,
    raised: Vec<Raised>,
    false_alarms: Vec<(AnomalyKind, Bilingual)>,
    entries: u64,
    records: u64,
}

impl<'l> Count<'l> {
    fn new(labels: &'l [Label]) -> Self {
        let (days, raised) = (HashSet::new(), Vec::new());
        let false_alarms = Vec::new();
        Self { planted: Planted::new(labels), days, raised, false_alarms, entries: 0, records: 0 }
    }

    fn take(&mut self, entry: &Entry, judge: &mut Judge) {
        self.entries += 1;
        if let Body::Record { record, person, .. } = &entry.body {
            self.records += 1;
            let attends = matches!(record.event, Event::CheckIn | Event::CheckOut)
                && record.outcome == Some(Outcome::Accepted);
            let at = record.clock.wall;
            let honest = person.filter(|who| attends && self.planted.is_honest(*who, at));
            self.days.extend(honest.map(|who| (who, shanghai_day(at))));
        }
        for anomaly in judge.judge(entry) {
            let incidents = self.planted.matched(&anomaly);
            let (kind, seen) = (anomaly.kind, entry.committed_at);
            let told = self.false_alarms.iter().filter(|(it, _)| *it == kind).count();
            if incidents.is_empty() && told < EXAMPLES_MAX {
                self.false_alarms.push((kind, anomaly.why));
            }
            self.raised.push(Raised { kind, seen, incidents });
        }
    }
}

/// Days since the epoch, in China standard time.
fn shanghai_day(at: Timestamp) -> i64 {
    at.plus_ms(8 * 3_600_000).as_ms().div_euclid(86_400_000)
}

/// Judges the ledger of a made world by `policy` and counts.
pub fn evaluate(folder: &Path, policy: Policy) -> Result<Evaluation, EvaluateError> {
    let labels = Labels::read(folder)?;
    if labels.policy != policy.profile() {
        let (given, made) = (policy.profile(), labels.policy);
        return Err(EvaluateError::Policy { given, made });
    }
    let ledger = Store::files(folder).read_ledger()?;
    let mut judge = Judge::new(policy);
    let mut count = Count::new(&labels.incidents);
    each_entry(&*ledger, |entry| count.take(entry, &mut judge))?;
    // Nothing is raised by numbers that were not in force, and silence would look like a good rule.
    if judge.is_silent() {
        return Err(EvaluateError::Numbers { given: judge.policy().profile() });
    }
    let Count { days, raised, mut false_alarms, entries, records, .. } = count;
    false_alarms.sort_by_key(|(kind, _)| *kind);
    let it = figured(labels, &raised, judge.kinds(), days.len() as u64, (entries, records));
    Ok(Evaluation { false_alarms, ..it })
}

/// The figures of what was raised.
fn figured(
    labels: Labels,
    raised: &[Raised],
    kinds: Vec<AnomalyKind>,
    honest_days: u64,
    (entries, records): (u64, u64),
) -> Evaluation {
    let all = &labels.incidents;
    let overall = Figures::of(raised.iter(), all, |_| true, honest_days);
    let visible = Figures::of(raised.iter(), all, |it| !it.kind.is_unaimed(), honest_days);
    let of = |kind: AnomalyKind| {
        let own = raised.iter().filter(|it| it.kind == kind);
        (kind, Figures::of(own, all, |it| aims(kind).contains(&it.kind), honest_days))
    };
    let detectors = kinds.into_iter().map(of).collect();
    let cells = figures::cells(raised, all);
    let by_aim = figures::by_aim(&cells);
    let found: HashSet<usize> = raised.iter().flat_map(|it| it.incidents.iter().copied()).collect();
    let missed = (0..all.len()).filter(|n| !found.contains(n)).collect();
    Evaluation {
        entries,
        records,
        honest_days,
        overall,
        visible,
        by_aim,
        detectors,
        cells,
        false_alarms: Vec::new(),
        missed,
        labels,
    }
}

impl Evaluation {
    /// The detectors that were at work.
    pub fn kinds(&self) -> Vec<AnomalyKind> {
        self.detectors.iter().map(|(kind, _)| *kind).collect()
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        json::of(self)
    }

    /// For people: one page, without scripts or anything from elsewhere.
    pub fn to_html(&self) -> String {
        html::of(self)
    }
}

/// What is aimed at, over a mixed world of 200 institutions and 60 days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// What it is called, in Chinese and English.
    pub name: (&'static str, &'static str),
    /// The bound.
    pub bound: f64,
    /// Whether less is better.
    pub at_most: bool,
}

impl Aim {
    /// Whether a figure reaches it; nothing measured reaches nothing.
    pub fn is_met(&self, figure: Option<f64>) -> bool {
        figure.is_some_and(|it| if self.at_most { it <= self.bound } else { it >= self.bound })
    }
}

/// The aims, each with what was reached.
pub fn reached(overall: &Figures) -> [(Aim, Option<f64>); 4] {
    let aim = |name, bound, at_most| Aim { name, bound, at_most };
    [
        (aim(("查准率", "precision"), 0.95, false), overall.precision.rate()),
        (
            aim(("粗糙舞弊的查全率", "recall, clumsy"), 0.95, false),
            overall.recall_of(Care::Clumsy).rate(),
        ),
        (
            aim(("谨慎舞弊的查全率", "recall, careful"), 0.8, false),
            overall.recall_of(Care::Careful).rate(),
        ),
        (
            aim(
                ("每千个诚实学员日的误报", "false alarms per 1,000 honest trainee-days"),
                1.0,
                true,
            ),
            overall.false_alarms_per_1000_days(),
        ),
    ]
}

#[cfg(test)]
mod tests;
