//! What a ledger in PostgreSQL promises besides: a wire that breaks at any request, a server that is
//! killed, a second collector, a server that forgets.

use std::time::Duration;

use rollcall::domain::{Fact, Timestamp};
use rollcall::ledger::{CommitError, Item, Ledger, OpenLedgerError, Postgres, Staged};
use rollcall::platform::postgres::{Address, ConnectError};
use rollcall::platform::telemetry::{Chain, Class};
use rollcall::record::SigningKey;

use crate::ledger_contract::judged;
use crate::support::cutter::{Cut, Cutter};
use crate::support::pen::{MORNING, Pen, opening};
use crate::support::postgres::{Database, Server, database, server};

fn stage(items: Vec<Item>) -> Staged {
    let log = SigningKey::from_secret(&[42; 32]);
    Staged::seal(items, MORNING, Timestamp::default(), &log).unwrap()
}

fn tick() -> Staged {
    stage(vec![Item::Fact(Fact::Tick)])
}

/// A batch with a row in every table: a registration, two records, one that was refused.
fn batch(mut pen: Pen) -> Staged {
    let mut items = vec![Item::Fact(pen.registration())];
    let mut parcels = pen.write_many(3);
    parcels[2].person = None;
    items.extend(judged(&[&pen], &parcels));
    stage(items)
}

#[test]
fn a_wire_that_breaks_at_any_request_of_a_batch_leaves_all_of_it_or_nothing_and_the_error_says_which()
 {
    let database = database();
    drop(Postgres::create(&database.address()).unwrap());
    let cutter = Cutter::to(server().port());
    let (mut unknown, mut undone, mut stored_but_unanswered) = (0, 0, 0);
    for cut in [Cut::Before as fn(u32) -> Cut, Cut::After] {
        for request in 0.. {
            let mut ledger = Postgres::open(&database.address_by(cutter.port())).unwrap();
            let before = ledger.size();
            // Another terminal each time: the chain begins anew.
            let name = format!("t-{before}");
            let batch = batch(Pen::new(&name, 1));
            let len = batch.len() as u64;
            cutter.cut(cut(request));
            let done = ledger.commit(batch.clone());
            if cutter.is_whole() {
                cutter.mend();
                assert!(request > 5, "a batch has more requests than {request}");
                assert_eq!(done.unwrap().len() as u64, len);
                break;
            }
            assert!(ledger.commit(tick()).is_err(), "a session that broke does not go on");
            drop(ledger);
            let ledger = Postgres::open(&database.address()).unwrap();
            let there = ledger.size() - before;
            assert_eq!(ledger.entries_since(0, 10_000).unwrap().len() as u64, ledger.size());
            match done.unwrap_err() {
                CommitError::Storage { .. } => {
                    assert_eq!(there, 0, "request {request}");
                    undone += 1;
                }
                error @ CommitError::Unknown { .. } => {
                    assert_eq!(error.class(), Class::FailStop);
                    assert!([0, len].contains(&there), "request {request}: {there} of {len}");
                    unknown += 1;
                    stored_but_unanswered += u32::from(there == len);
                }
                error @ (CommitError::Taken { .. } | CommitError::Backwards { .. }) => {
                    panic!("{error:?}")
                }
            }
            // What the next collector sees is enough to commit it once.
            if there > 0 {
                drop(ledger);
                let mut ledger = Postgres::open(&database.address()).unwrap();
                let error = ledger.commit(batch).unwrap_err();
                assert!(matches!(error, CommitError::Taken { .. }), "{error:?}");
            }
        }
    }
    assert!(undone > 10, "{undone}");
    assert_eq!(
        (unknown, stored_but_unanswered),
        (2, 1),
        "COMMIT itself, not sent and not answered"
    );
}

