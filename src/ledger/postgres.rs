//! The ledger in PostgreSQL, in a schema of its own: one transaction for each batch, with
//! `synchronous_commit` on a server that syncs. One session holds an advisory lock and is the only
//! one that writes; when its connection breaks, lock and session end together, and the next start
//! reads from the server what became of the last batch.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::edge::{Edge, peaks_of};
use super::staged::{Kind, Staged, Stored};
use super::tree::{Frontier, TreeHash};
use super::{CommitError, Entry, Ledger, OpenLedgerError, ReadError, read_back};
use crate::domain::{PersonId, TerminalId, Timestamp};
use crate::ingest::{Head, Link, Past};
use crate::platform::postgres::{
    self, Address, Broken, Failed, Session, is_lock_timeout, is_missing, is_unique_violation,
};
use crate::record::{Opening, SALT_BYTES, SealedHash};

/// What brings a database from each version to the next. Never changed once in use: a change is one
/// more.
const MIGRATIONS: [&str; 1] = [include_str!("schema_postgres.sql")];

/// `RollLedg` in ASCII. Advisory locks are counted by database: one ledger in each.
const LOCK: i64 = 0x526f_6c6c_4c65_6467;

/// How long a starting collector waits for the lock: as long as a server may need to notice that the
/// one before it has died, and to finish what that one had begun.
const LOCK_WAIT: &str = "SET lock_timeout = '5s'";

type Cause = Box<dyn Error + Send + Sync>;

/// See the head of this file.
#[derive(Debug)]
pub struct Postgres {
    session: Mutex<Session>,
    frontier: Frontier,
    last_at: Timestamp,
    writes: bool,
}

impl Postgres {
    /// Makes an empty ledger. Never over an existing one: a second beginning would be a second
    /// history.
    pub fn create(address: &Address) -> Result<Self, OpenLedgerError> {
        Self::create_as(address, true)
    }

    /// Makes an empty ledger that nobody can open before [`Self::finish`]. What an earlier attempt
    /// has left unfinished is removed: it was no ledger yet.
    pub fn create_unfinished(address: &Address) -> Result<Self, OpenLedgerError> {
        Self::create_as(address, false)
    }

    /// Whether a ledger could be made there: the server is up and can be relied on, and holds none.
    pub fn is_free(address: &Address) -> Result<(), OpenLedgerError> {
        match state(&mut held(address)?).map_err(|cause| storage(address, cause))? {
            Some((_, true)) => Err(OpenLedgerError::Exists { place: address.to_string() }),
            Some((_, false)) | None => Ok(()),
        }
    }

    fn create_as(address: &Address, whole: bool) -> Result<Self, OpenLedgerError> {
        let place = address.to_string();
        let failed = |cause| storage(address, cause);
        let mut session = held(address)?;
        match state(&mut session).map_err(failed)? {
            Some((_, false)) => session.run("DROP SCHEMA ledger CASCADE").map_err(failed)?,
            Some((_, true)) => return Err(OpenLedgerError::Exists { place }),
            None => {}
        }
        let made = session.transaction("BEGIN", |session| {
            session.run(
                "CREATE SCHEMA ledger;
                 CREATE TABLE ledger.state (version int4 NOT NULL, whole bool NOT NULL);",
            )?;
            session.execute("INSERT INTO ledger.state VALUES (0, $1)", &[&whole])?;
            migrate(session, 0)
        });
        made.map_err(Failed::either).map_err(failed)?;
        Ok(Self {
            session: Mutex::new(session),
            frontier: Frontier::default(),
            last_at: Timestamp::default(),
            writes: true,
        })
    }

    /// Lets what was made by [`Self::create_unfinished`] be opened from now on.
    pub fn finish(&mut self) -> Result<(), CommitError> {
        let entries = usize::try_from(self.size()).unwrap_or(usize::MAX);
        let done = self.session().execute("UPDATE ledger.state SET whole = true", &[]);
        done.map(drop).map_err(|cause| CommitError::Storage { entries, cause: cause.into() })
    }

