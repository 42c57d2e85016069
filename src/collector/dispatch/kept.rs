//! The newest dispatch of each terminal, one small file each, encrypted as it is published: what a
//! broker that lost it is given again, and what somebody carries to a terminal without a network.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use minicbor::{Decode, Encode};

use crate::domain::TerminalId;
use crate::platform::durable::{self, Access, WriteError};
use crate::record::dispatch::DISPATCH_BYTES_MAX;

/// Largest file: the longest dispatch, and what stands around it.
const FILE_BYTES_MAX: usize = DISPATCH_BYTES_MAX + 128;

const ENDING: &str = ".dispatch";

/// A dispatch could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read or removed.
    #[error("could not use {path}")]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// It is not what was written there.
    #[error("could not understand {path}: {why}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It cannot be written.
    #[error("could not keep a dispatch")]
    Write(#[from] WriteError),
}

/// A dispatch that was made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// Its version.
    #[n(1)]
    pub version: u64,
    /// Of what it says.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// The dispatch, as it is published.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// The folder of these files.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// The folder; made where there is none, for a centre that was made before there were dispatches.
    pub fn open(folder: PathBuf) -> Result<Self, KeptError> {
        fs::create_dir_all(&folder).map_err(|io| KeptError::Read { path: folder.clone(), io })?;
        Ok(Self(folder))
    }

    fn path(&self, terminal: &TerminalId) -> PathBuf {
        self.0.join(format!("{terminal}{ENDING}"))
    }

    /// The newest dispatch of a terminal.
    pub fn kept(&self, terminal: &TerminalId) -> Result<Option<Kept>, KeptError> {
        let path = self.path(terminal);
        let failed = |io| KeptError::Read { path: path.clone(), io };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(io) if io.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(io) => return Err(failed(io)),
        };
        let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
        let kept = minicbor::decode(&bytes);
        kept.map(Some).map_err(|error| KeptError::Content { path, why: error.to_string() })
    }

    /// Keeps a dispatch in the place of the one before.
    pub fn keep(&self, terminal: &TerminalId, kept: &Kept) -> Result<(), KeptError> {
        let bytes = minicbor::to_vec(kept).expect("writing to a vector cannot fail");
        Ok(durable::write(&self.path(terminal), &bytes, Access::Owner)?)
    }

    /// Removes the dispatch of a terminal that gets no more.
    pub fn forget(&self, terminal: &TerminalId) -> Result<(), KeptError> {
        let path = self.path(terminal);
        let gone = fs::remove_file(&path).and_then(|()| durable::sync_folder_of(&path));
        gone.map_err(|io| KeptError::Read { path, io })
    }

    /// Of which terminals there are some.
    pub fn terminals(&self) -> Result<Vec<TerminalId>, KeptError> {
        let failed = |io| KeptError::Read { path: self.0.clone(), io };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            names.extend(name.and_then(|name| name.parse().ok()));
        }
        Ok(names)
    }
}
