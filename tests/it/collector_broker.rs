//! The collector over a real Mosquitto: receipts only after the commit, each record exactly once
//! across kill -9, and no message that hurts it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rollcall::collector::{Broker as BrokerAt, Collector, Home, Hooks, Setup};
use rollcall::domain::{Bilingual, Fact, GeoPoint, Timestamp};
use rollcall::ingest::Limits;
use rollcall::ledger::{Body, Entry, Ledger, Sqlite};
use rollcall::platform::clock::StepClock;
use rollcall::record::topic::Channel;
use rollcall::record::{
    Checkpoint, Receipt, TimeAnswer, Verdict, VerifyingKey, Wanted, open_statement,
};
use rumqttc::QoS;
use tempfile::TempDir;

use crate::support::broker::{embedded, eventually};
use crate::support::caller::{Caller, receipts};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, Pen};

/// A collector in this process.
struct Centre {
    folder: TempDir,
    collector: Option<Collector>,
    clock: Arc<StepClock>,
    committed: Arc<Mutex<Vec<Entry>>>,
    statuses: Arc<Mutex<Vec<Vec<u8>>>>,
    receipt_key: VerifyingKey,
    log_key: VerifyingKey,
    port: u16,
}

impl Centre {
    fn start(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let mut centre = Self {
            clock: Arc::new(StepClock::at(MORNING)),
            committed: Arc::default(),
            statuses: Arc::default(),
            receipt_key: home.receipt_key(),
            log_key: home.log_key(),
            collector: None,
            folder,
            port,
        };
        centre.run(home);
        centre
    }

    fn run(&mut self, home: Home) {
        let (committed, statuses) = (Arc::clone(&self.committed), Arc::clone(&self.statuses));
        let hooks = Hooks {
            on_committed: Box::new(move |entries| {
                committed.lock().unwrap().extend_from_slice(entries);
            }),
            on_status: Box::new(move |_, status| statuses.lock().unwrap().push(status.to_vec())),
            ..Hooks::none()
        };
        let setup = Setup {
            broker: BrokerAt {
                host: "127.0.0.1".into(),
                port: self.port,
                client_id: "centre".into(),
                login: None,
                tls: None,
            },
            origin: "test".into(),
            limits: Limits::default(),
            tick_ms: None,
        };
        let collector = Collector::start(home, setup, self.clock.clone(), hooks).unwrap();
        eventually("the collector is connected", || collector.is_connected());
        self.collector = Some(collector);
    }

    fn restart(&mut self) {
        self.collector.take().unwrap().stop().unwrap();
        self.committed.lock().unwrap().clear();
        self.run(Home::open(self.folder.path()).unwrap());
    }

    fn collector(&self) -> &Collector {
        self.collector.as_ref().unwrap()
    }

    fn committed(&self) -> Vec<Entry> {
        self.committed.lock().unwrap().clone()
    }

    fn until_receipt(&self, caller: &mut Caller, last: u64) -> Receipt {
        caller.until("the receipt comes", |heard| {
            receipts(heard, &self.receipt_key).iter().any(|receipt| receipt.last >= last)
        });
        caller.receipts(&self.receipt_key).into_iter().find(|r| r.last >= last).unwrap()
    }
}

#[test]
fn records_are_committed_and_then_receipted() {
    let broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    let mut pen = Pen::new("t-1", 1);
    let stated = centre.collector().state(vec![pen.registration()]).unwrap();
    assert_eq!((stated[0].index, stated[0].committed_at), (0, MORNING));
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    let parcels = pen.write_many(20);
    caller.offer(&parcels);
    let receipt = centre.until_receipt(&mut caller, 20);
    assert_eq!((receipt.first, receipt.last), (1, 20));
    assert_eq!(receipt.hash, parcels[19].sealed.hash());
    assert_eq!(receipt.ledger_size, 21);
    assert_eq!(receipt.verdict, Verdict::Committed);
    eventually("the hook has seen it", || centre.committed().len() == 21);
    let seen = centre.committed();
    assert!(seen.iter().zip(0..).all(|(entry, index)| entry.index == index));
    let sealed = centre.collector().checkpoint().unwrap();
    let checkpoint: Checkpoint = open_statement(&sealed, &centre.log_key).unwrap();
    assert_eq!(checkpoint.size, 21);
}

