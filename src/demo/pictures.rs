//! Which pictures the demo's people have: a folder with one sub-folder of pictures for each person.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One half enrols, the other stands before the camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Album {
    pub(super) enrol: Vec<PathBuf>,
    pub(super) attend: Vec<PathBuf>,
}

/// Why the folder does not serve.
#[derive(Debug, thiserror::Error)]
pub enum AlbumError {
    /// A folder could not be read.
    #[error("could not read the folder of faces {folder}")]
    Read {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// Too few people, or too few pictures of them.
    #[error(
        "{folder} has {people} sub-folders with at least {PICTURES_MIN} pictures; the demo needs {needed}"
    )]
    TooFew {
        /// Which folder.
        folder: PathBuf,
        /// How many people it has.
        people: usize,
        /// How many are needed.
        needed: usize,
    },
}

/// Two to enrol, two to stand before the camera.
const PICTURES_MIN: usize = 4;

/// The albums of the first `needed` people, in the order of their folders' names.
pub(super) fn albums(folder: &Path, needed: usize) -> Result<Vec<Album>, AlbumError> {
    let mut albums = Vec::new();
    for person in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let pictures: Vec<_> = sorted(&person)?.into_iter().filter(|p| is_picture(p)).collect();
        if pictures.len() >= PICTURES_MIN {
            let (enrol, attend) = pictures.split_at(pictures.len() / 2);
            albums.push(Album { enrol: enrol.to_vec(), attend: attend.to_vec() });
        }
    }
    if albums.len() < needed {
        let people = albums.len();
        return Err(AlbumError::TooFew { folder: folder.to_owned(), people, needed });
    }
    albums.truncate(needed);
    Ok(albums)
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    matches!(ending.as_deref(), Some("jpg" | "jpeg" | "png"))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, AlbumError> {
    let failed = |io| AlbumError::Read { folder: folder.to_owned(), io };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}
