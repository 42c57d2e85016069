//! The journal's disk on real files: a folder with the two copies of the log in `a` and `b`, and a
//! `lock` that one process holds. `b` may be a link to a folder on another disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::disk::Disk;
use super::storage::StorageError;
use crate::platform::clock::Stopwatch;
use crate::platform::durable::{self, Access};

/// How long to wait for another holder of the lock to end: it may outlive its process for a moment,
/// in one that is just being started and has not closed yet what it inherited.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_POLL: Duration = Duration::from_millis(10);

const LOCK_FILE: &str = "lock";
const COPIES: [&str; 2] = ["a", "b"];

/// A file that stays open, by its name.
type Slot = Option<(String, Arc<File>)>;

/// One copy's folder.
pub(super) struct Folder {
    path: PathBuf,
    /// The files that were used last: for reading, for writing.
    open: Mutex<[Slot; 2]>,
    /// Held until this is dropped.
    _lock: Option<Arc<File>>,
}

/// Whether there is something that could be a journal.
pub(super) fn exists(dir: &Path) -> bool {
    COPIES.iter().any(|copy| dir.join(copy).is_dir())
}

/// The folders of both copies, locked. What is missing of them is made: a copy can be made again
/// from the other one.
pub(super) fn lock(dir: &Path) -> Result<[Box<dyn Disk>; 2], StorageError> {
    let made = !dir.is_dir();
    fs::create_dir_all(dir).map_err(StorageError::Io)?;
    if made {
        durable::sync_folder_of(dir).map_err(StorageError::Io)?;
    }
    let lock = Arc::new(hold_new(&dir.join(LOCK_FILE))?);
    let folder = |copy: &str| -> io::Result<Box<dyn Disk>> {
        let path = dir.join(copy);
        if !path.is_dir() {
            fs::create_dir(&path)?;
            durable::sync_folder_of(&path)?;
        }
        Ok(Box::new(Folder { path, open: Mutex::default(), _lock: Some(Arc::clone(&lock)) }))
    };
    let [a, b] = COPIES.map(folder);
    Ok([a.map_err(StorageError::Io)?, b.map_err(StorageError::Io)?])
}

/// The folders as they are, for looking: nothing is made, and the disk may be read-only. Locked all
/// the same, so that nobody writes meanwhile.
pub(super) fn look(dir: &Path) -> Result<[Box<dyn Disk>; 2], StorageError> {
    if !exists(dir) {
        return Err(StorageError::Missing);
    }
    let lock = match File::open(dir.join(LOCK_FILE)) {
        Ok(lock) => Some(Arc::new(hold(lock)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(StorageError::Io(error)),
    };
    Ok(COPIES.map(|copy| -> Box<dyn Disk> {
        let path = dir.join(copy);
        Box::new(Folder { path, open: Mutex::default(), _lock: lock.clone() })
    }))
}

/// Where a repaired journal is made, before it takes the place of the damaged one.
pub(super) fn making(dir: &Path) -> PathBuf {
    with_suffix(dir, ".repairing")
}

fn made(dir: &Path) -> PathBuf {
    with_suffix(dir, ".repaired")
}

fn with_suffix(dir: &Path, suffix: &str) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Ends a repair that was cut off between its last two steps, and forgets one that did not come so
/// far.
pub(super) fn resume(dir: &Path) -> io::Result<()> {
    for unfinished in [making(dir), made(dir)] {
        let is_whole = unfinished == made(dir);
        if !unfinished.is_dir() {
            continue;
        }
        if is_whole && !dir.is_dir() {
            publish(&unfinished, dir)?;
        } else {
            fs::remove_dir_all(unfinished)?;
        }
    }
    Ok(())
}

/// Puts the repaired journal in the place of the damaged one, which is kept under a name of its own.
pub(super) fn exchange(dir: &Path) -> io::Result<PathBuf> {
    let mut names = (1_u32..).map(|n| with_suffix(dir, &format!(".damaged-{n}")));
    let kept = names.find(|path| !path.exists()).expect("there are free numbers");
    publish(&making(dir), &made(dir))?;
    // A crash between the next two leaves no journal in its place: `run` says so, and the next
    // repair goes on from there.
    publish(dir, &kept)?;
    publish(&made(dir), dir)?;
    Ok(kept)
}

fn publish(from: &Path, to: &Path) -> io::Result<()> {
    durable::publish(from, to).map_err(|error| error.io)
}

fn hold_new(path: &Path) -> Result<File, StorageError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    hold(options.open(path).map_err(StorageError::Io)?)
}

fn hold(lock: File) -> Result<File, StorageError> {
    let waiting = Stopwatch::start();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if waiting.elapsed() < LOCK_WAIT => {
                std::thread::sleep(LOCK_POLL);
            }
            Err(TryLockError::WouldBlock) => return Err(StorageError::Busy),
            Err(TryLockError::Error(error)) => return Err(StorageError::Io(error)),
        }
    }
}

impl Folder {
    fn slots(&self) -> MutexGuard<'_, [Slot; 2]> {
        self.open.lock().expect("no code under this lock panics")
    }

    fn file(&self, name: &str, writes: bool) -> io::Result<Arc<File>> {
        let mut slots = self.slots();
        let slot = &mut slots[usize::from(writes)];
        if let Some((open, file)) = slot.as_ref()
            && open == name
        {
            return Ok(Arc::clone(file));
        }
        let mut options = OpenOptions::new();
        options.read(true);
        if writes {
            options.write(true).create(true).truncate(false).mode(0o600);
        }
        let file = Arc::new(options.open(self.path.join(name))?);
        *slot = Some((name.to_owned(), Arc::clone(&file)));
        Ok(file)
    }

    fn forget(&self) {
        *self.slots() = Default::default();
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            // Only for looking: whoever writes has made it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error),
        };
        for entry in entries {
            // A name that is no text is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let file = self.file(name, false)?;
        let left = file.metadata()?.len().saturating_sub(from);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes_max);
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }

    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file(name, true)?.write_all_at(bytes, at)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        // fdatasync also writes the new length, which reading the bytes back needs.
        self.file(name, true)?.sync_data()
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn replace_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.forget();
        let path = self.path.join(name);
        durable::write(&path, bytes, Access::Owner).map_err(|error| error.io)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.forget();
        fs::remove_file(self.path.join(name))
    }
}
