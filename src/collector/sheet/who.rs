//! Rows that name people become facts that do not: by commitments of a roster or an engagement.
//! Pure but for the look-ups among the people, whose failure is the only error of its own.

use std::collections::HashMap;

use super::grid::{Problem, Problems, Remark};
use super::plan::{Group, Standing};
use super::rows::{ClaimHead, Row, Wish};
use crate::collector::people::{
    Nobody, PeopleError, Resolver, Who, held_scope, roster_scope, teacher_scope,
};
use crate::domain::{
    Claim, ClaimId, ClaimLine, ClassId, Committed, Fact, Held, Joined, Left, PersonId, Teacher,
};

struct Walk<'w, 'p> {
    resolver: Option<&'w mut Resolver<'p>>,
    standing: &'w Standing,
    problems: Problems,
    remarks: Vec<Remark>,
}

/// The facts of a table, and what to look at.
type Resolved = (Vec<Group>, Vec<Remark>);

/// Turns rows into facts. Without a `resolver` no row may name anybody.
pub fn resolve(
    rows: Vec<Row>,
    resolver: Option<&mut Resolver<'_>>,
    standing: &Standing,
) -> Result<Result<Resolved, Problems>, PeopleError> {
    let mut walk = Walk { resolver, standing, problems: Problems::default(), remarks: Vec::new() };
    let mut groups: Vec<Group> = Vec::new();
    let mut claims: HashMap<ClaimId, (usize, ClaimHead)> = HashMap::new();
    for Row { row, key, refers, wish } in rows {
        let group = |facts| Group { row, key: key.clone(), refers: refers.clone(), facts };
        match wish {
            Wish::Facts(facts) => groups.push(group(facts)),
            Wish::Member(class, who, left) => {
                let Some(person) = walk.person(row, &who, true)? else { continue };
                let scope = roster_scope(&class);
                let member = match (left, walk.standing_member(&class, person)?) {
                    (Some(_), None) => {
                        let what = format!("this person is not on the roster of {class}");
                        walk.problem(row, Some("left"), what, "leave the row out");
                        continue;
                    }
                    (_, Some(member)) => member,
                    (None, None) => match walk.commitment(&scope, person)? {
                        Some(member) => member,
                        None => continue,
                    },
                };
                groups.push(group(vec![match left {
                    Some(reason) => Fact::Left(Left { class, member, reason }),
                    None => Fact::Joined(Joined { class, member }),
                }]));
            }
            Wish::Teacher(id, institution, who, employment, qualification) => {
                let Some(person) = walk.person(row, &who, true)? else { continue };
                let scope = teacher_scope(&id);
                let Some(person) = walk.commitment(&scope, person)? else { continue };
                let teacher = Teacher { id, institution, person, employment, qualification };
                groups.push(group(vec![Fact::Teacher(teacher)]));
            }
            Wish::Held(held, who) => {
                let Some(person) = walk.person(row, &who, true)? else { continue };
                let scope = held_scope(&held.id);
                let Some(person) = walk.commitment(&scope, person)? else { continue };
                groups.push(group(vec![Fact::Held(Held { person, ..held })]));
            }
            Wish::Line(head, who, hours, amount_fen) => {
                let Some(person) = walk.person(row, &who, false)? else { continue };
                let Some(member) = walk.standing_member(&head.class, person)? else {
                    let what = format!("this person was never on the roster of {}", head.class);
                    walk.problem(row, Some("person"), what, "import the roster first");
                    continue;
                };
                let line = ClaimLine { claim: head.id.clone(), member, hours, amount_fen };
                match claims.get(&head.id) {
                    Some((at, first)) if *first == head => {
                        add_line(&mut walk, &mut groups[*at], row, line);
                    }
                    Some(_) => walk.problem(
                        row,
                        Some("id"),
                        format!(
                            "claim {} stands above with another institution, class or standard",
                            head.id
                        ),
                        "these are the same in all rows of a claim",
                    ),
                    None => {
                        claims.insert(head.id.clone(), (groups.len(), head.clone()));
                        let ClaimHead { id, institution, class, basis } = head;
                        let (persons, hours, amount_fen) = (1, line.hours, line.amount_fen);
                        let claim =
                            Claim { id, institution, class, persons, hours, amount_fen, basis };
                        groups.push(group(vec![Fact::Claim(claim), Fact::ClaimLine(line)]));
                    }
                }
            }
        }
    }
    for group in &mut groups {
        // Lines in one order, whatever the order of the file.
        if let Some((Fact::Claim(_), lines)) = group.facts.split_first_mut() {
            lines.sort_by_key(|line| {
                if let Fact::ClaimLine(line) = line { Some(line.member) } else { None }
            });
        }
    }
    let remarks = walk.remarks;
    Ok(walk.problems.or((groups, remarks)))
}