    /// Opens a ledger that exists, to write to it. There is one writer at a time.
    pub fn open(address: &Address) -> Result<Self, OpenLedgerError> {
        let session = held(address)?;
        whole(Self::read(address, session, true)?, address)
    }

    /// Opens a ledger for reading only, beside one that commits. It sees what is committed at each
    /// call; [`Ledger::size`] and [`Ledger::root`] are those at the time of opening.
    pub fn open_read_only(address: &Address) -> Result<Self, OpenLedgerError> {
        let session = reader(address)?;
        whole(Self::read(address, session, false)?, address)
    }

    /// Opens a ledger for reading only, also one that contradicts itself: an audit tells in what.
    pub fn open_for_audit(address: &Address) -> Result<(Self, Option<String>), OpenLedgerError> {
        let session = reader(address)?;
        Self::read(address, session, false)
    }

    fn read(
        address: &Address,
        mut session: Session,
        writes: bool,
    ) -> Result<(Self, Option<String>), OpenLedgerError> {
        let place = address.to_string();
        let failed = |cause| storage(address, cause);
        let known = MIGRATIONS.len();
        match state(&mut session).map_err(failed)? {
            None => return Err(OpenLedgerError::Missing { place }),
            Some((_, false)) => return Err(OpenLedgerError::Unfinished { place }),
            Some((found, true)) if found > known => {
                return Err(OpenLedgerError::Newer { place, found, known });
            }
            Some((found, true)) if found < known => {
                if !writes {
                    return Err(OpenLedgerError::Older { place, found, known });
                }
                // A crash in here leaves the version that was found.
                let done = session.transaction("BEGIN", |session| migrate(session, found));
                done.map_err(Failed::either).map_err(failed)?;
            }
            Some((_, true)) => {}
        }
        let Edge { frontier, last_at, contradiction } = edge(&mut session).map_err(failed)?;
        let session = Mutex::new(session);
        Ok((Self { session, frontier, last_at, writes }, contradiction))
    }

    /// A panic of another caller leaves a session that is still sound: the server undoes what was
    /// not committed.
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn storage(address: &Address, cause: postgres::Error) -> OpenLedgerError {
    OpenLedgerError::Storage { place: address.to_string(), cause: cause.into() }
}

fn reader(address: &Address) -> Result<Session, OpenLedgerError> {
    Ok(Session::open(address, Broken::ConnectsAgain)?)
}

/// A session that is the only one to write.
fn held(address: &Address) -> Result<Session, OpenLedgerError> {
    let mut session = Session::open(address, Broken::Ends)?;
    session.require_durable()?;
    let lock = format!("{LOCK_WAIT}; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = '10s'");
    session.run(&lock).map_err(|cause| match is_lock_timeout(&cause) {
        true => OpenLedgerError::Held { place: address.to_string() },
        false => storage(address, cause),
    })?;
    Ok(session)
}

fn whole(
    (ledger, contradiction): (Postgres, Option<String>),
    address: &Address,
) -> Result<Postgres, OpenLedgerError> {
    match contradiction {
        None => Ok(ledger),
        Some(detail) => Err(OpenLedgerError::Contradiction { place: address.to_string(), detail }),
    }
}

/// Version, and whether it may be opened; `None` where there is no ledger.
fn state(session: &mut Session) -> Result<Option<(usize, bool)>, postgres::Error> {
    let rows = match session.query("SELECT version, whole FROM ledger.state", &[]) {
        Err(error) if is_missing(&error) => return Ok(None),
        rows => rows?,
    };
    let Some(row) = rows.first() else { return Ok(None) };
    let version: i32 = row.try_get(0)?;
    Ok(Some((usize::try_from(version).unwrap_or(usize::MAX), row.try_get(1)?)))
}

fn migrate(session: &mut Session, found: usize) -> Result<(), postgres::Error> {
    MIGRATIONS.iter().skip(found).try_for_each(|sql| session.run(sql))?;
    let version = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    session.execute("UPDATE ledger.state SET version = $1", &[&version]).map(drop)
}

/// In one statement, so that it is of one moment.
fn edge(session: &mut Session) -> Result<Edge, postgres::Error> {
    let rows = session.query(
        "SELECT f.size, f.peaks, e.idx, e.at_ms FROM ledger.frontier f
         LEFT JOIN LATERAL (SELECT idx, at_ms FROM ledger.entry ORDER BY idx DESC LIMIT 1) e
         ON true",
        &[],
    )?;
    let Some(row) = rows.first() else { return Ok(Edge::read(-1, &[], None)) };
    let (idx, at): (Option<i64>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    let last = idx.zip(at).map(|(idx, at)| (unsigned(idx), Timestamp::from_ms(at)));
    Ok(Edge::read(row.try_get(0)?, row.try_get(1)?, last))
}

/// Numbers of the ledger fit signed ones: sequence numbers are bounded by `ingest::SEQ_MAX`, indexes
/// by the size of any disk. The schema lets no other program write here; a negative one is damage,
/// and far beyond everything that exists.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn read_failed(cause: impl Into<Cause>) -> ReadError {
    ReadError::Storage(cause.into())
}

fn hash(bytes: &[u8]) -> Result<SealedHash, Cause> {
    Ok(SealedHash(bytes.try_into().map_err(|_| "a hash has not 32 bytes")?))
}

impl Past for Postgres {
    type Error = ReadError;

    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, ReadError> {
        let find = || -> Result<_, Cause> {
            let rows = self.session().query(
                "SELECT e.link, v.code FROM ledger.entry e LEFT JOIN ledger.evidence v USING (idx)
                 WHERE e.terminal = $1 AND e.seq = $2",
                &[&terminal.as_str(), &signed(seq)],
            )?;
            let link = rows
                .first()
                .map(|row| Ok(Link { hash: hash(row.try_get(0)?)?, refused: row.try_get(1)? }));
            link.transpose()
        };
        find().map_err(read_failed)
    }

