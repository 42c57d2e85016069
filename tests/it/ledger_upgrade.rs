//! Ledgers of older programs are brought forward, stay what they were, and are not half brought.

use rollcall::collector::Store;
use rollcall::platform::postgres::{Broken, Session};
use rusqlite::Connection;

use crate::support::day::{Day, verify, write};
use crate::support::log::publish;
use crate::support::postgres::database;
use crate::support::{fine, refused};

/// A ledger of version 1 as version 1 wrote it; never changed.
const VERSION_1: &str = include_str!("fixtures/ledger-v1.sql");

fn of_version_1() -> Day {
    let day = Day::configured(1883);
    std::fs::create_dir(day.data()).unwrap();
    for key in ["log.key", "receipt.key"] {
        let line = VERSION_1.lines().find_map(|line| line.strip_prefix(&format!("-- {key} ")));
        let path = day.data().join(key);
        write(&path, line.unwrap());
        std::process::Command::new("chmod").arg("600").arg(&path).status().unwrap();
    }
    let db = Connection::open(day.data().join("ledger.sqlite")).unwrap();
    db.execute_batch(VERSION_1).unwrap();
    day
}

fn version(day: &Day) -> i64 {
    let db = Connection::open(day.data().join("ledger.sqlite")).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_frozen_ledger_of_version_1_is_brought_forward_and_stays_verifiable() {
    let day = of_version_1();
    let sealed = |day: &Day| -> Vec<(i64, Vec<u8>)> {
        let db = Connection::open(day.data().join("ledger.sqlite")).unwrap();
        let mut rows = db.prepare("SELECT idx, sealed FROM entry ORDER BY idx").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    let before = sealed(&day);
    assert_eq!(before.len(), 15);
    // Whoever only reads changes nothing, and says who does.
    refused(&day.collector("audit", &[]), 3, &["has version 1, and 2 is needed"]);
    assert_eq!(version(&day), 1);

    fine(&day.opened());
    assert_eq!(version(&day), 2);
    assert_eq!(sealed(&day), before, "not a byte of an entry is another");
    assert!(fine(&day.collector("audit", &[])).contains("15 entries"));
    assert!(publish(&day).unwrap().public);
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
    let (bundle, trust) = day.exported(&[]);
    assert_eq!(verify(&trust, &bundle).0, 0);
    let proof = day.file("proof.json");
    let to = ["--terminal", "t-2", "--seq", "3", "--out", proof.to_str().unwrap()];
    fine(&day.collector("prove", &to));
}

#[test]
fn a_ledger_of_version_1_that_was_changed_is_not_brought_forward() {
    let day = of_version_1();
    let db = Connection::open(day.data().join("ledger.sqlite")).unwrap();
    db.execute_batch("UPDATE entry SET sealed = x'00' WHERE idx = 3").unwrap();
    drop(db);
    refused(&day.opened(), 4, &["its tree is not the one over its entries"]);
    assert_eq!(version(&day), 1);
}

/// There is one version so far: an older one is a database in which nothing was made yet.
#[test]
fn in_postgresql_who_writes_brings_an_older_version_forward_and_who_reads_does_not() {
    let database = database();
    let store = Store::Postgres(database.address());
    database.run(
        "CREATE SCHEMA ledger; CREATE TABLE ledger.state (version int4 NOT NULL, whole bool NOT NULL);
         INSERT INTO ledger.state VALUES (0, true)",
    );
    let error = store.read_ledger().unwrap_err();
    assert!(error.to_string().contains("has version 0, and 1 is needed"), "{error}");
    assert_eq!(store.open_ledger().unwrap().size(), 0);
    assert_eq!(store.read_ledger().unwrap().size(), 0);
    let mut session = Session::open(&database.address(), Broken::Ends).unwrap();
    let rows = session.query("SELECT version FROM ledger.state", &[]).unwrap();
    assert_eq!(rows[0].get::<_, i32>(0), 1);
}
