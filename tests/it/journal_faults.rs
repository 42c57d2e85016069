//! Wrong folders, failing writes, damaged values: a clear error each, never a panic,
//! and nothing that was reported as durable is lost.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rollcall::journal::{
    AppendError, Bounds, Disk, InitError, Journal, Log, OpenError, ReleaseError,
};
use rollcall::platform::telemetry::Class;
use rollcall::record::SealedHash;

use crate::support::disk::{Acknowledged, Disks, Fault, Watcher};
use crate::support::memory::{Failure, Memory};
use crate::support::records::{
    append, at_ms, committed, parcel_for, parcel_of, refused, terminal_id, terminal_key,
};

fn make(dir: &Path) {
    Journal::init(dir, &terminal_id(), terminal_key().verifying_key().id()).unwrap();
}

fn open(dir: &Path) -> Result<Journal, OpenError> {
    let key = terminal_key().verifying_key().id();
    Journal::open(dir, &terminal_id(), key, Bounds::default())
}

fn open_on(memory: &Memory) -> Result<Journal, OpenError> {
    let key = terminal_key().verifying_key().id();
    let storage = Box::new(memory.clone());
    Journal::open_on(storage, Path::new("memory"), &terminal_id(), key, Bounds::default())
}

fn made_in_memory() -> Memory {
    let memory = Memory::default();
    let key = terminal_key().verifying_key().id();
    Journal::init_on(&memory, Path::new("memory"), &terminal_id(), key).unwrap();
    memory
}

#[test]
fn a_missing_journal_is_not_made_silently() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("journal");
    let error = open(&dir).err().unwrap();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    assert!(error.hint().contains("terminal init"));
    assert!(!dir.exists(), "looking must not make anything");
}

#[test]
fn a_journal_is_never_made_over_another() {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    let key = terminal_key().verifying_key().id();
    let error = Journal::init(root.path(), &terminal_id(), key).unwrap_err();
    assert!(matches!(error, InitError::Exists { .. }), "{error}");
}

#[test]
fn a_foreign_journal_is_refused_by_terminal_and_by_key() {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    let key = terminal_key().verifying_key().id();
    let other_key = rollcall::record::SigningKey::from_secret(&[1; 32]).verifying_key().id();
    let other = "terminal-2".parse().unwrap();
    for (terminal, key) in [(&other, key), (&terminal_id(), other_key)] {
        let error = Journal::open(root.path(), terminal, key, Bounds::default()).err().unwrap();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(error.class(), Class::Permanent);
    }
}

#[test]
fn a_journal_that_is_in_use_cannot_be_opened_a_second_time() {
    let root = tempfile::tempdir().unwrap();
    make(root.path());
    let _first = open(root.path()).unwrap();
    let error = open(root.path()).err().unwrap();
    assert!(matches!(error, OpenError::Storage { .. }), "{error}");
    assert!(error.hint().contains("no other rollcall"));
}

#[test]
fn only_the_next_record_of_this_terminal_and_key_is_appended() {
    let memory = made_in_memory();
    let journal = open_on(&memory).unwrap();
    let first = append(&journal);
    let next = journal.next();
    let again = journal.append_durably(&first).unwrap_err();
    assert!(matches!(again, AppendError::OutOfTurn { seq: 1, wanted: 2 }), "{again}");
    let unchained = rollcall::journal::Slot { prev: SealedHash::GENESIS, ..next };
    let unchained = journal.append_durably(&parcel_for(unchained)).unwrap_err();
    assert!(matches!(unchained, AppendError::OutOfTurn { .. }), "{unchained}");
    let other_key = rollcall::record::SigningKey::from_secret(&[1; 32]);
    let foreign = parcel_of(&terminal_id(), &other_key, next);
    let foreign = journal.append_durably(&foreign).unwrap_err();
    assert!(matches!(foreign, AppendError::Foreign { .. }), "{foreign}");
    assert_eq!(journal.standing().appended, 1);
}

