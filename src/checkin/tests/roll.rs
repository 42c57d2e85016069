//! Roll calls and people who come without a face.

use super::*;
use crate::record::dispatch::Ordered;

fn came(desk: &mut Desk, person: PersonId, time: &str) {
    desk.recall(Event::CheckIn, &"morning".parse().unwrap(), person, at(time));
}

fn unseen(person: PersonId, right: bool) -> Unseen {
    Unseen { person, staff: None, right }
}

#[test]
fn card_and_pin_come_and_go_like_a_face_and_no_scores_are_told() {
    let mut desk = desk();
    let checkin = desk.decide_unseen(&unseen(ANNA, true), at("08:25"));
    assert_eq!((checkin.event, checkin.outcome), (Event::CheckIn, Outcome::Accepted));
    assert_eq!((checkin.way, checkin.scores, checkin.staff), (Some(Way::Credential), None, None));
    desk.confirm(&checkin, at("08:25"));
    let again = desk.decide_unseen(&unseen(ANNA, true), at("08:26"));
    assert_eq!(again.outcome, Outcome::AlreadyIn);
    let out = desk.decide_unseen(&unseen(ANNA, true), at("11:20"));
    assert_eq!((out.event, out.outcome), (Event::CheckOut, Outcome::Accepted));
}

#[test]
fn wrong_pin_is_an_attempt_and_a_stranger_to_the_roster_is_told_so() {
    let desk = desk();
    let wrong = desk.decide_unseen(&unseen(ANNA, false), at("08:25"));
    assert_eq!((wrong.event, wrong.outcome), (Event::Attempt, Outcome::NotRecognised));
    let stranger = desk.decide_unseen(&unseen(STRANGER, true), at("08:25"));
    assert_eq!(stranger.outcome, Outcome::NotOnRoster);
}

#[test]
fn staff_confirms_by_name_and_what_the_policy_forbids_is_refused_on_record() {
    let desk = desk();
    let by_staff = Unseen { person: ANNA, staff: Some(STRANGER), right: false };
    let checkin = desk.decide_unseen(&by_staff, at("08:25"));
    assert_eq!((checkin.outcome, checkin.staff), (Outcome::Accepted, Some(STRANGER)));
    let strict = Numbers { by_pin: false, by_staff: false, ..numbers() };
    let plan = |desk: &Desk| desk.plans.clone();
    let strict = Desk::new(strict, plan(&desk));
    for one in [by_staff, unseen(ANNA, true)] {
        let refused = strict.decide_unseen(&one, at("08:25"));
        assert_eq!((refused.event, refused.outcome), (Event::Attempt, Outcome::RefusedByPolicy));
    }
}

#[test]
fn who_is_in_shows_her_face_once_in_a_roll_call_and_nobody_is_out_by_it() {
    let mut desk = desk();
    came(&mut desk, ANNA, "08:20");
    let lesson = desk.roll_can_be_called(at("10:00")).unwrap();
    assert_eq!(desk.roll_can_be_called(at("08:10")), None, "the lesson has not begun");
    desk.begin_roll_call(&lesson, None, at("10:00"));
    assert_eq!(desk.roll_can_be_called(at("10:01")), None, "one is on");
    assert_eq!(desk.room(at("10:01")), [(ANNA, Standing::Unseen), (BORIS, Standing::Missing)]);
    let here = decided(&desk, &anna(), None, "10:02");
    assert_eq!((here.event, here.outcome), (Event::Presence, Outcome::Accepted));
    desk.confirm(&here, at("10:02"));
    assert_eq!(decided(&desk, &anna(), None, "10:03").outcome, Outcome::AlreadyIn);
    assert_eq!(desk.room(at("10:03"))[0], (ANNA, Standing::In));
    // Who was not in was not asked, and comes late as ever; after it all is as before.
    let late = face(None, candidate(BORIS, 7_000), candidate(ANNA, 1_000));
    assert_eq!(decided(&desk, &late, None, "09:10").event, Event::CheckIn);
    assert!(desk.roll_call(at("10:10")).is_none());
    assert_eq!(decided(&desk, &anna(), None, "10:11").event, Event::CheckOut);
}

