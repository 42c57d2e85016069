//! The gallery on disk, encrypted with XChaCha20-Poly1305 under a key of the terminal.
//!
//! ```text
//! head: magic "RCGALLERY" · version 2 (u8), then as in `platform/sealed_file.rs`
//! plaintext: model digest (32) · key of the rotation (32) · floats per template (u32 LE)
//!            · people (u32 LE) · for each person: id (16) · floats (f32 LE each)
//! ```
//! Version 1 had no key of a rotation, and rotated nothing.

use std::io;
use std::path::{Path, PathBuf};

use super::embed::Embedding;
use super::gallery::{Gallery, PEOPLE_MAX};
use crate::domain::PersonId;
use crate::platform::durable;
use crate::platform::sealed_file::{self, Unreadable};
use crate::platform::telemetry::Class;

const HEAD: &[u8] = b"RCGALLERY\x02";
const HEAD_1: &[u8] = b"RCGALLERY\x01";
const PERSON_BYTES: usize = 16;

/// The longest vector of the manifest for the most people, and some room.
const FILE_BYTES_MAX: u64 = (PEOPLE_MAX as u64) * (4096 * 4 + 16) + 4096;

/// A gallery file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GalleryFileError {
    /// Not there, or not readable.
    #[error("could not read the face gallery {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: io::Error,
    },
    /// Some other file.
    #[error(
        "could not read the face gallery {path}: it is none of a version that this program knows"
    )]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// Wrong key, or a changed byte: the cipher cannot tell which.
    #[error("could not decrypt the face gallery {path}: it was changed, or this is not its key")]
    Sealed {
        /// Which file.
        path: PathBuf,
    },
    /// Correctly encrypted, and not what this program writes.
    #[error("could not use the face gallery {path}: {why}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: &'static str,
    },
    /// Made by another embedding model.
    #[error("could not use the face gallery {path}: its templates were made by another model")]
    OtherModel {
        /// Which file.
        path: PathBuf,
    },
    /// Not written.
    #[error("could not store the face gallery")]
    Write(#[source] durable::WriteError),
}

impl GalleryFileError {
    /// Stable name, for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "gallery_read",
            Self::Format { .. } => "gallery_format",
            Self::Sealed { .. } => "gallery_sealed",
            Self::Content { .. } => "gallery_content",
            Self::OtherModel { .. } => "gallery_other_model",
            Self::Write(_) => "gallery_write",
        }
    }

    /// A full disk may be emptied and a missing one mounted; a file that is wrong stays wrong.
    pub fn class(&self) -> Class {
        match self {
            Self::Read { .. } | Self::Write(_) => Class::Transient,
            Self::Format { .. }
            | Self::Sealed { .. }
            | Self::Content { .. }
            | Self::OtherModel { .. } => Class::Permanent,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "enrol somebody first, or check that this user may read the file",
            Self::Format { .. } => {
                "name the gallery file of this terminal, or enrol its people again"
            }
            Self::Sealed { .. } => {
                "restore file and key from the same backup, or enrol the people of this terminal again"
            }
            Self::Content { .. } => "enrol the people of this terminal again",
            Self::OtherModel { .. } => {
                "choose the model pack that the gallery was made with, or move the file away and \
                 enrol everybody anew (docs/setup.md, \"Another pack\")"
            }
            Self::Write(_) => "check the disk and who may write there",
        }
    }
}

/// Replaces the file by this gallery. A crash leaves the old file or the new one.
pub fn store(gallery: &Gallery, path: &Path, key: &[u8; 32]) -> Result<(), GalleryFileError> {
    sealed_file::store(path, HEAD, &plaintext(gallery), key).map_err(GalleryFileError::Write)
}

/// Reads a gallery whose templates must have been made by the embedding model of digest `model`.
pub fn load(path: &Path, key: &[u8; 32], model: &[u8; 32]) -> Result<Gallery, GalleryFileError> {
    let at = || path.to_owned();
    let read = sealed_file::load(path, &[HEAD, HEAD_1], key, FILE_BYTES_MAX);
    let (head, mut plain) = read.map_err(|why| match why {
        Unreadable::Io(io) => GalleryFileError::Read { path: at(), io },
        Unreadable::Format => GalleryFileError::Format { path: at() },
        Unreadable::Sealed => GalleryFileError::Sealed { path: at() },
    })?;
    if head == HEAD_1 && plain.len() >= 32 {
        plain.splice(32..32, [0; 32]);
    }
    let gallery = from_plaintext(&plain)
        .map_err(|why| GalleryFileError::Content { path: path.to_owned(), why })?;
    if gallery.model() != model {
        return Err(GalleryFileError::OtherModel { path: path.to_owned() });
    }
    Ok(gallery)
}

fn plaintext(gallery: &Gallery) -> Vec<u8> {
    let floats = gallery.people().next().map_or(0, |(_, template)| template.as_slice().len());
    let count = |count: usize| u32::try_from(count).expect("people and floats are bounded");
    let mut plain = [*gallery.model(), gallery.transform()].concat();
    plain.extend(count(floats).to_le_bytes());
    plain.extend(count(gallery.len()).to_le_bytes());
    for (person, template) in gallery.people() {
        plain.extend(person.0);
        plain.extend(template.as_slice().iter().flat_map(|value| value.to_le_bytes()));
    }
    plain
}

pub(super) fn from_plaintext(plain: &[u8]) -> Result<Gallery, &'static str> {
    const CUT: &str = "it is cut off";
    let (model, rest) = plain.split_first_chunk::<32>().ok_or(CUT)?;
    let (transform, rest) = rest.split_first_chunk::<32>().ok_or(CUT)?;
    let (floats, rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
    let (people, rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
    let floats = u32::from_le_bytes(*floats) as usize;
    let people = u32::from_le_bytes(*people) as usize;
    let person_bytes = floats.checked_mul(4).and_then(|b| b.checked_add(PERSON_BYTES));
    let person_bytes = person_bytes.ok_or("a template is too long")?;
    if person_bytes.checked_mul(people) != Some(rest.len()) {
        return Err("its length does not fit the number of people");
    }
    let mut gallery = Gallery::new(*model).with_transform(*transform);
    for one in rest.chunks_exact(person_bytes) {
        let (person, values) = one.split_first_chunk::<PERSON_BYTES>().ok_or(CUT)?;
        let values = values.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let template = Embedding::stored(values.collect()).ok_or("a template has no direction")?;
        gallery.insert(PersonId(*person), template).map_err(|_| "it holds too many people")?;
    }
    Ok(gallery)
}
