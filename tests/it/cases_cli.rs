//! Cases from the command line, through the real program: listed, taken, judged, contested, and every step a
//! fact of the ledger with the name of whoever took it.

use rollcall::collector::Home;
use rollcall::collector::people::{Change, People, Tag};
use rollcall::domain::{Fact, Outcome};
use serde_json::{Value, json};

use crate::rules_scene::{ANN, BEA, Scene, comes, tries};
use crate::support::day::{Day, rollcall};
use crate::support::{fine, refused};

/// A centre that has found two frauds of Ann and one of Bea.
fn centre() -> Day {
    let day = Day::configured(1883);
    drop(Home::create_in(&day.data(), day.store()).unwrap());
    let mut scene = Scene::two_towns();
    scene.add(comes("cd-1", "03-02 08:40", ANN).lesson("cd-am"));
    scene.add(comes("my-1", "03-02 08:55", ANN).lesson("my-am"));
    scene.add(tries("cd-1", "03-03 03:12", ANN, Outcome::NoLesson));
    scene.add(tries("cd-1", "03-03 03:13", BEA, Outcome::NoLesson));
    day.store().open_cases().unwrap().store(&scene.judged()).unwrap();
    day
}

fn cases(day: &Day, args: &[&str]) -> std::process::Output {
    let config = day.config.to_str().unwrap();
    rollcall(&[&["cases"], args, &["--config", config]].concat())
}

fn json(day: &Day, args: &[&str]) -> Value {
    serde_json::from_str(&fine(&cases(day, &[args, &["--json"]].concat()))).unwrap()
}

/// The name of the case with so many anomalies.
fn case_with(day: &Day, anomalies: u64) -> String {
    let list = json(day, &["list", "--state", "all"]);
    let cases = list["cases"].as_array().unwrap();
    let case = cases.iter().find(|it| it["anomalies"] == anomalies).unwrap();
    case["id"].as_str().unwrap().to_owned()
}

/// Ann is 安宁 here.
fn know_ann(day: &Day) {
    let mut people = People::create(&day.data()).unwrap();
    let ann = Change::Person { id: ANN, name: "安宁".into(), tag: Tag([1; 32]) };
    people.keep(&[ann]).unwrap();
}

const BY: [&str; 2] = ["--by", "王主任 Wang, bureau of Chengdu"];

#[test]
fn a_case_goes_from_finding_to_verdict_to_appeal_and_another_verdict() {
    let day = centre();
    let ann = case_with(&day, 2);
    let short = ann.get(..8).unwrap();
    let state = || json(&day, &["show", &ann])["state"].clone();
    assert_eq!(state(), "open");
    fine(&cases(&day, &[&["take", short], &BY[..]].concat()));
    assert_eq!(state(), "taken");
    let text = ["--text", "compared with the lists of both sites"];
    let judged = |verdict: &str, reason: &str, by: &str| {
        let said = ["verdict", short, "--verdict", verdict, "--reason", reason, "--by", by];
        cases(&day, &[&said[..], &text[..]].concat())
    };
    fine(&judged("fraud", "made_up", BY[1]));
    assert_eq!(state(), "judged");
    let by_desk = ["--by", "the desk of appeals"];
    let appeal = ["appeal", short, "--party", "trainee"];
    fine(&cases(&day, &[&appeal[..], &by_desk[..], &text[..]].concat()));
    assert_eq!(state(), "appealed");
    refused(&judged("fraud", "made_up", BY[1]), 2, &["somebody else decides", "another person"]);
    // Words may be Chinese as well.
    fine(&judged("差错", "登记有误", "徐科长 Xu, bureau of Chengdu"));
    let case = json(&day, &["show", &ann]);
    let steps: Vec<_> = case["steps"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, ["taken", "judged", "appealed", "judged"]);
    assert_eq!(case["verdict"]["reason"], json!({ "code": "wrong_data", "zh": "登记有误" }));

    let lived = json(&day, &["precision"]);
    let multi = &lived["detectors"].as_array().unwrap()[0];
    assert_eq!(multi["kind"], "multi_device");
    assert_eq!(
        (&multi["fraud"], &multi["error"], &multi["decided"]),
        (&json!(0), &json!(1), &json!(1))
    );

    let home = Home::open_in(&day.data(), day.store()).unwrap();
    let facts = home.facts().unwrap();
    let by: Vec<_> = facts
        .iter()
        .map(|fact| {
            let Fact::CaseStep(step) = fact else { panic!("{fact:?}") };
            step.by.as_str()
        })
        .collect();
    assert_eq!(by, [BY[1], BY[1], "the desk of appeals", "徐科长 Xu, bureau of Chengdu"]);
}