#[test]
fn roll_is_due_at_its_time_once_and_not_after_a_switched_off_terminal() {
    let mut desk = desk();
    desk.plan_spot_checks(|_| vec![at("09:10"), at("10:40")]);
    assert_eq!(desk.roll_is_due(at("09:09")), None);
    let due = desk.roll_is_due(at("09:11")).unwrap();
    desk.begin_roll_call(&due, None, at("09:11"));
    assert_eq!(desk.roll_is_due(at("09:11")), None);
    assert_eq!(desk.roll_is_due(at("09:30")), None);
    assert_eq!(desk.roll_is_due(at("10:50")), None, "its ten minutes are over");
    assert!(desk.roll_is_due(at("10:41")).is_some());
}

#[test]
fn times_of_roll_calls_follow_from_the_seed_and_lie_well_within_the_lesson() {
    let lesson = &desk().plans[0].lesson;
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let times = spot_checks(&[seed; 32], lesson, 3);
        assert_eq!(times, spot_checks(&[seed; 32], lesson, 3));
        assert!(times.is_sorted() && times.len() == 3);
        assert!(times.iter().all(|time| *time >= at("08:40") && *time < at("11:20")));
        firsts.insert(times[0]);
    }
    assert!(firsts.len() > 45, "another seed, other times");
    let short = Lesson { ends: lesson.starts.plus_ms(15 * MINUTE_MS), ..lesson.clone() };
    assert!(spot_checks(&[1; 32], &short, 3).is_empty());
}

fn ordered(number: u8, time: &str) -> Ordered {
    let lesson = "morning".parse().unwrap();
    Ordered { order: [number; 32], lesson, at: at(time), minutes: 5 }
}

#[test]
fn an_ordered_roll_call_begins_once_takes_the_place_of_one_that_is_on_and_lasts_as_ordered() {
    let mut desk = desk();
    came(&mut desk, ANNA, "08:20");
    let lesson = desk.roll_can_be_called(at("10:00")).unwrap();
    desk.begin_roll_call(&lesson, None, at("10:00"));
    let here = decided(&desk, &anna(), None, "10:01");
    desk.confirm(&here, at("10:01"));
    desk.set_orders(vec![ordered(7, "10:02")]);
    assert_eq!(desk.order_is_due(at("10:02")).map(|it| it.order), Some([7; 32]));
    desk.begin_roll_call(&lesson, Some([7; 32]), at("10:02"));
    assert_eq!(desk.order_is_due(at("10:02")), None, "once");
    assert_eq!(desk.room(at("10:03"))[0], (ANNA, Standing::Unseen), "she is asked anew");
    assert_eq!(desk.roll_call(at("10:02")).unwrap().minutes_left(at("10:02")), 5);
    assert!(desk.roll_call(at("10:07")).is_none());
    // Another plan, and a start of the terminal that finds it in the journal: still once.
    let plans = desk.plans.clone();
    desk.replan(numbers(), plans);
    assert_eq!(desk.order_is_due(at("10:04")), None);
}

#[test]
fn an_order_that_comes_too_late_or_for_another_lesson_begins_nothing() {
    let mut desk = desk();
    desk.set_orders(vec![ordered(7, "10:00")]);
    assert!(desk.order_is_due(at("10:04")).is_some());
    assert_eq!(desk.order_is_due(at("10:05")), None, "its five minutes are over");
    assert!(desk.order_is_due(at("09:55")).is_some(), "this clock is behind the centre's");
    desk.set_orders(vec![ordered(7, "08:20")]);
    assert_eq!(desk.order_is_due(at("08:21")), None, "the lesson has not begun");
    desk.set_orders(vec![Ordered { lesson: "evening".parse().unwrap(), ..ordered(7, "10:00") }]);
    assert_eq!(desk.order_is_due(at("10:00")), None);
}
