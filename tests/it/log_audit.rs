//! `rollcall collector audit`: each way to change a ledger behind its back is staged, and found by
//! the name of the entry.

use rollcall::ledger::tree::{Frontier, TreeHash};
use rollcall::ledger::{Ledger, Sqlite};
use rollcall::record::note::sign;

use crate::support::day::{Day, write};
use crate::support::log::{ORIGIN, checkpoint, grow, log_key, publish, published, tamper};

fn audited(day: &Day, more: &[&str]) -> (i32, String) {
    let out = day.collector("audit", more);
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[track_caller]
fn found(day: &Day, what: &str) {
    let (code, said) = audited(day, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(what), "{said}");
    assert!(said.contains("\n  because: ") && said.contains("\n  hint: "), "{said}");
}

/// Makes the tree's edge fit the changed entries, as a clever forger would.
fn mend_edge(day: &Day) {
    let db = rusqlite::Connection::open(day.data().join("ledger.sqlite")).unwrap();
    let mut select = db.prepare("SELECT sealed FROM entry ORDER BY idx").unwrap();
    let sealed = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut frontier = Frontier::default();
    sealed.for_each(|sealed| frontier.push(TreeHash::of_sealed(&sealed.unwrap())));
    let peaks: Vec<u8> = frontier.peaks().iter().flat_map(|hash| hash.0).collect();
    let size = i64::try_from(frontier.size()).unwrap();
    db.execute("UPDATE frontier SET size = ?1, peaks = ?2", rusqlite::params![size, peaks])
        .unwrap();
}

#[test]
fn an_untouched_ledger_holds_published_or_not() {
    let day = Day::played();
    let (code, said) = audited(&day, &[]);
    assert_eq!(code, 0, "{said}");
    publish(&day).unwrap();
    let (code, said) = audited(&day, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("15 entries, root"), "{said}");
    grow(&day, 3);
    assert_eq!(audited(&day, &[]).0, 0, "what is not published yet is no fault");
}

#[test]
fn erasing_a_person_changes_nothing_that_is_audited() {
    let day = published();
    let mut ledger = Sqlite::open(&day.data().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.erase(crate::support::pen::opening(1).person).unwrap(), 2);
    drop(ledger);
    assert_eq!(audited(&day, &[]).0, 0);
    assert!(publish(&day).unwrap().public, "and it goes on being published");
}

#[test]
fn a_deleted_entry_is_named() {
    let day = published();
    tamper(&day, "DELETE FROM opening WHERE idx = 5; DELETE FROM entry WHERE idx = 5;");
    found(&day, "entry 5 is missing");
    mend_edge(&day);
    found(&day, "entry 5 is missing");
}

#[test]
fn an_entry_that_was_taken_out_without_a_trace_is_named() {
    let day = published();
    tamper(
        &day,
        "DELETE FROM opening WHERE idx >= 5; DELETE FROM evidence WHERE idx >= 5;
         DELETE FROM entry WHERE idx = 5;
         UPDATE entry SET idx = idx + 1000 WHERE idx > 5;
         UPDATE entry SET idx = idx - 1001 WHERE idx > 1000;",
    );
    mend_edge(&day);
    found(&day, "entry 5 was removed");
}

#[test]
fn an_altered_entry_is_named_also_before_it_is_published() {
    let day = Day::played();
    let flip = "UPDATE entry SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || \
                (CASE WHEN substr(sealed, -1) = x'00' THEN x'01' ELSE x'00' END) AS BLOB) \
                WHERE idx = 4;";
    publish(&day).unwrap();
    tamper(&day, flip);
    mend_edge(&day);
    found(&day, "entry 4 was altered");
    let day = Day::played();
    tamper(&day, flip);
    mend_edge(&day);
    found(&day, "entry 4: ");
}

#[test]
fn an_inserted_entry_is_named() {
    let day = published();
    tamper(
        &day,
        "UPDATE entry SET idx = idx + 1000 WHERE idx >= 6;
         UPDATE entry SET idx = idx - 999 WHERE idx >= 1000;
         UPDATE evidence SET idx = idx + 1001 WHERE idx >= 6;
         UPDATE evidence SET idx = idx - 1000 WHERE idx >= 1000;
         INSERT INTO entry (idx, at_ms, kind, sealed) SELECT 6, at_ms, kind, sealed FROM entry WHERE idx = 0;",
    );
    mend_edge(&day);
    found(&day, "entry 6 was inserted");
}

#[test]
fn exchanged_entries_are_named() {
    let day = published();
    tamper(
        &day,
        "UPDATE entry SET idx = 1000 WHERE idx = 3; UPDATE entry SET idx = 3 WHERE idx = 4;
         UPDATE entry SET idx = 4 WHERE idx = 1000;",
    );
    mend_edge(&day);
    found(&day, "entry 3 holds what was published as entry 4");
    found(&day, "entry 4 holds what was published as entry 3");
}

#[test]
fn a_rolled_back_database_is_told_with_what_is_missing() {
    let day = published();
    tamper(
        &day,
        "DELETE FROM opening WHERE idx >= 12; DELETE FROM evidence WHERE idx >= 12; DELETE FROM entry WHERE idx >= 12;",
    );
    mend_edge(&day);
    found(&day, "rolled back");
    found(&day, "entries 12 to 14 are missing");
}

#[test]
fn a_second_history_under_the_same_key_is_found_in_a_checkpoint_that_somebody_holds() {
    let day = published();
    let (note, mut head) = checkpoint(&day);
    let held = day.file("held.note");
    write(&held, note.to_string());
    let held = held.to_str().unwrap();
    assert_eq!(audited(&day, &["--checkpoint", held]).0, 0);
    head.root[0] ^= 1;
    head.size = 9;
    let text = head.to_string();
    let line = sign(&text, ORIGIN, &log_key(&day)).unwrap();
    write(&day.file("held.note"), format!("{text}\n{line}"));
    let (code, said) = audited(&day, &["--checkpoint", held]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("split view") && said.contains("for 9 entries"), "{said}");
    // Without the log's signature it says nothing about the log.
    write(&day.file("held.note"), format!("{text}\n{}", note.lines()[0]));
    let (code, said) = audited(&day, &["--checkpoint", held]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("does not hold") && !said.contains("split view"), "{said}");
    assert_eq!(audited(&day, &["--checkpoint", "/nowhere/c"]).0, 3);
}

#[test]
fn touched_tiles_are_named() {
    for (tile, what) in [
        ("tile/entries/000.p/15", "tile/entries/000.p/15 and tile/0/000.p/15"),
        ("tile/0/000.p/15", "entry 0: "),
    ] {
        let day = published();
        let path = day.data().join("public").join(tile);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5] ^= 1;
        write(&path, &bytes);
        found(&day, what);
        std::fs::remove_file(&path).unwrap();
        found(&day, "is missing from the public log");
    }
}

