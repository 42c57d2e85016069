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

/// One copy's folder.
pub(super) struct Folder {
    path: PathBuf,
    /// The file that was used last.
    open: Mutex<Option<(String, Arc<File>)>>,
    /// Held until this is dropped.
    _lock: Arc<File>,
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
    let lock = Arc::new(hold(&dir.join(LOCK_FILE))?);
    let folder = |copy: &str| -> io::Result<Box<dyn Disk>> {
        let path = dir.join(copy);
        if !path.is_dir() {
            fs::create_dir(&path)?;
            durable::sync_folder_of(&path)?;
        }
        Ok(Box::new(Folder { path, open: Mutex::default(), _lock: Arc::clone(&lock) }))
    };
    let [a, b] = COPIES.map(folder);
    Ok([a.map_err(StorageError::Io)?, b.map_err(StorageError::Io)?])
}

fn hold(path: &Path) -> Result<File, StorageError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(path).map_err(StorageError::Io)?;
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
    fn slot(&self) -> MutexGuard<'_, Option<(String, Arc<File>)>> {
        self.open.lock().expect("no code under this lock panics")
    }

    fn file(&self, name: &str, options: &OpenOptions) -> io::Result<Arc<File>> {
        let mut slot = self.slot();
        if let Some((open, file)) = slot.as_ref()
            && open == name
        {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(options.open(self.path.join(name))?);
        *slot = Some((name.to_owned(), Arc::clone(&file)));
        Ok(file)
    }

    fn existing(&self, name: &str) -> io::Result<Arc<File>> {
        self.file(name, OpenOptions::new().read(true).write(true))
    }

    fn forget(&self) {
        *self.slot() = None;
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is no text is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let file = self.existing(name)?;
        let left = file.metadata()?.len().saturating_sub(from);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes_max);
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }

    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        self.file(name, &options)?.write_all_at(bytes, at)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        // fdatasync also writes the new length, which reading the bytes back needs.
        self.existing(name)?.sync_data()
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
