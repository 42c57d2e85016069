//! The collector's commands through the real binary: nothing silent, nothing twice, and every
//! mistake told in three lines.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

use rollcall::collector::{Config, Home};
use rollcall::domain::Timestamp;
use rollcall::ingest::Past;
use rollcall::ledger::{Body, Ledger, Sqlite};
use rollcall::record::topic::Channel;
use rumqttc::QoS;

use crate::support::broker::{eventually, free_port};
use crate::support::caller::Caller;
use crate::support::day::{Day, rollcall, write};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};

#[track_caller]
fn told(out: &Output, code: i32, what: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert!(said.contains(what), "{said}");
    assert!(lines[0].starts_with("rollcall collector: "), "{said}");
    assert!(said.contains("\n  because: ") && said.contains("\n  hint: "), "{said}");
}

fn facts(key: &str) -> String {
    format!(
        r#"
[[institution]]
id = "huaxin"
name = {{ zh = "华新职业培训学校", en = "Huaxin Vocational School" }}

[[site]]
id = "huaxin-1"
institution = "huaxin"
name = {{ zh = "一号教学点", en = "Site 1" }}
town = {{ zh = "绵阳", en = "Mianyang" }}
place = {{ latitude_e6 = 31467500, longitude_e6 = 104679600 }}

[[terminal]]
id = "t-1"
site = "huaxin-1"
key = "{key}"

[[class]]
id = "cook-a"
institution = "huaxin"
name = {{ zh = "中式烹调一班", en = "Chinese cooking, class 1" }}
persons = 12
roster = "{}"

[[lesson]]
id = "cook-a-0302-1"
class = "cook-a"
site = "huaxin-1"
starts = "2026-03-02 08:30"
ends = "2026-03-02 11:30"
"#,
        "ab".repeat(32)
    )
}

#[test]
fn the_shipped_configuration_is_the_default_and_names_every_field() {
    let shipped = include_str!("../../firmware-config/collector.toml");
    let read: Config = toml::from_str(shipped).unwrap();
    assert_eq!(read, Config::default());
    let all = toml::Table::try_from(Config::default()).unwrap();
    let named: toml::Table = shipped.parse().unwrap();
    assert_eq!(named, all, "every field stands in the file");
}

#[test]
fn an_unknown_or_impossible_setting_is_told_with_its_place() {
    let day = Day::configured(1883);
    for (text, what) in [
        ("colour = 1", "unknown field `colour`"),
        ("[broker]\nprot = 1883", "unknown field `prot`"),
        ("[broker]\nport = 70000", "invalid value"),
        ("data_dir = \"here\"", "data_dir must be an absolute path"),
        ("[ticks]\nevery_ms = 0", "ticks.every_ms must be between"),
        ("[broker]\nuser = \"u\"", "broker.user must be given together"),
        ("[web]\nlisten = \"everywhere\"", "invalid socket address"),
        ("=", "could not understand"),
    ] {
        write(&day.config, text);
        told(&day.collector("check-config", &[]), 2, what);
    }
    write(&day.config, "");
    assert!(day.collector("check-config", &[]).status.success(), "all defaults");
    std::fs::remove_file(&day.config).unwrap();
    told(&day.collector("check-config", &[]), 2, "could not read");
}

