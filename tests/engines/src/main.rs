//! The trial of docs/decisions/0013. Each engine takes records one by one, each made durable as its
//! documentation says (sled: with the `sync_data` of our own on top), while the process lives: the
//! files are looked at as a power cut or a kill would leave them, without the engine's clean end.
//!
//! Then one thing is done to a copy of the files, and the copy is opened:
//! - `power cut`: between two acknowledged records, after the engine has written and before its
//!   file was synced. Each 4096-byte block that changed since the last sync may have reached the
//!   disk or not, and so may the file's new length; every combination where that is few, else a
//!   seeded sample.
//! - `cut`: the file ends at this byte, which is before the last byte of an acknowledged record.
//! - `flip`: this byte has all its bits turned.
//!
//! What comes of it, for acknowledged records:
//! - `whole`: all of them are there.
//! - `told`: the engine gives an error or panics, or a value is not what was written (the journal's
//!   own checksum tells that).
//! - `SILENT`: fewer are there, and nobody says so.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use redb::{ReadableDatabase as _, ReadableTable as _};

const RECORDS: u64 = 60;
const BLOCK: usize = 4096;
/// Places of a cut or a flip, beside those of the last blocks.
const SPREAD: usize = 1_000;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    println!("| engine | what | cases | whole | told | SILENT |");
    println!("|---|---|---|---|---|---|");
    trial::<Sled>("sled 0.34.7 + sync_data");
    trial::<Redb>("redb 4.6");
}

/// The bytes of one stored record: about the size of a parcel, different for each number.
fn value(seq: u64) -> Vec<u8> {
    let mut state = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let length = 420 + usize::try_from(seq % 7).expect("small") * 30;
    (0..length)
        .map(|_| {
            state = next(state);
            state.to_le_bytes()[3]
        })
        .collect()
}

