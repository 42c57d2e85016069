//! A journal on two disks in memory.

use std::collections::BTreeMap;
use std::path::Path;

use rollcall::journal::{Bounds, Journal, OpenError};
use rollcall::record::KeyId;

use crate::disk::{Disks, Folders};
use crate::pen::Pen;

const SEGMENT_BYTES: u64 = 900;

fn key() -> KeyId {
    Pen::new("t-1", 1).public().id()
}

/// Opens it, as a terminal does at its start.
pub(crate) fn open(folders: Folders) -> Result<Journal, OpenError> {
    let (disks, dir) = (Disks::holding(folders), Path::new("memory"));
    let log = disks.log(SEGMENT_BYTES).map_err(|source| OpenError::of(dir, source))?;
    let terminal = "t-1".parse().expect("a name");
    Journal::open_on(Box::new(log), dir, &terminal, key(), Bounds::default())
}

/// The files of one copy that holds some records, and the contents of the last one over time.
pub(crate) fn filled() -> (BTreeMap<String, Vec<u8>>, Vec<Vec<u8>>) {
    let (disks, dir) = (Disks::default(), Path::new("memory"));
    let terminal = "t-1".parse().expect("a name");
    let log = disks.log(SEGMENT_BYTES).expect("memory does not fail");
    Journal::init_on(&log, dir, &terminal, key()).expect("memory does not fail");
    let log = disks.log(SEGMENT_BYTES).expect("memory does not fail");
    let journal = Journal::open_on(Box::new(log), dir, &terminal, key(), Bounds::default());
    let (journal, mut pen) = (journal.expect("it was just made"), Pen::new("t-1", 1));
    let mut contents = Vec::new();
    for _ in 0..5 {
        journal.append_durably(&pen.write()).expect("memory does not fail");
        let [copy, _] = disks.folders();
        contents.extend(copy.last_key_value().map(|(_, bytes)| bytes.clone()));
    }
    let [copy, _] = disks.folders();
    (copy, contents)
}
