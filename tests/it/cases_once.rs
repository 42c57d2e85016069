//! An anomaly is stored once, however often the ledger is judged, and whoever else stores: in SQLite and
//! in PostgreSQL alike.

use std::thread;

use rollcall::cases::{
    Cases, Found, OpenError, PAGE_CASES_MAX, PostgresCases, ReadError, SqliteCases,
};
use rollcall::collector::Store;
use rollcall::domain::{
    Anomaly, AnomalyId, AnomalyKind, LedgerRange, Outcome, Policy, Refusal, Severity,
};
use rollcall::platform::durable;
use rollcall::rules::Judge;
use rusqlite::Connection;

use crate::rules_scene::{ANN, BEA, Scene, comes, tries};
use crate::support::postgres::database;

/// Runs one law on both databases, each still empty.
fn on_each_store(law: impl Fn(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    law(&Store::files(folder.path()));
    law(&Store::Postgres(database().address()));
}

/// Runs one law on cases in both databases.
fn on_each(law: impl Fn(&dyn Cases)) {
    on_each_store(|store| law(&*store.open_cases().unwrap()));
}

/// A ledger with three frauds in it.
fn scene() -> Scene {
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    scene.refuse("03-02 09:00", "cd-9", Refusal::UnknownTerminal, None);
    scene.add(tries("cd-1", "03-03 03:12", BEA, Outcome::NoLesson));
    scene
}

/// Judges the whole ledger from its beginning, as the centre does at each start.
fn judge_all(cases: &dyn Cases, scene: &Scene) -> Vec<Found> {
    let mut judge = Judge::new(Policy::sichuan_2025());
    let judged = scene.entries().iter().map(|entry| judge.judge(entry));
    judged.flat_map(|new| cases.store(&new).expect("the disk is sound")).collect()
}

fn invented(n: u64) -> Anomaly {
    let mut anomaly = scene().judged().remove(0);
    anomaly.evidence = vec![n];
    anomaly.id = AnomalyId::of(anomaly.kind, &anomaly.evidence);
    anomaly
}

fn numbers(cases: &[Found]) -> Vec<u64> {
    cases.iter().map(|case| case.number).collect()
}

#[test]
fn a_restart_that_judges_the_whole_ledger_again_repeats_nothing() {
    on_each_store(|store| {
        let mut scene = scene();
        let cases = store.open_cases().unwrap();
        let first = judge_all(&*cases, &scene);
        assert_eq!(numbers(&first), [1, 2, 3]);
        drop(cases);

        let cases = store.open_cases().unwrap();
        assert_eq!(judge_all(&*cases, &scene), []);
        scene.add(tries("cd-1", "03-03 03:20", BEA, Outcome::NoLesson));
        let new = judge_all(&*cases, &scene);
        assert_eq!(numbers(&new), [4], "what was ignored used up no number");
        assert_eq!(cases.counts().unwrap().total(), 4);
    });
}

#[test]
fn of_an_anomaly_that_comes_twice_in_one_call_one_is_stored() {
    on_each(|cases| {
        let stored = cases.store(&[invented(1), invented(2), invented(1)]).unwrap();
        assert_eq!(numbers(&stored), [1, 2]);
        assert_eq!(cases.counts().unwrap().total(), 2);
    });
}

#[test]
fn two_who_store_the_same_at_the_same_time_store_each_once_and_leave_no_hole() {
    on_each_store(|store| {
        let both = [store.open_cases().unwrap(), store.open_cases().unwrap()];
        thread::scope(|scope| {
            for cases in &both {
                scope.spawn(|| {
                    for n in 0..40 {
                        cases.store(&[invented(n)]).unwrap();
                        cases.newest(None, 5).unwrap();
                    }
                });
            }
        });
        assert_eq!(numbers(&both[0].after(0, 100).unwrap()), (1..=40).collect::<Vec<_>>());
    });
}

#[test]
fn what_is_read_is_what_was_judged() {
    on_each(|cases| {
        let scene = scene();
        let stored = judge_all(cases, &scene);
        let judged = scene.judged();
        let read = cases.after(0, 10).unwrap();
        assert_eq!(read, stored);
        let anomalies: Vec<_> = read.iter().map(|case| case.anomaly.clone()).collect();
        assert_eq!(anomalies, judged);
        assert_eq!(cases.by_id(judged[1].id).unwrap().unwrap(), read[1]);
        assert_eq!(cases.by_id(AnomalyId([0; 16])).unwrap(), None);
    });
}

#[test]
fn cases_are_counted_by_kind_and_severity() {
    on_each(|cases| {
        assert_eq!(cases.counts().unwrap().total(), 0);
        judge_all(cases, &scene());
        let counts = cases.counts().unwrap();
        assert_eq!(counts.of_kind(AnomalyKind::MultiDevice), 1);
        assert_eq!(counts.of_kind(AnomalyKind::Forged), 0);
        assert_eq!(counts.of_severity(Severity::Alarm), 2);
        assert_eq!(counts.of_severity(Severity::Warning), 1);
        let json = serde_json::to_value(&counts).unwrap();
        let first = serde_json::json!({"kind": "multi_device", "severity": "alarm", "count": 1});
        assert_eq!(json[0], first);
    });
}

#[test]
fn pages_go_back_without_a_gap_and_on_without_a_repetition() {
    on_each(|cases| {
        let many: Vec<_> = (0..7).map(invented).collect();
        assert_eq!(numbers(&cases.store(&many).unwrap()), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(numbers(&cases.newest(None, 3).unwrap()), [7, 6, 5]);
        assert_eq!(numbers(&cases.newest(Some(5), 3).unwrap()), [4, 3, 2]);
        assert_eq!(numbers(&cases.newest(Some(2), 3).unwrap()), [1]);
        assert_eq!(numbers(&cases.newest(Some(1), 3).unwrap()), [0; 0]);
        assert_eq!(numbers(&cases.after(4, 2).unwrap()), [5, 6]);
        assert_eq!(numbers(&cases.after(7, 2).unwrap()), [0; 0]);
        assert_eq!(numbers(&cases.after(u64::MAX, 2).unwrap()), [0; 0]);
    });
}

#[test]
fn one_call_hands_out_no_more_than_a_page() {
    on_each(|cases| {
        let count = u64::try_from(PAGE_CASES_MAX).unwrap() + 1;
        cases.store(&(0..count).map(invented).collect::<Vec<_>>()).unwrap();
        assert_eq!(cases.newest(None, usize::MAX).unwrap().len(), PAGE_CASES_MAX);
        assert_eq!(cases.after(0, usize::MAX).unwrap().len(), PAGE_CASES_MAX);
    });
}

#[test]
fn a_case_reads_well_as_json_and_names_no_person_in_words() {
    on_each(|cases| {
        let stored = judge_all(cases, &scene());
        let json = serde_json::to_value(&stored[0]).unwrap();
        assert_eq!(json["number"], 1);
        assert_eq!(json["kind"], "multi_device");
        assert_eq!(json["severity"], "alarm");
        assert_eq!(json["id"], stored[0].anomaly.id.to_string());
        assert_eq!(json["who"], serde_json::json!([ANN.to_string()]));
        assert_eq!(json["terminals"], serde_json::json!(["cd-1", "my-1"]));
        assert_eq!(json["site"], "my");
        assert_eq!(json["policy"], "sichuan-2025/2");
        assert_eq!(json["rule"], 1);
        assert_eq!(json["inputs"]["travel_speed_kmh_max"], "120");
        assert_eq!(json["ledger"]["first"], 0);
        assert_eq!(json["ledger"]["last"], json["evidence"][1]);
        assert!(json["at"].is_i64());
        for case in &stored {
            for person in [ANN, BEA] {
                assert!(!case.anomaly.why.zh.contains(&person.to_string()));
                assert!(!case.anomaly.why.en.contains(&person.to_string()));
            }
        }
    });
}

/// The ledger writes to the same file while cases are stored and read.
#[test]
fn cases_share_a_file_with_another_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let cases = SqliteCases::open(&path).unwrap();
    let second = SqliteCases::open(&path).unwrap();
    let ledger = Connection::open(&path).unwrap();
    ledger.execute_batch("CREATE TABLE ledger_entry (n INTEGER)").unwrap();
    ledger.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..100 {
                cases.store(&[invented(n)]).unwrap();
            }
        });
        scope.spawn(|| {
            for n in 0..100 {
                second.store(&[invented(n)]).unwrap();
                second.newest(None, 5).unwrap();
            }
        });
        for n in 0..100 {
            ledger.execute("INSERT INTO ledger_entry VALUES (?1)", [n]).unwrap();
        }
    });
    assert_eq!(cases.counts().unwrap().total(), 100, "each once, whoever came first");
}

