use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::cases::{Brief, Found, Gathered, Stated};
use crate::domain::{
    Anomaly, AnomalyId, AnomalyKind, Bilingual, CaseId, CaseStep, Fact, GeoPoint,
    InstitutionDetails, PersonId, Step, Verdict, VerdictReason,
};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;

fn at(s: i64) -> Timestamp {
    Timestamp::from_ms(1_772_411_405_000 + s * 1_000)
}

// ---- what is told -----------------------------------------------------------------------------

fn found() -> Found {
    let anomaly = Anomaly {
        id: AnomalyId::of(AnomalyKind::MultiDevice, &[3, 4]),
        kind: AnomalyKind::MultiDevice,
        severity: Severity::Alarm,
        at: at(0),
        who: vec![PersonId([0xab; 16])],
        terminals: vec!["t-1".parse().unwrap()],
        site: Some("s-1".parse().unwrap()),
        why: Bilingual::new("异地同时", "two places at once"),
        evidence: vec![3, 4],
        policy: "sichuan-2025/1".into(),
        rule: 1,
        inputs: std::collections::BTreeMap::new(),
        ledger: crate::domain::LedgerRange { first: 0, last: 4 },
    };
    Found { number: 1, anomaly }
}

fn registry(area: Option<&str>) -> Registry {
    let name = |text: &str| Bilingual::new("名", text);
    let mut facts = vec![
        Fact::Institution { id: "i-1".parse().unwrap(), name: name("School") },
        Fact::Site {
            id: "s-1".parse().unwrap(),
            institution: "i-1".parse().unwrap(),
            name: name("Site"),
            town: name("Mianyang"),
            place: GeoPoint { latitude_e6: 0, longitude_e6: 0 },
        },
    ];
    facts.extend(area.map(|area| {
        Fact::InstitutionDetails(InstitutionDetails {
            institution: "i-1".parse().unwrap(),
            credit_code: None,
            ownership: None,
            area: Some(area.into()),
        })
    }));
    let mut registry = Registry::default();
    for fact in facts {
        registry.apply(&Entry { index: 0, committed_at: at(0), body: Body::Fact(fact) });
    }
    registry
}

fn step(step: Step) -> Stated {
    let case = CaseId::opened_by(found().anomaly.id);
    let (by, text) = ("Wang, bureau".into(), Some("looked at both".into()));
    Stated { index: 9, at: at(60), step: CaseStep { id: [7; 16], case, step, by, text } }
}

