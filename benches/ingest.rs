//! How many records does the centre take in? One core and one disk should carry at least 2,000
//! records a second (proposal: 60,000 terminals that each send two records a minute).
//!
//! `cargo bench --bench ingest`
//!
//! - `admit`: open, verify and judge, nothing stored; bounds what one core can do at best.
//! - `admit_and_commit`: the same into SQLite on the disk of the temporary folder
//!   (`TMPDIR=…` chooses another), one synced transaction for each batch.
//! - `mqtt_to_receipt`: the whole way through a broker and back.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use rollcall::collector::{Broker, Collector, Home, Hooks, Setup};
use rollcall::domain::{
    ClockEvidence, ClockQuality, Event, Fact, Outcome, PersonId, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::{Item, Ledger, Memory, Sqlite, Staged};
use rollcall::platform::clock::SystemClock;
use rollcall::record::topic::Channel;
use rollcall::record::{Batch, Opening, Parcel, Receipt, Record, Sealed, SealedHash, SigningKey};
use rumqttc::{Client, Incoming, MqttOptions, QoS};

fn main() {
    divan::main();
}

fn terminal() -> TerminalId {
    "t-1".parse().expect("a name")
}

fn key() -> SigningKey {
    SigningKey::from_secret(&[1; 32])
}

fn intake() -> Intake {
    let mut intake = Intake::new(Limits::default());
    let site = "s-1".parse().expect("a name");
    intake.learn(&Fact::Terminal { id: terminal(), site, key: key().verifying_key().to_bytes() });
    intake
}

/// `n` records that follow `prev`.
fn chain(first: u64, n: usize, mut prev: SealedHash) -> Vec<Parcel> {
    (first..)
        .take(n)
        .map(|seq| {
            let opening = Opening { salt: [7; 32], person: PersonId([7; 16]) };
            let record = Record {
                staff: None,
                terminal: terminal(),
                seq,
                prev,
                event: Event::CheckIn,
                outcome: Some(Outcome::Accepted),
                lesson: Some("cook-2026a-0302-1".parse().expect("a name")),
                person: Some(opening.commitment()),
                way: Some(Way::Claimed),
                scores: None,
                other: None,
                same_face: None,
                clock: ClockEvidence {
                    wall: Timestamp::from_ms(1_772_411_400_000),
                    uptime: Uptime::from_ms(seq),
                    boot: 1,
                    signed: None,
                    quality: ClockQuality::Holding,
                },
                pack: Some([9; 32]),
                policy: "default/1".into(),
                firmware: "0.1.0".into(),
                gap: None,
                notice: None,
            };
            let sealed = Sealed::seal(&record, &key());
            prev = sealed.hash();
            Parcel { sealed, person: Some(opening), other: None }
        })
        .collect()
}

fn judge(intake: &mut Intake, parcels: Vec<Parcel>, ledger: &impl Ledger) -> Vec<Item> {
    let topic = terminal();
    parcels
        .into_iter()
        .flat_map(|parcel| intake.offer(&topic, parcel, ledger).expect("the ledger reads"))
        .filter_map(|step| match step {
            Step::Commit(admitted) => Some(Item::Record(admitted)),
            Step::Keep { .. } | Step::Again(_) | Step::Want { .. } | Step::Count { .. } => None,
        })
        .collect()
}

#[divan::bench(sample_count = 20)]
fn admit(bencher: Bencher<'_, '_>) {
    const RECORDS: usize = 1_024;
    let parcels = chain(1, RECORDS, SealedHash::GENESIS);
    let nothing = Memory::default();
    bencher
        .counter(ItemsCount::new(RECORDS))
        .with_inputs(|| (intake(), parcels.clone()))
        .bench_values(|(mut intake, parcels)| judge(&mut intake, parcels, &nothing).len());
}

#[divan::bench(args = [1, 16, 64, 256, 1_024], sample_count = 20)]
fn admit_and_commit(bencher: Bencher<'_, '_>, batch: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut ledger = Sqlite::create(&folder.path().join("ledger.sqlite")).expect("a new ledger");
    let mut intake = intake();
    let log = SigningKey::from_secret(&[2; 32]);
    let (mut next, mut prev) = (1, SealedHash::GENESIS);
    bencher
        .counter(ItemsCount::new(batch))
        .with_inputs(|| {
            let parcels = chain(next, batch, prev);
            next += batch as u64;
            prev = parcels.last().map_or(prev, |parcel| parcel.sealed.hash());
            parcels
        })
        .bench_local_values(|parcels| {
            let items = judge(&mut intake, parcels, &ledger);
            assert_eq!(items.len(), batch, "all are admitted");
            let at = Timestamp::from_ms(1_772_411_400_000);
            let staged = Staged::seal(items, at, at, &log).expect("records need no sealing");
            let committed = ledger.commit(staged).expect("the disk is there");
            intake.committed();
            committed.len()
        });
}

/// From the first message on the wire to the last receipt: an embedded broker, a collector with
/// its ledger on disk, 16 messages of 64 records, all in this process.
#[divan::bench(sample_count = 20)]
fn mqtt_to_receipt(bencher: Bencher<'_, '_>) {
    const MESSAGES: usize = 16;
    const RECORDS: usize = MESSAGES * 64;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = embedded_broker();
    let home = Home::create(folder.path()).expect("an empty folder");
    let receipt_key = home.receipt_key();
    let broker = Broker {
        host: "127.0.0.1".into(),
        port,
        client_id: "centre".into(),
        login: None,
        tls: None,
    };
    let setup = Setup { broker, origin: "bench".into(), limits: Limits::default(), tick_ms: None };
    let clock = Arc::new(SystemClock::start());
    let collector = Collector::start(home, setup, clock, Hooks::none()).expect("it starts");
    let site = "s-1".parse().expect("a name");
    let key = key().verifying_key().to_bytes();
    collector.state(vec![Fact::Terminal { id: terminal(), site, key }]).expect("a good fact");
    while !collector.is_connected() {
        std::thread::yield_now();
    }
    let mut options = MqttOptions::new("terminal", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 1_000);
    client.subscribe(Channel::Answers.of(&terminal()), QoS::AtLeastOnce).expect("room");
    let (mut next, mut prev) = (1, SealedHash::GENESIS);
    bencher
        .counter(ItemsCount::new(RECORDS))
        .with_inputs(|| {
            let parcels = chain(next, RECORDS, prev);
            next += RECORDS as u64;
            prev = parcels.last().map_or(prev, |parcel| parcel.sealed.hash());
            let batches = parcels.chunks(64).map(|chunk| Batch(chunk.to_vec()).encode());
            (batches.collect::<Vec<_>>(), next - 1)
        })
        .bench_local_values(|(batches, last)| {
            let topic = Channel::Records.of(&terminal());
            for batch in batches {
                client.publish(&topic, QoS::AtLeastOnce, false, batch).expect("room");
            }
            for event in connection.iter() {
                if let Ok(rumqttc::Event::Incoming(Incoming::Publish(publish))) = event
                    && Receipt::open(&publish.payload, &receipt_key).is_ok_and(|r| r.last == last)
                {
                    return;
                }
            }
        });
}

fn embedded_broker() -> u16 {
    let port = rollcall::demo::broker::start().expect("a free port").port();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    port
}
