//! The journal against a model that a reader can check by eye: a vector of records and a set of
//! released numbers. A crash is what `kill -9` leaves: the files as they are at that moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rollcall::journal::{AppendError, Bounds, Journal, ReleaseError};
use rollcall::record::{Parcel, SealedHash};

use crate::support::records::{
    append, at_ms, committed, parcel_for, refused, terminal_id, terminal_key,
};

const RECORDS_MAX: u64 = 6;

fn bounds() -> Bounds {
    Bounds { records_max: RECORDS_MAX, ..Bounds::default() }
}

#[derive(Debug, Clone)]
enum Action {
    Append,
    /// From this number (modulo what there is), at most so many.
    Replay(u64, usize),
    /// A commit receipt for so many of the oldest waiting records and those after them.
    Commit(u64),
    /// A refusal receipt for one record.
    Refuse(u64),
    /// A receipt with a hash that is not ours.
    Lie(u64),
    Crash,
    Reopen,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => Just(Action::Append),
        2 => (0..20_u64, 0..5_usize).prop_map(|(from, max)| Action::Replay(from, max)),
        2 => (0..6_u64).prop_map(Action::Commit),
        1 => (0..20_u64).prop_map(Action::Refuse),
        1 => (0..20_u64).prop_map(Action::Lie),
        1 => Just(Action::Crash),
        1 => Just(Action::Reopen),
    ];
    prop::collection::vec(action, 1..30)
}

#[derive(Default)]
struct Model {
    records: Vec<Parcel>,
    released: BTreeSet<u64>,
    boots: u64,
}

impl Model {
    fn appended(&self) -> u64 {
        self.records.len() as u64
    }

    fn waiting(&self) -> u64 {
        self.appended() - self.released.len() as u64
    }

    fn hash(&self, seq: u64) -> SealedHash {
        self.records[usize::try_from(seq).unwrap() - 1].sealed.hash()
    }
}

fn open(dir: &Path, model: &mut Model) -> Journal {
    let key = terminal_key().verifying_key().id();
    let journal = Journal::open(dir, &terminal_id(), key, bounds()).unwrap();
    model.boots += 1;
    journal
}

