//! Platforms and their reports, as they come in: over a real broker, answered after the commit, once; and carried
//! as a file, through the real binary. What an auditor takes home holds them, names and all.

use std::sync::Arc;

use rollcall::collector::{Broker as BrokerAt, Collector, Home, Hooks, Setup};
use rollcall::domain::{Bilingual, Fact, Happened, Happening, Platform};
use rollcall::ingest::Limits;
use rollcall::ledger::{Body, Ledger, Sqlite};
use rollcall::platform::clock::StepClock;
use rollcall::record::report::{Report, ReportTaken, Stretch};
use rollcall::record::topic::{reports_of, taken_of};
use rollcall::record::{Opening, SigningKey, VerifyingKey, open_statement, seal_statement};
use rumqttc::{Client, Event, Incoming, MqttOptions, QoS, TlsConfiguration, Transport};

use crate::support::broker::eventually;
use crate::support::caller::Caller;
use crate::support::day::{Day, rollcall, write};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, opening};
use crate::support::town::Town;
use crate::support::{fine, refused};

pub(crate) fn key() -> SigningKey {
    SigningKey::from_secret(&[0x77; 32])
}

pub(crate) fn registration() -> Fact {
    Fact::Platform(Platform {
        id: "xuexi".parse().unwrap(),
        name: Bilingual::new("示例学习平台", "Sample platform"),
        key: key().verifying_key().to_bytes(),
        functions: Vec::new(),
        listed: None,
    })
}

/// A report of one stretch of this person's.
pub(crate) fn report(number: u64, person: Opening) -> Report {
    let happened = |after_ms, what, pages| Happened { after_ms, what, pages };
    let stretch = Stretch {
        session: [1; 16],
        account: [2; 32],
        device: [3; 32],
        person,
        lesson: Some("online-1".parse().unwrap()),
        from: MORNING,
        happenings: vec![
            happened(0, Happening::Opened, None),
            happened(500, Happening::Foreground, None),
            happened(60_000, Happening::Beat, Some(1)),
        ],
    };
    let platform = "xuexi".parse().unwrap();
    Report { platform, number, made: MORNING.plus_ms(60_000), stretches: vec![stretch] }
}

pub(crate) fn sealed(number: u64) -> Vec<u8> {
    seal_statement(&report(number, opening(1)), &key())
}

fn upto(heard: &[Vec<u8>], key: &VerifyingKey) -> Option<u64> {
    let taken = |sealed: &Vec<u8>| open_statement::<ReportTaken>(sealed, key).ok();
    heard.iter().filter_map(taken).map(|it| it.upto).next_back()
}

#[test]
fn a_report_over_the_broker_is_committed_once_and_answered_after_that() {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let receipt = home.receipt_key();
    let at = BrokerAt {
        host: "127.0.0.1".into(),
        port: broker.port(),
        client_id: "centre".into(),
        login: None,
        tls: None,
    };
    let (origin, limits) = ("test".into(), Limits::default());
    let setup = Setup { broker: at, origin, limits, tick_ms: None };
    let clock = Arc::new(StepClock::at(MORNING.plus_ms(90_000)));
    let collector = Collector::start(home, setup, clock, Hooks::none()).unwrap();
    eventually("the collector is connected", || collector.is_connected());
    collector.state(vec![registration()]).unwrap();

    let xuexi = "xuexi".parse().unwrap();
    let topic = reports_of(&xuexi);
    let name = "platform-xuexi".parse().unwrap();
    let mut caller = Caller::listening(broker.port(), &name, &taken_of(&xuexi));
    // Out of order: the centre says where to go on.
    caller.shout(&topic, sealed(2));
    caller.until("the gap is told", |heard| upto(heard, &receipt) == Some(0));
    caller.shout(&topic, sealed(1));
    caller.until("the first is there", |heard| upto(heard, &receipt) == Some(1));
    let before = caller.heard.len();
    caller.shout(&topic, sealed(1));
    caller.until("the second time is answered, too", |heard| heard.len() > before);
    assert_eq!(upto(&caller.heard, &receipt), Some(1));
    caller
        .shout(&topic, seal_statement(&report(2, opening(1)), &SigningKey::from_secret(&[1; 32])));
    caller.until("a forged one is counted", |_| collector.counts().reports_refused == 2);
    collector.stop().unwrap();

    let ledger = Sqlite::open(&folder.path().join("ledger.sqlite")).unwrap();
    let entries = ledger.entries_since(0, 100).unwrap();
    assert_eq!(entries.len(), 2, "the platform, and one stretch: {entries:?}");
    let Body::Fact(Fact::Activity(activity)) = &entries[1].body else { panic!("{entries:?}") };
    assert_eq!((activity.report, activity.who()), (1, Some(opening(1).person)));
    assert_eq!(activity.digest, rollcall::record::SealedHash::of(&sealed(1)).0);
}

