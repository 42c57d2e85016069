//! The ledger in one SQLite file: WAL, `synchronous=FULL`, one transaction for each batch. A
//! crash at any moment leaves either all entries of a batch or none; which of them, the next
//! start reads from the file itself.

use std::error::Error;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::edge::{Edge, frontier_of, peaks_of};
use super::staged::{Kind, Staged, Stored};
use super::tree::{Frontier, TreeHash};
use super::{CommitError, Entry, Ledger, OpenLedgerError, ReadError, read_back};
use crate::domain::{PersonId, TerminalId, Timestamp};
use crate::ingest::{Head, Link, Past};
use crate::platform::durable;
use crate::record::{Opening, SealedHash};

/// `RolL` in ASCII: tells our file from any other SQLite database.
const APPLICATION_ID: i32 = 0x526f_6c4c;
/// Version 1 hashed the sealed bytes themselves into the tree; version 2 hashes their SHA-256.
const SCHEMA_VERSION: i32 = 2;

const ROLE_PERSON: i64 = 1;
const ROLE_OTHER: i64 = 2;

/// See the head of this file.
#[derive(Debug)]
pub struct Sqlite {
    db: Connection,
    frontier: Frontier,
    last_at: Timestamp,
}

impl Sqlite {
    /// Makes an empty ledger. Never over an existing one: a second beginning would be a second
    /// history.
    pub fn create(path: &Path) -> Result<Self, OpenLedgerError> {
        if path.exists() {
            return Err(OpenLedgerError::Exists { place: shown(path) });
        }
        let failed = |cause| storage(path, cause);
        durable::reserve(path).map_err(|cause| OpenLedgerError::Storage {
            place: shown(path),
            cause: cause.into(),
        })?;
        let db = Connection::open(path).map_err(failed)?;
        prepare(&db).map_err(failed)?;
        // A crash in here leaves a file without our mark, which `open` refuses by name.
        db.execute_batch(&format!(
            "BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;",
            include_str!("schema.sql"),
        ))
        .map_err(failed)?;
        Ok(Self { db, frontier: Frontier::default(), last_at: Timestamp::default() })
    }

