//! The collector on PostgreSQL, as a process of its own: the database is killed and cut off while records
//! come in, and each is there exactly once.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rollcall::collector::{Home, Store};
use rollcall::ledger::{Body, Ledger};
use rollcall::record::topic::Channel;
use rollcall::record::{Parcel, SealedHash, VerifyingKey};
use rumqttc::QoS;

use crate::support::broker::eventually;
use crate::support::caller::{Caller, receipts};
use crate::support::cutter::{Cut, Cutter};
use crate::support::day::{Day, write};
use crate::support::log::{grow, publish};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};
use crate::support::postgres::{Database, Server, database, server};
use crate::support::{fine, refused};

/// Records in one message.
const EACH: usize = 32;

/// The collector as a process of its own, once it says that it runs.
pub(crate) fn started(day: &Day) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["collector", "run", "--config"])
        .arg(&day.config)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    if !line.contains("running") {
        panic!("{line:?} {:?}", child.wait_with_output());
    }
    // Nobody may block it by not reading.
    std::thread::spawn(move || out.lines().for_each(drop));
    child
}

/// A terminal that offers until all of its records have a receipt.
pub(crate) struct Stream {
    pub(crate) caller: Caller,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) key: VerifyingKey,
}

impl Stream {
    pub(crate) fn received(&self) -> u64 {
        self.caller.receipts(&self.key).iter().map(|receipt| receipt.last).max().unwrap_or(0)
    }

    /// Offers what has no receipt.
    pub(crate) fn offer(&self) {
        let from = usize::try_from(self.received()).unwrap();
        self.parcels[from..].chunks(EACH).for_each(|chunk| self.caller.offer(chunk));
    }

    /// Until there are so many receipts. What is sent before the collector's first subscription
    /// reaches nobody, so it is offered again where nothing moves.
    pub(crate) fn until_received(&mut self, seq: u64) {
        let mut turns = 0;
        eventually("the records are received", || {
            if turns % 100 == 0 {
                self.offer();
            }
            turns += 1;
            self.caller.step();
            self.received() >= seq
        });
    }
}

/// What the ledger holds of a terminal.
pub(crate) fn records(ledger: &dyn Ledger) -> Vec<(u64, SealedHash)> {
    let entries = ledger.entries_since(0, 1_000_000).unwrap();
    let records = entries.iter().filter_map(|entry| match &entry.body {
        Body::Record { record, hash, .. } => Some((record.seq, *hash)),
        Body::Fact(_) => None,
        Body::Refused { .. } => panic!("nothing is to be refused: {entry:?}"),
    });
    records.collect()
}

/// Each record once, in order, and every receipt heard is for one of them.
pub(crate) fn hold(ledger: &dyn Ledger, stream: &Stream, all: bool) {
    let committed = records(ledger);
    let hashes = stream.parcels.iter().map(|parcel| parcel.sealed.hash());
    let expected: Vec<_> = (1..).zip(hashes).take(committed.len()).collect();
    assert_eq!(committed, expected, "each record once, in order");
    for receipt in receipts(&stream.caller.heard, &stream.key) {
        assert!(committed.contains(&(receipt.last, receipt.hash)), "receipted, so committed");
    }
    assert!(!all || committed.len() == stream.parcels.len());
}

/// It ended by itself, and says why in three parts.
fn ended(child: Child) {
    let out = child.wait_with_output().unwrap();
    let code = out.status.code().unwrap_or_else(|| panic!("{out:?}"));
    assert!([3, 4].contains(&code), "{out:?}");
    refused(&out, code, &["ledger"]);
}

fn stream(day: &Day, broker: &Mosquitto) -> (Pen, Stream) {
    let pen = Pen::new("t-1", 1);
    let mut home = Home::create_in(&day.data(), day.store()).unwrap();
    home.state(vec![pen.registration()], MORNING).unwrap();
    let key = home.receipt_key();
    drop(home);
    let caller = Caller::connect(broker.port(), &pen.terminal);
    (pen, Stream { caller, parcels: Vec::new(), key })
}

