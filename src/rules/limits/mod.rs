//! Limits that hold for people and institutions for life (docs/rules/limits.md; Hebei 七, 十二; Guizhou 九;
//! Changchun 四(二); Hubei 一(二), 二(一)), and the list of published projects (Sichuan 三).
//!
//! No rule: a limit bars drawing a subsidy, not attending. Whoever enters a roster is warned, a claim with a
//! hard objection is not granted, and attendance is recorded all the same. What is objected is stated as a
//! fact, and the rule `over_limit` raises it (docs/decisions/0029).
//!
//! In the ledger a person has another commitment on every roster, so that nobody can follow her there. Who is
//! behind them comes as an argument from beside the ledger. Of whom nobody knows, only what one roster says
//! can be judged.

mod claimed;
mod drawn;
mod plan;
mod project;
mod teachers;
mod words;

use std::collections::{BTreeMap, HashMap};

pub(super) use self::words::{of as subject_words, why};

use self::drawn::{Drawn, Who};
use super::hours::Hours;
use crate::domain::{
    Basis, Bilingual, ClaimId, ClassId, Committed, HeldId, Limit, Modality, Objected, PersonId,
    Policy, Subject, TeacherId, Timestamp,
};

/// Twelve months, where a profile's year is no calendar's.
const YEAR_MS: i64 = 365 * 86_400_000;

/// What an objection rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Another claim.
    Claim(ClaimId),
    /// Something held from elsewhere.
    Held(HeldId),
    /// A teacher's engagement.
    Teacher(TeacherId),
    /// An entry of the ledger.
    Entry(u64),
    /// The notice that publishes a project.
    Notice(String),
    /// A class of the same project.
    Class(ClassId),
}

/// Something goes beyond a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// What it is about.
    pub of: Subject,
    /// Which limit.
    pub limit: Limit,
    /// The article of the text, where a text has one.
    pub clause: Option<String>,
    /// Hard refuses, soft warns.
    pub modality: Modality,
    /// Which person of it, by the commitment that stands there.
    pub member: Option<Committed>,
    /// What was found.
    pub found: u32,
    /// What is allowed, or needed.
    pub allowed: u32,
    /// What was found, where two numbers cannot say it.
    pub words: Option<Bilingual>,
    /// What it rests on.
    pub rests_on: Vec<Rest>,
}

impl Objection {
    /// About no person, told by its two numbers, resting on nothing: what most have in common.
    fn of(
        of: Subject,
        limit: Limit,
        ground: (Option<String>, Modality),
        numbers: [u32; 2],
    ) -> Self {
        let ((clause, modality), [found, allowed]) = (ground, numbers);
        let (member, words, rests_on) = (None, None, Vec::new());
        Self { of, limit, clause, modality, member, found, allowed, words, rests_on }
    }

    /// Whether a claim is refused for it.
    pub fn is_hard(&self) -> bool {
        self.modality == Modality::Hard
    }

    /// What was found, in words that name nobody.
    pub fn why(&self) -> Bilingual {
        let told = || words::why(self.limit, self.found, self.allowed);
        self.words.clone().unwrap_or_else(told)
    }
}

/// The limits of one profile over what the ledger says.
pub struct Limits<'h> {
    hours: &'h Hours,
    people: &'h HashMap<Committed, PersonId>,
    /// Of each person all that was ever drawn or held: a projection, not a window.
    drawn: BTreeMap<Who, Vec<Drawn<'h>>>,
}

impl<'h> Limits<'h> {
    /// Over these hours (of the classes that are asked about) and their registry; `people` says who is
    /// behind commitments, as far as anybody knows.
    pub fn new(hours: &'h Hours, people: &'h HashMap<Committed, PersonId>) -> Self {
        let drawn = drawn::index(hours, people);
        Self { hours, people, drawn }
    }

    /// All that speaks against a claim.
    pub fn claim(&self, id: &ClaimId) -> Vec<Objection> {
        let registry = self.hours.registry();
        let Some(filed) = registry.claim(id) else { return Vec::new() };
        let Some(plan) = registry.class_plan(&filed.claim.class) else { return Vec::new() };
        let of = Subject::Claim(id.clone());
        let mut all = Vec::new();
        for member in filed.lines.keys() {
            all.extend(self.drawn(&of, *member, plan, (filed.filed_at, Some(id))));
        }
        all.extend(self.claimed(filed));
        all.extend(self.offline_share(filed, plan));
        all.extend(self.project(&of, plan));
        all
    }

    /// What would speak against a claim for somebody who joins a class now.
    pub fn member(&self, class: &ClassId, member: Committed) -> Vec<Objection> {
        let Some(plan) = self.hours.registry().class_plan(class) else { return Vec::new() };
        let of = Subject::Class(class.clone());
        let now = (self.hours.now().plus_ms(1), None);
        self.drawn(&of, member, plan, now)
    }

    fn policy(&self) -> &Policy {
        self.hours.policy()
    }

    fn who(&self, member: &Committed) -> Who {
        Who::of(self.people, member)
    }

    /// Whether `then` lies in the year of `at`, as the profile means it.
    fn same_year(&self, then: Timestamp, at: Timestamp) -> bool {
        if self.policy().limit_year_is_rolling() {
            (0..YEAR_MS).contains(&at.ms_since(then))
        } else {
            then.shanghai().year() == at.shanghai().year()
        }
    }

    /// Clause and modality of a number; `silent` where no text has it.
    fn ground(&self, number: &str, silent: Modality) -> (Option<String>, Modality) {
        match self.policy().basis_of(number) {
            Some(Basis::Law { clause, modality }) => (Some(clause), modality),
            Some(Basis::Operator) | None => (None, silent),
        }
    }
}

/// Two occupations, each with its name and perhaps its code, are the same: by code where both have one, else by name.
fn is_same_occupation(one: (&str, Option<&str>), other: (&str, Option<&str>)) -> bool {
    match (one.1, other.1) {
        (Some(one), Some(other)) => one == other,
        (Some(_) | None, _) => one.0 == other.0,
    }
}

/// What the centre states of objections: the hard ones, one for each thing and limit.
pub fn stated(objections: &[Objection], policy: &Policy) -> Vec<Objected> {
    let mut all: Vec<Objected> = Vec::new();
    for it in objections.iter().filter(|it| it.is_hard()) {
        let Objection { of, limit, found, allowed, .. } = it;
        match all.iter_mut().find(|known| known.of == *of && known.limit == *limit) {
            Some(known) => {
                known.persons += 1;
                if found.abs_diff(*allowed) > known.found.abs_diff(known.allowed) {
                    (known.found, known.allowed) = (*found, *allowed);
                }
            }
            None => all.push(Objected {
                of: of.clone(),
                limit: *limit,
                persons: u32::from(it.member.is_some()),
                found: *found,
                allowed: *allowed,
                policy: policy.profile(),
            }),
        }
    }
    all
}
