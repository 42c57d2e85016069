//! Which pictures the demo's people have: the generated people that are part of the program, or a
//! folder of the user's with one sub-folder of pictures for each person.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use crate::bench::people;
use crate::camera::{self, CaptureError, Frame, FrameSource, PictureError};

/// One half enrols, the other stands before the camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Album {
    pub(super) enrol: Vec<Picture>,
    pub(super) attend: Vec<Picture>,
}

impl Album {
    fn of(pictures: &[Picture]) -> Self {
        let (enrol, attend) = pictures.split_at(pictures.len() / 2);
        Self { enrol: enrol.to_vec(), attend: attend.to_vec() }
    }
}

/// A picture that has not been looked into yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Picture {
    /// A file of the user's.
    File(PathBuf),
    /// Part of the program: its name in assets/people/, and its bytes.
    Shipped(String, &'static [u8]),
}

impl Picture {
    pub(super) fn frame(&self) -> Result<Frame, PictureError> {
        match self {
            Self::File(path) => camera::read(path),
            Self::Shipped(_, bytes) => camera::decode(bytes),
        }
    }

    /// What to call it in an error.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Shipped(name, _) => PathBuf::from(name),
        }
    }
}

/// A camera before which these pictures pass.
pub(super) struct Passing(IntoIter<Picture>);

impl Passing {
    pub(super) fn of(pictures: Vec<Picture>) -> Self {
        Self(pictures.into_iter())
    }
}

impl FrameSource for Passing {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let Some(picture) = self.0.next() else { return Ok(None) };
        match picture.frame() {
            Ok(frame) => Ok(Some(frame)),
            Err(why) => Err(CaptureError::Picture { path: picture.path(), why }),
        }
    }
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
pub(super) const PICTURES_MIN: usize = 4;

/// The albums of the generated people.
pub(super) fn shipped() -> Vec<Album> {
    let people = (1..).zip(people::PEOPLE);
    people
        .map(|(person, pictures)| {
            let named = (1..).zip(pictures).map(|(number, bytes)| {
                Picture::Shipped(format!("p{person:02}/{number}.jpg"), bytes)
            });
            Album::of(&named.collect::<Vec<_>>())
        })
        .collect()
}

/// The albums of the first `needed` people, in the order of their folders' names.
pub(super) fn albums(folder: &Path, needed: usize) -> Result<Vec<Album>, AlbumError> {
    let mut albums = Vec::new();
    for person in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let files = sorted(&person)?.into_iter().filter(|path| is_picture(path));
        let pictures: Vec<_> = files.map(Picture::File).collect();
        if pictures.len() >= PICTURES_MIN {
            albums.push(Album::of(&pictures));
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
