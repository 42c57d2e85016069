//! `rollcall simulate` and `rollcall rules evaluate` through the real binary, on a tiny province: it is a
//! collector's folder like any other, and its figures have the promised shape.

use rollcall::ledger::Body;
use serde_json::Value;

use crate::support::day::{Day, rollcall, write};
use crate::support::{fine, refused};

/// A mix in which each institution keeps a journal back and makes hours at night.
const MIX: &str = r#"
honest_percent = 0
[kinds.silent_terminal]
clumsy = 1000
middling = 0
careful = 0
source = "a test"
[kinds.night_hours]
clumsy = 1000
middling = 0
careful = 0
source = "a test"
"#;

/// A world of three institutions and sixty days in a collector's folder.
fn simulated() -> Day {
    let day = Day::configured(1883);
    write(&day.file("mix.toml"), MIX);
    let said = fine(&rollcall(&simulate(&day)));
    assert!(said.contains("0 refused and kept"), "{said}");
    day
}

fn simulate(day: &Day) -> Vec<&'static str> {
    let path = |name: &str| -> &'static str { day.file(name).to_str().unwrap().to_owned().leak() };
    let mut args =
        vec!["simulate", "--institutions", "3", "--seed", "4", "--fraud", path("mix.toml")];
    args.extend(["--out", path("data"), "--journals", path("journals")]);
    args
}

#[test]
fn a_made_province_is_evaluated_and_is_a_centre_like_any_other() {
    let day = simulated();
    let (data, page) = (day.file("data"), day.file("page.html"));
    let (data, page) = (data.to_str().unwrap(), page.to_str().unwrap());
    let said = fine(&rollcall(&["rules", "evaluate", data, "--json", "--html", page]));
    let json: Value = serde_json::from_str(&said).unwrap();
    let fields = ["precision", "recall_clumsy", "recall_careful", "false_alarms_per_1000_days"];
    for figures in [&json["overall"], &json["detectors"]["off_timetable"]] {
        assert!(fields.iter().all(|field| figures.get(field).is_some()), "{figures}");
    }
    assert_eq!(json["detectors"]["off_timetable"]["recall_clumsy"], 1.0);
    assert_eq!(json["kinds"]["silent_terminal"]["aimed_by"][0], "silent_terminal");
    assert!(std::fs::read_to_string(page).unwrap().contains("扣留记录"));
    let said = fine(&rollcall(&["rules", "evaluate", data]));
    assert!(said.contains("off_timetable") && said.contains("precision"), "{said}");

    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
    let bundle = day.file("bundle.json");
    fine(&day.collector("export", &["--out", bundle.to_str().unwrap()]));
    refused(&rollcall(&simulate(&day)), 2, &["the folder of the world", "there is a collector in"]);
}

/// The journal that was kept back is carried to the centre, and taken in as a real one would be.
#[test]
fn a_journal_that_was_kept_back_is_taken_in() {
    let day = simulated();
    let records = || {
        let entries = day.store().read_ledger().unwrap().entries_since(0, usize::MAX).unwrap();
        entries.iter().filter(|entry| matches!(entry.body, Body::Record { .. })).count()
    };
    let before = records();
    for file in std::fs::read_dir(day.file("journals")).unwrap() {
        let path = file.unwrap().path();
        let said = fine(&day.collector("take", &["--from", path.to_str().unwrap()]));
        assert!(said.contains("records committed"), "{said}");
    }
    assert!(records() > before + 100, "{before} records, then {}", records());
    assert!(fine(&day.collector("audit", &[])).contains("成立 holds"));
}

#[test]
fn what_cannot_be_used_is_told_in_three_lines() {
    let day = Day::configured(1883);
    write(&day.file("mix.toml"), MIX.replacen("careful = 0", "carefull = 0", 1));
    refused(&rollcall(&simulate(&day)), 2, &["mix.toml, line 6"]);
    assert!(!day.file("data").exists(), "nothing is made");
    let mut args = simulate(&day);
    args[6] = "/nowhere/mix.toml";
    refused(&rollcall(&args), 2, &["could not read /nowhere/mix.toml"]);
    let args =
        ["simulate", "--days", "0", "--out", day.file("data").to_str().unwrap().to_owned().leak()];
    refused(&rollcall(&args), 2, &["1 to 290 are possible"]);
    refused(
        &rollcall(&["rules", "evaluate", "/nowhere"]),
        2,
        &["could not read /nowhere/labels.json"],
    );
}
