//! The collector's folder: its two private keys, its ledger (or the way to it), and a lock that keeps
//! a second process out. Made once by `init`, never silently: a folder that was not mounted must not begin
//! a second history under a new key.

use std::io;
use std::path::{Path, PathBuf};

use super::publish::{LogSettings, PublishError, Publisher};
use super::{StateError, Store, check_facts};
use crate::domain::{Fact, TerminalId, Timestamp};
use crate::ledger::bundle::Bundle;
use crate::ledger::{Body, Entry, Item, Ledger, OpenLedgerError, ReadError, StageError, Staged};
use crate::platform::chance::random_bytes;
use crate::platform::durable;
use crate::platform::lines;
use crate::platform::lock::{Lock, LockError};
use crate::platform::secret::{self, SecretError};
use crate::record::{
    Checkpoint, Handover, SigningKey, VerifyingKey, peek_statement, seal_handover, seal_statement,
};

const LOG_KEY: &str = "log.key";
const RECEIPT_KEY: &str = "receipt.key";
const NEXT_RECEIPT_KEY: &str = "receipt.key.next";
const HANDOVERS: &str = "receipt.handovers";
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
    pub(super) log: SigningKey,
    pub(super) receipt: SigningKey,
    /// How the receipt keys of before led to this one.
    pub(super) handovers: Vec<Vec<u8>>,
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
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(folder)?;
        let ledger_file = store.ledger_file();
        let keys = [LOG_KEY, RECEIPT_KEY].map(|name| folder.join(name));
        if keys.iter().chain(&ledger_file).any(|path| path.exists()) {
            return Err(HomeError::Exists { folder: folder.to_owned() });
        }
        store.is_free()?;
        // A crash between these lines leaves a folder that neither `run` nor `init` accepts, and
        // in which nothing was committed yet: somebody looks, empties it and begins anew.
        let log = make_key(&folder.join(LOG_KEY))?;
        let receipt = make_key(&folder.join(RECEIPT_KEY))?;
        let ledger = store.create_ledger()?;
        if let Some(file) = ledger_file {
            durable::sync_folder_of(&file).map_err(failed)?;
        }
        let handovers = Vec::new();
        Ok(Self { ledger, log, receipt, handovers, store, _lock: lock })
    }

    /// Opens what `create` made.
    pub fn open(folder: &Path) -> Result<Self, HomeError> {
        Self::open_in(folder, Store::files(folder))
    }

    /// Opens what `create_in` made.
    pub fn open_in(folder: &Path, store: Store) -> Result<Self, HomeError> {
        let log = read_key(&folder.join(LOG_KEY))?;
        let receipt = read_key(&folder.join(RECEIPT_KEY))?;
        let lock = lock(folder)?;
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        let handovers = handovers_to(folder, &receipt.verifying_key()).map_err(failed)?;
        let ledger = store.open_ledger()?;
        Ok(Self { ledger, log, receipt, handovers, store, _lock: lock })
    }

    /// Gives a folder a new receipt key, while no collector runs. The old one, where there is one, signs
    /// over to it, so that terminals follow by themselves, and stays beside it under the name that is
    /// returned; receipts that it sealed stay what they are.
    pub fn renew_receipt_key(
        folder: &Path,
        now: Timestamp,
    ) -> Result<(VerifyingKey, Option<PathBuf>), HomeError> {
        let failed = |cause| HomeError::Folder { folder: folder.to_owned(), cause };
        read_key(&folder.join(LOG_KEY))?;
        let _lock = lock(folder)?;
        let path = folder.join(RECEIPT_KEY);
        let next_path = folder.join(NEXT_RECEIPT_KEY);
        let next = match read_key(&next_path) {
            Err(SecretError::Missing { .. }) => make_key(&next_path)?,
            read => read?,
        };
        let old = match read_key(&path) {
            Err(SecretError::Missing { .. }) => None,
            read => {
                let over = seal_handover(&next.verifying_key(), now, &read?);
                lines::append_durably(&folder.join(HANDOVERS), &over).map_err(failed)?;
                let beside = (1_u64..).map(|n| folder.join(format!("{RECEIPT_KEY}.{n}")));
                let old = beside.into_iter().find(|old| !old.exists());
                let old = old.expect("there is no end of numbers");
                std::fs::hard_link(&path, &old).map_err(failed)?;
                Some(old)
            }
        };
        // A crash before this line leaves the old key in force, and the next call goes on with the same
        // next one.
        durable::publish(&next_path, &path).map_err(|error| failed(error.io))?;
        Ok((next.verifying_key(), old))
    }

    /// The public log key of a folder in which there may be no ledger yet, and the lock that keeps
    /// others out of it.
    pub(super) fn keys(folder: &Path) -> Result<(VerifyingKey, Lock), HomeError> {
        let log = read_key(&folder.join(LOG_KEY))?;
        read_key(&folder.join(RECEIPT_KEY))?;
        Ok((log.verifying_key(), lock(folder)?))
    }

    /// The log key itself, to seal a backup beside a collector that works.
    pub fn log_secret(folder: &Path) -> Result<SigningKey, HomeError> {
        Ok(read_key(&folder.join(LOG_KEY))?)
    }

    /// The log key of a folder that another process may hold.
    pub fn peek(folder: &Path) -> Result<VerifyingKey, HomeError> {
        Ok(read_key(&folder.join(LOG_KEY))?.verifying_key())
    }

    /// The receipt key of a folder that another process may hold.
    pub fn peek_receipt(folder: &Path) -> Result<VerifyingKey, HomeError> {
        Ok(read_key(&folder.join(RECEIPT_KEY))?.verifying_key())
    }

    /// Where the ledger lies, for whoever reads it beside this.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The public half of the key that seals facts and checkpoints.
    pub fn log_key(&self) -> VerifyingKey {
        self.log.verifying_key()
    }

    /// The public half of the key that seals receipts and answers: what terminals pin.
    pub fn receipt_key(&self) -> VerifyingKey {
        self.receipt.verifying_key()
    }

    /// The receipt key, for the desk that enrols terminals.
    pub fn receipt_signer(&self) -> SigningKey {
        SigningKey::from_secret(&self.receipt.secret())
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
        check_facts(&facts, &self.log)?;
        let items = facts.into_iter().map(Item::Fact);
        let staged = Staged::seal(items, now, self.ledger.last_committed_at(), &self.log)
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
        Bundle::export(&*self.ledger, terminal, seal_statement(&checkpoint, &self.log))
    }

    /// What publishes this ledger's log into `folder`; holds the database against all that was
    /// signed before.
    pub fn publisher(
        &self,
        origin: &str,
        settings: LogSettings,
    ) -> Result<Publisher, PublishError> {
        let key = SigningKey::from_secret(&self.log.secret());
        Publisher::open(&self.store, origin, key, settings)
    }

    /// What an auditor must be given by another way than the bundles: a file for
    /// `rollcall verify --trust`.
    pub fn trust_lines(&self) -> String {
        format!("log {}\nreceipt {}\n", self.log_key(), self.receipt_key())
    }
}

