//! What was planted, apart from the records: `labels.json` beside the ledger, never in it. One incident
//! is one label, however many records it has; it is found if subject and period overlap.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kind::{Care, Kind};
use crate::domain::{ClassId, InstitutionId, PersonId, TerminalId, Timestamp};

/// The file, in the folder of the world.
pub const LABELS_FILE: &str = "labels.json";
/// What stands in `format`.
const FORMAT: &str = "rollcall-labels-v1";
/// Longer files are refused before they are read: 200 institutions have a few hundred incidents.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// One planted incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Its name, unique in the world.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// How careful the fraudster is.
    pub care: Care,
    /// Where.
    pub institution: InstitutionId,
    /// Whom it is about.
    pub persons: Vec<PersonId>,
    /// Which terminals, where the terminal itself is the matter.
    pub terminals: Vec<TerminalId>,
    /// Which class.
    pub class: ClassId,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// All labels of a world, with what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    format: String,
    /// The seed of all chance.
    pub seed: u64,
    /// How many institutions.
    pub institutions: u32,
    /// How many days.
    pub days: u32,
    /// The first midnight.
    pub from: Timestamp,
    /// Name and version of the policy profile that terminals worked by.
    pub policy: String,
    /// SHA-256 of the mix, in hexadecimal.
    pub mix: String,
    /// The incidents, by institution.
    pub incidents: Vec<Label>,
}

/// The labels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// They cannot be read.
    #[error("could not read {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// They are something else.
    #[error("could not understand {path}: it holds no labels of a made world")]
    Json {
        /// Where.
        path: PathBuf,
        /// Where in it, and why.
        #[source]
        cause: serde_json::Error,
    },
    /// They are of another format.
    #[error("could not understand {path}: its format is {found:?}, not {FORMAT:?}")]
    Format {
        /// Where.
        path: PathBuf,
        /// What it says.
        found: String,
    },
}

impl Labels {
    /// Labels of a world; `mix` is the digest of its mix.
    pub fn new(seed: u64, institutions: u32, days: u32, from: Timestamp) -> Self {
        let format = FORMAT.to_owned();
        let (policy, mix, incidents) = (String::new(), String::new(), Vec::new());
        Self { format, seed, institutions, days, from, policy, mix, incidents }
    }

    /// As the file has them.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("text and numbers are always JSON");
        text + "\n"
    }

    /// Reads those of a world's folder.
    pub fn read(folder: &Path) -> Result<Self, LabelsError> {
        let path = folder.join(LABELS_FILE);
        let failed = |io| LabelsError::Read { path: path.clone(), io };
        if std::fs::metadata(&path).map_err(failed)?.len() > FILE_BYTES_MAX {
            let why = format!("it has more than {FILE_BYTES_MAX} bytes");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let labels: Self = serde_json::from_slice(&bytes)
            .map_err(|cause| LabelsError::Json { path: path.clone(), cause })?;
        if labels.format != FORMAT {
            return Err(LabelsError::Format { path, found: labels.format });
        }
        Ok(labels)
    }
}
