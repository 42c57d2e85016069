//! The demands of the policies (docs/requirements.md), each by the number of its row.

use rollcall::domain::{
    AnomalyKind, Bilingual, ClockEvidence, ClockQuality, Event, Fact, Notice, NoticeKind, Outcome,
    PersonId, Policy, Refusal, State, Status, Subject, Uptime,
};
use rollcall::rules::hours::{Attended, Hours, Reason, Unseen};

use crate::rules_scene::{ANN, BEA, Scene, Told, at, comes, leaves, lesson, says, tries};

const CLASS: &str = "welding-1";

fn class() -> Fact {
    Fact::Class {
        id: CLASS.parse().unwrap(),
        institution: "jinjiang".parse().unwrap(),
        name: Bilingual::new("焊工一班", "Welding 1"),
        persons: 2,
        roster: [0; 32],
    }
}

/// The two towns, with the class registered at this time.
fn scene(registered: &str) -> Scene {
    let mut scene = Scene::two_towns();
    scene.state(registered, class());
    scene
}

/// She comes and goes at a terminal, within the morning's lesson.
fn morning(scene: &mut Scene, terminal: &str) {
    scene.add(comes(terminal, "03-02 08:25", ANN).lesson("cd-am"));
    scene.add(leaves(terminal, "03-02 11:35", ANN).lesson("cd-am"));
}

fn hours(scene: &Scene) -> Hours {
    let mut hours = Hours::of(CLASS.parse().unwrap(), Policy::sichuan_2025());
    scene.entries().iter().for_each(|entry| hours.take(entry));
    hours
}

