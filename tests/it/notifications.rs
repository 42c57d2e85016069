//! The real collector tells a real Mosquitto and a webhook of what is found and of what people do, while it
//! runs; what a webhook refuses is seen and tried once more from the command line.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollcall::collector::Home;
use rollcall::collector::notify::Secret;
use rollcall::domain::{Outcome, Timestamp};
use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, QoS};
use serde_json::Value;

use crate::rules_scene::{ANN, Scene, tries};
use crate::support::broker::eventually;
use crate::support::caller::Caller;
use crate::support::day::{Day, rollcall, write};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};
use crate::support::{fine, refused};

type Asked = (Vec<(String, String)>, Vec<u8>);

/// Answers these, the last one for ever.
fn receiver(script: &'static [u16]) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let kept = Arc::clone(&asked);
    // Ends with the process; a test makes a handful of connections.
    std::thread::spawn(move || {
        for (turn, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            let (mut headers, mut length) = (Vec::new(), 0);
            loop {
                let mut line = String::new();
                lines.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some((name, value)) = line.trim().split_once(": ") {
                    let name = name.to_ascii_lowercase();
                    if name == "content-length" {
                        length = value.parse().unwrap();
                    }
                    headers.push((name, value.to_owned()));
                }
            }
            let mut body = vec![0; length];
            lines.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push((headers, body));
            let status = script[turn.min(script.len() - 1)];
            let answer =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

fn types(asked: &Mutex<Vec<Asked>>) -> Vec<String> {
    let asked = asked.lock().unwrap();
    let kind = |(_, body): &Asked| {
        let event: Value = serde_json::from_slice(body).unwrap();
        let step = event["data"]["step"].as_str().map(|step| format!(" {step}"));
        format!("{}{}", event["type"].as_str().unwrap(), step.unwrap_or_default())
    };
    asked.iter().map(kind).collect()
}

/// Who reads alerts at the broker.
struct Listener {
    connection: Connection,
    heard: Vec<(String, Value)>,
    _client: Client,
}

impl Listener {
    fn connect(port: u16) -> Self {
        let options = MqttOptions::new("alerts", "127.0.0.1", port);
        let (client, connection) = Client::new(options, 100);
        client.subscribe("rollcall/v1/alerts/#", QoS::AtLeastOnce).unwrap();
        let mut listener = Self { connection, heard: Vec::new(), _client: client };
        let mut ready = false;
        eventually("the broker takes the subscription", || {
            ready |= matches!(listener.step(), Some(Event::Incoming(Incoming::SubAck(_))));
            ready
        });
        listener
    }

    fn step(&mut self) -> Option<Event> {
        let event = self.connection.recv_timeout(Duration::from_millis(20)).ok()?.ok()?;
        if let Event::Incoming(Incoming::Publish(publish)) = &event {
            let event = serde_json::from_slice(&publish.payload).unwrap();
            self.heard.push((publish.topic.clone(), event));
        }
        Some(event)
    }
}

/// `rollcall collector run`, once it has said where its page is.
struct Running(Child);

impl Running {
    fn start(day: &Day) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["collector", "run", "--config"])
            .arg(&day.config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.any(|line| line.unwrap().contains("live page at"));
        assert!(ready, "the collector ended: {:?}", child.wait());
        // It writes no more until it ends.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn told(day: &Day, args: &[&str]) -> Output {
    rollcall(&[&["notifications"], args, &["--config", day.config.to_str().unwrap()]].concat())
}

/// A centre with one case, and a webhook.
fn centre(broker: &Mosquitto, url: &str) -> Day {
    let day = Day::configured(broker.port());
    let secret = day.file("desk.secret");
    fine(&rollcall(&["notifications", "secret", "--out", secret.to_str().unwrap()]));
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&day.config).unwrap();
    let webhook = format!(
        "[[notify.webhook]]\nname = \"desk\"\nurl = \"{url}\"\nsecret_file = {secret:?}\n\
         severity_min = \"notice\"\n"
    );
    write(&day.config, text + &webhook);
    drop(Home::create_in(&day.data(), day.store()).unwrap());
    let mut scene = Scene::two_towns();
    scene.add(tries("cd-1", "03-03 03:12", ANN, Outcome::NoLesson));
    day.store().open_cases().unwrap().store(&scene.judged()).unwrap();
    day
}

#[test]
fn what_people_do_and_what_is_found_is_told_at_once_and_what_was_refused_once_more_on_demand() {
    let broker = Mosquitto::start();
    let (url, asked) = receiver(&[410, 200]);
    let day = centre(&broker, &url);
    let mut listener = Listener::connect(broker.port());
    let running = Running::start(&day);
    let config = day.config.to_str().unwrap();

    // The running collector states it: the command holds no lock.
    let list = fine(&rollcall(&["cases", "list", "--config", config, "--json"]));
    let list: Value = serde_json::from_str(&list).unwrap();
    let case = list["cases"][0]["id"].as_str().unwrap();
    let by = ["--by", "王主任 Wang, bureau", "--config", config];
    fine(&rollcall(&[&["cases", "take", case], &by[..]].concat()));
    eventually("the broker tells of it", || {
        listener.step();
        !listener.heard.is_empty()
    });
    // Its terminal was never registered here, so nobody knows where it stands.
    let (topic, event) = &listener.heard[0];
    assert_eq!(topic, "rollcall/v1/alerts/unknown/alarm");
    assert_eq!((&event["subject"], &event["data"]["step"]), (&case.into(), &"taken".into()));

    // The webhook wants no such thing: that is seen, and tried once more when somebody says so.
    let status = || told(&day, &["status"]);
    eventually("it is given up", || status().status.code() == Some(1));
    refused(&status(), 1, &["could not deliver", "1 were refused", "retry"]);
    let dead: Value = serde_json::from_str(&fine(&told(&day, &["dead", "--json"]))).unwrap();
    let message = &dead["dead"][0]["message"];
    assert_eq!(message["why"], "it answered 410");
    refused(&told(&day, &["retry", "nobody"]), 2, &["no receiver nobody"]);
    refused(&told(&day, &["retry", "desk", "--id", "other"]), 2, &["nothing like this"]);
    fine(&told(&day, &["retry", "desk", "--id", message["id"].as_str().unwrap()]));
    eventually("it is delivered", || types(&asked).len() == 2);
    eventually("nothing is given up any more", || status().status.success());
    assert_eq!(types(&asked), ["rollcall.case.v1 taken", "rollcall.case.v1 taken"]);

    // A stranger's record comes, is refused, judged, and told.
    let mut pen = Pen::new("ghost-1", 7);
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    let parcel = pen.write();
    eventually("an anomaly is told", || {
        caller.offer(std::slice::from_ref(&parcel));
        caller.step();
        listener.step();
        listener.heard.len() >= 2
    });
    let (_, event) = &listener.heard[1];
    assert_eq!(event["type"], "rollcall.anomaly.v1");
    assert_eq!(event["data"]["kind"], "unregistered_terminal");
    eventually("the webhook has it, too", || types(&asked).len() == 3);

    // What a receiver checks before it believes anything.
    let secret = Secret::read(&fs::read_to_string(day.file("desk.secret")).unwrap()).unwrap();
    for (headers, body) in asked.lock().unwrap().iter() {
        let header =
            |name: &str| headers.iter().find(|(known, _)| known == name).unwrap().1.as_str();
        let seconds: i64 = header("webhook-timestamp").parse().unwrap();
        let at = Timestamp::from_ms(seconds * 1_000);
        for (name, value) in secret.headers(header("webhook-id"), at, body) {
            assert_eq!(header(name), value);
        }
        assert!(at > MORNING);
    }
    drop(running);
}

#[test]
fn a_secret_that_others_may_read_or_that_is_none_keeps_the_collector_from_starting() {
    let day = Day::configured(1);
    let secret = day.file("desk.secret");
    let text = fs::read_to_string(&day.config).unwrap();
    let webhook = |url: &str| {
        format!(
            "{text}[[notify.webhook]]\nname = \"desk\"\nurl = \"{url}\"\nsecret_file = {secret:?}\n"
        )
    };
    write(&day.config, webhook("https://desk.example/"));
    drop(Home::create_in(&day.data(), day.store()).unwrap());
    write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&day.collector("run", &[]), 2, &["others may read it", "chmod 600"]);
    write(&secret, "hunter2\n");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    refused(&day.collector("run", &[]), 2, &["whsec_", "notifications secret"]);
    write(&day.config, webhook("http://desk.example/"));
    let checked = day.collector("check-config", &[]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(
        said.contains("notify.webhook.url must be an address that begins with https://"),
        "{said}"
    );
}
