//! The cases as a reader sees them: what the pages show and `rollcall cases … --json` prints. Nothing can be
//! done about a case from here: whoever does something says who she is, and this server knows nobody
//! (docs/decisions/0028).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde::Serialize;
use serde_json::{Value, json};

use super::api::{Query, blocking};
use super::{EntriesError, Error, Shared};
use crate::cases::{Lived, Risk};
use crate::domain::{
    AnomalyKind, Bilingual, CaseId, LedgerRange, Severity, TerminalId, Timestamp, Verdict,
    VerdictReason, Word,
};
use crate::feed::Place;

/// Cases in one answer at most, the most urgent first: some 200 kB.
const LINES_MAX: usize = 300;

/// What the pages read of the cases. Calls may block for a short read.
pub trait Cases: Send + Sync {
    /// All of them, in any order.
    fn lines(&self, now: Timestamp) -> Result<Vec<CaseLine>, EntriesError>;
    /// One by its name; `None` when there is none.
    fn case(&self, id: CaseId, now: Timestamp) -> Result<Option<CaseView>, EntriesError>;
    /// What each rule has lived.
    fn lived(&self) -> Result<Vec<LivedView>, EntriesError>;
}

/// Whom or what a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubjectView {
    /// `person`, `terminal`, `site` or `rule`.
    pub kind: &'static str,
    /// As it may be shown: a person's name masked.
    pub name: String,
}

/// A word of one of our lists, in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WordView {
    /// In files and on the command line.
    pub code: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

impl WordView {
    /// Of a word.
    pub fn of(word: impl Word) -> Self {
        Self { code: word.code(), zh: word.zh() }
    }
}

/// A verdict with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VerdictView {
    /// Fraud, error or undecided.
    pub verdict: WordView,
    /// Why.
    pub reason: WordView,
}

impl VerdictView {
    /// Of a verdict.
    pub fn of(verdict: Verdict, reason: VerdictReason) -> Self {
        Self { verdict: WordView::of(verdict), reason: WordView::of(reason) }
    }
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseLine {
    /// Its name.
    pub id: CaseId,
    /// Whom or what it is about.
    pub subject: SubjectView,
    /// Where its first anomaly was, where known.
    #[serde(rename = "where")]
    pub place: Option<Place>,
    /// `open`, `taken`, `snoozed`, `judged` or `appealed`.
    pub state: &'static str,
    /// Until when it was put off.
    #[serde(rename = "snoozed_until_ms")]
    pub snoozed_until: Option<Timestamp>,
    /// The verdict that stands.
    pub verdict: Option<VerdictView>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// The highest severity in it.
    pub severity: Severity,
    /// The kinds of anomalies in it.
    pub kinds: Vec<AnomalyKind>,
    /// How many there are.
    pub anomalies: usize,
    /// When the one that opened it happened.
    #[serde(rename = "first_ms")]
    pub first: Timestamp,
    /// When the newest one happened.
    #[serde(rename = "newest_ms")]
    pub newest: Timestamp,
    /// 0 to 100.
    pub score: u8,
}

/// What one kind of anomaly adds to the score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartView {
    /// Which kind.
    pub kind: AnomalyKind,
    /// How many of it.
    pub count: usize,
    /// The highest severity among them.
    pub severity: Severity,
    /// The factors.
    pub weight: f64,
    /// See docs/cases.md.
    pub repetition: f64,
    /// See docs/cases.md.
    pub precision: f64,
    /// See docs/cases.md.
    pub age: f64,
    /// All multiplied.
    pub points: f64,
}

/// The score with its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskView {
    /// 0 to 100.
    pub score: u8,
    /// What it is the sum of.
    pub parts: Vec<PartView>,
    /// For more than one kind.
    pub variety: f64,
}

impl RiskView {
    /// Of a score; numbers with three digits behind the point, as many as mean anything.
    pub fn of(risk: &Risk) -> Self {
        let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
        let part = |part: &crate::cases::Part| PartView {
            kind: part.kind,
            count: part.count,
            severity: part.severity,
            weight: part.weight,
            repetition: round(part.repetition),
            precision: round(part.precision),
            age: part.age,
            points: round(part.points),
        };
        Self {
            score: risk.score,
            parts: risk.parts.iter().map(part).collect(),
            variety: risk.variety,
        }
    }
}

