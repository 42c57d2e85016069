//! `FACTS.toml`: institutions, sites, terminals, classes, lessons and the policy in force, as a
//! person writes them down, turned into facts. Times are China standard time.
//!
//! ```toml
//! [[institution]]
//! id = "huaxin"
//! name = { zh = "华新职业培训学校", en = "Huaxin Vocational School" }
//!
//! [[site]]
//! id = "huaxin-1"
//! institution = "huaxin"
//! name = { zh = "一号教学点", en = "Site 1" }
//! town = { zh = "绵阳", en = "Mianyang" }
//! place = { latitude_e6 = 31467500, longitude_e6 = 104679600 }
//!
//! [[terminal]]
//! id = "t-101"
//! site = "huaxin-1"
//! key = "ed25519:…"
//!
//! [[class]]
//! id = "cook-2026a"
//! institution = "huaxin"
//! name = { zh = "中式烹调一班", en = "Chinese cooking, class 1" }
//! persons = 12
//! roster = "64 hexadecimal digits"
//!
//! [[lesson]]
//! id = "cook-2026a-0302-1"
//! class = "cook-2026a"
//! site = "huaxin-1"
//! starts = "2026-03-02 08:30"
//! ends = "2026-03-02 11:30"
//!
//! [[policy]]
//! profile = "default/1"
//! digest = "64 hexadecimal digits"
//! ```

use std::collections::{HashMap, HashSet};

use data_encoding::HEXLOWER;
use serde::Deserialize;

use crate::domain::{
    Bilingual, ClassId, Fact, GeoPoint, InstitutionId, Lesson, LessonId, SiteId, TerminalId,
    TimeError, Timestamp, Word,
};
use crate::record::{KeyError, VerifyingKey};

/// Longest name, in bytes: two of them and everything else fit a sealed fact.
const NAME_BYTES_MAX: usize = 200;

