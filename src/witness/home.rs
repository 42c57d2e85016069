//! A witness's folder: its key, the last checkpoint that it cosigned of each log, and what logs
//! signed that no honest log signs. One process holds it; nothing in it is made silently.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{Refusal, Request, judge};
use crate::domain::Timestamp;
use crate::platform::chance::random_bytes;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::lock::{Lock, LockError};
use crate::platform::secret::{self, SecretError};
use crate::record::SigningKey;
use crate::record::note::{
    KeyKind, Line, NOTE_BYTES_MAX, Note, TreeHead, Vkey, VkeyError, Word, cosign,
};

const KEY: &str = "witness.key";
const SEEN: &str = "seen";
const EVIDENCE: &str = "evidence";
const LOCK: &str = "witness.lock";

/// Most pieces of evidence that are kept: each accuses a log by itself.
const EVIDENCE_MAX: usize = 1_000;

/// The folder could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// `init` was run before.
    #[error("could not make a witness in {folder}: there is one already")]
    Exists {
        /// Where.
        folder: PathBuf,
    },
    /// The key cannot be read or made.
    #[error("could not use the witness's key")]
    Key(#[from] SecretError),
    /// The name cannot stand in a note.
    #[error("could not sign under this name")]
    Name(#[from] VkeyError),
    /// Another process holds the folder.
    #[error("could not use {folder}: another witness works in it")]
    Locked {
        /// Where.
        folder: PathBuf,
    },
    /// What was seen is not there: going on would forget it.
    #[error("could not find what was seen in {folder}: its folder `seen` is missing")]
    Forgotten {
        /// Where.
        folder: PathBuf,
    },
    /// A remembered checkpoint is not one that this witness cosigned.
    #[error("could not trust {path}: it holds no checkpoint with this witness's cosignature")]
    Touched {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("could not use the folder {folder}")]
    Folder {
        /// Where.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// A checkpoint was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// It must not be.
    #[error("the checkpoint was refused")]
    Refused(#[from] Refusal),
    /// It cannot be remembered, and so is not cosigned.
    #[error("could not remember the checkpoint")]
    Remember(#[from] WriteError),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Home {
    folder: PathBuf,
    name: String,
    key: SigningKey,
    logs: Vec<Vkey>,
    seen: HashMap<String, TreeHead>,
    _lock: Lock,
}

impl Home {
    /// Makes a key in `folder`, and room for what will be seen.
    pub fn create(folder: &Path, name: &str) -> Result<Vkey, HomeError> {
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        fs::create_dir_all(folder).map_err(failed)?;
        let _lock = lock(folder)?;
        if [KEY, SEEN].iter().any(|name| folder.join(name).exists()) {
            return Err(HomeError::Exists { folder: folder.to_owned() });
        }
        let key = SigningKey::from_secret(&random_bytes());
        let vkey = Vkey::new(name, KeyKind::Witness, key.verifying_key())?;
        // A crash between these lines leaves a folder that neither `run` nor `init` accepts, and
        // under whose key nothing was signed.
        fs::create_dir(folder.join(SEEN)).map_err(failed)?;
        fs::create_dir(folder.join(EVIDENCE)).map_err(failed)?;
        secret::write_new(&folder.join(KEY), &key.secret())?;
        Ok(vkey)
    }

    /// Opens what `create` made, and reads what was seen.
    pub fn open(folder: &Path, name: &str, logs: Vec<Vkey>) -> Result<Self, HomeError> {
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        let key = SigningKey::from_secret(&secret::read(&folder.join(KEY))?);
        let own = Vkey::new(name, KeyKind::Witness, key.verifying_key())?;
        let lock = lock(folder)?;
        if !folder.join(SEEN).is_dir() {
            return Err(HomeError::Forgotten { folder: folder.to_owned() });
        }
        let mut seen = HashMap::new();
        for log in &logs {
            let path = seen_path(folder, log.name());
            if !path.exists() {
                continue;
            }
            let touched = || HomeError::Touched { path: path.clone() };
            if fs::metadata(&path).map_err(failed)?.len() > NOTE_BYTES_MAX as u64 {
                return Err(touched());
            }
            let note = Note::from_bytes(&fs::read(&path).map_err(failed)?);
            let note = note.ok().filter(|note| matches!(note.word_of(&own), Word::Signed { .. }));
            let head: Option<TreeHead> = note.and_then(|note| note.text().parse().ok());
            let head = head.filter(|head| head.origin == log.name()).ok_or_else(touched)?;
            seen.insert(head.origin.clone(), head);
        }
        let (folder, name) = (folder.to_owned(), name.to_owned());
        Ok(Self { folder, name, key, logs, seen, _lock: lock })
    }

    /// The witness's key, for policies and for the collector's configuration.
    pub fn vkey(&self) -> Result<Vkey, VkeyError> {
        Vkey::new(&self.name, KeyKind::Witness, self.key.verifying_key())
    }

    /// Cosigns a checkpoint, if it continues what was seen. It is remembered before anybody gets the
    /// signature; `&mut` makes of judging and remembering one step.
    pub fn cosign(&mut self, request: &Request, now: Timestamp) -> Result<Line, CosignError> {
        let seen = |origin: &str| self.seen.get(origin).cloned();
        let head = match judge(request, &self.logs, seen) {
            Ok(head) => head,
            Err(refusal) => {
                if refusal.accuses() {
                    self.keep(&request.note, &refusal);
                }
                return Err(refusal.into());
            }
        };
        let at_s = u64::try_from(now.as_ms() / 1_000).unwrap_or(0);
        let text = request.note.text();
        let line = cosign(text, &self.name, &self.key, at_s).expect("`open` tried the name");
        let mut lines: Vec<Line> =
            self.logs.iter().flat_map(|log| request.note.lines_of(log)).cloned().collect();
        lines.push(line.clone());
        let note = Note::new(text.to_owned(), lines).to_string();
        // A crash after this line leaves a checkpoint that we take as seen and whose cosignature
        // nobody has: the log asks again, from there.
        let path = seen_path(&self.folder, &head.origin);
        durable::write(&path, note.as_bytes(), Access::Everyone)?;
        self.seen.insert(head.origin.clone(), head);
        Ok(line)
    }

    /// Keeps what an honest log does not sign. Evidence that cannot be kept changes no answer.
    fn keep(&self, note: &Note, refusal: &Refusal) {
        let text = note.to_string();
        let name = HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..16]) + ".note";
        let folder = self.folder.join(EVIDENCE);
        tracing::error!("A log has signed against itself ({refusal}): {name} in {folder:?}.");
        let kept = fs::read_dir(&folder).map_or(usize::MAX, Iterator::count);
        if kept < EVIDENCE_MAX
            && let Err(error) =
                durable::write(&folder.join(name), text.as_bytes(), Access::Everyone)
        {
            tracing::error!("The evidence is lost: {error}.");
        }
    }
}

fn seen_path(folder: &Path, origin: &str) -> PathBuf {
    let name = HEXLOWER.encode(&Sha256::digest(origin.as_bytes())[..16]);
    folder.join(SEEN).join(name + ".note")
}

fn lock(folder: &Path) -> Result<Lock, HomeError> {
    Lock::take(&folder.join(LOCK)).map_err(|error| match error {
        LockError::Held => HomeError::Locked { folder: folder.to_owned() },
        LockError::Io(cause) => HomeError::Folder { folder: folder.to_owned(), cause },
    })
}
