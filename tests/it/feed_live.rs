//! Who follows the feed misses nothing and sees nothing twice, whatever breaks in between.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rollcall::feed::{
    Body, Event, Feed, Log, OpenError, SNAPSHOT_ANOMALIES_MAX, SNAPSHOT_ATTENDANCES_MAX, SqliteLog,
    Start, Subscription, TerminalState,
};
use rollcall::platform::telemetry::Class;
use serde_json::json;

use crate::web_fixture::{
    anomalies, another_anomaly, attendance, attendances, chengdu, terminal, terminals,
};

/// Fails with a sentence instead of waiting for ever.
async fn next(subscription: &mut Subscription) -> Event {
    tokio::time::timeout(Duration::from_secs(20), subscription.next())
        .await
        .expect("the next event comes")
        .expect("the log can be read")
        .expect("the feed is open")
}

async fn resume(feed: &Arc<Feed>, after: u64) -> Subscription {
    let (start, subscription) = feed.subscribe(Some(after)).await.unwrap();
    assert!(matches!(start, Start::Resumed(_)), "a known number resumes, got {start:?}");
    subscription
}

fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("feed.sqlite")
}

#[tokio::test]
async fn reader_that_reconnects_misses_nothing_and_repeats_nothing_also_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    let mut announced = Vec::new();
    let mut seen = Vec::new();
    let mut last = 0;
    for round in 0..12 {
        let bodies: Vec<Body> = (0..25).map(|i| attendance(round * 25 + i)).collect();
        announced.extend(feed.announce(&bodies).unwrap().into_iter().flatten());
        // Breaks off after a number of events that differs each round, mostly in their middle.
        let mut subscription = resume(&feed, last).await;
        let behind = announced.len() - seen.len();
        for _ in 0..behind.min(7 + 5 * usize::try_from(round).unwrap() % 23) {
            let event = next(&mut subscription).await;
            last = event.id;
            seen.push(event.id);
        }
        drop(subscription);
        if round % 3 == 2 {
            drop(feed);
            feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
        }
    }
    let mut subscription = resume(&feed, last).await;
    while seen.len() < announced.len() {
        seen.push(next(&mut subscription).await.id);
    }
    assert_eq!(announced.len(), 300);
    assert_eq!(seen, announced);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_reader_gets_each_event_once_while_thousands_are_announced() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    let mut slow = resume(&feed, 0).await;
    let mut fast = resume(&feed, 0).await;
    let announcer = Arc::clone(&feed);
    let announcing = tokio::task::spawn_blocking(move || {
        for batch in 0..60 {
            let bodies: Vec<Body> = (0..50).map(|i| attendance(batch * 50 + i)).collect();
            announcer.announce(&bodies).unwrap();
        }
    });
    for id in 1..=3_000 {
        assert_eq!(next(&mut fast).await.id, id);
    }
    announcing.await.unwrap();
    // This one reads nothing until all is over, far more than it takes at once.
    for id in 1..=3_000 {
        assert_eq!(next(&mut slow).await.id, id);
    }
}

#[tokio::test]
async fn reader_is_told_a_new_state_although_an_older_number_vanished() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    let state = |waiting| terminal("cd-east-01", chengdu(), TerminalState::Online, waiting, 1);
    feed.announce(&[state(1)]).unwrap();
    let mut subscription = resume(&feed, 0).await;
    feed.announce(&[state(2)]).unwrap();
    assert_eq!(next(&mut subscription).await, Event { id: 2, body: state(2) });
    feed.announce(&[state(3)]).unwrap();
    assert_eq!(next(&mut subscription).await, Event { id: 3, body: state(3) });
}

#[tokio::test]
async fn new_reader_gets_the_newest_and_then_everything_after() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    feed.announce(&terminals()).unwrap();
    let many: Vec<Body> = (0..500).flat_map(|i| [another_anomaly(i), attendance(i)]).collect();
    feed.announce(&many).unwrap();
    let (start, mut subscription) = feed.subscribe(None).await.unwrap();
    let Start::Fresh(snapshot) = start else { panic!("a new reader gets a snapshot") };
    assert_eq!(snapshot.cursor, 1_003);
    let of = |kind: &str| {
        u64::try_from(snapshot.events.iter().filter(|e| e.body.kind() == kind).count()).unwrap()
    };
    assert_eq!(of("anomaly"), SNAPSHOT_ANOMALIES_MAX);
    assert_eq!(of("attendance"), SNAPSHOT_ATTENDANCES_MAX);
    assert_eq!(of("terminal"), 3);
    assert!(snapshot.events.is_sorted_by_key(|event| event.id));
    feed.announce(&[another_anomaly(900)]).unwrap();
    assert_eq!(next(&mut subscription).await.id, 1_004);
}

#[tokio::test]
async fn number_of_another_log_gets_a_snapshot_instead_of_silence() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    feed.announce(&attendances()).unwrap();
    let (start, _) = feed.subscribe(Some(31)).await.unwrap();
    assert!(matches!(start, Start::Fresh(_)), "the log ends at 30");
    let other = tempfile::tempdir().unwrap();
    let other = Feed::of(Box::new(SqliteLog::open(&file(&other)).unwrap()));
    assert_ne!(feed.log_id(), other.log_id(), "a reader can tell two logs apart");
}

