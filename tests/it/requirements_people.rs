//! The demands of the policies on people and institutions (docs/requirements.md), each by the number of its row:
//! what bars a subsidy for life, whose hours are claimed, who teaches, and who is moved from school to school.

use std::collections::HashMap;

use rollcall::domain::{
    AnomalyKind, Bilingual, Claim, ClaimLine, ClassPlan, Committed, Employment, Fact, Fund, Held,
    HeldKind, InstitutionDetails, Joined, Lesson, LessonDetails, LessonKind, LessonMode, Level,
    Limit, Modality, Objected, Ownership, PersonId, Policy, Qualification, Severity, State, Status,
    Subject, Target, Teacher, Timestamp,
};
use rollcall::record::Opening;
use rollcall::rules::hours::Hours;
use rollcall::rules::limits::{Limits, Objection, Rest, stated};

use crate::rules_scene::{ANN, BEA, Scene, at, comes, leaves, says};

/// A scene with people of whom the centre knows who they are.
#[derive(Clone)]
struct World {
    scene: Scene,
    people: HashMap<Committed, PersonId>,
}

/// A class plan of so many hours, with so many of practice and online.
#[derive(Clone, Copy)]
struct Taught {
    occupation: &'static str,
    level: Level,
    hours: [u32; 3],
    target: Target,
}

const WELDER: Taught = Taught {
    occupation: "焊工",
    level: Level::Junior,
    hours: [240, 160, 0],
    target: Target::OnTheJob,
};

impl World {
    fn new() -> Self {
        Self { scene: Scene::two_towns(), people: HashMap::new() }
    }

    /// Her commitment in one scope, known to the centre.
    fn who(&mut self, scope: &str, person: PersonId) -> Committed {
        let mut salt = [0; 32];
        salt[..scope.len()].copy_from_slice(scope.as_bytes());
        let commitment = Opening { salt, person }.commitment().0;
        self.people.insert(commitment, person);
        commitment
    }