fn attended(scene: &Scene) -> Attended {
    let mut all = hours(scene).attended();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn reasons(scene: &Scene) -> Vec<Reason> {
    attended(scene).reasons
}

fn status(of: Subject, state: State, from: &str) -> Fact {
    Fact::Status(Status { of, state, from: at(from), until: None, basis: None })
}

// ---- Sichuan ----------------------------------------------------------------------------------

#[test]
fn sc_1_hours_count_only_for_what_was_registered_before_its_first_minute_on_the_sites_terminal() {
    let mut fine = scene("03-01 20:00");
    morning(&mut fine, "cd-1");
    let stay = attended(&fine);
    assert_eq!((stay.minutes, stay.counted(), stay.reasons), (Some(180), 180, vec![]));

    // A minute before the lesson is in time, its first minute is not.
    for (registered, expected) in [("08:29", vec![]), ("08:30", vec![Reason::ClassLate])] {
        let mut late = scene(&format!("03-02 {registered}"));
        late.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
        late.add(leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am"));
        let stay = attended(&late);
        assert_eq!((stay.minutes, stay.reasons), (Some(179), expected));
    }

    let mut unannounced = scene("03-01 20:00");
    unannounced.state("03-02 08:30", lesson("cd-x", "cd", "03-02 08:30", "03-02 11:30"));
    unannounced.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-x"));
    unannounced.add(leaves("cd-1", "03-02 11:35", ANN).lesson("cd-x"));
    assert_eq!(reasons(&unannounced), [Reason::LessonLate]);

    let mut elsewhere = scene("03-01 20:00");
    morning(&mut elsewhere, "my-1");
    let stay = attended(&elsewhere);
    assert_eq!((stay.minutes, stay.counted()), (Some(180), 0), "kept, and shown");
    assert_eq!(stay.reasons, [Reason::OtherSite]);
    let told = stay.reasons[0].text();
    assert_eq!(told.zh, "终端不属于本教学点");
}

#[test]
fn sc_6_what_is_made_after_a_measure_took_effect_does_not_count_also_when_it_was_made_offline() {
    let institution = || Subject::Institution("jinjiang".parse().unwrap());
    for (state, reason) in [
        (State::Delisted, Reason::Delisted),
        (State::BlackListed, Reason::BlackListed),
        (State::LicenceRevoked, Reason::Unlicensed),
        (State::AgreementEnded, Reason::Delisted),
        (State::Suspended, Reason::Suspended),
    ] {
        // It took effect at 08:00 and was stated at 08:10; the terminal was offline until the evening.
        let mut scene = scene("03-01 20:00");
        scene.state("03-02 08:10", status(institution(), state, "03-02 08:00"));
        scene.add(comes("cd-1", "03-02 08:25", ANN).lesson("cd-am").arrives("03-02 20:00"));
        scene.add(leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am").arrives("03-02 20:00"));
        assert_eq!(reasons(&scene), [reason]);
    }
    // One that takes effect the day after leaves today's hours as they are.
    let mut scene = scene("03-01 20:00");
    morning(&mut scene, "cd-1");
    scene.state("03-02 12:00", status(institution(), State::Delisted, "03-03 00:00"));
    assert_eq!(reasons(&scene), []);
}

#[test]
fn sc_9_evening_weekend_and_holiday_hours_of_the_timetable_count_and_raise_nothing() {
    let mut scene = scene("03-01 20:00");
    // The other town's terminal is heard of, or it would be told that it is not.
    scene.add(tries("my-1", "03-02 12:00", BEA, Outcome::NotRecognised));
    // A Saturday, and the first of May.
    scene.state("03-02 12:01", lesson("sat", "cd", "03-07 14:00", "03-07 17:00"));
    scene.add(comes("cd-1", "03-02 18:50", ANN).lesson("cd-eve"));
    scene.add(leaves("cd-1", "03-02 21:31", ANN).lesson("cd-eve"));
    scene.add(comes("cd-1", "03-07 13:55", ANN).lesson("sat"));
    scene.add(leaves("cd-1", "03-07 17:02", ANN).lesson("sat"));
    scene.state("04-30 09:00", lesson("may", "cd", "05-01 09:00", "05-01 11:00"));
    let fresh = |told: Told| told.clock(ClockQuality::Synced, Some(at("05-01 08:00")));
    scene.add(fresh(comes("cd-1", "05-01 08:55", ANN).lesson("may")));
    scene.add(fresh(leaves("cd-1", "05-01 11:01", ANN).lesson("may")));
    assert_eq!(scene.judged(), []);
    let counted: Vec<_> = hours(&scene).attended().iter().map(Attended::counted).collect();
    assert_eq!(counted, [150, 120, 180], "by lesson: cd-eve, may, sat");
}

// ---- Hebei ------------------------------------------------------------------------------------

#[test]
fn he_4a_altered_replayed_and_made_up_records_are_refused_and_flagged() {
    let mut scene = Scene::two_towns();
    scene.refuse("03-02 08:40", "cd-1", Refusal::BadSignature { fits_chain: true }, None);
    scene.refuse("03-02 08:41", "cd-1", Refusal::ForeignKey, None);
    scene.refuse(
        "03-02 08:42",
        "cd-2",
        Refusal::ForeignTerminal { named: "cd-1".parse().unwrap() },
        None,
    );
    scene.refuse("03-02 08:43", "cd-1", Refusal::Forked, None);
    assert_eq!(
        scene.kinds(),
        [
            AnomalyKind::Altered,
            AnomalyKind::Forged,
            AnomalyKind::Replayed,
            AnomalyKind::ForkedChain
        ]
    );
}

#[test]
fn he_4b_one_person_on_two_devices_is_flagged_with_both_named_and_clock_uncertainty_granted() {
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    let anomaly = scene.one();
    assert_eq!(anomaly.kind, AnomalyKind::MultiDevice);
    let named: Vec<_> = anomaly.terminals.iter().map(|terminal| terminal.as_str()).collect();
    assert_eq!((named, anomaly.who), (vec!["cd-1", "my-1"], vec![ANN]));
    // Time enough by the slowest reading of a doubtful pair of clocks: nothing.
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    let doubtful = comes("my-1", "03-02 08:55", ANN).lesson("my-am");
    scene.add(doubtful.clock(ClockQuality::Doubtful, None));
    assert_eq!(scene.judged(), []);
}

#[test]
fn he_4c_somebody_who_stands_in_for_another_is_flagged_and_a_failed_match_is_not() {
    let mut scene = Scene::two_towns();
    let stand_in = tries("cd-1", "03-02 08:35", ANN, Outcome::LooksLikeOther);
    scene.add(stand_in.claimed(2100).looks_like(BEA, 7400));
    let anomaly = scene.one();
    assert_eq!((anomaly.kind, anomaly.who), (AnomalyKind::ProxyStandIn, vec![ANN, BEA]));
    let mut scene = Scene::two_towns();
    scene.add(tries("cd-1", "03-02 08:35", ANN, Outcome::NotRecognised).claimed(2100));
    assert_eq!(scene.judged(), []);
}

fn trainee(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// So many come in the morning, one every so many seconds from 08:10 on.
fn queue(scene: &mut Scene, seconds: impl Iterator<Item = i64>) {
    for (n, after) in (1..).zip(seconds) {
        let mut told = comes("cd-1", "03-02 08:10", trainee(n)).lesson("cd-am");
        told.record.clock.wall = at("03-02 08:10").plus_ms(after * 1_000);
        scene.add(told);
    }
}

#[test]
fn he_4d_hours_made_by_a_program_are_flagged_and_a_queue_is_not() {
    for (seconds, flagged) in [
        // Every thirty seconds; all at once; twelve people one after the other, as people are.
        (vec![0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330], true),
        (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], true),
        (vec![0, 4, 9, 12, 18, 60, 63, 67, 75, 79, 84, 140], false),
        // Eleven at a machine's pace are too few to tell.
        (vec![0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 345], false),
    ] {
        let mut scene = Scene::two_towns();
        queue(&mut scene, seconds.iter().copied());
        let expected = if flagged { vec![AnomalyKind::MachinePace] } else { vec![] };
        assert_eq!(scene.kinds(), expected, "{seconds:?}");
    }
}

/// Ten are in, the roll is called at 10:00, so many show their face; then the terminal tells more.
fn roll_call(seen: u8, later: bool) -> Scene {
    let mut scene = Scene::two_towns();
    queue(&mut scene, [0, 7, 11, 19, 60, 66, 71, 80, 95, 99].into_iter());
    let mut called = comes("cd-1", "03-02 10:00", ANN).lesson("cd-am");
    called.person = None;
    called.record.event = Event::Notice;
    called.record.outcome = None;
    called.record.notice = Some(Notice { kind: NoticeKind::RollCalled, digest: None });
    scene.add(called);
    for n in 1..=seen {
        let mut here =
            comes("cd-1", &format!("03-02 10:0{}", n.min(9)), trainee(n)).lesson("cd-am");
        here.record.event = Event::Presence;
        scene.add(here);
    }
    if later {
        scene.add(leaves("cd-1", "03-02 10:11", trainee(1)).lesson("cd-am"));
    }
    scene
}

#[test]
fn he_4d_a_class_that_checks_in_and_goes_home_is_flagged_and_one_that_stays_is_not() {
    let anomaly = roll_call(2, true).one();
    assert_eq!(anomaly.kind, AnomalyKind::MissedRollCall);
    let gone: Vec<_> = (3..=10).map(trainee).collect();
    assert_eq!((anomaly.at, &anomaly.who), (at("03-02 10:00"), &gone));
    says(
        &anomaly,
        "2026-03-02 10:00–10:10，成都·锦江教学点，课次 cd-am：点名时在场 10 人，8 人未到镜头前（允许 30%）。可能签到后离开；在远处实操或用餐也会如此，未到者不因此缺勤。",
        "2026-03-02 10:00–10:10, Jinjiang site, Chengdu, lesson cd-am: of 10 who were in, 8 did not show their face when the roll was called (30 % are allowed). They may have left after checking in; a workshop far from the kiosk looks the same, and nobody is absent by it.",
    );
    assert_eq!(roll_call(7, true).judged(), [], "three of ten are allowed");
    assert_eq!(roll_call(6, true).kinds(), [AnomalyKind::MissedRollCall]);
    assert_eq!(roll_call(2, false).judged(), [], "the terminal may still have more to tell");
}

#[test]
fn he_4c_who_fails_to_be_shown_alive_again_and_again_is_flagged_once_and_not_for_a_few_tries() {
    let tried = |times: i64| {
        let mut scene = Scene::two_towns();
        for n in 0..times {
            scene.add(tries("cd-1", &format!("03-02 08:3{n}"), ANN, Outcome::NotLive));
        }
        scene
    };
    assert_eq!(tried(3).judged(), []);
    let anomaly = tried(6).one();
    assert_eq!((anomaly.kind, anomaly.who), (AnomalyKind::SpoofAttempts, vec![ANN]));
    assert_eq!(anomaly.evidence.len(), 4);
    assert!(
        anomaly.why.zh.contains("同一姓名下 4 次活体未通过，当日允许 3 次"),
        "{}",
        anomaly.why.zh
    );
}

// ---- Hubei ------------------------------------------------------------------------------------

#[test]
fn hb_2_what_was_entered_afterwards_never_counts_and_a_late_arrival_is_no_late_making() {
    // The whole class after the lesson's end.
    let mut after = Scene::two_towns();
    morning(&mut after, "cd-1");
    after.state("03-02 12:00", class());
    assert_eq!(reasons(&after), [Reason::ClassLate]);
    // Midway: the morning is lost, the afternoon counts.
    let mut midway = Scene::two_towns();
    morning(&mut midway, "cd-1");
    midway.state("03-02 12:00", class());
    midway.add(comes("cd-1", "03-02 13:55", ANN).lesson("cd-pm"));
    midway.add(leaves("cd-1", "03-02 17:01", ANN).lesson("cd-pm"));
    let counted: Vec<_> = hours(&midway).attended().iter().map(Attended::counted).collect();
    assert_eq!(counted, [0, 180]);
    // An honest batch that was under way for two days counts.
    let mut late = scene("03-01 20:00");
    late.add(comes("cd-1", "03-02 08:25", ANN).lesson("cd-am").arrives("03-04 09:00"));
    late.add(leaves("cd-1", "03-02 11:35", ANN).lesson("cd-am").arrives("03-04 09:00"));
    assert_eq!(attended(&late).counted(), 180);
    // The same, made when the centre had already said that it was evening: the clock was set back.
    let mut made = scene("03-01 20:00");
    for told in [comes("cd-1", "03-02 08:25", ANN), leaves("cd-1", "03-02 11:35", ANN)] {
        let evening = Some(at("03-02 19:00"));
        made.add(told.lesson("cd-am").clock(ClockQuality::Synced, evening).arrives("03-04 09:00"));
    }
    let stay = attended(&made);
    assert_eq!((stay.counted(), stay.reasons), (0, vec![Reason::TimeNotProven]));
    // And it is flagged, once: a genuine terminal would have doubted its clock.
    let anomaly = made.one();
    assert_eq!(anomaly.kind, AnomalyKind::MadeAfterwards);
    assert!(
        anomaly
            .why
            .zh
            .contains("自称作于 2026-03-02 08:25，却载有中心 2026-03-02 19:00 签发的时间"),
        "{}",
        anomaly.why.zh
    );
    let mut doubtful = scene("03-01 20:00");
    let told = comes("cd-1", "03-02 08:25", ANN).lesson("cd-am");
    let evening = Some(at("03-02 19:00"));
    doubtful.add(told.clock(ClockQuality::Doubtful, evening).arrives("03-04 09:00"));
    assert_eq!(doubtful.judged(), [], "a dead battery is no fraud");
}

/// Both sides of the same evening: a terminal without a network, and the first time of the centre after it.
#[test]
fn hb_2_a_gap_that_was_filled_later_does_not_count_once_the_next_signed_time_proves_it() {
    let clock = |quality, wall: &str, minutes: u64, signed: &str| ClockEvidence {
        wall: at(wall),
        uptime: Uptime::from_ms(minutes * 60_000),
        boot: 7,
        signed: Some(at(signed)),
        quality,
    };
    // She comes and goes by a clock that runs on from yesterday; at 20:00 the network is back.
    let batch = |came: u64, left: u64, plugged_in: u64| {
        let mut scene = scene("03-01 20:00");
        let came = clock(ClockQuality::Holding, "03-02 08:25", came, "03-01 21:00");
        let left = clock(ClockQuality::Holding, "03-02 11:35", left, "03-01 21:00");
        let came = comes("cd-1", "03-02 08:25", ANN).clocked(came);
        scene.add(came.lesson("cd-am").arrives("03-02 20:01"));
        let left = leaves("cd-1", "03-02 11:35", ANN).clocked(left);
        scene.add(left.lesson("cd-am").arrives("03-02 20:01"));
        let before = scene.clone();
        let next = clock(ClockQuality::Synced, "03-02 20:00", plugged_in, "03-02 20:00");
        let next = tries("cd-1", "03-02 20:00", BEA, Outcome::NoLesson).clocked(next);
        scene.add(next.arrives("03-02 20:01"));
        (before, scene)
    };
    // Made in an outage: it has been running since 08:20.
    let (_, honest) = batch(5, 195, 700);
    assert_eq!(attended(&honest).counted(), 180);
    assert_eq!(honest.judged(), []);
    // Made in the evening by a program that lets its running time fit the clock, and forgot it at the end.
    let (before, made) = batch(5, 195, 200);
    assert_eq!(attended(&before).counted(), 180, "nothing but the next signed time tells");
    let stay = attended(&made);
    assert_eq!((stay.counted(), stay.reasons), (0, vec![Reason::TimeNotProven]));
    let anomaly = made.one();
    assert_eq!((anomaly.kind, anomaly.who), (AnomalyKind::TimeRefuted, vec![ANN]));
    // Made in the evening by a program that does not doubt a clock which is set back, and on again.
    let (_, hasty) = batch(5, 9, 15);
    assert_eq!(attended(&hasty).counted(), 0);
    assert_eq!(hasty.kinds()[0], AnomalyKind::MadeAfterwards, "it would have doubted");
}

#[test]
fn hb_6_who_was_not_seen_is_unknown_until_the_sites_terminals_have_told_all_or_the_grace_is_over() {
    let lesson_of = |hours: &Hours, id: &str| {
        hours.registry().lesson(&id.parse().unwrap()).unwrap().lesson.clone()
    };
    let standing = |scene: &Scene| {
        let hours = hours(scene);
        hours.unseen(&lesson_of(&hours, "cd-am"))
    };
    let mut scene = scene("03-01 20:00");
    morning(&mut scene, "cd-1");
    assert_eq!(standing(&scene), Unseen::Unknown, "the site's second terminal has told nothing");
    let mut told = scene.clone();
    told.add(tries("cd-2", "03-02 11:31", BEA, Outcome::AlreadyIn).arrives("03-02 12:00"));
    assert_eq!(standing(&told), Unseen::Absent);
    let mut early = scene.clone();
    early.add(tries("cd-2", "03-02 11:29", BEA, Outcome::AlreadyIn).arrives("03-02 12:00"));
    assert_eq!(standing(&early), Unseen::Unknown, "it may have more to tell");
    scene.state("03-09 11:29", Fact::Tick);
    assert_eq!(standing(&scene), Unseen::Unknown);
    scene.state("03-09 11:30", Fact::Tick);
    assert_eq!(standing(&scene), Unseen::Absent, "168 hours after the lesson");
}

#[test]
fn a_coming_without_a_going_does_not_count_and_is_shown_with_its_reason() {
    let mut scene = scene("03-01 20:00");
    scene.add(comes("cd-1", "03-02 08:25", ANN).lesson("cd-am"));
    assert_eq!(reasons(&scene), [Reason::OneMark]);
    let mut scene = self::scene("03-01 20:00");
    scene.add(leaves("cd-1", "03-02 11:31", ANN).lesson("cd-am"));
    scene.add(leaves("cd-1", "03-02 11:40", ANN).lesson("cd-am"));
    let stay = attended(&scene);
    assert_eq!((stay.minutes, stay.reasons), (None, vec![Reason::OneMark]));
}

#[test]
fn the_order_of_arrival_changes_no_hours() {
    let told = [
        comes("cd-1", "03-02 08:25", ANN).lesson("cd-am"),
        comes("cd-2", "03-02 08:40", ANN).lesson("cd-am"),
        leaves("cd-1", "03-02 11:20", ANN).lesson("cd-am"),
        leaves("cd-2", "03-02 11:35", ANN).lesson("cd-am"),
    ];
    // Those of one terminal come in their own order.
    for order in [[0, 1, 2, 3], [1, 3, 0, 2], [0, 2, 1, 3], [1, 0, 3, 2]] {
        let mut scene = scene("03-01 20:00");
        for place in order {
            scene.add(told[place].clone().arrives("03-02 20:00"));
        }
        assert_eq!(attended(&scene).counted(), 180, "{order:?}");
    }
}
