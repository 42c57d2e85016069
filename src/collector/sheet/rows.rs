//! Rows become wishes: what a person wrote, each cell checked. Every mistake of the file is found in
//! one run. Pure.

use super::cells::Cells;
use super::columns::Kind;
use super::grid::{Grid, Header, Problem, Problems};
use super::project;
use crate::collector::people::Who;
use crate::domain::{
    Bilingual, ClaimId, ClassId, ClassPlan, Employment, Evidenced, Fact, Fund, GeoPoint, Held,
    HeldKind, InstitutionDetails, InstitutionId, LeaveReason, Lesson, LessonDetails, Platform,
    PlatformFunction, Qualification, ROSTER_BY_MEMBERS, State, Status, Subject, SubjectKind,
    TeacherId, Timestamp, Word,
};
use crate::record::VerifyingKey;
use crate::record::dispatch::NUMBER_BYTES_MAX;

/// Longest lesson that is believed: longer ones are mistakes of the date.
const LESSON_HOURS_MAX: i64 = 16;
const HOUR_MS: i64 = 3_600_000;

/// Something that a row refers to and that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refers {
    /// The column's name in the file.
    pub column: String,
    /// `institution`, `site` and so on.
    pub what: &'static str,
    /// Its id.
    pub id: String,
}

/// The head of a claim, the same in each of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimHead {
    /// Its id.
    pub id: ClaimId,
    /// Who asks.
    pub institution: InstitutionId,
    /// For which class.
    pub class: ClassId,
    /// The standard.
    pub basis: String,
}

/// What a row wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Facts that name nobody.
    Facts(Vec<Fact>),
    /// A place on a roster.
    Member(ClassId, Who, Option<LeaveReason>),
    /// A teacher.
    Teacher(TeacherId, InstitutionId, Who, Employment, Qualification),
    /// One person of a claim: lesson hours, and what is asked for in fen.
    Line(ClaimHead, Who, u32, u64),
    /// What somebody holds from elsewhere; whose commitment is still to be put in.
    Held(Held, Who),
}

/// A row that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file.
    pub row: u64,
    /// The column that says what it is about.
    pub key: String,
    /// What must exist.
    pub refers: Vec<Refers>,
    /// What it wishes.
    pub wish: Wish,
}

/// Reads a table, or tells all that is wrong with it.
pub fn parse(kind: Kind, grid: &Grid) -> Result<Vec<Row>, Problems> {
    let mut problems = Problems::default();
    let header = Header::read(kind.columns(), &grid.header, &mut problems);
    // Without the right columns every row would be wrong for the same reason.
    let mut rows = Vec::new();
    problems = match problems.or(()) {
        Ok(()) => Problems::default(),
        Err(problems) => return Err(problems),
    };
    for (row, cells) in &grid.rows {
        if cells.iter().skip(header.len()).any(|cell| !cell.trim().is_empty()) {
            let what = format!("it has {} cells, the header has {}", cells.len(), header.len());
            let hint = "put quotes around a text with commas in it".to_owned();
            problems.push(Problem { row: *row, column: None, what, hint });
        }
        let mut cells = Cells { row: *row, header: &header, cells, problems: &mut problems };
        let mut refers = Vec::new();
        let wish = match kind {
            Kind::Institution => institution(&mut cells),
            Kind::Site => site(&mut cells, &mut refers),
            Kind::Project => project::read(&mut cells),
            Kind::Class => class(&mut cells, &mut refers),
            Kind::Lesson => lesson(&mut cells, &mut refers),
            Kind::Roster => member(&mut cells, &mut refers),
            Kind::Teacher => teacher(&mut cells, &mut refers),
            Kind::Status => status(&mut cells, &mut refers),
            Kind::Claim => claim(&mut cells, &mut refers),
            Kind::Held => held(&mut cells, &mut refers),
            Kind::Platform => platform(&mut cells),
        };
        let key = cells.column(kind.columns()[usize::from(kind == Kind::Status)].name);
        rows.extend(wish.map(|wish| Row { row: *row, key, refers, wish }));
    }
    if rows.is_empty() && problems.all.is_empty() {
        let (what, hint) =
            ("there are no rows".to_owned(), "write some below the header".to_owned());
        problems.push(Problem { row: 0, column: None, what, hint });
    }
    problems.or(rows)
}

fn refer(
    cells: &Cells<'_>,
    refers: &mut Vec<Refers>,
    column: &str,
    what: &'static str,
    id: Option<&impl ToString>,
) {
    if let Some(id) = id {
        refers.push(Refers { column: cells.column(column), what, id: id.to_string() });
    }
}

/// A name in both languages; where there is none in English, the Chinese one stands for it.
fn named(cells: &mut Cells<'_>, zh: &str, en: &str) -> Option<Bilingual> {
    let (name, english) = (cells.text(zh), cells.text(en));
    let name = name?;
    Some(Bilingual { en: english.unwrap_or_else(|| name.clone()), zh: name })
}