    fn class(&mut self, time: &str, id: &str, institution: &str, taught: Taught, persons: u32) {
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

    fn joins(&mut self, time: &str, class: &str, person: PersonId) -> Committed {
        let member = self.who(class, person);
        let class = class.parse().unwrap();
        self.scene.state(time, Fact::Joined(Joined { class, member }));
        member
    }

    fn lesson(&mut self, told: &str, class: &str, [id, site, starts, ends]: [&str; 4]) {
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

    fn held_as(&mut self, told: &str, lesson: &str, kind: LessonKind, mode: LessonMode) {
        let (kind, mode) = (Some(kind), Some(mode));
        let lesson = lesson.parse().unwrap();
        self.scene
            .state(told, Fact::LessonDetails(LessonDetails { lesson, teacher: None, kind, mode }));
    }

    /// A claim for these people of a class, with their hours.
    fn claims(&mut self, time: &str, id: &str, class: &str, lines: &[(PersonId, u32)]) {
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

    fn holds(&mut self, time: &str, id: &str, person: PersonId, kind: HeldKind, level: Level) {
        let person = self.who(id, person);
        let fund = (kind == HeldKind::Subsidy).then_some(Fund::Employment);
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

    fn teaches(&mut self, time: &str, [id, school]: [&str; 2], who: PersonId, how: Employment) {
        self.engages(time, [id, school], who, how, Qualification::Trade);
    }

    fn engages(
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

    fn decides(&mut self, time: &str, claim: &str, state: State) {
        let of = Subject::Claim(claim.parse().unwrap());
        let from = at(time);
        self.scene.state(time, Fact::Status(Status { of, state, from, until: None, basis: None }));
    }

    /// What a profile's limits say of it.
    fn look<T>(&self, profile: &str, at: impl Fn(&Limits<'_>) -> T) -> T {
        let registry = self.scene.entries().iter().filter_map(|entry| match &entry.body {
            rollcall::ledger::Body::Fact(Fact::Class { id, .. }) => Some(id.clone()),
            _ => None,
        });
        let mut hours = Hours::of_all(registry, Policy::shipped(profile).unwrap());
        self.scene.entries().iter().for_each(|entry| hours.take(entry));
        at(&Limits::new(&hours, &self.people))
    }

    fn claim(&self, profile: &str, id: &str) -> Vec<Objection> {
        self.look(profile, |limits| {
            let mut all = limits.claim(&id.parse().unwrap());
            // No terminal tells anything here: the hours are another test's matter.
            all.retain(|it| !matches!(it.limit, Limit::HoursBeyondLedger | Limit::HoursUnproven));
            all
        })
    }

    fn limits_of(&self, profile: &str, claim: &str) -> Vec<Limit> {
        self.claim(profile, claim).iter().map(|it| it.limit).collect()
    }

    fn of_class(&self, profile: &str, class: &str) -> Vec<(Limit, u32, u32)> {
        let all = self.look(profile, |limits| limits.class(&class.parse().unwrap()));
        all.iter().map(|it| (it.limit, it.found, it.allowed)).collect()
    }

    fn of_school(&self, profile: &str, id: &str) -> Vec<(Limit, u32, u32)> {
        let all = self.look(profile, |limits| limits.institution(&id.parse().unwrap()));
        all.iter().map(|it| (it.limit, it.found, it.allowed)).collect()
    }
}

// ---- Subsidies of one person ------------------------------------------------------------------

#[test]
fn he_6_the_same_occupation_and_level_is_subsidised_once_skill_subsidies_included() {
    let mut world = World::new();
    world.class("03-02 08:00", "a", "jinjiang", WELDER, 2);
    world.class("03-02 08:00", "b", "fucheng", WELDER, 2);
    let higher = Taught { level: Level::Intermediate, ..WELDER };
    world.class("03-02 08:00", "c", "fucheng", higher, 2);
    world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0)]);
    world.claims("03-04 08:00", "claim-b", "b", &[(ANN, 0), (BEA, 0)]);
    world.claims("03-05 08:00", "claim-c", "c", &[(ANN, 0)]);
    assert_eq!(world.claim("hebei-2024", "claim-a"), [], "the earlier claim stands");
    let objections = world.claim("hebei-2024", "claim-b");
    assert_eq!(objections.len(), 1, "Bea has no other: {objections:?}");
    let it = &objections[0];
    assert_eq!((it.limit, it.found, it.allowed), (Limit::OccupationLevel, 2, 1));
    assert_eq!((it.clause.as_deref(), it.modality), (Some("十二"), Modality::Hard));
    assert_eq!(world.people[&it.member.unwrap()], ANN, "another commitment, the same person");
    assert_eq!(it.rests_on, [Rest::Claim("claim-a".parse().unwrap())]);
    assert_eq!(it.why().zh, "连同本次，同一职业同一等级的补贴为 2 次，限 1 次（含技能提升补贴）");
    assert_eq!(world.limits_of("hebei-2024", "claim-c"), [], "a higher level may follow");

    // Where the text is silent, so is the check; and a claim that was rejected drew nothing.
    assert_eq!(world.limits_of("sichuan-2025", "claim-b"), []);
    let mut rejected = world.clone();
    rejected.decides("03-06 08:00", "claim-a", State::Rejected);
    assert_eq!(rejected.limits_of("hebei-2024", "claim-b"), []);

    // A skill subsidy of an insured employee counts; her certificate of the level alone does not.
    for (kind, expected) in
        [(HeldKind::SkillSubsidy, vec![Limit::OccupationLevel]), (HeldKind::Certificate, vec![])]
    {
        let mut world = World::new();
        world.holds("03-02 07:00", "held-1", ANN, kind, Level::Junior);
        world.class("03-02 08:00", "a", "jinjiang", WELDER, 2);
        let member = world.joins("03-02 09:00", "a", ANN);
        world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0)]);
        assert_eq!(world.limits_of("hebei-2024", "claim-a"), expected);
        // Who enters the roster is warned of the same; nothing keeps her from attending.
        let warned = world.look("hebei-2024", |it| it.member(&"a".parse().unwrap(), member));
        let warned: Vec<_> =
            warned.iter().map(|it| it.limit).filter(|it| *it == Limit::OccupationLevel).collect();
        assert!(warned == expected || kind == HeldKind::Certificate, "{warned:?}");
    }
}