#[test]
fn init_makes_private_keys_once_and_run_makes_nothing() {
    let day = Day::configured(1883);
    told(&day.collector("run", &[]), 3, "could not read the key");
    assert!(!day.data().exists());
    let out = day.collector("init", &[]);
    assert!(out.status.success());
    let said = String::from_utf8(out.stdout).unwrap();
    let trusted: Vec<_> = said.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(trusted[0].starts_with("log ed25519:") && trusted[1].starts_with("receipt ed25519:"));
    for name in ["log.key", "receipt.key", "ledger.sqlite"] {
        let mode = std::fs::metadata(day.data().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = std::fs::read(day.data().join("log.key")).unwrap();
    told(&day.collector("init", &[]), 2, "could not use the collector's folder");
    assert_eq!(std::fs::read(day.data().join("log.key")).unwrap(), key);
    std::fs::remove_file(day.data().join("ledger.sqlite")).unwrap();
    told(&day.collector("run", &[]), 3, "could not use the ledger");
    assert!(!day.data().join("ledger.sqlite").exists());
}

#[test]
fn a_ledger_under_another_log_key_is_not_continued() {
    let (day, other) = (Day::played(), Day::played());
    std::fs::copy(other.data().join("log.key"), day.data().join("log.key")).unwrap();
    told(&day.collector("run", &[]), 2, "is not sealed with this folder's log key");
}

#[test]
fn what_somebody_wrote_into_the_ledgers_file_is_found_at_the_next_start() {
    let tampered = |sql: &str, more: &[&dyn rusqlite::ToSql]| {
        let day = Day::played();
        let db = rusqlite::Connection::open(day.data().join("ledger.sqlite")).unwrap();
        assert_eq!(db.execute(sql, more).unwrap(), 1);
        drop(db);
        day.collector("run", &[])
    };
    // A registration, dated back by an hour.
    let out = tampered("UPDATE entry SET at_ms = at_ms - 3600000 WHERE idx = 0", &[]);
    told(&out, 3, "damaged");
    // A registration that another centre sealed: an attacker's terminal key, say.
    let foreign: Vec<u8> = {
        let other = Day::played();
        let db = rusqlite::Connection::open(other.data().join("ledger.sqlite")).unwrap();
        db.query_row("SELECT sealed FROM entry WHERE idx = 1", [], |row| row.get(0)).unwrap()
    };
    let out = tampered("UPDATE entry SET sealed = ?1 WHERE idx = 1", &[&foreign]);
    told(&out, 2, "is not sealed with this folder's log key");
    // One genuine record in another's place.
    let out = tampered(
        "UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE idx = 2) WHERE idx = 3",
        &[],
    );
    told(&out, 4, "do not give the root");
}

#[test]
fn facts_are_registered_once_and_changes_are_said() {
    let day = Day::configured(1883);
    assert!(day.collector("init", &[]).status.success());
    let file = day.file("facts.toml");
    let path = file.to_str().unwrap();
    let text = facts(&Pen::new("t-1", 1).public().to_string());
    write(&file, &text);
    for said in ["5 new, 0 changed, 0 as before", "0 new, 0 changed, 5 as before"] {
        let out = day.collector("register", &[path]);
        assert!(String::from_utf8_lossy(&out.stdout).contains(said), "{out:?}");
    }
    write(&file, text.replace("08:30", "08:45"));
    let out = day.collector("register", &[path]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("0 new, 1 changed, 4 as before"));
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    let entries = ledger.entries_since(0, 100).unwrap();
    assert_eq!(entries.len(), 6);
    let Body::Fact(rollcall::domain::Fact::Lesson(lesson)) = &entries[4].body else { panic!() };
    assert_eq!(lesson.starts, MORNING, "times are China standard time");
    assert!(entries[0].committed_at > Timestamp::from_ms(1_700_000_000_000));
}

#[test]
fn a_wrong_fact_is_told_and_nothing_is_stated() {
    let day = Day::configured(1883);
    assert!(day.collector("init", &[]).status.success());
    let file = day.file("facts.toml");
    let text = facts(&Pen::new("t-1", 1).public().to_string());
    for (from, to, what) in [
        ("ed25519:", "rsa:", "the key of terminal t-1 cannot be used"),
        ("2026-03-02 08:30", "yesterday", "write it like 2026-03-02 08:30"),
        ("2026-03-02 11:30", "2026-03-02 08:30", "it ends before it starts"),
        ("site = \"huaxin-1\"\nkey", "site = \"huaxin-9\"\nkey", "there is no site huaxin-9"),
        ("persons = 12", "persons = -1", "invalid value"),
        ("persons = 12", "people = 12", "unknown field"),
        ("31467500", "91000000", "there is no such place on earth"),
        ("31467500", "-2147483648", "there is no such place on earth"),
        ("id = \"t-1\"", "id = \"T 1\"", "is no name"),
        ("\"一号教学点\"", "\"\"", "names need 1 to 200 bytes"),
        (
            "[[class]]",
            "[[institution]]\nid = \"huaxin\"\nname = { zh = \"a\", en = \"a\" }\n[[class]]",
            "stands twice",
        ),
        ("[[class]]", "[[clas]]", "unknown field"),
    ] {
        assert!(text.contains(from), "{from}");
        write(&file, text.replacen(from, to, 1));
        told(&day.collector("register", &[file.to_str().unwrap()]), 2, what);
    }
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.size(), 0);
}

#[test]
fn two_collectors_do_not_share_a_folder() {
    let day = Day::configured(1883);
    let home = Home::create(&day.data()).unwrap();
    told(&day.collector("run", &[]), 3, "another collector works in");
    told(&day.collector("export", &["--out", "/dev/null"]), 3, "another collector works in");
    drop(home);
    assert!(day.collector("trust", &[]).status.success());
}

#[test]
fn an_empty_ledger_or_an_unknown_terminal_is_not_exported() {
    let day = Day::configured(1883);
    assert!(day.collector("init", &[]).status.success());
    let out = day.file("bundle.json");
    let out = out.to_str().unwrap();
    told(&day.collector("export", &["--out", out]), 1, "the ledger is empty");
    let day = Day::played();
    told(
        &day.collector("export", &["--out", out, "--terminal", "t-7"]),
        1,
        "the ledger has nothing of terminal t-7",
    );
    told(&day.collector("export", &["--out", "/nowhere/b.json"]), 3, "could not write");
}

fn started(command: &mut Command) -> Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("running"), "{line:?}");
    child
}