    fn refused(
        &self,
        terminal: &TerminalId,
        hash: SealedHash,
    ) -> Result<Option<String>, ReadError> {
        let rows = self.session().query(
            "SELECT code FROM ledger.evidence WHERE terminal = $1 AND hash = $2",
            &[&terminal.as_str(), &hash.0.as_slice()],
        );
        let code = rows.and_then(|rows| rows.first().map(|row| row.try_get(0)).transpose());
        code.map_err(read_failed)
    }
}

impl Ledger for Postgres {
    fn commit(&mut self, batch: Staged) -> Result<Vec<Entry>, CommitError> {
        batch.follows(self.last_at)?;
        let entries = batch.len();
        let failed = |cause: Cause| CommitError::Storage { entries, cause };
        if !self.writes {
            return Err(failed("it was opened for reading only".into()));
        }
        let first = self.frontier.size();
        let mut frontier = self.frontier.clone();
        batch.rows.iter().for_each(|row| frontier.push(TreeHash::of_sealed(&row.sealed)));
        let done = self.session().transaction("BEGIN", |session| {
            insert(session, first, &batch)?;
            keep_edge(session, first, &frontier)
        });
        match done {
            // A crash before COMMIT leaves nothing of the batch, after it all of it: no receipt is
            // given before, and whatever had none is offered again.
            Ok(()) => {}
            Err(Failed::Unknown(cause)) => {
                return Err(CommitError::Unknown { entries, cause: cause.into() });
            }
            Err(Failed::Undone(cause)) => {
                let taken = cause.downcast_ref().is_some_and(is_unique_violation);
                let place = if taken { self.taken(&batch) } else { None };
                return Err(match place {
                    Some((terminal, seq)) => CommitError::Taken { terminal, seq },
                    None => failed(cause),
                });
            }
        }
        self.frontier = frontier;
        self.last_at = batch.at();
        Ok(batch.into_entries(first))
    }

    fn entries_since(&self, index: u64, max: usize) -> Result<Vec<Entry>, ReadError> {
        self.stored_since(index, max)?.iter().map(read_back).collect()
    }

