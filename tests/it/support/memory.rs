//! A journal's storage in memory that fails when told, and can be damaged by hand.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use rollcall::journal::{Storage, StorageError, Visit, Write};

/// What a failing write leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing.
    NotStored,
    /// Everything, although it said that it failed.
    Stored,
}

#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) pairs: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
    /// Writes that still succeed before one fails, and how it fails.
    pub(crate) fails: Arc<Mutex<Option<(usize, Failure)>>>,
}

impl Memory {
    /// The same content on a disk that works again.
    pub(crate) fn restarted(&self) -> Self {
        let pairs = self.pairs.lock().unwrap().clone();
        Self { pairs: Arc::new(Mutex::new(pairs)), fails: Arc::default() }
    }
}

impl Storage for Memory {
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), StorageError> {
        let pairs = self.pairs.lock().unwrap();
        let range = (Bound::Included(from.to_vec()), Bound::Unbounded);
        for (key, value) in pairs.range::<Vec<u8>, _>(range) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write_durably(&self, writes: &[Write]) -> Result<(), StorageError> {
        // Once only: the next write would work, as a disk's next sync does after one that failed.
        let planned = self.fails.lock().unwrap().take();
        let failure = match planned {
            Some((0, failure)) => Some(failure),
            Some((left, failure)) => {
                *self.fails.lock().unwrap() = Some((left - 1, failure));
                None
            }
            None => None,
        };
        if failure != Some(Failure::NotStored) {
            let mut pairs = self.pairs.lock().unwrap();
            for write in writes {
                match &write.value {
                    Some(value) => pairs.insert(write.key.clone(), value.clone()),
                    None => pairs.remove(&write.key),
                };
            }
        }
        match failure {
            Some(_) => Err(StorageError::Io(io::Error::other("the disk is gone"))),
            None => Ok(()),
        }
    }
}