    /// Opens a ledger that exists.
    pub fn open(path: &Path) -> Result<Self, OpenLedgerError> {
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens a ledger for reading only: beside one that commits, in this process or another. It
    /// sees what is committed at each call; [`Ledger::size`] and [`Ledger::root`] are those at the
    /// time of opening.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenLedgerError> {
        Self::open_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Opens a ledger for reading only, also one that contradicts itself: an audit tells in what.
    pub fn open_for_audit(path: &Path) -> Result<(Self, Option<String>), OpenLedgerError> {
        Self::open_telling(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn open_with(path: &Path, mode: OpenFlags) -> Result<Self, OpenLedgerError> {
        match Self::open_telling(path, mode)? {
            (ledger, None) => Ok(ledger),
            (_, Some(detail)) => Err(OpenLedgerError::Contradiction { place: shown(path), detail }),
        }
    }

    fn open_telling(
        path: &Path,
        mode: OpenFlags,
    ) -> Result<(Self, Option<String>), OpenLedgerError> {
        if !path.exists() {
            return Err(OpenLedgerError::Missing { place: shown(path) });
        }
        let failed = |cause| storage(path, cause);
        let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(failed)?;
        let mark = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let foreign = || OpenLedgerError::Foreign { place: shown(path) };
        let ours = |cause: rusqlite::Error| match cause.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
            _ => failed(cause),
        };
        let contradiction = |detail| OpenLedgerError::Contradiction { place: shown(path), detail };
        if mark("application_id").map_err(ours)? != APPLICATION_ID {
            return Err(foreign());
        }
        let writes = mode.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        if writes {
            prepare(&db).map_err(failed)?;
        }
        match mark("user_version").map_err(failed)? {
            SCHEMA_VERSION => {}
            1 if writes => match upgrade(&db).map_err(failed)? {
                true => {}
                false => {
                    return Err(contradiction("its tree is not the one over its entries".into()));
                }
            },
            found => {
                let place = shown(path);
                let number = |version| usize::try_from(version).unwrap_or_default();
                let (found, known) = (number(found), number(SCHEMA_VERSION));
                return Err(match found {
                    0 => foreign(),
                    older if older < known => OpenLedgerError::Older { place, found, known },
                    _ => OpenLedgerError::Newer { place, found, known },
                });
            }
        }
        let Edge { frontier, last_at, contradiction } = edge(&db).map_err(failed)?;
        Ok((Self { db, frontier, last_at }, contradiction))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn storage(path: &Path, cause: rusqlite::Error) -> OpenLedgerError {
    OpenLedgerError::Storage { place: shown(path), cause: cause.into() }
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    // FULL: the log is synced at every commit, so a receipt given after it outlives a power cut.
    // Secure delete: an erased opening is overwritten, not only unlinked.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000;",
    )
}

/// Brings a ledger of version 1 to version 2: the same entries under another tree. `false` when the
/// old tree was not the one over the entries: then nothing is changed.
fn upgrade(db: &Connection) -> rusqlite::Result<bool> {
    let write = db.unchecked_transaction()?;
    let (mut old, mut new) = (Frontier::default(), Frontier::default());
    {
        let mut select = write.prepare("SELECT sealed FROM entry ORDER BY idx")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let sealed: Vec<u8> = row.get(0)?;
            old.push(TreeHash::leaf(&sealed));
            new.push(TreeHash::of_sealed(&sealed));
        }
    }
    let (size, peaks) = edge_row(&write)?;
    if frontier_of(size, &peaks) != Some(old) {
        return Ok(false);
    }
    keep_edge(&write, &new)?;
    write.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}"))?;
    // A crash before this line leaves a ledger of version 1.
    write.commit()?;
    Ok(true)
}

/// Stores the right edge of the tree.
fn keep_edge(write: &Transaction<'_>, frontier: &Frontier) -> rusqlite::Result<()> {
    let size = signed(frontier.size());
    write
        .execute("UPDATE frontier SET size = ?1, peaks = ?2", params![size, peaks_of(frontier)])?;
    Ok(())
}

/// What the database says about its end, as of one moment.
fn edge(db: &Connection) -> rusqlite::Result<Edge> {
    let read = db.unchecked_transaction()?;
    let (size, peaks) = edge_row(&read)?;
    let last = read
        .query_row("SELECT idx, at_ms FROM entry ORDER BY idx DESC LIMIT 1", [], |row| {
            Ok((unsigned(row, 0)?, Timestamp::from_ms(row.get(1)?)))
        })
        .optional()?;
    Ok(Edge::read(size, &peaks, last))
}

fn edge_row(read: &Connection) -> rusqlite::Result<(i64, Vec<u8>)> {
    read.query_row("SELECT size, peaks FROM frontier", [], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// Numbers of the ledger fit SQLite's signed ones: sequence numbers are bounded by
/// `ingest::SEQ_MAX`, indexes by the size of any disk.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn terminal(row: &Row<'_>, column: usize) -> rusqlite::Result<TerminalId> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| unreadable(column, error))
}

fn unreadable(column: usize, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

fn read_failed(cause: rusqlite::Error) -> ReadError {
    ReadError::Storage(cause.into())
}

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Record => 1,
        Kind::Refused => 2,
        Kind::Fact => 3,
    }
}

impl Past for Sqlite {
    type Error = ReadError;

    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, ReadError> {
        let find = || {
            self.db
                .prepare_cached(
                    "SELECT link, code FROM entry LEFT JOIN evidence USING (idx)
                     WHERE entry.terminal = ?1 AND seq = ?2",
                )?
                .query_row(params![terminal.as_str(), signed(seq)], |row| {
                    Ok(Link { hash: SealedHash(row.get(0)?), refused: row.get(1)? })
                })
                .optional()
        };
        find().map_err(read_failed)
    }

    fn refused(
        &self,
        terminal: &TerminalId,
        hash: SealedHash,
    ) -> Result<Option<String>, ReadError> {
        let find = || {
            self.db
                .prepare_cached("SELECT code FROM evidence WHERE terminal = ?1 AND hash = ?2")?
                .query_row(params![terminal.as_str(), hash.0], |row| row.get(0))
                .optional()
        };
        find().map_err(read_failed)
    }
}

impl Ledger for Sqlite {
    fn commit(&mut self, batch: Staged) -> Result<Vec<Entry>, CommitError> {
        batch.follows(self.last_at)?;
        let entries = batch.len();
        let failed = |cause: rusqlite::Error| CommitError::Storage { entries, cause: cause.into() };
        let first = self.frontier.size();
        let mut frontier = self.frontier.clone();
        let transaction = self.db.transaction().map_err(failed)?;
        for (index, row) in (first..).zip(&batch.rows) {
            frontier.push(TreeHash::of_sealed(&row.sealed));
            insert(&transaction, index, row).map_err(|cause| {
                match (cause.sqlite_error_code(), &row.terminal, row.link) {
                    (Some(rusqlite::ErrorCode::ConstraintViolation), Some(terminal), Some(l)) => {
                        CommitError::Taken { terminal: terminal.clone(), seq: l.seq }
                    }
                    _ => failed(cause),
                }
            })?;
        }
        keep_edge(&transaction, &frontier).map_err(failed)?;
        // A crash before this line leaves nothing of the batch, after it all of it: no receipt is
        // given before, and whatever had none is offered again.
        transaction.commit().map_err(|cause| match cause.sqlite_error() {
            // What was written may have reached the disk although the disk said no.
            Some(error) if error.extended_code == rusqlite::ffi::SQLITE_IOERR_FSYNC => {
                CommitError::Unknown { entries, cause: cause.into() }
            }
            Some(_) | None => failed(cause),
        })?;
        self.frontier = frontier;
        self.last_at = batch.at();
        Ok(batch.into_entries(first))
    }

