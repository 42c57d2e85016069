//! The pages of cases and their JSON: an invented shelf of four cases, in every state that asks for attention.

use rollcall::cases::{Brief, Found, Gathered, Stated, Subject};
use rollcall::collector::cases::Teller;
use rollcall::domain::{
    Anomaly, AnomalyId, AnomalyKind, Bilingual, CaseId, CaseStep, Fact, GeoPoint, Party, PersonId,
    Severity, Step, Timestamp, Verdict, VerdictReason,
};
use rollcall::ledger::{Body, Entry};
use rollcall::registry::Registry;
use rollcall::web::{CaseLine, CaseView, Cases, EntriesError, LivedView};
use serde_json::json;

use crate::web_browser::Browser;
use crate::web_fixture::{Server, at};

/// Four cases: one of two kinds and taken, one open, one contested, one judged an honest mistake.
pub(crate) struct Shelf;

const WANG: &str = "王主任 Wang, bureau of Chengdu";
const XU: &str = "徐科长 Xu, bureau of Chengdu";

fn found() -> Vec<Found> {
    use AnomalyKind::{ExcessHours, ForkedChain, MultiDevice, ProxyStandIn};
    use Severity::{Alarm, Notice, Warning};
    [
        (ProxyStandIn, Alarm, "2026-03-02 08:31:40", &[1, 2][..], &[4][..]),
        (MultiDevice, Warning, "2026-03-02 09:20:15", &[1], &[7, 8]),
        (ForkedChain, Alarm, "2026-03-02 11:40:28", &[], &[13]),
        (ProxyStandIn, Alarm, "2026-02-20 08:40", &[3, 4], &[5, 6]),
        (ExcessHours, Notice, "2026-02-27 13:05", &[5], &[14, 15]),
    ]
    .into_iter()
    .zip(1..)
    .map(|((kind, severity, time, who, evidence), number)| {
        let anomaly = Anomaly {
            id: AnomalyId::of(kind, evidence),
            kind,
            severity,
            at: at(time),
            who: who.iter().map(|n| PersonId([*n; 16])).collect(),
            terminals: vec!["cd-east-01".parse().unwrap()],
            site: Some("east".parse().unwrap()),
            why: Bilingual::new(
                "声明身份与面部不符：与本人相似度 0.12，与名册中另一人相似度 0.71（阈值 0.42）。双胞胎也会出现此情形。",
                "The claim does not fit the face: similarity 0.12 to the person claimed, 0.71 to another of the roster (threshold 0.42). Twins look like this too.",
            ),
            evidence: evidence.to_vec(),
            policy: "sichuan-2025/1".to_owned(),
            rule: 1,
            inputs: std::collections::BTreeMap::new(),
            ledger: rollcall::domain::LedgerRange { first: 0, last: 4 },
        };
        Found { number, anomaly }
    })
    .collect()
}

fn gathered() -> Gathered {
    let briefs: Vec<Brief> = found().iter().map(Brief::of).collect();
    let open = Gathered::of(&briefs, &[]);
    let case_of = |person: u8| {
        open.cases()
            .iter()
            .find(|it| it.subject == Subject::Person(PersonId([person; 16])))
            .unwrap()
    };
    let judged = |person, verdict, reason| {
        let (anomalies, digest) = case_of(person).seen();
        Step::Judged { verdict, reason, anomalies, digest }
    };
    let appeal = Step::Appealed { party: Party::Trainee };
    let fraud = judged(3, Verdict::Fraud, VerdictReason::ProxyAttendance);
    let mistake = judged(5, Verdict::Error, VerdictReason::HonestMistake);
    let steps: Vec<Stated> = [
        (1, Step::Taken, WANG, None, "2026-03-02 10:00"),
        (
            1,
            Step::Commented,
            WANG,
            Some("已调取两处终端的在场名单 asked both sites"),
            "2026-03-02 10:30",
        ),
        (3, fraud, WANG, Some("与现场名单核对 compared with the list on site"), "2026-02-22 09:00"),
        (
            3,
            appeal,
            "申诉窗口 desk of appeals",
            Some("是双胞胎姐妹 twin sisters"),
            "2026-02-25 09:00",
        ),
        (5, mistake, XU, Some("忘记签退 forgot to check out"), "2026-02-28 09:00"),
    ]
    .into_iter()
    .zip(20..)
    .map(|((person, step, by, text, time), n)| {
        let case = case_of(person).id;
        let (by, text) = (by.to_owned(), text.map(str::to_owned));
        Stated {
            index: u64::from(n),
            at: at(time),
            step: CaseStep { id: [n; 16], case, step, by, text },
        }
    })
    .collect();
    Gathered::of(&briefs, &steps)
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    let name = Bilingual::new;
    for fact in [
        Fact::Institution {
            id: "jinjiang".parse().unwrap(),
            name: name("锦江职业培训学校", "Jinjiang Vocational School"),
        },
        Fact::Site {
            id: "east".parse().unwrap(),
            institution: "jinjiang".parse().unwrap(),
            name: name("东门教学点", "East Gate site"),
            town: name("成都", "Chengdu"),
            place: GeoPoint { latitude_e6: 0, longitude_e6: 0 },
        },
    ] {
        let body = Body::Fact(fact);
        registry.apply(&Entry { index: 0, committed_at: Timestamp::default(), body });
    }
    registry
}

