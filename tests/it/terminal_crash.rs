//! A terminal is killed between every two steps of a record's life, and its disk fills up. After
//! the next start everything that was shown green reaches the centre, and everything exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use data_encoding::HEXLOWER;
use rollcall::journal::{Bounds, Journal};
use rollcall::uplink::Step;

use crate::support::centre::{Centre, StandIn};
use crate::support::collector::RealCentre;
use crate::support::mosquitto::{Mosquitto, free_port};
use crate::support::records::{receipt_verifying_key, terminal_id, terminal_key};

const TESTBED: &str = env!("CARGO_BIN_EXE_rollcall-testbed");

fn arguments(dir: &Path, broker_port: u16, records: u64) -> Vec<String> {
    vec![
        "--dir".into(),
        dir.to_str().unwrap().into(),
        "--terminal".into(),
        terminal_id().to_string(),
        "--secret".into(),
        HEXLOWER.encode(&terminal_key().secret()),
        "--receipt-key".into(),
        receipt_verifying_key().to_string(),
        "--broker-port".into(),
        broker_port.to_string(),
        "--records".into(),
        records.to_string(),
    ]
}

/// What was shown green, as `SEQ HASH`.
fn greens(output: &Output) -> BTreeSet<String> {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    said.lines().filter_map(|line| line.strip_prefix("green ")).map(str::to_owned).collect()
}

fn killed_between_every_two_steps<C: Centre>() {
    for step in Step::ALL {
        for nth in ["1", "3"] {
            let broker = Mosquitto::start();
            let key = terminal_key().verifying_key();
            let centre = C::start(broker.port(), BTreeMap::from([(terminal_id(), key)]));
            let dir = tempfile::tempdir().unwrap();
            let first = Command::new(TESTBED)
                .args(arguments(dir.path(), broker.port(), 5))
                .args(["--abort-at", step.as_str(), "--nth", nth])
                .output()
                .unwrap();
            // Fewer than three messages, or receipts, may do for five records; then there is no
            // third to end at.
            let shared = matches!(step, Step::Offered | Step::ReceiptReceived | Step::Released);
            let may_end_well = shared && nth == "3";
            assert!(may_end_well || first.status.code().is_none(), "{step:?} {nth}: {first:?}");
            let second = Command::new(TESTBED)
                .args(arguments(dir.path(), broker.port(), 2))
                .output()
                .unwrap();
            assert!(second.status.success(), "{step:?} {nth}: {second:?}");

            let at_centre = centre.committed(&terminal_id());
            let seqs: Vec<u64> = at_centre.iter().map(|(seq, _)| *seq).collect();
            let expected: Vec<u64> = (1..=at_centre.len() as u64).collect();
            assert_eq!(seqs, expected, "{step:?} {nth}: each once, in sequence");
            let there: BTreeSet<String> =
                at_centre.iter().map(|(seq, hash)| format!("{seq} {hash}")).collect();
            let green: BTreeSet<String> = &greens(&first) | &greens(&second);
            assert!(green.is_subset(&there), "{step:?} {nth}: green but not at the centre");
            // At most the record that was in the making when it was killed was never shown.
            assert!(there.len() <= green.len() + 1, "{step:?} {nth}");
        }
    }
}

#[test]
fn a_terminal_killed_between_every_two_steps_loses_and_doubles_nothing() {
    killed_between_every_two_steps::<StandIn>();
}

#[test]
fn a_terminal_killed_between_every_two_steps_agrees_with_the_real_ledger() {
    killed_between_every_two_steps::<RealCentre>();
}

#[test]
fn a_full_disk_is_told_clearly_and_costs_nothing_that_was_green() {
    let dir = tempfile::tempdir().unwrap();
    // A process may not write files beyond its limit: to it, the disk is full there. The signal
    // that goes with it is ignored, so that the write fails as it does on a full disk.
    let full = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\"", TESTBED])
        .args(arguments(dir.path(), free_port(), 20_000))
        .arg("--leave")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(4), "fail-stop: {said}");
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains("panicked")).collect();
    let place = lines.iter().position(|line| line.starts_with("rollcall terminal: could not"));
    let place = place.unwrap_or_else(|| panic!("no three lines in {said}"));
    assert!(lines[place + 1].starts_with("  because: "), "{said}");
    assert!(lines[place + 2].starts_with("  hint: "), "{said}");

    // Room again: everything green is there, and the chain goes on.
    let key = terminal_key().verifying_key().id();
    let journal = Journal::open(dir.path(), &terminal_id(), key, Bounds::default()).unwrap();
    let stored: BTreeSet<String> = journal
        .replay(1, usize::MAX)
        .unwrap()
        .iter()
        .map(|(seq, parcel)| format!("{seq} {}", parcel.sealed.hash()))
        .collect();
    let green = greens(&full);
    assert!(green.len() > 100, "the disk was full before it began: {}", green.len());
    assert!(green.is_subset(&stored), "green but not on the disk");
    drop(journal);
    let after = Command::new(TESTBED)
        .args(arguments(dir.path(), free_port(), 3))
        .arg("--leave")
        .output()
        .unwrap();
    assert!(after.status.success(), "{after:?}");
    assert_eq!(greens(&after).len(), 3);
}

#[test]
fn a_disk_that_takes_no_write_is_told_at_the_start_and_can_still_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let journal_dir = dir.path().join("journal");
    let key = terminal_key().verifying_key().id();
    Journal::init(&journal_dir, &terminal_id(), key).unwrap();
    let journal = Journal::open(&journal_dir, &terminal_id(), key, Bounds::default()).unwrap();
    let parcels: Vec<_> = (0..3).map(|_| crate::support::records::append(&journal)).collect();
    drop(journal);
    // No file may grow by a byte, or be written at all.
    let without_writes = |program: &str, arguments: &[String]| {
        Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", program])
            .args(arguments)
            .output()
            .unwrap()
    };
    let started = without_writes(
        TESTBED,
        &[arguments(&journal_dir, free_port(), 3), vec!["--leave".into()]].concat(),
    );
    assert_eq!(started.status.code(), Some(3), "{started:?}");
    assert_eq!(greens(&started).len(), 0);
    let said = String::from_utf8_lossy(&started.stderr);
    assert!(said.contains("could not open the journal"), "{said}");
    assert!(said.contains("hint: see that"), "{said}");

    let place = journal_dir.to_str().unwrap().to_owned();
    let check = ["terminal", "journal", "check", "--dir", &place].map(str::to_owned);
    let checked = without_writes(env!("CARGO_BIN_EXE_rollcall"), &check);
    let said = crate::support::fine(&checked);
    assert!(said.contains("records 1 to 3 stand"), "{said}");

    let journal = Journal::open(&journal_dir, &terminal_id(), key, Bounds::default()).unwrap();
    let stored: Vec<_> = journal.replay(1, 9).unwrap().into_iter().map(|(_, p)| p).collect();
    assert_eq!(stored, parcels);
}
