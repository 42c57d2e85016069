//! The clerk: takes a table of facts and has the centre state what is new in it; and says what
//! stands. Stating needs the collector's folder for itself; reading does not.
//!
//! People first, then facts: a crash between the two leaves people whom no entry knows, and the same
//! table again finds them and goes on.

use std::collections::HashMap;

use super::facts::{Named, named};
use super::limits;
use super::people::{Change, People, PeopleError, Resolver};
use super::sheet::{Grid, Kind, Listed, Plan, Problems, Standing, listed, parse, plan, resolve};
use super::{Home, StateError};
use crate::domain::{Policy, Timestamp};
use crate::ledger::{Body, Ledger, ReadError};
use crate::registry::Registry;

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// A table could not be taken, for a reason that does not stand in it.
#[derive(Debug, thiserror::Error)]
pub enum ClerkError {
    /// The people beside the ledger could not be asked or kept.
    #[error("could not look up the people")]
    People(#[from] PeopleError),
    /// The ledger could not be read.
    #[error("could not read the ledger")]
    Read(#[from] ReadError),
    /// The facts could not be stated.
    #[error("could not state the facts")]
    State(#[from] StateError),
}

/// What is asked of the clerk.
#[derive(Debug, Clone, Copy)]
pub struct Order<'o> {
    /// Whose limits are looked at.
    pub policy: &'o Policy,
    /// What the table is about.
    pub kind: Kind,
    /// The table.
    pub grid: &'o Grid,
    /// Whether what stands with other values is stated anew.
    pub replace: bool,
    /// Whether to look only, and state nothing.
    pub only_check: bool,
}

/// Has all of a table stated, or nothing of it. What the ledger says already is not stated again.
pub fn enter(
    home: &mut Home,
    people: Option<&mut People>,
    order: Order<'_>,
    chance: fn() -> [u8; 32],
    now: Timestamp,
) -> Result<Result<Plan, Problems>, ClerkError> {
    let Order { policy, kind, grid, replace, only_check } = order;
    let in_their_words = |problems: Problems| problems.named_as_in(kind, grid);
    let rows = match parse(kind, grid) {
        Ok(rows) => rows,
        Err(problems) => return Ok(Err(problems)),
    };
    let standing = Standing::of(home.facts()?);
    let mut resolver = people.as_deref().map(|people| Resolver::new(people, people.key(), chance));
    let (groups, remarks) = match resolve(rows, resolver.as_mut(), &standing)? {
        Ok(resolved) => resolved,
        Err(problems) => return Ok(Err(in_their_words(problems))),
    };
    let changes = resolver.map(Resolver::into_changes).unwrap_or_default();
    let mut plan = match plan(&standing, groups, replace, now) {
        Ok(plan) => plan,
        Err(problems) => return Ok(Err(in_their_words(problems))),
    };
    let mut behind = match &people {
        Some(people) => people.everybody()?,
        None => HashMap::new(),
    };
    behind.extend(changes.iter().filter_map(|change| match change {
        Change::Opening { opening, .. } => Some((opening.commitment().0, opening.person)),
        Change::Person { .. } | Change::Card { .. } => None,
    }));
    let seen = limits::look(&*home.ledger, &plan.facts, &behind, policy, now)?;
    if !seen.refused.is_empty() {
        let mut problems = Problems::default();
        seen.refused.into_iter().for_each(|problem| problems.push(problem));
        return Ok(Err(problems));
    }
    plan.facts.extend(seen.facts.into_iter().filter(|fact| !standing.says(fact)));
    plan.remarks.extend(seen.remarks);
    plan.remarks.extend(remarks);
    plan.remarks.sort_by_key(|remark| remark.row);
    for remark in &mut plan.remarks {
        remark.name_as_in(kind, grid);
    }
    if !only_check {
        if let Some(people) = people.filter(|_| !changes.is_empty()) {
            people.keep(&changes)?;
        }
        if !plan.facts.is_empty() {
            home.state(plan.facts.clone(), now)?;
        }
    }
    Ok(Ok(plan))
}

/// A row of what stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its cells, one for each column of its kind.
    pub cells: Vec<String>,
    /// The centre's time when it was stated first.
    pub first_stated: Timestamp,
    /// The centre's time when it was stated as it stands.
    pub stated: Timestamp,
}

/// All that stands of one kind. Without `people` nobody is named.
pub fn list<L: Ledger + ?Sized>(
    ledger: &L,
    kind: Kind,
    people: Option<&People>,
) -> Result<Vec<Shown>, ClerkError> {
    let mut registry = Registry::default();
    let mut times: HashMap<Named, (Timestamp, Timestamp)> = HashMap::new();
    let mut next = 0;
    loop {
        let entries = ledger.entries_since(next, READ_ENTRIES)?;
        let Some(last) = entries.last() else { break };
        next = last.index + 1;
        for entry in &entries {
            registry.apply(entry);
            if let Body::Fact(fact) = &entry.body
                && let Some(name) = named(fact)
            {
                let at = entry.committed_at;
                times.entry(name).or_insert((at, at)).1 = at;
            }
        }
    }
    let shown = |Listed { named, cells }| {
        let (first_stated, stated) = times.get(&named).copied().expect("only facts are listed");
        Shown { cells, first_stated, stated }
    };
    Ok(listed(kind, &registry, people)?.into_iter().map(shown).collect())
}
