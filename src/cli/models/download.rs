//! One model file from the address that the manifest pins. It grows beside its place, under a name
//! with a part of its hash, and is published when that hash is right: a cut line costs only what
//! had not come yet, and nothing that is incomplete or wrong ever bears the model's name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::http::{self, AskError};
use crate::face::manifest::{Model, Source};
use crate::platform::durable;

const BUFFER_BYTES: usize = 64 * 1024;

/// A model was not downloaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    #[error("could not download {file}")]
    Ask {
        file: String,
        #[source]
        why: AskError,
    },
    #[error("could not download {file} to its end: {have} of {size} bytes are here")]
    Cut { file: String, have: u64, size: u64 },
    #[error("could not download {file}: what came is another file: {why}")]
    Other { file: String, why: String },
    #[error("could not store {path}")]
    Store {
        path: PathBuf,
        #[source]
        io: io::Error,
    },
    #[error("could not publish the file")]
    Publish(#[from] durable::WriteError),
}

impl DownloadError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Ask { why, .. } => why.hint(),
            Self::Cut { .. } => "run the same command again: it goes on where it stopped",
            Self::Other { .. } => {
                "something on the way changed it, or it changed upstream: it was thrown away; try \
                 again, or get the file from elsewhere and name it with --from FILE"
            }
            Self::Store { .. } | Self::Publish(_) => {
                "look at the free space of the disk and who may write there, or name another folder \
                 with --models"
            }
        }
    }
}

/// Downloads the model into the folder, going on with what an earlier attempt left; `progress` is
/// told how many bytes are here. Gives the path of the file.
pub(super) fn download(
    model: &Model,
    source: &Source,
    folder: &Path,
    mut progress: impl FnMut(u64),
) -> Result<PathBuf, DownloadError> {
    let path = folder.join(&model.file);
    let hash = HEXLOWER.encode(&model.sha256[..4]);
    let part = folder.join(format!("{}.{hash}.part", model.file));
    let store = |io| DownloadError::Store { path: part.clone(), io };
    fs::create_dir_all(folder).map_err(store)?;
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&part)
        .map_err(store)?;
    let have = file.metadata().map_err(store)?.len();
    if have != source.size_bytes {
        let have = if have < source.size_bytes { have } else { 0 };
        match receive(model, source, &mut file, have, &mut progress) {
            Ok(()) => {}
            Err(Stop::Told(error)) => return Err(error),
            Err(Stop::Disk(io)) => {
                // A full disk needs the room more than the next attempt needs the beginning.
                drop(file);
                fs::remove_file(&part).ok();
                return Err(store(io));
            }
        }
    }
    file.sync_all().map_err(store)?;
    let found = hash_of(&mut file).map_err(store)?;
    if found != model.sha256 {
        fs::remove_file(&part).map_err(store)?;
        let (found, wanted) = (HEXLOWER.encode(&found), HEXLOWER.encode(&model.sha256));
        let why = format!("its SHA-256 is {found}, the manifest says {wanted}");
        return Err(DownloadError::Other { file: model.file.clone(), why });
    }
    durable::publish(&part, &path)?;
    Ok(path)
}

enum Stop {
    Told(DownloadError),
    Disk(io::Error),
}

/// Brings the part file from its first `have` bytes to its full length.
fn receive(
    model: &Model,
    source: &Source,
    file: &mut File,
    have: u64,
    progress: &mut impl FnMut(u64),
) -> Result<(), Stop> {
    let name = || model.file.clone();
    let size = source.size_bytes;
    // One byte more than there should be shows a file that is too long.
    let answer = http::ask(&source.url, have, size + 1)
        .map_err(|why| Stop::Told(DownloadError::Ask { file: name(), why }))?;
    let mut have = answer.starts_at;
    file.set_len(have).map_err(Stop::Disk)?;
    file.seek(io::SeekFrom::Start(have)).map_err(Stop::Disk)?;
    let mut body = answer.body;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        progress(have);
        // A line that breaks and one that ends early are the same to the user.
        let read = body.read(&mut buffer).unwrap_or_default();
        if read == 0 {
            break;
        }
        have += read as u64;
        if have > size {
            file.set_len(0).map_err(Stop::Disk)?;
            let why = format!("it is longer than the {size} bytes that it should have");
            return Err(Stop::Told(DownloadError::Other { file: name(), why }));
        }
        file.write_all(&buffer[..read]).map_err(Stop::Disk)?;
    }
    if have < size {
        file.sync_all().map_err(Stop::Disk)?;
        return Err(Stop::Told(DownloadError::Cut { file: name(), have, size }));
    }
    Ok(())
}

fn hash_of(file: &mut File) -> io::Result<[u8; 32]> {
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&buffer[..read]),
        }
    }
}
