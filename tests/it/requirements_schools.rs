//! The demands of the policies on institutions (docs/requirements.md), each by the number of its row: who teaches and
//! who was examined, what is objected, which projects are published, and who is moved from school to school.

use rollcall::domain::{
    Anomaly, AnomalyKind, Employment, Fact, Held, HeldKind, InstitutionDetails, LessonKind,
    LessonMode, Level, Limit, Objected, Outcome, Ownership, PersonId, Policy, Project,
    Qualification, Severity, State, Status, Subject,
};
use rollcall::rules::limits::{Rest, stated};

use crate::rules_march::{after_grace, only};
use crate::rules_scene::{ANN, BEA, Scene, at, comes, leaves, says, tries};

use crate::rules_world::{WELDER, World, two_modes};

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
    let index = scene.state("03-02 09:00", objected(&Policy::sichuan_2025().profile()));
    let anomaly = scene.one();
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::OverLimit, Severity::Warning));
    assert_eq!((&anomaly.who[..], &anomaly.evidence[..]), (&[][..], &[index][..]));
    says(
        &anomaly,
        "补贴申领 cook-a-1：申领 240 学时，账本至多能证明 180 学时（涉及 2 人，此为其一）。可能是重复或虚报；录入有误也会如此。",
        "claim cook-a-1: 240 lesson hours claimed; the ledger can prove 180 at most (one of 2 persons). It may be claimed twice or made up; a slip in a table looks the same.",
    );
}

// ---- Published projects -----------------------------------------------------------------------

/// What the welders of the other tests are published as: 240 lesson hours for 60 persons, from mid-January.
fn published() -> Project {
    Project {
        name: "示例项目".into(),
        occupation: "焊工".into(),
        occupation_code: None,
        level: Some(Level::Junior),
        hours_min: Some(240),
        hours_max: Some(240),
        persons_max: Some(60),
        notice: "示例公告〔2026〕5号".into(),
        from: at("01-15 00:00"),
        until: None,
    }
}

fn publish(world: &mut World, time: &str, project: Project) {
    world.scene.state(time, Fact::Project(project));
}

const UNPUBLISHED: (Limit, u32, u32) = (Limit::UnpublishedProject, 0, 1);

#[test]
fn sc_3_a_class_of_no_published_project_is_listed_before_it_opens_and_in_principle_not_subsidised()
{
    let mut world = World::new();
    world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 40);
    assert_eq!(world.of_class("sichuan-2025", "welding-1"), [], "nobody stated a list");
    publish(&mut world, "03-01 21:00", Project { name: "另一项目".into(), ..published() });
    assert_eq!(world.of_class("sichuan-2025", "welding-1"), [UNPUBLISHED]);
    assert_eq!(world.of_class("hebei-2024", "welding-1"), [], "Hebei's text bars none of them");
    let all = world.look("sichuan-2025", |it| it.class(&"welding-1".parse().unwrap()));
    assert_eq!((all[0].clause.as_deref(), all[0].is_hard()), (Some("三"), false));
    assert_eq!(all[0].why().zh, "培训项目“示例项目”在开班日 2026-03-01 未公开发布，原则上不予补贴");
    world.claims("03-20 09:00", "w-1", "welding-1", &[(ANN, 240)]);
    assert_eq!(world.limits_of("sichuan-2025", "w-1"), [Limit::UnpublishedProject]);
    let named = Project { name: " 示例项目 ".into(), ..published() };
    publish(&mut world, "03-20 10:00", named);
    assert_eq!(world.of_class("sichuan-2025", "welding-1"), [], "by the name, blanks aside");
    assert_eq!(world.limits_of("sichuan-2025", "w-1"), []);
}

