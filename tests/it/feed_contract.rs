//! What every log of events promises, in SQLite and in PostgreSQL alike.

use std::slice::from_ref;
use std::sync::Arc;

use rollcall::collector::Store;
use rollcall::domain::{AnomalyKind, Severity};
use rollcall::feed::{
    ATTENDANCES_KEPT_MAX, Body, Event, Feed, Filter, Log, OpenError, PostgresLog, SqliteLog, Start,
    TerminalState,
};

use crate::support::postgres::database;
use crate::support::within_limit;
use crate::web_fixture::{
    anomalies, another_anomaly, attendance, attendances, chengdu, terminal, terminals,
};

/// How a law opens its log: for the first time, or again.
type Open<'o> = &'o dyn Fn() -> Box<dyn Log>;

/// Runs one law on both databases.
fn on_each(law: impl Fn(Open<'_>)) {
    on_each_keeping(ATTENDANCES_KEPT_MAX, rollcall::feed::ANOMALIES_KEPT_MAX, law);
}

fn on_each_keeping(attendances_max: u64, anomalies_max: u64, law: impl Fn(Open<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.sqlite");
    law(&|| Box::new(SqliteLog::open(&file).unwrap().keeping(attendances_max, anomalies_max)));
    let address = database().address();
    law(&|| Box::new(PostgresLog::open(&address).unwrap().keeping(attendances_max, anomalies_max)));
}

#[test]
fn judging_the_whole_ledger_again_announces_nothing_twice() {
    on_each(|open| {
        let mut log = open();
        let all: Vec<Body> = [anomalies(), attendances(), terminals()].concat();
        let first = log.announce(&all).unwrap();
        assert!(first.iter().all(Option::is_some));
        let day = "2026-03-02";
        let totals = log.totals(day).unwrap();
        drop(log);
        let mut log = open();
        assert!(log.announce(&all).unwrap().iter().all(Option::is_none));
        assert_eq!(log.totals(day).unwrap(), totals);
        assert_eq!(log.since(0, 1_000).unwrap().len(), all.len());
    });
}

#[test]
fn newest_state_of_a_terminal_replaces_the_former_under_a_new_number() {
    on_each(|open| {
        let mut log = open();
        let online = terminal("cd-east-01", chengdu(), TerminalState::Online, 0, 1);
        let full = terminal("cd-east-01", chengdu(), TerminalState::Full, 900, 1);
        assert_eq!(log.announce(from_ref(&online)).unwrap(), [Some(1)]);
        assert_eq!(log.announce(from_ref(&online)).unwrap(), [None], "the same again says nothing");
        assert_eq!(log.announce(from_ref(&full)).unwrap(), [Some(2)]);
        assert_eq!(log.since(0, 10).unwrap(), [Event { id: 2, body: full }]);
        let totals = log.totals("2026-03-02").unwrap();
        assert_eq!((totals.terminals, totals.terminals_online), (1, 0));
        assert_eq!(log.announce(&[online]).unwrap(), [Some(3)], "and back again is news");
    });
}

#[test]
fn the_shipped_bound_is_kept() {
    on_each(|open| {
        let mut log = open();
        let more = ATTENDANCES_KEPT_MAX + 7;
        log.announce(&(0..more).map(attendance).collect::<Vec<_>>()).unwrap();
        let kept = log.since(0, u64::MAX).unwrap();
        assert_eq!(u64::try_from(kept.len()).unwrap(), ATTENDANCES_KEPT_MAX);
        assert_eq!(kept[0].id, 8, "the oldest went");
    });
}

#[test]
fn anomalies_are_paged_without_a_hole_and_filtered() {
    on_each(|open| {
        let mut log = open();
        log.announce(&anomalies()).unwrap();
        let mut ids = Vec::new();
        let mut before = None;
        loop {
            let page = log.anomalies(before, 5, Filter::default()).unwrap();
            ids.extend(page.events.iter().map(|event| event.id));
            before = page.older;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(ids, (1..=12).rev().collect::<Vec<u64>>());
        let alarms = Filter { severity: Some(Severity::Alarm), kind: None };
        assert_eq!(log.anomalies(None, 50, alarms).unwrap().events.len(), 6);
        let replayed = Filter { severity: None, kind: Some(AnomalyKind::Replayed) };
        assert_eq!(log.anomalies(None, 50, replayed).unwrap().events.len(), 1);
    });
}

#[test]
fn a_log_is_the_same_after_a_restart_and_two_logs_can_be_told_apart() {
    let mut names = Vec::new();
    let seen = std::cell::RefCell::new(&mut names);
    on_each(|open| {
        let mut log = open();
        log.announce(&attendances()).unwrap();
        let (id, head) = (log.id().clone(), log.head().unwrap());
        assert!(log.can_resume(head).unwrap() && !log.can_resume(head + 1).unwrap());
        drop(log);
        let log = open();
        assert_eq!((log.id(), log.head().unwrap()), (&id, head));
        seen.borrow_mut().push(id);
    });
    assert_ne!(names[0], names[1]);
}

#[test]
fn the_state_of_a_terminal_that_changes_within_one_call_stands_as_it_was_last() {
    on_each(|open| {
        let mut log = open();
        let state = |waiting| terminal("cd-east-01", chengdu(), TerminalState::Online, waiting, 1);
        log.announce(&[state(1)]).unwrap();
        let told = log.announce(&[state(2), state(2), attendance(1), state(3), state(2)]).unwrap();
        assert_eq!(told, [Some(2), None, Some(3), Some(4), Some(5)]);
        let standing = [Event { id: 3, body: attendance(1) }, Event { id: 5, body: state(2) }];
        assert_eq!(log.since(0, 10).unwrap(), standing);
        assert_eq!(log.head().unwrap(), 5);
    });
}

#[test]
fn of_an_event_that_comes_twice_in_one_call_one_is_announced_and_counted() {
    on_each(|open| {
        let mut log = open();
        let told = log.announce(&[attendance(1), another_anomaly(1), attendance(1)]).unwrap();
        assert_eq!(told, [Some(1), Some(2), None]);
        assert_eq!(log.announce(&[]).unwrap(), []);
        assert_eq!(log.since(0, 10).unwrap().len(), 2);
    });
}

#[test]
fn what_is_forgotten_is_not_announced_again_and_nobody_resumes_before_it() {
    on_each_keeping(10, 5, |open| {
        let mut log = open();
        log.announce(&attendances()).unwrap();
        log.announce(&anomalies()).unwrap();
        let head = log.head().unwrap();
        let kept = log.since(0, 1_000).unwrap();
        let of = |kind: &str| kept.iter().filter(|event| event.body.kind() == kind).count();
        assert_eq!((of("attendance"), of("anomaly")), (10, 5));
        let again = log.announce(&[attendances(), anomalies()].concat()).unwrap();
        assert!(again.iter().all(Option::is_none), "{again:?}");
        assert_eq!(log.head().unwrap(), head);
        assert!(log.can_resume(head).unwrap() && !log.can_resume(3).unwrap());
        let totals = log.totals("2026-03-02").unwrap();
        assert_eq!(totals.alarms + totals.warnings + totals.notices, 12, "all are still counted");
    });
}

#[test]
fn a_snapshot_holds_the_newest_and_says_from_where_to_read_on() {
    on_each(|open| {
        let mut log = open();
        log.announce(&terminals()).unwrap();
        let many: Vec<Body> = (0..200).flat_map(|i| [another_anomaly(i), attendance(i)]).collect();
        log.announce(&many).unwrap();
        let snapshot = log.snapshot().unwrap();
        assert_eq!((&snapshot.log, snapshot.cursor), (log.id(), 403));
        assert_eq!(snapshot.events.len(), 100 + 50 + 3);
        assert!(snapshot.events.is_sorted_by_key(|event| event.id));
        assert_eq!(log.since(snapshot.cursor, 10).unwrap(), []);
    });
}

/// Who reads on while the database ends the connection misses nothing.
#[test]
fn a_feed_in_postgresql_is_followed_across_broken_connections() {
    let database = database();
    let feed = Store::Postgres(database.address()).open_feed().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (start, mut reader) = runtime.block_on(feed.subscribe(Some(0))).unwrap();
    assert!(matches!(start, Start::Resumed(_)));
    for round in 0..3 {
        let told = |feed: &Arc<Feed>| feed.announce(&[attendance(round)]);
        if round == 1 {
            database.run(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
            // The call that meets the broken connection may fail; the next one says it.
            if told(&feed).is_err() {
                told(&feed).unwrap();
            }
        } else {
            told(&feed).unwrap();
        }
        let event = runtime.block_on(within_limit("the event comes", reader.next()));
        assert_eq!(event.unwrap().unwrap().body, attendance(round));
    }
}

#[test]
fn a_log_of_a_newer_program_in_postgresql_is_refused_with_a_hint() {
    let database = database();
    drop(PostgresLog::open(&database.address()).unwrap());
    database.run("UPDATE feed.state SET version = 9");
    let error = PostgresLog::open(&database.address()).unwrap_err();
    assert!(matches!(error, OpenError::Version { found: 9, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("run the newer program"), "{error}");
}