#[test]
fn he_6_after_a_higher_certificate_no_lower_level_of_the_occupation_is_subsidised() {
    let claimed = |held: Level, taught: Level, occupation: &'static str| {
        let mut world = World::new();
        world.holds("03-02 07:00", "held-1", ANN, HeldKind::Certificate, held);
        let taught = Taught { level: taught, occupation, ..WELDER };
        world.class("03-02 08:00", "a", "jinjiang", taught, 2);
        world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0), (BEA, 0)]);
        world
    };
    let world = claimed(Level::Intermediate, Level::Junior, "焊工");
    let objections = world.claim("hebei-2024", "claim-a");
    assert_eq!(objections.len(), 1);
    assert_eq!((objections[0].limit, objections[0].is_hard()), (Limit::LowerLevel, true));
    assert_eq!(objections[0].rests_on, [Rest::Held("held-1".parse().unwrap())]);
    assert_eq!(world.limits_of("hubei-2022", "claim-a"), [], "Hubei does not bar lower levels");
    let same = claimed(Level::Intermediate, Level::Intermediate, "焊工");
    assert_eq!(same.limits_of("hebei-2024", "claim-a"), []);
    let other = claimed(Level::Intermediate, Level::Junior, "厨师");
    assert_eq!(other.limits_of("hebei-2024", "claim-a"), []);
}

/// Four classes of different occupations in one year, and a fifth in the next.
fn four_subsidies(target: Target) -> World {
    let mut world = World::new();
    let mut months = ["03", "05", "07", "09"].into_iter();
    for (n, occupation) in ["焊工", "钳工", "厨师", "电工"].into_iter().enumerate() {
        let month = months.next().unwrap();
        let taught = Taught { occupation, target, ..WELDER };
        world.class(&format!("{month}-02 08:00"), &format!("k-{n}"), "jinjiang", taught, 1);
        let (claim, class) = (format!("claim-{n}"), format!("k-{n}"));
        world.claims(&format!("{month}-20 08:00"), &claim, &class, &[(ANN, 0)]);
    }
    world
}

#[test]
fn cc_2_a_fourth_subsidy_in_a_year_is_warned_of_in_principle_and_the_third_is_not() {
    let world = four_subsidies(Target::OnTheJob);
    assert_eq!(world.limits_of("changchun-2019", "claim-2"), []);
    let objections = world.claim("changchun-2019", "claim-3");
    assert_eq!(objections.len(), 1);
    let it = &objections[0];
    assert_eq!((it.limit, it.found, it.allowed), (Limit::SubsidiesPerYear, 4, 3));
    assert_eq!((it.clause.as_deref(), it.modality), (Some("四(二)"), Modality::Soft));
    let policy = Policy::shipped("changchun-2019").unwrap();
    assert_eq!(stated(&objections, &policy), [], "what is no more than a principle accuses nobody");
    // The same occupation and level again is barred.
    let mut world = World::new();
    world.class("03-02 08:00", "a", "jinjiang", WELDER, 1);
    world.class("03-02 08:00", "b", "fucheng", WELDER, 1);
    world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0)]);
    world.claims("03-03 08:00", "claim-b", "b", &[(ANN, 0)]);
    let objections = world.claim("changchun-2019", "claim-b");
    assert_eq!((objections[0].limit, objections[0].is_hard()), (Limit::OccupationLevel, true));
}

