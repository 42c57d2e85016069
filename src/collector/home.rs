//! The collector's folder: its two private keys, its ledger (or the way to it), and a lock that keeps
//! a second process out. Made once by `init`, never silently: a folder that was not mounted must not begin
//! a second history under a new key.

use std::io;
use std::path::{Path, PathBuf};

use super::keys::{self, Role, Signer};
use super::publish::{LogSettings, PublishError, Publisher};
use super::{StateError, Store, check_facts};
use crate::domain::{Fact, TerminalId, Timestamp};
use crate::ledger::bundle::Bundle;
use crate::ledger::{Body, Entry, Item, Ledger, OpenLedgerError, ReadError, StageError, Staged};
use crate::platform::chance::random_bytes;
use crate::platform::durable;
use crate::platform::lock::{Lock, LockError};
use crate::platform::secret::SecretError;
use crate::record::{CentreKeys, Checkpoint, SigningKey, VerifyingKey, seal_statement};

const LOCK: &str = "collector.lock";

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// The folder could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// `init` was run before.
    #[error("there is a collector in {folder} already")]
    Exists {
        /// Where.
        folder: PathBuf,
    },
    /// A key cannot be read or made: `init` was not run, or the data partition is not mounted.
    #[error("could not use a key")]
    Key(#[from] SecretError),
    /// Another process holds the folder.
    #[error("another collector works in {folder}")]
    Locked {
        /// Where.
        folder: PathBuf,
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
    /// The ledger could not be made or opened.
    #[error("could not use the ledger")]
    Ledger(#[from] OpenLedgerError),
}

/// The collector's folder, held by this process alone.
#[derive(Debug)]
pub struct Home {
    pub(super) ledger: Box<dyn Ledger>,
    pub(super) log: Signer,
    pub(super) receipt: Signer,
    store: Store,
    // Held, not read: dropping it frees the folder.
    pub(super) _lock: Lock,
}

impl Home {
    /// Makes keys and an empty ledger in `folder`.
    pub fn create(folder: &Path) -> Result<Self, HomeError> {
        Self::create_in(folder, Store::files(folder))
    }

    /// Makes keys in `folder` and an empty ledger in `store`.
    pub fn create_in(folder: &Path, store: Store) -> Result<Self, HomeError> {
        let new = || SigningKey::from_secret(&random_bytes());
        Self::create_with(folder, store, [new(), new()])
    }

    /// The same with keys that are given, for the log and for receipts: a made world's follow from its
    /// seed.
    pub fn create_with(
        folder: &Path,
        store: Store,
        [log, receipt]: [SigningKey; 2],
    ) -> Result<Self, HomeError> {
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(folder)?;
        let ledger_file = store.ledger_file();
        let keys = [Role::Log, Role::Receipt].map(|role| folder.join(role.file()));
        if keys.iter().chain(&ledger_file).any(|path| path.exists()) {
            return Err(HomeError::Exists { folder: folder.to_owned() });
        }
        store.is_free()?;
        // A crash between these lines leaves a folder that neither `run` nor `init` accepts, and
        // in which nothing was committed yet: somebody looks, empties it and begins anew.
        let log = keys::put(folder, Role::Log, log)?;
        let receipt = keys::put(folder, Role::Receipt, receipt)?;
        let ledger = store.create_ledger()?;
        if let Some(file) = ledger_file {
            durable::sync_folder_of(&file).map_err(failed)?;
        }
        Ok(Self { ledger, log, receipt, store, _lock: lock })
    }

    /// Opens what `create` made.
    pub fn open(folder: &Path) -> Result<Self, HomeError> {
        Self::open_in(folder, Store::files(folder))
    }

    /// Opens what `create_in` made.
    pub fn open_in(folder: &Path, store: Store) -> Result<Self, HomeError> {
        let log = keys::read(folder, Role::Log)?;
        let receipt = keys::read(folder, Role::Receipt)?;
        let lock = lock(folder)?;
        let ledger = store.open_ledger()?;
        Ok(Self { ledger, log, receipt, store, _lock: lock })
    }

    /// Lets another key follow the one in force, while no collector runs, and gives its public half. The
    /// old one, where there is one, signs over to it and stays beside it under the name that is returned;
    /// what it has sealed stays what it is.
    pub fn renew_key(
        folder: &Path,
        role: Role,
        now: Timestamp,
    ) -> Result<(VerifyingKey, Option<PathBuf>), HomeError> {
        let _lock = lock(folder)?;
        // A ledger goes on only with the word of the key that it was begun with.
        keys::read(folder, Role::Log)?;
        keys::renew(folder, role, now)
    }

    /// Keeps collectors out of a folder while something that they read at their start is changed.
    pub fn hold(folder: &Path) -> Result<Lock, HomeError> {
        keys::read(folder, Role::Log)?;
        lock(folder)
    }

    /// The public log keys of a folder in which there may be no ledger yet, and the lock that keeps
    /// others out of it.
    pub(super) fn keys(folder: &Path) -> Result<(CentreKeys, Lock), HomeError> {
        let log = keys::read(folder, Role::Log)?;
        keys::read(folder, Role::Receipt)?;
        Ok((log.keys, lock(folder)?))
    }

    /// The log key itself, to seal a backup beside a collector that works.
    pub fn log_secret(folder: &Path) -> Result<SigningKey, HomeError> {
        Ok(keys::read(folder, Role::Log)?.key)
    }

    /// The log keys of a folder that another process may hold.
    pub fn peek(folder: &Path) -> Result<CentreKeys, HomeError> {
        Ok(keys::read(folder, Role::Log)?.keys)
    }

    /// The receipt key of a folder that another process may hold.
    pub fn peek_receipt(folder: &Path) -> Result<VerifyingKey, HomeError> {
        Ok(keys::read(folder, Role::Receipt)?.keys.newest())
    }

    /// Where the ledger lies, for whoever reads it beside this.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The public half of the key that seals facts and checkpoints.
    pub fn log_key(&self) -> VerifyingKey {
        self.log.keys.newest()
    }

    /// The public half of the key that seals receipts and answers: what terminals pin.
    pub fn receipt_key(&self) -> VerifyingKey {
        self.receipt.keys.newest()
    }

    /// The receipt key, for the desk that enrols terminals.
    pub fn receipt_signer(&self) -> SigningKey {
        self.receipt.clone().key
    }

    /// All facts of the ledger, in its order.
    pub fn facts(&self) -> Result<Vec<Fact>, ReadError> {
        let mut facts = Vec::new();
        let mut next = 0;
        loop {
            let entries = self.ledger.entries_since(next, READ_ENTRIES)?;
            let Some(last) = entries.last() else { return Ok(facts) };
            next = last.index + 1;
            facts.extend(entries.into_iter().filter_map(|entry| match entry.body {
                Body::Fact(fact) => Some(fact),
                Body::Record { .. } | Body::Refused { .. } => None,
            }));
        }
    }

    /// States facts while no collector runs: all of them, in this order, or none.
    pub fn state(&mut self, facts: Vec<Fact>, now: Timestamp) -> Result<Vec<Entry>, StateError> {
        check_facts(&facts, &self.log.key)?;
        let items = facts.into_iter().map(Item::Fact);
        let staged = Staged::seal(items, now, self.ledger.last_committed_at(), &self.log.key)
            .map_err(|StageError::TooLong { bytes }| StateError::TooLong { bytes })?;
        Ok(self.ledger.commit(staged)?)
    }

    /// A bundle of everything, or of what concerns one terminal, under a checkpoint of now.
    pub fn export(
        &self,
        origin: &str,
        terminal: Option<&TerminalId>,
        now: Timestamp,
    ) -> Result<Bundle, ReadError> {
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: self.ledger.size(),
            root: self.ledger.root().0,
            at: now.max(self.ledger.last_committed_at()),
        };
        Bundle::export(&*self.ledger, terminal, seal_statement(&checkpoint, &self.log.key))
    }

    /// What publishes this ledger's log into `folder`; holds the database against all that was
    /// signed before.
    pub fn publisher(
        &self,
        origin: &str,
        settings: LogSettings,
    ) -> Result<Publisher, PublishError> {
        Publisher::open(&self.store, origin, self.log.clone(), settings)
    }

    /// What an auditor must be given by another way than the bundles: a file for
    /// `rollcall verify --trust`.
    pub fn trust_lines(&self) -> String {
        let logs = self.log.keys.all().iter().map(|key| format!("log {key}\n"));
        logs.chain([format!("receipt {}\n", self.receipt_key())]).collect()
    }
}

fn lock(folder: &Path) -> Result<Lock, HomeError> {
    Lock::take(&folder.join(LOCK)).map_err(|error| match error {
        LockError::Held => HomeError::Locked { folder: folder.to_owned() },
        LockError::Io(cause) => HomeError::Folder { folder: folder.to_owned(), cause },
    })
}