/// The files as a killed process leaves them.
fn snapshot(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            snapshot(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn check(journal: &Journal, model: &Model) {
    let standing = journal.standing();
    assert_eq!(standing.appended, model.appended());
    assert_eq!(standing.waiting, model.waiting());
    assert_eq!(standing.kept_from, 1, "nothing is old enough to be pruned");
    let released = (1..).take_while(|seq| model.released.contains(seq)).count() as u64;
    assert_eq!(standing.released, released);
    assert_eq!(journal.boot(), model.boots);
    assert_eq!(journal.next().seq, model.appended() + 1);
    let prev =
        if model.records.is_empty() { SealedHash::GENESIS } else { model.hash(model.appended()) };
    assert_eq!(journal.next().prev, prev);
    let all = journal.replay(1, usize::MAX).unwrap();
    let expected: Vec<_> = (1..).zip(model.records.iter().cloned()).collect();
    assert_eq!(all, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_does_what_a_vector_does(actions in actions()) {
        let root = tempfile::tempdir().unwrap();
        let mut dir: PathBuf = root.path().join("0");
        let key = terminal_key().verifying_key().id();
        Journal::init(&dir, &terminal_id(), key).unwrap();
        let mut model = Model::default();
        let mut journal = open(&dir, &mut model);
        // Killed processes do not run their destructors.
        let mut killed = Vec::new();
        for (step, action) in actions.into_iter().enumerate() {
            match action {
                Action::Append => {
                    let parcel = parcel_for(journal.next());
                    match journal.append_durably(&parcel) {
                        Ok(_) => model.records.push(parcel),
                        Err(AppendError::Full { .. }) => prop_assert_eq!(model.waiting(), RECORDS_MAX),
                        Err(error) => panic!("{error}"),
                    }
                }
                Action::Replay(from, max) => {
                    let found = journal.replay(from, max).unwrap();
                    let from = usize::try_from(from.max(1)).unwrap();
                    let expected: Vec<_> = (1..).zip(model.records.iter().cloned()).skip(from - 1).take(max).collect();
                    prop_assert_eq!(found, expected);
                }
                Action::Commit(more) => {
                    let first = journal.standing().released + 1;
                    let last = (first + more).min(model.appended());
                    if first <= last {
                        let receipt = committed(first, last, model.hash(last), at_ms(1));
                        let freed = journal.release_durably(&receipt).unwrap();
                        let before = model.released.len();
                        model.released.extend(first..=last);
                        prop_assert_eq!(freed.records, (model.released.len() - before) as u64);
                    }
                }
                Action::Refuse(seq) if seq >= 1 && seq <= model.appended() => {
                    let freed = journal.release_durably(&refused(seq, model.hash(seq), at_ms(2))).unwrap();
                    prop_assert_eq!(freed.records, u64::from(model.released.insert(seq)));
                }
                Action::Refuse(_) => {}
                Action::Lie(seq) => {
                    let lie = committed(1, seq.max(1), SealedHash([1; 32]), at_ms(3));
                    let error = journal.release_durably(&lie).unwrap_err();
                    let told = matches!(error, ReleaseError::Mismatch { .. } | ReleaseError::Ahead { .. });
                    prop_assert!(told);
                }
                Action::Crash => {
                    let next = root.path().join(format!("{}", step + 1));
                    snapshot(&dir, &next);
                    dir = next;
                    killed.push(std::mem::replace(&mut journal, open(&dir, &mut model)));
                }
                Action::Reopen => {
                    drop(journal);
                    journal = open(&dir, &mut model);
                }
            }
            check(&journal, &model);
        }
    }
}

#[test]
fn released_records_are_kept_for_days_and_then_forgotten_oldest_first() {
    let root = tempfile::tempdir().unwrap();
    let key = terminal_key().verifying_key().id();
    Journal::init(root.path(), &terminal_id(), key).unwrap();
    let bounds = Bounds { kept_days: 30, ..Bounds::default() };
    let journal = Journal::open(root.path(), &terminal_id(), key, bounds).unwrap();
    let parcels: Vec<_> = (0..4).map(|_| append(&journal)).collect();
    let hash = |seq: usize| parcels[seq - 1].sealed.hash();
    let day_ms = 86_400_000;

    journal.release_durably(&committed(1, 2, hash(2), at_ms(0))).unwrap();
    journal.release_durably(&committed(3, 3, hash(3), at_ms(30 * day_ms))).unwrap();
    assert_eq!(journal.replay(1, 9).unwrap().len(), 4, "thirty days are not over");
    journal.release_durably(&committed(4, 4, hash(4), at_ms(31 * day_ms))).unwrap();
    let kept: Vec<_> = journal.replay(1, 9).unwrap().into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(kept, [3, 4]);

    drop(journal);
    let journal = Journal::open(root.path(), &terminal_id(), key, bounds).unwrap();
    assert_eq!(journal.standing().kept_from, 3);
    assert_eq!(journal.next().seq, 5);
    assert_eq!(journal.next().prev, hash(4));
    assert_eq!(journal.newest_signed_time(), Some(at_ms(31 * day_ms)));
}

#[test]
fn too_many_released_bytes_go_oldest_first_and_waiting_records_never() {
    let root = tempfile::tempdir().unwrap();
    let key = terminal_key().verifying_key().id();
    Journal::init(root.path(), &terminal_id(), key).unwrap();
    let bounds = Bounds { kept_bytes_max: 0, ..Bounds::default() };
    let journal = Journal::open(root.path(), &terminal_id(), key, bounds).unwrap();
    let parcels: Vec<_> = (0..5).map(|_| append(&journal)).collect();
    let hash = |seq: usize| parcels[seq - 1].sealed.hash();
    let kept =
        || -> Vec<u64> { journal.replay(1, 9).unwrap().into_iter().map(|(seq, _)| seq).collect() };
    // Record 1 waits, so nothing before or after it may go, whatever was released behind it.
    journal.release_durably(&refused(2, hash(2), at_ms(0))).unwrap();
    journal.release_durably(&refused(3, hash(3), at_ms(0))).unwrap();
    assert_eq!(kept(), [1, 2, 3, 4, 5]);
    journal.release_durably(&committed(1, 1, hash(1), at_ms(0))).unwrap();
    journal.release_durably(&committed(4, 4, hash(4), at_ms(0))).unwrap();
    assert_eq!(kept(), [4, 5]);
}
