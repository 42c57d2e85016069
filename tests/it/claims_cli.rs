//! What speaks against a claim, through the real binary: it is noted when the claim is entered, stated with it
//! where it is hard, told with names to whoever may ask, and keeps the claim from being granted.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::day::{Day, rollcall, write};

fn sample(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/samples").join(file)
}

/// `rollcall collector KIND COMMAND MORE --config …`.
fn ask(day: &Day, words: &[&str]) -> Output {
    let config = day.config.to_str().unwrap();
    rollcall(&[&["collector"], words, &["--config", config]].concat())
}

#[track_caller]
fn said(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout.clone()).unwrap()
}

/// The sample school under a profile, without its claim; and what was noted on the way.
fn school(profile: &str) -> (Day, String) {
    let day = Day::configured(1883);
    let text = std::fs::read_to_string(&day.config).unwrap();
    write(&day.config, format!("{text}[rules]\npolicy = \"{profile}\"\n"));
    said(&day.collector("init", &[]));
    let mut noted = String::new();
    for (kind, file) in [
        ("institution", "institutions.csv"),
        ("site", "sites.csv"),
        ("teacher", "teachers.csv"),
        ("project", "projects.csv"),
        ("class", "classes.csv"),
        ("held", "held.csv"),
        ("roster", "roster.csv"),
        ("lesson", "lessons.csv"),
        ("status", "statuses.csv"),
    ] {
        noted.push_str(&said(&ask(&day, &[kind, "import", sample(file).to_str().unwrap()])));
    }
    (day, noted)
}

fn grant(state: &str) -> [&str; 10] {
    let from = "2030-05-20 09:00";
    ["status", "add", "--of", "claim", "--id", "cook-a-1", "--state", state, "--from", from]
}

#[test]
fn a_claim_for_hours_that_nobody_attended_is_noted_and_not_granted_and_may_be_rejected() {
    let (day, noted) = school("sichuan-2025");
    assert!(!noted.contains("note:"), "all is within what Sichuan's text says: {noted}");
    let claims = sample("claims.csv");
    let told = said(&ask(&day, &["claim", "import", claims.to_str().unwrap()]));
    let note = "note: claim cook-a-1: 申领 240 学时，账本至多能证明 12 学时 · 240 lesson hours claimed; \
                the ledger can prove 12 at most (2 人 persons); `rollcall collector limits` says of whom";
    assert!(told.contains(note), "{told}");
    assert!(told.contains("claims: stated: 1 new, 0 changed"), "it is kept all the same: {told}");

    let out = ask(&day, &["limits", "--claim", "cook-a-1"]);
    assert_eq!(out.status.code(), Some(1));
    let told = String::from_utf8(out.stdout).unwrap();
    let line = "不予补贴 refused  [—]  示***二  申领 238 学时，账本至多能证明 12 学时";
    assert!(told.contains(line), "{told}");
    assert!(!told.contains("990000"), "{told}");
    let out = ask(&day, &["limits", "--claim", "cook-a-1", "--json"]);
    let all: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|it| it["limit"] == "hours_beyond_ledger" && it["allowed"] == 12));
    assert!(all.iter().all(|it| it["modality"] == "hard" && it["refused"] == true));
    // By commitment, whose order says nothing.
    let mut found: Vec<_> = all.iter().map(|it| it["found"].as_u64().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, [238, 240]);

    for state in ["approved", "paid"] {
        let out = ask(&day, &grant(state));
        let told = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{told}");
        assert!(told.contains("nothing was stated\n    claim cook-a-1: 申领 240 学时"), "{told}");
        assert!(told.contains("state it as rejected"), "{told}");
    }
    said(&ask(&day, &grant("rejected")));
    let again = said(&ask(&day, &["claim", "import", claims.to_str().unwrap()]));
    assert!(again.starts_with("nothing to state"), "{again}");
}

#[test]
fn whoever_holds_a_higher_certificate_is_noted_when_the_roster_is_entered_and_is_on_it() {
    let (day, noted) = school("hebei-2024");
    let note = "note: class cook-a: 已有同一职业更高等级的证书或补贴，不得再申领低等级补贴 · a higher level of the same \
                occupation is held already; no lower one may follow; `rollcall";
    assert!(noted.contains(note), "{noted}");
    assert!(noted.contains("rosters: stated: 4 new"), "nothing keeps her from attending: {noted}");
    let out = ask(&day, &["limits", "--class", "cook-a", "--json"]);
    assert_eq!(out.status.code(), Some(1));
    let all: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["limit"], &all[0]["clause"]), (&"lower_level".into(), &"十二".into()));
    assert_eq!(
        (&all[0]["name"], &all[0]["rests_on"][0]),
        (&"示***二".into(), &"held cert-2025-0001".into())
    );
}

