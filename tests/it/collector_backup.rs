//! `rollcall collector backup` and `restore`: the ledger from any store into any other, a damaged file,
//! and what becomes of records and of the public log when the backup was older.

use std::path::{Path, PathBuf};

use rollcall::collector::Home;
use rollcall::collector::publish::PublishError;
use rollcall::ledger::Ledger;
use rollcall::record::{SigningKey, Wanted, open_statement};

use crate::collector_postgres::{Stream, hold, records, started};
use crate::support::caller::Caller;
use crate::support::day::{Day, write};
use crate::support::log::{checkpoint, grow, publish};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};
use crate::support::postgres::{Database, database};
use crate::support::{fine, refused};

fn backed_up(day: &Day, name: &str) -> PathBuf {
    let out = day.file(name);
    let said = fine(&day.collector("backup", &["--out", out.to_str().unwrap()]));
    assert!(said.contains("keys are not in it"), "{said}");
    out
}

fn restore(day: &Day, from: &Path) -> std::process::Output {
    day.collector("restore", &["--from", from.to_str().unwrap()])
}

/// An empty place under the keys of another.
fn heir(of: &Day, database: Option<&Database>) -> Day {
    let day = Day::configured(1883);
    day.store_in(database);
    std::fs::create_dir(day.data()).unwrap();
    for key in ["log.key", "receipt.key"] {
        std::fs::copy(of.data().join(key), day.data().join(key)).unwrap();
    }
    day
}

#[track_caller]
fn same(one: &dyn Ledger, other: &dyn Ledger) {
    assert_eq!((one.size(), one.root()), (other.size(), other.root()));
    assert_eq!(one.last_committed_at(), other.last_committed_at());
    assert_eq!(one.stored_since(0, 10_000).unwrap(), other.stored_since(0, 10_000).unwrap());
    let sorted = |ledger: &dyn Ledger| {
        let (mut heads, mut refusals) = (ledger.heads().unwrap(), ledger.refusals().unwrap());
        heads.sort_by(|a, b| a.0.cmp(&b.0));
        refusals.sort();
        (heads, refusals)
    };
    assert_eq!(sorted(one), sorted(other));
}

#[test]
fn a_ledger_moves_from_sqlite_to_postgresql_and_back_and_is_the_same_in_every_row() {
    let sqlite = Day::played();
    grow(&sqlite, 2_000);
    let mut ledger = sqlite.store().open_ledger().unwrap();
    assert_eq!(ledger.erase(crate::support::pen::opening(2).person).unwrap(), 2);
    drop(ledger);
    let first = backed_up(&sqlite, "first");
    let database = database();
    let postgres = heir(&sqlite, Some(&database));
    let said = fine(&restore(&postgres, &first));
    assert!(said.contains("2015 entries"), "{said}");
    same(&*postgres.store().open_ledger().unwrap(), &*sqlite.store().read_ledger().unwrap());
    assert!(fine(&postgres.collector("audit", &[])).contains("成立 holds"));

    grow(&postgres, 3_000);
    let second = backed_up(&postgres, "second");
    let back = heir(&postgres, None);
    fine(&restore(&back, &second));
    same(&*back.store().open_ledger().unwrap(), &*postgres.store().read_ledger().unwrap());
    assert!(fine(&back.collector("audit", &[])).contains("5015 entries"));
    // It goes on as any other.
    grow(&back, 4_000);
    assert!(publish(&back).unwrap().public);
    assert_ne!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
}

#[test]
fn a_backup_is_private_overwrites_nothing_and_holds_no_key() {
    use std::os::unix::fs::PermissionsExt;
    let day = Day::played();
    let out = backed_up(&day, "backup");
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&out).unwrap();
    for key in ["log.key", "receipt.key"] {
        let secret = std::fs::read_to_string(day.data().join(key)).unwrap();
        assert!(!text.contains(secret.trim()), "{key}");
    }
    let again = day.collector("backup", &["--out", out.to_str().unwrap()]);
    refused(&again, 2, &["there is such a file already"]);
    refused(&day.collector("backup", &["--out", "/nowhere/backup"]), 3, &["could not write"]);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), text);
}

