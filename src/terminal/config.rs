//! The terminal's configuration: TOML as people write it ([`RawConfig`]) becomes, in one step with
//! all its checks, what the program runs on ([`Config`]). Every stage owns its section.
//! `firmware-config/terminal.toml` shows every field with its default.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::{IdError, TerminalId};
use crate::journal;
use crate::platform::durable::{self, Access, WriteError};
use crate::record::{KeyError, SigningKey, VerifyingKey};
use crate::uplink;

/// Largest configuration file, in bytes: the commented default has about three thousand.
const CONFIG_BYTES_MAX: u64 = 64 * 1024;

/// The longest policy name, in bytes: it stands in every record.
const POLICY_BYTES_MAX: usize = 40;

/// The file, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// Who the terminal is.
    pub terminal: IdentitySection,
    /// The centre, and what it is trusted by.
    pub centre: CentreSection,
    /// The journal.
    pub journal: journal::Section,
    /// The way to the centre.
    pub uplink: uplink::Section,
    /// The clock.
    pub clock: ClockSection,
}

/// `[terminal]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySection {
    /// The terminal's name, as registered at the centre. Required.
    pub id: Option<String>,
    /// File of the private key; made by `rollcall terminal init`.
    pub key_file: PathBuf,
    /// Policy profile and version in force; stands in every record.
    pub policy: String,
}

impl Default for IdentitySection {
    fn default() -> Self {
        Self {
            id: None,
            key_file: "/var/lib/rollcall/terminal.key".into(),
            policy: "default@1".into(),
        }
    }
}

/// `[centre]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentreSection {
    /// Verifies the centre's receipts: `ed25519:` and base64. Required.
    pub receipt_key: Option<String>,
}

/// `[clock]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSection {
    /// Difference to the centre's signed time that is still called agreement, in milliseconds.
    pub tolerance_ms: i64,
}

impl Default for ClockSection {
    fn default() -> Self {
        Self { tolerance_ms: 120_000 }
    }
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The terminal's name.
    pub terminal: TerminalId,
    /// File of its private key.
    pub key_file: PathBuf,
    /// Policy profile and version.
    pub policy: String,
    /// Folder of its journal.
    pub journal_dir: PathBuf,
    /// What the journal may hold.
    pub bounds: journal::Bounds,
    /// How it reaches the centre.
    pub uplink: uplink::Config,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// The file is not TOML, or has an unknown or ill-typed field.
    #[error("could not understand the configuration {path}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A required field is missing.
    #[error("could not use the configuration: {field} is missing")]
    Missing {
        /// Which field.
        field: &'static str,
    },
    /// The terminal's name is none.
    #[error("could not use the configuration: terminal.id is no name")]
    Id(#[source] IdError),
    /// The receipt key is none.
    #[error("could not use the configuration: centre.receipt_key is no key")]
    ReceiptKey(#[source] KeyError),
    /// A value is out of its range.
    #[error("could not use the configuration: {section}: {why}")]
    Range {
        /// Which section.
        section: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl RawConfig {
    /// Parses a configuration; `path` only names it in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: source.into() })
    }

    /// Checks everything that can be checked without touching the machine.
    pub fn check(self) -> Result<Config, ConfigError> {
        let id = self.terminal.id.ok_or(ConfigError::Missing { field: "terminal.id" })?;
        let receipt_key = self.centre.receipt_key;
        let receipt_key =
            receipt_key.ok_or(ConfigError::Missing { field: "centre.receipt_key" })?;
        let receipt_key: VerifyingKey = receipt_key.parse().map_err(ConfigError::ReceiptKey)?;
        let range = |section| move |why: String| ConfigError::Range { section, why };
        if !(1..=POLICY_BYTES_MAX).contains(&self.terminal.policy.len()) {
            let why = format!("policy must have 1 to {POLICY_BYTES_MAX} bytes");
            return Err(range("[terminal]")(why));
        }
        if self.clock.tolerance_ms < 1_000 {
            return Err(range("[clock]")("tolerance_ms must be at least 1000".into()));
        }
        Ok(Config {
            terminal: id.parse().map_err(ConfigError::Id)?,
            key_file: self.terminal.key_file,
            policy: self.terminal.policy,
            bounds: self.journal.bounds().map_err(range("[journal]"))?,
            journal_dir: self.journal.dir,
            uplink: uplink::Config {
                pace: self.uplink.pace().map_err(range("[uplink]"))?,
                broker_host: self.uplink.broker_host,
                broker_port: self.uplink.broker_port,
                receipt_key,
                clock_tolerance_ms: self.clock.tolerance_ms,
                firmware: env!("CARGO_PKG_VERSION").into(),
            },
        })
    }
}

impl Config {
    /// Reads and checks the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |io| ConfigError::Read { path: path.to_owned(), io };
        if fs::metadata(path).map_err(failed)?.len() > CONFIG_BYTES_MAX {
            let why = format!("larger than {CONFIG_BYTES_MAX} bytes");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        RawConfig::parse(&fs::read_to_string(path).map_err(failed)?, path)?.check()
    }
}

/// A private key file that cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none.
    #[error("could not read the key {path}: there is none")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is one already; a key is never overwritten.
    #[error("could not make a key in {path}: there is one already")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("could not read the key {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// Others than the owner may read it.
    #[error("could not trust the key {path}: its mode is {mode:o}, and others may read it")]
    Open {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not 64 hexadecimal digits.
    #[error("could not read the key {path}: it does not hold 64 hexadecimal digits")]
    Content {
        /// Where.
        path: PathBuf,
    },
    /// It could not be written.
    #[error("could not make a key in {path}")]
    Write {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: WriteError,
    },
}

/// Reads a private key: 32 bytes in hexadecimal, readable by its owner alone.
pub fn read_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |io: io::Error| match io.kind() == io::ErrorKind::NotFound {
        true => KeyFileError::Missing { path: path.to_owned() },
        false => KeyFileError::Read { path: path.to_owned(), io },
    };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let secret = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let secret: Option<[u8; 32]> = secret.and_then(|bytes| bytes.try_into().ok());
    let content = || KeyFileError::Content { path: path.to_owned() };
    secret.map(|secret| SigningKey::from_secret(&secret)).ok_or_else(content)
}

/// Writes a new private key, readable by its owner alone; refuses to replace one.
pub fn write_new_key(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    if path.exists() {
        return Err(KeyFileError::Exists { path: path.to_owned() });
    }
    let text = HEXLOWER.encode(&key.secret()) + "\n";
    durable::write(path, text.as_bytes(), Access::Owner)
        .map_err(|source| KeyFileError::Write { path: path.to_owned(), source })
}
