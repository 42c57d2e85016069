//! What the page's server answers on the wire: the stream, the JSON beside it, the guards around
//! all of it, and what happens when the port is taken.

use std::net::{SocketAddr, TcpListener};

use rollcall::web::{BindError, Listening, READERS_MAX, WhenTaken};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::web_fixture::{Server, anomalies, another_anomaly, attendance, attendances, terminals};

const EVENTS: &str = "/api/v1/events";

#[test]
fn stream_begins_with_a_snapshot_and_goes_on_with_numbered_events() {
    let server = Server::of_province();
    let mut stream = server.stream(EVENTS, &[]);
    let first = stream.next().unwrap();
    assert_eq!((first.event.as_str(), first.id), ("snapshot", Some(45)));
    assert_eq!(first.retry.as_deref(), Some("2000"));
    let snapshot = first.json();
    assert_eq!(snapshot["log"], server.feed.log_id().as_str());
    assert_eq!(snapshot["cursor"], 45);
    assert_eq!(snapshot["events"].as_array().unwrap().len(), 45);

    server.feed.announce(&[another_anomaly(1), attendance(77)]).unwrap();
    let event = stream.next().unwrap();
    assert_eq!((event.event.as_str(), event.id), ("anomaly", Some(46)));
    assert_eq!(event.json()["id"], 46);
    assert_eq!(event.json()["type"], "anomaly");
    let event = stream.next().unwrap();
    assert_eq!((event.event.as_str(), event.id), ("attendance", Some(47)));
}

#[test]
fn stream_resumes_after_the_number_in_the_header_which_wins_over_the_address() {
    let server = Server::of_province();
    let after = |path: &str, headers: &[(&str, &str)]| {
        let mut stream = server.stream(path, headers);
        let first = stream.next().unwrap();
        assert_eq!((first.event.as_str(), first.id), ("resume", None));
        assert_eq!(first.json(), json!({ "log": server.feed.log_id() }));
        stream.next().unwrap().id.unwrap()
    };
    assert_eq!(after(EVENTS, &[("last-event-id", "40")]), 41);
    assert_eq!(after("/api/v1/events?after=12", &[]), 13);
    assert_eq!(after("/api/v1/events?after=12", &[("Last-Event-ID", "44")]), 45);

    let mut stream = server.stream(EVENTS, &[("Last-Event-ID", "0")]);
    stream.next().unwrap();
    let ids: Vec<u64> = stream.take(45).map(|frame| frame.id.unwrap()).collect();
    assert_eq!(ids, (1..=45).collect::<Vec<u64>>());
}

#[test]
fn garbage_as_last_event_id_is_answered_400_with_a_sentence() {
    let server = Server::start();
    for garbage in
        ["abc", "-1", "+1", "1.5", "99999999999999999999", "\u{fe}", "1; DROP TABLE feed"]
    {
        let answer = server.ask("GET", EVENTS, &[("Last-Event-ID", garbage)]);
        assert_eq!(answer.status, 400, "{garbage:?}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], "bad_request");
        assert!(error["en"].as_str().unwrap().contains("must be a whole number"), "{error}");
        assert!(error["zh"].as_str().unwrap().contains("应为非负整数"), "{error}");
    }
    assert_eq!(server.get("/api/v1/events?after=x").status, 400);
}

#[test]
fn number_beyond_the_log_gets_a_snapshot() {
    let server = Server::of_province();
    let mut stream = server.stream(EVENTS, &[("Last-Event-ID", "18446744073709551615")]);
    assert_eq!(stream.next().unwrap().event, "snapshot");
}

#[test]
fn anomalies_are_paged_and_filtered_and_bad_questions_are_named() {
    let server = Server::start();
    server.feed.announce(&anomalies()).unwrap();
    let page = server.get("/api/v1/anomalies?limit=5").json();
    let ids: Vec<u64> =
        page["events"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [12, 11, 10, 9, 8]);
    assert_eq!(page["older"], 8);
    let rest = server.get("/api/v1/anomalies?before=8").json();
    assert_eq!(rest["events"].as_array().unwrap().len(), 7);
    assert_eq!(rest["older"], json!(null));
    let alarms = server.get("/api/v1/anomalies?severity=alarm&kind=forged").json();
    assert_eq!(alarms["events"].as_array().unwrap().len(), 1);
    assert_eq!(alarms["events"][0]["kind"], "forged");

    for bad in ["limit=0", "limit=201", "limit=x", "before=-2", "severity=loud", "kind=%00"] {
        let answer = server.get(&format!("/api/v1/anomalies?{bad}"));
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.json()["error"]["code"], "bad_request", "{bad}");
    }
}

#[test]
fn ledger_entry_is_shown_decoded_and_without_a_persons_id() {
    let server = Server::start();
    let entry = server.get("/api/v1/entries/4").json();
    assert_eq!(entry["index"], 4);
    assert_eq!(entry["holds"], "record");
    assert_eq!(entry["terminal"], "cd-east-01");
    assert_eq!(entry["committed_ms"], 1_772_411_502_000_i64);
    assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
    let fact = |key: &str| {
        let facts = entry["facts"].as_array().unwrap();
        facts.iter().find(|fact| fact["key"] == key).unwrap_or_else(|| panic!("no {key}"))
    };
    assert_eq!(fact("outcome")["value"], "looks_like_other");
    assert_eq!(fact("outcome")["says"]["zh"], "像另一人");
    assert_eq!(fact("other")["value"], "0.7102");
    assert_eq!(fact("threshold")["name"], json!({ "zh": "阈值", "en": "Threshold" }));
    assert_eq!(fact("person")["value"], "04".repeat(32), "the commitment, nothing else");

    let refused = server.get("/api/v1/entries/10").json();
    assert_eq!(refused["holds"], "refused");
    assert_eq!(refused["facts"][0]["key"], "refusal");
    assert_eq!(refused["facts"][0]["value"], "bad_signature");
}