#[test]
fn a_session_that_an_administrator_ends_commits_no_more_and_the_next_one_goes_on() {
    let database = database();
    let mut ledger = Postgres::create(&database.address()).unwrap();
    ledger.commit(tick()).unwrap();
    database.run(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let error = ledger.commit(tick()).unwrap_err();
    assert!(matches!(error, CommitError::Storage { .. }), "{error:?}");
    assert!(ledger.commit(tick()).is_err());
    assert!(
        ledger.heads().is_err(),
        "the lock is gone: it neither writes nor believes what it reads"
    );
    let mut next = Postgres::open(&database.address()).unwrap();
    assert_eq!(next.commit(tick()).unwrap()[0].index, 1);
}

#[test]
fn a_second_collector_is_refused_while_the_first_lives() {
    let database = database();
    let first = Postgres::create(&database.address()).unwrap();
    let error = Postgres::open(&database.address()).unwrap_err();
    assert!(matches!(error, OpenLedgerError::Held { .. }), "{error:?}");
    assert!(error.to_string().contains("another collector writes"), "{error}");
    drop(Postgres::open_read_only(&database.address()).unwrap());
    drop(first);
    drop(Postgres::open(&database.address()).unwrap());
}

#[test]
fn somebody_who_writes_past_the_lock_is_noticed_at_the_next_batch() {
    let database = database();
    let mut ledger = Postgres::create(&database.address()).unwrap();
    ledger.commit(tick()).unwrap();
    database.run(
        "INSERT INTO ledger.entry SELECT 5, at_ms, kind, NULL, NULL, NULL, sealed FROM ledger.entry;
         UPDATE ledger.frontier SET size = 2",
    );
    let error = ledger.commit(tick()).unwrap_err();
    assert!(Chain(&error).to_string().contains("somebody else has written"), "{error:?}");
}

#[track_caller]
fn unfit(opened: Result<Postgres, OpenLedgerError>, why: &str) {
    let error = opened.unwrap_err();
    assert!(matches!(&error, OpenLedgerError::Connect(ConnectError::Unfit { .. })), "{error:?}");
    assert!(Chain(&error).to_string().contains(why), "{}", Chain(&error));
}

#[test]
fn a_server_that_would_forget_what_it_committed_is_refused() {
    let database = database();
    let mut ledger = Postgres::create(&database.address()).unwrap();
    let off = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name);
    database.run(&off);
    ledger.commit(tick()).unwrap();
    drop(ledger);
    unfit(Postgres::open(&database.address()), "synchronous_commit is off");
    drop(Postgres::open_read_only(&database.address()).unwrap());
    // Whoever turns syncing off beneath a collector that runs stops it.
    let careless = Server::start(&[]);
    let database = careless.database();
    let mut ledger = Postgres::create(&database.address()).unwrap();
    ledger.commit(tick()).unwrap();
    for setting in ["fsync", "full_page_writes"] {
        database.run(&format!("ALTER SYSTEM SET {setting} = off"));
        database.run("SELECT pg_reload_conf()");
        let turned_off = |database: &Database| {
            let shown = database.client().query_one(&format!("SHOW {setting}"), &[]).unwrap();
            shown.get::<_, String>(0) == "off"
        };
        crate::support::broker::eventually("it is off", || turned_off(&database));
        let error = ledger.commit(tick()).unwrap_err();
        assert!(Chain(&error).to_string().contains("was turned off"), "{}", Chain(&error));
        assert_eq!(ledger.entries_since(0, 10).unwrap().len(), 1);
        unfit(Postgres::create(&careless.database().address()), &format!("{setting} is off"));
        database.run(&format!("ALTER SYSTEM RESET {setting}"));
        database.run("SELECT pg_reload_conf()");
        crate::support::broker::eventually("it is on", || !turned_off(&database));
    }
}

#[test]
fn a_killed_server_has_kept_what_it_answered_and_the_tree_fits() {
    let mut server = Server::start(&[]);
    let database = server.database();
    drop(Postgres::create(&database.address()).unwrap());
    let mut answered = 0;
    for round in 0..3 {
        let mut ledger = Postgres::open(&database.address()).unwrap();
        assert!(ledger.size() >= answered, "{} of {answered}", ledger.size());
        let (told, heard) = std::sync::mpsc::sync_channel(1_000_000);
        let busy = std::thread::spawn(move || {
            loop {
                match ledger.commit(tick()) {
                    Ok(entries) => told.send(entries[0].index + 1).unwrap(),
                    Err(error) => return error,
                }
            }
        });
        let patience = Duration::from_secs(60);
        let first = heard.recv_timeout(patience).unwrap();
        let until = first + 20 + round * 7;
        while heard.recv_timeout(patience).unwrap() < until {}
        server.kill();
        let error = busy.join().unwrap();
        assert!(
            matches!(error, CommitError::Storage { .. } | CommitError::Unknown { .. }),
            "{error:?}"
        );
        answered = heard.into_iter().last().unwrap_or(until);
        server.start_again();
        let (ledger, contradiction) = Postgres::open_for_audit(&database.address()).unwrap();
        assert_eq!(contradiction, None);
        assert!([answered, answered + 1].contains(&ledger.size()), "{answered} {}", ledger.size());
    }
}