#[test]
fn a_ledger_of_version_1_is_brought_to_version_2_once_it_is_found_whole() {
    let day = Day::played();
    let path = day.data().join("ledger.sqlite");
    let (size, root) = {
        let ledger = Sqlite::open(&path).unwrap();
        (ledger.size(), ledger.root())
    };
    let as_version_1 = |day: &Day| {
        let db = rusqlite::Connection::open(day.data().join("ledger.sqlite")).unwrap();
        let mut select = db.prepare("SELECT sealed FROM entry ORDER BY idx").unwrap();
        let sealed = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let mut old = Frontier::default();
        sealed.for_each(|sealed| old.push(TreeHash::leaf(&sealed.unwrap())));
        let peaks: Vec<u8> = old.peaks().iter().flat_map(|hash| hash.0).collect();
        db.execute("UPDATE frontier SET peaks = ?1", [peaks]).unwrap();
        db.execute_batch("PRAGMA user_version = 1").unwrap();
    };
    as_version_1(&day);
    assert!(Sqlite::open_read_only(&path).is_err(), "only who may write brings it forward");
    let ledger = Sqlite::open(&path).unwrap();
    assert_eq!((ledger.size(), ledger.root()), (size, root));
    drop(ledger);
    assert_eq!(Sqlite::open_read_only(&path).unwrap().root(), root);
    as_version_1(&day);
    tamper(&day, "UPDATE entry SET sealed = x'00' WHERE idx = 3;");
    let error = Sqlite::open(&path).unwrap_err();
    assert!(error.to_string().contains("contradicts itself"), "{error}");
}
