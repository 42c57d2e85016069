//! A terminal comes in by a one-time token and talks to the broker over mutual TLS; whoever has no
//! token, no certificate, another name or a revoked one is turned away. Real program, real Mosquitto
//! with the shipped configuration.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use rollcall::domain::{Fact, Timestamp};
use rollcall::platform::clock::StepClock;
use rollcall::platform::tls::Files;
use rollcall::platform::{durable, secret};
use rollcall::record::{SigningKey, Token};
use rollcall::terminal::Config;
use rollcall::terminal::enrol::{Place, begin, renew};
use rollcall::terminal::http::post;
use rumqttc::{Event, Incoming, QoS};

use crate::support::broker::eventually;
use crate::support::day::{rollcall, verify, write};
use crate::support::town::{Town, checkin, token_in};
use crate::support::{fine, refused, within_limit};

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_comes_in_by_a_token_and_its_records_arrive_over_mutual_tls() {
    let town = Town::running();
    let terminal = town.enrolled("t-101");
    for _ in 0..3 {
        terminal.take(&checkin()).unwrap();
    }
    within_limit("every record has its receipt", terminal.drained()).await;
    assert_eq!(town.records("t-101"), 3);
    let registered =
        |fact: &Fact| matches!(fact, Fact::Terminal { id, .. } if id.as_str() == "t-101");
    assert_eq!(town.facts().iter().filter(|fact| registered(fact)).count(), 1);
    let listed = fine(&town.terminal("list", &[]));
    assert!(listed.contains("t-101\tsite s-1") && listed.contains("enrolled"), "{listed}");
}

#[test]
fn private_keys_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let mode =
        |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["terminal.key", "tls.key", "gallery.key"] {
        assert_eq!(mode(town.file("t-101").join(name)), 0o600, "{name}");
    }
    for name in ["data/ca/ca.key", "own/collector.key", "broker/broker.key"] {
        assert_eq!(mode(town.file(name)), 0o600, "{name}");
    }
    let token = town.data().join("enrolment/t-101.token.json");
    let note = std::fs::read_to_string(&token).unwrap();
    assert!(note.contains("ed25519:") && mode(token) == 0o600, "the secret is not kept: {note}");
}

#[test]
fn a_second_device_cannot_use_a_token_and_is_told_why() {
    let town = Town::running();
    let token = town.token("t-101");
    fine(&town.init("t-101", &token));
    refused(&town.init("thief", &token), 1, &["used already", "other keys", "revoke"]);
    let keys = |fact: &Fact| matches!(fact, Fact::Terminal { .. });
    assert_eq!(town.facts().into_iter().filter(keys).count(), 1);
}

#[test]
fn a_token_that_is_mistyped_or_too_long_or_of_another_centre_is_told_so() {
    let town = Town::running();
    let token = town.token("t-101");
    let last = token.chars().last().unwrap();
    let other = if last == 'A' { 'B' } else { 'A' };
    let mistyped: String = token.chars().rev().skip(1).collect::<String>().chars().rev().collect();
    refused(&town.init("d", &format!("{mistyped}{other}")), 2, &["checksum", "copy it again"]);
    refused(&town.init("d", &"A".repeat(801)), 2, &["more than 800 characters"]);
    // Whoever answers at the address is not the centre that made the token.
    let elsewhere = Town::founded();
    let foreign: Token = elsewhere.token("t-101").parse().unwrap();
    let own: Token = token.parse().unwrap();
    let mixed =
        Token::new(foreign.terminal.clone(), [9; 16], foreign.centre, own.url.clone()).unwrap();
    refused(&town.init("d", &mixed.to_string()), 1, &["not the token"]);
    assert!(!town.device("d").exists());
}

#[test]
fn a_centre_that_is_not_the_tokens_is_not_believed() {
    let town = Town::running();
    // The impostor knows the token's key, and has certificates of its own.
    let impostor = Town::running();
    let token: Token = town.token("t-101").parse().unwrap();
    let address = format!("http://127.0.0.1:{}", impostor.desk_port);
    impostor.token("t-101");
    let from = town.data().join("enrolment/t-101.token.json");
    std::fs::copy(from, impostor.data().join("enrolment/t-101.token.json")).unwrap();
    let config = town.device("d");
    let place = Place { config: config.clone(), data_dir: town.file("d") };
    let begun = begin(place, &token).unwrap();
    let error = post(&address, &begun.request).unwrap_err();
    assert!(error.to_string().contains("meant for another centre"), "{error}");
    assert!(!config.exists());
}