/// What a platform's people do: they get a certificate from the centre, and any MQTT client uses it.
#[test]
fn a_registered_platform_gets_a_certificate_and_reports_over_the_brokers_tls() {
    let mut town = Town::founded();
    let folder = town.file("platform");
    let out = folder.to_str().unwrap();
    let certified = |id: &str| {
        town.collector("certificate", &["--for", "platform", "--platform", id, "--out", out])
    };
    refused(&certified("xuexi"), 2, &["no platform xuexi is registered", "platform add"]);
    let key = key().verifying_key().to_string();
    let config = town.config();
    let add = ["collector", "platform", "add", "--config", config.to_str().unwrap()];
    fine(&rollcall(
        &[&add[..], &["--id", "xuexi", "--name", "示例学习平台", "--key", &key]].concat(),
    ));
    let said = fine(&certified("xuexi"));
    assert!(said.contains("systemctl reload mosquitto"), "{said}");

    town.start_broker();
    town.start_collector();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let mut options = MqttOptions::new("xuexi-1", "127.0.0.1", town.broker_port);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Simple {
        ca: read("ca.pem"),
        alpn: None,
        client_auth: Some((read("platform.pem"), read("platform.key"))),
    }));
    let (client, mut connection) = Client::new(options, 10);
    let xuexi = "xuexi".parse().unwrap();
    client.subscribe(taken_of(&xuexi), QoS::AtLeastOnce).unwrap();
    client.publish(reports_of(&xuexi), QoS::AtLeastOnce, false, sealed(1)).unwrap();
    let answer = connection.iter().find_map(|event| match event.unwrap() {
        Event::Incoming(Incoming::Publish(publish)) => Some(publish.payload.to_vec()),
        Event::Incoming(_) | Event::Outgoing(_) => None,
    });
    assert!(answer.is_some_and(|answer| !answer.is_empty()), "an answer came");
    let stretches = town.facts().into_iter().filter(|fact| matches!(fact, Fact::Activity(_)));
    assert_eq!(stretches.count(), 1);
}

#[test]
fn a_report_that_is_carried_is_taken_in_once_told_when_it_cannot_be_and_verified_by_an_auditor() {
    let day = Day::configured(1883);
    let said = |out: std::process::Output| {
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    said(day.collector("init", &[]));
    let config = day.config.to_str().unwrap().to_owned();
    let public = key().verifying_key().to_string();
    let add = [
        "collector",
        "platform",
        "add",
        "--config",
        &config,
        "--id",
        "xuexi",
        "--name",
        "示例学习平台",
        "--key",
        &public,
        "--faces",
        "验收〔2026〕3号",
        "--listed",
        "公告〔2026〕5号",
    ];
    assert!(said(rollcall(&add)).contains("platforms: stated: 1 new"));
    let listed = said(rollcall(&["collector", "platform", "list", "--csv", "--config", &config]));
    assert!(listed.contains(&public) && listed.contains("验收〔2026〕3号"), "{listed}");

    let file = day.file("report.bin");
    let answer = day.file("answer.bin");
    let take = |bytes: Vec<u8>, platform: &str| {
        write(&file, bytes);
        let (file, answer) = (file.to_str().unwrap(), answer.to_str().unwrap());
        let words = ["collector", "platform", "take", file, "--platform", platform];
        rollcall(&[&words[..], &["--answer", answer, "--config", &config]].concat())
    };
    let code = |out: std::process::Output, told: &str| {
        let text = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{text}");
        assert!(text.contains(told), "{told} is missing in {text}");
    };
    code(take(sealed(2), "xuexi"), "reports before it are missing (report_gap)");
    code(take(sealed(1), "other"), "no such platform is registered");
    code(take(b"nothing".to_vec(), "xuexi"), "it is no report, or not signed with the key");
    assert!(said(take(sealed(1), "xuexi")).contains("1 stretches are new"));
    assert!(said(take(sealed(1), "xuexi")).contains("0 stretches are new"));
    let home = Home::open(&day.data()).unwrap();
    let taken =
        open_statement::<ReportTaken>(&std::fs::read(&answer).unwrap(), &home.receipt_key());
    assert_eq!(taken.unwrap().upto, 1);
    drop(home);

    let audit = said(day.collector("audit", &[]));
    assert!(audit.contains("成立 holds"), "{audit}");
    let (bundle, trust) = (day.file("all.json"), day.file("trust.txt"));
    write(&trust, said(day.collector("trust", &[])));
    let out = bundle.to_str().unwrap();
    said(rollcall(&["collector", "export", "--config", &config, "--out", out]));
    let text = std::fs::read_to_string(&bundle).unwrap();
    assert!(text.contains(&opening(1).person.to_string()), "the name travels beside the entry");
    let verify = |file: &std::path::Path| {
        let (file, trust) = (file.to_str().unwrap(), trust.to_str().unwrap());
        rollcall(&["verify", file, "--trust", trust])
    };
    said(verify(&bundle));
    // It moves to another store with its names.
    let backup = day.file("backup");
    said(day.collector("backup", &["--out", backup.to_str().unwrap()]));
    let heir = Day::configured(1883);
    std::fs::create_dir(heir.data()).unwrap();
    for key in ["log.key", "receipt.key"] {
        std::fs::copy(day.data().join(key), heir.data().join(key)).unwrap();
    }
    said(heir.collector("restore", &["--from", backup.to_str().unwrap()]));
    let entries = |day: &Day| day.store().read_ledger().unwrap().entries_since(0, 100).unwrap();
    assert_eq!(entries(&heir), entries(&day));
    assert!(
        matches!(&entries(&heir)[1].body, Body::Fact(Fact::Activity(it)) if it.who().is_some())
    );
    // Another name beside it is found.
    let forged = text.replace(&opening(1).person.to_string(), &opening(2).person.to_string());
    let wrong = day.file("wrong.json");
    write(&wrong, forged);
    assert_eq!(verify(&wrong).status.code(), Some(1));
}