#[test]
fn what_is_no_database_or_newer_or_damaged_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    durable::write(&garbage, &[0x5a; 4096], durable::Access::Everyone).unwrap();
    let error = SqliteCases::open(&garbage).unwrap_err();
    assert_eq!(error.to_string(), format!("could not open the cases in {}", garbage.display()));

    let path = folder.path().join("centre.db");
    let cases = SqliteCases::open(&path).unwrap();
    cases.store(&[invented(1)]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute("UPDATE cases_anomaly SET kind = 'witchcraft'", []).unwrap();
    let error = cases.newest(None, 1).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { number: 1, column: "kind" }), "{error}");
    assert_eq!(error.to_string(), "could not read case 1: its kind is damaged");

    other.execute("INSERT INTO cases_version VALUES (3)", []).unwrap();
    let error = SqliteCases::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 3, known: 2, .. }), "{error}");
}

#[test]
fn in_postgresql_what_is_newer_or_damaged_is_a_clear_error_and_a_broken_connection_is_made_anew() {
    let database = database();
    let cases = PostgresCases::open(&database.address()).unwrap();
    cases.store(&[invented(1)]).unwrap();
    database.run(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    // The call that meets the broken connection may fail; nothing is lost by it.
    let again = || cases.store(&[invented(1), invented(2)]).is_ok();
    assert!(again() || again());
    assert_eq!(numbers(&cases.after(0, 10).unwrap()), [1, 2]);
    database.run("UPDATE cases.anomaly SET kind = 'witchcraft' WHERE number = 1");
    let error = cases.newest(None, 5).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { number: 1, column: "kind" }), "{error}");
    database.run("UPDATE cases.state SET version = 3");
    let error = PostgresCases::open(&database.address()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 3, known: 2, .. }), "{error}");
}

