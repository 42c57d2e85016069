//! Tokens, bound keys and wishes to revoke, as small JSON files of one terminal each. Every file has
//! one kind of writer (the command line writes tokens and wishes, the desk writes bound keys), and is
//! replaced as a whole: no lock is needed between a running collector and a command.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::judge::{Bound, TokenNote};
use crate::domain::{SiteId, TerminalId, Timestamp};
use crate::platform::durable::{self, Access, WriteError};
use crate::record::{KeyError, Unreadable, VerifyingKey};

/// Words about keys that followed each other that are kept of a terminal: more than the days between
/// two backups.
const FOLLOWED_MAX: usize = 100;

/// Largest file: a thousand keys of 52 characters of each kind, and room.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    /// It cannot be read.
    #[error("could not read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// It is not what was written there.
    #[error("could not understand {path}: {why}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It cannot be written.
    #[error("could not keep a note")]
    Write(#[from] WriteError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    key: String,
    site: SiteId,
    until: Timestamp,
    replaces: Option<TerminalId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBound {
    record: String,
    tls: Vec<String>,
    #[serde(default)]
    reading: Vec<String>,
    site: SiteId,
    replaces: Option<TerminalId>,
    at: Timestamp,
    #[serde(default)]
    authority: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFollowed {
    /// In hexadecimal, the oldest first.
    requests: Vec<String>,
}

/// Somebody wants a terminal revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationWish {
    /// Why, in words that the ledger keeps.
    pub reason: String,
    /// When it was wished.
    pub at: Timestamp,
}

/// The folder of these files.
#[derive(Debug, Clone)]
pub struct Notes(PathBuf);

impl Notes {
    /// The folder; made where there is none, for a centre that was made before there was enrolment.
    pub fn open(folder: PathBuf) -> Result<Self, NotesError> {
        fs::create_dir_all(&folder).map_err(|io| NotesError::Read { path: folder.clone(), io })?;
        Ok(Self(folder))
    }

    fn path(&self, terminal: &TerminalId, kind: &str) -> PathBuf {
        self.0.join(format!("{terminal}.{kind}.json"))
    }

    /// A terminal's token.
    pub fn token(&self, terminal: &TerminalId) -> Result<Option<TokenNote>, NotesError> {
        let path = self.path(terminal, "token");
        let Some(raw) = read::<RawToken>(&path)? else { return Ok(None) };
        let RawToken { key, site, until, replaces } = raw;
        Ok(Some(TokenNote { key: key_in(&path, &key)?, site, until, replaces }))
    }

    /// Keeps a terminal's token in place of an older one.
    pub fn keep_token(&self, terminal: &TerminalId, note: &TokenNote) -> Result<(), NotesError> {
        let TokenNote { key, site, until, replaces } = note.clone();
        let raw = RawToken { key: key.to_string(), site, until, replaces };
        write(&self.path(terminal, "token"), &raw)
    }

    /// The keys that a terminal is bound to.
    pub fn bound(&self, terminal: &TerminalId) -> Result<Option<Bound>, NotesError> {
        let path = self.path(terminal, "bound");
        let Some(raw) = read::<RawBound>(&path)? else { return Ok(None) };
        let RawBound { record, tls, reading, site, replaces, at, authority } = raw;
        let tls: Result<_, _> = tls.iter().map(|key| key_in(&path, key)).collect();
        let record = key_in(&path, &record)?;
        let reading = reading.iter().map(|key| key.parse());
        let reading: Result<_, Unreadable> = reading.collect();
        let reading = reading.map_err(|error| content(&path, &error))?;
        Ok(Some(Bound { record, tls: tls?, reading, site, replaces, at, authority }))
    }

    /// Binds a terminal to keys.
    pub fn keep_bound(&self, terminal: &TerminalId, bound: &Bound) -> Result<(), NotesError> {
        let Bound { record, tls, reading, site, replaces, at, authority } = bound.clone();
        let tls = tls.iter().map(ToString::to_string).collect();
        let reading = reading.iter().map(ToString::to_string).collect();
        let record = record.to_string();
        let raw = RawBound { record, tls, reading, site, replaces, at, authority };
        write(&self.path(terminal, "bound"), &raw)
    }

    /// All terminals that were bound to keys.
    pub fn with_bound(&self) -> Result<Vec<TerminalId>, NotesError> {
        self.names(".bound.json")
    }

    /// A terminal's words that another record key follows, the oldest first.
    pub fn followed(&self, terminal: &TerminalId) -> Result<Vec<Vec<u8>>, NotesError> {
        let path = self.path(terminal, "followed");
        let raw: RawFollowed = read(&path)?.unwrap_or_default();
        let bytes = raw.requests.iter().map(|hex| HEXLOWER.decode(hex.as_bytes()));
        bytes.collect::<Result<_, _>>().map_err(|error| content(&path, &error))
    }

    /// Keeps one more of them.
    pub fn keep_followed(&self, terminal: &TerminalId, request: &[u8]) -> Result<(), NotesError> {
        let mut words = self.followed(terminal)?;
        words.retain(|word| word != request);
        words.push(request.to_vec());
        let newest = words.len().saturating_sub(FOLLOWED_MAX);
        let requests = words[newest..].iter().map(|word| HEXLOWER.encode(word)).collect();
        write(&self.path(terminal, "followed"), &RawFollowed { requests })
    }

    /// All terminals of which there are such words.
    pub fn with_followed(&self) -> Result<Vec<TerminalId>, NotesError> {
        self.names(".followed.json")
    }

    /// Asks for a terminal to be revoked; a running collector states it within seconds, another one
    /// at its start.
    pub fn wish_revoked(
        &self,
        terminal: &TerminalId,
        wish: &RevocationWish,
    ) -> Result<(), NotesError> {
        write(&self.path(terminal, "revoked"), wish)
    }

    /// All terminals whose revocation was asked for.
    pub fn revocations(&self) -> Result<Vec<(TerminalId, RevocationWish)>, NotesError> {
        let wishes = self.names(".revoked.json")?.into_iter().map(|terminal| {
            let wish = read(&self.path(&terminal, "revoked"))?;
            Ok(wish.map(|wish| (terminal, wish)))
        });
        wishes.filter_map(Result::transpose).collect()
    }

    /// All terminals that a token was made for.
    pub fn with_token(&self) -> Result<Vec<TerminalId>, NotesError> {
        self.names(".token.json")
    }

    fn names(&self, ending: &str) -> Result<Vec<TerminalId>, NotesError> {
        let failed = |io| NotesError::Read { path: self.0.clone(), io };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(ending));
            names.extend(name.and_then(|name| name.parse().ok()));
        }
        names.sort();
        Ok(names)
    }

    /// Writes the broker's access list, where it differs.
    pub fn keep_acl(path: &Path, text: &str) -> Result<bool, NotesError> {
        if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(false);
        }
        if let Some(folder) = path.parent() {
            let failed = |io| NotesError::Read { path: folder.to_owned(), io };
            fs::create_dir_all(folder).map_err(failed)?;
        }
        durable::write(path, text.as_bytes(), Access::Everyone)?;
        Ok(true)
    }
}

fn key_in(path: &Path, text: &str) -> Result<VerifyingKey, NotesError> {
    let wrong = |error: KeyError| content(path, &error);
    text.parse().map_err(wrong)
}

fn content(path: &Path, error: &dyn std::error::Error) -> NotesError {
    NotesError::Content { path: path.to_owned(), why: error.to_string() }
}

fn read<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<Option<T>, NotesError> {
    let read = || {
        if fs::metadata(path)?.len() > FILE_BYTES_MAX {
            return Err(io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes")));
        }
        fs::read(path)
    };
    match read() {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| content(path, &error))
        }
        Err(io) if io.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(io) => Err(NotesError::Read { path: path.to_owned(), io }),
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), NotesError> {
    let text = serde_json::to_string_pretty(value).expect("plain data is always JSON");
    Ok(durable::write(path, (text + "\n").as_bytes(), Access::Owner)?)
}