#[test]
fn a_signal_ends_it_cleanly_with_or_without_a_broker() {
    for signal in ["-INT", "-TERM"] {
        let day = Day::configured(free_port());
        assert!(day.collector("init", &[]).status.success());
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        let child = started(command.args(["collector", "run", "--config"]).arg(&day.config));
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{out:?}");
    }
}

#[test]
fn a_full_disk_ends_it_with_three_lines_and_nothing_is_lost() {
    let broker = Mosquitto::start();
    let day = Day::configured(broker.port());
    let mut pen = Pen::new("t-1", 1);
    let mut home = Home::create(&day.data()).unwrap();
    home.state(vec![pen.registration()], MORNING).unwrap();
    let key = home.receipt_key();
    drop(home);
    // No file may grow beyond 256 KiB: to SQLite that is a full disk.
    let mut command = Command::new("bash");
    let script = "ulimit -f 256; trap '' XFSZ; exec \"$@\"";
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_rollcall")]);
    let mut child = started(command.args(["collector", "run", "--config"]).arg(&day.config));
    let parcels = pen.write_many(2_000);
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    parcels.chunks(40).for_each(|chunk| caller.offer(chunk));
    eventually("the disk is full", || {
        caller.step();
        child.try_wait().unwrap().is_some()
    });
    told(&child.wait_with_output().unwrap(), 3, "could not commit what came in");

    // Whatever was answered before the end is heard before our own mark.
    caller.send(Channel::Answers, QoS::AtLeastOnce, b"mark".to_vec());
    caller.until("all answers are heard", |heard| heard.iter().any(|it| it == b"mark"));
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    for receipt in caller.receipts(&key) {
        let link = ledger.link(&pen.terminal, receipt.last).unwrap();
        assert_eq!(link.map(|link| link.hash), Some(receipt.hash), "receipted, so committed");
    }
    drop(ledger);

    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let mut child = started(command.args(["collector", "run", "--config"]).arg(&day.config));
    let covered = |caller: &Caller| {
        caller.receipts(&key).iter().map(|receipt| receipt.last).max().unwrap_or(0)
    };
    let received = covered(&caller);
    assert!(received < 2_000, "it was full before the end");
    let from = usize::try_from(received).unwrap();
    parcels[from..].chunks(40).for_each(|chunk| caller.offer(chunk));
    eventually("the rest is received", || {
        caller.step();
        covered(&caller) == 2_000
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    let entries = ledger.entries_since(0, 10_000).unwrap();
    let records = entries.iter().filter(|entry| matches!(entry.body, Body::Record { .. }));
    assert_eq!(records.count(), 2_000);
}

#[test]
fn help_names_every_command() {
    let out = rollcall(&["collector", "--help"]);
    let said = String::from_utf8(out.stdout).unwrap();
    for command in [
        "init",
        "run",
        "check-config",
        "register",
        "trust",
        "export",
        "backup",
        "restore",
        "renew-receipt-key",
    ] {
        assert!(said.contains(command), "{said}");
    }
}
