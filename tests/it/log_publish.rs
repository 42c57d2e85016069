//! The public log: what is published, what is never published again, and who cosigns it.

use rollcall::collector::publish::{LogSettings, PublishError};
use rollcall::ledger::tiles::{Tile, TileNodes, entries_in, entry_of};
use rollcall::ledger::tree::{TreeHash, prove_consistency, root_of, verify_consistency};
use rollcall::ledger::{Ledger, Sqlite};
use rollcall::record::note::{KeyKind, Policy, TreeHead, Vkey, Word};

use crate::support::day::{Day, rollcall};
use crate::support::log::{
    ORIGIN, Witness, checkpoint, grow, log_key, public, publish, published, publisher_of, settings,
};

fn copy_ledger(day: &Day, from: &str, to: &str) {
    // The write-ahead log is folded in when the last connection closes.
    std::fs::copy(day.data().join(from), day.data().join(to)).unwrap();
}

#[test]
fn a_published_log_is_a_checkpoint_and_tiles_that_lead_to_it() {
    let day = published();
    grow(&day, 300);
    publish(&day).unwrap();
    let (note, head) = checkpoint(&day);
    let vkey = Vkey::new(ORIGIN, KeyKind::Log, log_key(&day).verifying_key()).unwrap();
    assert_eq!(note.word_of(&vkey), Word::Signed { at_s: None });
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    assert_eq!((head.size, TreeHash(head.root)), (ledger.size(), ledger.root()));
    assert_eq!(head.size, 315);
    let read = |tile: &Tile| std::fs::read(day.data().join("public").join(tile.to_string()));
    let nodes = TileNodes { size: head.size, read };
    assert_eq!(root_of(&nodes, head.size).unwrap(), ledger.root());
    let entries = [public(&day, "tile/entries/000"), public(&day, "tile/entries/001.p/59")];
    let entries: Vec<_> = entries.iter().flat_map(|bytes| entries_in(bytes).unwrap()).collect();
    let stored = ledger.stored_since(0, 1_000).unwrap();
    assert_eq!(entries, stored.iter().map(|s| entry_of(&s.sealed)).collect::<Vec<_>>());
    // The partial tile of the first checkpoint gave way to the full one.
    assert!(!day.data().join("public/tile/0/000.p").exists());
}

#[test]
fn nothing_of_a_person_is_in_the_public_files() {
    let day = published();
    let ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    for stored in ledger.stored_since(0, 100).unwrap() {
        let bundle = public(&day, "tile/entries/000.p/15");
        let start = &stored.sealed[..32];
        assert!(!bundle.windows(32).any(|window| window == start), "entry {}", stored.index);
        assert!(bundle.windows(32).any(|window| window == entry_of(&stored.sealed)));
    }
}

#[test]
fn each_checkpoint_continues_the_one_before_it_over_restarts() {
    let day = published();
    let mut heads = vec![checkpoint(&day).1];
    for ticks in [1, 7, 240, 300] {
        grow(&day, ticks);
        publish(&day).unwrap();
        heads.push(checkpoint(&day).1);
    }
    let size = heads[4].size;
    let read = |tile: &Tile| std::fs::read(day.data().join("public").join(tile.to_string()));
    let nodes = TileNodes { size, read };
    let root = |head: &TreeHead| TreeHash(head.root);
    for old in &heads {
        let proof = prove_consistency(&nodes, old.size, size).unwrap().unwrap();
        assert!(verify_consistency(old.size, root(old), size, root(&heads[4]), &proof));
    }
}

#[test]
fn a_database_from_an_older_backup_publishes_nothing_and_says_why() {
    let day = published();
    copy_ledger(&day, "ledger.sqlite", "backup.sqlite");
    grow(&day, 3);
    publish(&day).unwrap();
    let before = public(&day, "checkpoint");
    copy_ledger(&day, "backup.sqlite", "ledger.sqlite");
    let error = publish(&day).unwrap_err();
    assert!(matches!(error, PublishError::Older { entries: 15, signed: 18 }), "{error:?}");
    // It grows beyond the old size, with other entries: still another history.
    grow(&day, 4);
    let error = publish(&day).unwrap_err();
    assert!(matches!(error, PublishError::OtherHistory { signed: 18 }), "{error:?}");
    assert_eq!(public(&day, "checkpoint"), before);
    let out = day.collector("run", &[]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(4), "{said}");
    assert!(said.starts_with("rollcall collector: could not publish the ledger"), "{said}");
    assert!(said.contains("\n  because: ") && said.contains("\n  hint: "), "{said}");
}

#[test]
fn the_public_folder_alone_remembers_when_the_whole_data_folder_is_restored() {
    let day = published();
    let mut elsewhere = settings(&day, Vec::new());
    elsewhere.folder = day.file("public");
    grow(&day, 1);
    publisher_of(&day, ORIGIN, elsewhere.clone()).unwrap().publish().unwrap();
    copy_ledger(&day, "ledger.sqlite", "backup.sqlite");
    let signed = std::fs::read(day.data().join("log.signed")).unwrap();
    grow(&day, 1);
    publisher_of(&day, ORIGIN, elsewhere.clone()).unwrap().publish().unwrap();
    copy_ledger(&day, "backup.sqlite", "ledger.sqlite");
    crate::support::day::write(&day.data().join("log.signed"), signed);
    let error = publisher_of(&day, ORIGIN, elsewhere).unwrap_err();
    assert!(matches!(error, PublishError::Older { entries: 16, signed: 17 }), "{error:?}");
}

