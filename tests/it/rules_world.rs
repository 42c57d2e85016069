//! Not tests: two schools with people of whom the centre knows who they are, for the tests of what holds for people
//! and institutions for life.

use std::collections::HashMap;

use rollcall::domain::{
    Bilingual, Claim, ClaimLine, ClassPlan, Committed, Employment, Fact, Fund, Held, HeldKind,
    Joined, Lesson, LessonDetails, LessonKind, LessonMode, Level, Limit, PersonId, Policy,
    Qualification, State, Status, Subject, Target, Teacher,
};
use rollcall::ledger::{Body, Entry};
use rollcall::record::Opening;
use rollcall::rules::hours::Hours;
use rollcall::rules::limits::{Limits, Objection};

use crate::rules_scene::{ANN, Scene, at, comes, leaves};

/// A scene with people of whom the centre knows who they are.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) people: HashMap<Committed, PersonId>,
}

/// A class plan of so many hours, with so many of practice and online.
#[derive(Clone, Copy)]
pub(crate) struct Taught {
    pub(crate) occupation: &'static str,
    pub(crate) level: Level,
    pub(crate) hours: [u32; 3],
    pub(crate) target: Target,
}

pub(crate) const WELDER: Taught = Taught {
    occupation: "焊工",
    level: Level::Junior,
    hours: [240, 160, 0],
    target: Target::OnTheJob,
};

impl World {
    pub(crate) fn new() -> Self {
        Self { scene: Scene::two_towns(), people: HashMap::new() }
    }

    /// Her commitment in one scope, known to the centre.
    pub(crate) fn who(&mut self, scope: &str, person: PersonId) -> Committed {
        let mut salt = [0; 32];
        salt[..scope.len()].copy_from_slice(scope.as_bytes());
        let commitment = Opening { salt, person }.commitment().0;
        self.people.insert(commitment, person);
        commitment
    }

    pub(crate) fn class(
        &mut self,
        time: &str,
        id: &str,
        institution: &str,
        taught: Taught,
        persons: u32,
    ) {
        let [hours, practice, online] = taught.hours;
        self.scene.state(
            time,
            Fact::Class {
                id: id.parse().unwrap(),
                institution: institution.parse().unwrap(),
                name: Bilingual::new("某班", id),
                persons,
                roster: [0; 32],
            },
        );
        let plan = Fact::ClassPlan(ClassPlan {
            class: id.parse().unwrap(),
            project: "示例项目".into(),
            occupation: taught.occupation.into(),
            occupation_code: None,
            level: taught.level,
            starts: at(time),
            ends: at(time),
            hours,
            hours_practice: Some(practice),
            hours_online: Some(online),
            target: taught.target,
        });
        self.scene.state(time, plan);
    }

    pub(crate) fn joins(&mut self, time: &str, class: &str, person: PersonId) -> Committed {
        let member = self.who(class, person);
        let class = class.parse().unwrap();
        self.scene.state(time, Fact::Joined(Joined { class, member }));
        member
    }

    pub(crate) fn lesson(&mut self, told: &str, class: &str, [id, site, starts, ends]: [&str; 4]) {
        self.scene.state(
            told,
            Fact::Lesson(Lesson {
                id: id.parse().unwrap(),
                class: class.parse().unwrap(),
                site: site.parse().unwrap(),
                starts: at(starts),
                ends: at(ends),
            }),
        );
    }

    pub(crate) fn held_as(&mut self, told: &str, lesson: &str, kind: LessonKind, mode: LessonMode) {
        let (kind, mode) = (Some(kind), Some(mode));
        let lesson = lesson.parse().unwrap();
        self.scene
            .state(told, Fact::LessonDetails(LessonDetails { lesson, teacher: None, kind, mode }));
    }

    /// A claim for these people of a class, with their hours.
    pub(crate) fn claims(&mut self, time: &str, id: &str, class: &str, lines: &[(PersonId, u32)]) {
        self.scene.state(
            time,
            Fact::Claim(Claim {
                id: id.parse().unwrap(),
                institution: "jinjiang".parse().unwrap(),
                class: class.parse().unwrap(),
                persons: u32::try_from(lines.len()).unwrap(),
                hours: lines.iter().map(|(_, hours)| hours).sum(),
                amount_fen: 150_000,
                basis: "示例标准".into(),
            }),
        );
        for (person, hours) in lines {
            let member = self.who(class, *person);
            let (claim, hours) = (id.parse().unwrap(), *hours);
            let line = ClaimLine { claim, member, hours, amount_fen: 150_000 };
            self.scene.state(time, Fact::ClaimLine(line));
        }
    }