#[test]
fn a_lost_answer_is_asked_for_again_with_the_same_keys() {
    let town = Town::running();
    let token = town.token("t-101");
    let place = Place { config: town.device("t-101"), data_dir: town.file("t-101") };
    let begun = begin(place, &token.parse().unwrap()).unwrap();
    // The centre takes it in; the answer goes nowhere, and the device loses its power.
    post(&format!("http://127.0.0.1:{}", town.desk_port), &begun.request).unwrap();
    let key = std::fs::read(town.file("t-101").join("terminal.key")).unwrap();
    drop(begun);
    fine(&town.init("t-101", &token));
    assert_eq!(std::fs::read(town.file("t-101").join("terminal.key")).unwrap(), key);
    let keys = |fact: &Fact| matches!(fact, Fact::Terminal { .. });
    assert_eq!(town.facts().into_iter().filter(keys).count(), 1);
    // And a terminal that is set up is not set up again.
    refused(&town.init("t-101", &token), 2, &["is there already", "second history"]);
}

#[test]
fn a_request_can_be_carried_by_hand() {
    let town = Town::founded();
    let token = town.token("t-101");
    let (request, answer) = (town.file("request"), town.file("answer"));
    let [request, answer] = [&request, &answer].map(|path| path.to_str().unwrap());
    fine(&town.init_with("t-101", &token, &["--request", request]));
    fine(&town.terminal("admit", &["--request", request, "--out", answer]));
    fine(&town.init_with("t-101", &token, &["--answer", answer]));
    assert!(town.device("t-101").exists());
}

