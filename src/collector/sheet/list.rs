//! What stands, as rows of the same tables: what is listed can be imported again and changes nothing.

use data_encoding::HEXLOWER;

use super::columns::Kind;
use super::project;
use crate::collector::facts::{self, Named};
use crate::collector::people::{People, PeopleError};
use crate::domain::{
    Bilingual, Committed, Fact, LessonDetails, Platform, PlatformFunction, Timestamp, Word,
};
use crate::record::VerifyingKey;
use crate::registry::{Announced, Membership, Registry};

/// What stands for an erased person.
const ERASED: &str = "erased";

/// One row, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is about.
    pub named: Named,
    /// Its cells, one for each column of its kind.
    pub cells: Vec<String>,
}

/// All rows of one kind, without the header. Without `people` nobody is named.
pub fn rows(
    kind: Kind,
    registry: &Registry,
    people: Option<&People>,
) -> Result<Vec<Listed>, PeopleError> {
    // What a row is about stands in its first column, but for those that say otherwise.
    let by_id = |rows: Vec<Vec<String>>, what: &'static str| {
        let row = |cells: Vec<String>| Listed { named: Named(what, cells[0].clone()), cells };
        rows.into_iter().map(row).collect()
    };
    Ok(match kind {
        Kind::Institution => by_id(institutions(registry), "institution"),
        Kind::Site => by_id(sites(registry), "site"),
        Kind::Project => registry.projects().map(project::listed).collect(),
        Kind::Class => by_id(classes(registry), "class"),
        Kind::Lesson => {
            let rows = registry.lessons().into_iter().map(|it| lesson(registry, it)).collect();
            by_id(rows, "lesson")
        }
        Kind::Roster => {
            let mut rows = Vec::new();
            for (class, _) in registry.classes() {
                for (member, Membership { left, .. }) in registry.roster(class) {
                    let [name, person, card] = who(people, member)?;
                    let left = left.map(|(_, reason)| reason.code().to_owned());
                    let left = left.unwrap_or_default();
                    let named = Named("member", format!("{class}/{}", HEXLOWER.encode(member)));
                    let cells = vec![class.to_string(), name, String::new(), person, left, card];
                    rows.push(Listed { named, cells });
                }
            }
            rows
        }
        Kind::Teacher => {
            let mut rows = Vec::new();
            for it in registry.teachers() {
                let [name, person, card] = who(people, &it.person)?;
                let words = [it.employment.code(), it.qualification.code()].map(str::to_owned);
                let mut row = vec![it.id.to_string(), it.institution.to_string(), name];
                row.extend([String::new(), person]);
                row.extend(words);
                row.push(card);
                rows.push(row);
            }
            by_id(rows, "teacher")
        }
        Kind::Held => {
            let mut rows = Vec::new();
            for it in registry.held() {
                let [name, person, _] = who(people, &it.person)?;
                rows.push(vec![
                    it.id.to_string(),
                    it.kind.code().to_owned(),
                    name,
                    String::new(),
                    person,
                    it.occupation.clone(),
                    it.occupation_code.clone().unwrap_or_default(),
                    it.level.code().to_owned(),
                    day(it.on),
                    code(it.fund),
                    it.class.as_ref().map(ToString::to_string).unwrap_or_default(),
                    it.source.clone(),
                ]);
            }
            by_id(rows, "held")
        }
        Kind::Platform => by_id(registry.platforms().map(platform).collect(), "platform"),
        Kind::Status => statuses(registry),
        Kind::Claim => {
            let mut rows = Vec::new();
            for filed in registry.claims() {
                let claim = &filed.claim;
                for line in filed.lines.values() {
                    let [_, person, _] = who(people, &line.member)?;
                    let cells = vec![
                        claim.id.to_string(),
                        claim.institution.to_string(),
                        claim.class.to_string(),
                        claim.basis.clone(),
                        String::new(),
                        person,
                        line.hours.to_string(),
                        format!("{}.{:02}", line.amount_fen / 100, line.amount_fen % 100),
                    ];
                    let member = HEXLOWER.encode(&line.member);
                    let named = Named("claim line", format!("{}/{member}", claim.id));
                    rows.push(Listed { named, cells });
                }
            }
            rows
        }
    })
}

/// Name, id and card of whom a commitment stands for.
fn who(people: Option<&People>, commitment: &Committed) -> Result<[String; 3], PeopleError> {
    let hidden = |word: &str| [word.to_owned(), HEXLOWER.encode(commitment), String::new()];
    let Some(people) = people else { return Ok(hidden("")) };
    let Some(opening) = people.behind(commitment)? else {
        return Ok([ERASED, ERASED, ""].map(str::to_owned));
    };
    let name = people.name(opening.person)?.unwrap_or_else(|| ERASED.to_owned());
    let card = people.card(opening.person)?.unwrap_or_default();
    Ok([name, opening.person.to_string(), card])
}

