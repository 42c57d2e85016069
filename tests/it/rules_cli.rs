//! `rollcall rules replay`, `shadow` and `promote` through the real program, on a collector's folder.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rollcall::collector::Home;
use rollcall::domain::{Fact, Policy, Uptime};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::{Body, Item, Staged};
use serde_json::{Value, json};

use crate::rules_replay::profile;
use crate::support::broker::free_port;
use crate::support::day::{Day, rollcall, write};
use crate::support::pen::{MORNING, Pen};
use crate::support::{fine, refused};

/// `rollcall rules COMMAND --config … MORE`.
fn rules(day: &Day, command: &str, more: &[&str]) -> Output {
    let config = day.config.to_str().unwrap();
    rollcall(&[&["rules", command, "--config", config], more].concat())
}

fn told(day: &Day, command: &str, more: &[&str]) -> Value {
    serde_json::from_str(&fine(&rules(day, command, &[more, &["--json"]].concat()))).unwrap()
}

/// In the ledger of these days the records' times lie some seconds after their commit: who allows for
/// nothing calls none of them proven, and says nothing about times.
fn candidate(day: &Day, version: u32) -> (Policy, PathBuf) {
    let policy = profile(version, &[("clock_tolerance_s", "0")]);
    let file = day.file(&format!("candidate-{version}.toml"));
    write(&file, policy.text());
    (policy, file)
}

