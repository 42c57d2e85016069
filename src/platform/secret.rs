//! Files with a secret of 32 bytes: the private keys of both sides, the key of the face templates.
//! In hexadecimal on one line, readable by their owner alone, and never made silently.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::durable::{self, Access, WriteError};

/// A secret's file cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
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
    /// systemd has not handed it in.
    #[error(
        "could not use the credential {name}: systemd has handed no such credential to this service"
    )]
    Credential {
        /// Its name.
        name: String,
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

/// What a configuration writes before the name of a credential in the place of a file.
const CREDENTIAL: &str = "credential:";

/// The file of a credential, where `path` names one: `credential:terminal.key` is the credential of
/// that name that systemd hands to the service (systemd.exec(5), `LoadCredentialEncrypted=`).
fn credential(path: &Path) -> Result<Option<PathBuf>, SecretError> {
    let Some(name) = path.to_str().and_then(|path| path.strip_prefix(CREDENTIAL)) else {
        return Ok(None);
    };
    let missing = || SecretError::Credential { name: name.to_owned() };
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(missing());
    }
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(missing)?;
    let file = PathBuf::from(folder).join(name);
    if file.is_file() { Ok(Some(file)) } else { Err(missing()) }
}

/// Reads a secret: 32 bytes in hexadecimal, readable by its owner alone, or a credential of systemd.
pub fn read(path: &Path) -> Result<[u8; 32], SecretError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |io: io::Error| match io.kind() == io::ErrorKind::NotFound {
        true => SecretError::Missing { path: path.to_owned() },
        false => SecretError::Read { path: path.to_owned(), io },
    };
    let credential = credential(path)?;
    let file = credential.as_deref().unwrap_or(path);
    let mode = fs::metadata(file).map_err(failed)?.permissions().mode() & 0o777;
    // Of a credential systemd shows the mask of an access list in the place of the group's rights.
    if mode & 0o077 != 0 && credential.is_none() {
        return Err(SecretError::Open { path: path.to_owned(), mode });
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    let secret = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let secret: Option<[u8; 32]> = secret.and_then(|bytes| bytes.try_into().ok());
    let content = || SecretError::Content { path: path.to_owned() };
    secret.ok_or_else(content)
}

/// Whether every user of this machine may read or change a file that holds a secret of another form. Its
/// group may: a credential of systemd shows the mask of an access list in the group's place.
pub fn is_everybodys(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0)
}

/// Writes a new secret, readable by its owner alone; refuses to replace one.
pub fn write_new(path: &Path, secret: &[u8; 32]) -> Result<(), SecretError> {
    // What systemd hands in cannot be made here; and no file of that name shall lie about.
    if path.exists() || path.to_str().is_some_and(|path| path.starts_with(CREDENTIAL)) {
        return Err(SecretError::Exists { path: path.to_owned() });
    }
    let text = HEXLOWER.encode(secret) + "\n";
    durable::write(path, text.as_bytes(), Access::Owner)
        .map_err(|source| SecretError::Write { path: path.to_owned(), source })
}
