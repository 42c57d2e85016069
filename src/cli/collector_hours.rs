//! `rollcall collector hours`: whose hours of a class count, and why others do not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::collector::{ConfigArg, Told, config_failed, load, store};
use super::collector_sheet::people_failed;
use super::report::{Exit, Report};
use crate::collector::limits::fold;
use crate::collector::people::People;
use crate::domain::{ClassId, Lesson, PersonId};
use crate::ledger::ReadError;
use crate::rules::hours::{Attended, Hours, Unseen};

pub(super) fn hours(config: &ConfigArg, class: &ClassId, json: bool) -> Told {
    let config = load(config)?;
    let policy = config.policy().map_err(config_failed)?;
    let read = |error: ReadError| (Exit::Environment, Report::of(&error, "look at the disk"));
    let ledger = store(&config)?.read_ledger().map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at [store] and the folder"))
    })?;
    let hours = fold(&*ledger, [class.clone()], policy).map_err(read)?;
    if hours.registry().class(class).is_none() {
        let what = format!("could not count the hours of {class}");
        let because = "the ledger knows no such class";
        let hint = "`rollcall collector class list` shows all";
        return Err((Exit::Usage, Report::new(what, because, hint)));
    }
    let people = match People::are_in(&config.data_dir) {
        true => Some(People::open(&config.data_dir).map_err(|error| people_failed(&error))?),
        false => None,
    };
    let roll = Roll::of(&hours, class, people)?;
    let mut attended: BTreeMap<_, Vec<Attended>> = BTreeMap::new();
    for stay in hours.attended() {
        attended.entry(stay.lesson.clone()).or_default().push(stay);
    }
    let mut lessons = Vec::new();
    for announced in hours.lessons() {
        let lesson = &announced.lesson;
        let stays = attended.remove(&lesson.id).unwrap_or_default();
        match json {
            true => lessons.push(roll.json(&hours, lesson, &stays)),
            false => roll.tell(&hours, lesson, &stays),
        }
    }
    if json {
        say!("{:#}", Value::Array(lessons));
    }
    Ok(())
}

/// Who is on the roster, as far as the centre knows who they are.
struct Roll {
    people: Option<People>,
    expected: BTreeSet<PersonId>,
}

impl Roll {
    fn of(hours: &Hours, class: &ClassId, people: Option<People>) -> Told<Self> {
        let mut expected = BTreeSet::new();
        if let Some(people) = &people {
            for (member, membership) in hours.registry().roster(class) {
                let opening = people.behind(member).map_err(|error| people_failed(&error))?;
                expected.extend(
                    opening.filter(|_| membership.left.is_none()).map(|opening| opening.person),
                );
            }
        }
        Ok(Self { people, expected })
    }

    /// Masked, where her name is known; else the beginning of her id.
    fn name(&self, person: &PersonId) -> String {
        People::called(self.people.as_ref(), person)
    }

    fn unseen(&self, stays: &[Attended]) -> BTreeSet<PersonId> {
        let seen: BTreeSet<_> = stays.iter().map(|stay| stay.person).collect();
        self.expected.difference(&seen).copied().collect()
    }

    fn tell(&self, hours: &Hours, lesson: &Lesson, stays: &[Attended]) {
        say!("{}  {} – {}", lesson.id, lesson.starts, lesson.ends);
        for stay in stays {
            let name = self.name(&stay.person);
            let minutes = stay.minutes.map_or("—".into(), |minutes| minutes.to_string());
            if stay.reasons.is_empty() {
                say!("  {name}  计入 {minutes} 分钟 counts, {minutes} min");
            } else {
                let texts: Vec<_> = stay.reasons.iter().map(|reason| reason.text()).collect();
                let zh = texts.iter().map(|text| text.zh.as_str()).collect::<Vec<_>>().join("、");
                let en = texts.iter().map(|text| text.en.as_str()).collect::<Vec<_>>().join("; ");
                say!("  {name}  不计（{minutes} 分钟）：{zh} does not count: {en}");
            }
        }
        for person in self.unseen(stays) {
            let name = self.name(&person);
            match hours.unseen(lesson) {
                Unseen::Unknown => {
                    say!("  {name}  未知：终端尚未报齐 unknown: terminals may still report")
                }
                Unseen::Absent => say!("  {name}  未到 not seen"),
            }
        }
    }

    fn json(&self, hours: &Hours, lesson: &Lesson, stays: &[Attended]) -> Value {
        let seen = stays.iter().map(|stay| {
            json!({
                "person": stay.person,
                "name": self.name(&stay.person),
                "minutes": stay.minutes,
                "counted_minutes": stay.counted(),
                "reasons": stay.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>(),
                "entries": stay.evidence,
            })
        });
        let unseen = match hours.unseen(lesson) {
            Unseen::Unknown => "unknown",
            Unseen::Absent => "absent",
        };
        let others = self.unseen(stays);
        let others = others.iter().map(
            |person| json!({ "person": person, "name": self.name(person), "standing": unseen }),
        );
        json!({
            "lesson": lesson.id,
            "starts": lesson.starts.to_string(),
            "ends": lesson.ends.to_string(),
            "attended": seen.collect::<Vec<_>>(),
            "not_seen": others.collect::<Vec<_>>(),
        })
    }
}
