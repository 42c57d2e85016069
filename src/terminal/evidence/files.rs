//! The folder of the sealed pictures: what is written is on stable storage, for its owner alone.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::name::{Name, Stage};
use crate::platform::durable::{self, Access, WriteError};
use crate::record::picture::SEALED_PICTURE_BYTES_MAX;

/// A file, and how many bytes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: Name,
    pub(super) bytes: u64,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, name: Name) -> PathBuf {
        self.dir.join(name.to_string())
    }

    /// All files of ours, by the numbers of their records; none where there is no folder.
    pub(super) fn list(&self) -> io::Result<Vec<Found>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str().and_then(Name::parse) {
                all.push(Found { name, bytes: entry.metadata()?.len() });
            }
        }
        // What is gone stands before what is left of it.
        all.sort_by_key(|found| (found.name.seq, found.name.stage != Stage::Gone));
        Ok(all)
    }

    /// Removes what a crash within [`Files::write`] has left: it never had its name.
    pub(super) fn clear_partial(&self) -> io::Result<()> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "partial") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// A file's content.
    pub(super) fn read(&self, name: Name) -> io::Result<Vec<u8>> {
        let limit = u64::try_from(SEALED_PICTURE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        File::open(self.path(name))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a file durably; the folder is made where there is none.
    pub(super) fn write(&self, name: Name, bytes: &[u8]) -> Result<(), WriteError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|io| WriteError { path: self.dir.clone(), io })?;
        durable::write(&self.path(name), bytes, Access::Owner)
    }

    /// Gives a file another name, durably.
    pub(super) fn rename(&self, from: Name, to: Name) -> Result<(), WriteError> {
        durable::publish(&self.path(from), &self.path(to))
    }

    /// Removes a file durably, if it is there.
    pub(super) fn remove(&self, name: Name) -> Result<(), WriteError> {
        let path = self.path(name);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| durable::sync_folder_of(&path)),
        };
        removed.map_err(|io| WriteError { path, io })
    }
}