fn both(name: &Bilingual) -> [String; 2] {
    let en = if name.en == name.zh { String::new() } else { name.en.clone() };
    [name.zh.clone(), en]
}

pub(super) fn code<W: Word>(word: Option<W>) -> String {
    word.map(|word| word.code().to_owned()).unwrap_or_default()
}

pub(super) fn day(at: Timestamp) -> String {
    at.shanghai().strftime("%Y-%m-%d").to_string()
}

fn degrees(e6: i32) -> String {
    let (sign, size) = (if e6 < 0 { "-" } else { "" }, e6.unsigned_abs());
    let text = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn institutions(registry: &Registry) -> Vec<Vec<String>> {
    let row = |(id, it): (&crate::domain::InstitutionId, &crate::registry::Institution)| {
        let [zh, en] = both(&it.name);
        let details = registry.institution_details(id);
        vec![
            id.to_string(),
            zh,
            en,
            details.and_then(|it| it.credit_code.clone()).unwrap_or_default(),
            code(details.and_then(|it| it.ownership)),
            details.and_then(|it| it.area.clone()).unwrap_or_default(),
        ]
    };
    registry.institutions().map(row).collect()
}

fn sites(registry: &Registry) -> Vec<Vec<String>> {
    let row = |(id, it): (&crate::domain::SiteId, &crate::registry::Site)| {
        let ([zh, en], [town, town_en]) = (both(&it.name), both(&it.town));
        let place = [degrees(it.place.latitude_e6), degrees(it.place.longitude_e6)];
        let mut row = vec![id.to_string(), it.institution.to_string(), zh, en, town, town_en];
        row.extend(place);
        row
    };
    registry.sites().map(row).collect()
}

fn classes(registry: &Registry) -> Vec<Vec<String>> {
    let row = |(id, it): (&crate::domain::ClassId, &crate::registry::Class)| {
        let [zh, en] = both(&it.name);
        let mut row =
            vec![id.to_string(), it.institution.to_string(), zh, en, it.persons.to_string()];
        match registry.class_plan(id) {
            Some(plan) => row.extend([
                plan.project.clone(),
                plan.occupation.clone(),
                plan.occupation_code.clone().unwrap_or_default(),
                plan.level.code().to_owned(),
                day(plan.starts),
                day(plan.ends),
                plan.hours.to_string(),
                plan.hours_practice.map(|it| it.to_string()).unwrap_or_default(),
                plan.hours_online.map(|it| it.to_string()).unwrap_or_default(),
                plan.target.code().to_owned(),
            ]),
            // Registered by a file of facts: nobody wrote down what it teaches.
            None => row.resize(Kind::Class.columns().len(), String::new()),
        }
        row
    };
    registry.classes().map(row).collect()
}

fn lesson(registry: &Registry, Announced { lesson, .. }: &Announced) -> Vec<String> {
    let details: Option<&LessonDetails> = registry.lesson_details(&lesson.id);
    vec![
        lesson.id.to_string(),
        lesson.class.to_string(),
        lesson.site.to_string(),
        lesson.starts.to_string(),
        lesson.ends.to_string(),
        details.and_then(|it| it.teacher.as_ref()).map(ToString::to_string).unwrap_or_default(),
        code(details.and_then(|it| it.kind)),
        code(details.and_then(|it| it.mode)),
    ]
}

fn statuses(registry: &Registry) -> Vec<Listed> {
    let row = |stated: &crate::registry::Stated| {
        let it = &stated.status;
        let named = facts::named(&Fact::Status(it.clone())).expect("a status has a name");
        let cells = vec![
            it.of.kind().code().to_owned(),
            it.of.id().to_owned(),
            it.state.code().to_owned(),
            it.from.to_string(),
            it.until.map(|until| until.to_string()).unwrap_or_default(),
            it.basis.clone().unwrap_or_default(),
        ];
        Listed { named, cells }
    };
    registry.statuses().map(row).collect()
}

fn platform(it: &Platform) -> Vec<String> {
    let [zh, en] = both(&it.name);
    let key =
        VerifyingKey::from_bytes(&it.key).map_or_else(|_| String::new(), |key| key.to_string());
    let mut row = vec![it.id.to_string(), zh, en, key];
    row.extend(PlatformFunction::ALL.iter().map(|wanted| {
        let evidenced = it.functions.iter().find(|it| it.function == *wanted);
        evidenced.map(|it| it.basis.clone()).unwrap_or_default()
    }));
    row.push(it.listed.clone().unwrap_or_default());
    row
}