#[test]
fn hb_3_three_subsidies_a_year_one_of_them_from_the_employment_fund_are_all() {
    let world = four_subsidies(Target::OnTheJob);
    assert_eq!(world.limits_of("hubei-2022", "claim-2"), []);
    let objections = world.claim("hubei-2022", "claim-3");
    assert_eq!((objections[0].limit, objections[0].is_hard()), (Limit::SubsidiesPerYear, true));
    let world = four_subsidies(Target::Employment);
    assert_eq!(world.limits_of("hubei-2022", "claim-0"), []);
    let second = world.claim("hubei-2022", "claim-1");
    assert_eq!(second.len(), 1);
    let it = &second[0];
    assert_eq!((it.limit, it.found, it.allowed), (Limit::EmploymentFundPerYear, 2, 1));
    assert_eq!((it.clause.as_deref(), it.is_hard()), (Some("二(一)"), true));
    // One that was drawn elsewhere counts as well.
    let mut world = World::new();
    world.holds("03-01 20:00", "held-1", ANN, HeldKind::Subsidy, Level::Senior);
    let taught = Taught { target: Target::Entrepreneurship, ..WELDER };
    world.class("03-02 08:00", "a", "jinjiang", taught, 1);
    world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0)]);
    assert_eq!(world.limits_of("hubei-2022", "claim-a"), [Limit::EmploymentFundPerYear]);
}

/// The year of the texts is the operator's: the calendar's in the shipped profiles.
#[test]
fn a_new_year_begins_with_the_calendar_or_after_twelve_months_as_the_operator_says() {
    let mut world = four_subsidies(Target::OnTheJob);
    world.class("09-30 08:00", "k-9", "jinjiang", Taught { occupation: "司机", ..WELDER }, 1);
    let january = Timestamp::parse_shanghai("2027-01-15 08:00").unwrap();
    let member = world.who("k-9", ANN);
    let mut hours = Hours::of_all([], Policy::shipped("hubei-2022").unwrap());
    world.scene.entries().iter().for_each(|entry| hours.take(entry));
    let index = u64::try_from(world.scene.entries().len()).unwrap();
    let body = rollcall::ledger::Body::Fact(Fact::Tick);
    let tick = rollcall::ledger::Entry { index, committed_at: january, body };
    hours.take(&tick);
    let projected = |hours: &Hours| {
        let limits = Limits::new(hours, &world.people);
        limits.member(&"k-9".parse().unwrap(), member).iter().map(|it| it.limit).collect::<Vec<_>>()
    };
    assert_eq!(projected(&hours), []);
    let text = Policy::shipped("hubei-2022").unwrap().text().replace(
        "[numbers.limit_year_is_rolling]\nvalue = false",
        "[numbers.limit_year_is_rolling]\nvalue = true",
    );
    let mut hours = Hours::of_all([], Policy::parse(&text, "rolling").unwrap());
    world.scene.entries().iter().for_each(|entry| hours.take(entry));
    hours.take(&tick);
    assert_eq!(projected(&hours), [Limit::SubsidiesPerYear]);
}

// ---- Hours, offline and online ----------------------------------------------------------------

