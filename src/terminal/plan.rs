//! The site's plan: which lessons are held here, who may attend them, and what the screen calls
//! them. It comes from the centre as a dispatch (`dispatched.rs`), or from a file at a terminal that
//! gets none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::Deserialize;

use crate::checkin::Plan;
use crate::domain::{
    ClassId, Lesson, LessonId, PersonId, Policy, SiteId, TimeError, Timestamp, masked_name,
};
use crate::platform::chance;
use crate::record::dispatch::{Ordered, Suspension};

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Not TOML, or an unknown or ill-typed field.
    #[error("it is not a plan")]
    Parse(#[from] toml::de::Error),
    /// A time is none.
    #[error("lesson {lesson} has a wrong time")]
    Time {
        /// Which lesson.
        lesson: LessonId,
        /// What is wrong.
        #[source]
        source: TimeError,
    },
    /// A lesson ends before it starts.
    #[error("lesson {lesson} ends before it starts")]
    Backwards {
        /// Which lesson.
        lesson: LessonId,
    },
    /// A lesson of a class that the plan does not have.
    #[error("lesson {lesson} belongs to class {class}, which is not in the plan")]
    Class {
        /// Which lesson.
        lesson: LessonId,
        /// Which class.
        class: ClassId,
    },
    /// The seed of roll calls is none.
    #[error("spot_seed needs 64 hexadecimal digits in small letters")]
    Seed,
    /// Two lessons, classes, people or numbers of one name.
    #[error("{name} stands twice in the plan")]
    Twice {
        /// Its name.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    site: SiteId,
    #[serde(default)]
    spot_seed: Option<String>,
    #[serde(default, rename = "class")]
    classes: Vec<Class>,
    #[serde(default, rename = "lesson")]
    lessons: Vec<RawLesson>,
    #[serde(default, rename = "person")]
    people: Vec<RawPerson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    id: PersonId,
    name: String,
    #[serde(default)]
    number: String,
}

/// What the screen knows of somebody. Stays on the terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Her name.
    pub name: String,
    /// What is on her card, or what she types: a student number. Empty without one.
    pub number: String,
    /// What her PIN is checked with, where the centre sent it.
    pub pin: Option<[u8; 32]>,
}

impl fmt::Debug for Attendee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attendee(<name hidden>)")
    }
}

/// The site's plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SitePlan {
    /// Its lessons with their rosters.
    pub plans: Vec<Plan>,
    /// Who is who, as far as the plan says it.
    pub people: BTreeMap<PersonId, Attendee>,
    /// What the times of roll calls follow from: 32 bytes that nobody in the room knows. Absent: each
    /// start of the terminal makes its own, and the times cannot be computed afterwards.
    pub spot_seed: Option<[u8; 32]>,
    /// Roll calls that were ordered here lately.
    pub orders: Vec<Ordered>,
    /// Who of them teaches.
    pub teachers: BTreeSet<PersonId>,
    /// When lessons are forbidden here.
    pub suspensions: Vec<Suspension>,
    /// The version of the dispatch that it comes from.
    pub version: Option<u64>,
    /// Until when it is to be believed; a file's has no end.
    pub expires: Option<Timestamp>,
    /// The policy profile that the centre put into force; else the configuration's.
    pub policy: Option<Arc<Policy>>,
}

impl SitePlan {
    /// What the times of roll calls follow from.
    pub fn seed(&self) -> [u8; 32] {
        self.spot_seed.unwrap_or_else(chance::random_bytes)
    }

    /// Whether the centre should have sent another one by now. It is still worked by.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether a status forbids lessons here now, or this lesson.
    pub fn is_suspended(&self, now: Timestamp, lesson: Option<&Lesson>) -> bool {
        self.suspensions.iter().any(|suspension| suspension.holds(now, lesson))
    }

    /// Whose card or number this is.
    pub fn holder(&self, number: &str) -> Option<PersonId> {
        let held = |attendee: &Attendee| !number.is_empty() && attendee.number == number;
        self.people.iter().find(|(_, attendee)| held(attendee)).map(|(person, _)| *person)
    }

    /// All names as a public screen may show them.
    pub fn masked_names(&self) -> BTreeMap<PersonId, String> {
        self.people.iter().map(|(person, who)| (*person, masked_name(&who.name))).collect()
    }

    /// Her name as a public screen may show it.
    pub fn masked_name(&self, person: &PersonId) -> Option<String> {
        self.people.get(person).map(|attendee| masked_name(&attendee.name))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    id: ClassId,
    people: BTreeSet<PersonId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLesson {
    id: LessonId,
    class: ClassId,
    starts: String,
    ends: String,
}

fn seed_of(text: &str) -> Result<[u8; 32], PlanError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(PlanError::Seed)
}

/// Parses a plan.
///
/// ```toml
/// site = "huaxin-1"
/// spot_seed = "64 hexadecimal digits"          # times of roll calls; may be left out
/// [[class]]
/// id = "cook-a"
/// people = ["0123456789abcdef0123456789abcdef"]
/// [[lesson]]
/// id = "cook-a-0302-1"
/// class = "cook-a"
/// starts = "2026-03-02 08:30"
/// ends = "2026-03-02 11:30"
/// [[person]]                                   # what the screen calls her; may be left out
/// id = "0123456789abcdef0123456789abcdef"
/// name = "李娜"
/// number = "20260001"                          # on her card, or typed; may be left out
/// ```
pub(super) fn parse(text: &str) -> Result<SitePlan, PlanError> {
    let File { site, spot_seed, classes, lessons, people: raw } = toml::from_str(text)?;
    let spot_seed = spot_seed.as_deref().map(seed_of).transpose()?;
    let mut people = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for RawPerson { id, name, number } in raw {
        if !number.is_empty() && !numbers.insert(number.clone()) {
            return Err(PlanError::Twice { name: format!("the number {number}") });
        }
        if people.insert(id, Attendee { name, number, pin: None }).is_some() {
            return Err(PlanError::Twice {
                name: format!("the person {}", HEXLOWER.encode(&id.0)),
            });
        }
    }
    let mut rosters = BTreeMap::new();
    for Class { id, people } in classes {
        let name = id.to_string();
        if rosters.insert(id, people).is_some() {
            return Err(PlanError::Twice { name });
        }
    }
    let mut seen = BTreeSet::new();
    let mut plans = Vec::new();
    for RawLesson { id, class, starts, ends } in lessons {
        let time = |text: &str| {
            Timestamp::parse_shanghai(text)
                .map_err(|source| PlanError::Time { lesson: id.clone(), source })
        };
        let (starts, ends) = (time(&starts)?, time(&ends)?);
        if ends <= starts {
            return Err(PlanError::Backwards { lesson: id });
        }
        if !seen.insert(id.clone()) {
            return Err(PlanError::Twice { name: id.to_string() });
        }
        let Some(roster) = rosters.get(&class).cloned() else {
            return Err(PlanError::Class { lesson: id, class });
        };
        let lesson = Lesson { id, class, site: site.clone(), starts, ends };
        plans.push(Plan { lesson, roster });
    }
    Ok(SitePlan { plans, people, spot_seed, ..SitePlan::default() })
}
