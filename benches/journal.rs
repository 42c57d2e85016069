//! Question: what does one durable record cost, against the least that the disk allows?
//!
//! To stay under: three times a bare write and fdatasync of the same bytes, in the same run: the
//! journal syncs two copies, one after the other. A trainee waits for this before the screen turns
//! green. The absolute time is the disk's; `TMPDIR=…`
//! chooses another one.
//!
//! `cargo bench --bench journal`
//!
//! - `bare_write_and_sync`: the sealed bytes appended to a plain file, then fdatasync.
//! - `append_durably`: the journal, as the terminal uses it.
//! - `seal`, `open`: the signature and its check, nothing stored.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;

use divan::Bencher;
use divan::counter::ItemsCount;
use rollcall::domain::{
    ClockEvidence, ClockQuality, Event, Outcome, PersonId, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::journal::{Bounds, Journal};
use rollcall::record::{Opening, Parcel, Record, Sealed, SealedHash, SigningKey};

fn main() {
    divan::main();
}

fn terminal() -> TerminalId {
    "huaxin-1-a".parse().expect("a name")
}

fn key() -> SigningKey {
    SigningKey::from_secret(&[1; 32])
}

fn record(seq: u64, prev: SealedHash) -> (Record, Opening) {
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
            uptime: Uptime::from_ms(3_600_000),
            boot: 12,
            signed: Some(Timestamp::from_ms(1_772_411_100_000)),
            quality: ClockQuality::Synced,
        },
        pack: Some([9; 32]),
        policy: "sichuan-2025/1".into(),
        firmware: env!("CARGO_PKG_VERSION").into(),
        gap: None,
        notice: None,
    };
    (record, opening)
}

fn parcel(key: &SigningKey, seq: u64, prev: SealedHash) -> Parcel {
    let (record, opening) = record(seq, prev);
    Parcel { sealed: Sealed::seal(&record, key), person: Some(opening), other: None }
}

#[divan::bench(sample_count = 500, sample_size = 1)]
fn bare_write_and_sync(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let path = folder.path().join("log");
    let file = Cell::new(Some(File::create(path).expect("a file for the bench")));
    let bytes = parcel(&key(), 1, SealedHash::GENESIS).encode();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let mut open = file.take().expect("it is put back each time");
        open.write_all(&bytes).and_then(|()| open.sync_data()).expect("the disk takes it");
        file.set(Some(open));
    });
}

#[divan::bench(sample_count = 500, sample_size = 1)]
fn append_durably(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let (key, dir) = (key(), folder.path().join("journal"));
    let id = key.verifying_key().id();
    Journal::init(&dir, &terminal(), id).expect("a journal for the bench");
    let bounds = Bounds { records_max: 10_000_000, bytes_max: 1 << 40, ..Bounds::default() };
    let journal = Journal::open(&dir, &terminal(), id, bounds).expect("it was just made");
    bencher
        .counter(ItemsCount::new(1_usize))
        .with_inputs(|| {
            let slot = journal.next();
            parcel(&key, slot.seq, slot.prev)
        })
        .bench_local_refs(|parcel| journal.append_durably(parcel).expect("the disk takes it"));
}

#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let (key, (record, _)) = (key(), record(1, SealedHash::GENESIS));
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| Sealed::seal(&record, &key));
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let (key, (record, _)) = (key(), record(1, SealedHash::GENESIS));
    let sealed = Sealed::seal(&record, &key);
    let public = key.verifying_key();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| Record::open(sealed.bytes(), &public));
}
