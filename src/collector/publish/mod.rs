//! Publishes the ledger as a log: tiles first, then a checkpoint that the log signs, witnesses
//! cosign, and everybody may fetch (docs/spec/log-v1.md).
//!
//! It reads the database beside the core, so that no check-in waits for it, and remembers each
//! checkpoint durably before anybody sees it. A database that is older than what was signed, or has
//! another history, publishes nothing ever again under this origin: [`Publisher::open`] refuses.

mod folder;
mod http;
mod submit;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use data_encoding::BASE64;
use tracing::{info, warn};

pub(super) use folder::write_checkpoint as remember;
pub use folder::{CHECKPOINT, FolderError, read_checkpoint, read_tile};
pub use submit::Watcher;

use super::config::LogSection;
use super::{Signer, Store};
use crate::ledger::tiles::{Tiler, entry_of};
use crate::ledger::tree::{Frontier, TreeHash};
use crate::ledger::{Ledger, OpenLedgerError, ReadError};
use crate::platform::telemetry::Chain;
use crate::record::note::{KeyKind, Note, Policy, TreeHead, Unpublished, Vkey, VkeyError, sign};

/// In the data folder: the last checkpoint that the log's key signed.
pub const SIGNED: &str = "log.signed";

/// In the data folder: the last checkpoint of the log that this one follows.
const ENDED: &str = "log.ended";

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// The log could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The database could not be opened.
    #[error("could not open the ledger to publish it")]
    Open(#[from] OpenLedgerError),
    /// The database could not be read.
    #[error("could not read the ledger to publish it")]
    Read(#[from] ReadError),
    /// A file could not be written or read.
    #[error("could not use the files of the log")]
    Folder(#[from] FolderError),
    /// The origin cannot name a key.
    #[error("could not sign under this origin")]
    Origin(#[from] VkeyError),
    /// What was remembered was not signed by this folder's key.
    #[error("could not go on from the checkpoint in {path}")]
    Remembered {
        /// Where it lies.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Unpublished,
    },
    /// What was remembered is of another log.
    #[error("could not publish {origin}: {path} holds a checkpoint of {other}")]
    OtherLog {
        /// The origin that is configured.
        origin: String,
        /// Where the other's checkpoint lies.
        path: PathBuf,
        /// Its origin.
        other: String,
    },
    /// The database was restored from an older backup, or entries were removed from it.
    #[error(
        "could not publish the ledger: it ends after {entries} entries, but a checkpoint of {signed} was signed"
    )]
    Older {
        /// How many entries there are.
        entries: u64,
        /// How many the checkpoint has.
        signed: u64,
    },
    /// The database has another history than the one that was signed.
    #[error(
        "could not publish the ledger: its first {signed} entries are not those of the checkpoint that was signed"
    )]
    OtherHistory {
        /// How many entries the checkpoint has.
        signed: u64,
    },
    /// The database lacks an entry in its middle.
    #[error("could not publish the ledger: entry {index} is missing")]
    Hole {
        /// Which.
        index: u64,
    },
}

/// Where and how a log is published.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Folder that remembers; the collector's own.
    pub data_dir: PathBuf,
    /// Folder of the public files.
    pub folder: PathBuf,
    /// Origin of the ended log that this one follows.
    pub follows: Option<String>,
    /// Who cosigns.
    pub watchers: Vec<Watcher>,
    /// How many of them must.
    pub quorum: usize,
}

impl LogSection {
    /// Where the public files lie.
    pub fn folder(&self, data_dir: &Path) -> PathBuf {
        if self.folder.as_os_str().is_empty() {
            data_dir.join("public")
        } else {
            self.folder.clone()
        }
    }

    /// What [`Publisher::open`] needs.
    pub fn settings(&self, data_dir: &Path) -> LogSettings {
        let watchers = self.witness.iter().filter_map(|witness| {
            // `Config::load` refuses what is no key.
            let key = witness.key.parse().ok()?;
            Some(Watcher::new(key, witness.url.trim_end_matches('/')))
        });
        LogSettings {
            data_dir: data_dir.to_owned(),
            folder: self.folder(data_dir),
            follows: Some(self.follows.clone()).filter(|origin| !origin.is_empty()),
            watchers: watchers.collect(),
            quorum: self.quorum,
        }
    }
}

