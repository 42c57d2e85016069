//! What honest life looks like raises nothing; what is raised does not hang on the order of arrival.

use std::collections::BTreeSet;

use rollcall::domain::{AnomalyKind, Fact, Outcome, PersonId, Policy};
use rollcall::ledger::{Body, Entry};
use rollcall::rules::Judge;

use crate::rules_scene::{ANN, BEA, Scene, Told, at, comes, leaves, tries};

fn trainee(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// A class of twelve through a day with three lessons, with all that happens to honest people.
#[test]
fn an_honest_day_raises_nothing() {
    let mut scene = Scene::two_towns();
    for n in 1..=12 {
        // Nobody comes on the minute.
        let time = format!("03-02 08:{:02}:{:02}", 20 + n, u32::from(n) * 37 % 60);
        scene.add(comes("cd-1", &time, trainee(n)).lesson("cd-am"));
    }
    // Comes before the door opens, then in time; a second look changes nothing.
    scene.add(tries("cd-1", "03-02 08:33", trainee(13), Outcome::TooEarly));
    scene.add(comes("cd-1", "03-02 08:34", trainee(13)).lesson("cd-am"));
    scene.add(tries("cd-1", "03-02 08:35", trainee(13), Outcome::AlreadyIn));
    // A late comer, and one for whom the door had closed.
    scene.add(comes("cd-1", "03-02 08:58", trainee(14)).lesson("cd-am"));
    scene.add(tries("cd-1", "03-02 09:10", trainee(15), Outcome::TooLate));
    // One whose card was mistyped and whose face the camera did not know at first.
    scene.add(tries("cd-1", "03-02 09:11", trainee(1), Outcome::NotRecognised).claimed(2900));
    scene.state("03-02 10:00", Fact::Tick);
    // Two forget to check out.
    for n in 1..=10 {
        scene.add(leaves("cd-1", &format!("03-02 11:{:02}", 30 + n), trainee(n)).lesson("cd-am"));
    }
    // The evening class that the timetable knows, into the night.
    for n in 1..=8 {
        scene.add(comes("cd-1", &format!("03-02 18:{:02}", 40 + n), trainee(n)).lesson("cd-eve"));
    }
    for n in 1..=8 {
        scene.add(leaves("cd-1", &format!("03-02 22:{:02}", n), trainee(n)).lesson("cd-eve"));
    }
    // The other town's terminal was offline for its lesson: its batch comes hours later.
    for n in 21..=28 {
        let came = comes("my-1", &format!("03-02 08:{n}"), trainee(n)).lesson("my-am");
        scene.add(came.arrives("03-02 23:00"));
    }
    for n in 21..=28 {
        let left = leaves("my-1", &format!("03-02 11:{n}"), trainee(n)).lesson("my-am");
        scene.add(left.arrives("03-02 23:00"));
    }
    // One who has a lesson in the other town on the next day.
    scene.state(
        "03-03 07:00",
        crate::rules_scene::lesson("my-2", "my", "03-03 08:30", "03-03 11:30"),
    );
    scene.add(comes("my-1", "03-03 08:20", trainee(1)).lesson("my-2"));
    assert_eq!(scene.judged(), []);
}

/// The ledger holds an exact duplicate only once; a collector that starts over hands the same
/// stretch to the rules again.
#[test]
fn judging_the_same_stretch_again_raises_nothing_again() {
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    let mut judge = Judge::new(Policy::sichuan_2025());
    let first: Vec<_> = scene.entries().iter().flat_map(|entry| judge.judge(entry)).collect();
    assert_eq!(first.len(), 1);
    let again: Vec<_> = scene.entries().iter().flat_map(|entry| judge.judge(entry)).collect();
    assert_eq!(again, []);
    assert_eq!(judge.next(), u64::try_from(scene.entries().len()).unwrap());
}

#[test]
fn the_same_ledger_gives_the_same_anomalies() {
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    scene.add(leaves("my-1", "03-02 14:10", ANN).lesson("my-am"));
    scene.add(tries("cd-1", "03-03 03:12", BEA, Outcome::NoLesson));
    assert_eq!(scene.judged(), scene.judged());
    assert_eq!(scene.judged().len(), 3);
}

/// All ways to interleave two lists, each in its own order.
fn interleavings(one: &[Told], other: &[Told]) -> Vec<Vec<Told>> {
    match (one.split_first(), other.split_first()) {
        (None, _) => vec![other.to_vec()],
        (_, None) => vec![one.to_vec()],
        (Some((a, rest_a)), Some((b, rest_b))) => {
            let with = |first: &Told, rest: Vec<Vec<Told>>| {
                rest.into_iter()
                    .map(|tail| std::iter::once(first.clone()).chain(tail).collect())
                    .collect::<Vec<Vec<Told>>>()
            };
            let mut all = with(a, interleavings(rest_a, other));
            all.extend(with(b, interleavings(one, rest_b)));
            all
        }
    }
}

/// Two terminals were offline for the day; whichever speaks first, the same is raised about the
/// same persons.
#[test]
fn the_order_of_arrival_does_not_change_what_is_raised_about_whom() {
    let here = [
        comes("cd-1", "03-02 08:00", ANN).lesson("cd-am"),
        leaves("cd-1", "03-02 12:20", ANN).lesson("cd-am"),
        comes("cd-1", "03-02 13:30", BEA).lesson("cd-pm"),
        leaves("cd-1", "03-02 19:10", BEA).lesson("cd-pm"),
        tries("cd-1", "03-03 03:12", BEA, Outcome::NoLesson),
    ];
    let there = [
        comes("my-1", "03-02 08:35", ANN).lesson("my-am"),
        comes("my-1", "03-02 08:40", BEA).lesson("my-am"),
        leaves("my-1", "03-02 11:35", ANN).lesson("my-am"),
        leaves("my-1", "03-02 11:40", BEA).lesson("my-am"),
    ];
    let orders = interleavings(&here, &there);
    assert_eq!(orders.len(), 126);
    let raised: BTreeSet<BTreeSet<(AnomalyKind, Vec<PersonId>)>> = orders
        .into_iter()
        .map(|order| {
            let mut scene = Scene::two_towns();
            for told in order {
                scene.add(told.arrives("03-03 09:00"));
            }
            scene.judged().into_iter().map(|anomaly| (anomaly.kind, anomaly.who)).collect()
        })
        .collect();
    let expected: BTreeSet<_> = [
        (AnomalyKind::MultiDevice, vec![ANN]),
        (AnomalyKind::ExcessHours, vec![BEA]),
        (AnomalyKind::OffTimetable, vec![BEA]),
    ]
    .into();
    assert_eq!(raised, BTreeSet::from([expected]));
}

/// A check-in at one terminal of the site, the check-out at its neighbour, which delivers first.
#[test]
fn hours_are_paired_across_terminals_in_either_order() {
    let came = comes("cd-1", "03-02 14:02", ANN).lesson("cd-pm").arrives("03-02 23:00");
    let left = leaves("cd-2", "03-02 19:40", ANN).lesson("cd-pm").arrives("03-02 23:00");
    for order in [[came.clone(), left.clone()], [left, came]] {
        let mut scene = Scene::two_towns();
        for told in order {
            scene.add(told);
        }
        assert_eq!(scene.one().kind, AnomalyKind::ExcessHours);
    }
}

/// Any number may stand in a record of a terminal that lies; rules say nothing and never panic.
#[test]
fn numbers_that_no_calendar_holds_break_nothing() {
    let mut scene = Scene::two_towns();
    for wall_ms in [i64::MIN, i64::MAX, 0] {
        for signed in [None, Some(i64::MIN), Some(i64::MAX)] {
            let mut wild = comes("cd-1", "03-02 08:40", ANN).lesson("cd-am").arrives("03-02 09:00");
            wild.record.clock.wall = rollcall::domain::Timestamp::from_ms(wall_ms);
            wild.record.clock.signed = signed.map(rollcall::domain::Timestamp::from_ms);
            scene.add(wild.clone());
            wild.record.event = rollcall::domain::Event::CheckOut;
            scene.add(wild);
        }
    }
    scene.judged();
    let far =
        Entry { index: u64::MAX, committed_at: at("03-02 09:00"), body: Body::Fact(Fact::Tick) };
    let mut judge = Judge::new(Policy::sichuan_2025());
    assert_eq!(judge.judge(&far), []);
}