#[test]
fn the_list_shows_what_waits_and_a_case_that_is_put_off_comes_back() {
    let day = centre();
    let (ann, bea) = (case_with(&day, 2), case_with(&day, 1));
    let waiting = |day: &Day| {
        let list = json(day, &["list"]);
        let ids = list["cases"].as_array().unwrap().iter();
        ids.map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&day), [ann.clone(), bea.clone()], "the more urgent first");
    let text = ["--text", "the school is closed until then"];
    let snooze = |until: &str| {
        cases(&day, &[&["snooze", &ann, "--until", until], &BY[..], &text[..]].concat())
    };
    refused(&snooze("2020-01-01"), 2, &["within 90 days", "--until"]);
    refused(&snooze("soon"), 2, &["no time", "--until"]);
    let until =
        rollcall::platform::clock::Clock::now(&rollcall::platform::clock::SystemClock::start())
            .plus_ms(5 * 86_400_000);
    fine(&snooze(&until.to_string()));
    assert_eq!(waiting(&day), [bea]);
    assert!(fine(&cases(&day, &["list", "--state", "snoozed"])).contains(&ann));
    let shown = fine(&cases(&day, &["show", &ann]));
    for expected in ["风险分 score", "multi_device", "off_timetable", "证据 evidence", "snoozed –"]
    {
        assert!(shown.contains(expected), "{expected:?} is not in\n{shown}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do_and_nothing_is_stated() {
    let day = centre();
    let ann = case_with(&day, 2);
    let verdict = |reason: &str, by: &str, text: &str| {
        cases(
            &day,
            &[
                "verdict",
                &ann,
                "--verdict",
                "fraud",
                "--reason",
                reason,
                "--by",
                by,
                "--text",
                text,
            ],
        )
    };
    refused(&verdict("honest_mistake", "Wang", "x"), 2, &["no reason for fraud", "docs/cases.md"]);
    refused(&verdict("made_up", " ", "x"), 2, &["who does it", "--by"]);
    refused(
        &verdict("made_up", "Wang", "of 11010519491231002X"),
        2,
        &["identity number", "trainee"],
    );
    refused(&verdict("made_up", "Wang", "one\ntwo"), 2, &["one line"]);
    refused(&cases(&day, &["take", "0123", "--by", "Wang"]), 2, &["six digits"]);
    refused(&cases(&day, &["take", "01234567", "--by", "Wang"]), 2, &["none of that name"]);
    refused(
        &cases(&day, &["reopen", &ann, "--by", "Wang", "--text", "x"]),
        2,
        &["no verdict stands"],
    );
    let unknown = verdict("because", "Wang", "x");
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(2), "{said}");
    assert!(said.contains("proxy_attendance 冒名顶替"), "{said}");
    let home = Home::open_in(&day.data(), day.store()).unwrap();
    assert_eq!(home.facts().unwrap(), []);
}

#[test]
fn who_is_known_here_is_shown_masked_and_cannot_be_named_in_the_ledger() {
    let day = centre();
    know_ann(&day);
    let ann = case_with(&day, 2);
    let shown = fine(&cases(&day, &["show", &ann]));
    assert!(shown.contains("安*") && !shown.contains("安宁"), "{shown}");
    let text = ["--text", "安宁 was in Mianyang"];
    let said = cases(&day, &[&["comment", &ann], &BY[..], &text[..]].concat());
    refused(&said, 2, &["names somebody", "without the name"]);
    let text = ["--text", "she was in Mianyang"];
    fine(&cases(&day, &[&["comment", &ann], &BY[..], &text[..]].concat()));
}
