//! The log's files: tiles and checkpoints, each written whole and durably, and read within bounds.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::ledger::tiles::{Content, TILE_BYTES_MAX, Tile, WIDTH};
use crate::platform::durable::{self, Access, WriteError};
use crate::record::note::{NOTE_BYTES_MAX, Note, NoteError};

/// The checkpoint's name in the public folder.
pub const CHECKPOINT: &str = "checkpoint";

/// A file of the log could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It could not be read.
    #[error("could not read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It could not be written.
    #[error("could not write a file of the log")]
    Write(#[from] WriteError),
    /// A folder could not be made, or a file removed.
    #[error("could not change the folder of {path}")]
    Change {
        /// Of which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// What should be a checkpoint is none.
    #[error("{path} holds no checkpoint")]
    Note {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: NoteError,
    },
}

/// The bytes of a file, `None` where there is none. What is longer than `bytes_max` is cut after
/// one byte more, so that whoever reads sees that it is too long.
fn read(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, FolderError> {
    let failed = |cause| FolderError::Read { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// A tile's bytes. A partial one that was cleared away is the beginning of the full one.
pub fn read_tile(folder: &Path, tile: &Tile) -> Result<Option<Vec<u8>>, FolderError> {
    if let Some(bytes) = read(&folder.join(tile.to_string()), TILE_BYTES_MAX)? {
        return Ok(Some(bytes));
    }
    let full = Tile { width: WIDTH, ..*tile };
    let bytes = read(&folder.join(full.to_string()), TILE_BYTES_MAX)?;
    Ok(bytes.map(|mut bytes| {
        bytes.truncate(tile.bytes());
        bytes
    }))
}

/// Writes a tile, unless it is there.
pub(super) fn write_tile(folder: &Path, tile: &Tile, bytes: &[u8]) -> Result<(), FolderError> {
    let path = folder.join(tile.to_string());
    match read(&path, TILE_BYTES_MAX)? {
        Some(there) if there == bytes => return Ok(()),
        // It was written for entries that were never signed for, or somebody touched it: what is
        // signed is in the database, and the database was held against it.
        Some(_) => tracing::warn!("Tile {tile} was not what the ledger says; it is written again."),
        None => {}
    }
    make_folders(&path)?;
    Ok(durable::write(&path, bytes, Access::Everyone)?)
}

fn make_folders(path: &Path) -> Result<(), FolderError> {
    let failed = |cause| FolderError::Change { path: path.to_owned(), cause };
    let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) else { return Ok(()) };
    make_folders(parent)?;
    fs::create_dir_all(parent).map_err(failed)?;
    durable::sync_folder_of(parent).map_err(failed)
}

/// The checkpoint in a file, `None` where there is none.
pub fn read_checkpoint(path: &Path) -> Result<Option<Note>, FolderError> {
    let Some(bytes) = read(path, NOTE_BYTES_MAX)? else { return Ok(None) };
    let note = Note::from_bytes(&bytes);
    note.map(Some).map_err(|cause| FolderError::Note { path: path.to_owned(), cause })
}

pub(in crate::collector) fn write_checkpoint(path: &Path, note: &Note) -> Result<(), FolderError> {
    make_folders(path)?;
    Ok(durable::write(path, note.to_string().as_bytes(), Access::Everyone)?)
}

pub(super) fn remove(path: &Path) -> Result<(), FolderError> {
    let removed = fs::remove_file(path).and_then(|()| durable::sync_folder_of(path));
    removed.map_err(|cause| FolderError::Change { path: path.to_owned(), cause })
}

/// Removes the partial tiles beside those that were filled as the log grew from `old` to `size`:
/// whoever still wants one takes the full one (tlog-tiles, "Partial Tiles"). What cannot be removed
/// only takes room.
pub(super) fn drop_partial(folder: &Path, old: u64, size: u64) {
    let levels = (0..8).map(Content::Hashes).chain([Content::Entries]);
    for content in levels {
        let shift = match content {
            Content::Hashes(level) => 8 * (u32::from(level) + 1),
            Content::Entries => 8,
        };
        let full = size.checked_shr(shift).unwrap_or(0);
        for index in old.checked_shr(shift).unwrap_or(0)..full {
            let name = Tile { content, index, width: WIDTH }.to_string();
            fs::remove_dir_all(folder.join(name + ".p")).ok();
        }
        // Older widths of the tile that is still growing.
        let Some(growing) = Tile::of(content, full, size) else { continue };
        let path = folder.join(growing.to_string());
        let Some(files) = path.parent().and_then(|parent| fs::read_dir(parent).ok()) else {
            continue;
        };
        let widths = files.flatten().filter_map(|file| {
            let width: usize = file.file_name().to_str()?.parse().ok()?;
            (width + PARTIAL_KEPT < growing.width).then(|| file.path())
        });
        widths.for_each(|old| drop(fs::remove_file(old)));
    }
}

/// How far behind partial tiles are kept, in entries: for readers of a checkpoint of a moment ago.
const PARTIAL_KEPT: usize = 64;
