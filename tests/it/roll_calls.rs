//! A roll call that is ordered at the centre: the real program at the centre, a real Mosquitto, and a
//! terminal whose door obeys. Whoever ordered sees each answer as it comes.

use std::process::{Child, Command, Stdio};

use rollcall::checkin::{Settings, Unseen};
use rollcall::domain::{Event, Fact, NoticeKind, Outcome, PersonId, Policy};
use rollcall::face::{Gallery, RuntimeChoice};
use rollcall::kiosk::Console;
use rollcall::ledger::Body;
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::terminal::{Answer, Door, SitePlan, numbers};

use crate::dispatch::{Room, person, school, text};
use crate::face_data::opened;
use crate::support::town::Town;
use crate::support::{fine, refused, within_limit};

/// `rollcall collector roll-call …`, not waited for.
fn ordered(town: &Town, more: &[&str]) -> Child {
    let config = town.config();
    Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["collector", "roll-call", "--config", text(&config), "--by", "示例监管科"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn door(plan: &SitePlan) -> (Door, rollcall::checkin::Settings) {
    let pipeline = opened(RuntimeChoice::Auto);
    let thresholds = pipeline.thresholds().unwrap();
    let settings = Settings::default();
    let numbers = numbers(&Policy::sichuan_2025(), thresholds, &settings, 0);
    let gallery = Gallery::new(pipeline.embedding_digest());
    let screen = Box::new(Console::new("t-101"));
    (Door::new(numbers, plan.plans.clone(), gallery, thresholds, screen), settings)
}

/// Comes by card and PIN; what is recorded.
fn comes(door: &mut Door, room: &Room, person: PersonId) -> (Event, Outcome) {
    let clock = SystemClock::start();
    let unseen = Unseen { person, staff: None, right: true };
    let answer = door.unseen(&room.terminal, &clock, &unseen).unwrap();
    let Answer::Stored { checkin, .. } = answer else { panic!("{answer:?}") };
    (checkin.event, checkin.outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_reaches_the_terminal_and_each_answer_is_seen_at_the_centre() {
    let mut town = Town::founded();
    school(&town);
    town.start_broker();
    town.start_collector();
    fine(&town.init("t-101", &town.token("t-101")));
    let mut room = Room::open(&town, "t-101");
    let plan = room.plan("the class is there", |plan| plan.people.len() == 4).await;
    assert!(plan.spot_seed.is_some(), "times of roll calls follow from what the centre knows");
    let (mut door, settings) = door(&plan);
    let [one, two] = ["示例学员一", "示例学员二"].map(|name| person(&plan, name));
    for trainee in [one, two] {
        assert_eq!(comes(&mut door, &room, trainee), (Event::CheckIn, Outcome::Accepted));
    }
    room.terminal.drained().await;
    let child = ordered(&town, &["--terminal", "t-101", "--minutes", "5"]);
    let plan = room.plan("the order comes", |plan| !plan.orders.is_empty()).await;
    let pipeline = opened(RuntimeChoice::Auto);
    let thresholds = pipeline.thresholds().unwrap();
    let policy = plan.policy.as_deref().unwrap();
    door.replan(numbers(policy, thresholds, &settings, 0), &plan);
    let now = SystemClock::start().now();
    assert!(door.obey(&room.terminal, now).unwrap().is_some());
    assert!(door.obey(&room.terminal, now).unwrap().is_none(), "once");
    for trainee in [one, two] {
        assert_eq!(comes(&mut door, &room, trainee), (Event::Presence, Outcome::Accepted));
    }
    let said = tokio::task::block_in_place(|| fine(&child.wait_with_output().unwrap()));
    for words in ["限时 5 分钟", "应到 2 人", "在场 here: 示***一", "示***二", "已到镜头前 2 人"]
    {
        assert!(said.contains(words), "{words} in {said}");
    }
    // The ledger alone says it: the order, and a record of the terminal that names it.
    let order = town.facts().into_iter().find_map(|fact| {
        let Fact::RollOrdered(order) = fact else { return None };
        Some(order)
    });
    let order = order.unwrap();
    assert_eq!((order.by.as_str(), order.minutes), ("示例监管科", 5));
    let called = town.ledger().into_iter().find_map(|entry| match entry.body {
        Body::Record { record, .. } => {
            record.notice.filter(|notice| notice.kind == NoticeKind::RollCalled)
        }
        Body::Refused { .. } | Body::Fact(_) => None,
    });
    assert_eq!(called.and_then(|notice| notice.digest), Some(order.order));
    room.close().await;

    // A terminal that does not answer is out of reach, and that is said.
    let child = ordered(&town, &["--terminal", "t-101", "--wait", "1"]);
    let out = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
    refused(&out, 1, &["could not reach the terminal 联系不上", "t-101 gave no answer in 1 s"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ordered_is_told_and_leaves_nothing_behind() {
    let mut town = Town::founded();
    fine(&town.terminal("add", &["--id", "t-101", "--site", "s-1"]));
    let ask = |more: &[&str]| ordered(&town, more).wait_with_output().unwrap();
    refused(&ask(&["--terminal", "t-101"]), 2, &["there is no terminal t-101", "terminal list"]);
    town.start_broker();
    town.start_collector();
    fine(&town.init("t-102", &town.token("t-102")));
    let room = Room::open(&town, "t-102");
    let ask = |more: &[&str]| ordered(&town, more).wait_with_output().unwrap();
    refused(&ask(&["--terminal", "t-102"]), 2, &["no lesson is under way at site s-1"]);
    within_limit("it ends", room.close()).await;
    town.stop_collector();
    school(&town);
    let ask = |more: &[&str]| ordered(&town, more).wait_with_output().unwrap();
    refused(&ask(&["--terminal", "t-102"]), 3, &["no collector runs here", "collector run"]);
    let lesson = ["--terminal", "t-102", "--lesson", "cook-a-9"];
    refused(&ask(&lesson), 2, &["lesson cook-a-9 is not under way"]);
    let left = std::fs::read_dir(town.data().join("roll-calls")).unwrap();
    assert_eq!(left.count(), 0);
    assert!(!town.facts().iter().any(|fact| matches!(fact, Fact::RollOrdered(_))));
}