#[test]
fn a_ledger_that_contradicts_itself_is_not_backed_up() {
    let day = Day::played();
    crate::support::log::tamper(&day, "UPDATE entry SET sealed = x'00' WHERE idx = 3;");
    let out = day.file("backup");
    let refusal = day.collector("backup", &["--out", out.to_str().unwrap()]);
    refused(&refusal, 1, &["do not give the root"]);
    assert!(!out.exists() && !day.file("backup.partial").exists());
}

#[test]
fn nothing_is_restored_over_anything_and_not_without_the_keys() {
    let day = Day::played();
    let backup = backed_up(&day, "backup");
    refused(&restore(&day, &backup), 2, &["there is a ledger already"]);

    let keyless = Day::configured(1883);
    refused(&restore(&keyless, &backup), 3, &["log.key", "there is none", "copy log.key"]);
    let stranger = Day::configured(1883);
    std::fs::create_dir(stranger.data()).unwrap();
    let digits = data_encoding::HEXLOWER.encode(&SigningKey::from_secret(&[9; 32]).secret());
    for key in ["log.key", "receipt.key"] {
        write(&stranger.data().join(key), &digits);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(stranger.data().join(key), mode).unwrap();
    }
    refused(&restore(&stranger, &backup), 1, &["sealed with the log key", "nothing was restored"]);

    // A view of another history would hide what comes anew at the same places.
    let stale = heir(&day, None);
    write(&stale.data().join("feed.sqlite"), "");
    refused(&restore(&stale, &backup), 2, &["must be moved away"]);
    let database = database();
    drop(heir(&day, Some(&database)).store().open_feed().unwrap());
    let stale = heir(&day, Some(&database));
    refused(&restore(&stale, &backup), 2, &["must be moved away"]);
    database.run("DROP SCHEMA feed CASCADE");
    fine(&restore(&stale, &backup));
    refused(
        &restore(&stale, &backup),
        2,
        &["there is a ledger already", "nothing was overwritten"],
    );

    let named = heir(&day, None);
    let config = std::fs::read_to_string(&named.config).unwrap();
    write(&named.config, format!("origin = \"another\"\n{config}"));
    refused(&restore(&named, &backup), 2, &["rollcall-collector", "another"]);
    for day in [&keyless, &stranger, &named] {
        assert!(!day.data().join("ledger.sqlite").exists());
    }
}

#[test]
fn a_backup_with_one_changed_or_missing_part_is_refused_with_a_reason() {
    let day = Day::played();
    let backup = std::fs::read_to_string(backed_up(&day, "backup")).unwrap();
    let lines: Vec<&str> = backup.lines().collect();
    assert_eq!(lines.len(), 17);
    let heir = heir(&day, None);
    let try_lines = |lines: &[String], why: &str| {
        let file = day.file("changed");
        write(&file, lines.concat());
        refused(&restore(&heir, &file), 1, &["could not trust the backup", why]);
        assert!(!heir.data().join("ledger.sqlite").exists());
    };
    let whole: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let without = |place: usize| {
        let mut lines = whole.clone();
        lines.remove(place);
        lines
    };
    let with = |place: usize, from: &str, to: &str| {
        let mut lines = whole.clone();
        assert!(lines[place].contains(from), "{}", lines[place]);
        lines[place] = lines[place].replacen(from, to, 1);
        lines
    };
    try_lines(&[], "no backup of version 1");
    try_lines(&["x\n".into()], "no backup of version 1");
    try_lines(&with(0, "-v1", "-v2"), "no backup of version 1");
    try_lines(&whole[..16], "ends after 15 entries, without its seal");
    try_lines(&[&whole[..8], &["{\"index\":7,\"at".into()][..]].concat(), "without its seal");
    try_lines(&without(5), "entry 4 does not hold: it says that it is entry 5");
    try_lines(&without(15), "changed after it was sealed");
    try_lines(&[&whole[..], &["\n".into()][..]].concat(), "something follows its seal");
    try_lines(&with(0, "rollcall-collector", "rollcall-collectoR"), "changed after it was sealed");
    // A time that no seal of the entry's own holds: the backup's does.
    try_lines(&with(15, "\"at_ms\":1772411400000", "\"at_ms\":1772411400001"), "entry 14");
    try_lines(
        &with(4, "\"at_ms\":1772411400000", "\"at_ms\":1772411399999"),
        "earlier than the one",
    );
    let long = format!("{{\"index\":3,\"x\":\"{}\"}}\n", "y".repeat(20_000));
    try_lines(&[&whole[..4], &[long][..]].concat(), "longer than any can be");
    let salt = lines[3].split("\"salt\":\"").nth(1).unwrap();
    let person: &String = &salt.chars().take(8).collect();
    try_lines(&with(3, person, "AAAAAAAA"), "an opening beside it is not its own");
    // Any letter of the sealed bytes, of any entry.
    for place in 1..16 {
        let sealed = lines[place].find("\"sealed\":\"").unwrap() + 10 + 40 + place * 3;
        let mut bytes = whole[place].clone().into_bytes();
        bytes[sealed] = if bytes[sealed] == b'A' { b'B' } else { b'A' };
        let mut changed = whole.clone();
        changed[place] = String::from_utf8(bytes).unwrap();
        try_lines(&changed, &format!("entry {} does not hold", place - 1));
    }
    write(&day.file("changed"), whole.concat());
    fine(&restore(&heir, &day.file("changed")));
}

