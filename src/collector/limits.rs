//! The desk looks at limits while a table is taken: whoever enters a roster is warned, what speaks against a claim
//! is told and, where it is hard, stated with it; and a claim with a hard objection is not granted
//! (docs/rules/limits.md). What was there before is read from the ledger, what the table adds is played on top.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::sheet::{Problem, Remark};
use crate::domain::{
    Claim, ClaimId, ClassId, Committed, Fact, InstitutionId, Joined, Limit, PersonId, Policy,
    State, Subject, Timestamp, Word,
};
use crate::ledger::{Body, Entry, Ledger, ReadError, each_entry};
use crate::registry::Registry;
use crate::rules::hours::Hours;
use crate::rules::limits::{Limits, Objection, stated};

/// What the desk sees.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What to look at.
    pub(super) remarks: Vec<Remark>,
    /// What is refused.
    pub(super) refused: Vec<Problem>,
    /// Objections to state.
    pub(super) facts: Vec<Fact>,
}

/// Folds the whole ledger into the hours of some classes.
pub fn fold<L: Ledger + ?Sized>(
    ledger: &L,
    classes: impl IntoIterator<Item = ClassId>,
    policy: Policy,
) -> Result<Hours, ReadError> {
    let mut hours = Hours::of_all(classes, policy);
    each_entry(ledger, |entry| hours.take(entry))?;
    Ok(hours)
}

/// Looks at facts that are about to be stated. `people` says who is behind commitments, those of the table
/// among them.
pub(super) fn look<L: Ledger + ?Sized>(
    ledger: &L,
    facts: &[Fact],
    people: &HashMap<Committed, PersonId>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Seen, ReadError> {
    if facts.iter().all(|fact| matches!(About::of(fact), About::Nothing)) {
        return Ok(Seen::default());
    }
    let mut hours = fold(ledger, classes_of(ledger, facts)?, policy.clone())?;
    let now = now.max(hours.now());
    for (index, fact) in (ledger.size()..).zip(facts) {
        hours.take(&Entry { index, committed_at: now, body: Body::Fact(fact.clone()) });
    }
    let limits = Limits::new(&hours, people);
    let mut seen = Seen::default();
    let mut done = BTreeSet::new();
    for about in facts.iter().map(About::of) {
        let objections = match about {
            About::Nothing => continue,
            About::Claim(claim) => limits.claim(&claim.id),
            About::Member(joined) => limits.member(&joined.class, joined.member),
            About::Class(class) if done.insert(("class", class.as_str())) => limits.class(class),
            About::Institution(id) if done.insert(("institution", id.as_str())) => {
                limits.institution(id)
            }
            About::Projects if done.insert(("projects", "")) => limits.opening(),
            About::Class(_) | About::Institution(_) | About::Projects => continue,
            About::Grant(claim) => {
                let mut hard = limits.claim(claim);
                hard.retain(Objection::is_hard);
                let hint =
                    "state it as rejected, or have the claim corrected (claim import --replace)";
                seen.refused.extend(problems(&hard, hint));
                continue;
            }
        };
        let hint = "`rollcall collector limits` says of whom, and on what it rests";
        seen.remarks.extend(problems(&objections, hint));
        // Whoever joins has asked for nothing yet.
        if !matches!(about, About::Member(_)) {
            seen.facts.extend(stated(&objections, policy).into_iter().map(Fact::Objected));
        }
    }
    Ok(seen)
}

fn problems(objections: &[Objection], hint: &str) -> impl Iterator<Item = Problem> {
    let problem = |what| Problem { row: 0, column: None, what, hint: hint.to_owned() };
    lines(objections).into_iter().map(problem)
}

/// What limits have to do with a fact.
#[derive(Clone, Copy)]
enum About<'f> {
    Nothing,
    Claim(&'f Claim),
    Member(&'f Joined),
    Class(&'f ClassId),
    Institution(&'f InstitutionId),
    /// The list of published projects: which classes to come no longer fit it.
    Projects,
    /// A claim is granted, or paid.
    Grant(&'f ClaimId),
}

impl<'f> About<'f> {
    fn of(fact: &'f Fact) -> Self {
        match fact {
            Fact::Claim(claim) => Self::Claim(claim),
            Fact::Joined(joined) => Self::Member(joined),
            Fact::ClassPlan(plan) => Self::Class(&plan.class),
            Fact::Held(held) => held.class.as_ref().map_or(Self::Nothing, Self::Class),
            Fact::Project(_) => Self::Projects,
            Fact::Teacher(teacher) => Self::Institution(&teacher.institution),
            Fact::Status(status) => match (&status.of, status.state) {
                (Subject::Claim(claim), State::Approved | State::Paid) => Self::Grant(claim),
                (Subject::Class(class), State::Applied | State::Opened) => Self::Class(class),
                _ => Self::Nothing,
            },
            Fact::Institution { .. }
            | Fact::Site { .. }
            | Fact::Terminal { .. }
            | Fact::Class { .. }
            | Fact::Lesson(_)
            | Fact::Policy { .. }
            | Fact::Tick
            | Fact::TerminalKey { .. }
            | Fact::Revocation { .. }
            | Fact::Replacement { .. }
            | Fact::InstitutionDetails(_)
            | Fact::LessonDetails(_)
            | Fact::Left(_)
            | Fact::ClaimLine(_)
            | Fact::RollOrdered(_)
            | Fact::Objected(_)
            | Fact::Platform(_)
            | Fact::Activity(_)
            | Fact::CaseStep(_)
            | Fact::Trial(_)
            | Fact::PictureOpened { .. } => Self::Nothing,
        }
    }
}

/// The classes whose hours are asked for.
fn classes_of<L: Ledger + ?Sized>(
    ledger: &L,
    facts: &[Fact],
) -> Result<BTreeSet<ClassId>, ReadError> {
    let mut classes = BTreeSet::new();
    let mut granted = Vec::new();
    for about in facts.iter().map(About::of) {
        match about {
            About::Claim(claim) => classes.extend([claim.class.clone()]),
            About::Class(class) => classes.extend([class.clone()]),
            About::Grant(claim) => granted.push(claim),
            About::Member(_) | About::Institution(_) | About::Projects | About::Nothing => {}
        }
    }
    if !granted.is_empty() {
        let registry = registry(ledger)?;
        let filed = granted.into_iter().filter_map(|claim| registry.claim(claim));
        classes.extend(filed.map(|filed| filed.claim.class.clone()));
    }
    Ok(classes)
}

/// What the ledger's facts say, without anybody's hours.
pub fn registry<L: Ledger + ?Sized>(ledger: &L) -> Result<Registry, ReadError> {
    let mut registry = Registry::default();
    each_entry(ledger, |entry| registry.apply(entry))?;
    Ok(registry)
}

/// One line for each thing and limit: the worst of it, and how many persons.
fn lines(objections: &[Objection]) -> Vec<String> {
    let mut worst: BTreeMap<(&Subject, Limit), (&Objection, usize)> = BTreeMap::new();
    for it in objections {
        let (known, persons) = worst.entry((&it.of, it.limit)).or_insert((it, 0));
        *persons += usize::from(it.member.is_some());
        if it.found.abs_diff(it.allowed) > known.found.abs_diff(known.allowed) {
            *known = it;
        }
    }
    let line = |((of, _), (it, persons)): ((&Subject, Limit), (&Objection, usize))| {
        let why = it.why();
        let whom = if persons > 1 { format!(" ({persons} 人 persons)") } else { String::new() };
        format!("{} {}: {} · {}{whom}", of.kind().code(), of.id(), why.zh, why.en)
    };
    worst.into_iter().map(line).collect()
}