/// A class whose morning is offline and whose afternoon is online; she is in both, so long offline.
fn two_modes(leaves_at: &str) -> World {
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

#[test]
fn he_5_offline_hours_are_half_at_least_in_the_plan_and_in_the_verified_hours() {
    let planned = |hours: [u32; 3]| {
        let mut world = World::new();
        world.class("03-02 08:00", "a", "jinjiang", Taught { hours, ..WELDER }, 2);
        world.of_class("hebei-2024", "a")
    };
    assert_eq!(planned([240, 160, 120]), [], "exactly half passes");
    assert_eq!(planned([240, 160, 121]), [(Limit::OfflineShare, 49, 50)]);
    assert_eq!(planned([240, 120, 200]), [], "half practice is not led by practice");
    let mut world = two_modes("11:35");
    world.claims("03-20 09:00", "claim-a", "welding-1", &[(ANN, 8)]);
    assert_eq!(world.limits_of("hebei-2024", "claim-a"), [], "180 of 360 minutes");
    let mut world = two_modes("11:29");
    world.claims("03-20 09:00", "claim-a", "welding-1", &[(ANN, 7)]);
    let objections = world.claim("hebei-2024", "claim-a");
    assert_eq!(objections.len(), 1);
    let it = &objections[0];
    assert_eq!((it.limit, it.found, it.allowed), (Limit::OfflineShare, 49, 50));
    assert_eq!((it.clause.as_deref(), it.is_hard()), (Some("七"), true));
    assert_eq!(world.limits_of("sichuan-2025", "claim-a"), []);
}

#[test]
fn hb_4_online_hours_are_theory_and_thirty_percent_at_most_but_for_entrepreneurship() {
    let planned = |hours: [u32; 3], target: Target| {
        let mut world = World::new();
        world.class("03-02 08:00", "a", "jinjiang", Taught { hours, target, ..WELDER }, 2);
        world.of_class("hubei-2022", "a")
    };
    assert_eq!(planned([100, 60, 30], Target::Employment), []);
    assert_eq!(planned([100, 60, 31], Target::Employment), [(Limit::OnlineShare, 31, 30)]);
    assert_eq!(planned([100, 60, 100], Target::Entrepreneurship), []);
    let practice = planned([100, 80, 25], Target::Employment);
    assert_eq!(practice, [(Limit::OnlinePractice, 5, 0)], "5 of them can be no theory");
    let mut world = World::new();
    world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 2);
    world.held_as("03-01 20:00", "cd-am", LessonKind::Practice, LessonMode::Online);
    world.held_as("03-01 20:00", "cd-pm", LessonKind::Theory, LessonMode::Online);
    assert_eq!(world.of_class("hubei-2022", "welding-1"), [(Limit::OnlinePractice, 1, 0)]);
    assert_eq!(world.of_class("guizhou", "welding-1"), []);
    // The condition (where nobody can train on site) is not known: it warns.
    let all = world.look("hubei-2022", |it| it.class(&"welding-1".parse().unwrap()));
    assert_eq!(all[0].modality, Modality::Soft);
}

#[test]
fn sc_1_hours_that_the_ledger_cannot_prove_are_refused_and_what_may_still_arrive_is_not() {
    let mut world = two_modes("11:35");
    world.joins("03-20 08:00", "welding-1", ANN);
    let all = |world: &World| {
        let all = world.look("sichuan-2025", |it| it.claim(&"claim-a".parse().unwrap()));
        all.iter().map(|it| (it.limit, it.found, it.allowed, it.is_hard())).collect::<Vec<_>>()
    };
    let mut fine = world.clone();
    fine.claims("03-20 09:00", "claim-a", "welding-1", &[(ANN, 8)]);
    assert_eq!(all(&fine), [], "two lessons of 180 minutes are eight lesson hours");
    world.claims("03-20 09:00", "claim-a", "welding-1", &[(ANN, 9)]);
    assert_eq!(all(&world), [(Limit::HoursBeyondLedger, 9, 8, true)]);
    let objections = world.look("sichuan-2025", |it| it.claim(&"claim-a".parse().unwrap()));
    assert_eq!(objections[0].why().zh, "申领 9 学时，账本至多能证明 8 学时");
    assert_eq!(objections[0].rests_on.len(), 4, "her two comings and goings");
    // Claimed twice, in two claims, they are as many.
    let mut twice = fine.clone();
    twice.claims("03-20 10:00", "claim-b", "welding-1", &[(ANN, 8)]);
    let second = twice.look("sichuan-2025", |it| it.claim(&"claim-b".parse().unwrap()));
    assert_eq!((second[0].limit, second[0].found), (Limit::HoursBeyondLedger, 16));

    // In the evening of the day the evening lesson may still be told.
    let mut early = World::new();
    early.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 2);
    early.scene.add(comes("cd-1", "03-02 08:25", ANN).lesson("cd-am"));
    early.scene.add(leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am"));
    early.claims("03-02 22:00", "claim-a", "welding-1", &[(ANN, 7)]);
    assert_eq!(all(&early), [(Limit::HoursUnproven, 7, 4, false)]);
    // Who is unknown here is judged by the whole class alone.
    early.people.clear();
    assert_eq!(all(&early), [(Limit::HoursUnproven, 7, 4, false)]);
}