/// A file of facts could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// It is not the TOML that is expected.
    #[error("could not understand the file of facts")]
    Parse(#[from] Box<toml::de::Error>),
    /// A key in it is no key.
    #[error("the key of terminal {terminal} cannot be used")]
    Key {
        /// Whose.
        terminal: TerminalId,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// A time in it is no time.
    #[error("the times of lesson {lesson} cannot be used")]
    Time {
        /// Which lesson.
        lesson: LessonId,
        /// Why.
        #[source]
        cause: TimeError,
    },
    /// Anything else, in words.
    #[error("{what} {id}: {problem}")]
    Wrong {
        /// `lesson`, `site` and so on.
        what: &'static str,
        /// Its id.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    institution: Vec<RawInstitution>,
    site: Vec<RawSite>,
    terminal: Vec<RawTerminal>,
    class: Vec<RawClass>,
    lesson: Vec<RawLesson>,
    policy: Vec<RawPolicy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInstitution {
    id: InstitutionId,
    name: Bilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlace {
    latitude_e6: i32,
    longitude_e6: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSite {
    id: SiteId,
    institution: InstitutionId,
    name: Bilingual,
    town: Bilingual,
    place: RawPlace,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerminal {
    id: TerminalId,
    site: SiteId,
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClass {
    id: ClassId,
    institution: InstitutionId,
    name: Bilingual,
    persons: u32,
    roster: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLesson {
    id: LessonId,
    class: ClassId,
    site: SiteId,
    starts: String,
    ends: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    profile: String,
    digest: String,
}

fn wrong(what: &'static str, id: impl ToString, problem: impl Into<String>) -> FactsError {
    FactsError::Wrong { what, id: id.to_string(), problem: problem.into() }
}

fn name(what: &'static str, id: impl ToString, name: Bilingual) -> Result<Bilingual, FactsError> {
    let fits = |text: &str| !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX;
    if fits(&name.zh) && fits(&name.en) {
        Ok(name)
    } else {
        let problem = format!("names need 1 to {NAME_BYTES_MAX} bytes in both languages");
        Err(wrong(what, id, problem))
    }
}

fn digest(what: &'static str, id: impl ToString, text: &str) -> Result<[u8; 32], FactsError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| wrong(what, id, "a digest is 64 lower-case hexadecimal digits"))
}

/// Reads a file of facts. In the order in which they build on each other.
pub fn parse(text: &str) -> Result<Vec<Fact>, FactsError> {
    let raw: Raw = toml::from_str(text).map_err(Box::new)?;
    let mut facts = Vec::new();
    for RawInstitution { id, name: given } in raw.institution {
        let name = name("institution", &id, given)?;
        facts.push(Fact::Institution { id, name });
    }
    for RawSite { id, institution, name: given, town, place } in raw.site {
        let RawPlace { latitude_e6, longitude_e6 } = place;
        if latitude_e6.unsigned_abs() > 90_000_000 || longitude_e6.unsigned_abs() > 180_000_000 {
            return Err(wrong("site", id, "there is no such place on earth"));
        }
        let town = name("site", &id, town)?;
        let name = name("site", &id, given)?;
        let place = GeoPoint { latitude_e6, longitude_e6 };
        facts.push(Fact::Site { id, institution, name, town, place });
    }
    for RawTerminal { id, site, key } in raw.terminal {
        let key: VerifyingKey =
            key.parse().map_err(|cause| FactsError::Key { terminal: id.clone(), cause })?;
        facts.push(Fact::Terminal { id, site, key: key.to_bytes() });
    }
    for RawClass { id, institution, name: given, persons, roster } in raw.class {
        let roster = digest("class", &id, &roster)?;
        let name = name("class", &id, given)?;
        facts.push(Fact::Class { id, institution, name, persons, roster });
    }
    for RawLesson { id, class, site, starts, ends } in raw.lesson {
        let time = |text: &str| {
            Timestamp::parse_shanghai(text)
                .map_err(|cause| FactsError::Time { lesson: id.clone(), cause })
        };
        let (starts, ends) = (time(&starts)?, time(&ends)?);
        if ends <= starts {
            return Err(wrong("lesson", id, "it ends before it starts"));
        }
        facts.push(Fact::Lesson(Lesson { id, class, site, starts, ends }));
    }
    for RawPolicy { profile, digest: text } in raw.policy {
        let digest = digest("policy", &profile, &text)?;
        facts.push(Fact::Policy { profile, digest });
    }
    Ok(facts)
}

/// What a fact is about: a later fact with the same name replaces the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named(pub &'static str, pub String);

/// The name of what a fact is about; a tick, the opening of a picture, a step of a case and a
/// candidate's step take no other's place.
pub fn named(fact: &Fact) -> Option<Named> {
    Some(match fact {
        Fact::Institution { id, .. } => Named("institution", id.to_string()),
        Fact::Site { id, .. } => Named("site", id.to_string()),
        Fact::Terminal { id, .. } => Named("terminal", id.to_string()),
        Fact::Class { id, .. } => Named("class", id.to_string()),
        Fact::Lesson(lesson) => Named("lesson", lesson.id.to_string()),
        Fact::Policy { .. } => Named("policy", String::new()),
        Fact::InstitutionDetails(it) => Named("details of institution", it.institution.to_string()),
        Fact::ClassPlan(it) => Named("plan of class", it.class.to_string()),
        Fact::LessonDetails(it) => Named("details of lesson", it.lesson.to_string()),
        Fact::Joined(it) => {
            Named("member", format!("{}/{}", it.class, HEXLOWER.encode(&it.member)))
        }
        Fact::Left(it) => Named("member", format!("{}/{}", it.class, HEXLOWER.encode(&it.member))),
        Fact::Teacher(it) => Named("teacher", it.id.to_string()),
        Fact::Status(it) => {
            let (kind, aspect) = (it.of.kind().code(), it.aspect().code());
            Named("status", format!("{kind} {}/{aspect}/{}", it.of.id(), it.from.as_ms()))
        }
        Fact::Claim(it) => Named("claim", it.id.to_string()),
        Fact::ClaimLine(it) => {
            Named("claim line", format!("{}/{}", it.claim, HEXLOWER.encode(&it.member)))
        }
        Fact::RollOrdered(it) => Named("roll call", HEXLOWER.encode(&it.order)),
        Fact::Held(it) => Named("held", it.id.to_string()),
        Fact::Objected(it) => {
            let (kind, limit) = (it.of.kind().code(), it.limit.code());
            Named("objection", format!("{kind} {}/{limit}", it.of.id()))
        }
        Fact::Platform(it) => Named("platform", it.id.to_string()),
        // A publication follows the one before and leaves it standing for what opened under it.
        Fact::Project(it) => Named("project", format!("{} from {}", it.name, it.from)),
        Fact::TerminalKey { id, .. } => Named("key of terminal", id.to_string()),
        Fact::Revocation { id, .. } => Named("revocation", id.to_string()),
        Fact::Replacement { id, .. } => Named("replacement", id.to_string()),
        // Each opening, each step, and each stretch of a session stands for itself.
        Fact::PictureOpened { .. }
        | Fact::CaseStep(_)
        | Fact::Trial(_)
        | Fact::Activity(_)
        | Fact::Tick => return None,
    })
}

/// What has to be stated so that the ledger says what a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Facts about things that the ledger does not know.
    pub new: Vec<Fact>,
    /// Facts that replace earlier ones.
    pub changed: Vec<Fact>,
    /// How many the ledger says already.
    pub same: usize,
}

/// Compares wished facts with those that stand in the ledger (in its order). Checks that whatever
/// a wished fact refers to exists, in the ledger or in the file.
pub fn compare(standing: &[Fact], wished: Vec<Fact>) -> Result<Difference, FactsError> {
    let mut current: HashMap<Named, &Fact> = HashMap::new();
    for fact in standing {
        if let Some(named) = named(fact) {
            current.insert(named, fact);
        }
    }
    let mut there: HashSet<Named> = current.keys().cloned().collect();
    let mut seen = HashSet::new();
    for fact in &wished {
        let Some(named) = named(fact) else { continue };
        if !seen.insert(named.clone()) {
            let Named(what, id) = named;
            return Err(wrong(what, id, "it stands twice in the file"));
        }
        there.insert(named);
    }
    for fact in &wished {
        let refers: &[(&'static str, &str)] = match fact {
            Fact::Site { institution, .. } | Fact::Class { institution, .. } => {
                &[("institution", institution.as_str())]
            }
            Fact::Terminal { site, .. } => &[("site", site.as_str())],
            Fact::Lesson(lesson) => {
                &[("class", lesson.class.as_str()), ("site", lesson.site.as_str())]
            }
            // Only a sheet states the others, and it checks them row by row.
            Fact::InstitutionDetails(_)
            | Fact::ClassPlan(_)
            | Fact::LessonDetails(_)
            | Fact::Joined(_)
            | Fact::Left(_)
            | Fact::Teacher(_)
            | Fact::Status(_)
            | Fact::Claim(_)
            | Fact::ClaimLine(_)
            | Fact::RollOrdered(_)
            | Fact::Held(_)
            | Fact::Objected(_)
            | Fact::Platform(_)
            | Fact::Project(_)
            | Fact::Activity(_) => &[],
            Fact::TerminalKey { id, .. }
            | Fact::Revocation { id, .. }
            | Fact::Replacement { id, .. }
            | Fact::PictureOpened { terminal: id, .. } => &[("terminal", id.as_str())],
            Fact::Institution { .. }
            | Fact::Policy { .. }
            | Fact::CaseStep(_)
            | Fact::Trial(_)
            | Fact::Tick => &[],
        };
        for &(what, id) in refers {
            if !there.contains(&Named(what, id.to_owned())) {
                let Named(of, named) = named(fact).expect("what refers to something has a name");
                return Err(wrong(of, named, format!("there is no {what} {id}")));
            }
        }
    }
    let mut difference = Difference::default();
    for fact in wished {
        match named(&fact).and_then(|named| current.get(&named)) {
            Some(&standing) if *standing == fact => difference.same += 1,
            Some(&standing) if has_other_key(standing, &fact) => {
                let Named(what, id) = named(&fact).expect("it was just looked up by its name");
                let why = "it is registered with another key; a terminal that was set up anew gets \
                           a new name, because its chain begins anew";
                return Err(wrong(what, id, why));
            }
            Some(_) => difference.changed.push(fact),
            None => difference.new.push(fact),
        }
    }
    Ok(difference)
}

fn has_other_key(standing: &Fact, wished: &Fact) -> bool {
    match (standing, wished) {
        (Fact::Terminal { key: old, .. }, Fact::Terminal { key: new, .. }) => old != new,
        _ => false,
    }
}