fn written<T>(steps: &[Stated], registry: &Registry, write: impl FnOnce(&Writer<'_>) -> T) -> T {
    let gathered = Gathered::of(&[Brief::of(&found())], steps);
    let called =
        |person: &PersonId| format!("№ {}", person.to_string().chars().take(6).collect::<String>());
    let (origin, now) = ("sichuan", at(120));
    write(&Writer { origin, gathered: &gathered, registry, called: &called, now })
}

#[test]
fn an_anomaly_is_told_as_a_cloud_event_by_region_and_severity_and_names_nobody() {
    let message = written(&[], &registry(None), |it| it.anomaly(&found())).unwrap();
    assert_eq!(message.topic(), "rollcall/v1/alerts/mianyang/alarm");
    let id = found().anomaly.id.to_string();
    let event = &message.event;
    assert_eq!(message.id, format!("anomaly-{id}"));
    let head = json!({ "specversion": "1.0", "id": message.id, "source": "urn:rollcall:sichuan",
        "type": "rollcall.anomaly.v1", "subject": id, "time": "2026-03-02T00:30:05Z",
        "region": "mianyang", "severity": "alarm", "datacontenttype": "application/json",
        "data": event["data"] });
    assert_eq!(*event, head);
    let data = &event["data"];
    assert_eq!((&data["case"], &data["opens_case"]), (&json!(id), &json!(true)));
    assert_eq!(data["who"], json!(["№ ababab"]));
    assert_eq!(data["where"]["town"]["en"], "Mianyang");
    assert!(!message.event.to_string().contains(&"ab".repeat(16)), "no id of a person");
    // Where the supervising area is known, it is the region.
    let message = written(&[], &registry(Some("510700")), |it| it.anomaly(&found())).unwrap();
    assert_eq!(message.topic(), "rollcall/v1/alerts/510700/alarm");
}

#[test]
fn a_case_that_is_put_off_is_quiet_and_a_verdict_is_told_with_who_and_why() {
    let snoozed = [step(Step::Snoozed { until: at(1_000) })];
    assert_eq!(written(&snoozed, &registry(None), |it| it.anomaly(&found())), None);
    let over = [step(Step::Snoozed { until: at(100) })];
    assert!(written(&over, &registry(None), |it| it.anomaly(&found())).is_some());
    let (verdict, reason) = (Verdict::Error, VerdictReason::Lookalike);
    let judged = step(Step::Judged { verdict, reason, anomalies: 1, digest: [0; 16] });
    let steps = [judged.clone()];
    let message = written(&steps, &registry(None), |it| it.step(&judged)).unwrap();
    assert_eq!(message.id, format!("step-{}", "07".repeat(16)));
    let data = &message.event["data"];
    assert_eq!(
        (&data["step"], &data["state"], &data["verdict"], &data["reason"], &data["by"]),
        (
            &json!("judged"),
            &json!("judged"),
            &json!("error"),
            &json!("lookalike"),
            &json!("Wang, bureau")
        )
    );
    let nobodys = Stated { step: CaseStep { case: CaseId([1; 16]), ..judged.step }, ..judged };
    assert_eq!(written(&[], &registry(None), |it| it.step(&nobodys)), None);
}

// ---- telling ----------------------------------------------------------------------------------

/// Anomalies 1 to n; each third is slight.
struct Numbers(u64);

impl Source for Numbers {
    fn newest(&self) -> (u64, u64) {
        (self.0, 0)
    }

    fn after(&self, anomalies: u64, _steps: u64) -> Result<Option<Item>, ReadError> {
        Ok((anomalies < self.0).then_some(Item::Anomaly(anomalies + 1)))
    }

    fn message(&self, item: Item, _now: Timestamp) -> Result<Option<Message>, ReadError> {
        let Item::Anomaly(number) = item else { return Ok(None) };
        let severity = if number % 3 == 0 { Severity::Notice } else { Severity::Alarm };
        let event = json!({ "id": format!("a-{number}") });
        Ok(Some(Message { id: format!("a-{number}"), severity, region: "x".into(), event }))
    }
}

/// One request as a receiver saw it.
struct Asked {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("no {name}")).1
    }
}

/// A receiver on loopback that answers these one after the other, the last one for ever.
struct Receiver {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Receiver {
    fn answering(script: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        // Ends with the process; a test makes a handful of connections.
        thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut headers = Vec::new();
                loop {
                    let mut line = String::new();
                    lines.read_line(&mut line).unwrap();
                    let Some((name, value)) = line.trim().split_once(": ") else {
                        if line.trim().is_empty() {
                            break;
                        }
                        continue;
                    };
                    headers.push((name.to_owned(), value.to_owned()));
                }
                let length = |(name, value): &(String, String)| {
                    name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
                };
                let mut body = vec![0; headers.iter().find_map(length).unwrap_or(0)];
                lines.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(Asked { headers, body });
                let status = script[turn.min(script.len() - 1)];
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    fn ids(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|asked| asked.header("webhook-id").to_owned()).collect()
    }
}

fn secret() -> Secret {
    Secret::new(&[5; 32])
}

struct Desk {
    folder: tempfile::TempDir,
    receiver: Receiver,
}

impl Desk {
    /// A receiver that knows of nothing yet.
    fn new(script: &'static [u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self { folder, receiver: Receiver::answering(script) };
        desk.shelf().write("desk", &Outbox::default()).unwrap();
        desk
    }

    fn shelf(&self) -> Shelf {
        Shelf::open(self.folder.path()).unwrap()
    }

    /// As after a start of the collector, when there are so many anomalies.
    fn teller(&self, anomalies: u64) -> Teller {
        let channel = Box::new(Webhook::new(&self.receiver.url, secret()));
        let source = Arc::new(Numbers(anomalies));
        Teller::open("desk", Severity::Warning, source, channel, self.shelf()).unwrap()
    }

