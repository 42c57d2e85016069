//! Shares in a SQLite file of their own beside the people. Mode 0600; what is replaced is overwritten
//! (`secure_delete`): a withdrawn template does not live on as ciphertext.

use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{InstitutionId, Timestamp};
use crate::platform::chance::random_bytes;
use crate::record::share::Share;

const FILE: &str = "shares.sqlite";
/// `RolS` in ASCII.
const APPLICATION_ID: i32 = 0x526f_6c53;

/// Most shares of one institution: twice the most people of a terminal, since a deletion takes as much room
/// as a template. With 3 KB each some 60 MB.
const INSTITUTION_MAX: i64 = 20_000;

/// Most shares that one terminal sent: one that goes wild does not fill its institution's room.
const TERMINAL_MAX: i64 = 15_000;

const SCHEMA: &str = "
BEGIN;
CREATE TABLE parcel (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given out twice
    institution TEXT NOT NULL,
    slot        BLOB NOT NULL,                      -- a person, by a key that only terminals have
    terminal    TEXT NOT NULL,                      -- who sent it
    changed     INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    UNIQUE (institution, slot)
) STRICT;
CREATE INDEX parcel_by_number ON parcel (institution, number);
CREATE INDEX parcel_by_terminal ON parcel (terminal);
CREATE TABLE about (epoch BLOB NOT NULL) STRICT;
PRAGMA application_id = 1383033939;
PRAGMA user_version = 1;
COMMIT;
";

/// Shares could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The file is something else.
    #[error("could not open the shares in {path}: it is no such file of version 1")]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The file could not be made.
    #[error("could not make {path}")]
    Make {
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// SQLite could not.
    #[error("could not use the shares")]
    Storage(#[from] rusqlite::Error),
}

/// What became of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there, durably, in place of an older one of the same person.
    Kept,
    /// This one, or a newer one of the same person, was there.
    Had,
    /// There is no room.
    Full,
}

/// See the file's head.
#[derive(Debug)]
pub struct Shelf {
    db: Connection,
    epoch: [u8; 16],
}

impl Shelf {
    /// Opens the file, or makes it: one that was lost is filled again by the terminals, which see that it
    /// has another epoch.
    pub fn open(folder: &Path) -> Result<Self, ShelfError> {
        let path = folder.join(FILE);
        let failed = |cause| ShelfError::Make { path: path.clone(), cause };
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let rights = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, rights).map_err(failed)?;
        let mut db = Connection::open(&path)?;
        // A rollback journal and not a WAL: what was replaced must not live on in a second file.
        db.pragma_update(None, "journal_mode", "DELETE")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "secure_delete", "ON")?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        // A crash in here leaves an empty file, which the next start goes on with.
        if tables == 0 {
            debug_assert!(SCHEMA.contains(&APPLICATION_ID.to_string()), "the schema has our mark");
            db.execute_batch(SCHEMA)?;
        }
        let mark = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        if (mark("application_id")?, mark("user_version")?) != (APPLICATION_ID, 1) {
            return Err(ShelfError::Foreign { path });
        }
        let epoch = epoch(&mut db)?;
        Ok(Self { db, epoch })
    }

    /// Names this file: numbers mean nothing in another one.
    pub fn epoch(&self) -> [u8; 16] {
        self.epoch
    }

    /// Keeps a share, `bytes` as it came, unless one of the same person is there that is not older.
    pub fn put(&mut self, share: &Share, bytes: &[u8]) -> Result<Put, ShelfError> {
        let Share { terminal, institution, slot, changed, .. } = share;
        let (terminal, institution) = (terminal.as_str(), institution.as_str());
        let transaction = self.db.transaction()?;
        let sql = "SELECT changed FROM parcel WHERE institution = ?1 AND slot = ?2";
        let before: Option<i64> =
            transaction.query_row(sql, params![institution, slot], |row| row.get(0)).optional()?;
        match before {
            Some(before) if before >= changed.as_ms() => return Ok(Put::Had),
            Some(_) => {
                let sql = "DELETE FROM parcel WHERE institution = ?1 AND slot = ?2";
                transaction.execute(sql, params![institution, slot])?;
            }
            None => {
                let count = |column: &str, of: &str| {
                    let sql = format!("SELECT count(*) FROM parcel WHERE {column} = ?1");
                    transaction.query_row(&sql, [of], |row| row.get::<_, i64>(0))
                };
                if count("institution", institution)? >= INSTITUTION_MAX
                    || count("terminal", terminal)? >= TERMINAL_MAX
                {
                    return Ok(Put::Full);
                }
            }
        }
        transaction.execute(
            "INSERT INTO parcel (institution, slot, terminal, changed, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![institution, slot, terminal, changed.as_ms(), bytes],
        )?;
        transaction.commit()?;
        Ok(Put::Kept)
    }

    /// The newest number that was given out.
    pub fn newest(&self) -> Result<u64, ShelfError> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'parcel'";
        let newest: Option<i64> = self.db.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(newest.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
    }

    /// An institution's shares behind a number, the oldest first, at most so many.
    pub fn after(
        &self,
        institution: &InstitutionId,
        number: u64,
        most: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, ShelfError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut find = self.db.prepare_cached(
            "SELECT number, bytes FROM parcel WHERE institution = ?1 AND number > ?2
             ORDER BY number LIMIT ?3",
        )?;
        let found = find.query_map(params![institution.as_str(), number, most], |row| {
            let number: i64 = row.get(0)?;
            Ok((u64::try_from(number).unwrap_or_default(), row.get(1)?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Removes what changed before `oldest`, and says how many there were.
    pub fn prune(&mut self, oldest: Timestamp) -> Result<usize, ShelfError> {
        Ok(self.db.execute("DELETE FROM parcel WHERE changed < ?1", [oldest.as_ms()])?)
    }
}

fn epoch(db: &mut Connection) -> Result<[u8; 16], rusqlite::Error> {
    let transaction = db.transaction()?;
    let found: Option<[u8; 16]> =
        transaction.query_row("SELECT epoch FROM about", [], |row| row.get(0)).optional()?;
    let epoch = found.unwrap_or_else(random_bytes);
    if found.is_none() {
        transaction.execute("INSERT INTO about (epoch) VALUES (?1)", [&epoch])?;
    }
    transaction.commit()?;
    Ok(epoch)
}