#[test]
fn an_erased_person_is_not_in_the_tables_files_any_more() {
    let server = Server::start(&[]);
    let database = server.database();
    let mut ledger = Postgres::create(&database.address()).unwrap();
    let mut pen = Pen::new("t-1", 1);
    ledger.commit(stage(judged(&[&pen.clone()], &pen.write_many(3)))).unwrap();
    let person = opening(1).person;
    let found = || {
        let mut client = database.client();
        client.batch_execute("CHECKPOINT").unwrap();
        let tables = client
            .query(
                "SELECT pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_namespace n
                 ON n.oid = relnamespace WHERE nspname = 'ledger' AND relkind IN ('r', 'i')",
                &[],
            )
            .unwrap();
        assert!(tables.len() > 8);
        tables.iter().any(|row| {
            let bytes = std::fs::read(server.data().join(row.get::<_, String>(0))).unwrap();
            bytes.windows(16).any(|window| window == person.0)
        })
    };
    assert!(found());
    assert_eq!(ledger.erase(person).unwrap(), 1);
    assert!(!found());
}

#[test]
fn addresses_that_would_leak_or_trust_blindly_are_refused_and_none_is_shown_with_its_password() {
    let refused = |url: &str| Address::parse(url, Some("geheim"), None).unwrap_err().to_string();
    assert!(refused("mysql://a@b/c").contains("does not begin with postgres://"));
    assert!(refused("postgres://u:geheim@localhost/d").contains("a file beside it must"));
    assert!(refused("postgres://u@localhost").contains("names no database"));
    assert!(refused("postgres://localhost/d").contains("names no user"));
    assert!(refused("postgres://u@db.example/d").contains("another machine"));
    assert!(refused("postgres://u@localhost,127.0.0.1/d").contains("one host"));
    let pem = Address::parse("postgres://u@db.example/d", None, Some(b"none")).unwrap_err();
    assert!(Chain(&pem).to_string().contains("no certificate in it"), "{}", Chain(&pem));

    let address = "postgres://nobody_here@127.0.0.1:1/d";
    let address = Address::parse(address, Some("geheim"), None).unwrap();
    let error = Postgres::open(&address).unwrap_err();
    for shown in [format!("{address} {address:?}"), format!("{error:?} {}", Chain(&error))] {
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("nobody_here@127.0.0.1:1/d"), "{shown}");
    }
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_opens() {
    let server = Server::start(&[]);
    let database = server.database();
    let hba = server.data().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&hba).unwrap();
    crate::support::day::write(
        &hba,
        format!("host all guarded 127.0.0.1/32 scram-sha-256\n{rules}"),
    );
    database.run(&format!(
        "CREATE ROLE guarded LOGIN PASSWORD 'richtig'; SELECT pg_reload_conf();
         GRANT CREATE ON DATABASE {} TO guarded",
        database.name
    ));
    let url = format!("postgres://guarded@127.0.0.1:{}/{}", server.port(), database.name);
    let by = |password| Address::parse(&url, Some(password), None).unwrap();
    // The server reads its new rules when it gets to it; until then it asks for nothing.
    crate::support::broker::eventually("it asks for a password", || {
        Postgres::open_read_only(&by("falsch"))
            .is_err_and(|error| Chain(&error).to_string().contains("password"))
    });
    let error = Postgres::create(&by("falsch")).unwrap_err();
    let said = Chain(&error).to_string();
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("falsch"), "{said}");
    Postgres::create(&by("richtig")).unwrap().commit(tick()).unwrap();
}