// ---- Examinations and teachers ----------------------------------------------------------------

#[test]
fn he_11_a_certificate_without_an_examination_is_flagged() {
    let mut world = two_modes("11:35");
    world.held_as("03-20 08:00", "cd-am", LessonKind::Exam, LessonMode::Offline);
    for (id, person) in [("cert-a", ANN), ("cert-b", BEA)] {
        let person = world.who(id, person);
        world.scene.state(
            "03-20 09:00",
            Fact::Held(Held {
                id: id.parse().unwrap(),
                person,
                kind: HeldKind::Certificate,
                occupation: "焊工".into(),
                occupation_code: None,
                level: Level::Junior,
                on: at("03-18 00:00"),
                fund: None,
                class: Some("welding-1".parse().unwrap()),
                source: "示例系统".into(),
            }),
        );
    }
    let all = world.look("hebei-2024", |it| it.class(&"welding-1".parse().unwrap()));
    assert_eq!(all.len(), 1, "Ann was in the examination: {all:?}");
    assert_eq!(all[0].limit, Limit::ExamUnseen);
    assert_eq!(all[0].rests_on, [Rest::Held("cert-b".parse().unwrap())]);
}

#[test]
fn gz_2_a_part_time_teacher_at_a_fourth_institution_is_flagged_and_at_a_third_is_not() {
    let mut world = World::new();
    for (id, school) in [("t-1", "jinjiang"), ("t-2", "fucheng"), ("t-3", "third")] {
        world.teaches("03-02 08:00", [id, school], ANN, Employment::PartTime);
    }
    world.teaches("03-02 08:00", ["t-f", "own"], ANN, Employment::FullTime);
    assert_eq!(world.of_school("guizhou", "third"), [], "a full-time place does not count");
    world.teaches("03-02 09:00", ["t-4", "fourth"], ANN, Employment::PartTime);
    world.teaches("03-02 09:00", ["t-5", "fourth"], BEA, Employment::PartTime);
    let flagged = world.of_school("guizhou", "fourth");
    assert_eq!(flagged, [(Limit::TeacherInstitutions, 4, 3)], "Ann, and not Bea");
    let all = world.look("guizhou", |it| it.institution(&"fourth".parse().unwrap()));
    assert_eq!((all[0].clause.as_deref(), all[0].is_hard()), (Some("九"), true));
    assert_eq!(all[0].rests_on.len(), 4, "each engagement is named");
    assert_eq!(world.of_school("hebei-2024", "fourth"), []);
}

#[test]
fn gz_2_a_private_institution_needs_a_third_of_full_time_teachers_and_a_public_one_does_not() {
    let school = |ownership: Ownership, full: u8, part: u8| {
        let mut world = World::new();
        world.scene.state(
            "03-02 08:00",
            Fact::InstitutionDetails(InstitutionDetails {
                institution: "jinjiang".parse().unwrap(),
                credit_code: None,
                ownership: Some(ownership),
                area: None,
            }),
        );
        for n in 0..full + part {
            let how = if n < full { Employment::FullTime } else { Employment::PartTime };
            world.teaches("03-02 08:00", [&format!("t-{n}"), "jinjiang"], PersonId([n; 16]), how);
        }
        world.of_school("guizhou", "jinjiang")
    };
    assert_eq!(school(Ownership::Private, 1, 2), [], "exactly a third passes");
    assert_eq!(school(Ownership::Private, 1, 3), [(Limit::FulltimeShare, 1, 2)]);
    assert_eq!(school(Ownership::Public, 0, 3), []);
    assert_eq!(school(Ownership::Private, 0, 0), []);
}

