//! Two disks in memory that write down every call, fail when told, and can say for each moment what
//! a power cut may leave: whatever was not synced has reached the disk, or not, block by block and
//! in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use rollcall::journal::{Disk, Log, StorageError};

/// What a disk writes in one piece.
const SECTOR: usize = 512;

/// The content of both copies' folders.
pub(crate) type Folders = [BTreeMap<String, Vec<u8>>; 2];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Write { name: String, at: usize, bytes: Vec<u8> },
    Sync { name: String },
    SyncNames,
    Replace { name: String, bytes: Vec<u8> },
    Remove { name: String },
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Call(usize, Call),
    /// The journal has said `Ok` to so much.
    Acknowledged(Acknowledged),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) appended: u64,
    pub(crate) released: u64,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing of it is done.
    NotDone,
    /// All of it is done, although it said that it failed.
    Done,
    /// Half of what was to be written is.
    Half,
}

#[derive(Default)]
struct Inner {
    folders: Folders,
    trace: Vec<Event>,
    /// Calls that change something, so far.
    calls: usize,
    fails: Option<(usize, Fault)>,
}

#[derive(Clone, Default)]
pub(crate) struct Disks(Arc<Mutex<Inner>>);

struct One(Disks, usize);

impl Disks {
    pub(crate) fn holding(folders: Folders) -> Self {
        Self(Arc::new(Mutex::new(Inner { folders, ..Inner::default() })))
    }

    pub(crate) fn both(&self) -> [Box<dyn Disk>; 2] {
        [Box::new(One(self.clone(), 0)), Box::new(One(self.clone(), 1))]
    }

    pub(crate) fn log(&self, segment_bytes: u64) -> Result<Log, StorageError> {
        Log::open_with(self.both(), segment_bytes)
    }

    pub(crate) fn folders(&self) -> Folders {
        self.0.lock().unwrap().folders.clone()
    }

    pub(crate) fn trace(&self) -> Vec<Event> {
        self.0.lock().unwrap().trace.clone()
    }

    pub(crate) fn acknowledge(&self, acknowledged: Acknowledged) {
        self.0.lock().unwrap().trace.push(Event::Acknowledged(acknowledged));
    }

    /// The so-manieth call from now on fails.
    pub(crate) fn fail(&self, after: usize, fault: Fault) {
        let mut inner = self.0.lock().unwrap();
        inner.fails = Some((inner.calls + after, fault));
    }

    /// Whether the planned failure has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.lock().unwrap().fails.is_none()
    }

    fn call(&self, copy: usize, call: Call) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        let fault = match inner.fails {
            Some((number, fault)) if number == inner.calls => Some(fault),
            Some(_) | None => None,
        };
        inner.calls += 1;
        let Some(fault) = fault else {
            apply(&mut inner.folders[copy], &call);
            inner.trace.push(Event::Call(copy, call));
            return Ok(());
        };
        inner.fails = None;
        match (fault, call) {
            (Fault::NotDone, _) => {}
            (Fault::Half, Call::Write { name, at, mut bytes }) => {
                bytes.truncate(bytes.len() / 2);
                apply(&mut inner.folders[copy], &Call::Write { name, at, bytes });
            }
            // The others are done in one step or not at all.
            (Fault::Half, _) => {}
            (Fault::Done, call) => apply(&mut inner.folders[copy], &call),
        }
        Err(io::Error::other("the disk is gone"))
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn apply(folder: &mut BTreeMap<String, Vec<u8>>, call: &Call) {
    match call {
        Call::Write { name, at, bytes } => put(folder.entry(name.clone()).or_default(), *at, bytes),
        Call::Replace { name, bytes } => {
            folder.insert(name.clone(), bytes.clone());
        }
        Call::Remove { name } => {
            folder.remove(name);
        }
        Call::Sync { .. } | Call::SyncNames => {}
    }
}

impl Disk for One {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.folders()[self.1].keys().cloned().collect())
    }

    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let inner = self.0.0.lock().unwrap();
        let file = inner.folders[self.1].get(name).ok_or(io::ErrorKind::NotFound)?;
        let from = usize::try_from(from).unwrap().min(file.len());
        Ok(file[from..file.len().min(from + bytes_max)].to_vec())
    }

    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).unwrap();
        self.0.call(self.1, Call::Write { name: name.into(), at, bytes: bytes.to_vec() })
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.0.call(self.1, Call::Sync { name: name.into() })
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.call(self.1, Call::SyncNames)
    }

    fn replace_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.call(self.1, Call::Replace { name: name.into(), bytes: bytes.to_vec() })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.call(self.1, Call::Remove { name: name.into() })
    }
}

/// One file of one copy between two syncs.
#[derive(Debug, Clone, Default)]
struct Unsynced {
    synced: Vec<u8>,
    now: Vec<u8>,
    /// Sectors that were written since the last sync.
    sectors: BTreeSet<usize>,
}