    pub(crate) fn holds(
        &mut self,
        time: &str,
        id: &str,
        person: PersonId,
        kind: HeldKind,
        level: Level,
    ) {
        let person = self.who(id, person);
        let fund = (kind == HeldKind::Subsidy).then_some(Fund::EmploymentFund);
        self.scene.state(
            time,
            Fact::Held(Held {
                id: id.parse().unwrap(),
                person,
                kind,
                occupation: "焊工".into(),
                occupation_code: None,
                level,
                on: at("01-10 00:00"),
                fund,
                class: None,
                source: "示例系统".into(),
            }),
        );
    }

    pub(crate) fn teaches(
        &mut self,
        time: &str,
        [id, school]: [&str; 2],
        who: PersonId,
        how: Employment,
    ) {
        self.engages(time, [id, school], who, how, Qualification::Trade);
    }

    pub(crate) fn engages(
        &mut self,
        time: &str,
        [id, institution]: [&str; 2],
        who: PersonId,
        employment: Employment,
        qualification: Qualification,
    ) {
        let person = self.who(id, who);
        let (id, institution) = (id.parse().unwrap(), institution.parse().unwrap());
        let teacher = Teacher { id, institution, person, employment, qualification };
        self.scene.state(time, Fact::Teacher(teacher));
    }

    pub(crate) fn decides(&mut self, time: &str, claim: &str, state: State) {
        let of = Subject::Claim(claim.parse().unwrap());
        let from = at(time);
        self.scene.state(time, Fact::Status(Status { of, state, from, until: None, basis: None }));
    }

    /// What a profile's limits say of it.
    pub(crate) fn look<T>(&self, profile: &str, at: impl Fn(&Limits<'_>) -> T) -> T {
        self.look_by(Policy::shipped(profile).unwrap(), at)
    }

    pub(crate) fn look_by<T>(&self, policy: Policy, at: impl Fn(&Limits<'_>) -> T) -> T {
        let class = |entry: &Entry| {
            let Body::Fact(Fact::Class { id, .. }) = &entry.body else { return None };
            Some(id.clone())
        };
        let classes = self.scene.entries().iter().filter_map(class);
        let mut hours = Hours::of_all(classes, policy);
        self.scene.entries().iter().for_each(|entry| hours.take(entry));
        at(&Limits::new(&hours, &self.people))
    }

    pub(crate) fn claim(&self, profile: &str, id: &str) -> Vec<Objection> {
        self.look(profile, |limits| {
            let mut all = limits.claim(&id.parse().unwrap());
            // No terminal tells anything here: the hours are another test's matter.
            all.retain(|it| !matches!(it.limit, Limit::HoursBeyondLedger | Limit::HoursUnproven));
            all
        })
    }

    pub(crate) fn limits_of(&self, profile: &str, claim: &str) -> Vec<Limit> {
        self.claim(profile, claim).iter().map(|it| it.limit).collect()
    }

    pub(crate) fn of_class(&self, profile: &str, class: &str) -> Vec<(Limit, u32, u32)> {
        let all = self.look(profile, |limits| limits.class(&class.parse().unwrap()));
        all.iter().map(|it| (it.limit, it.found, it.allowed)).collect()
    }

    pub(crate) fn of_school(&self, profile: &str, id: &str) -> Vec<(Limit, u32, u32)> {
        let all = self.look(profile, |limits| limits.institution(&id.parse().unwrap()));
        all.iter().map(|it| (it.limit, it.found, it.allowed)).collect()
    }
}

/// A class whose morning is offline and whose afternoon is online; she is in both, so long offline.
pub(crate) fn two_modes(leaves_at: &str) -> World {
    let mut world = World::new();
    world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 2);
    world.held_as("03-01 20:00", "cd-am", LessonKind::Practice, LessonMode::Offline);
    world.held_as("03-01 20:00", "cd-pm", LessonKind::Theory, LessonMode::Online);
    world.scene.add(comes("cd-1", "03-02 08:25", ANN).lesson("cd-am"));
    world.scene.add(leaves("cd-1", &format!("03-02 {leaves_at}"), ANN).lesson("cd-am"));
    world.scene.add(comes("cd-1", "03-02 13:55", ANN).lesson("cd-pm"));
    world.scene.add(leaves("cd-1", "03-02 17:05", ANN).lesson("cd-pm"));
    world.scene.state("03-20 08:00", Fact::Tick);
    world
}