    fn stored_since(&self, index: u64, max: usize) -> Result<Vec<Stored>, ReadError> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = self.session().query(
            "SELECT e.idx, e.at_ms, e.kind, e.sealed, v.bytes, p.salt, p.person, o.salt, o.person
             FROM ledger.entry e
             LEFT JOIN ledger.evidence v ON v.idx = e.idx
             LEFT JOIN ledger.opening p ON p.idx = e.idx AND p.role = 1
             LEFT JOIN ledger.opening o ON o.idx = e.idx AND o.role = 2
             WHERE e.idx >= $1 ORDER BY e.idx LIMIT $2",
            &[&signed(index), &max],
        );
        let rows = rows.map_err(read_failed)?;
        rows.iter().map(stored).collect::<Result<_, _>>().map_err(read_failed)
    }

    fn heads(&self) -> Result<Vec<(TerminalId, Head)>, ReadError> {
        let read = || -> Result<Vec<_>, Cause> {
            let rows = self.session().query(
                "SELECT DISTINCT ON (terminal) terminal, seq, link FROM ledger.entry
                 WHERE seq IS NOT NULL ORDER BY terminal, seq DESC",
                &[],
            )?;
            let heads = rows.iter().map(|row| {
                let terminal: &str = row.try_get(0)?;
                let head = Head { seq: unsigned(row.try_get(1)?), hash: hash(row.try_get(2)?)? };
                Ok((terminal.parse()?, head))
            });
            heads.collect()
        };
        read().map_err(read_failed)
    }

    fn refusals(&self) -> Result<Vec<(TerminalId, u64)>, ReadError> {
        let read = || -> Result<Vec<_>, Cause> {
            let sql = "SELECT terminal, count(*) FROM ledger.evidence GROUP BY terminal";
            let rows = self.session().query(sql, &[])?;
            let counts = rows.iter().map(|row| {
                let terminal: &str = row.try_get(0)?;
                Ok((terminal.parse()?, unsigned(row.try_get(1)?)))
            });
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
            let mut session = self.session();
            let person = person.0.as_slice();
            let erased =
                session.execute("DELETE FROM ledger.opening WHERE person = $1", &[&person])?;
            // A deleted row stays in its page: the table is written anew without it. Called again
            // when this fails, for then it is erased only for every reader to come.
            session.run("VACUUM FULL ledger.opening")?;
            Ok(usize::try_from(erased).unwrap_or(usize::MAX))
        };
        erase().map_err(|cause: postgres::Error| CommitError::Storage {
            entries: 0,
            cause: cause.into(),
        })
    }
}

impl Postgres {
    /// The place of the batch that is taken, in the ledger or by the batch itself.
    fn taken(&self, batch: &Staged) -> Option<(TerminalId, u64)> {
        let there = |(terminal, seq): &(TerminalId, u64)| {
            self.link(terminal, *seq).is_ok_and(|link| link.is_some())
        };
        batch.twice().or_else(|| batch.places().find(there))
    }
}

