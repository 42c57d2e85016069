//! The site's plan: which lessons are held here, and who may attend them. A file for now; later it
//! comes from the centre, signed and encrypted to the terminal.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::checkin::Plan;
use crate::domain::{ClassId, Lesson, LessonId, PersonId, SiteId, TimeError, Timestamp};

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
    /// Two lessons or classes of one name.
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
    #[serde(default, rename = "class")]
    classes: Vec<Class>,
    #[serde(default, rename = "lesson")]
    lessons: Vec<RawLesson>,
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

/// Parses a plan.
///
/// ```toml
/// site = "huaxin-1"
/// [[class]]
/// id = "cook-a"
/// people = ["0123456789abcdef0123456789abcdef"]
/// [[lesson]]
/// id = "cook-a-0302-1"
/// class = "cook-a"
/// starts = "2026-03-02 08:30"
/// ends = "2026-03-02 11:30"
/// ```
pub(super) fn parse(text: &str) -> Result<Vec<Plan>, PlanError> {
    let File { site, classes, lessons } = toml::from_str(text)?;
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
    Ok(plans)
}
