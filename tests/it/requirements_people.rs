//! The demands of the policies on people and institutions (docs/requirements.md), each by the number of its row:
//! what bars a subsidy for life, whose hours are claimed, who teaches, and who is moved from school to school.

use rollcall::domain::{
    Fact, HeldKind, LessonKind, LessonMode, Level, Limit, Modality, Policy, State, Target,
    Timestamp,
};
use rollcall::rules::hours::Hours;
use rollcall::rules::limits::{Limits, Rest, stated};

use crate::rules_scene::{ANN, BEA, comes, leaves};

use crate::rules_world::{Taught, WELDER, World, two_modes};

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
        // Who enters the roster is warned already; nothing keeps her from attending.
        let warned = world.look("hebei-2024", |it| it.member(&"a".parse().unwrap(), member));
        assert_eq!(warned.iter().map(|it| it.limit).collect::<Vec<_>>(), expected);
        world.claims("03-03 08:00", "claim-a", "a", &[(ANN, 0)]);
        assert_eq!(world.limits_of("hebei-2024", "claim-a"), expected);
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