#[test]
fn a_database_that_is_killed_again_and_again_under_a_collector_costs_no_record_and_doubles_none() {
    let broker = Mosquitto::start();
    let mut server = Server::start(&[]);
    let day = Day::configured_in(broker.port(), &server.database());
    let (mut pen, mut stream) = stream(&day, &broker);
    let mut received = 0;
    for round in 1..=3 {
        stream.parcels.extend(pen.write_many(40 * EACH));
        let mut child = started(&day);
        stream.until_received(received + round * 41);
        server.kill();
        stream.offer();
        eventually("the collector ends", || {
            stream.caller.step();
            child.try_wait().unwrap().is_some()
        });
        ended(child);
        // Whatever was answered before the end is heard before our own mark.
        let mark = format!("mark {round}").into_bytes();
        stream.caller.send(Channel::Answers, QoS::AtLeastOnce, mark.clone());
        stream.caller.until("all answers are heard", |heard| heard.contains(&mark));
        received = stream.received();
        server.start_again();
        hold(&*day.store().read_ledger().unwrap(), &stream, false);
        let audited = fine(&day.collector("audit", &[]));
        assert!(audited.contains("成立 holds"), "{audited}");
    }
    let mut child = started(&day);
    stream.until_received(stream.parcels.len() as u64);
    child.kill().unwrap();
    child.wait().unwrap();
    hold(&*day.store().read_ledger().unwrap(), &stream, true);
}

#[test]
fn a_connection_that_an_administrator_ends_ends_the_collector_and_the_next_start_goes_on() {
    let broker = Mosquitto::start();
    let database = database();
    let day = Day::configured_in(broker.port(), &database);
    let (mut pen, mut stream) = stream(&day, &broker);
    stream.parcels = pen.write_many(20 * EACH);
    let mut child = started(&day);
    stream.until_received(EACH as u64);
    database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    stream.offer();
    eventually("the collector ends", || {
        stream.caller.step();
        child.try_wait().unwrap().is_some()
    });
    ended(child);
    let mut child = started(&day);
    stream.until_received(stream.parcels.len() as u64);
    child.kill().unwrap();
    child.wait().unwrap();
    hold(&*day.store().read_ledger().unwrap(), &stream, true);
}

#[test]
fn a_wire_that_breaks_between_two_statements_under_a_collector_costs_no_record_and_doubles_none() {
    let broker = Mosquitto::start();
    let database = database();
    let cutter = Cutter::to(server().port());
    let day = Day::configured_in(broker.port(), &database);
    let (mut pen, mut stream) = stream(&day, &broker);
    let text = std::fs::read_to_string(&day.config).unwrap();
    let by_wire = format!("postgres://rollcall@127.0.0.1:{}/{}", cutter.port(), database.name);
    // No tick comes between: what the ledger is asked is asked for the records.
    let text = text.replace(&database.url(), &by_wire) + "[ticks]\nevery_ms = 86400000\n";
    write(&day.config, text);
    let (mut ends, mut unanswered) = (0, 0);
    // The batch of one record has fewer requests, from the question whether it is known to COMMIT.
    for request in 0..10 {
        for cut in [Cut::Before(request), Cut::After(request)] {
            stream.parcels.extend(pen.write_many(1));
            // A collector's first connection is its ledger's.
            cutter.choose_next();
            let mut child = started(&day);
            stream.until_received(stream.parcels.len() as u64);
            stream.parcels.extend(pen.write_many(1));
            cutter.cut(cut);
            stream.offer();
            let mut over = false;
            eventually("the collector ends, or has received everything", || {
                stream.caller.step();
                over = child.try_wait().unwrap().is_some();
                over || stream.received() == stream.parcels.len() as u64
            });
            cutter.mend();
            if over {
                ended(child);
                ends += 1;
            } else {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let ledger = Store::Postgres(database.address()).read_ledger().unwrap();
            hold(&*ledger, &stream, false);
            unanswered += u64::from(records(&*ledger).len() as u64 > stream.received());
        }
    }
    assert!(ends > 8 && unanswered > 0, "{ends} cuts met a batch, {unanswered} its last answer");
    let mut child = started(&day);
    stream.until_received(stream.parcels.len() as u64);
    child.kill().unwrap();
    child.wait().unwrap();
    hold(&*Store::Postgres(database.address()).read_ledger().unwrap(), &stream, true);
}

#[test]
fn the_commands_do_the_same_on_postgresql() {
    let database = database();
    let day = Day::played_in(&database);
    assert!(fine(&day.collector("audit", &[])).contains("15 entries, root"));
    assert!(publish(&day).unwrap().public);
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
    let (bundle, trust) = day.exported(&[]);
    assert_eq!(crate::support::day::verify(&trust, &bundle).0, 0);
    let proof = day.file("proof.json");
    let to = ["--terminal", "t-1", "--seq", "2", "--out", proof.to_str().unwrap()];
    fine(&day.collector("prove", &to));
    grow(&day, 3);
    assert!(publish(&day).unwrap().public);
    database.run("UPDATE ledger.entry SET sealed = '\\x00' WHERE idx = 4");
    let out = day.collector("audit", &[]);
    let said = String::from_utf8(out.stdout).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("entry 4"), "{said}");
}