fn add_line(walk: &mut Walk<'_, '_>, group: &mut Group, row: u64, line: ClaimLine) {
    let twice = group
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::ClaimLine(other) if other.member == line.member));
    if twice {
        let what = "this person stands twice in the claim";
        walk.problem(row, Some("person"), what, "keep one row for each person");
        return;
    }
    if let Some(Fact::Claim(claim)) = group.facts.first_mut() {
        claim.persons += 1;
        claim.hours = claim.hours.saturating_add(line.hours);
        claim.amount_fen = claim.amount_fen.saturating_add(line.amount_fen);
    }
    group.facts.push(Fact::ClaimLine(line));
}

impl Walk<'_, '_> {
    fn problem(&mut self, row: u64, column: Option<&str>, what: impl Into<String>, hint: &str) {
        let column = column.map(str::to_owned);
        self.problems.push(Problem { row, column, what: what.into(), hint: hint.into() });
    }

    fn person(
        &mut self,
        row: u64,
        who: &Who,
        may_be_new: bool,
    ) -> Result<Option<PersonId>, PeopleError> {
        let Some(resolver) = self.resolver.as_deref_mut() else { return Ok(None) };
        let (column, what, hint) = match resolver.person(who)? {
            Ok((person, renamed)) => {
                if renamed {
                    let what = "the centre knew this person under another name".to_owned();
                    let hint = "the name of the file is kept; look whether it is right".to_owned();
                    self.remarks.push(Remark { row, column: Some("name".into()), what, hint });
                }
                return Ok(Some(person));
            }
            Err(Nobody::Neither) => (
                "id_number",
                "nobody is named",
                "write an identity number, or a person of `roster list`",
            ),
            Err(Nobody::Unknown) => {
                ("person", "this centre knows no such person", "write the identity number instead")
            }
            Err(Nobody::Another) => (
                "person",
                "identity number and person are two people",
                "leave one of the cells empty",
            ),
            Err(Nobody::Nameless) if !may_be_new => {
                ("id_number", "the centre knows nobody with this number", "import the roster first")
            }
            Err(Nobody::Nameless) => {
                ("name", "this person is new and has no name", "write the name")
            }
        };
        self.problem(row, Some(column), what, hint);
        Ok(None)
    }

    fn commitment(
        &mut self,
        scope: &str,
        person: PersonId,
    ) -> Result<Option<Committed>, PeopleError> {
        match self.resolver.as_deref_mut() {
            Some(resolver) => resolver.commitment(scope, person).map(Some),
            None => Ok(None),
        }
    }

    /// Her commitment on a roster, if the ledger has it.
    fn standing_member(
        &self,
        class: &ClassId,
        person: PersonId,
    ) -> Result<Option<Committed>, PeopleError> {
        let Some(resolver) = self.resolver.as_deref() else { return Ok(None) };
        let opening = resolver.standing(&roster_scope(class), person)?;
        let member = opening.map(|opening| opening.commitment().0);
        Ok(member.filter(|member| self.standing.has_member(class, member)))
    }
}