#[test]
fn a_restore_that_did_not_come_to_its_end_is_no_ledger_and_begins_anew() {
    let day = Day::played();
    let backup = backed_up(&day, "backup");
    let database = database();
    let begun = heir(&day, Some(&database));
    let rollcall::collector::Store::Postgres(address) = begun.store() else { panic!() };
    let mut half = rollcall::ledger::Postgres::create_unfinished(&address).unwrap();
    let stored = day.store().read_ledger().unwrap().stored_since(0, 7).unwrap();
    half.commit(rollcall::ledger::Staged::restored(stored).unwrap()).unwrap();
    drop(half);
    refused(&begun.opened(), 2, &["did not come to its end", "begins anew"]);
    fine(&restore(&begun, &backup));
    same(&*begun.store().open_ledger().unwrap(), &*day.store().read_ledger().unwrap());

    let begun = heir(&day, None);
    std::fs::copy(day.data().join("ledger.sqlite"), begun.data().join("ledger.sqlite.restoring"))
        .unwrap();
    refused(&begun.opened(), 3, &["there is no ledger"]);
    fine(&restore(&begun, &backup));
    same(&*begun.store().open_ledger().unwrap(), &*day.store().read_ledger().unwrap());
}

/// The whole way of the runbook, on one store: backup, more records, loss, restore, offered again.
fn walk(broker: &Mosquitto, day: &Day, next: Option<&Database>) {
    let mut pen = Pen::new("t-1", 1);
    let mut home = Home::create_in(&day.data(), day.store()).unwrap();
    home.state(vec![pen.registration()], MORNING).unwrap();
    let key = home.receipt_key();
    drop(home);
    let caller = Caller::connect(broker.port(), &pen.terminal);
    let mut stream = Stream { caller, parcels: pen.write_many(64), key };
    let mut child = started(day);
    stream.until_received(64);
    // Beside the collector that works.
    let backup = backed_up(day, "backup");
    stream.parcels.extend(pen.write_many(64));
    stream.until_received(128);
    child.kill().unwrap();
    child.wait().unwrap();
    publish(day).unwrap();
    let (_, published) = checkpoint(day);
    assert!(published.size > 128);

    // The store is lost, and the folder but for the copies of the keys and the public log, which lies
    // on another disk.
    let (public, keys) = (day.file("public"), day.file("keys"));
    let moved = |from: PathBuf, to: &Path| {
        assert!(std::process::Command::new("mv").arg(from).arg(to).status().unwrap().success());
    };
    moved(day.data().join("public"), &public);
    moved(day.data(), &keys);
    std::fs::create_dir(day.data()).unwrap();
    for key in ["log.key", "receipt.key"] {
        std::fs::copy(keys.join(key), day.data().join(key)).unwrap();
    }
    day.store_in(next);
    let text = std::fs::read_to_string(&day.config).unwrap();
    write(&day.config, format!("{text}\n[log]\nfolder = {public:?}\n"));
    fine(&restore(day, &backup));
    assert_eq!(records(&*day.store().read_ledger().unwrap()).len(), 64);

    // It is older than what was published: under this origin it publishes nothing ever again.
    refused(&day.collector("run", &[]), 4, &["but a checkpoint of", "[log] follows"]);
    let renamed = format!(
        "origin = \"second\"\n{text}\n[log]\nfollows = \"rollcall-collector\"\nfolder = {:?}\n",
        day.file("public-2")
    );
    write(&day.config, renamed);
    let mut child = started(day);

    // The terminal's next record is ahead of what the centre has: it is asked for the rest.
    stream.parcels.push(pen.write());
    let newest = stream.parcels.last().unwrap().clone();
    stream.caller.heard.clear();
    let mut wanted = None;
    let mut turns = 0;
    crate::support::broker::eventually("the centre asks", || {
        if turns % 100 == 0 {
            stream.caller.offer(std::slice::from_ref(&newest));
        }
        turns += 1;
        stream.caller.step();
        let heard = stream.caller.heard.iter();
        wanted = heard.filter_map(|sealed| open_statement::<Wanted>(sealed, &key).ok()).next();
        wanted.is_some()
    });
    let from = wanted.unwrap().from;
    assert_eq!(from, 65);
    let again = &stream.parcels[usize::try_from(from).unwrap() - 1..];
    again.chunks(32).for_each(|chunk| stream.caller.offer(chunk));
    stream.until_received(129);
    child.kill().unwrap();
    child.wait().unwrap();
    hold(&*day.store().read_ledger().unwrap(), &stream, true);
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
    let note = std::fs::read_to_string(day.file("public-2").join("checkpoint")).unwrap();
    let follows = format!("follows rollcall-collector {} ", published.size);
    assert!(note.starts_with("second\n") && note.contains(&follows), "{note}");
}

