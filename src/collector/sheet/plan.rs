//! What has to be stated so that the ledger says what a table says: references exist, nothing twice,
//! no class at two lessons at once, and nothing again that stands already. Pure.

use std::collections::{BTreeMap, HashMap};

use data_encoding::HEXLOWER;

use super::grid::{Problem, Problems, Remark};
use super::rows::Refers;
use crate::collector::facts::{Named, named};
use crate::domain::{
    ClassId, Committed, Fact, Lesson, LessonId, ROSTER_BY_MEMBERS, State, Subject, TeacherId,
    Timestamp,
};

/// The facts of one row, or of the rows of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The (first) row.
    pub row: u64,
    /// The column that says what it is about.
    pub key: String,
    /// What must exist.
    pub refers: Vec<Refers>,
    /// The facts; the first one names the group.
    pub facts: Vec<Fact>,
}

/// The facts that stand: of each thing the last one.
#[derive(Debug, Clone, Default)]
pub struct Standing(HashMap<Named, Fact>);

impl Standing {
    /// From the ledger's facts, in its order.
    pub fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut standing = HashMap::new();
        let mut lines: HashMap<String, Vec<Named>> = HashMap::new();
        for fact in facts {
            let Some(name) = named(&fact) else { continue };
            match &fact {
                // A claim that comes again begins anew.
                Fact::Claim(claim) => {
                    for line in lines.remove(claim.id.as_str()).unwrap_or_default() {
                        standing.remove(&line);
                    }
                }
                Fact::ClaimLine(line) => {
                    lines.entry(line.claim.to_string()).or_default().push(name.clone());
                }
                Fact::Institution { .. }
                | Fact::Site { .. }
                | Fact::Terminal { .. }
                | Fact::Class { .. }
                | Fact::Lesson(_)
                | Fact::Policy { .. }
                | Fact::TerminalKey { .. }
                | Fact::Revocation { .. }
                | Fact::Replacement { .. }
                | Fact::InstitutionDetails(_)
                | Fact::ClassPlan(_)
                | Fact::LessonDetails(_)
                | Fact::Joined(_)
                | Fact::Left(_)
                | Fact::Teacher(_)
                | Fact::Status(_)
                | Fact::RollOrdered(_)
                | Fact::Held(_)
                | Fact::Objected(_)
                | Fact::Platform(_)
                | Fact::Project(_)
                | Fact::Activity(_)
                | Fact::PictureOpened { .. }
                | Fact::Trial(_)
                | Fact::CaseStep(_)
                | Fact::Tick => {}
            }
            standing.insert(name, fact);
        }
        Self(standing)
    }

    fn get(&self, what: &'static str, id: &str) -> Option<&Fact> {
        self.0.get(&Named(what, id.to_owned()))
    }

    /// Whether a commitment was ever on a class's roster.
    pub fn has_member(&self, class: &ClassId, member: &Committed) -> bool {
        self.get("member", &format!("{class}/{}", HEXLOWER.encode(member))).is_some()
    }

    /// Whether this stands already, word for word.
    pub fn says(&self, fact: &Fact) -> bool {
        named(fact).is_some_and(|name| self.0.get(&name) == Some(fact))
    }

    fn lines_of(&self, claim: &str) -> usize {
        let of =
            |fact: &&Fact| matches!(fact, Fact::ClaimLine(line) if line.claim.as_str() == claim);
        self.0.values().filter(of).count()
    }
}

/// What has to be stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub facts: Vec<Fact>,
    /// Rows about things that the ledger does not know.
    pub new: usize,
    /// Rows that replace what it says.
    pub changed: usize,
    /// Rows that it says already.
    pub same: usize,
    /// What to look at.
    pub remarks: Vec<Remark>,
}

