//! Where the centre's data lies: in files of the collector's folder, or in a PostgreSQL database. The
//! one place that knows both; whoever works with a ledger, with cases or with the feed gets it from
//! here and does not ask which it is.

use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::RestoreError;
use crate::cases::{self, Cases, PostgresCases, SqliteCases};
use crate::feed::{self, Feed, PostgresLog, SqliteLog};
use crate::ledger::{Ledger, OpenLedgerError, Postgres, Sqlite};
use crate::platform::durable::{self, WriteError};
use crate::platform::postgres::{self as platform, Address, Broken, Session};

/// In the collector's folder.
const LEDGER: &str = "ledger.sqlite";
/// A ledger that is not yet restored as a whole.
const RESTORING: &str = "ledger.sqlite.restoring";
const CASES: &str = "cases.sqlite";
const FEED: &str = "feed.sqlite";

/// See the head of this file.
#[derive(Debug, Clone)]
pub enum Store {
    /// SQLite, in three files of this folder.
    Sqlite(PathBuf),
    /// PostgreSQL, in three schemas of this database.
    Postgres(Address),
}

impl Store {
    /// SQLite in a folder.
    pub fn files(folder: &Path) -> Self {
        Store::Sqlite(folder.to_owned())
    }

    /// The file of the ledger, where it is one.
    pub fn ledger_file(&self) -> Option<PathBuf> {
        match self {
            Store::Sqlite(folder) => Some(folder.join(LEDGER)),
            Store::Postgres(_) => None,
        }
    }

    /// Whether a ledger can be made here: nothing is made or changed. Keys that are made for a ledger
    /// that then cannot be would be in the way of the next attempt.
    pub(super) fn is_free(&self) -> Result<(), OpenLedgerError> {
        match self {
            Store::Sqlite(folder) => match folder.join(LEDGER).exists() {
                true => Err(OpenLedgerError::Exists { place: self.to_string() }),
                false => Ok(()),
            },
            Store::Postgres(address) => Postgres::is_free(address),
        }
    }

    /// Makes an empty ledger, never over another.
    pub fn create_ledger(&self) -> Result<Box<dyn Ledger>, OpenLedgerError> {
        Ok(match self {
            Store::Sqlite(folder) => Box::new(Sqlite::create(&folder.join(LEDGER))?),
            Store::Postgres(address) => Box::new(Postgres::create(address)?),
        })
    }

    /// Opens the ledger to write to it. In a file, whoever does holds the folder's lock; in a
    /// database, the ledger's own.
    pub fn open_ledger(&self) -> Result<Box<dyn Ledger>, OpenLedgerError> {
        Ok(match self {
            Store::Sqlite(folder) => Box::new(Sqlite::open(&folder.join(LEDGER))?),
            Store::Postgres(address) => Box::new(Postgres::open(address)?),
        })
    }

    /// Opens the ledger to read it beside one that commits.
    pub fn read_ledger(&self) -> Result<Box<dyn Ledger>, OpenLedgerError> {
        Ok(match self {
            Store::Sqlite(folder) => Box::new(Sqlite::open_read_only(&folder.join(LEDGER))?),
            Store::Postgres(address) => Box::new(Postgres::open_read_only(address)?),
        })
    }

    /// Opens the ledger to read it, also one that contradicts itself, and says in what.
    pub fn audit_ledger(&self) -> Result<(Box<dyn Ledger>, Option<String>), OpenLedgerError> {
        Ok(match self {
            Store::Sqlite(folder) => {
                let (ledger, detail) = Sqlite::open_for_audit(&folder.join(LEDGER))?;
                (Box::new(ledger), detail)
            }
            Store::Postgres(address) => {
                let (ledger, detail) = Postgres::open_for_audit(address)?;
                (Box::new(ledger), detail)
            }
        })
    }

    /// Whether there is a store of cases: looking at it makes none.
    pub fn has_cases(&self) -> bool {
        match self {
            Store::Sqlite(folder) => folder.join(CASES).exists(),
            Store::Postgres(_) => true,
        }
    }

