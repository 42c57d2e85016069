//! The second reader in tests/interop, Python written from docs/spec alone, against ours: the vectors,
//! and thousands of random statements, tree proofs, checkpoints, proofs, slips and bundles, genuine and
//! touched. Whatever one of them holds for true, the other must too.

mod cases;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use self::cases::{Case, Dice, World, checkpoints, consistencies, inclusions, papers, statements};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// One line of the second reader for each case.
fn second_reader(cases: &[Case]) -> Vec<Value> {
    let mut python = Command::new("python3")
        .arg(folder().join("cases.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is here (./test installs it)");
    let mut stdin = python.stdin.take().expect("it is piped");
    let lines: String = cases.iter().map(|case| format!("{}\n", case.asked)).collect();
    let written = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().expect("it ends");
    written.join().expect("writing does not panic").expect("it reads all cases");
    assert!(output.status.success(), "{output:?}");
    let answers = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    answers.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// `n` cases in `./test`; ROLLCALL_CASES times as many in a long run.
fn many(n: usize) -> usize {
    let times = std::env::var("ROLLCALL_CASES").map(|times| times.parse().expect("a number"));
    n * times.unwrap_or(1)
}

/// Both readers agree on all of them; some of them hold and some do not.
#[track_caller]
fn agree(cases: Vec<Case>) {
    let theirs = second_reader(&cases);
    assert_eq!(theirs.len(), cases.len());
    let mut held = 0;
    for (case, theirs) in cases.iter().zip(&theirs) {
        assert!(case.agrees_with(theirs), "we: {}\nthey: {theirs}\nof {}", case.ours, case.asked);
        held += usize::from(case.holds());
    }
    let fell = cases.len() - held;
    assert!(held * 10 > cases.len() && fell * 10 > cases.len(), "{held} hold, {fell} do not");
}

#[test]
fn the_second_reader_finds_in_the_vectors_what_they_say() {
    let output = Command::new("python3")
        .arg(folder().join("check_vectors.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is here (./test installs it)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("vectors hold"), "{output:?}");
}

#[test]
fn two_readers_agree_about_random_statements() {
    agree(statements(&mut Dice(1), many(2_000)));
}

#[test]
fn two_readers_agree_about_random_tree_proofs() {
    agree(inclusions(&mut Dice(2), many(2_000)));
    agree(consistencies(&mut Dice(3), many(2_000)));
}

#[test]
fn two_readers_agree_about_random_checkpoints() {
    agree(checkpoints(&mut Dice(4), many(600)));
}

#[test]
fn two_readers_agree_about_random_proofs_slips_and_bundles() {
    agree(papers(&mut Dice(5), &World::new(), many(500)));
}