#[test]
fn a_restarted_collector_shows_the_old_entries_first_and_asks_for_what_it_lacks() {
    let broker = Mosquitto::start();
    let mut centre = Centre::start(broker.port());
    let mut pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    caller.offer(&pen.write_many(3));
    centre.until_receipt(&mut caller, 3);
    let before = centre.committed();
    centre.restart();
    assert_eq!(centre.committed(), before);
    let missing = pen.write();
    let ahead = pen.write();
    caller.heard.clear();
    caller.offer(std::slice::from_ref(&ahead));
    let key = centre.receipt_key;
    caller.until("it asks", |heard| !heard.is_empty());
    let wanted: Wanted = open_statement(&caller.heard[0], &key).unwrap();
    assert_eq!(wanted, Wanted { terminal: pen.terminal.clone(), from: 4 });
    caller.offer(&[missing]);
    let receipt = centre.until_receipt(&mut caller, 5);
    assert_eq!((receipt.first, receipt.hash), (4, ahead.sealed.hash()));
}

#[test]
fn the_embedded_broker_of_the_demo_serves_as_well_across_a_restart() {
    let mut centre = Centre::start(embedded());
    let mut pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    let mut caller = Caller::connect(centre.port, &pen.terminal);
    for _ in 0..3 {
        let parcels = pen.write_many(640);
        parcels.chunks(64).for_each(|chunk| caller.offer(chunk));
        centre.until_receipt(&mut caller, pen.next - 1);
        centre.restart();
    }
    assert_eq!(centre.committed().len(), 1 + 3 * 640);
}

#[test]
fn a_question_for_the_time_is_answered_with_its_own_nonce_and_a_status_is_passed_on() {
    let broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    let pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    caller.send(Channel::Ask, QoS::AtLeastOnce, b"too short".to_vec());
    caller.send(Channel::Ask, QoS::AtLeastOnce, vec![7; 16]);
    caller.until("it answers", |heard| !heard.is_empty());
    let answer: TimeAnswer = open_statement(&caller.heard[0], &centre.receipt_key).unwrap();
    let (terminal, nonce) = (pen.terminal.clone(), [7; 16]);
    assert_eq!(answer, TimeAnswer { terminal, nonce, at: MORNING, head: Some(0) });
    caller.send(Channel::Status, QoS::AtLeastOnce, b"online".to_vec());
    eventually("the status is passed on", || {
        caller.step();
        *centre.statuses.lock().unwrap() == [b"online".to_vec()]
    });
}

#[test]
fn a_clock_that_runs_back_does_not_turn_the_ledger_back() {
    let broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    centre.collector().state(vec![Fact::Tick]).unwrap();
    centre.clock.set(Timestamp::from_ms(0));
    let stated = centre.collector().state(vec![Fact::Tick]).unwrap();
    assert_eq!(stated[0].committed_at, MORNING);
}

#[test]
fn facts_are_stated_all_or_none_and_while_the_broker_is_away() {
    let mut broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    broker.kill();
    let name = Bilingual::new("长".repeat(1_000), "long");
    let id = "i-1".parse().unwrap();
    let facts = vec![Fact::Tick, Fact::Institution { id, name }];
    assert!(centre.collector().state(facts).is_err());
    let bad =
        Fact::Terminal { id: "t-1".parse().unwrap(), site: "s-1".parse().unwrap(), key: [0; 32] };
    assert!(centre.collector().state(vec![bad]).is_err());
    assert_eq!(centre.collector().state(vec![Fact::Tick]).unwrap()[0].index, 0);
}

#[test]
fn the_collector_comes_back_to_a_broker_that_comes_back() {
    let mut broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    let mut pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    broker.kill();
    eventually("the loss is noticed", || !centre.collector().is_connected());
    broker.start_again();
    eventually("it is connected again", || centre.collector().is_connected());
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    let parcel = pen.write();
    eventually("a record gets its receipt", || {
        caller.offer(std::slice::from_ref(&parcel));
        (0..10).for_each(|_| drop(caller.step()));
        !caller.receipts(&centre.receipt_key).is_empty()
    });
}

#[test]
fn no_message_hurts_it() {
    let broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    let mut pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    for n in 0..300_usize {
        let garbage = (0..n).map(|i| u8::try_from((i * 31 + n * 7) % 256).unwrap()).collect();
        let qos = if n % 2 == 0 { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        caller.send(Channel::Records, qos, garbage);
        caller.step();
    }
    caller.send(Channel::Records, QoS::AtLeastOnce, vec![0x80; 100 * 1024]);
    caller.send(Channel::Status, QoS::AtLeastOnce, vec![b'x'; 100 * 1024]);
    caller.send(Channel::Ask, QoS::AtLeastOnce, vec![0; 100 * 1024]);
    caller.shout("rollcall/v1/NOBODY/records", vec![1, 2, 3]);
    caller.shout("rollcall/v1/x-1/records", vec![1, 2, 3]);
    let parcel = pen.write();
    caller.offer(std::slice::from_ref(&parcel));
    centre.until_receipt(&mut caller, 1);
    let sizes: Vec<_> = centre
        .committed()
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Refused { refusal, .. } => Some(refusal.code()),
            Body::Record { .. } | Body::Fact(_) => None,
        })
        .collect();
    assert_eq!(sizes.len(), 302, "each different garbage is kept once");
    assert!(sizes.iter().all(|code| *code == "malformed"));
    assert_eq!(centre.collector().counts().nameless, 1);
    assert!(centre.statuses.lock().unwrap().is_empty());
}