#[test]
fn he_15_a_teacher_with_neither_qualification_nor_experience_is_listed() {
    let mut world = World::new();
    let how = Employment::FullTime;
    let time = "03-02 08:00";
    world.engages(time, ["t-1", "jinjiang"], ANN, how, Qualification::None);
    world.engages(time, ["t-2", "jinjiang"], BEA, how, Qualification::Experience);
    let all = world.look("hebei-2024", |it| it.institution(&"jinjiang".parse().unwrap()));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].limit, Limit::Unqualified);
    assert_eq!(all[0].of, Subject::Teacher("t-1".parse().unwrap()));
}

#[test]
fn what_is_objected_is_raised_with_the_numbers_and_names_nobody() {
    let mut scene = Scene::two_towns();
    let objected = |policy: &str| {
        Fact::Objected(Objected {
            of: Subject::Claim("cook-a-1".parse().unwrap()),
            limit: Limit::HoursBeyondLedger,
            persons: 2,
            found: 240,
            allowed: 180,
            policy: policy.into(),
        })
    };
    scene.state("03-02 09:00", objected("hubei-2022/1"));
    let index = scene.state("03-02 09:00", objected("sichuan-2025/1"));
    let anomaly = scene.one();
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::OverLimit, Severity::Warning));
    assert_eq!((&anomaly.who[..], &anomaly.evidence[..]), (&[][..], &[index][..]));
    says(
        &anomaly,
        "补贴申领 cook-a-1：申领 240 学时，账本至多能证明 180 学时（涉及 2 人，此为其一）。可能是重复或虚报；录入有误也会如此。",
        "claim cook-a-1: 240 lesson hours claimed; the ledger can prove 180 at most (one of 2 persons). It may be claimed twice or made up; a slip in a table looks the same.",
    );
}

// ---- Groups that move -------------------------------------------------------------------------

/// Two schools, each with a class: one in Chengdu in the morning, one of so many in Mianyang in the evening.
fn cohort(roster: u32) -> World {
    let mut world = World::new();
    world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 40);
    world.class("03-01 20:00", "cook-1", "fucheng", WELDER, roster);
    world.lesson("03-01 20:00", "cook-1", ["my-eve", "my", "03-02 19:00", "03-02 21:00"]);
    world
}

/// So many people of the morning's class come to the evening's as well, and its terminal tells all of it.
fn goes(world: &mut World, moved: u8) {
    // The last two of the morning's class do not go on.
    for n in 0..moved + 2 {
        let time = format!("03-02 08:{}", 10 + 2 * u32::from(n) + u32::from(n % 3 == 0));
        world.scene.add(comes("cd-1", &time, PersonId([n; 16])).lesson("cd-am"));
    }
    for n in 0..moved {
        let time = format!("03-02 18:{}", 30 + 2 * u32::from(n) + u32::from(n % 3 == 0));
        world.scene.add(comes("my-1", &time, PersonId([n; 16])).lesson("my-eve"));
    }
    world.scene.add(leaves("my-1", "03-02 21:10", PersonId([0; 16])).lesson("my-eve"));
}

#[test]
fn sc_7_a_group_that_comes_to_two_institutions_is_flagged_once_and_a_few_are_not() {
    let mut world = cohort(12);
    goes(&mut world, 5);
    let anomaly = world.scene.one();
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::MovedCohort, Severity::Alarm));
    let moved: Vec<_> = (0..5).map(|n| PersonId([n; 16])).collect();
    assert_eq!((anomaly.at, &anomaly.who), (at("03-02 19:00"), &moved));
    assert_eq!(anomaly.evidence.len(), 10, "each of them, here and there");
    says(
        &anomaly,
        "14 天内，fucheng班级 cook-1 的 5 名学员也到jinjiang班级 welding-1 上课（较小名册 12 人），事先未申报联合办班。可能买卖或借用生源；同一单位委托两家培训也会如此。",
        "Within 14 days 5 people of class cook-1 of fucheng also came to class welding-1 of jinjiang (the smaller roster has 12), and no joint class was declared before. Trainees may have been bought or lent; a company that sends its people to both looks the same.",
    );
    let kinds = |moved: u8, roster: u32| {
        let mut world = cohort(roster);
        goes(&mut world, moved);
        world.scene.kinds()
    };
    assert_eq!(kinds(4, 4), [], "too few");
    assert_eq!(kinds(5, 17), [], "too small a share of the roster");
    assert_eq!(kinds(6, 20), [AnomalyKind::MovedCohort], "exactly 30 %");
}