/// What became of one attempt to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What the newest signed checkpoint says.
    pub head: TreeHead,
    /// Whether it lies in the public folder: enough witnesses have signed.
    pub public: bool,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Publisher {
    ledger: Box<dyn Ledger>,
    origin: String,
    signer: Signer,
    settings: LogSettings,
    policy: Policy,
    extensions: Vec<String>,
    tiler: Tiler,
    note: Option<Note>,
    public: Option<Note>,
    /// Up to where partial tiles gave way to full ones.
    cleared: u64,
}

impl Publisher {
    /// Reads the database, whole, and holds it against every checkpoint that is remembered.
    pub fn open(
        store: &Store,
        origin: &str,
        signer: impl Into<Signer>,
        settings: LogSettings,
    ) -> Result<Self, PublishError> {
        let signer = signer.into();
        let logs = vkeys(origin, &signer)?;
        let witnesses = settings.watchers.iter().map(|watcher| watcher.key.clone()).collect();
        let policy = Policy { logs, witnesses, quorum: settings.quorum };
        let extensions = follow(&settings, &signer, origin)?;
        let signed = remembered(&policy, origin, &settings.data_dir.join(SIGNED))?;
        let public = remembered(&policy, origin, &settings.folder.join(CHECKPOINT))?;
        let mut heads: Vec<_> = [&signed, &public].into_iter().flatten().map(|(_, h)| h).collect();
        // Mostly they are the same, and one reading tells.
        heads.dedup();
        let ledger = store.read_ledger()?;
        for head in heads {
            hold_against(&*ledger, head)?;
        }
        let cleared = public.as_ref().map_or(0, |(_, head)| head.size);
        let public = public.map(|(note, _)| note);
        Ok(Self {
            ledger,
            origin: origin.to_owned(),
            signer,
            settings,
            policy,
            extensions,
            // The first `publish` reads the entries again, now that they are known to be the right
            // ones: no file of the log is touched before.
            tiler: Tiler::default(),
            note: None,
            public,
            cleared,
        })
    }

    /// Publishes what was committed since.
    pub fn publish(&mut self) -> Result<Published, PublishError> {
        while take(&*self.ledger, &mut self.tiler, &self.settings.folder, READ_ENTRIES)? > 0 {}
        let head = TreeHead {
            origin: self.origin.clone(),
            size: self.tiler.size(),
            root: self.tiler.root().0,
            extensions: self.extensions.clone(),
        };
        let text = head.to_string();
        let mut note = match self.note.take().filter(|note| note.text() == text) {
            Some(note) => note,
            None => {
                for (tile, bytes) in self.tiler.partial() {
                    folder::write_tile(&self.settings.folder, &tile, &bytes)?;
                }
                // Also with the keys before it, as long as they are here: witnesses and readers learn the
                // new one in their own time.
                let keys = [&self.signer.key].into_iter().chain(&self.signer.former);
                let lines = keys.map(|key| sign(&text, &self.origin, key));
                let lines = lines.collect::<Result<_, _>>()?;
                let note = Note::new(text, lines);
                // A crash after this line leaves a checkpoint that nobody saw, over entries that are
                // durable: the next start holds the database against it and goes on from there.
                folder::write_checkpoint(&self.settings.data_dir.join(SIGNED), &note)?;
                note
            }
        };
        submit::collect(&mut note, &head, &self.settings.folder, &mut self.settings.watchers);
        let public = match self.policy.judge(&note) {
            Ok(_) => {
                if self.public.as_ref() != Some(&note) {
                    folder::write_checkpoint(&self.settings.folder.join(CHECKPOINT), &note)?;
                    folder::drop_partial(&self.settings.folder, self.cleared, head.size);
                    self.cleared = head.size;
                    self.public = Some(note.clone());
                }
                true
            }
            Err(why) => {
                warn!(log.size = head.size, "A checkpoint is not published yet: {}.", Chain(&why));
                false
            }
        };
        self.note = Some(note);
        Ok(Published { head, public })
    }

