//! Anomalies on one subject gather into a case. A pure projection of two lists that only grow: what was
//! found, in the order of finding, and what people did about it, in the ledger's order. The same lists
//! give the same cases, however often they are gathered (docs/cases.md).
//!
//! A case is named by the anomaly that opened it. It takes what is found about its subject within
//! [`SPAN_MS`] of that one, until it is judged: a verdict is about what was there to be seen, and what is found
//! afterwards opens another case.

use sha2::{Digest, Sha256};

use super::Found;
use crate::domain::{
    Anomaly, AnomalyId, AnomalyKind, CaseId, CaseStep, PersonId, Severity, SiteId, Step,
    TerminalId, Timestamp, Verdict, VerdictReason,
};

/// How far from its first anomaly a case reaches, earlier and later: 30 days, the longest stretch in which
/// somebody still remembers what happened, and about the length of a class.
pub const SPAN_MS: i64 = 30 * 86_400_000;

/// Most anomalies of one case: more than a person reads. What follows opens another.
pub const CASE_ANOMALIES_MAX: usize = 100;

/// Up to so many people, the first one named is whom an anomaly is about; of more it is the door that they
/// came through.
const PEOPLE_MAX: usize = 2;

/// Whom or what a case is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A person.
    Person(PersonId),
    /// A terminal: its records, or whatever comes under its name.
    Terminal(TerminalId),
    /// A site.
    Site(SiteId),
    /// Nobody and nothing that is known: what one rule found.
    Rule(AnomalyKind),
}

impl Subject {
    /// Whom or what an anomaly is about. Rules name the person first whose attendance is in doubt.
    pub fn of(anomaly: &Anomaly) -> Self {
        match (&anomaly.who[..], anomaly.terminals.first(), &anomaly.site) {
            ([first, rest @ ..], _, _) if rest.len() < PEOPLE_MAX => Self::Person(*first),
            (_, Some(terminal), _) => Self::Terminal(terminal.clone()),
            (_, None, Some(site)) => Self::Site(site.clone()),
            ([first, ..], None, None) => Self::Person(*first),
            ([], None, None) => Self::Rule(anomaly.kind),
        }
    }
}

/// What a case needs to know of an anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Its place in the order of finding.
    pub number: u64,
    /// Its id.
    pub id: AnomalyId,
    /// What was seen.
    pub kind: AnomalyKind,
    /// How soon somebody should look.
    pub severity: Severity,
    /// When it happened.
    pub at: Timestamp,
    /// Whom or what it is about.
    pub subject: Subject,
    /// Where, where known.
    pub site: Option<SiteId>,
    /// The terminal that it happened at, or was sent as.
    pub terminal: Option<TerminalId>,
}

impl Brief {
    /// Of a stored anomaly.
    pub fn of(found: &Found) -> Self {
        let anomaly = &found.anomaly;
        Self {
            number: found.number,
            id: anomaly.id,
            kind: anomaly.kind,
            severity: anomaly.severity,
            at: anomaly.at,
            subject: Subject::of(anomaly),
            site: anomaly.site.clone(),
            terminal: anomaly.terminals.first().cloned(),
        }
    }
}

/// A step as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The entry that states it.
    pub index: u64,
    /// The centre's time of its commit.
    pub at: Timestamp,
    /// What.
    pub step: CaseStep,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody looks after it.
    Open,
    /// Somebody does.
    Taken,
    /// It was put off until then.
    Snoozed(Timestamp),
    /// A verdict stands.
    Judged(Verdict, VerdictReason),
    /// A verdict was contested; somebody else decides now.
    Appealed,
}

impl State {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Snoozed(_) => "snoozed",
            Self::Judged(..) => "judged",
            Self::Appealed => "appealed",
        }
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Whom or what it is about.
    pub subject: Subject,
    /// What was found, in that order; never empty.
    pub anomalies: Vec<Brief>,
    /// What was done, in that order.
    pub steps: Vec<Stated>,
}

/// What the steps so far come to.
#[derive(Default)]
struct Standing<'c> {
    owner: Option<&'c str>,
    snoozed: Option<Timestamp>,
    verdict: Option<(&'c Stated, Verdict, VerdictReason)>,
    judged_before: Option<&'c str>,
    appealed: bool,
}