fn who(cells: &mut Cells<'_>, with_name: bool) -> Who {
    let name = if with_name { cells.text("name") } else { None };
    let card = if with_name { card(cells) } else { None };
    Who { name, number: cells.id_number("id_number"), person: cells.person("person"), card }
}

fn card(cells: &mut Cells<'_>) -> Option<String> {
    let card = cells.text("card")?;
    if card.len() > NUMBER_BYTES_MAX {
        let hint = format!("use at most {NUMBER_BYTES_MAX} bytes");
        cells.wrong("card", "the number on the card is too long", hint);
        return None;
    }
    Some(card)
}

fn institution(cells: &mut Cells<'_>) -> Option<Wish> {
    let id: Option<InstitutionId> = cells.id("id");
    let name = named(cells, "name", "name_en");
    let credit_code = cells.text("credit_code").filter(|code| {
        let fits =
            code.len() == 18 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if !fits {
            cells.wrong(
                "credit_code",
                "this is no unified social credit code",
                "write its 18 digits and capital letters",
            );
        }
        fits
    });
    let ownership = cells.word("ownership");
    let area = cells.number("area", 100_000, 999_999).map(|area| area.to_string());
    let (id, name) = (id?, name?);
    let mut facts = vec![Fact::Institution { id: id.clone(), name }];
    if credit_code.is_some() || ownership.is_some() || area.is_some() {
        let details = InstitutionDetails { institution: id, credit_code, ownership, area };
        facts.push(Fact::InstitutionDetails(details));
    }
    Some(Wish::Facts(facts))
}

fn site(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let (id, institution) = (cells.id("id"), cells.id("institution"));
    refer(cells, refers, "institution", "institution", institution.as_ref());
    let (name, town) = (named(cells, "name", "name_en"), named(cells, "town", "town_en"));
    let (latitude, longitude) = (cells.degrees("latitude", 90), cells.degrees("longitude", 180));
    let place = GeoPoint { latitude_e6: latitude?, longitude_e6: longitude? };
    let fact = Fact::Site { id: id?, institution: institution?, name: name?, town: town?, place };
    Some(Wish::Facts(vec![fact]))
}

fn class(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let (id, institution) = (cells.id::<ClassId>("id"), cells.id("institution"));
    refer(cells, refers, "institution", "institution", institution.as_ref());
    let name = named(cells, "name", "name_en");
    let persons = cells.number("persons", 1, 10_000);
    let project = cells.text("project");
    let (occupation, occupation_code) = (cells.text("occupation"), cells.text("occupation_code"));
    let level = cells.word("level");
    let (starts, ends) = (cells.day("starts"), cells.day("ends"));
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends < starts
    {
        cells.wrong("ends", "the class ends before it starts", "correct one of the two dates");
    }
    let hours = cells.number("hours", 1, 10_000);
    let mut part = |name: &str| {
        let part = cells.number(name, 0, 10_000);
        if let (Some(part), Some(hours)) = (part, hours)
            && part > hours
        {
            cells.wrong(
                name,
                format!("{part} of {hours} lesson hours"),
                "a part is at most the whole",
            );
        }
        part
    };
    let (hours_practice, hours_online) = (part("hours_practice"), part("hours_online"));
    let target = cells.word("target");
    let (id, institution, persons) = (id?, institution?, persons?);
    let plan = ClassPlan {
        class: id.clone(),
        project: project?,
        occupation: occupation?,
        occupation_code,
        level: level?,
        starts: starts?,
        ends: ends?,
        hours: hours?,
        hours_practice,
        hours_online,
        target: target?,
    };
    let class = Fact::Class { id, institution, name: name?, persons, roster: ROSTER_BY_MEMBERS };
    Some(Wish::Facts(vec![class, Fact::ClassPlan(plan)]))
}

fn lesson(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let (id, class, site) = (cells.id("id"), cells.id("class"), cells.id("site"));
    refer(cells, refers, "class", "class", class.as_ref());
    refer(cells, refers, "site", "site", site.as_ref());
    let starts = cells.time("starts");
    let ends = cells.end("ends", starts);
    if let (Some(starts), Some(ends)) = (starts, ends) {
        if ends <= starts {
            let hint =
                "a lesson that crosses midnight needs the next day's date, or the time alone";
            cells.wrong("ends", "the lesson ends before it starts", hint);
        } else if ends.ms_since(starts) > LESSON_HOURS_MAX * HOUR_MS {
            let hint = "correct the date, or write one row for each day";
            cells.wrong(
                "ends",
                format!("the lesson is longer than {LESSON_HOURS_MAX} hours"),
                hint,
            );
        }
    }
    let teacher = cells.id::<TeacherId>("teacher");
    refer(cells, refers, "teacher", "teacher", teacher.as_ref());
    let (kind, mode) = (cells.word("kind"), cells.word("mode"));
    let lesson = Lesson { id: id?, class: class?, site: site?, starts: starts?, ends: ends? };
    let mut facts = vec![Fact::Lesson(lesson.clone())];
    if teacher.is_some() || kind.is_some() || mode.is_some() {
        facts.push(Fact::LessonDetails(LessonDetails { lesson: lesson.id, teacher, kind, mode }));
    }
    Some(Wish::Facts(facts))
}