#[test]
fn after_a_loss_an_older_backup_and_the_terminals_give_back_every_record_and_a_new_log_names_the_old()
 {
    let broker = Mosquitto::start();
    walk(&broker, &Day::configured(broker.port()), None);
}

#[test]
fn a_lost_database_comes_back_into_sqlite_and_a_lost_file_into_a_database() {
    let broker = Mosquitto::start();
    let (lost, found) = (database(), database());
    walk(&broker, &Day::configured_in(broker.port(), &lost), None);
    let broker = Mosquitto::start();
    walk(&broker, &Day::configured(broker.port()), Some(&found));
}

#[test]
fn a_restored_ledger_that_was_not_older_goes_on_under_its_origin() {
    let day = Day::played();
    publish(&day).unwrap();
    let backup = backed_up(&day, "backup");
    let heir = heir(&day, None);
    assert!(!heir.data().join("log.signed").exists());
    std::fs::create_dir(heir.data().join("public")).unwrap();
    let published = std::fs::read(day.data().join("public/checkpoint")).unwrap();
    write(&heir.data().join("public/checkpoint"), &published);
    fine(&restore(&heir, &backup));
    let signed = std::fs::read(heir.data().join("log.signed")).unwrap();
    assert_eq!(signed, published, "what was published is remembered again");
    grow(&heir, 2);
    assert!(publish(&heir).unwrap().public);

    // Restored once more from the same backup, it is older.
    for file in ["ledger.sqlite", "cases.sqlite", "feed.sqlite"] {
        std::fs::remove_file(heir.data().join(file)).ok();
    }
    fine(&restore(&heir, &backup));
    let error = publish(&heir).unwrap_err();
    assert!(matches!(error, PublishError::Older { entries: 15, signed: 17 }), "{error:?}");
}