#[test]
fn sc_3_headcount_hours_and_occupation_that_differ_are_each_named_with_both_values() {
    let whys = |project: Project| {
        let mut world = World::new();
        publish(&mut world, "03-01 20:00", project);
        world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 40);
        let all = world.look("sichuan-2025", |it| it.class(&"welding-1".parse().unwrap()));
        let notice = Rest::Notice("示例公告〔2026〕5号".into());
        assert!(all.iter().all(|it| !it.is_hard() && it.rests_on == [notice.clone()]), "{all:?}");
        all.iter().map(|it| (it.limit, it.why().zh)).collect::<Vec<_>>()
    };
    let told = |limit, why: &str| vec![(limit, why.to_owned())];
    assert_eq!(whys(published()), []);
    assert_eq!(whys(Project { persons_max: Some(40), ..published() }), []);
    assert_eq!(
        whys(Project { persons_max: Some(39), ..published() }),
        told(Limit::ProjectPersons, "连同先登记的班级，项目下共 40 人，公布 39 人")
    );
    for (bounds, words) in [
        ([Some(200), Some(239)], "计划 240 学时，项目公布至多 239 学时"),
        ([Some(241), None], "计划 240 学时，项目公布至少 241 学时"),
    ] {
        let [hours_min, hours_max] = bounds;
        let why = whys(Project { hours_min, hours_max, ..published() });
        assert_eq!(why, told(Limit::ProjectHours, words));
    }
    let other = Limit::ProjectOccupation;
    assert_eq!(
        whys(Project { occupation: "电工".into(), level: None, ..published() }),
        told(other, "职业工种或等级：计划“焊工 初级工”，项目公布“电工”")
    );
    assert_eq!(
        whys(Project { level: Some(Level::Senior), ..published() }),
        told(other, "职业工种或等级：计划“焊工 初级工”，项目公布“焊工 高级工”")
    );
    let nothing = Project { level: None, hours_min: None, hours_max: None, ..published() };
    assert_eq!(whys(Project { persons_max: None, ..nothing }), [], "what is absent limits nothing");
}

#[test]
fn sc_3_the_headcount_is_that_of_all_classes_of_a_publication_and_the_last_is_too_many() {
    let mut world = World::new();
    publish(&mut world, "03-01 20:00", published());
    for (day, class) in [("03-02", "one"), ("03-03", "two"), ("03-04", "three")] {
        world.class(&format!("{day} 20:00"), class, "jinjiang", WELDER, 30);
    }
    for class in ["one", "two"] {
        assert_eq!(world.of_class("sichuan-2025", class), [], "exactly 60 persons");
    }
    let all = world.look("sichuan-2025", |it| it.class(&"three".parse().unwrap()));
    assert_eq!((all[0].limit, all[0].found, all[0].allowed), (Limit::ProjectPersons, 90, 60));
    let classes = ["one", "two"].map(|class| Rest::Class(class.parse().unwrap()));
    assert_eq!(all[0].rests_on[1..], classes);
    for n in 0..31 {
        world.joins("03-05 08:00", "two", PersonId([n; 16]));
    }
    let more = (Limit::ProjectPersons, 61, 60);
    assert_eq!(world.of_class("sichuan-2025", "two"), [more], "more on the roster than planned");
    let next = Project { from: at("03-04 00:00"), ..published() };
    publish(&mut world, "03-05 09:00", next);
    assert_eq!(world.of_class("sichuan-2025", "three"), [], "published anew, counted anew");
}

#[test]
fn sc_3_a_class_is_judged_by_the_list_of_the_day_when_it_opened() {
    let mut world = World::new();
    let until = Some(at("03-03 00:00"));
    publish(&mut world, "03-01 20:00", Project { until, ..published() });
    world.class("03-02 20:00", "old", "jinjiang", WELDER, 20);
    world.class("03-03 20:00", "last", "jinjiang", WELDER, 20);
    world.class("03-04 20:00", "late", "jinjiang", WELDER, 20);
    let judged =
        |world: &World| ["old", "last", "late"].map(|class| world.of_class("sichuan-2025", class));
    assert_eq!(judged(&world), [vec![], vec![], vec![UNPUBLISHED]], "over after its last day");
    let anew = Project { hours_max: Some(300), hours_min: None, ..published() };
    let shorter = Project { hours_max: Some(100), from: at("03-03 00:00"), ..anew };
    publish(&mut world, "03-09 08:00", shorter);
    let fewer = vec![(Limit::ProjectHours, 240, 100)];
    let all = [vec![], fewer.clone(), fewer];
    assert_eq!(judged(&world), all, "from its own day on, whenever it was stated");
    world.lesson("03-09 09:00", "late", ["early", "my", "03-02 19:00", "03-02 21:00"]);
    assert_eq!(world.of_class("sichuan-2025", "late"), [], "its first lesson was before its plan");
    let of = Subject::Lesson("early".parse().unwrap());
    let (state, from) = (State::Cancelled, at("03-02 18:00"));
    let cancelled = Status { of, state, from, until: None, basis: None };
    world.scene.state("03-09 09:00", Fact::Status(cancelled));
    assert_eq!(world.of_class("sichuan-2025", "late").len(), 1, "and it was not held");
    world.lesson("03-09 09:00", "old", ["first", "my", "01-14 19:00", "01-14 21:00"]);
    assert_eq!(world.of_class("sichuan-2025", "old"), [], "the list says nothing of that day");
}

