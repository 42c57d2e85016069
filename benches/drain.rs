//! Questions: how fast does a backlog drain, and how long does somebody at the door wait meanwhile?
//! A terminal that was away for a month should be up to date in a minute, at 5,000 records a second or
//! more on one core, disks and both sides included; and a check-in should not wait 50 ms longer.
//!
//! `cargo bench --bench drain`
//!
//! - `verify`: the least that must be done for each record, its signature checked once. The rest reads
//!   as a ratio to it.
//! - `drain`: journal, link, office, ledger on SQLite, receipts, release; one thread, without a network.
//! - `check_in_alone`, `check_in_while_draining`: append and sync, without and beside a drain. Read
//!   the slowest.
//! - `open_200_000`: the journal of a month is opened, all of it read and checked.
//!
//! The folder of `TMPDIR` decides which disk is measured.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use divan::Bencher;
use divan::counter::ItemsCount;
use rollcall::collector::office::{Office, Payload, Taken};
use rollcall::domain::{
    ClockEvidence, ClockQuality, Event as Happening, Fact, Outcome, PersonId, TerminalId,
    Timestamp, Uptime, Way,
};
use rollcall::ingest::Limits;
use rollcall::journal::{Bounds, Journal};
use rollcall::ledger::Sqlite;
use rollcall::record::{Opening, Parcel, Record, Sealed, SigningKey, VerifyingKey};
use rollcall::uplink::{Action, Event, Link, Pace, effect};
use tempfile::TempDir;

/// Enough for a hundred messages, few enough to be made again for each sample.
const BACKLOG: u64 = 6_400;
const MONTH: u64 = 200_000;
const NOW: Timestamp = Timestamp::from_ms(1_772_411_400_000);

fn main() {
    divan::main();
}

fn terminal() -> TerminalId {
    "huaxin-1-a".parse().expect("a name")
}

fn key() -> SigningKey {
    SigningKey::from_secret(&[1; 32])
}

fn receipt_key() -> SigningKey {
    SigningKey::from_secret(&[3; 32])
}

fn parcel(journal: &Journal, key: &SigningKey) -> Parcel {
    let slot = journal.next();
    let opening = Opening { salt: [7; 32], person: PersonId([7; 16]) };
    let record = Record {
        staff: None,
        terminal: terminal(),
        seq: slot.seq,
        prev: slot.prev,
        event: Happening::CheckIn,
        outcome: Some(Outcome::Accepted),
        lesson: Some("cook-2026a-0302-1".parse().expect("a name")),
        person: Some(opening.commitment()),
        way: Some(Way::Claimed),
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: NOW,
            uptime: Uptime::from_ms(3_600_000),
            boot: 12,
            signed: Some(NOW),
            quality: ClockQuality::Synced,
        },
        pack: Some([9; 32]),
        policy: "sichuan-2025/1".into(),
        firmware: env!("CARGO_PKG_VERSION").into(),
        gap: None,
        notice: None,
    };
    Parcel { sealed: Sealed::seal(&record, key), person: Some(opening), other: None }
}

fn journal(dir: &Path) -> Journal {
    let id = key().verifying_key().id();
    if !dir.exists() {
        Journal::init(dir, &terminal(), id).expect("a journal for the bench");
    }
    Journal::open(dir, &terminal(), id, Bounds::default()).expect("it is there")
}

fn fill(journal: &Journal, records: u64) {
    let key = key();
    for _ in 0..records {
        journal.append_durably(&parcel(journal, &key)).expect("the disk takes it");
    }
}

/// A centre that knows the terminal, with its ledger on disk.
struct Centre {
    office: Office,
    ledger: Sqlite,
}

impl Centre {
    fn new(dir: &Path) -> Self {
        let mut ledger = Sqlite::create(&dir.join("ledger.sqlite")).expect("a new ledger");
        let log = SigningKey::from_secret(&[2; 32]);
        let mut office = Office::new(Limits::default(), log, receipt_key());
        let mut taken = Taken::default();
        let site = "s-1".parse().expect("a name");
        let key = key().verifying_key().to_bytes();
        office.state(Fact::Terminal { id: terminal(), site, key }, &mut taken);
        office.settle(taken, &mut ledger, NOW).expect("the disk is there");
        Self { office, ledger }
    }