    fn kept(&self) -> Outbox {
        self.shelf().read("desk").unwrap().unwrap()
    }
}

#[test]
fn a_receiver_that_fails_hears_everything_once_and_in_order_also_over_restarts() {
    let desk = Desk::new(&[200, 503, 500, 200]);
    desk.teller(4).look(at(0), || 0).unwrap();
    // The second failed: nothing goes before it is due, whoever looks.
    assert_eq!(desk.receiver.ids(), ["a-1", "a-2"]);
    desk.teller(4).look(at(3), || 0).unwrap();
    assert_eq!(desk.receiver.ids().len(), 2);
    let trying = desk.kept().trying.unwrap();
    assert_eq!((trying.attempts, trying.why.as_str()), (1, "it answered 503"));
    desk.teller(5).look(at(4), || 0).unwrap();
    assert_eq!(desk.kept().trying.unwrap().attempts, 2);
    let mut teller = desk.teller(5);
    teller.look(at(30), || 0).unwrap();
    // The third is too slight for this receiver.
    assert_eq!(desk.receiver.ids(), ["a-1", "a-2", "a-2", "a-2", "a-4", "a-5"]);
    let outbox = desk.kept();
    assert_eq!((outbox.anomalies, outbox.delivered, &outbox.dead[..]), (5, 4, &[][..]));
    assert_eq!(*teller.outbox(), outbox);
}

#[test]
fn each_try_is_signed_anew_over_id_time_and_body() {
    let desk = Desk::new(&[503, 200]);
    desk.teller(1).look(at(0), || 0).unwrap();
    desk.teller(1).look(at(4), || 0).unwrap();
    let asked = desk.receiver.asked.lock().unwrap();
    for (asked, when) in asked.iter().zip([at(0), at(4)]) {
        assert_eq!(asked.header("content-type"), "application/cloudevents+json; charset=utf-8");
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(body["id"], "a-1");
        for (name, value) in secret().headers("a-1", when, &asked.body) {
            assert_eq!(asked.header(name), value);
        }
    }
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].header("webhook-signature"), asked[1].header("webhook-signature"));
}

#[test]
fn a_crash_before_the_end_was_noted_tells_it_once_more_under_the_same_id() {
    let desk = Desk::new(&[200]);
    let before = desk.kept();
    desk.teller(1).look(at(0), || 0).unwrap();
    desk.shelf().write("desk", &before).unwrap();
    desk.teller(1).look(at(1), || 0).unwrap();
    assert_eq!(desk.receiver.ids(), ["a-1", "a-1"]);
}

#[test]
fn what_is_refused_for_good_is_put_aside_and_goes_when_somebody_wants_it_again() {
    let desk = Desk::new(&[400, 200]);
    desk.teller(2).look(at(0), || 0).unwrap();
    assert_eq!(desk.receiver.ids(), ["a-1", "a-2"], "it stops nobody");
    let outbox = desk.kept();
    let dead: Vec<_> = outbox.dead.iter().map(|it| (it.id.as_str(), it.why.as_str())).collect();
    assert_eq!((dead, outbox.anomalies), (vec![("a-1", "it answered 400")], 2));
    let again = Again { receiver: "desk".into(), id: Some("a-1".into()) };
    desk.shelf().leave("1", &again).unwrap();
    desk.shelf().leave("2", &Again { receiver: "other".into(), id: None }).unwrap();
    desk.teller(2).look(at(1), || 0).unwrap();
    assert_eq!(desk.receiver.ids(), ["a-1", "a-2", "a-1"]);
    assert_eq!(desk.kept().dead, []);
    let left: Vec<_> = desk.shelf().wishes().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["2"], "what others want is left to them");
}

#[test]
fn a_receiver_that_is_away_costs_nobody_anything_and_is_told_why() {
    let desk = Desk::new(&[200]);
    // A port that nobody listens on any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let channel = Box::new(Webhook::new(&format!("http://{gone}/"), secret()));
    let source = Arc::new(Numbers(1));
    let mut teller =
        Teller::open("desk", Severity::Warning, source, channel, desk.shelf()).unwrap();
    teller.look(at(0), || 0).unwrap();
    let trying = desk.kept().trying.unwrap();
    assert_eq!((trying.attempts, trying.item), (1, Item::Anomaly(1)));
    assert!(!trying.why.is_empty());
}

#[test]
fn a_new_receiver_hears_of_what_comes_and_a_store_made_anew_is_told_anew() {
    let desk = Desk::new(&[200]);
    std::fs::remove_file(desk.folder.path().join("notifications/desk.outbox.json")).unwrap();
    desk.teller(7).look(at(0), || 0).unwrap();
    assert!(desk.receiver.ids().is_empty());
    desk.teller(8).look(at(1), || 0).unwrap();
    assert_eq!(desk.receiver.ids(), ["a-8"]);
    desk.teller(2).look(at(2), || 0).unwrap();
    assert_eq!(desk.receiver.ids(), ["a-8", "a-1", "a-2"]);
}
