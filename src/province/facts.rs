//! What an institution has on paper, as facts that the centre states before they are needed: itself, its
//! sites and terminals, its classes with plans and rosters by commitment, its lessons, as they are
//! registered or registered again.

use super::calendar::{MINUTE_MS, at, plus_days};
use super::coming::{Coming, What};
use super::customs;
use super::device::record_key;
use super::dice::{Dice, named};
use super::school::{Class, School, TRADES, id};
use crate::domain::{
    Bilingual, ClassPlan, Employment, Fact, InstitutionDetails, Joined, LeaveReason, Left,
    LessonDetails, LessonKind, LessonMode, Level, Ownership, PersonId, Qualification,
    ROSTER_BY_MEMBERS, State, Status, Subject, Target, Teacher, TeacherId, Timestamp,
};
use crate::record::Opening;
use jiff::civil::Date;

/// All facts of an institution, by their time.
pub(super) fn all(seed: u64, school: &School, first: Date) -> Vec<Coming> {
    let dice = &mut Dice::of(seed, &format!("facts {}", school.no));
    let begins = at(plus_days(first, -6), 9 * 60).plus_ms(i64::from(school.no) * 700);
    let mut all = vec![(begins, itself(seed, school, begins))];
    for class in &school.classes {
        all.push((class.opened, opening(seed, school, class)));
        let mut lessons: Vec<(Timestamp, Vec<Fact>)> = Vec::new();
        for planned in &class.lessons {
            for (n, (told, lesson)) in planned.registered.iter().enumerate() {
                let mut facts = vec![Fact::Lesson(lesson.clone())];
                if n == 0 {
                    facts.push(Fact::LessonDetails(LessonDetails {
                        lesson: lesson.id.clone(),
                        teacher: Some(teacher_id(school)),
                        kind: Some(dice.pick(&[LessonKind::Theory, LessonKind::Practice])),
                        mode: Some(LessonMode::Offline),
                    }));
                }
                lessons.push((*told, facts));
            }
        }
        lessons.sort_by_key(|(told, _)| *told);
        all.extend(lessons);
        all.extend(left(seed, class, dice));
    }
    all.sort_by_key(|(told, _)| *told);
    all.into_iter().map(|(at, facts)| Coming { at, what: What::Facts(facts) }).collect()
}

fn teacher_id(school: &School) -> TeacherId {
    id(&format!("{}-w1", school.id))
}

fn itself(seed: u64, school: &School, begins: Timestamp) -> Vec<Fact> {
    let status = |state| {
        let of = Subject::Institution(school.id.clone());
        Fact::Status(Status { of, state, from: begins, until: None, basis: None })
    };
    let mut facts = vec![
        Fact::Institution { id: school.id.clone(), name: school.name.clone() },
        Fact::InstitutionDetails(InstitutionDetails {
            institution: school.id.clone(),
            credit_code: None,
            ownership: Some(Ownership::Private),
            area: Some("510000".to_owned()),
        }),
        status(State::Listed),
    ];
    for site in &school.sites {
        facts.push(Fact::Site {
            id: site.id.clone(),
            institution: school.id.clone(),
            name: site.name.clone(),
            town: site.town.clone(),
            place: site.place,
        });
    }
    for it in &school.boxes {
        facts.push(Fact::Terminal {
            id: it.id.clone(),
            site: school.sites[it.site].id.clone(),
            key: record_key(seed, &it.id).verifying_key().to_bytes(),
        });
    }
    facts.push(Fact::Teacher(Teacher {
        id: teacher_id(school),
        institution: school.id.clone(),
        person: commitment(seed, teacher_id(school).as_str(), school.teacher),
        employment: Employment::FullTime,
        qualification: Qualification::Trade,
    }));
    facts
}

/// A commitment whose salt follows from the seed.
fn commitment(seed: u64, scope: &str, person: PersonId) -> [u8; 32] {
    let salt = named(seed, "salt", &format!("{scope} {person}"));
    Opening { salt, person }.commitment().0
}

fn opening(seed: u64, school: &School, class: &Class) -> Vec<Fact> {
    let (zh, en, code) = TRADES[class.trade];
    let hours: i64 = class
        .lessons
        .iter()
        .map(|it| it.lesson.ends.ms_since(it.lesson.starts) / (45 * MINUTE_MS))
        .sum();
    let mut facts = vec![
        Fact::Class {
            id: class.id.clone(),
            institution: school.id.clone(),
            name: Bilingual::new(format!("{zh}（{}）", class.id), format!("{en}, {}", class.id)),
            persons: u32::try_from(class.roster.len()).unwrap_or(0),
            roster: ROSTER_BY_MEMBERS,
        },
        Fact::ClassPlan(ClassPlan {
            class: class.id.clone(),
            project: "made-2026".to_owned(),
            occupation: zh.to_owned(),
            occupation_code: Some(code.to_owned()),
            level: Level::Junior,
            starts: at(class.first, 0),
            ends: at(class.last, 0),
            hours: u32::try_from(hours).unwrap_or(0),
            hours_practice: None,
            hours_online: None,
            target: Target::Employment,
        }),
        Fact::Status(Status {
            of: Subject::Class(class.id.clone()),
            state: State::Opened,
            from: class.opened,
            until: None,
            basis: None,
        }),
    ];
    for person in &class.roster {
        let member = commitment(seed, class.id.as_str(), person.id);
        facts.push(Fact::Joined(Joined { class: class.id.clone(), member }));
    }
    facts
}

/// Who leaves the roster: for good, or to come back on it under a name that is written otherwise.
fn left(seed: u64, class: &Class, dice: &mut Dice) -> Vec<(Timestamp, Vec<Fact>)> {
    let mut all = Vec::new();
    for person in &class.roster {
        let member = commitment(seed, class.id.as_str(), person.id);
        let leaves = |reason| Fact::Left(Left { class: class.id.clone(), member, reason });
        if let Some(day) = person.leaves {
            all.push((at(day, 8 * 60), vec![leaves(LeaveReason::Withdrawn)]));
        } else if dice.happens(customs::ROSTER_CORRECTION) {
            let again = commitment(seed, &format!("{} again", class.id), person.id);
            let joins = Fact::Joined(Joined { class: class.id.clone(), member: again });
            let day = plus_days(class.first, dice.between(1, 5));
            all.push((at(day, 17 * 60 + 40), vec![leaves(LeaveReason::Mistaken), joins]));
        }
    }
    all
}
