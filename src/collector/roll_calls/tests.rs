use std::sync::Arc;

use super::*;
use crate::domain::{
    Bilingual, ClockEvidence, ClockQuality, Event, GeoPoint, Lesson, Notice, NoticeKind, Outcome,
    PersonId, RollOrder, TerminalId, Uptime,
};
use crate::ledger::{Body, Entry};
use crate::platform::durable::{self, Access};
use crate::record::{Record, SealedHash};
use crate::registry::Registry;

fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("2026-03-02 {time}")).unwrap()
}

fn t1() -> TerminalId {
    "t-1".parse().unwrap()
}

fn lesson(id: &str, starts: &str, ends: &str) -> Fact {
    Fact::Lesson(Lesson {
        id: id.parse().unwrap(),
        class: "cook-a".parse().unwrap(),
        site: "s-1".parse().unwrap(),
        starts: at(starts),
        ends: at(ends),
    })
}

/// A terminal at a site with these lessons.
fn registry(lessons: Vec<Fact>) -> Registry {
    let name = || Bilingual::new("名", "name");
    let mut facts = vec![
        Fact::Site {
            id: "s-1".parse().unwrap(),
            institution: "i-1".parse().unwrap(),
            name: name(),
            town: name(),
            place: GeoPoint { latitude_e6: 0, longitude_e6: 0 },
        },
        Fact::Terminal { id: t1(), site: "s-1".parse().unwrap(), key: [7; 32] },
    ];
    facts.extend(lessons);
    let mut registry = Registry::default();
    for fact in facts {
        let body = Body::Fact(fact);
        registry.apply(&Entry { index: 0, committed_at: at("07:00"), body });
    }
    registry
}

fn wish() -> Wish {
    Wish {
        order: [9; 32],
        terminal: t1(),
        lesson: None,
        minutes: None,
        by: "示例监管科".into(),
        at: at("09:00"),
    }
}

// ---- may it be ordered ----------------------------------------------------------------------

#[test]
fn the_lesson_that_is_under_way_is_meant_and_the_policy_says_how_long() {
    let registry =
        registry(vec![lesson("morning", "08:30", "11:30"), lesson("afternoon", "13:30", "16:30")]);
    let order = judge(&registry, &wish(), 10, at("09:00")).unwrap();
    let expected = RollOrder {
        order: [9; 32],
        terminal: t1(),
        lesson: "morning".parse().unwrap(),
        minutes: 10,
        by: "示例监管科".into(),
    };
    assert_eq!(order, expected);
    let longer = Wish { minutes: Some(30), ..wish() };
    assert_eq!(judge(&registry, &longer, 10, at("09:00")).unwrap().minutes, 30);
}

#[test]
fn what_cannot_be_ordered_is_said_with_the_reason() {
    let two = || vec![lesson("one", "08:30", "11:30"), lesson("two", "08:30", "10:00")];
    let denied = |wish: Wish, lessons: Vec<Fact>, now: &str| {
        judge(&registry(lessons), &wish, 10, at(now)).unwrap_err().to_string()
    };
    let of = |id: &str| Wish { lesson: Some(id.parse().unwrap()), ..wish() };
    for (said, wish, lessons, now) in [
        (
            "there is no terminal t-9",
            Wish { terminal: "t-9".parse().unwrap(), ..wish() },
            two(),
            "09:00",
        ),
        ("no lesson is under way at site s-1 now", wish(), vec![], "09:00"),
        ("more than one lesson is under way there: one, two", wish(), two(), "09:00"),
        (
            "lesson two is not under way there now",
            Wish { at: at("10:00"), ..of("two") },
            two(),
            "10:00",
        ),
        ("lesson three is not under way there now", of("three"), two(), "09:00"),
        (
            "a roll call lasts 1 to 120 minutes, not 0",
            Wish { minutes: Some(0), ..of("one") },
            two(),
            "09:00",
        ),
        ("it was ordered 61 seconds ago", of("one"), two(), "09:01:01"),
        ("who orders it must be said", Wish { by: "  ".into(), ..of("one") }, two(), "09:00"),
        (
            "without an identity number",
            Wish { by: "11010519491231002X".into(), ..of("one") },
            two(),
            "09:00",
        ),
    ] {
        let found = denied(wish, lessons, now);
        assert!(found.contains(said), "{found}");
    }
    assert!(judge(&registry(two()), &of("two"), 10, at("09:00")).is_ok());
}

#[test]
fn a_wish_that_is_none_is_removed_and_does_not_stand_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let wishes = Wishes::open(folder.path()).unwrap();
    wishes.leave(&wish()).unwrap();
    let other = folder.path().join("roll-calls").join(format!("{}.wish.json", "0".repeat(64)));
    durable::write(&other, b"{}", Access::Owner).unwrap();
    assert_eq!(wishes.all().unwrap(), [wish()]);
    assert!(!other.exists());
    wishes.forget(&wish()).unwrap();
    wishes.forget(&wish()).unwrap();
    assert_eq!(wishes.all().unwrap(), []);
}

// ---- what came of it ------------------------------------------------------------------------

fn record(event: Event, person: Option<u8>, time: &str) -> Entry {
    let record = Record {
        terminal: t1(),
        seq: 1,
        prev: SealedHash::GENESIS,
        event,
        outcome: Some(Outcome::Accepted),
        lesson: Some("morning".parse().unwrap()),
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: at(time),
            uptime: Uptime::from_ms(1),
            boot: 1,
            signed: None,
            quality: ClockQuality::Holding,
        },
        pack: None,
        policy: "p/1".into(),
        firmware: "0".into(),
        gap: None,
        notice: None,
        staff: None,
    };
    let person = person.map(|n| PersonId([n; 16]));
    let (hash, record) = (SealedHash::GENESIS, Box::new(record));
    let body = Body::Record { record, hash, person, other: None };
    Entry { index: 0, committed_at: at(time), body }
}