    /// Publishes at once, then again and again, on a thread of its own.
    pub fn start(mut self, every: Duration) -> std::io::Result<Publishing> {
        let (stop, stopped) = sync_channel::<()>(1);
        let work = move || {
            let mut last = None;
            loop {
                match self.publish() {
                    Ok(published) if last.as_ref() != Some(&published) => {
                        let size = published.head.size;
                        info!(log.size = size, "Signed a checkpoint of {size} entries.");
                        last = Some(published);
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!("The log waits: {}.", Chain(&error)),
                }
                match stopped.recv_timeout(every) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            // What the core committed last.
            if let Err(error) = self.publish() {
                tracing::error!(
                    "The log's last entries wait for the next start: {}.",
                    Chain(&error)
                );
            }
        };
        let thread = thread::Builder::new().name("collector-log".into()).spawn(work)?;
        Ok(Publishing { stop, thread: Some(thread) })
    }
}

/// A log that is being published.
#[derive(Debug)]
pub struct Publishing {
    stop: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Publishing {
    /// Publishes what is there and ends.
    pub fn stop(mut self) {
        // An error means that the thread has ended by itself.
        self.stop.send(()).ok();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// All keys that this log had.
fn vkeys(origin: &str, signer: &Signer) -> Result<Vec<Vkey>, VkeyError> {
    signer.keys.all().iter().map(|key| Vkey::new(origin, KeyKind::Log, *key)).collect()
}

/// Whether the database still begins with what a checkpoint was signed for.
fn hold_against(ledger: &dyn Ledger, head: &TreeHead) -> Result<(), PublishError> {
    let mut frontier = Frontier::default();
    while frontier.size() < head.size {
        let first = frontier.size();
        let left = usize::try_from(head.size - first).unwrap_or(usize::MAX);
        for stored in ledger.stored_since(first, left.min(READ_ENTRIES))? {
            if stored.index != frontier.size() {
                return Err(PublishError::Hole { index: frontier.size() });
            }
            frontier.push(stored.leaf());
        }
        if frontier.size() == first {
            return Err(PublishError::Older { entries: first, signed: head.size });
        }
    }
    if frontier.root() == TreeHash(head.root) {
        Ok(())
    } else {
        Err(PublishError::OtherHistory { signed: head.size })
    }
}

/// Takes up to `max` further entries out of the database into tiles; how many there were.
fn take(
    ledger: &dyn Ledger,
    tiler: &mut Tiler,
    public: &Path,
    max: usize,
) -> Result<u64, PublishError> {
    // What could not be written last time comes first, so that no more than one reading waits.
    write_full(tiler, public)?;
    let first = tiler.size();
    for stored in ledger.stored_since(first, max)? {
        if stored.index != tiler.size() {
            return Err(PublishError::Hole { index: tiler.size() });
        }
        tiler.push(entry_of(&stored.sealed));
    }
    write_full(tiler, public)?;
    Ok(tiler.size() - first)
}

fn write_full(tiler: &mut Tiler, public: &Path) -> Result<(), PublishError> {
    for (tile, bytes) in tiler.full() {
        folder::write_tile(public, tile, bytes)?;
    }
    tiler.forget_full();
    Ok(())
}

/// A checkpoint of an earlier run.
fn remembered(
    policy: &Policy,
    origin: &str,
    path: &Path,
) -> Result<Option<(Note, TreeHead)>, PublishError> {
    let Some(note) = read_checkpoint(path)? else { return Ok(None) };
    match policy.signed_by_log(&note) {
        Ok(head) => Ok(Some((note, head))),
        Err(Unpublished::Log { origin: other }) if other != origin => {
            Err(PublishError::OtherLog { origin: origin.to_owned(), path: path.to_owned(), other })
        }
        Err(cause) => Err(PublishError::Remembered { path: path.to_owned(), cause }),
    }
}

/// Ends the log that this one follows, once, and gives the line that names it in each checkpoint:
/// `follows ORIGIN SIZE ROOT`.
fn follow(
    settings: &LogSettings,
    signer: &Signer,
    origin: &str,
) -> Result<Vec<String>, PublishError> {
    let Some(follows) = &settings.follows else { return Ok(Vec::new()) };
    let (signed, ended) = (settings.data_dir.join(SIGNED), settings.data_dir.join(ENDED));
    let old = Policy { logs: vkeys(follows, signer)?, ..Policy::default() };
    let last = read_checkpoint(&signed)?;
    if let Some(note) = last.filter(|note| old.signed_by_log(note).is_ok()) {
        // A crash between these lines leaves both: the next start comes here again.
        folder::write_checkpoint(&ended, &note)?;
        folder::remove(&signed)?;
    }
    match remembered(&old, follows, &ended)? {
        Some((_, TreeHead { size, root, .. })) => {
            Ok(vec![format!("follows {follows} {size} {}", BASE64.encode(&root))])
        }
        None => Err(PublishError::OtherLog {
            origin: origin.to_owned(),
            path: ended,
            other: "no log at all".to_owned(),
        }),
    }
}