/// How often a rule would [fire, fall silent, move, stay].
fn counts(told: &Value, kind: &str) -> [u64; 4] {
    let rules = told["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["kind"] == kind).unwrap();
    ["fires", "silent", "moved", "stays"].map(|side| rule[side]["count"].as_u64().unwrap())
}

/// A new terminal is registered and sends `n` records.
fn sends(day: &Day, terminal: &str, n: usize) {
    let seed = terminal.bytes().last().unwrap();
    let mut pen = Pen::new(terminal, seed);
    let mut home = Home::open_in(&day.data(), day.store()).unwrap();
    home.state(vec![pen.registration()], MORNING).unwrap();
    drop(home);
    let mut ledger = day.store().open_ledger().unwrap();
    let mut intake = Intake::new(Limits::default());
    intake.learn(&pen.registration());
    for _ in 0..n {
        let last = ledger.last_committed_at();
        let (mut record, opening) = pen.draft();
        record.clock.wall = last.plus_ms(60_000);
        // It has been running since that morning.
        let up_ms = record.clock.wall.ms_since(MORNING).unsigned_abs();
        record.clock.uptime = Uptime::from_ms(up_ms);
        let parcel = pen.seal(&record, Some(opening));
        let steps = intake.offer(&pen.terminal, parcel, &*ledger).unwrap();
        let items = steps.into_iter().map(|step| match step {
            Step::Commit(admitted) => Item::Record(admitted),
            Step::Keep { .. } | Step::Again(_) | Step::Want { .. } | Step::Count { .. } => {
                panic!("{step:?}")
            }
        });
        ledger.commit(Staged::seal(items, last, last, &day.log_key()).unwrap()).unwrap();
        intake.committed();
    }
}

/// A collector starts, judges the whole ledger, and ends; what it warned of.
fn runs(day: &Day) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["collector", "run", "--config", day.config.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    ended(child)
}

fn ended(mut child: std::process::Child) -> String {
    use std::io::{BufRead, BufReader, Read};
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    if line.contains("running") {
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
    }
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{said}");
    said
}

fn facts(day: &Day) -> Vec<Fact> {
    let entries = day.store().read_ledger().unwrap().entries_since(0, 1_000).unwrap();
    let facts = entries.into_iter().filter_map(|entry| match entry.body {
        Body::Fact(fact) => Some(fact),
        Body::Record { .. } | Body::Refused { .. } => None,
    });
    facts.collect()
}

#[test]
fn a_replay_shows_what_changes_and_changes_nothing() {
    let day = Day::played();
    let (policy, file) = candidate(&day, 3);
    let file = file.to_str().unwrap();
    let entries = day.store().read_ledger().unwrap().size();
    let all = told(&day, "replay", &["--with", file]);
    assert_eq!(all["entries"], entries);
    assert_eq!(all["candidate"]["profile"], "sichuan-2025/3");
    let digest = data_encoding::HEXLOWER.encode(&policy.digest());
    assert_eq!(all["candidate"]["digest"], digest.as_str());
    let [fires, silent, moved, stays] = counts(&all, "off_timetable");
    assert!(silent >= 8, "{all:#}");
    assert_eq!([fires, moved, stays], [0, 0, 0]);
    assert_eq!(counts(&all, "unregistered_terminal"), [0, 0, 0, 1]);
    let text = fine(&rules(&day, "replay", &["--with", file, "--examples", "1"]));
    for expected in ["sichuan-2025/3", "off_timetable v2", "不再 would fall silent", "№ ", "#"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(text.matches("would fall silent: off_timetable").count(), 1);

    let day_before = ["--with", file, "--to", "2026-03-01"];
    assert_eq!(told(&day, "replay", &day_before)["entries"], 0);
    let of_the_day = ["--with", file, "--from", "2026-03-02", "--to", "2026-03-02"];
    assert_eq!(told(&day, "replay", &of_the_day)["entries"], entries);
    let backwards = ["--with", file, "--from", "2026-03-02", "--to", "2026-03-01"];
    refused(&rules(&day, "replay", &backwards), 2, &["its end lies before its begin"]);
    refused(&rules(&day, "replay", &["--with", "atlantis"]), 2, &["could not read atlantis"]);
    assert_eq!(day.store().read_ledger().unwrap().size(), entries);
    assert!(!day.data().join("cases.sqlite").exists(), "nothing is stored");
}

#[test]
fn a_candidate_is_tried_out_and_promoted_by_a_named_person_and_nothing_is_overwritten() {
    let day = Day::configured(free_port()).play();
    runs(&day);
    let shipped = Policy::sichuan_2025();
    let kept = |policy: &Policy| {
        let digest = data_encoding::HEXLOWER.encode(&policy.digest());
        day.data().join("policies").join(format!("{digest}.toml"))
    };
    assert_eq!(std::fs::read_to_string(kept(&shipped)).unwrap(), shipped.text());

    let (policy, file) = candidate(&day, 3);
    let (file, signed) = (file.to_str().unwrap(), ["--by", "处长 陈", "--reason", "时钟更严"]);
    let with = |file| [&["--with", file][..], &signed].concat();
    // The same name and version with another text; nobody's name; nothing to promote.
    let (_, same) = candidate(&day, 2);
    let raise = "raise `version`";
    refused(&rules(&day, "shadow", &with(same.to_str().unwrap())), 2, &[raise]);
    let nobody = rules(&day, "shadow", &["--with", file, "--by", " ", "--reason", "x"]);
    refused(&nobody, 2, &["--by: say it in some words"]);
    assert_eq!(rules(&day, "shadow", &["--with", file]).status.code(), Some(2));
    let promote = |name: &str| {
        let config = day.config.to_str().unwrap();
        rollcall(&[&["rules", "promote", name, "--config", config][..], &signed].concat())
    };
    refused(&promote("sichuan-2025/3"), 2, &["none is being tried out"]);
    assert_eq!(told(&day, "shadow", &["--status"]), json!({ "candidate": null }));

    fine(&rules(&day, "shadow", &with(file)));
    refused(&rules(&day, "shadow", &with(file)), 2, &["that is being done"]);
    assert_eq!(std::fs::read_to_string(kept(&policy)).unwrap(), policy.text());
    sends(&day, "t-3", 4);
    runs(&day);
    let cases = || {
        let cases = day.store().open_cases().unwrap();
        serde_json::to_string(&cases.after(0, 500).unwrap()).unwrap()
    };
    let before = cases();
    assert!(!before.contains("sichuan-2025/3"), "a candidate raises no case");
    let status = told(&day, "shadow", &["--status"]);
    assert_eq!(status["by"], "处长 陈");
    assert_eq!(counts(&status, "off_timetable"), [0, 4, 0, 0], "{status:#}");
    assert!(fine(&rules(&day, "shadow", &["--status"])).contains("处长 陈：时钟更严"));

    refused(&promote("sichuan-2025/4"), 2, &["sichuan-2025/3 is being tried out"]);
    fine(&promote("sichuan-2025/3"));
    let stated = facts(&day);
    let in_force = Fact::Policy { profile: policy.profile(), digest: policy.digest() };
    assert_eq!(stated.last(), Some(&in_force));
    let Fact::Trial(promoted) = &stated[stated.len() - 2] else { panic!("{stated:?}") };
    assert_eq!((promoted.by.as_str(), promoted.reason.as_str()), ("处长 陈", "时钟更严"));

    // What is configured does not come back by a start, and the promoted one judges.
    sends(&day, "t-4", 3);
    let warned = runs(&day);
    assert!(warned.contains("sichuan-2025/3 is in force"), "{warned}");
    let policies = facts(&day).into_iter().filter(|it| matches!(it, Fact::Policy { .. }));
    assert_eq!(policies.collect::<Vec<_>>().pop(), Some(in_force));
    assert_eq!(cases(), before, "the records of t-4 are not flagged by its numbers");
    // All of it can be judged again from ledger and kept profiles alone.
    std::fs::remove_file(day.data().join("cases.sqlite")).unwrap();
    runs(&day);
    assert_eq!(cases(), before);
    // Its name and version stand for one text for ever, in the configuration, too.
    let own = format!("\n[rules]\npolicy = \"sichuan-2025\"\npolicy_file = {same:?}\n");
    write(&day.config, std::fs::read_to_string(&day.config).unwrap() + &own);
    refused(&day.collector("run", &[]), 2, &["could not use the policy profile", raise]);
}