    /// Opens the cases, and makes an empty store of them where there is none.
    pub fn open_cases(&self) -> Result<Box<dyn Cases>, cases::OpenError> {
        Ok(match self {
            Store::Sqlite(folder) => Box::new(SqliteCases::open(&folder.join(CASES))?),
            Store::Postgres(address) => Box::new(PostgresCases::open(address)?),
        })
    }

    /// Opens the feed, and makes an empty one where there is none.
    pub fn open_feed(&self) -> Result<Arc<Feed>, feed::OpenError> {
        Ok(Feed::of(match self {
            Store::Sqlite(folder) => Box::new(SqliteLog::open(&folder.join(FEED))?),
            Store::Postgres(address) => Box::new(PostgresLog::open(address)?),
        }))
    }
}

/// A ledger that is being restored: none yet, for anybody else.
#[derive(Debug)]
pub(super) enum Restoring {
    /// In a file beside the ledger's.
    Sqlite { ledger: Sqlite, beside: PathBuf, path: PathBuf },
    /// In its database, with a mark.
    Postgres(Box<Postgres>),
}

impl Restoring {
    pub(super) fn ledger(&mut self) -> &mut dyn Ledger {
        match self {
            Restoring::Sqlite { ledger, .. } => ledger,
            Restoring::Postgres(ledger) => &mut **ledger,
        }
    }

    /// Makes it the ledger. A crash before the end of this leaves none.
    pub(super) fn finish(self) -> Result<(), RestoreError> {
        match self {
            Restoring::Sqlite { ledger, beside, path } => {
                // The last connection folds the write-ahead log into the file.
                drop(ledger);
                let synced = File::open(&beside).and_then(|file| file.sync_all());
                synced.map_err(|io| WriteError { path: beside.clone(), io })?;
                durable::publish(&beside, &path)?;
            }
            Restoring::Postgres(mut ledger) => ledger.finish()?,
        }
        Ok(())
    }
}

impl Store {
    /// What stands in the way of a restore.
    pub(super) fn occupied(&self) -> Result<Option<&'static str>, OpenLedgerError> {
        let views = "cases or feed of another ledger are there, which must be moved away";
        match self {
            Store::Sqlite(folder) => {
                let there = |name| folder.join(name).exists();
                Ok(match (there(LEDGER), there(CASES) || there(FEED)) {
                    (true, _) => Some("there is a ledger already"),
                    (false, true) => Some(views),
                    (false, false) => None,
                })
            }
            Store::Postgres(address) => {
                let mut session = Session::open(address, Broken::Ends)?;
                let has = |session: &mut Session, name| session.has_schema(name);
                let failed = |cause: platform::Error| OpenLedgerError::Storage {
                    place: address.to_string(),
                    cause: cause.into(),
                };
                // Whether a ledger there is a whole one, its making finds out.
                let views_there = has(&mut session, "cases").map_err(failed)?
                    || has(&mut session, "feed").map_err(failed)?;
                Ok(views_there.then_some(views))
            }
        }
    }

    /// Begins a ledger that nobody can open before it is finished.
    pub(super) fn begin_restore(&self) -> Result<Restoring, RestoreError> {
        Ok(match self {
            Store::Sqlite(folder) => {
                let (path, beside) = (folder.join(LEDGER), folder.join(RESTORING));
                for end in ["", "-wal", "-shm"] {
                    let left = folder.join(format!("{RESTORING}{end}"));
                    match std::fs::remove_file(&left) {
                        Err(io) if io.kind() != ErrorKind::NotFound => {
                            return Err(WriteError { path: left, io }.into());
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
                let ledger = Sqlite::create(&beside)?;
                Restoring::Sqlite { ledger, beside, path }
            }
            Store::Postgres(address) => match Postgres::create_unfinished(address) {
                Ok(ledger) => Restoring::Postgres(Box::new(ledger)),
                Err(OpenLedgerError::Exists { place }) => {
                    return Err(RestoreError::NotEmpty {
                        place,
                        what: "there is a ledger already",
                    });
                }
                Err(error) => return Err(error.into()),
            },
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::Sqlite(folder) => write!(f, "{}", folder.join(LEDGER).display()),
            Store::Postgres(address) => write!(f, "{address}"),
        }
    }
}
