//! The two disks of a station, in memory. A call can be the last one before the power goes; then
//! whatever was not synced has reached the disk or not, sector by sector, and names of files
//! likewise. `tests/it/journal_power_cut.rs` tries all such states of a short life; here the dice
//! choose one at each cut of a long one.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::dice::Dice;
use crate::journal::Disk;

/// What a disk writes in one piece.
const SECTOR: usize = 512;

#[derive(Debug, Clone, Default)]
struct SimFile {
    bytes: Vec<u8>,
    synced_length: usize,
    /// What the sectors held that were written since the last sync.
    before: BTreeMap<usize, Vec<u8>>,
    named: bool,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    files: BTreeMap<String, SimFile>,
    /// Removed, and the folder not synced since.
    removed: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Default)]
struct Inner {
    folders: [Folder; 2],
    /// Calls until the power goes.
    left: Option<u64>,
    dead: bool,
    sync_lies: bool,
}

/// A station's disks. Cloning gives another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Disks(Arc<Mutex<Inner>>);

/// What lies on both disks.
#[derive(Debug, Clone)]
pub(super) struct Image([Folder; 2]);

struct One(Disks, usize);

impl Disks {
    /// Disks whose sync does nothing, if it `lies`.
    pub(super) fn new(sync_lies: bool) -> Self {
        Self(Arc::new(Mutex::new(Inner { sync_lies, ..Inner::default() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no code under this lock panics")
    }

    pub(super) fn both(&self) -> [Box<dyn Disk>; 2] {
        [Box::new(One(self.clone(), 0)), Box::new(One(self.clone(), 1))]
    }

    pub(super) fn image(&self) -> Image {
        Image(self.inner().folders.clone())
    }

    pub(super) fn put(&self, image: Image) {
        self.inner().folders = image.0;
    }

    /// The power goes after so many calls.
    pub(super) fn cut_after(&self, calls: u64) {
        self.inner().left = Some(calls);
    }

    /// No cut is planned any more.
    pub(super) fn hold(&self) {
        self.inner().left = None;
    }

    /// Whether the power is gone.
    pub(super) fn is_dead(&self) -> bool {
        self.inner().dead
    }

    /// What a power cut leaves, and the power is there again.
    pub(super) fn cut(&self, dice: &mut Dice) {
        let mut inner = self.inner();
        (inner.left, inner.dead) = (None, false);
        for folder in &mut inner.folders {
            folder.cut(dice);
        }
    }

    /// The medium loses the same stretch in both copies. False where nothing lies there.
    pub(super) fn damage(&self, dice: &mut Dice) -> bool {
        let mut inner = self.inner();
        let names: Vec<String> = inner.folders[0].files.keys().cloned().collect();
        if names.is_empty() {
            return false;
        }
        let name = &names[dice.index(names.len())];
        let at = dice.throw();
        let length = dice.between(1, 40);
        for folder in &mut inner.folders {
            let Some(file) = folder.files.get_mut(name).filter(|file| !file.bytes.is_empty())
            else {
                continue;
            };
            let from = usize::try_from(at % file.bytes.len() as u64).unwrap_or(0);
            let to = (from + usize::try_from(length).unwrap_or(1)).min(file.bytes.len());
            file.bytes[from..to].fill(0x5a);
        }
        true
    }

    fn change(&self, copy: usize, change: impl FnOnce(&mut Folder, bool)) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.dead {
            return Err(gone());
        }
        match inner.left {
            Some(0) => {
                inner.dead = true;
                return Err(gone());
            }
            Some(left) => inner.left = Some(left - 1),
            None => {}
        }
        let lies = inner.sync_lies;
        change(&mut inner.folders[copy], lies);
        Ok(())
    }

    fn look<T>(&self, copy: usize, look: impl FnOnce(&Folder) -> io::Result<T>) -> io::Result<T> {
        let inner = self.inner();
        if inner.dead { Err(gone()) } else { look(&inner.folders[copy]) }
    }
}

fn gone() -> io::Error {
    io::Error::other("the power is gone")
}

impl Folder {
    fn cut(&mut self, dice: &mut Dice) {
        for (name, bytes) in std::mem::take(&mut self.removed) {
            if dice.happens(500) {
                self.files.entry(name).or_insert(SimFile { bytes, ..SimFile::default() });
            }
        }
        self.files.retain(|_, file| file.named || dice.happens(500));
        for file in self.files.values_mut() {
            file.cut(dice);
        }
    }

    fn all_named(&mut self) {
        self.removed.clear();
        for file in self.files.values_mut() {
            file.named = true;
        }
    }
}

impl SimFile {
    fn whole(bytes: &[u8]) -> Self {
        let synced_length = bytes.len();
        Self { bytes: bytes.to_vec(), synced_length, before: BTreeMap::new(), named: true }
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        for sector in at / SECTOR..=(at + bytes.len().max(1) - 1) / SECTOR {
            let from = (sector * SECTOR).min(self.bytes.len());
            let to = ((sector + 1) * SECTOR).min(self.bytes.len());
            let old = &self.bytes[from..to];
            self.before.entry(sector).or_insert_with(|| old.to_vec());
        }
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }

    fn sync(&mut self) {
        self.before.clear();
        self.synced_length = self.bytes.len();
    }

    fn cut(&mut self, dice: &mut Dice) {
        let before = std::mem::take(&mut self.before);
        let mut length = self.bytes.len();
        if length > self.synced_length && dice.happens(500) {
            length = self.synced_length;
        }
        for (sector, old) in before {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.bytes.len());
            if range.is_empty() || dice.happens(500) {
                continue;
            }
            let torn = dice.happens(250);
            let kept = &mut self.bytes[range];
            // What flash may do to the page that it was writing: nothing of it can be told.
            kept.fill(if torn { 0xa5 } else { 0 });
            if !torn {
                kept[..old.len()].copy_from_slice(&old);
            }
        }
        self.bytes.truncate(length);
        (self.synced_length, self.named) = (self.bytes.len(), true);
    }
}

impl Disk for One {
    fn names(&self) -> io::Result<Vec<String>> {
        self.0.look(self.1, |folder| Ok(folder.files.keys().cloned().collect()))
    }

    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        self.0.look(self.1, |folder| {
            let bytes = &folder.files.get(name).ok_or(io::ErrorKind::NotFound)?.bytes;
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            Ok(bytes[from..bytes.len().min(from.saturating_add(bytes_max))].to_vec())
        })
    }

    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        self.0.change(self.1, |folder, _| {
            folder.files.entry(name.to_owned()).or_default().write(at, bytes);
        })
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.0.change(self.1, |folder, lies| {
            if let Some(file) = folder.files.get_mut(name).filter(|_| !lies) {
                file.sync();
            }
        })
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.change(self.1, |folder, lies| {
            if !lies {
                folder.all_named();
            }
        })
    }

    fn replace_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.change(self.1, |folder, _| {
            folder.files.insert(name.to_owned(), SimFile::whole(bytes));
            folder.all_named();
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.change(self.1, |folder, _| {
            if let Some(file) = folder.files.remove(name) {
                folder.removed.insert(name.to_owned(), file.bytes);
            }
        })
    }
}
