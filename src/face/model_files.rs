//! Model files on disk: found in the search folders by the name that the manifest gives, read
//! once, and refused unless they hash to what the manifest says. What reaches a runtime is the
//! very bytes that were hashed, so a file exchanged in between is not run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::manifest::Model;

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
                "put the file into models/, or let ROLLCALL_DATA name a folder with models/ in it"
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

/// The path of the model's file in the first folder that has it.
pub fn find(model: &Model, folders: &[PathBuf]) -> Result<PathBuf, ModelFileError> {
    folders.iter().map(|folder| folder.join(&model.file)).find(|path| path.is_file()).ok_or_else(
        || ModelFileError::Missing { file: model.file.clone(), folders: folders.to_vec() },
    )
}

/// The bytes of the model, checked against the manifest.
pub fn read(model: &Model, folders: &[PathBuf]) -> Result<Vec<u8>, ModelFileError> {
    let path = find(model, folders)?;
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