#[test]
fn a_message_of_megabytes_costs_the_session_and_no_record() {
    let broker = Mosquitto::start();
    let centre = Centre::start(broker.port());
    let mut pen = Pen::new("t-1", 1);
    centre.collector().state(vec![pen.registration()]).unwrap();
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    caller.send(Channel::Records, QoS::AtLeastOnce, vec![0; 3 * 1024 * 1024]);
    let parcel = pen.write();
    eventually("a record offered again gets its receipt", || {
        caller.offer(std::slice::from_ref(&parcel));
        (0..10).for_each(|_| drop(caller.step()));
        !caller.receipts(&centre.receipt_key).is_empty()
    });
    assert!(centre.collector().counts().sessions_dropped >= 1);
    let records = centre.committed();
    let records = records.iter().filter(|e| matches!(e.body, Body::Record { .. }));
    assert_eq!(records.count(), 1);
}

/// `rollcall collector run` as a process of its own.
struct Process {
    child: Child,
}

impl Process {
    fn run(config: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["collector", "run", "--config"])
            .arg(config)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn configured(folder: &Path, port: u16) -> PathBuf {
    let config = folder.join("collector.toml");
    let data = folder.join("data");
    let text =
        format!("data_dir = {data:?}\n[broker]\nport = {port}\n[web]\nlisten = \"127.0.0.1:0\"\n");
    #[expect(clippy::disallowed_methods, reason = "a test's file need not be durable")]
    std::fs::write(&config, text).unwrap();
    config
}

#[test]
fn killed_in_the_middle_of_a_stream_each_record_is_there_exactly_once() {
    const MESSAGES: usize = 60;
    const EACH: usize = 32;
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), broker.port());
    let data = folder.path().join("data");
    let mut pen = Pen::new("t-1", 1);
    let mut home = Home::create(&data).unwrap();
    let site = "s-1".parse().unwrap();
    let facts = vec![
        Fact::Institution { id: "i-1".parse().unwrap(), name: Bilingual::new("校", "School") },
        Fact::Site {
            id: site,
            institution: "i-1".parse().unwrap(),
            name: Bilingual::new("点", "Site"),
            town: Bilingual::new("城", "Town"),
            place: GeoPoint { latitude_e6: 0, longitude_e6: 0 },
        },
        pen.registration(),
    ];
    home.state(facts, MORNING).unwrap();
    let key = home.receipt_key();
    drop(home);

    let parcels = pen.write_many(MESSAGES * EACH);
    let last = parcels.len() as u64;
    let mut process = Process::run(&config);
    let mut caller = Caller::connect(broker.port(), &pen.terminal);
    let covered = |caller: &Caller| {
        caller.receipts(&key).iter().map(|receipt| receipt.last).max().unwrap_or(0)
    };
    // What is sent before the collector's first subscription reaches nobody.
    let mut turn = 0;
    eventually("the collector listens", || {
        if turn % 20 == 0 {
            caller.send(Channel::Ask, QoS::AtMostOnce, vec![7; 16]);
        }
        turn += 1;
        caller.step();
        !caller.heard.is_empty()
    });
    let mut kills = 0;
    eventually("everything has a receipt", || {
        // Offer what has no receipt yet, and kill the collector while it works on that.
        let from = usize::try_from(covered(&caller)).unwrap();
        let before = caller.heard.len();
        parcels[from..].chunks(EACH).for_each(|chunk| caller.offer(chunk));
        caller.until("something is answered", |heard| heard.len() > before);
        if kills < 3 {
            process.kill();
            kills += 1;
            process = Process::run(&config);
        } else {
            for _ in 0..100 {
                caller.step();
            }
        }
        covered(&caller) == last
    });
    process.kill();

    let ledger = Sqlite::open(&data.join("ledger.sqlite")).unwrap();
    let entries = ledger.entries_since(0, usize::MAX >> 1).unwrap();
    let committed: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.body {
            Body::Record { record, hash, .. } => Some((record.seq, *hash)),
            Body::Fact(_) => None,
            Body::Refused { .. } => panic!("nothing is to be refused: {entry:?}"),
        })
        .collect();
    let expected: Vec<_> = (1..).zip(parcels.iter().map(|p| p.sealed.hash())).collect();
    assert_eq!(committed, expected, "each record once, in order");
    for receipt in caller.receipts(&key) {
        assert!(committed.contains(&(receipt.last, receipt.hash)), "{receipt:?}");
    }
}
