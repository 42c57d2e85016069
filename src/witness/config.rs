//! `witness.toml`. `firmware-config/witness.toml` shows every field; a test holds it against this
//! file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::note::{KeyKind, POLICY_KEYS_MAX, Vkey, VkeyError};

/// Largest configuration file that is read.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// A configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("could not read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not the TOML that is expected.
    #[error("could not understand {path}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// A key of a log cannot be used.
    #[error("could not use the log {key}")]
    Log {
        /// As it stands in the file.
        key: String,
        /// Why not.
        #[source]
        cause: VkeyError,
    },
    /// A value is out of its range.
    #[error("could not use {path}: {field} must be {must}")]
    Value {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: &'static str,
        /// What it must be.
        must: &'static str,
    },
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the key and of what was seen, made by `rollcall witness init`.
    pub data_dir: PathBuf,
    /// The witness's name in its signature lines.
    pub name: String,
    /// Address and port of add-checkpoint.
    pub listen: SocketAddr,
    /// Keys of the logs that are watched.
    pub logs: Vec<String>,
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = || {
            if std::fs::metadata(path)?.len() > CONFIG_BYTES_MAX {
                return Err(std::io::Error::other("it is too large for a configuration"));
            }
            std::fs::read_to_string(path)
        };
        let text = read().map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })?;
        let config: Self = toml::from_str(&text)
            .map_err(|cause| ConfigError::Parse { path: path.to_owned(), cause: cause.into() })?;
        let must = |holds: bool, field, must| {
            let wrong = || ConfigError::Value { path: path.to_owned(), field, must };
            holds.then_some(()).ok_or_else(wrong)
        };
        must(config.data_dir.is_absolute(), "data_dir", "an absolute path")?;
        must(config.logs.len() <= POLICY_KEYS_MAX, "logs", "at most 128 keys")?;
        config.keys()?;
        Ok(config)
    }

    /// The keys of the logs.
    pub fn keys(&self) -> Result<Vec<Vkey>, ConfigError> {
        let keys = self.logs.iter().map(|key| {
            let failed = |cause| ConfigError::Log { key: key.clone(), cause };
            let vkey: Vkey = key.parse().map_err(failed)?;
            match vkey.kind() {
                KeyKind::Log => Ok(vkey),
                KeyKind::Witness => Err(failed(VkeyError::Kind { kind: 0x04 })),
            }
        });
        keys.collect()
    }
}