#[test]
fn missing_things_are_404_and_inner_failures_tell_the_reader_nothing() {
    let server = Server::start();
    for path in ["/nothing", "/assets/nothing.js", "/assets/..%2fmod.rs", "/api/v1/entries/999"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"]["code"], "not_found", "{path}");
    }
    assert_eq!(server.get("/api/v1/entries/four").status, 400);
    assert_eq!(server.get("/api/v1/entries/%ff").status, 400);
    let posted = server.ask("POST", EVENTS, &[]);
    assert_eq!(
        (posted.status, &posted.json()["error"]["code"]),
        (405, &json!("method_not_allowed"))
    );
    let failed = server.get("/api/v1/entries/666");
    assert_eq!((failed.status, &failed.json()["error"]["code"]), (500, &json!("internal")));
    assert!(!failed.body.contains("secret"), "{}", failed.body);
}

#[test]
fn figures_count_and_about_says_what_this_is() {
    let server = Server::of_province();
    assert_eq!(
        server.get("/api/v1/figures").json(),
        json!({
            "now_ms": 1_772_439_600_000_i64,
            "day": "2026-03-02",
            "attendances": 22,
            "anomalies": { "alarm": 6, "warning": 4, "notice": 2 },
            "terminals": { "online": 1, "all": 3 },
            "entries": 1_284,
        })
    );
    let about = server.get("/api/v1/about").json();
    assert_eq!(about["demo"], true);
    assert_eq!(about["origin"], "demo.rollcall.example");
    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(server.get("/healthz").json(), json!({ "status": "ok" }));
}

#[test]
fn every_answer_carries_the_guards() {
    let server = Server::start();
    let stream = server.ask("GET", EVENTS, &[("Last-Event-ID", "x")]);
    let answers = ["/", "/assets/page.js", "/api/v1/about", "/nothing", "/api/v1/entries/666"];
    for answer in answers.map(|path| server.get(path)).iter().chain([&stream]) {
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[test]
fn page_needs_nothing_from_elsewhere_and_makes_no_markup_from_text() {
    let server = Server::start();
    let page = server.get("/");
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(!page.body.contains("<script>") && !page.body.contains(" style="), "nothing inline");
    let mut files = vec![("/".to_owned(), page.body.clone())];
    for name in ["page.css", "page.js", "live.js", "draw.js", "words.js", "icon.svg"] {
        let path = format!("/assets/{name}");
        let file = server.get(&path);
        assert_eq!(file.status, 200, "{path}");
        files.push((path, file.body));
    }
    for (path, text) in &files {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for forbidden in
            ["http://", "https://", "//cdn", "innerHTML", "insertAdjacentHTML", "eval("]
        {
            assert!(!text.contains(forbidden), "{path} contains {forbidden}");
        }
    }
}

#[test]
fn more_readers_than_the_bound_are_told_to_come_later() {
    let server = Server::start();
    let mut streams: Vec<_> = (0..READERS_MAX).map(|_| server.stream(EVENTS, &[])).collect();
    let answer = server.get(EVENTS);
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (503, &json!("busy")));
    // Those who are served go on being served.
    for stream in &mut streams {
        assert_eq!(stream.next().unwrap().event, "snapshot");
    }
    server.feed.announce(&attendances()).unwrap();
    assert_eq!(streams[READERS_MAX - 1].next().unwrap().id, Some(1));
}

#[test]
fn ending_the_server_ends_open_streams() {
    let mut server = Server::start();
    server.feed.announce(&terminals()).unwrap();
    let mut stream = server.stream(EVENTS, &[]);
    stream.next().unwrap();
    server.stop();
    assert_eq!(stream.next(), None);
}

#[test]
fn busy_port_is_a_clear_error_or_another_port_that_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = taken.local_addr().unwrap();
    let runtime = Runtime::new().unwrap();
    let error = runtime.block_on(Listening::bind(wanted, WhenTaken::Fail)).unwrap_err();
    assert!(matches!(error, BindError::Taken { address } if address == wanted));
    let text = error.to_string();
    assert!(text.contains(&wanted.to_string()) && text.contains("taken by another program"));

    let other = runtime.block_on(Listening::bind(wanted, WhenTaken::TakeAnother)).unwrap();
    assert_eq!(other.instead_of, Some(wanted));
    assert_ne!(other.address.port(), wanted.port());
    assert!(other.address.ip().is_loopback());
    assert_eq!(other.url(), format!("http://{}", other.address));
}

#[test]
fn address_of_another_machine_is_a_clear_error_and_no_other_is_taken() {
    let foreign: SocketAddr = "192.0.2.1:8080".parse().unwrap();
    let runtime = Runtime::new().unwrap();
    let error = runtime.block_on(Listening::bind(foreign, WhenTaken::TakeAnother)).unwrap_err();
    assert!(matches!(error, BindError::Io { .. }));
    assert_eq!(error.to_string(), "could not serve the page at 192.0.2.1:8080");
}
