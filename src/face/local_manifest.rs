//! `models.local.toml` in the folder of installed models: what a site adds to the shipped manifest.
//! The same tables as `models/manifest.toml` (models and packs of its own, which may refer to
//! shipped ones) and one line more, `use = "PACK"`: the pack that is used where nothing else is
//! asked for.
//!
//! People write it by hand, and the program changes it: [`write_pack`] (new thresholds) and
//! [`set_use`]. Comments and all other entries stay as they are, the result is checked before it
//! is stored, and a crash leaves the old file or the new one.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::manifest::{Manifest, ManifestError, Pack, Threshold, VERSION};
use super::open_search::TailPoint;
use crate::domain::Score;
use crate::platform::durable::{self, Access};
use crate::platform::telemetry::Class;

/// Its name in the folder of installed models.
pub const FILE_NAME: &str = "models.local.toml";

/// Largest local manifest; the shipped one has 6 KB.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The local manifest cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There, and not readable.
    #[error("could not read the local manifest {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: io::Error,
    },
    /// An entry of it is wrong.
    #[error("could not use the local manifest {path}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Line or entry.
        #[source]
        why: ManifestError,
    },
    /// The change would have made it unusable; it was not made.
    #[error("could not change the local manifest {path}")]
    Change {
        /// Which file.
        path: PathBuf,
        /// What would have been wrong.
        #[source]
        why: ManifestError,
    },
    /// Its folder could not be made.
    #[error("could not make the folder of installed models {path}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: io::Error,
    },
    /// Not written.
    #[error("could not store the local manifest")]
    Write(#[source] durable::WriteError),
}

impl LocalError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check that this user may read the file",
            Self::Content { .. } => {
                "mend that place, or move the file away to be back at what Rollcall ships; \
                 `rollcall models explain` shows an entry that works"
            }
            Self::Change { why, .. } => why.hint(),
            Self::Folder { .. } | Self::Write(_) => {
                "check the disk and who may write there, or name another folder with --models"
            }
        }
    }

    /// Stable name, for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "local_manifest_read",
            Self::Content { .. } => "local_manifest_content",
            Self::Change { .. } => "local_manifest_change",
            Self::Folder { .. } => "local_manifest_folder",
            Self::Write(_) => "local_manifest_write",
        }
    }

    /// Disks are emptied and mounted; what is written wrongly stays wrong.
    pub fn class(&self) -> Class {
        match self {
            Self::Read { .. } | Self::Folder { .. } | Self::Write(_) => Class::Transient,
            Self::Content { .. } | Self::Change { .. } => Class::Permanent,
        }
    }
}

/// The shipped manifest together with the local one of this folder, if it has one.
pub fn merged(shipped: &Manifest, folder: &Path) -> Result<Manifest, LocalError> {
    let path = folder.join(FILE_NAME);
    match read(&path)? {
        Some(text) => shipped.extended(&text).map_err(|why| LocalError::Content { path, why }),
        None => Ok(shipped.clone()),
    }
}

/// Adds this pack to the local manifest of the folder, or replaces the one of its name; its models
/// must be known already. Gives the path of the file.
pub fn write_pack(shipped: &Manifest, folder: &Path, pack: &Pack) -> Result<PathBuf, LocalError> {
    change(shipped, folder, |local| {
        let item = local.entry("pack").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        // People may write `pack = [{ … }]`, which is the same to a reader.
        let tables = std::mem::take(item).into_array_of_tables().ok()?;
        *item = Item::ArrayOfTables(tables);
        let packs = item.as_array_of_tables_mut()?;
        let name = Some(pack.name.as_str());
        let place = packs.iter().position(|one| one.get("name").and_then(Item::as_str) == name);
        if place.is_none() {
            packs.push(Table::new());
        }
        fill(packs.get_mut(place.unwrap_or(packs.len() - 1))?, pack);
        Some(())
    })
}

/// Makes this pack the one in use. Gives the path of the file.
pub fn set_use(shipped: &Manifest, folder: &Path, pack: &str) -> Result<PathBuf, LocalError> {
    change(shipped, folder, |local| {
        local["use"] = value(pack);
        Some(())
    })
}

fn read(path: &Path) -> Result<Option<String>, LocalError> {
    let failed = |io| LocalError::Read { path: path.to_owned(), io };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(io) if io.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(io) => return Err(failed(io)),
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let why = format!("larger than {FILE_BYTES_MAX} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    Ok(Some(text))
}

/// One change of the document: read, check, change, check again, store.
fn change(
    shipped: &Manifest,
    folder: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> Option<()>,
) -> Result<PathBuf, LocalError> {
    let path = folder.join(FILE_NAME);
    let new = || {
        format!(
            "# Models and packs of this site; `rollcall models explain` tells how to write them.\n\
             version = {VERSION}\n"
        )
    };
    let text = read(&path)?.unwrap_or_else(new);
    let usable = |text: &str| shipped.extended(text);
    usable(&text).map_err(|why| LocalError::Content { path: path.clone(), why })?;
    let mut document: DocumentMut = text.parse().expect("it was read as TOML just before");
    edit(&mut document).expect("what was read as a manifest has its shape");
    let text = document.to_string();
    usable(&text).map_err(|why| LocalError::Change { path: path.clone(), why })?;
    let failed = |io| LocalError::Folder { path: folder.to_owned(), io };
    fs::create_dir_all(folder).map_err(failed)?;
    durable::write(&path, text.as_bytes(), Access::Everyone).map_err(LocalError::Write)?;
    Ok(path)
}

/// Writes the entry of a pack into its table; comments on keys that stay are kept.
fn fill(table: &mut Table, pack: &Pack) {
    let liveness = pack.liveness.iter().map(|model| model.name.as_str());
    table["name"] = value(&pack.name);
    table["detector"] = value(&pack.detector.name);
    table["embedding"] = value(&pack.embedding.name);
    table["liveness"] = value(liveness.collect::<Array>());
    table["detector_confidence"] = value(short(pack.detector_confidence));
    table["detector_nms"] = value(short(pack.detector_nms));
    match &pack.thresholds {
        Some(both) => {
            table["match"] = threshold(&both.matching);
            table["confident"] = threshold(&both.confident);
            table.remove("tail");
            if !both.tail.is_empty() {
                table["tail"] = value(both.tail.points().iter().map(point).collect::<Array>());
            }
        }
        None => {
            table.remove("match");
            table.remove("confident");
            table.remove("tail");
        }
    }
}

fn point(point: &TailPoint) -> InlineTable {
    let mut table = InlineTable::new();
    table.insert("far", Value::from(point.far));
    table.insert("cosine", decimal(point.cosine).into());
    table
}

fn threshold(threshold: &Threshold) -> Item {
    let Threshold { cosine, far, data } = threshold;
    let mut table = InlineTable::new();
    table.insert("cosine", decimal(*cosine).into());
    table.insert("far", Value::from(*far));
    table.insert("data", data.as_str().into());
    value(table)
}

/// As people write it: 0.6, where the nearest `f64` to the `f32` would be 0.6000000238418579.
fn short(number: f32) -> f64 {
    number.to_string().parse().expect("a number is written as one")
}

fn decimal(score: Score) -> f64 {
    f64::from(score.as_e4()) / 1e4
}