#[test]
fn at_its_bound_in_records_or_bytes_it_refuses_until_a_receipt_frees_room() {
    let one_record = {
        let journal = open_on(&made_in_memory()).unwrap();
        append(&journal).encode().len() as u64 + 8
    };
    let by_records = Bounds { records_max: 2, ..Bounds::default() };
    // Numbers may take one byte more in the second record than in the first.
    let by_bytes = Bounds { bytes_max: 2 * one_record + 100, ..Bounds::default() };
    for bounds in [by_records, by_bytes] {
        let key = terminal_key().verifying_key().id();
        let storage = Box::new(made_in_memory());
        let path = Path::new("memory");
        let journal = Journal::open_on(storage, path, &terminal_id(), key, bounds).unwrap();
        let first = append(&journal);
        append(&journal);
        let third = parcel_for(journal.next());
        let full = journal.append_durably(&third).unwrap_err();
        assert!(matches!(full, AppendError::Full { records: 2, .. }), "{full}");
        assert_eq!(full.class(), Class::Transient);
        assert_eq!(journal.replay(1, 9).unwrap().len(), 2, "nothing was dropped");
        journal.release_durably(&committed(1, 1, first.sealed.hash(), at_ms(0))).unwrap();
        journal.append_durably(&third).unwrap();
    }
}

#[test]
fn receipts_that_do_not_fit_free_nothing() {
    let memory = made_in_memory();
    let journal = open_on(&memory).unwrap();
    let first = append(&journal);
    let second = append(&journal);
    let hash = second.sealed.hash();
    let foreign = rollcall::record::Receipt {
        terminal: "terminal-2".parse().unwrap(),
        ..committed(1, 2, hash, at_ms(0))
    };
    let long_refusal = rollcall::record::Receipt { first: 1, ..refused(2, hash, at_ms(0)) };
    for receipt in [
        foreign,
        long_refusal,
        committed(1, 2, first.sealed.hash(), at_ms(0)),
        committed(1, 3, hash, at_ms(0)),
        committed(1, u64::MAX, hash, at_ms(0)),
        refused(1, hash, at_ms(0)),
    ] {
        let error = journal.release_durably(&receipt).unwrap_err();
        assert_eq!(error.class(), Class::Permanent, "{error}");
        assert_eq!(journal.standing().waiting, 2, "{receipt:?}");
    }
    // Receipts whose range is empty or begins at nothing free what they name, and no more.
    journal.release_durably(&committed(0, 1, first.sealed.hash(), at_ms(0))).unwrap();
    assert_eq!(journal.standing().waiting, 1);
}

/// The table: every durable step × {failed and not stored, failed but stored}. After it nothing
/// more is accepted, and after the next start all that was reported as done is there.
#[test]
fn after_a_failed_write_nothing_goes_on_and_nothing_reported_is_lost() {
    let steps = 6;
    for failing in 0..steps {
        for failure in [Failure::NotStored, Failure::Stored] {
            let memory = made_in_memory();
            let journal = open_on(&memory).unwrap();
            *memory.fails.lock().unwrap() = Some((failing, failure));
            let (mut appended, mut freed, mut done) = (0, 0, 0);
            let mut stopped = None;
            for _ in 0..4 {
                match journal.append_durably(&parcel_for(journal.next())) {
                    Ok(slot) => (appended, done) = (slot.seq, done + 1),
                    Err(error) => {
                        stopped.get_or_insert(error.class());
                        assert_eq!(error.class(), Class::FailStop);
                    }
                }
            }
            if appended >= 2 {
                let hash = journal.replay(2, 1).unwrap()[0].1.sealed.hash();
                match journal.release_durably(&committed(1, 2, hash, at_ms(0))) {
                    Ok(_) => (freed, done) = (2, done + 1),
                    Err(error) => {
                        let told =
                            matches!(error, ReleaseError::Storage { .. } | ReleaseError::Failed);
                        assert!(told, "{error}");
                        stopped.get_or_insert(error.class());
                    }
                }
            }
            match journal.note_signed_time_durably(at_ms(9)) {
                Ok(()) => done += 1,
                Err(error) => {
                    stopped.get_or_insert(error.class());
                }
            }
            assert_eq!(done, failing, "each step before the failing one, none after it");
            assert_eq!(stopped, Some(Class::FailStop), "step {failing} {failure:?}");

            let journal = open_on(&memory.restarted()).unwrap();
            let standing = journal.standing();
            let in_doubt = u64::from(failure == Failure::Stored);
            assert!((appended..=appended + in_doubt).contains(&standing.appended));
            assert!(standing.released >= freed);
            assert_eq!(journal.replay(1, 99).unwrap().len() as u64, standing.appended);
            append(&journal);
        }
    }
}