/// Whole columns at once: a batch costs three round trips, however long it is.
fn insert(session: &mut Session, first: u64, batch: &Staged) -> Result<(), Cause> {
    let numbered = || (signed(first)..).zip(&batch.rows);
    let idx: Vec<i64> = numbered().map(|(idx, _)| idx).collect();
    let at: Vec<i64> = numbered().map(|(_, row)| row.at.as_ms()).collect();
    let kind: Vec<i16> = numbered().map(|(_, row)| kind_number(row.kind)).collect();
    let terminal: Vec<Option<&str>> =
        numbered().map(|(_, row)| row.terminal.as_ref().map(TerminalId::as_str)).collect();
    let seq: Vec<Option<i64>> =
        numbered().map(|(_, row)| row.link.map(|link| signed(link.seq))).collect();
    let link: Vec<Option<Vec<u8>>> =
        numbered().map(|(_, row)| row.link.map(|link| link.hash.0.to_vec())).collect();
    let sealed: Vec<&[u8]> = numbered().map(|(_, row)| row.sealed.as_slice()).collect();
    session.execute(
        "INSERT INTO ledger.entry (idx, at_ms, kind, terminal, seq, link, sealed)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int2[], $4::text[], $5::int8[],
                              $6::bytea[], $7::bytea[])",
        &[&idx, &at, &kind, &terminal, &seq, &link, &sealed],
    )?;

    let kept: Vec<_> = numbered()
        .filter_map(|(idx, row)| Some((idx, row.terminal.as_ref()?, row.refused()?)))
        .collect();
    if !kept.is_empty() {
        let idx: Vec<i64> = kept.iter().map(|(idx, ..)| *idx).collect();
        let terminal: Vec<&str> = kept.iter().map(|(_, terminal, _)| terminal.as_str()).collect();
        let hash: Vec<Vec<u8>> =
            kept.iter().map(|(.., (_, evidence))| evidence.hash().0.to_vec()).collect();
        let code: Vec<&str> = kept.iter().map(|(.., (refusal, _))| refusal.code()).collect();
        let bytes: Vec<&[u8]> = kept.iter().map(|(.., (_, evidence))| evidence.kept()).collect();
        session.execute(
            "INSERT INTO ledger.evidence (idx, terminal, hash, code, bytes)
             SELECT * FROM unnest($1::int8[], $2::text[], $3::bytea[], $4::text[], $5::bytea[])",
            &[&idx, &terminal, &hash, &code, &bytes],
        )?;
    }

    let openings: Vec<_> = numbered()
        .flat_map(|(idx, row)| [(idx, 1_i16, row.person), (idx, 2, row.other)])
        .filter_map(|(idx, role, opening)| Some((idx, role, opening?)))
        .collect();
    if !openings.is_empty() {
        let idx: Vec<i64> = openings.iter().map(|(idx, ..)| *idx).collect();
        let role: Vec<i16> = openings.iter().map(|(_, role, _)| *role).collect();
        let salt: Vec<Vec<u8>> = openings.iter().map(|(.., o)| o.salt.to_vec()).collect();
        let person: Vec<Vec<u8>> = openings.iter().map(|(.., o)| o.person.0.to_vec()).collect();
        session.execute(
            "INSERT INTO ledger.opening (idx, role, salt, person)
             SELECT * FROM unnest($1::int8[], $2::int2[], $3::bytea[], $4::bytea[])",
            &[&idx, &role, &salt, &person],
        )?;
    }
    Ok(())
}

/// Moves the tree's edge on, from `before`: a second writer would be found here. Whether the server
/// still syncs is asked in the same breath, for its configuration may change while it runs.
fn keep_edge(session: &mut Session, before: u64, frontier: &Frontier) -> Result<(), Cause> {
    let rows = session.query(
        "UPDATE ledger.frontier SET size = $1, peaks = $2 WHERE size = $3
         RETURNING current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'",
        &[&signed(frontier.size()), &peaks_of(frontier), &signed(before)],
    )?;
    match rows.first().map(|row| row.try_get(0)).transpose()? {
        Some(true) => Ok(()),
        Some(false) => Err("the server's fsync or full_page_writes was turned off".into()),
        None => Err("somebody else has written to the ledger".into()),
    }
}

fn kind_number(kind: Kind) -> i16 {
    match kind {
        Kind::Record => 1,
        Kind::Refused => 2,
        Kind::Fact => 3,
    }
}

fn stored(row: &::postgres::Row) -> Result<Stored, Cause> {
    let kind = match row.try_get::<_, i16>(2)? {
        1 => Kind::Record,
        2 => Kind::Refused,
        3 => Kind::Fact,
        other => return Err(format!("an entry of kind {other}").into()),
    };
    let opening = |column: usize| -> Result<Option<Opening>, Cause> {
        let salt: Option<&[u8]> = row.try_get(column)?;
        let person: Option<&[u8]> = row.try_get(column + 1)?;
        let Some((salt, person)) = salt.zip(person) else { return Ok(None) };
        let salt: [u8; SALT_BYTES] = salt.try_into()?;
        Ok(Some(Opening { salt, person: PersonId(person.try_into()?) }))
    };
    Ok(Stored {
        index: unsigned(row.try_get(0)?),
        committed_at: Timestamp::from_ms(row.try_get(1)?),
        kind,
        sealed: row.try_get(3)?,
        evidence: row.try_get(4)?,
        person: opening(5)?,
        other: opening(7)?,
    })
}