/// Compares a table with what stands. `now` is only for remarks: what the entries say about time is
/// the time of their commit.
///
/// What stands with other values is a mistake unless `replace` says that it is meant.
pub fn plan(
    standing: &Standing,
    groups: Vec<Group>,
    replace: bool,
    now: Timestamp,
) -> Result<Plan, Problems> {
    let mut problems = Problems::default();
    let mut seen: HashMap<Named, u64> = HashMap::new();
    for group in &groups {
        let Some(name) = group.facts.first().and_then(named) else { continue };
        if let Some(first) = seen.insert(name, group.row) {
            problems.push(Problem {
                row: group.row,
                column: Some(group.key.clone()),
                what: format!("the same stands in row {first}"),
                hint: "keep one of the two".into(),
            });
        }
    }
    for group in &groups {
        for Refers { column, what, id } in &group.refers {
            let name = Named(what, id.clone());
            if !standing.0.contains_key(&name) && !seen.contains_key(&name) {
                problems.push(Problem {
                    row: group.row,
                    column: Some(column.clone()),
                    what: format!("there is no {what} {id}"),
                    hint: format!("correct it, or import the {what} first"),
                });
            }
        }
        claims_fit(standing, group, &mut problems);
    }
    let mut plan = Plan::default();
    overlaps(standing, &groups, &mut problems, &mut plan.remarks);
    for group in groups {
        if let Some(problem) = plan.take(standing, group, replace, now) {
            problems.push(problem);
        }
    }
    plan.remarks.sort_by_key(|remark| remark.row);
    problems.or(plan)
}

impl Plan {
    fn take(
        &mut self,
        standing: &Standing,
        mut group: Group,
        replace: bool,
        now: Timestamp,
    ) -> Option<Problem> {
        keep_roster(standing, &mut group);
        let stands = |fact: &Fact| named(fact).and_then(|name| standing.0.get(&name));
        let differs = |fact: &Fact| stands(fact) != Some(fact);
        let replaces = |fact: &Fact| stands(fact).is_some_and(|old| old != fact);
        let changed = group.facts.iter().find(|fact| replaces(fact));
        // Whoever leaves a roster replaces nothing: that she was on it stays true.
        let is_member = |fact: &&Fact| matches!(fact, Fact::Joined(_) | Fact::Left(_));
        if let Some(Named(what, id)) = changed.filter(|fact| !is_member(fact)).and_then(named)
            && !replace
        {
            return Some(Problem {
                row: group.row,
                column: Some(group.key),
                what: format!("{what} {id} stands already, with other values"),
                hint: "`list` shows them; --replace states it anew, and the ledger keeps both"
                    .into(),
            });
        }
        let is_change = changed.is_some();
        let stated: Vec<Fact> = match group.facts.first() {
            // A claim is stated as a whole: its lines belong to it.
            Some(Fact::Claim(claim)) => {
                let whole = standing.lines_of(claim.id.as_str()) + 1 == group.facts.len();
                let same = whole && !group.facts.iter().any(differs);
                if same { Vec::new() } else { group.facts }
            }
            _ => group.facts.into_iter().filter(differs).collect(),
        };
        if let Some(Fact::Lesson(lesson)) = stated.first()
            && lesson.starts <= now
        {
            self.remarks.push(Remark {
                row: group.row,
                column: Some(group.key),
                what: format!("lesson {} has begun already, at {}", lesson.id, lesson.starts),
                hint: "it is stated as late: what was recorded before does not count".into(),
            });
        }
        *match (stated.is_empty(), is_change) {
            (true, _) => &mut self.same,
            (false, false) => &mut self.new,
            (false, true) => &mut self.changed,
        } += 1;
        self.facts.extend(stated);
        None
    }
}

/// A class that was registered with its whole roster keeps that commitment.
fn keep_roster(standing: &Standing, group: &mut Group) {
    if let Some(Fact::Class { id, roster, .. }) = group.facts.first_mut()
        && let Some(Fact::Class { roster: old, .. }) = standing.get("class", id.as_str())
        && *roster == ROSTER_BY_MEMBERS
    {
        *roster = *old;
    }
}

/// Nobody asks for a subsidy for another institution's class, or for one of which nobody knows what it
/// teaches.
fn claims_fit(standing: &Standing, group: &Group, problems: &mut Problems) {
    if let Some(Fact::Claim(claim)) = group.facts.first()
        && let Some(Fact::Class { institution, .. }) = standing.get("class", claim.class.as_str())
        && *institution != claim.institution
    {
        problems.push(Problem {
            row: group.row,
            column: Some("institution".into()),
            what: format!("class {} is one of {institution}", claim.class),
            hint: "an institution claims for its own classes".into(),
        });
    }
    if let Some(Fact::Claim(claim)) = group.facts.first()
        && standing.get("class", claim.class.as_str()).is_some()
        && standing.get("plan of class", claim.class.as_str()).is_none()
    {
        problems.push(Problem {
            row: group.row,
            column: Some("class".into()),
            what: format!("class {} has no plan", claim.class),
            hint: "import the class with project, occupation, level and hours first".into(),
        });
    }
}