#[tokio::test]
async fn what_is_forgotten_is_neither_announced_again_nor_silently_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let small = || SqliteLog::open(&file(&folder)).unwrap().keeping(10, 5);
    let feed = Feed::of(Box::new(small()));
    feed.announce(&attendances()).unwrap();
    feed.announce(&anomalies()).unwrap();
    drop(feed);

    let mut log = small();
    let readable = log.since(0, 1_000).unwrap();
    assert_eq!(readable.len(), 15, "ten attendances and five anomalies stay");
    assert!(log.announce(&attendances()).unwrap().iter().all(Option::is_none));
    assert!(log.announce(&anomalies()).unwrap().iter().all(Option::is_none));
    let totals = log.totals("2026-03-02").unwrap();
    assert_eq!(totals.alarms + totals.warnings + totals.notices, 12, "the counts forget nothing");
    assert_eq!(totals.attendances, 22);

    let feed = Feed::of(Box::new(log));
    let (start, _) = feed.subscribe(Some(3)).await.unwrap();
    assert!(matches!(start, Start::Fresh(_)), "what followed 3 was forgotten");

    // A reader that falls behind what is kept is ended, so that it comes back for a snapshot.
    let mut behind = resume(&feed, feed.head()).await;
    feed.announce(&(100..130).map(attendance).collect::<Vec<_>>()).unwrap();
    assert_eq!(behind.next().await.unwrap(), None);
}

#[tokio::test]
async fn closing_the_feed_ends_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let feed = Feed::of(Box::new(SqliteLog::open(&file(&folder)).unwrap()));
    let mut subscription = resume(&feed, 0).await;
    feed.close();
    assert_eq!(subscription.next().await.unwrap(), None);
}

#[test]
fn log_of_a_newer_program_and_a_file_that_is_no_log_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(file(&folder)).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    let error = SqliteLog::open(&file(&folder)).unwrap_err();
    assert!(matches!(error, OpenError::Version { found: 9, .. }));
    assert!(error.to_string().contains("run the newer program"), "{error}");

    let picture = folder.path().join("picture.sqlite");
    rollcall::platform::durable::write(
        &picture,
        &[0x89; 4_096],
        rollcall::platform::durable::Access::Everyone,
    )
    .unwrap();
    for path in [picture.as_path(), Path::new("/nonexistent/feed.sqlite")] {
        let error = SqliteLog::open(path).unwrap_err();
        assert_eq!((error.code(), error.class()), ("feed_open", Class::Permanent), "{error}");
    }
}

#[test]
fn names_in_the_json_are_those_of_the_specification() {
    let [anomaly, attendance, terminal] =
        [anomalies().remove(2), attendance(4), terminals().remove(2)];
    let json = |id, body| serde_json::to_value(Event { id, body }).unwrap();
    let place = |site: (&str, &str), town: (&str, &str), school: (&str, &str)| {
        json!({
            "institution": { "zh": school.0, "en": school.1 },
            "site": { "zh": site.0, "en": site.1 },
            "town": { "zh": town.0, "en": town.1 },
        })
    };
    let mianyang = place(
        ("实训楼", "Workshop building"),
        ("绵阳", "Mianyang"),
        ("涪城技工培训中心", "Fucheng Skills Centre"),
    );
    let chengdu = place(
        ("东门教学点", "East Gate site"),
        ("成都", "Chengdu"),
        ("锦江职业培训学校", "Jinjiang Vocational School"),
    );
    let role = json!({ "zh": "学员", "en": "trainee" });
    assert_eq!(
        json(7, anomaly.clone()),
        json!({
            "id": 7,
            "type": "anomaly",
            "anomaly": "946c545328403c9f2719434b78e4a8a2",
            "kind": "proxy_shared_face",
            "severity": "alarm",
            "at_ms": 1_772_412_242_000_i64,
            "committed_ms": 1_772_412_243_400_i64,
            "who": [{ "role": role, "name": "陈志强" }, { "role": role, "name": "郑国栋" }],
            "where": chengdu,
            "terminals": ["cd-east-01"],
            "why": {
                "zh": "同一张脸在 12 分钟内以两个姓名签到，相似度 0.83。",
                "en": "One face checked in under two names within 12 minutes; similarity 0.83.",
            },
            "evidence": [
                { "index": 5, "hash": "5dee4dd6", "what": { "zh": "签到", "en": "check-in" } },
                { "index": 6, "hash": "14ac577c", "what": { "zh": "签到，同脸", "en": "check-in, same face" } },
            ],
            "policy": "sichuan-2025/1",
            "rule": 1,
            "inputs": { "clock_tolerance_s": "120" },
            "ledger": { "first": 0, "last": 6 },
        })
    );
    assert_eq!(
        json(8, attendance.clone()),
        json!({
            "id": 8,
            "type": "attendance",
            "index": 4,
            "at_ms": 1_772_431_567_000_i64,
            "person": "赵丽娟",
            "terminal": "my-shop-01",
            "where": mianyang,
            "lesson": { "zh": "电工基础 1 班", "en": "Electrician 1" },
            "event": "check_in",
            "outcome": "accepted",
            "late_minutes": 12,
        })
    );
    assert_eq!(
        json(9, terminal.clone()),
        json!({
            "id": 9,
            "type": "terminal",
            "terminal": "my-shop-01",
            "where": mianyang,
            "state": "clock_doubtful",
            "waiting": 12,
            "last": { "seq": 27, "at_ms": 1_772_439_120_000_i64 },
        })
    );
    for body in [anomaly, attendance, terminal] {
        let event = Event { id: 3, body };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "and back again");
    }
}