#[test]
fn a_database_that_cannot_hold_a_ledger_leaves_no_keys_in_the_way_of_the_next_init() {
    let database = database();
    let day = Day::configured_in(1883, &database);
    let right = std::fs::read_to_string(&day.config).unwrap();
    write(&day.config, right.replace(&database.url(), "postgres://rollcall@127.0.0.1:1/rollcall"));
    refused(&day.collector("init", &[]), 3, &["127.0.0.1:1", "refused"]);
    let other = database_with_a_ledger();
    write(&day.config, right.replace(&database.url(), &other.url()));
    refused(&day.collector("init", &[]), 2, &["there is a ledger at"]);
    assert!(!day.data().join("log.key").exists() && !day.data().join("receipt.key").exists());
    write(&day.config, right);
    fine(&day.collector("init", &[]));
}

fn database_with_a_ledger() -> Database {
    let database = database();
    drop(rollcall::ledger::Postgres::create(&database.address()).unwrap());
    database
}

#[test]
fn what_keeps_it_from_its_database_is_told_in_three_parts_without_the_password() {
    let database = database();
    let day = Day::configured_in(1883, &database);
    fine(&day.collector("init", &[]));
    refused(&day.collector("init", &[]), 2, &["already"]);
    let held = Home::open_in(&day.data(), day.store()).unwrap();
    refused(&day.collector("run", &[]), 3, &["another collector works in", "end the other"]);
    // The same database from another machine's folder.
    let other = Day::configured_in(1883, &database);
    std::fs::create_dir(other.data()).unwrap();
    for key in ["log.key", "receipt.key"] {
        std::fs::copy(day.data().join(key), other.data().join(key)).unwrap();
    }
    refused(&other.collector("run", &[]), 3, &["another collector writes", "end the other"]);
    drop(held);
    database.run("UPDATE ledger.state SET version = 99");
    refused(&day.collector("run", &[]), 2, &["has version 99", "run the newer program"]);

    let secret = day.file("password");
    write(&secret, "geheim\n");
    let configured = |url: &str| {
        let text = format!(
            "data_dir = {:?}\n[store]\nurl = {url:?}\npassword_file = {secret:?}\n",
            day.data()
        );
        write(&day.config, text);
        let out = day.collector("run", &[]);
        let said = [&out.stdout[..], &out.stderr].concat();
        assert!(!String::from_utf8(said).unwrap().contains("geheim"), "{out:?}");
        out
    };
    let url = "postgres://rollcall@127.0.0.1:1/rollcall";
    refused(
        &configured(url),
        2,
        &["could not trust the password in", "others may read", "chmod 600"],
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, mode).unwrap();
    let away = configured(url);
    refused(&away, 3, &["postgres://rollcall@127.0.0.1:1/rollcall", "refused"]);
    refused(&configured("postgres://rollcall@db.example/rollcall"), 2, &["another machine"]);
    refused(&configured("postgres://a:geheim@localhost/b"), 2, &["a file beside it must"]);
}
