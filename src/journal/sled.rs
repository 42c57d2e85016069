//! The journal's storage on sled 0.34.
//!
//! Two of its habits are met here. Its `flush` starts the writing but does not wait for the disk's
//! own cache (it calls `sync_file_range` only), so each flush is followed by `sync_data` on the
//! file it writes to. And over damaged files it may panic instead of answering, so every call is
//! fenced, and a panic becomes [`StorageError::Crashed`].

use std::fs::{File, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use super::storage::{Storage, StorageError, Visit, Write};
use crate::platform::clock::Stopwatch;
use crate::platform::durable;

/// Most memory for pages: the journal is written once and read in order, so little suffices.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// How long to wait for another holder of the lock to end.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_POLL: Duration = Duration::from_millis(10);

/// The name of the file in which sled keeps its log.
const LOG_FILE: &str = "db";

pub(super) struct SledStorage {
    db: sled::Db,
    /// Our own handle of sled's log: syncing it syncs the file, whoever wrote to it.
    log: File,
}

/// Makes a store in a folder that has none.
pub(super) fn create(dir: &Path) -> Result<SledStorage, StorageError> {
    if dir.join(LOG_FILE).exists() {
        let storage = start(dir)?;
        // A crash between the two steps of making a journal leaves an empty store: go on with it.
        let empty = fenced(|| Ok(storage.db.is_empty()))?;
        return if empty { Ok(storage) } else { Err(StorageError::Exists) };
    }
    std::fs::create_dir_all(dir).map_err(StorageError::Io)?;
    let storage = start(dir)?;
    // The names of the new folder and files must survive a power cut as well as their content.
    durable::sync_folder_of(dir).map_err(StorageError::Io)?;
    durable::sync_folder_of(&dir.join(LOG_FILE)).map_err(StorageError::Io)?;
    Ok(storage)
}

/// Opens the store in a folder that has one.
pub(super) fn open(dir: &Path) -> Result<SledStorage, StorageError> {
    if !dir.join(LOG_FILE).exists() {
        return Err(StorageError::Missing);
    }
    start(dir)
}

/// Waits until nobody holds sled's lock. sled itself would fail at once, and after a terminal has
/// ended its lock may outlive it for a moment: in one of sled's threads, or in a process that is
/// just being started and has not closed yet what it inherited.
fn await_lock(dir: &Path) -> Result<(), StorageError> {
    let log = match File::open(dir.join(LOG_FILE)) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StorageError::Io(error)),
    };
    let waiting = Stopwatch::start();
    loop {
        match log.try_lock() {
            // Ours only for a moment: sled takes it next.
            Ok(()) => return log.unlock().map_err(StorageError::Io),
            Err(TryLockError::WouldBlock) if waiting.elapsed() < LOCK_WAIT => {
                std::thread::sleep(LOCK_POLL);
            }
            Err(TryLockError::WouldBlock) => return Err(StorageError::Busy),
            Err(TryLockError::Error(error)) => return Err(StorageError::Io(error)),
        }
    }
}

fn start(dir: &Path) -> Result<SledStorage, StorageError> {
    await_lock(dir)?;
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(CACHE_BYTES)
        // No thread that flushes behind our back: each write is flushed and synced by us.
        .flush_every_ms(None);
    let db = fenced(|| config.open())?;
    let log = File::open(dir.join(LOG_FILE)).map_err(StorageError::Io)?;
    Ok(SledStorage { db, log })
}

fn fenced<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, StorageError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| StorageError::Engine(Box::new(error))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(StorageError::Crashed(text.unwrap_or("without a word").to_owned()))
        }
    }
}

impl Storage for SledStorage {
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StorageError> {
        fenced(|| {
            for pair in self.db.range(from..) {
                let (key, value) = pair?;
                if visit(&key, &value).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn write_durably(&self, writes: &[Write]) -> Result<(), StorageError> {
        fenced(|| {
            let mut batch = sled::Batch::default();
            for write in writes {
                match &write.value {
                    Some(value) => batch.insert(write.key.as_slice(), value.as_slice()),
                    None => batch.remove(write.key.as_slice()),
                }
            }
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            Ok(())
        })?;
        self.log.sync_data().map_err(StorageError::Io)
    }
}
