//! The centre's two private keys in its folder, and those that they followed. A key is made once by
//! `init`, never silently; [`renew`] lets another one follow, by the word of the one before.
//!
//! ```text
//! receipt.key          in force             receipt.key.1, .2 …   before it, until somebody takes them away
//! receipt.key.next     while one follows    receipt.handovers     how each led to the next, sealed
//! ```
//!
//! The same with `log.key`.

use std::path::{Path, PathBuf};

use super::HomeError;
use crate::domain::Timestamp;
use crate::platform::chance::random_bytes;
use crate::platform::secret::{self, SecretError};
use crate::platform::{durable, lines};
use crate::record::{CentreKeys, SigningKey, VerifyingKey, seal_handover};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Seals facts, refusals, checkpoints, backups.
    Log,
    /// Seals receipts and all other answers.
    Receipt,
}

impl Role {
    /// Its file.
    pub(super) fn file(self) -> &'static str {
        match self {
            Role::Log => "log.key",
            Role::Receipt => "receipt.key",
        }
    }

    fn handovers(self) -> &'static str {
        match self {
            Role::Log => "log.handovers",
            Role::Receipt => "receipt.handovers",
        }
    }
}

/// One of the keys, with those that it followed.
#[derive(Debug)]
pub struct Signer {
    /// The key in force.
    pub key: SigningKey,
    /// All keys, this one last.
    pub keys: CentreKeys,
    /// The private halves of earlier keys that still lie in the folder, the oldest first.
    pub former: Vec<SigningKey>,
    /// How the earlier keys led to this one, the oldest first.
    pub handovers: Vec<Vec<u8>>,
}

impl From<SigningKey> for Signer {
    fn from(key: SigningKey) -> Self {
        let keys = CentreKeys::from(key.verifying_key());
        Self { key, keys, former: Vec::new(), handovers: Vec::new() }
    }
}

impl Clone for Signer {
    fn clone(&self) -> Self {
        let copy = |key: &SigningKey| SigningKey::from_secret(&key.secret());
        Self {
            key: copy(&self.key),
            keys: self.keys.clone(),
            former: self.former.iter().map(copy).collect(),
            handovers: self.handovers.clone(),
        }
    }
}

/// Keeps a new key where there is none.
pub(super) fn put(folder: &Path, role: Role, key: SigningKey) -> Result<Signer, SecretError> {
    secret::write_new(&folder.join(role.file()), &key.secret())?;
    Ok(Signer::from(key))
}

/// Reads a key that is there.
pub(super) fn read(folder: &Path, role: Role) -> Result<Signer, HomeError> {
    let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
    let key = read_at(&folder.join(role.file()))?;
    let all = lines::read(&folder.join(role.handovers())).map_err(failed)?;
    let (keys, handovers) = CentreKeys::leading_to(key.verifying_key(), &all);
    let mut former = Vec::new();
    for n in 1.. {
        let path = numbered(folder, role, n);
        // One that was taken away leaves a number free; after the last there is none.
        if n > keys.all().len() + 1 && !path.exists() {
            break;
        }
        match read_at(&path) {
            Ok(key) if keys.all().contains(&key.verifying_key()) => former.push(key),
            Ok(_) | Err(SecretError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Signer { key, keys, former, handovers })
}

/// Lets another key follow, while no collector runs. The old one, where there is one, signs over to it
/// and stays beside it under the name that is returned.
pub(super) fn renew(
    folder: &Path,
    role: Role,
    now: Timestamp,
) -> Result<(VerifyingKey, Option<PathBuf>), HomeError> {
    let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
    let path = folder.join(role.file());
    let next_path = folder.join(format!("{}.next", role.file()));
    let next = match read_at(&next_path) {
        Err(SecretError::Missing { .. }) => make_at(&next_path)?,
        read => read?,
    };
    let old = match read_at(&path) {
        Err(SecretError::Missing { .. }) => None,
        read => Some(read?),
    };
    let kept = match old {
        None => None,
        Some(old) => {
            let over = seal_handover(&next.verifying_key(), now, &old);
            lines::append_durably(&folder.join(role.handovers()), &over).map_err(failed)?;
            let kept = (1..).map(|n| numbered(folder, role, n)).find(|kept| !kept.exists());
            let kept = kept.expect("there is no end of numbers");
            std::fs::hard_link(&path, &kept).map_err(failed)?;
            Some(kept)
        }
    };
    // A crash before this line leaves the old key in force, and the next call goes on with the same
    // next one.
    durable::publish(&next_path, &path).map_err(|error| failed(error.io))?;
    Ok((next.verifying_key(), kept))
}

fn numbered(folder: &Path, role: Role, n: usize) -> PathBuf {
    folder.join(format!("{}.{n}", role.file()))
}

fn make_at(path: &Path) -> Result<SigningKey, SecretError> {
    let key = SigningKey::from_secret(&random_bytes());
    secret::write_new(path, &key.secret())?;
    Ok(key)
}

fn read_at(path: &Path) -> Result<SigningKey, SecretError> {
    secret::read(path).map(|secret| SigningKey::from_secret(&secret))
}