#[test]
fn sc_7_what_was_declared_before_the_lesson_is_no_moving_and_what_was_declared_after_it_is() {
    let shared = |of: Subject| {
        let from = at("03-01 00:00");
        Fact::Status(Status { of, state: State::Shared, from, until: None, basis: None })
    };
    let joint = || Subject::Class("cook-1".parse().unwrap());
    for of in [
        joint(),
        Subject::Class("welding-1".parse().unwrap()),
        Subject::Lesson("my-eve".parse().unwrap()),
        Subject::Site("my".parse().unwrap()),
    ] {
        let mut world = cohort(12);
        world.scene.state("03-02 08:00", shared(of));
        goes(&mut world, 5);
        assert_eq!(world.scene.kinds(), []);
    }
    let mut late = cohort(12);
    for n in 0..5 {
        late.scene.add(comes("cd-1", &format!("03-02 08:1{n}"), PersonId([n; 16])).lesson("cd-am"));
    }
    late.scene.state("03-02 19:00", shared(joint()));
    for n in 0..5 {
        late.scene
            .add(comes("my-1", &format!("03-02 19:0{n}"), PersonId([n; 16])).lesson("my-eve"));
    }
    late.scene.add(leaves("my-1", "03-02 21:10", PersonId([0; 16])).lesson("my-eve"));
    assert_eq!(late.scene.kinds(), [AnomalyKind::MovedCohort]);
}

#[test]
fn sc_7_a_terminal_that_serves_another_institutions_class_is_flagged_once_unless_declared() {
    let served = |declared: Option<&str>| {
        let mut world = World::new();
        world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 40);
        if let Some(site) = declared {
            let of = Subject::Site(site.parse().unwrap());
            let (state, from) = (State::Shared, at("03-01 00:00"));
            let status = Status { of, state, from, until: None, basis: None };
            world.scene.state("03-01 21:00", Fact::Status(status));
        }
        world.scene.add(comes("my-1", "03-02 08:20", ANN).lesson("my-am"));
        world.scene.add(comes("my-1", "03-02 08:24", BEA).lesson("my-am"));
        world.scene
    };
    let anomaly = served(None).one();
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::MovedCohort, Severity::Warning));
    assert_eq!(anomaly.terminals, ["my-1".parse().unwrap()]);
    assert!(
        anomaly.why.zh.contains("fucheng的终端为jinjiang的班级考勤（课次 my-am"),
        "{}",
        anomaly.why.zh
    );
    assert_eq!(served(Some("my")).judged(), []);
    assert_eq!(served(Some("cd")).kinds(), [AnomalyKind::MovedCohort], "another site");
}

/// The same, whichever of the two terminals delivers first.
#[test]
fn a_group_that_moved_is_the_same_in_whatever_order_its_terminals_deliver() {
    let mut late = cohort(12);
    for n in 0..5 {
        let told = comes("my-1", &format!("03-02 18:3{n}"), PersonId([n; 16])).lesson("my-eve");
        late.scene.add(told.arrives("03-03 08:00"));
    }
    late.scene.add(
        leaves("my-1", "03-02 21:10", PersonId([0; 16])).lesson("my-eve").arrives("03-03 08:00"),
    );
    for n in 0..6 {
        let told = comes("cd-1", &format!("03-02 08:1{n}"), PersonId([n; 16])).lesson("cd-am");
        late.scene.add(told.arrives("03-03 09:00"));
    }
    let told = leaves("cd-1", "03-02 11:35", PersonId([0; 16])).lesson("cd-am");
    late.scene.add(told.arrives("03-03 09:00"));
    let anomaly = late.scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::MovedCohort);
    assert_eq!(anomaly.who, (0..5).map(|n| PersonId([n; 16])).collect::<Vec<_>>());
}
