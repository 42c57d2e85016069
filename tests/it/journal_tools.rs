//! `rollcall terminal journal check | repair | export`, through the real binary: a journal is damaged
//! in both copies, and nothing that stands is lost, nothing is destroyed, no number is used twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use data_encoding::{BASE64, HEXLOWER};
use rollcall::domain::Event;
use rollcall::journal::{self, Bounds, Journal, OpenError, RepairError};
use rollcall::record::{Parcel, Record};

use crate::support::fine;
use crate::support::mosquitto::free_port;
use crate::support::records::{
    append, at_ms, committed, receipt_verifying_key, terminal_id, terminal_key,
};

const ROLLCALL: &str = env!("CARGO_BIN_EXE_rollcall");
const TESTBED: &str = env!("CARGO_BIN_EXE_rollcall-testbed");

struct Site {
    _root: tempfile::TempDir,
    dir: PathBuf,
}

impl Site {
    /// A journal with six records, of which so many are released.
    fn with_six(released: usize) -> (Self, Vec<Parcel>) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("journal");
        let key = terminal_key().verifying_key().id();
        Journal::init(&dir, &terminal_id(), key).unwrap();
        let journal = Journal::open(&dir, &terminal_id(), key, Bounds::default()).unwrap();
        let parcels: Vec<_> = (0..6).map(|_| append(&journal)).collect();
        if let Some(last) = released.checked_sub(1) {
            let receipt = committed(1, released as u64, parcels[last].sealed.hash(), at_ms(0));
            journal.release_durably(&receipt).unwrap();
        }
        (Self { _root: root, dir }, parcels)
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.dir)
    }

    /// Turns a byte of a record, in these copies.
    fn damage(&self, parcel: &Parcel, copies: &[&str]) {
        for copy in copies {
            let path = self.dir.join(copy).join("00000000000000000001.log");
            let mut bytes = fs::read(&path).unwrap();
            let sealed = parcel.sealed.bytes();
            let at = bytes.windows(sealed.len()).position(|part| part == sealed).unwrap();
            bytes[at + 40] ^= 1;
            #[expect(clippy::disallowed_methods, reason = "scratch need not be durable")]
            fs::write(path, bytes).unwrap();
        }
    }

    fn tool(&self, what: &str, more: &[&str]) -> Output {
        let mut command = Command::new(ROLLCALL);
        command.args(["terminal", "journal", what, "--dir", self.dir.to_str().unwrap()]);
        command.args(more).output().unwrap()
    }

    fn open(&self) -> Result<Journal, OpenError> {
        let key = terminal_key().verifying_key().id();
        Journal::open(&self.dir, &terminal_id(), key, Bounds::default())
    }

    /// Runs a terminal for three check-ins; gives the numbers that were shown green.
    fn run_terminal(&self) -> Vec<u64> {
        let port = free_port().to_string();
        let output = Command::new(TESTBED)
            .args(["--dir", self.dir.to_str().unwrap(), "--terminal", "terminal-1"])
            .args(["--secret", &HEXLOWER.encode(&terminal_key().secret())])
            .args(["--receipt-key", &receipt_verifying_key().to_string()])
            .args(["--broker-port", &port, "--records", "3", "--leave"])
            .output()
            .unwrap();
        let said = fine(&output);
        let greens = said.lines().filter_map(|line| line.strip_prefix("green "));
        greens.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
    }
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for copy in ["a", "b"] {
        for entry in fs::read_dir(dir.join(copy)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_owned();
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sequence numbers and sealed bytes of an export.
fn exported(site: &Site, dir: &Path) -> Vec<(u64, Vec<u8>)> {
    let out = site.dir.with_extension("json");
    fs::remove_file(&out).ok();
    let mut command = Command::new(ROLLCALL);
    command.args(["terminal", "journal", "export", "--dir", dir.to_str().unwrap(), "--out"]);
    fine(&command.arg(&out).output().unwrap());
    let text: serde_json::Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(text["format"], "rollcall-journal-v1");
    assert_eq!(text["terminal"], "terminal-1");
    let records = text["records"].as_array().unwrap().iter();
    records
        .map(|record| {
            let sealed = BASE64.decode(record["sealed"].as_str().unwrap().as_bytes()).unwrap();
            // The signature holds: whoever is handed the file can check it.
            Record::open(&sealed, &terminal_key().verifying_key()).unwrap();
            assert!(record["person"]["salt"].is_string());
            (record["seq"].as_u64().unwrap(), sealed)
        })
        .collect()
}

fn sealed(parcels: &[Parcel], numbers: &[u64]) -> Vec<(u64, Vec<u8>)> {
    let of = |seq: &u64| parcels[usize::try_from(*seq).unwrap() - 1].sealed.bytes().to_vec();
    numbers.iter().map(|seq| (*seq, of(seq))).collect()
}

#[test]
fn a_sound_journal_is_found_sound_and_nothing_is_touched() {
    let (site, parcels) = Site::with_six(2);
    let before = site.files();
    let check = site.tool("check", &[]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    let lines = said(&check);
    assert!(lines.contains("terminal terminal-1, key "), "{lines}");
    assert!(lines.contains("records 1 to 6 stand\n4 records wait for a receipt\n"), "{lines}");
    assert_eq!(exported(&site, &site.dir), sealed(&parcels, &[1, 2, 3, 4, 5, 6]));
    let repair = site.tool("repair", &[]);
    assert!(fine(&repair).contains("nothing to repair"));
    assert_eq!(site.files(), before);
}

#[test]
fn damage_to_one_copy_is_found_and_the_next_start_mends_it() {
    let (site, parcels) = Site::with_six(0);
    site.damage(&parcels[2], &["b"]);
    let check = site.tool("check", &[]);
    assert_eq!(check.status.code(), Some(1), "{}", said(&check));
    assert!(said(&check).contains("damaged: b/"), "{}", said(&check));
    assert!(said(&check).contains("records 1 to 6 stand"), "{}", said(&check));
    drop(site.open().unwrap());
    fine(&site.tool("check", &[]));
}

#[test]
fn a_lost_record_in_the_middle_ends_in_a_stated_gap_and_no_number_is_used_twice() {
    let (site, parcels) = Site::with_six(2);
    site.damage(&parcels[2], &["a", "b"]);
    let damaged = site.files();
    let error = site.open().err().unwrap();
    assert!(matches!(error, OpenError::Lost { .. }), "{error}");
    assert!(error.hint().contains("journal repair"), "{}", error.hint());
    let check = site.tool("check", &[]);
    assert_eq!(check.status.code(), Some(1));
    assert!(said(&check).contains("lost: write 5 can be read from neither"), "{}", said(&check));
    assert_eq!(site.files(), damaged, "looking changes nothing");

    let repair = fine(&site.tool("repair", &[]));
    assert!(repair.contains("records 1 to 2 go on"), "{repair}");
    assert!(repair.contains("numbers 3 to 6"), "{repair}");
    assert!(repair.contains("3 records from 4 to 6 stand behind the damage"), "{repair}");
    let beside = site.dir.with_file_name("journal.damaged-1");
    assert_eq!(files(&beside), damaged, "nothing is destroyed");
    assert_eq!(exported(&site, &beside), sealed(&parcels, &[1, 2, 4, 5, 6]));

    assert_eq!(site.run_terminal(), [8, 9, 10], "7 is the statement");
    let journal = site.open().unwrap();
    let standing = journal.standing();
    assert_eq!((standing.appended, standing.released, standing.waiting), (10, 6, 4));
    let found = journal.replay(1, 99).unwrap();
    let numbers: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, [1, 2, 7, 8, 9, 10]);
    let (statement, _) = Record::peek(found[2].1.sealed.bytes()).unwrap();
    let gap = statement.gap.unwrap();
    assert_eq!((statement.event, gap.first, gap.last), (Event::Gap, 3, 6));
    assert_eq!(statement.prev, parcels[1].sealed.hash());
    drop(journal);
    let check = fine(&site.tool("check", &[]));
    let told = "records 1 to 2 stand\nrecords 7 to 10 stand\nnumbers 3 to 6 are lost, and record 7 says so\n";
    assert!(check.contains(told), "{check}");
}

#[test]
fn a_lost_end_sets_aside_more_numbers_than_can_have_been_used() {
    let (site, parcels) = Site::with_six(0);
    site.damage(&parcels[5], &["a", "b"]);
    let repair = fine(&site.tool("repair", &[]));
    assert!(repair.contains("records 1 to 5 go on"), "{repair}");
    let next = site.open().unwrap().next();
    let gap = next.gap.unwrap();
    assert_eq!((gap.first, gap.last + 1), (6, next.seq));
    assert!(gap.last > 1_000, "{gap:?}");
    let greens = site.run_terminal();
    assert_eq!(greens[0], next.seq + 1);
}

#[test]
fn a_lost_record_that_the_centre_has_makes_no_gap() {
    let (site, parcels) = Site::with_six(4);
    site.damage(&parcels[1], &["a", "b"]);
    let repair = fine(&site.tool("repair", &[]));
    assert!(repair.contains("records 3 to 6 go on"), "{repair}");
    let journal = site.open().unwrap();
    assert_eq!(journal.next().gap, None);
    let standing = journal.standing();
    assert_eq!((standing.kept_from, standing.released, standing.appended), (3, 4, 6));
    append(&journal);
}

#[test]
fn a_repair_that_was_cut_off_is_ended_by_the_next_one() {
    let (site, parcels) = Site::with_six(0);
    site.damage(&parcels[2], &["a", "b"]);
    fine(&site.tool("repair", &[]));
    // Between its last two steps: the damaged one is away, the new one not yet in its place.
    #[expect(clippy::disallowed_methods, reason = "scratch need not be durable")]
    fs::rename(&site.dir, site.dir.with_file_name("journal.repaired")).unwrap();
    assert!(matches!(site.open().err().unwrap(), OpenError::Missing { .. }));
    fine(&site.tool("repair", &[]));
    assert_eq!(site.open().unwrap().next().seq, 7);
}

#[test]
fn a_running_terminals_journal_is_left_alone() {
    let (site, _) = Site::with_six(0);
    let _running = site.open().unwrap();
    for what in ["check", "repair"] {
        let output = site.tool(what, &[]);
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("another process uses it"), "{said}");
        assert!(said.contains("hint: stop the terminal first"), "{said}");
    }
}

#[test]
fn a_journal_that_is_not_there_is_told_and_none_is_made() {
    let root = tempfile::tempdir().unwrap();
    let site = Site { dir: root.path().join("journal"), _root: root };
    for (what, more) in [("check", vec![]), ("repair", vec![]), ("export", vec!["--out", "x"])] {
        let output = site.tool(what, &more);
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("because: there is none"), "{said}");
    }
    assert!(!site.dir.exists());
}