/// What leads terminals to this receipt key. What leads beyond it was begun and not finished, and what
/// does not lead to it belongs to a key that was lost.
fn handovers_to(folder: &Path, receipt: &VerifyingKey) -> io::Result<Vec<Vec<u8>>> {
    let mut handovers = lines::read(&folder.join(HANDOVERS))?;
    let leads_here = |sealed: &Vec<u8>| {
        peek_statement::<Handover>(sealed).is_ok_and(|over| over.key == receipt.to_bytes())
    };
    let end = handovers.iter().rposition(leads_here).map_or(0, |last| last + 1);
    handovers.truncate(end);
    Ok(handovers)
}

fn lock(folder: &Path) -> Result<Lock, HomeError> {
    Lock::take(&folder.join(LOCK)).map_err(|error| match error {
        LockError::Held => HomeError::Locked { folder: folder.to_owned() },
        LockError::Io(cause) => HomeError::Folder { folder: folder.to_owned(), cause },
    })
}

fn make_key(path: &Path) -> Result<SigningKey, SecretError> {
    let key = SigningKey::from_secret(&random_bytes());
    secret::write_new(path, &key.secret())?;
    Ok(key)
}

fn read_key(path: &Path) -> Result<SigningKey, SecretError> {
    secret::read(path).map(|secret| SigningKey::from_secret(&secret))
}