fn changed(mut entry: Entry, change: impl FnOnce(&mut Record)) -> Entry {
    if let Body::Record { record, .. } = &mut entry.body {
        change(record);
    }
    entry
}

fn called(order: u8, time: &str) -> Entry {
    changed(record(Event::Notice, None, time), |record| {
        record.notice = Some(Notice { kind: NoticeKind::RollCalled, digest: Some([order; 32]) });
        record.outcome = None;
    })
}

fn protocol() -> Protocol {
    let registry = registry(vec![lesson("morning", "08:30", "11:30")]);
    Protocol::new(judge(&registry, &wish(), 10, at("09:00")).unwrap())
}

#[test]
fn who_was_in_is_asked_and_each_answer_is_told_once() {
    let mut protocol = protocol();
    let mut told = Vec::new();
    for entry in [
        record(Event::CheckIn, Some(1), "08:25"),
        record(Event::CheckIn, Some(2), "08:26"),
        record(Event::CheckIn, Some(3), "08:27"),
        record(Event::CheckOut, Some(3), "08:58"),
        called(9, "09:01"),
        record(Event::CheckIn, Some(4), "09:02"),
        record(Event::Presence, Some(1), "09:03"),
        record(Event::Presence, Some(1), "09:04"),
    ] {
        told.extend(protocol.take(&entry));
    }
    let person = |n| PersonId([n; 16]);
    assert_eq!(
        told,
        [
            Answer::Begun { at: at("09:01"), asked: 2 },
            Answer::Here { person: person(1), at: at("09:03") }
        ]
    );
    assert_eq!(protocol.awaited().collect::<Vec<_>>(), [&person(2)]);
    assert_eq!(protocol.begun, Some((at("09:01"), at("09:01"))));
}

#[test]
fn other_terminals_lessons_orders_and_failed_tries_answer_nothing() {
    let mut protocol = protocol();
    assert_eq!(protocol.take(&record(Event::CheckIn, Some(1), "08:25")), None);
    assert_eq!(protocol.take(&called(8, "09:01")), None, "another order");
    let elsewhere = changed(called(9, "09:01"), |it| it.terminal = "t-2".parse().unwrap());
    assert_eq!(protocol.take(&elsewhere), None);
    let before = record(Event::Presence, Some(1), "09:01");
    assert_eq!(protocol.take(&before), None, "it has not begun");
    assert!(protocol.take(&called(9, "09:02")).is_some());
    let failed = changed(record(Event::Attempt, Some(1), "09:03"), |it| {
        it.outcome = Some(Outcome::NotRecognised);
    });
    assert_eq!(protocol.take(&failed), None);
    let later = changed(record(Event::Presence, Some(1), "09:03"), |it| {
        it.lesson = Some("evening".parse().unwrap());
    });
    assert_eq!(protocol.take(&later), None);
    assert_eq!(protocol.awaited().count(), 1);
}

// ---- the running collector ------------------------------------------------------------------

#[test]
fn an_order_is_stated_once_also_when_the_collector_died_before_it_forgot_the_wish() {
    let folder = tempfile::tempdir().unwrap();
    let home = crate::collector::Home::create(folder.path()).unwrap();
    let projection = Projection::default();
    let broker = crate::collector::Broker {
        host: "127.0.0.1".into(),
        port: 1,
        client_id: "test".into(),
        login: None,
        tls: None,
    };
    let setup = crate::collector::Setup {
        broker,
        origin: "test".into(),
        limits: crate::ingest::Limits::default(),
        tick_ms: None,
    };
    let clock = Arc::new(crate::platform::clock::SystemClock::start());
    let now = clock.now();
    let hooks = projection.fed_by(crate::collector::Hooks::none());
    let collector = crate::collector::Collector::start(home, setup, clock, hooks).unwrap();
    let name = || Bilingual::new("名", "name");
    let key = crate::record::SigningKey::from_secret(&[1; 32]).verifying_key().to_bytes();
    let facts = vec![
        Fact::Site {
            id: "s-1".parse().unwrap(),
            institution: "i-1".parse().unwrap(),
            name: name(),
            town: name(),
            place: GeoPoint { latitude_e6: 0, longitude_e6: 0 },
        },
        Fact::Terminal { id: t1(), site: "s-1".parse().unwrap(), key },
        Fact::Lesson(Lesson {
            id: "morning".parse().unwrap(),
            class: "cook-a".parse().unwrap(),
            site: "s-1".parse().unwrap(),
            starts: now.plus_ms(-60_000),
            ends: now.plus_ms(3_600_000),
        }),
    ];
    collector.state(facts).unwrap();
    let wishes = Wishes::open(folder.path()).unwrap();
    let orders = Orders {
        projection: projection.clone(),
        wishes: wishes.clone(),
        minutes: 10,
        stater: collector.stater(),
    };
    let (wanted, refused) = (Wish { at: now, ..wish() }, Wish { order: [8; 32], ..wish() });
    wishes.leave(&wanted).unwrap();
    wishes.leave(&refused).unwrap();
    orders.look(now).unwrap();
    // As if the program had died before it removed the file.
    wishes.leave(&wanted).unwrap();
    orders.look(now).unwrap();
    assert_eq!(wishes.all().unwrap(), []);
    let stated = projection.ask(|registry| registry.roll_orders(&t1()).to_vec());
    assert_eq!(stated.len(), 1, "{stated:?}");
    assert_eq!(stated[0].order.order, [9; 32]);
    collector.stop().unwrap();
}
