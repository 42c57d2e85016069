//! What the log needs of one copy's folder. The adapter is `files.rs`; tests put a disk in its place
//! that loses, tears and forgets whatever the calls allow.

use std::io;

/// One flat folder of files.
pub trait Disk: Send + Sync {
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes from `from` on, at most so many; fewer where the file ends.
    fn read(&self, name: &str, from: u64, bytes_max: usize) -> io::Result<Vec<u8>>;

    /// Writes all bytes at this place, and makes the file if there is none. Says nothing about
    /// what a power cut leaves of it: any block may have reached the disk, or not.
    fn write(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// On `Ok` the content of the file survives a power cut. After an `Err` nothing is known, and
    /// a second call that answers `Ok` says nothing about the first.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// On `Ok` the names of all files survive a power cut.
    fn sync_names(&self) -> io::Result<()>;

    /// Gives the file this content, durably; at any moment it has all of the old or all of the new.
    fn replace_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file; a power cut may bring it back.
    fn remove(&self, name: &str) -> io::Result<()>;
}