#[test]
fn a_damaged_value_is_told_whichever_byte_it_is() {
    let memory = made_in_memory();
    let journal = open_on(&memory).unwrap();
    let parcels: Vec<_> = (0..3).map(|_| append(&journal)).collect();
    journal.release_durably(&committed(1, 2, parcels[1].sealed.hash(), at_ms(0))).unwrap();
    drop(journal);
    let pairs = memory.pairs.lock().unwrap().clone();
    for (key, value) in &pairs {
        for place in 0..value.len() {
            let damaged = memory.restarted();
            damaged.pairs.lock().unwrap().get_mut(key).unwrap()[place] ^= 1;
            let error = open_on(&damaged).err().unwrap();
            assert!(matches!(error, OpenError::Damaged { .. }), "{key:?} {place}: {error}");
            assert_eq!(error.class(), Class::FailStop);
        }
        let shortened = memory.restarted();
        shortened.pairs.lock().unwrap().insert(key.clone(), Vec::new());
        assert!(matches!(open_on(&shortened).err().unwrap(), OpenError::Damaged { .. }));
    }
}

#[test]
fn a_record_that_is_missing_is_told() {
    let memory = made_in_memory();
    let journal = open_on(&memory).unwrap();
    let parcels: Vec<_> = (0..4).map(|_| append(&journal)).collect();
    journal.release_durably(&committed(1, 4, parcels[3].sealed.hash(), at_ms(0))).unwrap();
    drop(journal);
    let record = |seq: u64| [&b"r"[..], &seq.to_be_bytes()].concat();
    for lost in [2, 3, 4] {
        let holed = memory.restarted();
        holed.pairs.lock().unwrap().remove(&record(lost)).unwrap();
        let error = open_on(&holed).err().unwrap();
        assert!(matches!(error, OpenError::Damaged { .. }), "{lost}: {error}");
    }
    // Two records that have changed places are no chain either.
    let swapped = memory.restarted();
    {
        let mut pairs = swapped.pairs.lock().unwrap();
        let (two, three) = (pairs[&record(2)].clone(), pairs[&record(3)].clone());
        pairs.insert(record(2), three);
        pairs.insert(record(3), two);
    }
    assert!(matches!(open_on(&swapped).err().unwrap(), OpenError::Damaged { .. }));
}

#[test]
fn a_value_damaged_while_running_is_told_on_replay() {
    let memory = made_in_memory();
    let journal = open_on(&memory).unwrap();
    append(&journal);
    append(&journal);
    let second = [&b"r"[..], &2_u64.to_be_bytes()].concat();
    memory.pairs.lock().unwrap().get_mut(&second).unwrap()[20] ^= 1;
    let error = journal.replay(1, 9).unwrap_err();
    assert!(error.to_string().contains("record 2"), "{error}");
    assert!(error.source().is_some());
    assert_eq!(error.class(), Class::FailStop);
}

