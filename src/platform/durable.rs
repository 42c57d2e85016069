//! Files that survive a power cut: write beside, sync, rename, sync the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Mode 0600: private keys, face templates.
    Owner,
    /// Mode 0644.
    Everyone,
}

/// A file could not be written durably.
#[derive(Debug, thiserror::Error)]
#[error("could not write {path} durably")]
pub struct WriteError {
    /// Which file.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub io: io::Error,
}

/// Replaces the file at `path` by `bytes`. After a crash at any moment the file holds either all
/// of its old content or all of the new.
pub fn write(path: &Path, bytes: &[u8], access: Access) -> Result<(), WriteError> {
    let failed = |io| WriteError { path: path.to_owned(), io };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    let beside = PathBuf::from(beside);
    let mode = match access {
        Access::Owner => 0o600,
        Access::Everyone => 0o644,
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = options.open(&beside).map_err(failed)?;
    if let Err(io) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        // A full disk needs the room; what cannot be removed is replaced by the next write.
        fs::remove_file(&beside).ok();
        return Err(failed(io));
    }
    // A crash here leaves the old file, and a `.partial` that the next write replaces.
    publish(&beside, path)
}

/// Makes an empty file that its owner alone may read, if there is none: for a database that takes over
/// the rights of the file that it finds.
pub fn reserve(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Gives a file that was written and synced beside its place its name there, durably; a file of that
/// name is replaced. After a crash the name stands for the old file or for all of the new one.
pub fn publish(beside: &Path, path: &Path) -> Result<(), WriteError> {
    let failed = |io| WriteError { path: path.to_owned(), io };
    // A crash here leaves the file beside, complete, and the old file in its place.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the durable way that the ban points to"
    )]
    fs::rename(beside, path).map_err(failed)?;
    sync_folder_of(path).map_err(failed)
}

/// Makes a change of the names in the folder of `path` durable.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
