//! The files of the journal cut and changed at every byte. What one copy lacks the other one makes
//! good; what both lack is told with its place. There is one exception that no two files can help:
//! both cut cleanly behind the same acknowledged write.

use std::path::Path;

use proptest::prelude::*;
use rollcall::journal::{Bounds, Journal, OpenError};
use rollcall::platform::telemetry::Class;
use rollcall::record::Parcel;

use crate::support::disk::{Disks, Folders};
use crate::support::records::{append, terminal_id, terminal_key};

const RECORDS: usize = 5;
const SEGMENT_BYTES: u64 = 900;

fn open(left: &Folders) -> Result<(Disks, Journal), OpenError> {
    let (disks, dir) = (Disks::holding(left.clone()), Path::new("memory"));
    let log = disks.log(SEGMENT_BYTES).map_err(|source| OpenError::of(dir, source))?;
    let key = terminal_key().verifying_key().id();
    let journal = Journal::open_on(Box::new(log), dir, &terminal_id(), key, Bounds::default())?;
    Ok((disks, journal))
}

/// A journal with some records, as a kill leaves it.
fn filled() -> (Folders, Vec<Parcel>) {
    let disks = Disks::default();
    let log = disks.log(SEGMENT_BYTES).unwrap();
    let key = terminal_key().verifying_key().id();
    Journal::init_on(&log, Path::new("memory"), &terminal_id(), key).unwrap();
    let (disks, journal) = open(&disks.folders()).unwrap();
    let parcels = (0..RECORDS).map(|_| append(&journal)).collect();
    let folders = disks.folders();
    assert!(folders[0].len() > 1, "this tests one segment only");
    (folders, parcels)
}

/// Every byte of every file of one copy.
fn places(folders: &Folders, copy: usize) -> Vec<(String, usize)> {
    let files = folders[copy].iter();
    files.flat_map(|(name, bytes)| (0..bytes.len()).map(move |at| (name.clone(), at))).collect()
}

fn flipped(folders: &Folders, copy: usize, (name, at): &(String, usize)) -> Folders {
    let mut folders = folders.clone();
    folders[copy].get_mut(name).unwrap()[*at] ^= 0xff;
    folders
}

fn cut(folders: &Folders, copy: usize, (name, at): &(String, usize)) -> Folders {
    let mut folders = folders.clone();
    folders[copy].get_mut(name).unwrap().truncate(*at);
    folders
}

fn holds_all(left: &Folders, parcels: &[Parcel], what: &str) {
    let (disks, journal) = open(left).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found: Vec<_> = journal.replay(1, 99).unwrap().into_iter().map(|(_, p)| p).collect();
    assert_eq!(found, parcels, "{what}");
    let [a, b] = disks.folders();
    assert_eq!(a, b, "{what}: both copies are the same again");
}

#[test]
fn one_copy_cut_or_changed_at_any_byte_loses_nothing() {
    let (folders, parcels) = filled();
    for copy in [0, 1] {
        for place in places(&folders, copy) {
            holds_all(&flipped(&folders, copy, &place), &parcels, &format!("{copy} {place:?}"));
            holds_all(&cut(&folders, copy, &place), &parcels, &format!("{copy} cut {place:?}"));
        }
    }
}

#[test]
fn one_copy_without_a_file_or_without_all_files_loses_nothing() {
    let (folders, parcels) = filled();
    for copy in [0, 1] {
        for name in folders[copy].keys() {
            let mut left = folders.clone();
            left[copy].remove(name);
            holds_all(&left, &parcels, name);
        }
        let mut left = folders.clone();
        left[copy].clear();
        holds_all(&left, &parcels, "all files");
    }
}

#[test]
fn the_same_byte_changed_in_both_copies_is_told_whichever_it_is() {
    let (folders, _) = filled();
    for place in places(&folders, 0) {
        let error = open(&flipped(&flipped(&folders, 0, &place), 1, &place)).err();
        let error = error.unwrap_or_else(|| panic!("silent at {place:?}"));
        assert!(matches!(error, OpenError::Lost { .. }), "{error}");
        assert!(error.to_string().contains(&place.0), "where: {error}");
        assert_eq!(error.class(), Class::FailStop);
    }
}

#[test]
fn a_copy_cut_between_two_writes_does_not_hide_that_the_other_one_is_damaged_there() {
    let (folders, _) = filled();
    let last = folders[0].keys().next_back().unwrap().clone();
    // The last write of the last segment: behind the first one there.
    let begins = folders[0][&last].windows(4).rposition(|four| four == b"RCj1").unwrap();
    let ends = folders[0][&last].len();
    for at in begins..ends {
        let left = cut(&folders, 0, &(last.clone(), begins));
        let error = open(&flipped(&left, 1, &(last.clone(), at))).err();
        assert!(matches!(error, Some(OpenError::Lost { .. })), "silent at {at} of {ends}");
    }
}

#[test]
fn both_copies_cut_at_the_same_byte_are_told_unless_the_cut_is_between_two_writes() {
    let (folders, parcels) = filled();
    let (mut told, mut between) = (0, 0);
    let last = folders[0].keys().next_back().unwrap().clone();
    for place in places(&folders, 0) {
        match open(&cut(&cut(&folders, 0, &place), 1, &place)) {
            Err(error) => {
                told += 1;
                assert!(matches!(error, OpenError::Lost { .. }), "{error}");
            }
            Ok((_, journal)) => {
                between += 1;
                assert_eq!(place.0, last, "a cut before the last segment is always told");
                let found = journal.replay(1, 99).unwrap();
                let whole: Vec<_> = (1..).zip(parcels.iter().cloned()).take(found.len()).collect();
                assert_eq!(found, whole);
            }
        }
    }
    assert!(between <= RECORDS, "{between} cuts were silent, {told} were told");
}

#[test]
fn one_byte_changed_in_each_copy_is_told_or_mended_wherever_the_two_are() {
    let (folders, parcels) = filled();
    let (all_a, all_b) = (places(&folders, 0), places(&folders, 1));
    let (mut told, mut mended) = (0, 0);
    // Steps without a common divisor: all distances come.
    for n in 0..3_000 {
        let (a, b) = (&all_a[n * 7 % all_a.len()], &all_b[n * 131 % all_b.len()]);
        let left = flipped(&flipped(&folders, 0, a), 1, b);
        match open(&left) {
            Err(error) => {
                told += 1;
                assert!(matches!(error, OpenError::Lost { .. }), "{error}");
            }
            Ok(_) => {
                mended += 1;
                holds_all(&left, &parcels, &format!("{a:?} {b:?}"));
            }
        }
    }
    assert!(told > 100 && mended > 100, "{told} told, {mended} mended: this tests nothing");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_place_of_one_copys_file_lose_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        head in any::<bool>(),
        copy in 0..2_usize,
        file in any::<prop::sample::Index>(),
    ) {
        let (folders, parcels) = filled();
        let mut left = folders.clone();
        let name = file.get(&folders[0].keys().cloned().collect::<Vec<_>>()).clone();
        // Half of them look like a frame at first.
        let bytes = if head { [b"RCj1", bytes.as_slice()].concat() } else { bytes };
        left[copy].insert(name.clone(), bytes.clone());
        let last = Some(&name) == folders[0].keys().next_back();
        match open(&left) {
            Ok(_) => holds_all(&left, &parcels, &name),
            // More bytes than the other copy has there: something may have been behind them.
            Err(error) => {
                let lost = matches!(error, OpenError::Lost { .. });
                prop_assert!(lost && last && copy == 1 && bytes.len() > folders[0][&name].len());
            }
        }
    }
}