fn next(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

/// The content of the engine's one big file before and after an append that was not synced yet.
struct Unsynced {
    /// Records that were acknowledged before.
    acknowledged: u64,
    before: Vec<u8>,
    after: Vec<u8>,
}

trait Engine {
    const FILE: &'static str;
    /// Appends `RECORDS` records; gives the states between writing and syncing. The folder holds
    /// what a kill leaves.
    fn fill(dir: &Path) -> Vec<Unsynced>;
    fn read(dir: &Path) -> Result<BTreeMap<u64, Vec<u8>>, String>;
}

#[derive(Default)]
struct Counts {
    whole: u64,
    told: u64,
    silent: u64,
    first: Option<String>,
}

impl Counts {
    fn add<E: Engine>(&mut self, dir: &Path, acknowledged: u64, name: impl Fn() -> String) {
        let read = catch_unwind(AssertUnwindSafe(|| E::read(dir)));
        let Ok(Ok(found)) = read else {
            self.told += 1;
            return;
        };
        let wrong = found.iter().any(|(seq, bytes)| *bytes != value(*seq));
        let gone = (1..=acknowledged).filter(|seq| !found.contains_key(seq)).count();
        // A hole before a record that is there is told by the journal's chain.
        let hole = found.keys().next_back().is_some_and(|last| *last != found.len() as u64);
        if gone == 0 && !wrong {
            self.whole += 1
        } else if wrong || hole {
            self.told += 1
        } else {
            self.silent += 1;
            self.first.get_or_insert_with(|| format!("{}: {gone} of {acknowledged} gone", name()));
        }
    }

    fn tell(&self, engine: &str, what: &str) {
        let Counts { whole, told, silent, first } = self;
        println!("| {engine} | {what} | {} | {whole} | {told} | {silent} |", whole + told + silent);
        if let Some(first) = first {
            eprintln!("  first silent loss of {engine}, {what}: {first}")
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("scratch");
    for entry in fs::read_dir(from).expect("scratch") {
        let entry = entry.expect("scratch");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("scratch").is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(|_| ()).expect("scratch")
        }
    }
}

fn trial<E: Engine>(name: &str) {
    let root = tempfile::tempdir().expect("scratch");
    let live = root.path().join("live");
    let unsynced = E::fill(&live);
    // As a kill leaves it: `fill` has left the engine open.
    let whole = root.path().join("whole");
    copy(&live, &whole);
    let bytes = fs::read(whole.join(E::FILE)).expect("scratch");
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let scratch = root.path().join("scratch");
    let put = |content: &[u8]| -> PathBuf {
        fs::remove_dir_all(&scratch).ok();
        copy(&whole, &scratch);
        fs::write(scratch.join(E::FILE), content).expect("scratch");
        scratch.clone()
    };

    let mut counts = Counts::default();
    counts.add::<E>(&put(&bytes), RECORDS, || "nothing".into());
    counts.tell(name, "nothing (control)");

    let mut counts = Counts::default();
    for state in &unsynced {
        for (n, crash) in crash_states(state).into_iter().enumerate() {
            counts.add::<E>(&put(&crash), state.acknowledged, || format!("state {n}"));
        }
    }
    counts.tell(name, "power cut");

    // Every 16th byte of the last two blocks, and places spread evenly over all.
    let step = used.div_ceil(SPREAD);
    let places = || (0..used).filter(|at| at % step == 0 || at + 2 * BLOCK > used && at % 16 == 0);
    let mut counts = Counts::default();
    for at in places() {
        counts.add::<E>(&put(&bytes[..at]), RECORDS, || format!("byte {at} of {used}"));
    }
    counts.tell(name, "cut");
    let mut counts = Counts::default();
    for at in places() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0xff;
        counts.add::<E>(&put(&flipped), RECORDS, || format!("byte {at} of {used}"));
    }
    counts.tell(name, "flip");
}

fn crash_states(state: &Unsynced) -> Vec<Vec<u8>> {
    let Unsynced { before, after, .. } = state;
    let length = before.len().max(after.len());
    let at = |bytes: &[u8], place: usize| bytes.get(place).copied().unwrap_or(0);
    let changed: Vec<usize> = (0..length.div_ceil(BLOCK))
        .filter(|block| {
            (block * BLOCK..((block + 1) * BLOCK).min(length))
                .any(|p| at(before, p) != at(after, p))
        })
        .collect();
    let lengths = if before.len() == after.len() {
        vec![before.len()]
    } else {
        vec![before.len(), after.len()]
    };
    let subsets: Vec<u64> = if changed.len() <= 3 {
        (0..1 << changed.len()).collect()
    } else {
        let mut seed = length as u64 | 1;
        (0..8)
            .map(|_| {
                seed = next(seed);
                seed
            })
            .chain([0, u64::MAX])
            .collect()
    };
    let mut states = Vec::new();
    for size in lengths {
        for subset in &subsets {
            let mut bytes: Vec<u8> = (0..size).map(|place| at(before, place)).collect();
            for (n, block) in changed.iter().enumerate().take(64) {
                if subset >> n & 1 == 1 {
                    for place in block * BLOCK..((block + 1) * BLOCK).min(size) {
                        bytes[place] = at(after, place);
                    }
                }
            }
            states.push(bytes);
        }
    }
    states
}

struct Sled;

impl Engine for Sled {
    const FILE: &'static str = "db";

    fn fill(dir: &Path) -> Vec<Unsynced> {
        let db = open_sled(dir).expect("sled");
        let path = dir.join(Self::FILE);
        let log = fs::File::open(&path).expect("sled's log");
        log.sync_data().expect("a disk");
        let mut states = Vec::new();
        let mut before = fs::read(&path).expect("sled's log");
        for seq in 1..=RECORDS {
            let mut batch = sled::Batch::default();
            batch.insert(&seq.to_be_bytes(), value(seq));
            db.apply_batch(batch).expect("sled");
            db.flush().expect("sled");
            let after = fs::read(&path).expect("sled's log");
            log.sync_data().expect("a disk");
            states.push(Unsynced { acknowledged: seq - 1, before, after: after.clone() });
            before = after;
        }
        std::mem::forget(db);
        states
    }

    fn read(dir: &Path) -> Result<BTreeMap<u64, Vec<u8>>, String> {
        let db = open_sled(dir).map_err(|error| error.to_string())?;
        let mut found = BTreeMap::new();
        for pair in db.iter() {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            let key = key.as_ref().try_into().map_err(|_| "a strange key".to_string())?;
            found.insert(u64::from_be_bytes(key), value.to_vec());
        }
        Ok(found)
    }
}

fn open_sled(dir: &Path) -> sled::Result<sled::Db> {
    sled::Config::new().path(dir).cache_capacity(8 << 20).flush_every_ms(None).open()
}

struct Redb;

const TABLE: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("records");

/// Beneath redb: writes through to the file, and keeps the content as of the last sync.
#[derive(Debug)]
struct Watched {
    file: redb::backends::FileBackend,
    path: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    synced: Vec<u8>,
    acknowledged: u64,
    states: Vec<(u64, Vec<u8>, Vec<u8>)>,
}

impl redb::StorageBackend for Watched {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.file.set_len(len)
    }
    fn sync_data(&self) -> Result<(), std::io::Error> {
        let mut seen = self.seen.lock().expect("no panic");
        let now = fs::read(&self.path)?;
        let before = std::mem::replace(&mut seen.synced, now.clone());
        let acknowledged = seen.acknowledged;
        seen.states.push((acknowledged, before, now));
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.file.write(offset, data)
    }
    fn close(&self) -> Result<(), std::io::Error> {
        self.file.close()
    }
}

impl Engine for Redb {
    const FILE: &'static str = "journal.redb";

    fn fill(dir: &Path) -> Vec<Unsynced> {
        fs::create_dir_all(dir).expect("scratch");
        let path = dir.join(Self::FILE);
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .expect("scratch");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let backend = Watched {
            file: redb::backends::FileBackend::new(file).expect("redb"),
            path,
            seen: Arc::clone(&seen),
        };
        let db = redb::Builder::new().create_with_backend(backend).expect("redb");
        for seq in 1..=RECORDS {
            let write = db.begin_write().expect("redb");
            write
                .open_table(TABLE)
                .expect("redb")
                .insert(seq, value(seq).as_slice())
                .expect("redb");
            write.commit().expect("redb");
            seen.lock().expect("no panic").acknowledged = seq;
        }
        std::mem::forget(db);
        let states = std::mem::take(&mut seen.lock().expect("no panic").states);
        states
            .into_iter()
            .filter(|(acknowledged, ..)| *acknowledged > 0)
            .map(|(acknowledged, before, after)| Unsynced { acknowledged, before, after })
            .collect()
    }

    fn read(dir: &Path) -> Result<BTreeMap<u64, Vec<u8>>, String> {
        let db = redb::Database::open(dir.join(Self::FILE)).map_err(|error| error.to_string())?;
        let read = db.begin_read().map_err(|error| error.to_string())?;

        let table = match read.open_table(TABLE) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error.to_string()),
        };
        let mut found = BTreeMap::new();
        for pair in table.iter().map_err(|error| error.to_string())? {
            let (key, value) = pair.map_err(|error| error.to_string())?;
            found.insert(key.value(), value.value().to_vec());
        }
        Ok(found)
    }
}