/// A lesson with its row, if it stands in the table, and its teacher.
struct Held<'h> {
    lesson: &'h Lesson,
    group: Option<&'h Group>,
    teacher: Option<&'h TeacherId>,
}

/// A class cannot be at two lessons at once: refused. A teacher may teach two classes together, and
/// a site has many rooms: the first is remarked, the second is nothing.
fn overlaps<'h>(
    standing: &'h Standing,
    groups: &'h [Group],
    problems: &mut Problems,
    remarks: &mut Vec<Remark>,
) {
    if !groups.iter().any(|group| matches!(group.facts.first(), Some(Fact::Lesson(_)))) {
        return;
    }
    let mut held: HashMap<&LessonId, Held<'h>> = HashMap::new();
    for fact in standing.0.values() {
        if let Fact::Lesson(lesson) = fact {
            let teacher = match standing.get("details of lesson", lesson.id.as_str()) {
                Some(Fact::LessonDetails(details)) => details.teacher.as_ref(),
                _ => None,
            };
            held.insert(&lesson.id, Held { lesson, group: None, teacher });
        }
    }
    for fact in standing.0.values() {
        if let Fact::Status(status) = fact
            && let (Subject::Lesson(id), State::Cancelled) = (&status.of, status.state)
        {
            held.remove(id);
        }
    }
    for group in groups {
        if let Some(Fact::Lesson(lesson)) = group.facts.first() {
            let teacher = match group.facts.get(1) {
                Some(Fact::LessonDetails(details)) => details.teacher.as_ref(),
                _ => None,
            };
            held.insert(&lesson.id, Held { lesson, group: Some(group), teacher });
        }
    }
    let mut by_class: BTreeMap<&str, Vec<&Held<'_>>> = BTreeMap::new();
    let mut by_teacher: BTreeMap<&str, Vec<&Held<'_>>> = BTreeMap::new();
    for one in held.values() {
        by_class.entry(one.lesson.class.as_str()).or_default().push(one);
        if let Some(teacher) = one.teacher {
            by_teacher.entry(teacher.as_str()).or_default().push(one);
        }
    }
    for of_class in by_class.into_values() {
        for (row, key, what) in touching(of_class, "class") {
            let hint = "move one of the two, or cancel one with a status".into();
            problems.push(Problem { row, column: Some(key), what, hint });
        }
    }
    for of_teacher in by_teacher.into_values() {
        for (row, key, what) in touching(of_teacher, "teacher") {
            let hint = "right if the classes are taught together".into();
            remarks.push(Remark { row, column: Some(key), what, hint });
        }
    }
}

/// Pairs that overlap and of which at least one stands in the table: row, column and words.
fn touching(mut held: Vec<&Held<'_>>, same: &str) -> Vec<(u64, String, String)> {
    held.sort_by(|one, other| {
        let key = |held: &Held<'_>| (held.lesson.starts, held.lesson.ends);
        key(one).cmp(&key(other)).then_with(|| one.lesson.id.cmp(&other.lesson.id))
    });
    let mut found = Vec::new();
    // The lesson before that ends last: whoever starts before its end touches it.
    let mut longest: Option<&Held<'_>> = None;
    for one in held {
        if let Some(before) = longest.filter(|before| one.lesson.starts < before.lesson.ends) {
            let (told, other) = if one.group.is_some() { (one, before) } else { (before, one) };
            if let Some(group) = told.group {
                let Lesson { id, starts, ends, .. } = other.lesson;
                let what = format!(
                    "lesson {} overlaps lesson {id} of the same {same} ({starts} to {ends})",
                    told.lesson.id
                );
                found.push((group.row, group.key.clone(), what));
            }
        }
        if longest.is_none_or(|before| before.lesson.ends < one.lesson.ends) {
            longest = Some(one);
        }
    }
    found
}
