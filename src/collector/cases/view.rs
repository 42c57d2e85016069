//! Cases in words for readers: joins what `cases` gathers with names and places. Pure.

use crate::cases::{Case, Found, Gathered, Risk, State, Stated, Subject, risk};
use crate::collector::announce::place;
use crate::domain::{PersonId, Step, Timestamp};
use crate::registry::Registry;
use crate::web::{
    CaseLine, CaseView, FoundView, LivedView, RiskView, StepView, SubjectView, VerdictView,
    WordView,
};

/// What cases are told with.
pub struct Teller<'t> {
    /// The cases.
    pub gathered: &'t Gathered,
    /// What the ledger says of sites and terminals.
    pub registry: &'t Registry,
    /// How a person is called.
    pub called: &'t dyn Fn(&PersonId) -> String,
    /// What moment it is.
    pub now: Timestamp,
}

impl Teller<'_> {
    fn risk(&self, case: &Case) -> Risk {
        risk(case, self.gathered.lived(), self.now)
    }

    /// All cases.
    pub fn lines(&self) -> Vec<CaseLine> {
        self.gathered.cases().iter().map(|case| self.line(case, self.risk(case).score)).collect()
    }

    fn line(&self, case: &Case, score: u8) -> CaseLine {
        let (kind, name) = match &case.subject {
            Subject::Person(person) => ("person", (self.called)(person)),
            Subject::Terminal(terminal) => ("terminal", terminal.to_string()),
            Subject::Site(site) => ("site", site.to_string()),
            Subject::Rule(kind) => ("rule", kind.to_string()),
        };
        let first = case.first();
        let at_terminal = first.terminal.as_ref().and_then(|it| self.registry.site_of(it));
        let mut kinds: Vec<_> = case.anomalies.iter().map(|brief| brief.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let state = case.state(self.now);
        CaseLine {
            id: case.id,
            subject: SubjectView { kind, name },
            place: first.site.as_ref().or(at_terminal).and_then(|it| place(self.registry, it)),
            state: state.as_str(),
            snoozed_until: match state {
                State::Snoozed(until) => Some(until),
                State::Open | State::Taken | State::Judged(..) | State::Appealed => None,
            },
            verdict: case.verdict().map(|(verdict, reason)| VerdictView::of(verdict, reason)),
            owner: case.owner().map(str::to_owned),
            severity: case.severity(),
            kinds,
            anomalies: case.anomalies.len(),
            first: first.at,
            newest: case.newest(),
            score,
        }
    }

    /// One case, with what is stored of its anomalies.
    pub fn case(&self, case: &Case, found: &[Found]) -> CaseView {
        let risk = self.risk(case);
        CaseView {
            line: self.line(case, risk.score),
            risk: RiskView::of(&risk),
            found: found.iter().map(|found| self.found(found)).collect(),
            steps: case.steps.iter().map(step).collect(),
            as_judged: case.is_as_judged(),
        }
    }

    fn found(&self, found: &Found) -> FoundView {
        let anomaly = &found.anomaly;
        FoundView {
            anomaly: anomaly.id.to_string(),
            kind: anomaly.kind,
            severity: anomaly.severity,
            at: anomaly.at,
            who: anomaly.who.iter().map(|person| (self.called)(person)).collect(),
            terminals: anomaly.terminals.clone(),
            why: anomaly.why.clone(),
            evidence: anomaly.evidence.clone(),
            policy: anomaly.policy.clone(),
            rule: anomaly.rule,
            inputs: anomaly.inputs.clone(),
            ledger: anomaly.ledger,
        }
    }

    /// What each rule has lived.
    pub fn lived(&self) -> Vec<LivedView> {
        self.gathered.lived().iter().map(|(kind, lived)| LivedView::of(*kind, lived)).collect()
    }
}

/// The stable word of a step.
pub fn step_word(step: &Step) -> &'static str {
    match step {
        Step::Taken => "taken",
        Step::Commented => "commented",
        Step::Snoozed { .. } => "snoozed",
        Step::Judged { .. } => "judged",
        Step::Appealed { .. } => "appealed",
        Step::Reopened => "reopened",
    }
}

fn step(stated: &Stated) -> StepView {
    let mut view = StepView {
        index: stated.index,
        at: stated.at,
        step: step_word(&stated.step.step),
        verdict: None,
        judged: None,
        until: None,
        party: None,
        by: stated.step.by.clone(),
        text: stated.step.text.clone(),
    };
    match &stated.step.step {
        Step::Taken | Step::Commented | Step::Reopened => {}
        Step::Snoozed { until } => view.until = Some(*until),
        Step::Judged { verdict, reason, anomalies, .. } => {
            view.verdict = Some(VerdictView::of(*verdict, *reason));
            view.judged = Some(*anomalies);
        }
        Step::Appealed { party } => view.party = Some(WordView::of(*party)),
    }
    view
}