#[test]
fn a_log_that_must_end_is_followed_by_one_that_names_it() {
    let day = published();
    let (_, old) = checkpoint(&day);
    copy_ledger(&day, "ledger.sqlite", "backup.sqlite");
    grow(&day, 3);
    publish(&day).unwrap();
    copy_ledger(&day, "backup.sqlite", "ledger.sqlite");
    let error = publisher_of(&day, "rollcall-two", settings(&day, Vec::new())).unwrap_err();
    assert!(matches!(error, PublishError::OtherLog { .. }), "{error:?}");
    let next = LogSettings {
        folder: day.file("public-two"),
        follows: Some(ORIGIN.into()),
        ..settings(&day, Vec::new())
    };
    for _ in 0..2 {
        let head =
            publisher_of(&day, "rollcall-two", next.clone()).unwrap().publish().unwrap().head;
        assert_eq!((head.origin.as_str(), head.size), ("rollcall-two", old.size));
        assert!(head.extensions[0].starts_with("follows rollcall-collector 18 "), "{head:?}");
    }
    // The old one cannot be taken up again.
    let error = publish(&day).unwrap_err();
    assert!(matches!(error, PublishError::OtherLog { .. }), "{error:?}");
}

#[test]
fn a_checkpoint_is_published_when_the_witness_has_signed_and_not_before() {
    let day = Day::played();
    let mut witness = Witness::of(&day);
    let mut publisher =
        publisher_of(&day, ORIGIN, settings(&day, vec![witness.watcher()])).unwrap();
    witness.kill();
    assert!(!publisher.publish().unwrap().public);
    assert!(!day.data().join("public/checkpoint").exists());
    witness.start();
    let mut publisher =
        publisher_of(&day, ORIGIN, settings(&day, vec![witness.watcher()])).unwrap();
    assert!(publisher.publish().unwrap().public);
    let (note, _) = checkpoint(&day);
    let log = Vkey::new(ORIGIN, KeyKind::Log, log_key(&day).verifying_key()).unwrap();
    let policy = Policy { logs: vec![log], witnesses: vec![witness.vkey.clone()], quorum: 1 };
    assert_eq!(policy.judge(&note).unwrap().size, 15);
    // It goes on over growth, and over the witness's death between any two checkpoints.
    for ticks in [1, 2, 300] {
        witness.kill();
        witness.start();
        grow(&day, ticks);
        let watchers = vec![witness.watcher()];
        let mut publisher = publisher_of(&day, ORIGIN, settings(&day, watchers)).unwrap();
        assert!(publisher.publish().unwrap().public);
        assert!(policy.judge(&checkpoint(&day).0).is_ok());
    }
}

#[test]
fn a_witness_signs_neither_a_rolled_back_log_nor_a_second_history() {
    let day = Day::played();
    let witness = Witness::of(&day);
    copy_ledger(&day, "ledger.sqlite", "backup.sqlite");
    grow(&day, 3);
    let with = |folder: &str| LogSettings {
        data_dir: day.file(folder),
        folder: day.file(folder),
        ..settings(&day, vec![witness.watcher()])
    };
    assert!(publisher_of(&day, ORIGIN, with("a")).unwrap().publish().unwrap().public);
    // A centre that has thrown away everything that it remembered.
    copy_ledger(&day, "backup.sqlite", "ledger.sqlite");
    assert!(!publisher_of(&day, ORIGIN, with("b")).unwrap().publish().unwrap().public);
    grow(&day, 1);
    grow(&day, 2);
    assert!(!publisher_of(&day, ORIGIN, with("c")).unwrap().publish().unwrap().public);
    grow(&day, 9);
    assert!(!publisher_of(&day, ORIGIN, with("d")).unwrap().publish().unwrap().public);
    // Both signed histories lie with the witness as evidence.
    let kept = std::fs::read_dir(day.file("witness").join("evidence")).unwrap().count();
    assert_eq!(kept, 2);
}

#[test]
fn a_witness_is_made_once_and_does_not_run_without_what_it_saw() {
    let day = Day::played();
    let mut witness = Witness::of(&day);
    witness.kill();
    let config = witness.config.to_str().unwrap();
    let told = |command: &str, code: i32, what: &str| {
        let out = rollcall(&["witness", command, "--config", config]);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(code), "{said}");
        assert!(said.contains(what) && said.contains("\n  hint: "), "{said}");
    };
    told("init", 2, "there is one already");
    std::fs::remove_dir_all(day.file("witness").join("seen")).unwrap();
    told("run", 4, "could not find what was seen");
    std::fs::remove_file(day.file("witness").join("witness.key")).unwrap();
    told("run", 3, "could not read the key");
}

#[test]
fn a_witness_whose_memory_was_touched_does_not_run() {
    let day = Day::played();
    let mut witness = Witness::of(&day);
    let watchers = vec![witness.watcher()];
    publisher_of(&day, ORIGIN, settings(&day, watchers)).unwrap().publish().unwrap();
    witness.kill();
    let seen = std::fs::read_dir(day.file("witness").join("seen")).unwrap();
    let path = seen.map(|file| file.unwrap().path()).find(|path| path.is_file()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    crate::support::day::write(&path, text.replacen("\n15\n", "\n14\n", 1));
    let out = rollcall(&["witness", "run", "--config", witness.config.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(4), "{out:?}");
}

#[test]
fn the_shipped_configuration_of_a_witness_names_every_field() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware-config/witness.toml");
    let read = rollcall::witness::Config::load(std::path::Path::new(path)).unwrap();
    let all = toml::Table::try_from(read).unwrap();
    let named: toml::Table = include_str!("../../firmware-config/witness.toml").parse().unwrap();
    assert_eq!(named, all);
}
