//! The power is cut at every call that a busy journal makes to its disks, and whatever was not synced
//! reaches the disk or not, sector by sector, in every order that the syncs allow. Whatever is left
//! must open, hold every record that was acknowledged, and go on with the right number.

use std::collections::BTreeSet;
use std::path::Path;

use rollcall::journal::{Bounds, Journal, OpenError};
use rollcall::record::Parcel;

use crate::support::disk::{Acknowledged, Disks, Event, Folders, Watcher};
use crate::support::records::{
    append, at_ms, committed, parcel_for, refused, terminal_id, terminal_key,
};

/// Three records or so, so that segments begin and end all the time.
const SEGMENT_BYTES: u64 = 1_500;

/// Keeps nothing that is released, so that records and segments go.
fn bounds() -> Bounds {
    Bounds { kept_bytes_max: 0, ..Bounds::default() }
}

fn open(disks: &Disks) -> Result<Journal, OpenError> {
    let dir = Path::new("memory");
    let log = disks.log(SEGMENT_BYTES).map_err(|source| OpenError::of(dir, source))?;
    let key = terminal_key().verifying_key().id();
    Journal::open_on(Box::new(log), dir, &terminal_id(), key, bounds())
}

fn made() -> Disks {
    let disks = Disks::default();
    let log = disks.log(SEGMENT_BYTES).unwrap();
    let key = terminal_key().verifying_key().id();
    Journal::init_on(&log, Path::new("memory"), &terminal_id(), key).unwrap();
    disks
}

/// A life of check-ins, receipts and refusals out of turn; each `Ok` is marked in the trace.
fn live(disks: &Disks, journal: &Journal, records: u64) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    let mark = |journal: &Journal| {
        let standing = journal.standing();
        disks
            .acknowledge(Acknowledged { appended: standing.appended, released: standing.released });
    };
    for seq in 1..=records {
        parcels.push(append(journal));
        mark(journal);
        let hash = |seq: u64| parcels[usize::try_from(seq).unwrap() - 1].sealed.hash();
        if seq % 5 == 3 {
            journal.release_durably(&refused(seq, hash(seq), at_ms(0))).unwrap();
            mark(journal);
        }
        if seq % 7 == 0 {
            let last = seq - 2;
            journal.release_durably(&committed(1, last, hash(last), at_ms(0))).unwrap();
            mark(journal);
        }
    }
    parcels
}

/// What must hold of anything that a power cut leaves.
fn check(left: &Folders, parcels: &[Parcel], acknowledged: Acknowledged) {
    let disks = Disks::holding(left.clone());
    let journal = open(&disks).unwrap_or_else(|error| panic!("{acknowledged:?}: {error}"));
    let standing = journal.standing();
    assert!(standing.appended >= acknowledged.appended, "{standing:?} {acknowledged:?}");
    assert!(standing.appended <= acknowledged.appended + 1, "{standing:?} {acknowledged:?}");
    assert!(standing.released >= acknowledged.released, "{standing:?} {acknowledged:?}");
    let found = journal.replay(1, usize::MAX).unwrap();
    let numbers: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
    let kept: Vec<u64> = (standing.kept_from..=standing.appended).collect();
    assert_eq!(numbers, kept, "each once, in order, without a hole");
    for (seq, parcel) in &found {
        assert_eq!(parcel, &parcels[usize::try_from(*seq).unwrap() - 1], "bit for bit");
    }
    assert_eq!(journal.next().seq, standing.appended + 1);
    let next = append(&journal);
    drop(journal);
    let journal = open(&disks).unwrap();
    assert_eq!(journal.replay(standing.appended + 1, 9).unwrap(), [(standing.appended + 1, next)]);
    let [a, b] = disks.folders();
    assert_eq!(a, b, "both copies are the same again");
}

/// Each moment of a trace with all that a power cut may leave there.
fn moments(
    start: &Folders,
    trace: &[Event],
    acknowledged: Acknowledged,
) -> Vec<(Watcher, Folders)> {
    let mut watcher = Watcher::of(start, acknowledged);
    let mut moments = Vec::new();
    let mut seen = BTreeSet::new();
    for event in trace {
        watcher.follow(event);
        for left in watcher.crash_states() {
            if seen.insert((
                left.clone(),
                watcher.acknowledged.appended,
                watcher.acknowledged.released,
            )) {
                moments.push((watcher.clone(), left));
            }
        }
    }
    moments
}

#[test]
fn a_power_cut_at_any_call_with_any_order_of_what_was_not_synced_loses_nothing_acknowledged() {
    let disks = made();
    let start = disks.folders();
    let before = disks.trace().len();
    let journal = open(&disks).unwrap();
    let parcels = live(&disks, &journal, 24);
    let spare = parcel_for(journal.next());
    let parcels = [parcels, vec![spare]].concat();
    let segments: BTreeSet<String> = disks
        .trace()
        .iter()
        .filter_map(|event| match event {
            Event::Call(_, crate::support::disk::Call::Write { name, .. }) => Some(name.clone()),
            Event::Call(..) | Event::Acknowledged(_) => None,
        })
        .collect();
    assert!(segments.len() >= 5, "this tests no change of segments: {segments:?}");
    let kept = disks.folders()[0].len();
    assert!(kept < segments.len(), "this tests no forgetting: {kept} of {}", segments.len());
    let moments = moments(&start, &disks.trace()[before..], Acknowledged::default());
    for (watcher, left) in &moments {
        check(left, &parcels, watcher.acknowledged);
    }
    println!("{} states that a power cut may leave", moments.len());
    assert!(moments.len() > 1_000, "{} states are too few to mean anything", moments.len());
}

#[test]
fn a_second_power_cut_while_the_first_is_mended_loses_nothing_either() {
    let disks = made();
    let start = disks.folders();
    let before = disks.trace().len();
    let journal = open(&disks).unwrap();
    let parcels = live(&disks, &journal, 9);
    let parcels = [parcels, vec![parcel_for(journal.next())]].concat();
    let firsts = moments(&start, &disks.trace()[before..], Acknowledged::default());
    let mut states = 0;
    // Every thirteenth, so that all kinds come and the test stays short.
    for (watcher, left) in firsts.iter().step_by(13) {
        let disks = Disks::holding(left.clone());
        drop(open(&disks).unwrap());
        for (_, left) in moments(left, &disks.trace(), watcher.acknowledged) {
            check(&left, &parcels, watcher.acknowledged);
            states += 1;
        }
    }
    println!("{states} states that a second power cut may leave");
    assert!(states > 100, "{states} states are too few to mean anything");
}