    fn entries_since(&self, index: u64, max: usize) -> Result<Vec<Entry>, ReadError> {
        self.stored_since(index, max)?.iter().map(read_back).collect()
    }

    fn stored_since(&self, index: u64, max: usize) -> Result<Vec<Stored>, ReadError> {
        let read = || -> rusqlite::Result<Vec<Stored>> {
            let mut select = self.db.prepare_cached(
                "SELECT e.idx, e.at_ms, e.kind, e.sealed, v.bytes, p.salt, p.person, o.salt, o.person
                 FROM entry e
                 LEFT JOIN evidence v ON v.idx = e.idx
                 LEFT JOIN opening p ON p.idx = e.idx AND p.role = 1
                 LEFT JOIN opening o ON o.idx = e.idx AND o.role = 2
                 WHERE e.idx >= ?1 ORDER BY e.idx LIMIT ?2",
            )?;
            let max = i64::try_from(max).unwrap_or(i64::MAX);
            select.query_map(params![signed(index), max], stored)?.collect()
        };
        read().map_err(read_failed)
    }

    fn heads(&self) -> Result<Vec<(TerminalId, Head)>, ReadError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            // A bare column beside max() comes from the row that has the maximum (SQLite, "SELECT").
            let mut select = self.db.prepare(
                "SELECT terminal, max(seq), link FROM entry WHERE seq NOT NULL GROUP BY terminal",
            )?;
            let heads = select.query_map([], |row| {
                let head = Head { seq: unsigned(row, 1)?, hash: SealedHash(row.get(2)?) };
                Ok((terminal(row, 0)?, head))
            })?;
            heads.collect()
        };
        read().map_err(read_failed)
    }

    fn refusals(&self) -> Result<Vec<(TerminalId, u64)>, ReadError> {
        let read = || -> rusqlite::Result<Vec<_>> {
            let mut select =
                self.db.prepare("SELECT terminal, count(*) FROM evidence GROUP BY terminal")?;
            let counts = select.query_map([], |row| Ok((terminal(row, 0)?, unsigned(row, 1)?)))?;
            counts.collect()
        };
        read().map_err(read_failed)
    }

    fn size(&self) -> u64 {
        self.frontier.size()
    }

    fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    fn last_committed_at(&self) -> Timestamp {
        self.last_at
    }

    fn erase(&mut self, person: PersonId) -> Result<usize, CommitError> {
        let erase = || {
            let erased = self.db.execute("DELETE FROM opening WHERE person = ?1", [person.0])?;
            // The write-ahead log still holds pages from before: fold it in and cut it off.
            let busy: bool =
                self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy {
                // Erased for every reader to come, but not yet from the disk: call it again.
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                return Err(rusqlite::Error::SqliteFailure(code, None));
            }
            Ok(erased)
        };
        erase().map_err(|cause: rusqlite::Error| CommitError::Storage {
            entries: 0,
            cause: cause.into(),
        })
    }
}

fn insert(
    transaction: &Transaction<'_>,
    index: u64,
    row: &super::staged::Row,
) -> rusqlite::Result<()> {
    let index = signed(index);
    let terminal = row.terminal.as_ref().map(TerminalId::as_str);
    transaction
        .prepare_cached(
            "INSERT INTO entry (idx, at_ms, kind, terminal, seq, link, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            index,
            row.at.as_ms(),
            kind_number(row.kind),
            terminal,
            row.link.map(|link| signed(link.seq)),
            row.link.map(|link| link.hash.0),
            row.sealed,
        ])?;
    if let Some((refusal, evidence)) = row.refused() {
        transaction
            .prepare_cached(
                "INSERT INTO evidence (idx, terminal, hash, code, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                index,
                terminal,
                evidence.hash().0,
                refusal.code(),
                evidence.kept(),
            ])?;
    }
    for (role, opening) in [(ROLE_PERSON, row.person), (ROLE_OTHER, row.other)] {
        if let Some(opening) = opening {
            transaction
                .prepare_cached(
                    "INSERT INTO opening (idx, role, salt, person) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![index, role, opening.salt, opening.person.0])?;
        }
    }
    Ok(())
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let kind = match row.get(2)? {
        1 => Kind::Record,
        2 => Kind::Refused,
        3 => Kind::Fact,
        other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
    };
    let opening = |salt: usize| -> rusqlite::Result<Option<Opening>> {
        let person: Option<[u8; 16]> = row.get(salt + 1)?;
        let salt: Option<[u8; 32]> = row.get(salt)?;
        Ok(salt.zip(person).map(|(salt, person)| Opening { salt, person: PersonId(person) }))
    };
    Ok(Stored {
        index: unsigned(row, 0)?,
        committed_at: Timestamp::from_ms(row.get(1)?),
        kind,
        sealed: row.get(3)?,
        evidence: row.get(4)?,
        person: opening(5)?,
        other: opening(7)?,
    })
}
