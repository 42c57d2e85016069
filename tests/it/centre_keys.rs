//! Loss and rotation of the centre's two keys, as docs/runbook/centre-keys.md tells it.

use std::process::Output;

use rollcall::collector::Home;
use rollcall::record::VerifyingKey;

use crate::collector_postgres::{Stream, hold, started};
use crate::support::caller::Caller;
use crate::support::day::{Day, write};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};
use crate::support::{fine, refused};

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
