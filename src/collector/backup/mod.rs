//! Backup and restore of the ledger, from and into any store (docs/spec/backup-v1.md, and
//! docs/runbook/backup.md for people). The collector's keys are not in it: they never change, belong
//! where few can read them, and a backup that held them would be worth stealing.
//!
//! A backup is read beside a collector that works. Entries are never changed or removed, so those
//! below the size at the beginning are of one moment, however long the reading takes.

mod check;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use self::check::Wrong;
use self::check::{Check, Took};
use super::publish::{CHECKPOINT, FolderError, LogSettings, SIGNED, read_checkpoint, remember};
use super::{Home, HomeError, Store};
use crate::domain::Timestamp;
use crate::ledger::backup::{FORMAT, First, LINE_BYTES_MAX, Last, Line, json};
use crate::ledger::bundle::Bytes;
use crate::ledger::tree::{Frontier, TreeHash};
use crate::ledger::{CommitError, OpenLedgerError, ReadError, Staged};
use crate::platform::durable::{self, WriteError};
use crate::record::{BackupSeal, CentreKeys, OpenError, SigningKey, seal_statement};

/// Entries read, and committed, at once.
const CHUNK_ENTRIES: usize = 1_000;

/// No backup was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name.
    #[error("could not write {path}: there is such a file already")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The ledger cannot be opened.
    #[error("could not open the ledger to back it up")]
    Open(#[from] OpenLedgerError),
    /// It cannot be read.
    #[error("could not read the ledger to back it up")]
    Read(#[from] ReadError),
    /// Its entries are not those of its own tree: a copy would only spread that.
    #[error("could not back up the ledger: its entries do not give the root that it keeps")]
    Contradiction,
    /// The file cannot be written.
    #[error("could not write the backup")]
    Write(#[from] WriteError),
}

/// Nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder or its keys cannot be used.
    #[error("could not use the collector's folder")]
    Home(#[from] HomeError),
    /// The file cannot be read.
    #[error("could not read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
    /// The file is not what was sealed.
    #[error("could not trust the backup {path}")]
    Wrong {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Wrong,
    },
    /// It is of another log.
    #[error("could not restore {found} here: the configuration says {wanted}")]
    OtherLog {
        /// The backup's origin.
        found: String,
        /// The configuration's.
        wanted: String,
    },
    /// Something is there already.
    #[error("could not restore into {place}: {what}")]
    NotEmpty {
        /// Where.
        place: String,
        /// What is there.
        what: &'static str,
    },
    /// The ledger cannot be made.
    #[error("could not make the ledger")]
    Open(#[from] OpenLedgerError),
    /// It cannot be written.
    #[error("could not write the ledger")]
    Commit(#[from] CommitError),
    /// An entry cannot be stored as what it is.
    #[error("could not store what the backup holds")]
    Entry(#[from] OpenError),
    /// It was written and cannot be put in its place.
    #[error("could not put the ledger in its place")]
    Place(#[from] WriteError),
    /// The public log beside it cannot be used.
    #[error("could not recover the last published checkpoint")]
    Published(#[from] FolderError),
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// How many entries.
    pub entries: u64,
    /// The root over them.
    pub root: TreeHash,
    /// When it was made.
    pub at: Timestamp,
}

/// Writes everything that the ledger holds now into a new file.
pub fn backup(
    store: &Store,
    origin: &str,
    log: &SigningKey,
    out: &Path,
    now: Timestamp,
) -> Result<Held, BackupError> {
    if out.exists() {
        return Err(BackupError::Exists { path: out.to_owned() });
    }
    let ledger = store.read_ledger()?;
    let (size, root) = (ledger.size(), ledger.root());
    let mut beside = out.as_os_str().to_owned();
    beside.push(".partial");
    let beside = PathBuf::from(beside);
    let failed = |io| BackupError::Write(WriteError { path: beside.clone(), io });
    let mut options = OpenOptions::new();
    // It opens commitments, so it names persons: its owner's alone.
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = Hashing::new(options.open(&beside).map_err(failed)?);
    let first = First {
        format: FORMAT.to_owned(),
        origin: origin.to_owned(),
        log: log.verifying_key().to_string(),
    };
    file.write(&json(&first)).map_err(failed)?;
    let mut frontier = Frontier::default();
    while frontier.size() < size {
        let next = frontier.size();
        let chunk = ledger.stored_since(next, CHUNK_ENTRIES)?;
        for stored in chunk.into_iter().filter(|stored| stored.index < size) {
            frontier.push(stored.leaf());
            file.write(&json(&Line::of(stored))).map_err(failed)?;
        }
        if frontier.size() == next {
            break;
        }
    }
    if frontier.size() != size || frontier.root() != root {
        std::fs::remove_file(&beside).map_err(failed)?;
        return Err(BackupError::Contradiction);
    }
    let at = now.max(ledger.last_committed_at());
    let digest = file.digest();
    let seal = BackupSeal { origin: origin.to_owned(), size, root: root.0, at, digest };
    let last = Last { seal: Bytes(seal_statement(&seal, log)) };
    file.write(&json(&last)).map_err(failed)?;
    file.sync().map_err(failed)?;
    // A crash before this line leaves a `.partial`, which is no backup and which the next replaces.
    durable::publish(&beside, out)?;
    Ok(Held { entries: size, root, at })
}

/// A file whose bytes are hashed as they pass.
struct Hashing {
    file: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), hash: Sha256::new() }
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.hash.update(line);
        self.file.write_all(line.as_bytes())
    }

    fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// Makes the ledger that a backup holds, in a store that is empty. The file is checked as a whole
/// before anything is made, and again, entry by entry, as it is stored; what did not come to its end
/// is no ledger and gives way to the next attempt.
pub fn restore(
    folder: &Path,
    store: &Store,
    origins: &[&str],
    settings: &LogSettings,
    from: &Path,
) -> Result<Held, RestoreError> {
    let (keys, _lock) = Home::keys(folder)?;
    if let Some(what) = store.occupied()? {
        return Err(RestoreError::NotEmpty { place: store.to_string(), what });
    }
    let unread = |io| RestoreError::Read { path: from.to_owned(), io };
    let wrong = |cause| RestoreError::Wrong { path: from.to_owned(), cause };
    let mut file = File::open(from).map_err(unread)?;
    let seal = check(&file, from, keys.clone())?;
    if !origins.contains(&seal.origin.as_str()) {
        let wanted = origins.join(", or ");
        return Err(RestoreError::OtherLog { found: seal.origin, wanted });
    }
    file.rewind().map_err(unread)?;
    let mut restoring = store.begin_restore()?;
    let again = read(&file, from, Check::new(keys), |chunk| {
        restoring.ledger().commit(Staged::restored(chunk)?)?;
        Ok(())
    })?;
    let made = restoring.ledger();
    if again != seal || (made.size(), made.root()) != (seal.size, TreeHash(seal.root)) {
        return Err(wrong(Wrong::Changed));
    }
    recover_published(settings)?;
    restoring.finish()?;
    Ok(Held { entries: seal.size, root: TreeHash(seal.root), at: seal.at })
}

/// Holds a whole backup against its seal, and each entry against its own; `path` is for the words of an
/// error. A thousand are in memory at once.
pub fn check(
    file: impl Read,
    path: &Path,
    keys: impl Into<CentreKeys>,
) -> Result<BackupSeal, RestoreError> {
    read(file, path, Check::new(keys.into()), |_| Ok(()))
}

/// Reads and checks a backup, and hands its entries on.
fn read(
    file: impl Read,
    path: &Path,
    mut check: Check,
    mut take: impl FnMut(Vec<crate::ledger::Stored>) -> Result<(), RestoreError>,
) -> Result<BackupSeal, RestoreError> {
    let wrong = |cause| RestoreError::Wrong { path: path.to_owned(), cause };
    let mut lines = BufReader::new(file);
    let mut chunk = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let bound = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut lines)
            .take(bound)
            .read_until(b'\n', &mut line)
            .map_err(|io| RestoreError::Read { path: path.to_owned(), io })?;
        match check.take(&line).map_err(wrong)? {
            Took::First => {}
            Took::Entry(stored) => {
                chunk.push(*stored);
                if chunk.len() == CHUNK_ENTRIES {
                    take(std::mem::take(&mut chunk))?;
                }
            }
            Took::Last(seal) => {
                if !lines.fill_buf().is_ok_and(<[u8]>::is_empty) {
                    return Err(wrong(Wrong::Beyond));
                }
                if !chunk.is_empty() {
                    take(chunk)?;
                }
                return Ok(seal);
            }
        }
    }
}

/// Where the folder has forgotten what was signed, the public log remembers it: with it a ledger that is
/// older than what was published is known as such at the next start.
fn recover_published(settings: &LogSettings) -> Result<(), FolderError> {
    let signed = settings.data_dir.join(SIGNED);
    if read_checkpoint(&signed)?.is_none()
        && let Some(note) = read_checkpoint(&settings.folder.join(CHECKPOINT))?
    {
        remember(&signed, &note)?;
    }
    Ok(())
}