/// One copy as a power cut sees it.
#[derive(Debug, Clone, Default)]
struct Copy {
    files: BTreeMap<String, Unsynced>,
    /// Files whose names are not synced: they may be there, or not.
    named: BTreeSet<String>,
    /// Files that were removed and whose names are not synced: the same.
    removed: BTreeMap<String, Vec<u8>>,
}

/// Follows a trace and says at each moment what may be left.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watcher {
    copies: [Copy; 2],
    pub(crate) acknowledged: Acknowledged,
}

impl Watcher {
    /// Begins with folders that are all synced.
    pub(crate) fn of(folders: &Folders, acknowledged: Acknowledged) -> Self {
        let copy = |folder: &BTreeMap<String, Vec<u8>>| Copy {
            files: folder
                .iter()
                .map(|(name, bytes)| {
                    let (synced, now) = (bytes.clone(), bytes.clone());
                    (name.clone(), Unsynced { synced, now, sectors: BTreeSet::new() })
                })
                .collect(),
            ..Copy::default()
        };
        Self { copies: [copy(&folders[0]), copy(&folders[1])], acknowledged }
    }

    pub(crate) fn follow(&mut self, event: &Event) {
        let (copy, call) = match event {
            Event::Acknowledged(acknowledged) => {
                self.acknowledged = *acknowledged;
                return;
            }
            Event::Call(copy, call) => (&mut self.copies[*copy], call),
        };
        match call {
            Call::Write { name, at, bytes } => {
                if !copy.files.contains_key(name) {
                    copy.named.insert(name.clone());
                }
                let file = copy.files.entry(name.clone()).or_default();
                put(&mut file.now, *at, bytes);
                file.sectors.extend(at / SECTOR..=(at + bytes.len() - 1) / SECTOR);
            }
            Call::Sync { name } => {
                let file = copy.files.get_mut(name).unwrap();
                file.synced = file.now.clone();
                file.sectors.clear();
            }
            Call::SyncNames => {
                copy.named.clear();
                copy.removed.clear();
            }
            Call::Replace { name, bytes } => {
                let (synced, now) = (bytes.clone(), bytes.clone());
                copy.files.insert(name.clone(), Unsynced { synced, now, sectors: BTreeSet::new() });
                // Replacing syncs the folder.
                copy.named.clear();
                copy.removed.clear();
            }
            Call::Remove { name } => {
                let file = copy.files.remove(name).unwrap();
                copy.removed.insert(name.clone(), file.synced);
            }
        }
    }

    /// Every state that a power cut may leave now.
    pub(crate) fn crash_states(&self) -> Vec<Folders> {
        let [a, b] = [0, 1].map(|copy| self.copies[copy].crash_states());
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| [a.clone(), b.clone()]));
        pairs.collect()
    }
}

impl Copy {
    fn crash_states(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut states = vec![BTreeMap::new()];
        let mut choose = |name: &String, choices: &[Option<Vec<u8>>]| {
            states = states
                .iter()
                .flat_map(|state: &BTreeMap<String, Vec<u8>>| {
                    choices.iter().map(move |choice| {
                        let mut state = state.clone();
                        state.extend(choice.clone().map(|bytes| (name.clone(), bytes)));
                        state
                    })
                })
                .collect();
        };
        for (name, file) in &self.files {
            let mut choices: Vec<_> = file.crash_states().into_iter().map(Some).collect();
            if self.named.contains(name) {
                choices.push(None);
            }
            choose(name, &choices);
        }
        for (name, bytes) in &self.removed {
            choose(name, &[None, Some(bytes.clone())]);
        }
        states
    }
}

impl Unsynced {
    fn crash_states(&self) -> Vec<Vec<u8>> {
        let sectors: Vec<usize> = self.sectors.iter().copied().collect();
        assert!(sectors.len() <= 12, "too many sectors for all orders: {}", sectors.len());
        let mut states = BTreeSet::new();
        for length in [self.synced.len(), self.now.len()] {
            for subset in 0..1_u32 << sectors.len() {
                let mut bytes = self.synced.clone();
                bytes.resize(length, 0);
                for (n, sector) in sectors.iter().enumerate() {
                    let range = sector * SECTOR..((sector + 1) * SECTOR).min(length);
                    if subset >> n & 1 == 1 && !range.is_empty() {
                        bytes[range.clone()].copy_from_slice(&self.now[range]);
                    }
                }
                states.insert(bytes);
            }
            // What flash may do to the page that it was writing: nothing of it can be told.
            if let (Some(first), Some(last)) = (sectors.first(), sectors.last()) {
                let mut bytes = self.now.clone();
                bytes.truncate(length.max(self.synced.len()));
                let page = first * SECTOR..((last + 1) * SECTOR).min(bytes.len());
                bytes[page].fill(0xa5);
                states.insert(bytes);
            }
        }
        states.into_iter().collect()
    }
}
