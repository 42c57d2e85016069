//! Whether a step may be taken in a case: a verdict needs somebody who answers for it, a reason that fits and
//! the anomalies as they are now; an appeal is decided by somebody else. Pure.

use super::{Case, State};
use crate::domain::{CaseStep, IdNumber, Step, Timestamp, Verdict, VerdictReason, Word};

/// Longest name of whoever takes a step, in bytes.
pub const BY_BYTES_MAX: usize = 120;
/// Longest text of a step, in bytes: with everything else it must fit a sealed fact.
pub const TEXT_BYTES_MAX: usize = 500;
/// Longest time that a case is put off, in days.
pub const SNOOZE_DAYS_MAX: i64 = 90;

/// A step is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no such case.
    #[error("there is no such case")]
    NoCase,
    /// Nobody answers for it.
    #[error("who does it must be said in 1 to {BY_BYTES_MAX} bytes, without an identity number")]
    By,
    /// It is not said why.
    #[error("it must be said in words why")]
    NoText,
    /// The text cannot stand in the ledger.
    #[error(
        "the text must be one line of at most {TEXT_BYTES_MAX} bytes, without an identity number"
    )]
    Text,
    /// Too short, or too long.
    #[error("a case is put off until some moment within {SNOOZE_DAYS_MAX} days")]
    Until,
    /// Whoever contests a verdict is not put off.
    #[error("a verdict is contested, and that is not put off")]
    Contested,
    /// It is judged.
    #[error(
        "the case is judged, and nothing is done about it unless the verdict is contested or taken back"
    )]
    Judged,
    /// No verdict stands.
    #[error("no verdict stands that could be contested or taken back")]
    NotJudged,
    /// Reason and verdict do not go together.
    #[error("{} ({}) is no reason for {}", .0.code(), .0.zh(), .1.code())]
    Reason(VerdictReason, Verdict),
    /// Who gave the verdict decides about his own.
    #[error("{0} gave the verdict that is contested, and somebody else decides about it")]
    SameJudge(String),
    /// More was found since.
    #[error("the case has other anomalies than those that were judged: {now} now")]
    Outdated {
        /// How many there are.
        now: u32,
    },
}

impl Denied {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Denied::NoCase => "`rollcall cases list` shows them all",
            Denied::By => "name the person and the office: --by",
            Denied::NoText => "say it: --text",
            Denied::Text => "say it shorter, without line breaks and without naming a trainee",
            Denied::Until => "choose another --until, as in 2026-03-31",
            Denied::Contested => "look into it, and judge: `rollcall cases verdict`",
            Denied::Judged => "`rollcall cases appeal` or `rollcall cases reopen` comes first",
            Denied::NotJudged => "`rollcall cases show` tells how the case stands",
            Denied::Reason(..) => {
                "choose the reason that fits the verdict; docs/cases.md lists them"
            }
            Denied::SameJudge(_) => "let another person look at the case and decide",
            Denied::Outdated { .. } => "look at the case again: `rollcall cases show`",
        }
    }
}

/// Whether this may be stated now, where `case` is what the step names.
pub fn may(case: Option<&Case>, step: &CaseStep, now: Timestamp) -> Result<(), Denied> {
    let case = case.ok_or(Denied::NoCase)?;
    let fits = |text: &str, max| {
        let plain = !text.chars().any(char::is_control) && !IdNumber::stands_in(text);
        plain && (1..=max).contains(&text.len()) && !text.trim().is_empty()
    };
    if !fits(&step.by, BY_BYTES_MAX) {
        return Err(Denied::By);
    }
    if !step.text.as_deref().is_none_or(|text| fits(text, TEXT_BYTES_MAX)) {
        return Err(Denied::Text);
    }
    if step.text.is_none() && step.step != Step::Taken {
        return Err(Denied::NoText);
    }
    let judged = matches!(case.state(now), State::Judged(..));
    match &step.step {
        Step::Commented => Ok(()),
        Step::Taken | Step::Snoozed { .. } | Step::Judged { .. } if judged => Err(Denied::Judged),
        Step::Appealed { .. } | Step::Reopened if !judged => Err(Denied::NotJudged),
        Step::Taken | Step::Appealed { .. } | Step::Reopened => Ok(()),
        Step::Snoozed { .. } if case.state(now) == State::Appealed => Err(Denied::Contested),
        Step::Snoozed { until } => {
            let latest = now.plus_ms(SNOOZE_DAYS_MAX * 86_400_000);
            if *until > now && *until <= latest { Ok(()) } else { Err(Denied::Until) }
        }
        Step::Judged { verdict, reason, anomalies, digest } => {
            if reason.verdict() != *verdict {
                return Err(Denied::Reason(*reason, *verdict));
            }
            if case.contested_judge() == Some(step.by.as_str()) {
                return Err(Denied::SameJudge(step.by.clone()));
            }
            let (now, seen) = case.seen();
            if (*anomalies, digest) == (now, &seen) {
                Ok(())
            } else {
                Err(Denied::Outdated { now })
            }
        }
    }
}