impl Case {
    pub(super) fn opened_by(brief: &Brief) -> Self {
        Self {
            id: CaseId::opened_by(brief.id),
            subject: brief.subject.clone(),
            anomalies: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn standing(&self) -> Standing<'_> {
        let mut it = Standing::default();
        for stated in &self.steps {
            match &stated.step.step {
                Step::Taken => {
                    it.owner = Some(stated.step.by.as_str());
                    it.snoozed = None;
                }
                Step::Commented => {}
                Step::Snoozed { until } => it.snoozed = Some(*until),
                Step::Judged { verdict, reason, .. } => {
                    let owner = it.owner;
                    let verdict = Some((stated, *verdict, *reason));
                    it = Standing { owner, verdict, ..Standing::default() };
                }
                Step::Appealed { .. } => {
                    it.judged_before = it.verdict.take().map(|(by, ..)| by.step.by.as_str());
                    it.appealed = true;
                }
                Step::Reopened => it.verdict = None,
            }
        }
        it
    }

    /// How it stands.
    pub fn state(&self, now: Timestamp) -> State {
        let it = self.standing();
        match (it.verdict, it.snoozed) {
            (Some((_, verdict, reason)), _) => State::Judged(verdict, reason),
            (None, _) if it.appealed => State::Appealed,
            (None, Some(until)) if until > now => State::Snoozed(until),
            (None, _) if it.owner.is_some() => State::Taken,
            (None, _) => State::Open,
        }
    }

    /// Who looks after it.
    pub fn owner(&self) -> Option<&str> {
        self.standing().owner
    }

    /// The verdict that stands.
    pub fn verdict(&self) -> Option<(Verdict, VerdictReason)> {
        self.standing().verdict.map(|(_, verdict, reason)| (verdict, reason))
    }

    /// Who gave the verdict that is contested.
    pub fn contested_judge(&self) -> Option<&str> {
        self.standing().judged_before
    }

    /// The anomaly that opened it.
    pub fn first(&self) -> &Brief {
        self.anomalies.first().expect("an anomaly opens each case")
    }

    /// The highest severity in it.
    pub fn severity(&self) -> Severity {
        self.anomalies.iter().map(|brief| brief.severity).max().unwrap_or(Severity::Notice)
    }

    /// When its newest anomaly happened.
    pub fn newest(&self) -> Timestamp {
        self.anomalies.iter().map(|brief| brief.at).max().unwrap_or_default()
    }

    /// What a verdict of now is about: how many anomalies, and the digest of which.
    pub fn seen(&self) -> (u32, [u8; 16]) {
        (u32::try_from(self.anomalies.len()).unwrap_or(u32::MAX), digest(&self.anomalies))
    }

    /// Whether each verdict is about the anomalies that now stand at the beginning of the case. Not so where
    /// the store of anomalies was made anew by other rules.
    pub fn is_as_judged(&self) -> bool {
        self.steps.iter().all(|stated| match &stated.step.step {
            Step::Judged { anomalies, digest: judged, .. } => {
                let count = usize::try_from(*anomalies).unwrap_or(usize::MAX);
                self.anomalies.get(..count).is_some_and(|seen| digest(seen) == *judged)
            }
            Step::Taken
            | Step::Commented
            | Step::Snoozed { .. }
            | Step::Appealed { .. }
            | Step::Reopened => true,
        })
    }

    /// Whether it takes this anomaly, which is about its subject.
    pub(super) fn takes(&self, brief: &Brief) -> bool {
        let judged = self.steps.iter().filter_map(|stated| match stated.step.step {
            Step::Judged { anomalies, .. } => usize::try_from(anomalies).ok(),
            Step::Taken
            | Step::Commented
            | Step::Snoozed { .. }
            | Step::Appealed { .. }
            | Step::Reopened => None,
        });
        let room = judged.max().unwrap_or(CASE_ANOMALIES_MAX);
        self.anomalies.len() < room && brief.at.ms_since(self.first().at).abs() <= SPAN_MS
    }
}

fn digest(anomalies: &[Brief]) -> [u8; 16] {
    let mut hash = Sha256::new();
    anomalies.iter().for_each(|brief| hash.update(brief.id.0));
    let whole: [u8; 32] = hash.finalize().into();
    let mut digest = [0; 16];
    digest.copy_from_slice(&whole[..16]);
    digest
}
