//! What does one green light cost? A durable append against the least that durability can cost, a
//! bare write and fdatasync of the same bytes on the same disk in the same run (to stay under:
//! three times that); and how many records one core seals and opens in a second (to stay above:
//! 5,000 opened).
//!
//! `cargo bench --bench journal`; put TMPDIR on the disk that is to be measured.

use std::fs::File;
use std::io::Write;

use divan::Bencher;
use divan::counter::ItemsCount;
use rollcall::domain::{
    ClockEvidence, ClockQuality, Event, Outcome, PersonId, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::journal::{Bounds, Journal, Slot};
use rollcall::record::{Opening, Parcel, Record, Sealed, SealedHash, SigningKey};

fn main() {
    divan::main();
}

fn terminal() -> TerminalId {
    "terminal-1".parse().expect("a name")
}

fn key() -> SigningKey {
    SigningKey::from_secret(&[7; 32])
}

fn record(slot: Slot) -> (Record, Opening) {
    let opening = Opening { salt: [1; 32], person: PersonId([3; 16]) };
    let record = Record {
        terminal: terminal(),
        seq: slot.seq,
        prev: slot.prev,
        event: Event::CheckIn,
        outcome: Some(Outcome::Accepted),
        lesson: Some("lesson-1".parse().expect("a name")),
        person: Some(opening.commitment()),
        way: Some(Way::Open),
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: Timestamp::from_ms(1_772_000_000_000),
            uptime: Uptime::from_ms(5_000),
            boot: 1,
            signed: None,
            quality: ClockQuality::Holding,
        },
        pack: Some([2; 32]),
        policy: "default@1".into(),
        firmware: "0.1.0".into(),
        gap: None,
    };
    (record, opening)
}

fn parcel(slot: Slot, key: &SigningKey) -> Parcel {
    let (record, person) = record(slot);
    Parcel { sealed: Sealed::seal(&record, key), person: Some(person), other: None }
}

const FIRST: Slot = Slot { seq: 1, prev: SealedHash::GENESIS };

#[divan::bench(sample_count = 500, sample_size = 1)]
fn bare_write_and_fdatasync(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut file = File::create(dir.path().join("bare")).expect("a file");
    let bytes = parcel(FIRST, &key()).encode();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        file.write_all(&bytes).expect("room on the disk");
        file.sync_data().expect("a disk that syncs");
    });
}

#[divan::bench(sample_count = 500, sample_size = 1)]
fn append_durably(bencher: Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    let key = key();
    let id = key.verifying_key().id();
    Journal::init(dir.path(), &terminal(), id).expect("an empty folder");
    let journal =
        Journal::open(dir.path(), &terminal(), id, Bounds::default()).expect("our own journal");
    bencher
        .counter(ItemsCount::new(1_u32))
        .with_inputs(|| parcel(journal.next(), &key))
        .bench_local_values(|parcel| journal.append_durably(&parcel).expect("room"));
}

#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let key = key();
    let (record, _) = record(FIRST);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| Sealed::seal(&record, &key));
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let key = key();
    let (record, _) = record(FIRST);
    let sealed = Sealed::seal(&record, &key);
    let key = key.verifying_key();
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| Record::open(sealed.bytes(), &key));
}
