//! How a folder's disk is: room that is left, and how long it takes until a small file is on it.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::clock::Stopwatch;
use super::durable::{self, Access};

/// What is written to see whether a sync works: one block of most disks.
const PROBE_BYTES: usize = 4096;

/// Room that this user may still take on the disk of `folder`, in bytes.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Writes a small file into `folder`, waits until the disk has it, and removes it, three times; how long
/// the waiting took, as the middle one says: another program's burst makes no slow disk. A crash in between
/// leaves a file of the name `doctor`, which nobody reads.
pub fn sync_takes(folder: &Path) -> io::Result<Duration> {
    let path = folder.join("doctor");
    let mut took = [Duration::ZERO; 3];
    for time in &mut took {
        let watch = Stopwatch::start();
        durable::write(&path, &[0; PROBE_BYTES], Access::Owner).map_err(|error| error.io)?;
        *time = watch.elapsed();
        std::fs::remove_file(&path)?;
    }
    took.sort_unstable();
    Ok(took[1])
}
