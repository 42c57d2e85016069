//! Model files: part of the program ([`super::shipped`]), or found in the search folders by the
//! name that the manifest gives, read once, and refused unless they hash to what the manifest says.
//! What reaches a runtime is the very bytes that were hashed, so a file exchanged in between is not
//! run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::manifest::Model;
use super::shipped;

/// Largest model file; those of today have at most 4 MB.
pub(super) const MODEL_BYTES_MAX: u64 = 256 << 20;

/// A model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// Nowhere.
    #[error("could not find the model file {file} in {}", listed(.folders))]
    Missing {
        /// File name.
        file: String,
        /// Where it was looked for.
        folders: Vec<PathBuf>,
    },
    /// There, and not readable.
    #[error("could not read the model file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: io::Error,
    },
    /// There, and another file than the manifest means.
    #[error(
        "the model file {path} is not the one of the manifest: its SHA-256 is {found}, the manifest says {wanted}"
    )]
    Hash {
        /// Which file.
        path: PathBuf,
        /// What it hashes to.
        found: String,
        /// What it should hash to.
        wanted: String,
    },
}

impl ModelFileError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "get the files of a pack with `rollcall models install PACK`; `rollcall models list` \
                 says which are missing"
            }
            Self::Read { .. } => "check that this user may read the file",
            Self::Hash { .. } => {
                "copy the file again from where the manifest says it comes from; if the model was \
                 changed on purpose, give it an entry of its own in the manifest"
            }
        }
    }
}

fn listed(folders: &[PathBuf]) -> String {
    match folders {
        [] => "any folder (none was named)".to_owned(),
        _ => folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", "),
    }
}

/// The folder in which models are installed and which holds the local manifest: the one of the
/// configuration, else `rollcall/models` of the user's data folder (`XDG_DATA_HOME`, or
/// `.local/share` of the home folder). `None` where the user has no home.
pub fn installed_folder(configured: Option<&Path>) -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).filter(|path| !path.is_empty());
    let data = || {
        let home = || named("HOME").map(|home| Path::new(&home).join(".local/share"));
        named("XDG_DATA_HOME").map(PathBuf::from).or_else(home)
    };
    configured.map(Path::to_owned).or_else(|| Some(data()?.join("rollcall/models")))
}

/// Where model files are looked for, first to last: the folder of installed models, `models/` of
/// the working folder, `models/` beside the program, and `models/` of the data folder (the value
/// of `ROLLCALL_DATA`).
pub fn search_folders(configured: Option<&Path>, data: Option<&Path>) -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(|folder| folder.join("models"));
    let folders = [
        installed_folder(configured),
        Some(PathBuf::from("models")),
        beside,
        data.map(|data| data.join("models")),
    ];
    folders.into_iter().flatten().collect()
}

/// Where a model's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Part of the program.
    Program,
    /// A file of a search folder, not looked into yet.
    File(PathBuf),
}

/// Where the model is: in the program, or in the first folder that has a file of its name.
pub fn find(model: &Model, folders: &[PathBuf]) -> Result<Place, ModelFileError> {
    find_in(shipped::FILES, model, folders)
}

/// The bytes of the model, checked against the manifest.
pub fn read(model: &Model, folders: &[PathBuf]) -> Result<Vec<u8>, ModelFileError> {
    read_in(shipped::FILES, model, folders)
}

fn in_program<'s>(shipped: &[&'s [u8]], model: &Model) -> Option<&'s [u8]> {
    shipped.iter().copied().find(|bytes| Sha256::digest(bytes)[..] == model.sha256)
}

pub(super) fn find_in(
    shipped: &[&[u8]],
    model: &Model,
    folders: &[PathBuf],
) -> Result<Place, ModelFileError> {
    match in_program(shipped, model) {
        Some(_) => Ok(Place::Program),
        None => find_file(model, folders).map(Place::File),
    }
}

fn find_file(model: &Model, folders: &[PathBuf]) -> Result<PathBuf, ModelFileError> {
    let mut paths = folders.iter().map(|folder| folder.join(&model.file));
    paths.find(|path| path.is_file()).ok_or_else(|| ModelFileError::Missing {
        file: model.file.clone(),
        folders: folders.to_vec(),
    })
}

pub(super) fn read_in(
    shipped: &[&[u8]],
    model: &Model,
    folders: &[PathBuf],
) -> Result<Vec<u8>, ModelFileError> {
    match in_program(shipped, model) {
        Some(bytes) => Ok(bytes.to_vec()),
        None => read_file(model, find_file(model, folders)?),
    }
}

/// The bytes of a file that should hold this model.
pub fn read_file(model: &Model, path: PathBuf) -> Result<Vec<u8>, ModelFileError> {
    let failed = |io| ModelFileError::Read { path: path.clone(), io };
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(failed)?;
    file.take(MODEL_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    let found: [u8; 32] = Sha256::digest(&bytes).into();
    if found != model.sha256 {
        let (found, wanted) = (HEXLOWER.encode(&found), HEXLOWER.encode(&model.sha256));
        return Err(ModelFileError::Hash { path, found, wanted });
    }
    Ok(bytes)
}