fn called(person: &PersonId) -> String {
    ["", "周*梅", "赵*娟", "罗*华", "罗*英", "何*英"][usize::from(person.0[0])].to_owned()
}

impl Shelf {
    fn told<T>(now: Timestamp, tell: impl FnOnce(&Teller<'_>) -> T) -> T {
        let (gathered, registry) = (gathered(), registry());
        tell(&Teller { gathered: &gathered, registry: &registry, called: &called, now })
    }
}

impl Cases for Shelf {
    fn lines(&self, now: Timestamp) -> Result<Vec<CaseLine>, EntriesError> {
        Ok(Self::told(now, |teller| teller.lines()))
    }

    fn case(&self, id: CaseId, now: Timestamp) -> Result<Option<CaseView>, EntriesError> {
        Ok(Self::told(now, |teller| {
            let case = teller.gathered.case(id)?;
            let mut found = found();
            found.retain(|it| case.anomalies.iter().any(|brief| brief.id == it.anomaly.id));
            Some(teller.case(case, &found))
        }))
    }

    fn lived(&self) -> Result<Vec<LivedView>, EntriesError> {
        Ok(Self::told(Timestamp::default(), |teller| teller.lived()))
    }
}

// ---- on the wire ------------------------------------------------------------------------------

#[test]
fn cases_come_by_urgency_and_by_state_with_the_count_of_each() {
    let server = Server::start();
    let list = server.get("/api/v1/cases").json();
    let told: Vec<_> = list["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["state"].as_str().unwrap(), it["score"].as_u64().unwrap()))
        .collect();
    // Whoever contests a verdict comes first.
    assert_eq!(told, [("appealed", 23), ("taken", 56), ("open", 30)], "{list:#}");
    let counts = json!({
        "waiting": 3, "open": 1, "taken": 1, "snoozed": 0, "judged": 1, "appealed": 1, "all": 4
    });
    assert_eq!(list["counts"], counts);
    let judged = server.get("/api/v1/cases?state=judged").json();
    let [case] = &judged["cases"].as_array().unwrap()[..] else { panic!("{judged:#}") };
    assert_eq!(case["verdict"]["verdict"]["code"], "error");
    assert_eq!(case["verdict"]["reason"]["zh"], "无意失误");
    assert_eq!(case["subject"], json!({ "kind": "person", "name": "何*英" }));
    assert_eq!(server.get("/api/v1/cases?state=lost").status, 400);
}

#[test]
fn a_case_shows_the_parts_of_its_score_its_anomalies_and_what_was_done() {
    let server = Server::start();
    let list = server.get("/api/v1/cases?state=taken").json();
    let id = list["cases"][0]["id"].as_str().unwrap();
    let case = server.get(&format!("/api/v1/cases/{id}")).json();
    let parts = json!([
        { "kind": "proxy_stand_in", "count": 1, "severity": "alarm", "weight": 60.0,
          "repetition": 1.0, "precision": 0.5, "age": 1.0, "points": 30.0 },
        { "kind": "multi_device", "count": 1, "severity": "warning", "weight": 30.0,
          "repetition": 1.0, "precision": 0.5, "age": 1.0, "points": 15.0 },
    ]);
    assert_eq!(case["risk"], json!({ "score": 56, "variety": 1.25, "parts": parts }), "{case:#}");
    assert_eq!(case["found"][0]["evidence"], json!([4]));
    assert_eq!(case["found"][0]["who"], json!(["周*梅", "赵*娟"]));
    let steps: Vec<_> = case["steps"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, ["taken", "commented"]);
    assert_eq!(case["owner"], WANG);
    assert_eq!(server.get(&format!("/api/v1/cases/{}", "0".repeat(32))).status, 404);
    assert_eq!(server.get("/api/v1/cases/1234").status, 400);
}

#[test]
fn precision_says_of_how_many_and_how_sure_and_a_contested_verdict_does_not_count() {
    let server = Server::start();
    let lived = server.get("/api/v1/precision").json();
    let expected = json!([{
        "kind": "excess_hours", "fraud": 0, "error": 1, "undecided": 0, "decided": 1,
        "precision": 0.0, "interval": lived["detectors"][0]["interval"],
        "errors": [[{ "code": "honest_mistake", "zh": "无意失误" }, 1]],
    }]);
    assert_eq!(lived["detectors"], expected);
    let high = lived["detectors"][0]["interval"][1].as_f64().unwrap();
    assert!(high > 0.79, "one verdict proves little: {high}");
}

/// Nobody can be judged from a page that knows nobody.
#[test]
fn nothing_can_be_done_about_a_case_over_http() {
    let server = Server::start();
    for path in ["/api/v1/cases", "/cases"] {
        assert_eq!(server.ask("POST", path, &[]).status, 405, "{path}");
    }
}

// ---- in a browser -----------------------------------------------------------------------------

const READY: &str = "document.querySelectorAll('#list .case').length === 3
     && document.querySelector('.case-one .parts') !== null
     && document.body.innerText.includes('95 %')";

#[test]
fn the_page_shows_the_list_one_case_and_how_it_is_judged_in_both_languages() {
    let server = Server::start();
    let url = format!("http://{}/cases", server.address);
    let mut browser = Browser::start();
    for (width, height, scheme) in [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light")]
    {
        let mut tab = browser.open(width, height, scheme, &url);
        tab.wait_for(READY);
        tab.picture(&format!("cases-{width}-{scheme}.png"));
        tab.eval(
            "[...document.querySelectorAll('.case')].find((it) => it.innerText.includes('周*梅')).click()",
        );
        tab.wait_for("document.querySelector('.case-head').innerText.includes('周*梅')");
        let text = tab.text();
        for expected in [
            "申诉中 Contested",
            "办理中 Taken",
            "风险分的组成",
            "What the score is made of",
            "查实率",
            "Precision as lived",
            "× 1.25 → 56",
            "替课 Stand-in",
            "同时多端 One person, two places",
            "赵*娟",
            "王主任 Wang, bureau of Chengdu",
            "已调取两处终端的在场名单",
            "rollcall cases verdict",
            "本页只供查看",
            "names a trainee",
            "无意失误 1",
        ] {
            assert!(text.contains(expected), "{expected:?} is not on the page:\n{text}");
        }
        tab.eval("document.querySelector('.found summary').click()");
        tab.wait_for("document.querySelector('.found .entry')?.innerText.includes('像另一人')");
        tab.assert_nothing_overflows();
        tab.picture(&format!("case-{width}-{scheme}.png"));
    }
}

#[test]
fn a_judged_case_shows_its_verdict_and_how_it_is_contested() {
    let server = Server::start();
    let mut browser = Browser::start();
    let url = format!("http://{}/cases", server.address);
    let mut tab = browser.open(1280, 800, "light", &url);
    tab.wait_for(READY);
    tab.eval(
        "{ const state = document.getElementById('state');
           state.value = 'judged'; state.dispatchEvent(new Event('change')); }",
    );
    tab.wait_for("document.querySelectorAll('#list .case').length === 1");
    tab.eval("document.querySelector('#list .case').click()");
    tab.wait_for(
        "document.querySelector('.case-head').innerText.includes('无意失误 honest mistake')",
    );
    let text = tab.text();
    for expected in
        ["差错 error", "忘记签退", "徐科长 Xu", "rollcall cases appeal", "rollcall cases reopen"]
    {
        assert!(text.contains(expected), "{expected:?} is not on the page:\n{text}");
    }
    assert!(!text.contains("rollcall cases verdict"), "it is judged");
    tab.picture("case-judged-1280-light.png");
}