#[test]
fn sc_3_where_a_profile_makes_it_hard_it_is_stated_and_raised_like_any_other_limit() {
    let text =
        Policy::sichuan_2025().text().replacen("modality = \"soft\"", "modality = \"hard\"", 1);
    let strict = Policy::parse(&text, "strict").unwrap();
    let mut world = World::new();
    let project = Project { hours_max: Some(100), hours_min: None, ..published() };
    publish(&mut world, "03-01 20:00", project);
    world.class("03-01 20:00", "welding-1", "jinjiang", WELDER, 40);
    let found = world.look_by(strict.clone(), |it| it.class(&"welding-1".parse().unwrap()));
    let facts = stated(&found, &strict);
    assert_eq!(facts.len(), 1);
    world.scene.state("03-01 21:00", Fact::Objected(facts[0].clone()));
    let anomaly = world.scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::OverLimit);
    assert!(
        anomaly.why.zh.starts_with("班级 welding-1：计划 240 学时，项目公布至多 100 学时"),
        "{anomaly:?}"
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

/// What is told of groups when the grace of all lessons is over: that hardly anybody checks out is another matter.
fn moved(scene: &mut Scene) -> Vec<Anomaly> {
    let mut judged = after_grace(scene);
    judged.retain(|anomaly| anomaly.kind == AnomalyKind::MovedCohort);
    judged
}

fn kinds(scene: &mut Scene) -> Vec<AnomalyKind> {
    moved(scene).iter().map(|anomaly| anomaly.kind).collect()
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
    assert_eq!(world.scene.judged(), [], "the lessons are not told of yet");
    let judged = moved(&mut world.scene);
    let anomaly = only(&judged, AnomalyKind::MovedCohort);
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::MovedCohort, Severity::Alarm));
    let moved: Vec<_> = (0..5).map(|n| PersonId([n; 16])).collect();
    assert_eq!((anomaly.at, &anomaly.who), (at("03-02 19:00"), &moved));
    assert_eq!(anomaly.evidence.len(), 10, "each of them, here and there");
    says(
        anomaly,
        "14 天内，fucheng班级 cook-1 的 5 名学员也到jinjiang班级 welding-1 上课（较小名册 12 人），事先未申报联合办班。可能买卖或借用生源；同一单位委托两家培训也会如此。",
        "Within 14 days 5 people of class cook-1 of fucheng also came to class welding-1 of jinjiang (the smaller roster has 12), and no joint class was declared before. Trainees may have been bought or lent; a company that sends its people to both looks the same.",
    );
    let flagged = |people: u8, roster: u32| {
        let mut world = cohort(roster);
        goes(&mut world, people);
        kinds(&mut world.scene)
    };
    assert_eq!(flagged(4, 4), [], "too few");
    assert_eq!(flagged(5, 17), [], "too small a share of the roster");
    assert_eq!(flagged(6, 20), [AnomalyKind::MovedCohort], "exactly 30 %");
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
        assert_eq!(kinds(&mut world.scene), []);
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
    assert_eq!(kinds(&mut late.scene), [AnomalyKind::MovedCohort]);
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
    let judged = moved(&mut served(None));
    let anomaly = only(&judged, AnomalyKind::MovedCohort);
    assert_eq!((anomaly.kind, anomaly.severity), (AnomalyKind::MovedCohort, Severity::Warning));
    assert_eq!(anomaly.terminals, ["my-1".parse().unwrap()]);
    assert!(
        anomaly.why.zh.contains("fucheng的终端为jinjiang的班级考勤（课次 my-am"),
        "{}",
        anomaly.why.zh
    );
    assert_eq!(kinds(&mut served(Some("my"))), []);
    assert_eq!(kinds(&mut served(Some("cd"))), [AnomalyKind::MovedCohort], "another site");
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
    // The evening is told of before the morning, whose second terminal says nothing.
    late.scene.add(tries("my-1", "03-03 10:00", BEA, Outcome::TooEarly));
    let judged = moved(&mut late.scene);
    let anomaly = only(&judged, AnomalyKind::MovedCohort);
    assert_eq!(anomaly.who, (0..5).map(|n| PersonId([n; 16])).collect::<Vec<_>>());
    assert_eq!(anomaly.at, at("03-02 19:00"), "before the evening nobody had moved");
}