/// The tables of version 1, as version 1 made them; never changed.
const SQLITE_1: &str = "
CREATE TABLE cases_version (version INTEGER NOT NULL);
INSERT INTO cases_version VALUES (1);
CREATE TABLE cases_anomaly (
    number    INTEGER PRIMARY KEY,
    id        BLOB NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    severity  TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    who       TEXT NOT NULL,
    terminals TEXT NOT NULL,
    site      TEXT NOT NULL,
    why_zh    TEXT NOT NULL,
    why_en    TEXT NOT NULL,
    evidence  TEXT NOT NULL,
    policy    TEXT NOT NULL
);
CREATE INDEX cases_anomaly_by_kind ON cases_anomaly (kind, severity);
";

/// The same in PostgreSQL.
const POSTGRES_1: &str = "
CREATE SCHEMA cases;
CREATE TABLE cases.state (version int8 NOT NULL);
INSERT INTO cases.state VALUES (1);
CREATE TABLE cases.anomaly (
    number    int8 PRIMARY KEY,
    id        bytea NOT NULL UNIQUE,
    kind      text NOT NULL,
    severity  text NOT NULL,
    at_ms     int8 NOT NULL,
    who       text NOT NULL,
    terminals text NOT NULL,
    site      text NOT NULL,
    why_zh    text NOT NULL,
    why_en    text NOT NULL,
    evidence  text NOT NULL,
    policy    text NOT NULL
);
CREATE INDEX anomaly_by_kind ON cases.anomaly (kind, severity);
";

/// The first anomaly of the scene, as version 1 stored it.
fn row_of_version_1(table: &str, id: &str) -> String {
    format!(
        "INSERT INTO {table} VALUES (1, {id}, 'multi_device', 'alarm', 1772413500000, '[]',
         '[\"cd-1\",\"my-1\"]', '\"my\"', '因', 'why', '[10,9]', 'sichuan-2025/1')"
    )
}

#[test]
fn cases_of_version_1_stay_what_they_were_and_say_that_their_grounds_are_unknown() {
    let id = scene().judged()[0].id;
    let hex = id.to_string();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::files(folder.path());
    let old = Connection::open(folder.path().join("cases.sqlite")).unwrap();
    old.execute_batch(SQLITE_1).unwrap();
    old.execute_batch(&row_of_version_1("cases_anomaly", &format!("x'{hex}'"))).unwrap();
    drop(old);
    let database = database();
    database.run(POSTGRES_1);
    database.run(&row_of_version_1("cases.anomaly", &format!("decode('{hex}', 'hex')")));

    for store in [store, Store::Postgres(database.address())] {
        let cases = store.open_cases().unwrap();
        let old = cases.by_id(id).unwrap().expect("it is still there");
        assert_eq!((old.number, old.anomaly.why.zh.as_str()), (1, "因"));
        assert_eq!(old.anomaly.rule, 0, "no version was stated");
        assert!(old.anomaly.inputs.is_empty());
        assert_eq!(old.anomaly.ledger, LedgerRange { first: 0, last: 10 }, "up to its evidence");
        // Judged again it is the same one: the newer ones follow it.
        assert_eq!(numbers(&judge_all(&*cases, &scene())), [2, 3]);
        drop(cases);
        assert_eq!(store.open_cases().unwrap().by_id(id).unwrap(), Some(old));
    }
}