/// The same table one floor lower: every call to the two disks × {nothing done, half of it done, all of
/// it done} and a failure told. After it nothing more is accepted; after the next start, and after a
/// power cut at that moment, all that was reported as done is there.
#[test]
fn after_any_failed_call_to_a_disk_nothing_goes_on_and_nothing_reported_is_lost() {
    let open_disks = |disks: &Disks| -> Result<Journal, OpenError> {
        let dir = Path::new("memory");
        let log = disks.log(900).map_err(|source| OpenError::of(dir, source))?;
        let key = terminal_key().verifying_key().id();
        Journal::open_on(Box::new(log), dir, &terminal_id(), key, Bounds::default())
    };
    let mut failures = 0;
    for fault in [Fault::NotDone, Fault::Half, Fault::Done] {
        for failing in 0.. {
            let made = Disks::default();
            let key = terminal_key().verifying_key().id();
            Journal::init_on(&made.log(900).unwrap(), Path::new("memory"), &terminal_id(), key)
                .unwrap();
            let start = made.folders();
            let disks = Disks::holding(start.clone());
            disks.fail(failing, fault);
            let journal = match open_disks(&disks) {
                Ok(journal) => journal,
                Err(error) => {
                    assert!(matches!(error, OpenError::Storage { .. }), "{error}");
                    failures += 1;
                    append(&open_disks(&disks).unwrap());
                    continue;
                }
            };
            let mut parcels = Vec::new();
            let (mut appended, mut released) = (0, 0);
            for seq in 1..=7 {
                let parcel = parcel_for(journal.next());
                if journal.append_durably(&parcel).is_err() {
                    let again = journal.append_durably(&parcel).unwrap_err();
                    assert_eq!(again.class(), Class::FailStop);
                    parcels.push(parcel);
                    break;
                }
                appended = seq;
                let hash = parcel.sealed.hash();
                parcels.push(parcel);
                if seq % 3 == 0 {
                    let receipt = committed(1, seq, hash, at_ms(0));
                    if journal.release_durably(&receipt).is_err() {
                        break;
                    }
                    released = seq;
                }
            }
            let acknowledged = Acknowledged { appended, released };
            disks.acknowledge(acknowledged);
            if !disks.has_failed() {
                assert!(failing > 20, "a life of so few calls tests nothing");
                break;
            }
            failures += 1;
            let mut cut = Watcher::of(&start, Acknowledged::default());
            disks.trace().iter().for_each(|event| cut.follow(event));
            // What a start finds that follows at once, and what one finds after a power cut.
            let lefts = cut.crash_states().into_iter().chain([disks.folders()]);
            for left in lefts {
                let journal = open_disks(&Disks::holding(left)).unwrap();
                let standing = journal.standing();
                assert!((appended..=appended + 1).contains(&standing.appended), "{standing:?}");
                assert!(standing.released >= released, "{standing:?}");
                for (seq, parcel) in journal.replay(1, 99).unwrap() {
                    assert_eq!(parcel, parcels[usize::try_from(seq).unwrap() - 1]);
                }
                append(&journal);
            }
        }
    }
    assert!(failures > 60, "{failures} failures test nothing");
}

/// A disk whose first sync of the second copy takes until it is let go.
struct Slow {
    disk: Box<dyn Disk>,
    reached: SyncSender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Disk for Slow {
    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.disk.read(name, from, bytes_max)
    }

    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(name, at, bytes)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.reached.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        self.disk.sync(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }

    fn replace_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk.replace_durably(name, bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
}

#[test]
fn on_a_slow_disk_nothing_is_green_before_its_time_and_the_uplink_goes_on_reading() {
    let disks = Disks::default();
    let key = terminal_key().verifying_key().id();
    let dir = Path::new("memory");
    Journal::init_on(&disks.log(9_000).unwrap(), dir, &terminal_id(), key).unwrap();
    let (reached, at_sync) = sync_channel(9);
    let (go_on, waits) = sync_channel(9);
    let [a, b] = disks.both();
    let slow = Slow { disk: b, reached, go_on: Mutex::new(waits) };
    let log = Log::open_with([a, Box::new(slow)], 9_000).unwrap();
    // For the boot, and for the first record.
    (0..2).for_each(|_| go_on.send(()).unwrap());
    let journal =
        Journal::open_on(Box::new(log), dir, &terminal_id(), key, Bounds::default()).unwrap();
    let first = append(&journal);
    (0..2).for_each(|_| at_sync.recv().unwrap());

    let announced = journal.watch();
    let second = parcel_for(journal.next());
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| journal.append_durably(&second));
        at_sync.recv().unwrap();
        // The second record is in both files, and nobody is told yet.
        assert_eq!(journal.replay(1, 9).unwrap(), [(1, first.clone())]);
        assert_eq!(announced.borrow().appended, 1);
        assert!(!appending.is_finished());
        go_on.send(()).unwrap();
        assert_eq!(appending.join().unwrap().unwrap().seq, 2);
    });
    assert_eq!(announced.borrow().appended, 2);
    assert_eq!(journal.replay(1, 9).unwrap(), [(1, first), (2, second.clone())]);
}
