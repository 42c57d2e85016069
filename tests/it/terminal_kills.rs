//! A busy terminal is killed (SIGKILL) at moments that a seed chooses, again and again on the same
//! journal: in its start, in an append, in the change of a segment, in mending what the kill before
//! has left. What was shown green is there, and the numbers go on without a hole.
//!
//! 25 kills by default; `ROLLCALL_KILLS=1000 cargo test --features testing --test it terminal_kills`
//! is the long run.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use rollcall::journal::{Bounds, Journal};

use crate::support::mosquitto::free_port;
use crate::support::records::{receipt_verifying_key, terminal_id, terminal_key};

const TESTBED: &str = env!("CARGO_BIN_EXE_rollcall-testbed");

/// Kills by default, so that the test takes seconds.
const KILLS: u32 = 25;

/// Kills on one journal; then a new one is begun, so that it does not get full.
const KILLS_EACH: u32 = 100;

/// Most green lights before a kill.
const GREENS_MAX: u64 = 60;

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Starts a terminal and kills it; gives what was shown green, as `SEQ HASH`.
fn killed(dir: &Path, port: u16, chance: &mut u64) -> Vec<String> {
    let mut child = Command::new(TESTBED)
        .args(["--dir", dir.to_str().unwrap(), "--terminal", "terminal-1"])
        .args(["--secret", &HEXLOWER.encode(&terminal_key().secret())])
        .args(["--receipt-key", &receipt_verifying_key().to_string()])
        .args(["--broker-port", &port.to_string(), "--records", "100000", "--leave"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut greens = Vec::new();
    // Every fourth kill comes while the terminal starts.
    let wanted = if next(chance).is_multiple_of(4) { 0 } else { next(chance) % GREENS_MAX };
    for line in lines.by_ref().take(usize::try_from(wanted).unwrap()) {
        greens.push(line.unwrap());
    }
    // Somewhere in what it does next, not right behind a line.
    let spins = next(chance) % if wanted == 0 { 20_000_000 } else { 1_000_000 };
    (0..spins).for_each(|n| {
        std::hint::black_box(n);
    });
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before the kill; a line that was cut off was never shown.
    greens.extend(lines.map_while(Result::ok));
    let whole = |line: &&str| line.split(' ').nth(1).is_some_and(|hash| hash.len() == 64);
    let greens = greens.iter().filter_map(|line| line.strip_prefix("green "));
    greens.filter(whole).map(str::to_owned).collect()
}

#[test]
fn a_busy_terminal_killed_at_any_moment_has_everything_that_was_shown_green() {
    let kills = std::env::var("ROLLCALL_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut chance = 0x5eed_0f12_3456_789b;
    let key = terminal_key().verifying_key().id();
    // Nobody listens there: the uplink tries, and tries again.
    let port = free_port();
    let (mut shown, mut unshown, mut early) = (0, 0, 0);
    for begun in (0..kills).step_by(usize::try_from(KILLS_EACH).unwrap()) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("journal");
        Journal::init(&dir, &terminal_id(), key).unwrap();
        let mut green = BTreeSet::new();
        for kill in begun..kills.min(begun + KILLS_EACH) {
            let greens = killed(&dir, port, &mut chance);
            early += u32::from(greens.is_empty());
            green.extend(greens);
            let journal = Journal::open(&dir, &terminal_id(), key, Bounds::default());
            let journal = journal.unwrap_or_else(|error| panic!("kill {kill}: {error}"));
            let stored = journal.replay(1, usize::MAX).unwrap();
            let numbers: Vec<u64> = stored.iter().map(|(seq, _)| *seq).collect();
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, expected, "kill {kill}: without a hole");
            let there: BTreeSet<String> = stored
                .iter()
                .map(|(seq, parcel)| format!("{seq} {}", parcel.sealed.hash()))
                .collect();
            let lost: Vec<_> = green.difference(&there).collect();
            assert!(lost.is_empty(), "kill {kill}: green and gone: {lost:?}");
            assert_eq!(journal.next().seq, numbers.len() as u64 + 1);
        }
        let key = terminal_key().verifying_key().id();
        let journal = Journal::open(&dir, &terminal_id(), key, Bounds::default()).unwrap();
        shown += green.len();
        unshown += usize::try_from(journal.standing().appended).unwrap() - green.len();
    }
    println!(
        "{kills} kills, {early} of them before a green light; {shown} records shown green, all there; \
         {unshown} stored and not shown"
    );
    assert!(shown > usize::try_from(kills).unwrap(), "a terminal that was not busy: {shown}");
}