    /// Takes messages in, commits once, and answers.
    fn take(&mut self, messages: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut taken = Taken::default();
        for message in messages {
            let payload = Payload::Whole(message);
            self.office
                .take_records(&terminal(), payload, &self.ledger, &mut taken)
                .expect("the ledger reads");
        }
        let settled = self.office.settle(taken, &mut self.ledger, NOW).expect("the disk is there");
        settled.answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Brings everything that waits to the centre; both sides on this thread, the wire left out.
fn drain(journal: &Journal, centre: &mut Centre, stop: &dyn Fn() -> bool) {
    let key: VerifyingKey = receipt_key().verifying_key();
    let ahead = journal.freed_ahead();
    let mut link = Link::new(terminal(), key, Pace::default(), journal.standing(), ahead);
    let mut events = VecDeque::from([Event::Plug, Event::Connected { nonce: [0; 16] }]);
    let mut messages = Vec::new();
    while journal.standing().waiting > 0 && !stop() {
        while let Some(event) = events.pop_front() {
            for action in link.step(event, 0) {
                match action {
                    Action::Offer { seqs } => {
                        let offer = effect::batch(journal, &seqs).expect("the disk reads");
                        messages.extend(offer.message);
                        events.extend(offer.absent);
                    }
                    Action::Release(receipt) => {
                        let event = effect::release(journal, receipt).expect("the disk takes it");
                        events.push_back(event);
                    }
                    Action::Connect
                    | Action::HangUp
                    | Action::Ask { .. }
                    | Action::Tell { .. }
                    | Action::NoteTime { .. }
                    | Action::Follow { .. }
                    | Action::Raise(_) => {}
                }
            }
        }
        let answers = centre.take(std::mem::take(&mut messages));
        events.extend(answers.into_iter().map(Event::Answer));
        // As the shell hears of records that were made meanwhile.
        events.push_back(Event::Journal(journal.standing()));
    }
}

#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let (key, journal) = (key(), journal(&folder.path().join("journal")));
    let parcel = parcel(&journal, &key);
    let public = key.verifying_key();
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench_local(|| Record::open(parcel.sealed.bytes(), &public));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn drain_backlog(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(BACKLOG))
        .with_inputs(|| {
            let folder = tempfile::tempdir().expect("a folder for the bench");
            let journal = journal(&folder.path().join("journal"));
            fill(&journal, BACKLOG);
            let centre = Centre::new(folder.path());
            (journal, centre, folder)
        })
        .bench_local_refs(|(journal, centre, _folder): &mut (Journal, Centre, TempDir)| {
            drain(journal, centre, &|| false);
            assert_eq!(journal.standing().waiting, 0, "all of it is answered");
        });
}

#[divan::bench(sample_count = 300, sample_size = 1)]
fn check_in_alone(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let journal = journal(&folder.path().join("journal"));
    fill(&journal, 1_000);
    let key = key();
    bencher
        .with_inputs(|| parcel(&journal, &key))
        .bench_local_refs(|parcel| journal.append_durably(parcel).expect("the disk takes it"));
}

#[divan::bench(sample_count = 300, sample_size = 1)]
fn check_in_while_draining(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let journal = Arc::new(journal(&folder.path().join("journal")));
    fill(&journal, 20_000);
    let mut centre = Centre::new(folder.path());
    let ended = Arc::new(AtomicBool::new(false));
    let (draining, stop) = (Arc::clone(&journal), Arc::clone(&ended));
    let drains = std::thread::spawn(move || {
        drain(&draining, &mut centre, &|| stop.load(Ordering::Relaxed));
    });
    let key = key();
    bencher
        .with_inputs(|| parcel(&journal, &key))
        .bench_local_refs(|parcel| journal.append_durably(parcel).expect("the disk takes it"));
    let left = journal.standing().waiting;
    ended.store(true, Ordering::Relaxed);
    drains.join().expect("it drains");
    assert!(left > 0, "the drain ended before the check-ins did: this measured nothing");
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn open_200_000(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let dir = folder.path().join("journal");
    fill(&journal(&dir), MONTH);
    bencher.counter(ItemsCount::new(MONTH)).bench_local(|| {
        let journal = journal(&dir);
        assert_eq!(journal.standing().waiting, MONTH, "all of it waits");
    });
}
