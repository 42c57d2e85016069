//! Loss and rotation of the centre's two keys, as docs/runbook/centre-keys.md tells it.

use std::process::Output;

use rollcall::collector::Home;
use rollcall::domain::Fact;
use rollcall::ledger::{Item, Kind, Staged};
use rollcall::platform::durable;
use rollcall::record::note::{KeyKind, Policy, Vkey};
use rollcall::record::{SigningKey, VerifyingKey, peek_kid};
use rollcall::terminal::Config;
use rollcall::uplink::Trust;

use crate::collector_postgres::{Stream, hold, started};
use crate::support::caller::Caller;
use crate::support::day::{Day, rollcall, write};
use crate::support::log::{ORIGIN, checkpoint, grow, log_key, publish, settings};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};
use crate::support::town::{Town, checkin};
use crate::support::{fine, refused, within_limit};

fn renewed(day: &Day) -> Output {
    day.collector("renew-receipt-key", &[])
}

fn key_in(said: &str) -> VerifyingKey {
    said.lines().find_map(|line| line.strip_prefix("receipt ")).unwrap().parse().unwrap()
}

#[test]
fn a_renewed_receipt_key_frees_what_the_old_one_did_not_and_commits_nothing_twice() {
    let broker = Mosquitto::start();
    let day = Day::configured(broker.port());
    let mut pen = Pen::new("t-1", 1);
    let mut home = Home::create(&day.data()).unwrap();
    home.state(vec![pen.registration()], MORNING).unwrap();
    let old = home.receipt_key();
    drop(home);
    let before = std::fs::read(day.data().join("receipt.key")).unwrap();
    let caller = Caller::connect(broker.port(), &pen.terminal);
    let mut stream = Stream { caller, parcels: pen.write_many(40), key: old };
    let mut child = started(&day);
    stream.until_received(40);
    refused(&renewed(&day), 3, &["another collector works in"]);
    child.kill().unwrap();
    child.wait().unwrap();

    let said = fine(&renewed(&day));
    let new = key_in(&said);
    assert_ne!(new, old);
    assert_eq!(std::fs::read(day.data().join("receipt.key.1")).unwrap(), before);
    assert!(fine(&day.collector("trust", &[])).contains(&format!("receipt {new}")));
    let mut child = started(&day);
    // A terminal that was told the new key, and has lost what the old one said.
    stream.parcels.extend(pen.write_many(10));
    stream.caller.heard.clear();
    stream.key = new;
    stream.until_received(50);
    let sealed_before = stream.caller.receipts(&old).iter().all(|receipt| receipt.last <= 40);
    assert!(sealed_before, "nothing is sealed with the old key any more");
    child.kill().unwrap();
    child.wait().unwrap();
    hold(&*day.store().read_ledger().unwrap(), &stream, true);
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"), "it seals no entry");
    fine(&renewed(&day));
    assert!(day.data().join("receipt.key.2").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_follow_a_new_receipt_key_by_themselves_running_or_not() {
    let mut town = Town::running();
    let (terminal, away) = (town.enrolled("t-101"), town.enrolled("t-102"));
    let pinned = Config::read(&town.device("t-102")).unwrap().uplink.receipt_key;
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
    away.shut_down().await.unwrap();
    away.take(&checkin()).unwrap();
    drop(away);
    for _ in 0..2 {
        town.stop_collector();
        terminal.take(&checkin()).unwrap();
        let said = fine(&town.collector("renew-receipt-key", &[]));
        assert!(said.contains("Terminals follow by themselves"), "{said}");
        town.start_collector();
        within_limit("the next key frees", terminal.drained()).await;
    }
    assert_eq!(terminal.view().borrow().garbage, 0);
    terminal.shut_down().await.unwrap();
    drop(terminal);
    // One that was away follows both; and what it followed stays followed.
    let away = town.start("t-102");
    within_limit("two keys later", away.drained()).await;
    away.shut_down().await.unwrap();
    drop(away);
    let config = Config::read(&town.device("t-102")).unwrap();
    assert_eq!(config.uplink.receipt_key, pinned, "the configuration stays as it was");
    let trust = Trust::read(&config.journal_dir, pinned).unwrap();
    assert_eq!(trust.key(), Home::peek_receipt(&town.data()).unwrap());
    fine(&rollcall(&["terminal", "renew", "--config", town.device("t-102").to_str().unwrap()]));
    assert_eq!((town.records("t-101"), town.records("t-102")), (3, 1));
}

#[test]
fn a_change_of_the_receipt_key_that_was_cut_off_is_finished_by_the_next() {
    let day = Day::played();
    let file = |name: &str| day.data().join(name);
    let old = Home::peek_receipt(&day.data()).unwrap();
    fine(&renewed(&day));
    let next = Home::peek_receipt(&day.data()).unwrap();
    // As a crash leaves it before the next key has taken the place.
    durable::publish(&file("receipt.key"), &file("receipt.key.next")).unwrap();
    durable::publish(&file("receipt.key.1"), &file("receipt.key")).unwrap();
    let said = fine(&day.collector("trust", &[]));
    assert!(said.contains(&format!("receipt {old}")), "the old one is in force: {said}");
    assert_eq!(key_in(&fine(&renewed(&day))), next);
    assert!(!file("receipt.key.next").exists());
}

#[test]
fn a_lost_receipt_key_stops_the_centre_until_it_is_put_back_or_renewed() {
    let day = Day::played();
    let path = day.data().join("receipt.key");
    std::fs::copy(&path, day.file("copy")).unwrap();
    std::fs::remove_file(&path).unwrap();
    refused(&day.collector("run", &[]), 3, &["receipt.key", "there is none"]);
    refused(&day.collector("init", &[]), 2, &["already"]);
    assert!(!path.exists(), "nothing that must be unique is made silently");
    std::fs::copy(day.file("copy"), &path).unwrap();
    let trusted = fine(&day.collector("trust", &[]));
    std::fs::remove_file(&path).unwrap();
    let new = key_in(&fine(&renewed(&day)));
    assert!(!day.data().join("receipt.key.1").exists());
    assert!(!trusted.contains(&new.to_string()));
    assert!(fine(&day.collector("trust", &[])).contains(&new.to_string()));
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
}

#[test]
fn a_ledger_goes_on_under_the_next_log_key_and_both_verify() {
    let day = Day::played();
    let held = |what: &str| {
        let said = fine(&day.collector("audit", &[]));
        assert!(said.contains("成立 holds"), "{what}: {said}");
    };
    publish(&day).unwrap();
    let old = log_key(&day);
    let said = fine(&day.collector("renew-log-key", &[]));
    assert!(said.contains("both lines"), "{said}");
    held("before anything was sealed with it");
    grow(&day, 3);
    let kids = |keys: &mut Vec<_>| {
        let stored = day.store().read_ledger().unwrap().stored_since(0, usize::MAX).unwrap();
        let facts = stored.iter().filter(|stored| stored.kind == Kind::Fact);
        keys.extend(facts.map(|stored| peek_kid(&stored.sealed).unwrap()));
        keys.dedup();
    };
    let (new, mut sealed_with) = (log_key(&day), Vec::new());
    kids(&mut sealed_with);
    assert_eq!(sealed_with, [&old, &new].map(|key| key.verifying_key().id()));
    held("with both");

    // Readers of logs with either key read the checkpoint as long as the old key lies there.
    let home = Home::open(&day.data()).unwrap();
    home.publisher(ORIGIN, settings(&day, Vec::new())).unwrap().publish().unwrap();
    let reads = |key: &SigningKey| {
        let logs = vec![Vkey::new(ORIGIN, KeyKind::Log, key.verifying_key()).unwrap()];
        Policy { logs, ..Policy::default() }.signed_by_log(&checkpoint(&day).0).is_ok()
    };
    assert_eq!((reads(&old), reads(&new)), (true, true));
    std::fs::remove_file(day.data().join("log.key.1")).unwrap();
    drop(home);
    let home = Home::open(&day.data()).unwrap();
    grow_by(&day, &new);
    home.publisher(ORIGIN, settings(&day, Vec::new())).unwrap().publish().unwrap();
    assert_eq!((reads(&old), reads(&new)), (false, true));
    drop(home);
    held("with the old one gone");

    // A bundle and a backup hold entries of both.
    let (bundle, trust, backup) = (day.file("b"), day.file("trusted"), day.file("backup"));
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    fine(&day.collector("export", &["--out", &text(&bundle)]));
    write(&trust, fine(&day.collector("trust", &[])));
    fine(&rollcall(&["verify", "--trust", &text(&trust), &text(&bundle)]));
    fine(&day.collector("backup", &["--out", &text(&backup)]));
    let keys = Home::peek(&day.data()).unwrap();
    let file = std::fs::File::open(&backup).unwrap();
    rollcall::collector::backup::check(file, &backup, keys).unwrap();

    // What the old key seals behind the new one, is nobody's word.
    grow_by(&day, &old);
    let said = String::from_utf8(day.collector("audit", &[]).stdout).unwrap();
    assert!(said.contains("sealed with key"), "{said}");
    let out = day.collector("run", &[]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("not sealed with this folder's log key"), "{said}");
}

fn grow_by(day: &Day, key: &SigningKey) {
    let mut ledger = day.store().open_ledger().unwrap();
    let (at, items) = (ledger.last_committed_at(), vec![Item::Fact(Fact::Tick)]);
    ledger.commit(Staged::seal(items, at, at, key).unwrap()).unwrap();
}

#[test]
fn a_lost_log_key_stops_the_centre_until_its_copy_is_back_and_no_other_key_goes_on() {
    let day = Day::played();
    let path = day.data().join("log.key");
    std::fs::copy(&path, day.file("copy")).unwrap();
    std::fs::remove_file(&path).unwrap();
    refused(&day.collector("run", &[]), 3, &["log.key", "there is none"]);
    refused(&renewed(&day), 3, &["log.key", "there is none"]);
    refused(&day.collector("init", &[]), 2, &["already"]);
    assert!(!path.exists());
    let out = day.file("backup");
    refused(&day.collector("backup", &["--out", out.to_str().unwrap()]), 3, &["log.key"]);
    write(&path, data_encoding::HEXLOWER.encode(&[9; 32]));
    std::process::Command::new("chmod").arg("600").arg(&path).status().unwrap();
    let out = day.collector("run", &[]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("not sealed with this folder's log key"), "{said}");
    std::fs::copy(day.file("copy"), &path).unwrap();
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
}