#[test]
fn nobody_publishes_or_reads_under_another_name() {
    let mut town = Town::running();
    for id in ["t-101", "t-102"] {
        fine(&town.init(id, &town.token(id)));
    }
    // Somebody who may read everything that goes to the centre, and write all answers: in the
    // collector's place, for there is one session of that name.
    town.stop_collector();
    let mut spy = Listener::new(&town, "spy", &town.own_files());
    spy.subscribe(&["rollcall/v1/+/records"]);
    let mut thief = Listener::new(&town, "t-101", &town.files("t-102"));
    thief.subscribe(&["rollcall/v1/t-101/answers", "rollcall/v1/t-102/answers"]);
    // Foreign first, own after it: when the own one is there, the foreign one would have been.
    thief.say("rollcall/v1/t-101/records", "forged");
    thief.say("rollcall/v1/t-102/records", "own");
    spy.until("own");
    assert_eq!(spy.heard, [("rollcall/v1/t-102/records".to_owned(), "own".to_owned())]);
    spy.say("rollcall/v1/t-101/answers", "for 101");
    spy.say("rollcall/v1/t-102/answers", "for 102");
    thief.until("for 102");
    assert_eq!(thief.heard, [("rollcall/v1/t-102/answers".to_owned(), "for 102".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_the_session_of_another_by_its_client_id() {
    let town = Town::running();
    let terminal = town.enrolled("t-101");
    let mut view = terminal.view();
    within_limit("it is online", view.wait_for(|view| view.online)).await.unwrap();
    fine(&town.init("t-102", &town.token("t-102")));
    let mut thief = Listener::new(&town, "t-101", &town.files("t-102"));
    thief.subscribe(&["rollcall/v1/t-102/answers"]);
    terminal.take(&checkin()).unwrap();
    within_limit("the record has its receipt", terminal.drained()).await;
    assert!(!view.has_changed().unwrap() || view.borrow().online, "it was not thrown out");
}

#[test]
fn without_a_certificate_of_the_centre_there_is_no_connection() {
    let town = Town::running();
    let elsewhere = Town::running();
    fine(&elsewhere.init("t-101", &elsewhere.token("t-101")));
    let Files { cert, key, .. } = elsewhere.files("t-101");
    let foreign = Files { ca: town.own_files().ca, cert, key };
    let (client, mut connection) = town.client("t-101", &foreign);
    client.subscribe("rollcall/v1/t-101/answers", QoS::AtLeastOnce).unwrap();
    let outcome = connection.iter().find_map(|event| match event {
        Err(error) => Some(Err(error.to_string())),
        Ok(Event::Incoming(Incoming::SubAck(_))) => Some(Ok(())),
        Ok(Event::Incoming(_) | Event::Outgoing(_)) => None,
    });
    assert!(matches!(outcome, Some(Err(_))), "{outcome:?}");
    // And without TLS not even a word.
    let mut plain = TcpStream::connect(("127.0.0.1", town.broker_port)).unwrap();
    let connect = [0x10, 0x0d, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'x'];
    std::io::Write::write_all(&mut plain, &connect).unwrap();
    let mut answer = Vec::new();
    // A reset is an answer as well.
    std::io::Read::read_to_end(&mut plain, &mut answer).ok();
    assert!(answer.first() != Some(&0x20), "no CONNACK: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_terminal_is_refused_with_a_reason_and_its_old_records_stay() {
    let town = Town::running();
    let terminal = town.enrolled("t-101");
    terminal.take(&checkin()).unwrap();
    within_limit("the first record has its receipt", terminal.drained()).await;
    let reason = ["--id", "t-101", "--reason", "stolen from the site"];
    let said = fine(&town.terminal("revoke", &reason));
    assert!(said.contains("reload mosquitto"), "{said}");
    eventually("the ledger says so", || {
        town.facts().iter().any(|fact| matches!(fact, Fact::Revocation { .. }))
    });
    terminal.take(&checkin()).unwrap();
    within_limit("the second record is answered", terminal.drained()).await;
    let mut view = terminal.view();
    let told = view.wait_for(|view| view.last_refused.is_some());
    let told = within_limit("it is told why", told).await.unwrap().last_refused.clone();
    assert_eq!(told, Some((2, "revoked".to_owned())));
    assert_eq!(town.records("t-101"), 1);
    // Neither is it given another certificate.
    let config = town.device("t-101");
    let renew = ["terminal", "renew", "--config", config.to_str().unwrap()];
    refused(&rollcall(&renew), 1, &["revoked", "stolen from the site"]);
    terminal.shut_down().await.unwrap();
}

#[test]
fn the_broker_lets_a_revoked_terminal_say_nothing_once_it_has_read_its_list_anew() {
    let mut town = Town::running();
    for id in ["t-101", "t-102"] {
        fine(&town.init(id, &town.token(id)));
    }
    town.stop_collector();
    let mut spy = Listener::new(&town, "spy", &town.own_files());
    spy.subscribe(&["rollcall/v1/+/ask"]);
    let mut device = Listener::new(&town, "t-101", &town.files("t-101"));
    device.say("rollcall/v1/t-101/ask", "before");
    device.flush();
    fine(&town.terminal("revoke", &["--id", "t-101", "--reason", "stolen"]));
    town.reload_broker();
    let mut other = Listener::new(&town, "t-102", &town.files("t-102"));
    eventually("the broker has read its list", || {
        device.say("rollcall/v1/t-101/ask", "after");
        device.flush();
        other.say("rollcall/v1/t-102/ask", "mark");
        other.flush();
        let heard = spy.heard.len();
        spy.until_more(heard);
        spy.heard.last().is_some_and(|(_, text)| text == "mark")
            && !spy.heard[heard..].iter().any(|(_, text)| text == "after")
    });
    assert!(spy.heard.iter().any(|(_, text)| text == "before"), "{:?}", spy.heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_whose_battery_died_meets_the_broker_all_the_same() {
    let town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    for years in [0, 80] {
        let wall = Timestamp::from_ms(years * 365 * 86_400_000 + 1);
        let terminal = town.start_by("t-101", Arc::new(StepClock::at(wall)), |_| {});
        let mut view = terminal.view();
        within_limit("it tells", view.wait_for(|view| view.undated)).await.unwrap();
        within_limit("it is told the time", view.wait_for(|view| view.time_answered))
            .await
            .unwrap();
        terminal.take(&checkin()).unwrap();
        within_limit("its record has a receipt", terminal.drained()).await;
        terminal.shut_down().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubtful_clock_opens_no_door_to_a_broker_of_another_name() {
    let mut town = Town::founded();
    town.certify_broker(&["mqtt.elsewhere.example"]);
    town.start_broker();
    town.start_collector();
    fine(&town.init("t-101", &town.token("t-101")));
    let clock = Arc::new(StepClock::at(Timestamp::from_ms(1)));
    let terminal = town.start_by("t-101", clock, |_| {});
    let mut view = terminal.view();
    let told =
        within_limit("it tells", view.wait_for(|view| view.trouble.is_some())).await.unwrap();
    let trouble = told.trouble.clone().unwrap();
    assert!(trouble.contains("certificate") && !told.online, "{trouble}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_terminal_names_the_one_before_it_whose_records_stay() {
    let town = Town::running();
    let old = town.enrolled("t-101");
    old.take(&checkin()).unwrap();
    within_limit("the old one has its receipt", old.drained()).await;
    old.shut_down().await.unwrap();
    refused(
        &town.terminal("add", &["--id", "t-101", "--site", "s-1"]),
        2,
        &["registered already", "terminal replace"],
    );
    let said = fine(&town.terminal("replace", &["--old", "t-101", "--id", "t-101b"]));
    fine(&town.init("t-101b", &token_in(&said)));
    let new = town.start("t-101b");
    new.take(&checkin()).unwrap();
    within_limit("the new one has its receipt", new.drained()).await;
    assert!(town.facts().iter().any(|fact| matches!(
        fact,
        Fact::Replacement { id, replaces } if id.as_str() == "t-101b" && replaces.as_str() == "t-101"
    )));
    assert_eq!((town.records("t-101"), town.records("t-101b")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_for_the_key_that_the_terminal_has() {
    let town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let before = std::fs::read(town.files("t-101").cert).unwrap();
    let config = town.device("t-101");
    let renew = ["terminal", "renew", "--config", config.to_str().unwrap()];
    let said = fine(&rollcall(&renew));
    assert!(said.contains("lasts until"), "{said}");
    assert_ne!(std::fs::read(town.files("t-101").cert).unwrap(), before);
    let terminal = town.start("t-101");
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_key_is_exchanged_and_the_records_of_both_keys_verify() {
    let mut town = Town::running();
    let terminal = town.enrolled("t-101");
    terminal.take(&checkin()).unwrap();
    within_limit("the first record has its receipt", terminal.drained()).await;
    // One that is sealed with the old key and arrives after the centre knows the new one.
    terminal.disconnect();
    let mut view = terminal.view();
    within_limit("it is offline", view.wait_for(|view| !view.online)).await.unwrap();
    terminal.take(&checkin()).unwrap();
    terminal.shut_down().await.unwrap();
    drop(terminal);
    let config = town.device("t-101");
    let rotate = ["terminal", "rotate-key", "--config", config.to_str().unwrap()];
    let before = std::fs::read(town.file("t-101").join("terminal.key")).unwrap();
    // The answer to the first request is lost.
    let known = Config::read(&config).unwrap();
    let lost = rollcall::terminal::rotate::rotate(&known).unwrap();
    post(&known.enrol_url, &lost.request).unwrap();
    drop(lost);
    assert_eq!(std::fs::read(town.file("t-101").join("terminal.key")).unwrap(), before);
    fine(&rollcall(&rotate));
    assert_ne!(std::fs::read(town.file("t-101").join("terminal.key")).unwrap(), before);
    let terminal = town.start("t-101");
    terminal.take(&checkin()).unwrap();
    within_limit("all records have receipts", terminal.drained()).await;
    // The centre remembers which key is the newest.
    town.stop_collector();
    town.start_collector();
    terminal.take(&checkin()).unwrap();
    within_limit("the last record has its receipt", terminal.drained()).await;
    assert_eq!((town.records("t-101"), terminal.view().borrow().refused), (4, 0));
    town.stop_collector();
    let (bundle, trust) = (town.file("bundle.json"), town.file("trust.txt"));
    fine(&town.collector("export", &["--out", bundle.to_str().unwrap(), "--terminal", "t-101"]));
    write(&trust, fine(&town.collector("trust", &[])));
    let (code, said) = verify(&trust, &bundle);
    assert_eq!(code, 0, "{said}");
    fine(&town.collector("audit", &[]));
    let followed = |fact: &Fact| matches!(fact, Fact::TerminalKey { .. });
    assert_eq!(town.facts().into_iter().filter(followed).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_authoritys_key_all_goes_on_but_nobody_comes_in() {
    let mut town = Town::running();
    let terminal = town.enrolled("t-101");
    let token = town.token("t-102");
    let (key, away) = (town.data().join("ca/ca.key"), town.file("safe"));
    durable::publish(&key, &away).unwrap();
    town.stop_collector();
    town.start_collector();
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
    refused(&town.init("t-102", &token), 3, &["its log says what", "try again later"]);
    assert_eq!(town.facts().iter().filter(|f| matches!(f, Fact::Terminal { .. })).count(), 1);
    durable::publish(&away, &key).unwrap();
    fine(&town.init("t-102", &token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_tls_is_exchanged_and_the_old_one_never_certified_again() {
    let town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let config = town.device("t-101");
    let known = Config::read(&config).unwrap();
    let record = SigningKey::from_secret(&secret::read(&known.key_file).unwrap());
    let receipt_key = known.uplink.receipt_key;
    let files = known.tls.unwrap();
    let old = renew(&known.terminal, files.clone(), &receipt_key, &record, None, None).unwrap();
    let change = ["terminal", "renew", "--new-key", "--config", config.to_str().unwrap()];
    fine(&rollcall(&change));
    assert_ne!(Config::read(&config).unwrap().tls.unwrap().key, files.key);
    let terminal = town.start("t-101");
    terminal.take(&checkin()).unwrap();
    within_limit("its record has a receipt", terminal.drained()).await;
    // Whoever took the old key cannot have it certified by a request that he overheard.
    let error = post(&known.enrol_url, &old.request).unwrap_err();
    assert!(error.to_string().contains("replaced by a newer one"), "{error}");
}

/// One MQTT client that hears and says what it is told. Its connection is driven by a thread of its
/// own: a handshake that is dropped half way would begin again each time.
struct Listener {
    client: rumqttc::Client,
    events: Receiver<Event>,
    heard: Vec<(String, String)>,
}

impl Listener {
    fn new(town: &Town, id: &str, files: &Files) -> Self {
        let (client, mut connection) = town.client(id, files);
        let (sender, events) = sync_channel(10_000);
        std::thread::spawn(move || {
            // A broker that turns it away is no event; nobody listening is the end.
            for event in connection.iter().filter_map(Result::ok) {
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { client, events, heard: Vec::new() }
    }

    fn subscribe(&mut self, topics: &[&str]) {
        for topic in topics {
            self.client.subscribe(*topic, QoS::AtLeastOnce).unwrap();
        }
        let mut open = topics.len();
        eventually("the subscriptions stand", || {
            open -= usize::from(matches!(self.step(), Some(Event::Incoming(Incoming::SubAck(_)))));
            open == 0
        });
    }

    fn say(&self, topic: &str, text: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, text).unwrap();
    }

    /// Until the broker has acknowledged something.
    fn flush(&mut self) {
        eventually("the broker acknowledges", || {
            matches!(self.step(), Some(Event::Incoming(Incoming::PubAck(_))))
        });
    }

    fn step(&mut self) -> Option<Event> {
        let event = self.events.recv_timeout(Duration::from_millis(20)).ok()?;
        if let Event::Incoming(Incoming::Publish(publish)) = &event {
            let text = String::from_utf8_lossy(&publish.payload).into_owned();
            self.heard.push((publish.topic.clone(), text));
        }
        Some(event)
    }

    fn has(&self, text: &str) -> bool {
        self.heard.iter().any(|(_, heard)| heard == text)
    }

    fn until(&mut self, text: &str) {
        eventually("it is heard", || {
            self.step();
            self.has(text)
        });
    }

    /// Until the newest mark is heard, with more than so many messages before it.
    fn until_more(&mut self, than: usize) {
        eventually("more is heard", || {
            self.step();
            self.heard.len() > than && self.has_mark_last()
        });
    }

    fn has_mark_last(&self) -> bool {
        self.heard.last().is_some_and(|(_, text)| text == "mark")
    }
}