/// Through the program, from the table of a class to the claim for it.
#[test]
fn sc_3_a_class_that_differs_from_the_published_project_is_noted_when_it_is_entered() {
    let (day, _) = school("sichuan-2025");
    let table = |name: &str, project: &str, hours: &str| {
        let text = std::fs::read_to_string(sample("classes.csv")).unwrap();
        let row = text.lines().nth(1).unwrap();
        let row =
            row.replacen("cook-a", name, 1).replacen(",240,160,", &format!(",{hours},160,"), 1);
        let row = row.replacen("中式烹调师（初级）", project, 1);
        let path = day.file(name);
        write(&path, format!("{}\n{row}\n", text.lines().next().unwrap()));
        path.to_str().unwrap().to_owned()
    };
    let enter = |file: &str| said(&ask(&day, &["class", "import", file]));
    let told = enter(&table("cook-b", "中式烹调师（初级）", "200"));
    let note = "note: class cook-b: 计划 200 学时，项目公布至少 240 学时 · 200 lesson hours planned; the project is \
                published with at least 240; `rollcall collector limits` says";
    assert!(told.contains(note) && told.contains("1 new"), "{told}");
    let told = enter(&table("cook-c", "中式烹调师（高级）", "240"));
    let note = "note: class cook-c: 培训项目“中式烹调师（高级）”在开班日 2030-03-04 未公开发布，原则上不予补贴 · ";
    assert!(told.contains(note) && told.contains("1 new"), "{told}");

    let told = said(&ask(&day, &["limits", "--class", "cook-b"]));
    let line = "提醒 a warning  [三]  计划 200 学时，项目公布至少 240 学时  200 lesson hours planned; the project is \
                published with at least 240\n    依据 rests on: notice 示例公告〔2030〕2号\n";
    assert_eq!(told, line);
    let from = "2030-03-04 08:00";
    let opened = ["status", "add", "--of", "class", "--id", "cook-c", "--state", "opened"];
    let told = said(&ask(&day, &[&opened[..], &["--from", from]].concat()));
    assert!(told.contains(note), "once more before it begins: {told}");

    // What the list says from another day on is told of all classes that are still to open.
    let anew = [
        "--name",
        "中式烹调师（初级）",
        "--occupation",
        "中式烹调师",
        "--persons-max",
        "2",
        "--notice",
        "示例公告〔2030〕8号",
        "--from",
        "2030-03-01",
    ];
    let told = said(&ask(&day, &[&["project", "add"], &anew[..]].concat()));
    for note in [
        "note: class cook-a: 连同先登记的班级，项目下共 4 人，公布 2 人",
        "note: class cook-b: 连同先登记的班级，项目下共 8 人，公布 2 人",
        "note: class cook-c: 培训项目“中式烹调师（高级）”",
    ] {
        assert!(told.contains(note), "{told}");
    }
    let listed = said(&ask(&day, &["project", "list", "--csv"]));
    let path = day.file("again.csv");
    write(&path, &listed);
    assert_eq!(listed.lines().count(), 3, "both publications: {listed}");
    let again = said(&ask(&day, &["project", "import", path.to_str().unwrap()]));
    assert!(again.starts_with("nothing to state"), "{again}");
}

#[test]
fn what_is_within_all_limits_says_so_and_what_nobody_knows_is_told() {
    let (day, _) = school("guizhou");
    let told = said(&ask(&day, &["limits", "--institution", "huaxin"]));
    assert_eq!(told, "未超出任何限制 within all limits\n");
    for (of, id) in [("--claim", "x"), ("--class", "x"), ("--institution", "x")] {
        let out = ask(&day, &["limits", of, id]);
        assert_eq!(out.status.code(), Some(2));
        let told = String::from_utf8(out.stderr).unwrap();
        assert!(told.contains("because: the ledger knows no such "), "{told}");
    }
    assert_eq!(ask(&day, &["limits"]).status.code(), Some(2), "about what?");
}