#[test]
fn whatever_is_damaged_a_repair_keeps_what_stands_and_uses_no_number_twice() {
    let mut chance = 0x0dd5_eed0_1234_5678_u64;
    let mut next = |below: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % below as u64).unwrap()
    };
    let (mut repaired, mut hopeless) = (0, 0);
    for case in 0..80 {
        let (site, parcels) = Site::with_six(next(7));
        // Up to three places, the same ones in both copies.
        let places: Vec<f64> = (0..=next(3)).map(|_| next(1_000) as f64 / 1_000.0).collect();
        for copy in ["a", "b"] {
            let path = site.dir.join(copy).join("00000000000000000001.log");
            let mut bytes = fs::read(&path).unwrap();
            for place in &places {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a place in a small file"
                )]
                let at = (bytes.len() as f64 * place) as usize;
                bytes[at] ^= 0xff;
            }
            #[expect(clippy::disallowed_methods, reason = "scratch need not be durable")]
            fs::write(path, bytes).unwrap();
        }
        let before = site.files();
        let (text, count) = journal::export(&site.dir).unwrap();
        let findings = journal::check(&site.dir).unwrap();
        assert!(!findings.stands(), "case {case}: {places:?} is silent");
        match journal::repair(&site.dir) {
            Ok(done) => {
                repaired += 1;
                let kept = done.kept.unwrap();
                assert_eq!(files(&kept), before, "case {case}: nothing is destroyed");
                assert_eq!(journal::export(&kept).unwrap(), (text, count));
                let journal = site.open().unwrap_or_else(|error| panic!("case {case}: {error}"));
                assert!(journal.next().seq > 6, "case {case}: {:?}", journal.next());
                for (seq, parcel) in journal.replay(1, 99).unwrap() {
                    assert_eq!(parcel, parcels[usize::try_from(seq).unwrap() - 1]);
                }
                drop(journal);
                assert!(journal::check(&site.dir).unwrap().is_fine());
            }
            Err(error) => {
                hopeless += 1;
                assert!(matches!(error, RepairError::Hopeless { .. }), "case {case}: {error}");
                assert_eq!(site.files(), before);
            }
        }
    }
    println!("{repaired} repaired, {hopeless} beyond repair");
    assert!(repaired > 40, "{repaired} repaired, {hopeless} beyond repair");
}