/// An anomaly of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundView {
    /// Its id.
    pub anomaly: String,
    /// What was seen.
    pub kind: AnomalyKind,
    /// How soon somebody should look.
    pub severity: Severity,
    /// When it happened.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Whom it names, as they may be shown.
    pub who: Vec<String>,
    /// Which terminals.
    pub terminals: Vec<TerminalId>,
    /// What was seen and what it can mean.
    pub why: Bilingual,
    /// Ledger indexes of what proves it.
    pub evidence: Vec<u64>,
    /// The policy profile whose numbers were used.
    pub policy: String,
    /// Version of the rule; 0 where it was stored before rules had versions.
    pub rule: u16,
    /// The numbers that the rule reads, by name.
    pub inputs: BTreeMap<String, String>,
    /// What had been judged of the ledger.
    pub ledger: LedgerRange,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// The entry of the ledger that states it.
    pub index: u64,
    /// When it was stated.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// `taken`, `commented`, `snoozed`, `judged`, `appealed` or `reopened`.
    pub step: &'static str,
    /// The verdict, of a judgement.
    pub verdict: Option<VerdictView>,
    /// How many anomalies it was about.
    pub judged: Option<u32>,
    /// Until when, of a snooze.
    #[serde(rename = "until_ms")]
    pub until: Option<Timestamp>,
    /// Who contests, of an appeal.
    pub party: Option<WordView>,
    /// Who.
    pub by: String,
    /// In words.
    pub text: Option<String>,
}

/// One case, whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseView {
    /// As in a list.
    #[serde(flatten)]
    pub line: CaseLine,
    /// The score with its parts.
    pub risk: RiskView,
    /// Its anomalies, in the order of finding.
    pub found: Vec<FoundView>,
    /// What was done, in that order.
    pub steps: Vec<StepView>,
    /// Whether each verdict is about the anomalies that stand here now.
    pub as_judged: bool,
}

/// What became of one rule's findings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LivedView {
    /// Which rule.
    pub kind: AnomalyKind,
    /// Cases judged to be fraud.
    pub fraud: u64,
    /// Cases judged to be none.
    pub error: u64,
    /// Cases of which it could not be told.
    pub undecided: u64,
    /// Fraud or error: of so many the precision is a share.
    pub decided: u64,
    /// Fraud among decided; `None` of nothing.
    pub precision: Option<f64>,
    /// From where to where the true share lies, with a confidence of 95 %.
    pub interval: [f64; 2],
    /// The errors by reason.
    pub errors: Vec<(WordView, u64)>,
}

impl LivedView {
    /// Of one rule.
    pub fn of(kind: AnomalyKind, lived: &Lived) -> Self {
        let share = lived.precision();
        Self {
            kind,
            fraud: lived.fraud,
            error: lived.error(),
            undecided: lived.undecided,
            decided: share.of,
            precision: share.rate(),
            interval: share.interval().into(),
            errors: lived.errors.iter().map(|(why, n)| (WordView::of(*why), *n)).collect(),
        }
    }
}

/// The most urgent first: those in which a verdict is contested, then by score, the newest of equals first.
pub fn by_urgency(lines: &mut [CaseLine]) {
    lines.sort_by_key(|line| {
        let contested = line.state == "appealed";
        std::cmp::Reverse((contested, line.score, line.newest, line.id))
    });
}

/// What is asked for: one state, `all`, or what waits for somebody (`waiting`).
pub fn is_wanted(line: &CaseLine, state: &str) -> bool {
    match state {
        "all" => true,
        "waiting" => !matches!(line.state, "judged" | "snoozed"),
        state => line.state == state,
    }
}

/// What [`is_wanted`] knows.
pub const STATES: [&str; 7] = ["waiting", "open", "taken", "snoozed", "judged", "appealed", "all"];

pub(super) async fn list(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Error> {
    let query = Query::of(query.as_deref());
    let state = query.text("state").unwrap_or("waiting").to_owned();
    if !STATES.contains(&state.as_str()) {
        let known = STATES.join(", ");
        return Err(Error::bad_request(
            format!("state 应为以下之一：{known}。"),
            format!("state must be one of {known}"),
        ));
    }
    let (cases, now) = (Arc::clone(&shared.site.cases), shared.site.clock.now());
    let lines = blocking(move || cases.lines(now).map_err(Error::internal)).await?;
    let counts: serde_json::Map<String, Value> = STATES
        .into_iter()
        .map(|it| (it.to_owned(), lines.iter().filter(|line| is_wanted(line, it)).count().into()))
        .collect();
    let mut wanted: Vec<_> = lines.into_iter().filter(|line| is_wanted(line, &state)).collect();
    by_urgency(&mut wanted);
    let left_out = wanted.len().saturating_sub(LINES_MAX);
    wanted.truncate(LINES_MAX);
    Ok(Json(json!({ "now_ms": now, "counts": counts, "cases": wanted, "left_out": left_out })))
}

pub(super) async fn one(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<CaseView>, Error> {
    let id: CaseId = id.parse().map_err(|_| {
        Error::bad_request("案件编号应为 32 位十六进制数字。", "a case id is 32 hexadecimal digits")
    })?;
    let (cases, now) = (Arc::clone(&shared.site.cases), shared.site.clock.now());
    blocking(move || cases.case(id, now).map_err(Error::internal))
        .await?
        .map(Json)
        .ok_or_else(|| Error::not_found("没有这个案件。", "there is no such case"))
}

pub(super) async fn precision(State(shared): State<Shared>) -> Result<Json<Value>, Error> {
    let cases = Arc::clone(&shared.site.cases);
    let lived = blocking(move || cases.lived().map_err(Error::internal)).await?;
    Ok(Json(json!({ "detectors": lived })))
}