fn member(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let class = cells.id("class");
    refer(cells, refers, "class", "class", class.as_ref());
    let who = who(cells, true);
    let left = cells.word("left");
    Some(Wish::Member(class?, who, left))
}

fn teacher(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let (id, institution) = (cells.id("id"), cells.id("institution"));
    refer(cells, refers, "institution", "institution", institution.as_ref());
    let who = who(cells, true);
    let (employment, qualification) = (cells.word("employment"), cells.word("qualification"));
    Some(Wish::Teacher(id?, institution?, who, employment?, qualification?))
}

fn claim(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let (id, institution, class) = (cells.id("id"), cells.id("institution"), cells.id("class"));
    refer(cells, refers, "institution", "institution", institution.as_ref());
    refer(cells, refers, "class", "class", class.as_ref());
    let basis = cells.text("basis");
    let who = who(cells, false);
    let (hours, amount) = (cells.number("hours", 0, 10_000), cells.yuan("amount"));
    let head = ClaimHead { id: id?, institution: institution?, class: class?, basis: basis? };
    Some(Wish::Line(head, who, hours?, amount?))
}

fn held(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let id = cells.id("id");
    let kind = cells.word("kind");
    let who = Who {
        name: cells.text("name"),
        number: cells.id_number("id_number"),
        person: cells.person("person"),
        card: None,
    };
    let (occupation, occupation_code) = (cells.text("occupation"), cells.text("occupation_code"));
    let (level, on) = (cells.word("level"), cells.day("on"));
    let fund: Option<Fund> = cells.word("fund");
    if fund.is_some() && kind == Some(HeldKind::Certificate) {
        cells.wrong("fund", "no fund pays for a certificate", "leave the cell empty");
    }
    let class = cells.id("class");
    refer(cells, refers, "class", "class", class.as_ref());
    let source = cells.text("source");
    let held = Held {
        id: id?,
        person: [0; 32],
        kind: kind?,
        occupation: occupation?,
        occupation_code,
        level: level?,
        on: on?,
        fund,
        class,
        source: source?,
    };
    Some(Wish::Held(held, who))
}

fn platform(cells: &mut Cells<'_>) -> Option<Wish> {
    let id = cells.id("id");
    let name = named(cells, "name", "name_en");
    let key = cells.text("key").and_then(|text| {
        let key = text.parse::<VerifyingKey>().ok();
        if key.is_none() {
            let hint = "write it as the platform prints it: ed25519: and 64 hexadecimal digits";
            cells.wrong("key", "this is no verification key", hint);
        }
        key
    });
    let function = |function: &PlatformFunction| {
        let basis = cells.text(function.code())?;
        Some(Evidenced { function: *function, basis })
    };
    let functions = PlatformFunction::ALL.iter().filter_map(function).collect();
    let listed = cells.text("listed");
    let platform = Platform { id: id?, name: name?, key: key?.to_bytes(), functions, listed };
    Some(Wish::Facts(vec![Fact::Platform(platform)]))
}

fn status(cells: &mut Cells<'_>, refers: &mut Vec<Refers>) -> Option<Wish> {
    let kind: Option<SubjectKind> = cells.word("of");
    let of = kind.and_then(|kind| {
        Some(match kind {
            SubjectKind::Institution => Subject::Institution(cells.id("id")?),
            SubjectKind::Site => Subject::Site(cells.id("id")?),
            SubjectKind::Class => Subject::Class(cells.id("id")?),
            SubjectKind::Lesson => Subject::Lesson(cells.id("id")?),
            SubjectKind::Teacher => Subject::Teacher(cells.id("id")?),
            SubjectKind::Claim => Subject::Claim(cells.id("id")?),
        })
    });
    if let Some(of) = &of {
        refer(cells, refers, "id", of.kind().code(), Some(&of.id()));
    }
    let state: Option<State> = cells.word("state");
    if let (Some(kind), Some(state)) = (kind, state)
        && !state.place().1.contains(&kind)
    {
        let fitting = State::ALL.iter().filter(|state| state.place().1.contains(&kind));
        let fitting = fitting.map(|state| format!("{} {}", state.code(), state.zh()));
        let hint = format!("write one of {}", fitting.collect::<Vec<_>>().join(", "));
        cells.wrong("state", format!("no {} is {}", kind.code(), state.code()), hint);
    }
    let from = cells.time("from");
    let until: Option<Timestamp> = cells.time("until");
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        cells.wrong("until", "it ends before it begins", "correct one of the two times");
    }
    let basis = cells.text("basis");
    let status = Status { of: of?, state: state?, from: from?, until, basis };
    Some(Wish::Facts(vec![Fact::Status(status)]))
}
