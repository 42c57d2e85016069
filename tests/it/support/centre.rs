//! The centre, as the terminal's tests see it: something behind the broker that stores each record
//! once and answers with signed receipts. [`StandIn`] is the smallest such thing; whatever
//! implements [`Centre`] can take its place in every test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollcall::domain::{TerminalId, Timestamp};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::record::topic::{ALL_QUESTIONS, ALL_RECORDS, Channel};
use rollcall::record::{
    Batch, Parcel, Receipt, Record, SealedHash, TimeAnswer, Verdict, VerifyingKey, Wanted,
    seal_statement,
};
use rumqttc::{AsyncClient, MqttOptions, Packet, Publish, QoS};
use tokio::runtime::Runtime;

use super::broker::eventually;
use super::records::receipt_key;

pub(crate) trait Centre {
    /// Starts on what is stored. `terminals` are the registered ones.
    fn start(broker_port: u16, terminals: BTreeMap<TerminalId, VerifyingKey>) -> Self;
    /// Ends at once, between any two of its steps; what is stored stays.
    fn kill(&mut self);
    /// Starts after [`Centre::kill`].
    fn start_again(&mut self);
    /// The committed records of a terminal, in the order of commit.
    fn committed(&self, terminal: &TerminalId) -> Vec<(u64, SealedHash)>;
}

#[derive(Default)]
struct Store {
    committed: Vec<(TerminalId, u64, SealedHash)>,
    refused: BTreeSet<(TerminalId, u64)>,
}

struct Desk {
    terminals: BTreeMap<TerminalId, VerifyingKey>,
    store: Mutex<Store>,
    refuse: Mutex<BTreeSet<u64>>,
    mute: AtomicBool,
    subscribed: AtomicBool,
    clock: SystemClock,
}

pub(crate) struct StandIn {
    broker_port: u16,
    desk: Arc<Desk>,
    runtime: Option<Runtime>,
}

impl Centre for StandIn {
    fn start(broker_port: u16, terminals: BTreeMap<TerminalId, VerifyingKey>) -> Self {
        let desk = Desk {
            terminals,
            store: Mutex::default(),
            refuse: Mutex::default(),
            mute: AtomicBool::new(false),
            subscribed: AtomicBool::new(false),
            clock: SystemClock::start(),
        };
        let mut centre = Self { broker_port, desk: Arc::new(desk), runtime: None };
        centre.start_again();
        // What is asked before is lost: a broker keeps nothing for somebody whom it has never seen.
        eventually("the stand-in listens", || centre.desk.subscribed.load(Ordering::SeqCst));
        centre
    }

    fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    fn start_again(&mut self) {
        let runtime = Runtime::new().unwrap();
        runtime.spawn(serve(self.broker_port, Arc::clone(&self.desk)));
        self.runtime = Some(runtime);
    }

    fn committed(&self, terminal: &TerminalId) -> Vec<(u64, SealedHash)> {
        let store = self.desk.store.lock().unwrap();
        let mine = store.committed.iter().filter(|(whose, ..)| whose == terminal);
        mine.map(|(_, seq, hash)| (*seq, *hash)).collect()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // A runtime that is dropped inside another one would wait, which is forbidden there.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl StandIn {
    /// Commits, but every answer is lost.
    pub(crate) fn mute(&self, mute: bool) {
        self.desk.mute.store(mute, Ordering::SeqCst);
    }

    /// Refuses these records from now on.
    pub(crate) fn refuse(&self, seq: u64) {
        self.desk.refuse.lock().unwrap().insert(seq);
    }

    /// Forgets what was committed after the first `keep`, as a restored backup does.
    pub(crate) fn restore_backup(&self, keep: usize) {
        self.desk.store.lock().unwrap().committed.truncate(keep);
    }
}

async fn serve(broker_port: u16, desk: Arc<Desk>) {
    loop {
        let mut options = MqttOptions::new("centre", "127.0.0.1", broker_port);
        options.set_clean_session(false).set_max_packet_size(200_000, 200_000);
        let (client, mut eventloop) = AsyncClient::new(options, 100_000);
        loop {
            match eventloop.poll().await {
                Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                    client.try_subscribe(ALL_RECORDS, QoS::AtLeastOnce).unwrap();
                    client.try_subscribe(ALL_QUESTIONS, QoS::AtLeastOnce).unwrap();
                }
                Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => {
                    for (topic, answer) in desk.answer(&publish) {
                        client.try_publish(topic, QoS::AtLeastOnce, false, answer).unwrap();
                    }
                }
                // In the order of the subscriptions: the last one is for questions.
                Ok(rumqttc::Event::Incoming(Packet::SubAck(ack))) if ack.pkid > 1 => {
                    desk.subscribed.store(true, Ordering::SeqCst);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        // The broker is away; there is nothing to wait on but time.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Desk {
    fn answer(&self, publish: &Publish) -> Vec<(String, Vec<u8>)> {
        let Some((terminal, channel)) = Channel::parse(&publish.topic) else { return Vec::new() };
        let answers = match channel {
            Channel::Records => self.take(&terminal, &publish.payload),
            Channel::Ask => {
                let nonce = publish.payload[..].try_into().unwrap();
                let (terminal, at) = (terminal.clone(), self.clock.now());
                let answer = TimeAnswer { terminal, nonce, at, head: None };
                vec![seal_statement(&answer, &receipt_key())]
            }
            Channel::Answers
            | Channel::Dispatch
            | Channel::Share
            | Channel::Shared
            | Channel::Status => Vec::new(),
        };
        if self.mute.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let topic = Channel::Answers.of(&terminal);
        answers.into_iter().map(|answer| (topic.clone(), answer)).collect()
    }

    fn take(&self, terminal: &TerminalId, bytes: &[u8]) -> Vec<Vec<u8>> {
        let batch = Batch::decode(bytes).unwrap();
        batch.0.iter().map(|parcel| self.take_one(terminal, parcel)).collect()
    }

    fn take_one(&self, terminal: &TerminalId, parcel: &Parcel) -> Vec<u8> {
        let key = &self.terminals[terminal];
        let record = Record::open(parcel.sealed.bytes(), key).unwrap();
        assert_eq!(record.terminal, *terminal);
        assert_eq!(parcel.person.map(|opening| opening.commitment()), record.person);
        let hash = parcel.sealed.hash();
        let mut store = self.store.lock().unwrap();
        let mine = store.committed.iter().rfind(|(whose, ..)| whose == terminal);
        let (head, head_hash) =
            mine.map_or((0, SealedHash::GENESIS), |(_, seq, hash)| (*seq, *hash));
        let known =
            store.committed.iter().any(|known| *known == (terminal.clone(), record.seq, hash));
        if !known && record.seq > head + 1 {
            let wanted = Wanted { terminal: terminal.clone(), from: head + 1 };
            return seal_statement(&wanted, &receipt_key());
        }
        if !known {
            assert_eq!((record.seq, record.prev), (head + 1, head_hash), "the chain is broken");
            store.committed.push((terminal.clone(), record.seq, hash));
            if self.refuse.lock().unwrap().contains(&record.seq) {
                store.refused.insert((terminal.clone(), record.seq));
            }
        }
        let verdict = match store.refused.contains(&(terminal.clone(), record.seq)) {
            true => Verdict::Refused { code: "altered".into() },
            false => Verdict::Committed,
        };
        let receipt = Receipt {
            terminal: terminal.clone(),
            first: record.seq,
            last: record.seq,
            hash,
            ledger_size: store.committed.len() as u64,
            at: self.now(),
            verdict,
        };
        receipt.seal(&receipt_key())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
