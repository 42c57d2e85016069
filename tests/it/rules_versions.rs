//! What makes a judgement repeatable: each rule has a version and names the numbers that it reads, each
//! anomaly says on what it was judged, and judging again gives the same bytes.

use std::collections::BTreeSet;
use std::path::Path;

use rollcall::cases::{Cases, Found, SqliteCases};
use rollcall::domain::{Anomaly, AnomalyKind, ClockQuality, LedgerRange, Outcome, Policy, Refusal};
use rollcall::ledger::Entry;
use rollcall::rules::Judge;

use crate::rules_scene::{ANN, BEA, Scene, at, comes, leaves, tries};

/// A ledger in which eight kinds are raised, by rules that remember much and little.
fn scene() -> Scene {
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:31", ANN).lesson("cd-am"));
    scene.add(comes("cd-1", "03-02 08:36", BEA).lesson("cd-am").same_face_as(1, 8207));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    let stand_in = tries("cd-1", "03-02 09:10", BEA, Outcome::LooksLikeOther);
    scene.add(stand_in.claimed(1204).looks_like(ANN, 7130));
    for minute in 11..20 {
        scene.add(tries("cd-2", &format!("03-02 09:{minute}"), BEA, Outcome::NotLive));
    }
    scene.refuse("03-02 09:30", "cd-9", Refusal::UnknownTerminal, None);
    scene.refuse("03-02 09:31", "cd-1", Refusal::ForeignKey, None);
    scene.add(leaves("cd-1", "03-02 13:40", ANN).lesson("cd-am"));
    let backdated = comes("cd-2", "03-02 08:25", BEA).lesson("cd-am");
    let signed = Some(at("03-02 19:00"));
    scene.add(backdated.clock(ClockQuality::Synced, signed).arrives("03-02 19:05"));
    scene.add(tries("cd-1", "03-03 03:12", BEA, Outcome::NoLesson));
    scene
}

fn bytes(cases: &dyn Cases) -> String {
    let all: Vec<Found> = cases.after(0, 100).unwrap();
    serde_json::to_string_pretty(&all).unwrap()
}

fn judge(cases: &dyn Cases, entries: &[Entry]) {
    let mut judge = Judge::new(Policy::sichuan_2025());
    for entry in entries {
        cases.store(&judge.judge(entry)).unwrap();
    }
}

#[test]
fn judging_the_same_ledger_again_gives_the_same_bytes_wherever_it_was_interrupted() {
    let scene = scene();
    let once = SqliteCases::in_memory().unwrap();
    judge(&once, scene.entries());
    let expected = bytes(&once);
    let kinds: BTreeSet<AnomalyKind> = scene.kinds().into_iter().collect();
    assert!(kinds.len() >= 8, "{kinds:?}");
    for stop in 0..=scene.entries().len() {
        let cases = SqliteCases::in_memory().unwrap();
        judge(&cases, &scene.entries()[..stop]);
        // As the collector does at each start: with nothing remembered, from the beginning.
        judge(&cases, scene.entries());
        assert_eq!(bytes(&cases), expected, "stopped before entry {stop}");
    }
}

#[test]
fn an_anomaly_says_which_rule_which_numbers_and_how_much_of_the_ledger() {
    let scene = scene();
    let judged = scene.judged();
    let versions = Judge::new(Policy::sichuan_2025()).versions();
    for anomaly in &judged {
        let rule = versions.iter().find(|rule| rule.kind == anomaly.kind).unwrap();
        assert_eq!(anomaly.rule, rule.version);
        let named: BTreeSet<&str> = anomaly.inputs.keys().map(String::as_str).collect();
        assert_eq!(named, rule.numbers.iter().copied().collect(), "{}", anomaly.kind);
        assert_eq!(anomaly.ledger.first, 0);
        assert!(anomaly.evidence.iter().all(|index| *index <= anomaly.ledger.last));
    }
    let of = |kind| judged.iter().find(|anomaly| anomaly.kind == kind).unwrap();
    let travel = of(AnomalyKind::MultiDevice);
    assert_eq!(travel.inputs["travel_speed_kmh_max"], "120");
    assert_eq!(travel.ledger, LedgerRange { first: 0, last: travel.evidence[1] });
    let night = of(AnomalyKind::OffTimetable);
    assert_eq!(night.inputs["night_from"], "22:00");
}

/// A judge that is not fed from the beginning says so.
#[test]
fn the_range_begins_where_judging_began() {
    let scene = scene();
    let mut judge = Judge::new(Policy::sichuan_2025());
    let late = scene.entries().iter().skip(5).flat_map(|entry| judge.judge(entry));
    let late: Vec<Anomaly> = late.collect();
    assert!(!late.is_empty());
    assert!(late.iter().all(|anomaly| anomaly.ledger.first == 5));
}

/// What rules share, and the numbers that it reads for them.
const SHARED: [(&str, &[&str]); 10] = [
    ("moment::", &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"]),
    (".moment", &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"]),
    ("fnpassed(", &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"]),
    (
        "fnlesson_over(",
        &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"],
    ),
    ("fnlesson_over(", &["door_opens_minutes_before", "report_grace_hours"]),
    ("fnroll_over(", &["clock_tolerance_s", "holding_clock_uncertainty_s", "time_bound_hours_max"]),
    ("fnroll_over(", &["roll_call_minutes"]),
    ("fnclock_heard(", &["clock_tolerance_s", "holding_clock_uncertainty_s"]),
    ("online::is_proven(", &["clock_tolerance_s", "time_bound_hours_max"]),
    (".is_night(", &["night_from", "night_to"]),
];

/// The inputs of an anomaly are all that the profile had to do with it: this reads the rules' code.
#[test]
fn each_rule_names_the_numbers_that_its_code_reads() {
    let policy = Policy::sichuan_2025();
    let known: BTreeSet<&str> = policy.numbers().iter().map(|line| line.name).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for rule in Judge::new(policy.clone()).versions() {
        assert!(rule.version >= 1, "{}: versions begin with 1", rule.kind);
        let path = format!("src/rules/{}.rs", rule.kind);
        let code = std::fs::read_to_string(root.join(&path)).unwrap();
        let code: String =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code: String = code.split_whitespace().collect();
        let mut read: BTreeSet<&str> =
            known.iter().copied().filter(|name| code.contains(&format!(".{name}()"))).collect();
        for (word, numbers) in SHARED {
            if code.contains(word) {
                read.extend(numbers);
            }
        }
        let named: BTreeSet<&str> = rule.numbers.iter().copied().collect();
        assert_eq!(named, read, "{path}: `numbers` names on the left, its code reads on the right");
        assert_eq!(named.len(), rule.numbers.len(), "{path}: a number is named twice");
    }
}
