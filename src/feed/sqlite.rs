//! The durable numbering of events, in one SQLite file of its own.
//!
//! The file can always be made again from the ledger, but its numbers cannot: so a commit is
//! durable before anybody is told (`synchronous = FULL`), and a new file has a new [`LogId`], by
//! which a reader notices that its numbers mean nothing any more.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use super::{Body, Event};
use crate::domain::{AnomalyKind, Outcome, Severity};
use crate::platform::chance;
use crate::platform::telemetry::Class;

/// Attendances kept for reading: two to three days of a province's page (8,000 a day), which is
/// how far back "newest attendances" is of use; the ledger has all.
pub const ATTENDANCES_KEPT_MAX: u64 = 20_000;
/// Anomalies kept readable: years of them; at about 1.5 kB each they take 75 MB. Of older ones
/// the key stays (about 60 bytes), so that they are never announced twice.
pub const ANOMALIES_KEPT_MAX: u64 = 50_000;
/// Anomalies in a snapshot: as many as the page shows at first.
pub const SNAPSHOT_ANOMALIES_MAX: u64 = 100;
/// Attendances in a snapshot: as many as the page shows.
pub const SNAPSHOT_ATTENDANCES_MAX: u64 = 50;
/// Days whose count of attendances is kept: one training year.
const DAYS_KEPT_MAX: u64 = 400;

const VERSION: i64 = 1;
const SCHEMA: &str = "
CREATE TABLE feed (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  type     TEXT NOT NULL,  -- anomaly, attendance, terminal
  key      TEXT NOT NULL,  -- what may be announced once under its type
  severity TEXT,           -- of anomalies
  kind     TEXT,           -- of anomalies
  body     TEXT,           -- JSON; NULL once it is too old to be kept readable
  UNIQUE (type, key)
);
CREATE INDEX feed_by_type ON feed (type, id);
CREATE INDEX feed_by_severity ON feed (severity) WHERE severity IS NOT NULL;
-- Accepted check-ins of each day in China standard time.
CREATE TABLE day (day TEXT PRIMARY KEY, attendances INTEGER NOT NULL) WITHOUT ROWID;
-- One row: which log this is, and how far it has forgotten.
CREATE TABLE log (
  name               TEXT NOT NULL,
  forgotten_id       INTEGER NOT NULL, -- highest number whose event is no longer readable
  forgotten_entry    INTEGER NOT NULL  -- highest ledger index of a forgotten attendance; -1: none
);
";

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite or the disk says no.
    #[error("could not open the feed's log at {path}")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer program wrote it.
    #[error(
        "could not open the feed's log at {path}: it has version {found}, this program knows {VERSION}; run the newer program, or move the file away (the feed is then made again from the ledger)"
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
}

impl OpenError {
    /// A stable word for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Sqlite { .. } => "feed_open",
            OpenError::Version { .. } => "feed_version",
        }
    }

    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            OpenError::Sqlite { .. } | OpenError::Version { .. } => Class::Permanent,
        }
    }
}

/// Events could not be made durable. Nothing of the call was announced: call again with all.
#[derive(Debug, thiserror::Error)]
#[error("could not announce to the feed's log")]
pub struct AnnounceError(#[source] rusqlite::Error);

impl AnnounceError {
    /// A full disk and a locked file pass; nothing is lost, the ledger has it all.
    pub fn class(&self) -> Class {
        Class::Transient
    }
}

/// Events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite or the disk says no.
    #[error("could not read the feed's log")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored event is damaged.
    #[error("could not read event {id} of the feed's log")]
    Body {
        /// Its number.
        id: u64,
        /// What was wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The program is ending.
    #[error("could not read the feed's log: the program is ending")]
    Ending,
}

impl ReadError {
    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            ReadError::Sqlite(_) | ReadError::Ending => Class::Transient,
            ReadError::Body { .. } => Class::Permanent,
        }
    }
}

/// Names one log file from its making to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LogId(String);

impl LogId {
    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody sees who knows nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Which log.
    pub log: LogId,
    /// Everything up to this number is in the snapshot or too old for it.
    pub cursor: u64,
    /// The newest anomalies and attendances and the state of all terminals, by ascending number.
    pub events: Vec<Event>,
}

/// A stretch of anomalies, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Ask for those before this number to read on; `None` at the end.
    pub older: Option<u64>,
}

/// Which anomalies a page shall hold; `None` means all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this severity.
    pub severity: Option<Severity>,
    /// Only those of this kind.
    pub kind: Option<AnomalyKind>,
}

/// Counts for the head of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Anomalies announced, by severity.
    pub alarms: u64,
    /// See [`Severity::Warning`].
    pub warnings: u64,
    /// See [`Severity::Notice`].
    pub notices: u64,
    /// Terminals whose newest state is online.
    pub terminals_online: u64,
    /// All known terminals.
    pub terminals: u64,
    /// Accepted check-ins of the day asked for.
    pub attendances: u64,
}

/// The durable log.
#[derive(Debug)]
pub struct Log {
    connection: Connection,
    id: LogId,
    keep: Keep,
}

/// How many events of each type stay readable.
#[derive(Debug, Clone, Copy)]
struct Keep {
    attendances_max: u64,
    anomalies_max: u64,
}

impl Log {
    /// Opens the log at `path` and makes it when there is none: unlike the ledger it is a view,
    /// which the ledger can fill again.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        match found {
            0 => create(&mut connection).map_err(failed)?,
            VERSION => {}
            _ => return Err(OpenError::Version { path: path.to_owned(), found }),
        }
        let id = connection
            .query_row("SELECT name FROM log", [], |row| row.get(0))
            .map(LogId)
            .map_err(failed)?;
        let keep =
            Keep { attendances_max: ATTENDANCES_KEPT_MAX, anomalies_max: ANOMALIES_KEPT_MAX };
        Ok(Self { connection, id, keep })
    }

    /// Keeps fewer events, so that a test can reach the bounds.
    #[must_use]
    pub fn keeping(mut self, attendances_max: u64, anomalies_max: u64) -> Self {
        self.keep = Keep { attendances_max, anomalies_max };
        self
    }

    /// Which log this is.
    pub fn id(&self) -> &LogId {
        &self.id
    }

    /// Numbers what is new among `bodies` and makes it durable, all or nothing. For each the
    /// answer has its number, or `None` when it says nothing new: an anomaly or attendance that
    /// was announced before, a terminal whose state is the same.
    pub fn announce(&mut self, bodies: &[Body]) -> Result<Vec<Option<u64>>, AnnounceError> {
        let keep = self.keep;
        let tx = self.connection.transaction().map_err(AnnounceError)?;
        let mut ids = Vec::with_capacity(bodies.len());
        for body in bodies {
            ids.push(announce_one(&tx, body).map_err(AnnounceError)?);
        }
        forget_old(&tx, keep).map_err(AnnounceError)?;
        // A crash before this line leaves nothing of the call, after it everything.
        tx.commit().map_err(AnnounceError)?;
        Ok(ids)
    }

    /// The highest number given so far; 0 when none was.
    pub fn head(&self) -> Result<u64, ReadError> {
        let head: Option<i64> = self
            .connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'feed'", [], |row| row.get(0))
            .optional()?;
        Ok(unsigned(head.unwrap_or(0)))
    }

    /// Whether somebody who has seen everything up to `after` can read on without a hole. Not so
    /// when the number is of another log, or what followed it was forgotten.
    pub fn can_resume(&self, after: u64) -> Result<bool, ReadError> {
        let forgotten: i64 =
            self.connection.query_row("SELECT forgotten_id FROM log", [], |row| row.get(0))?;
        Ok(after >= unsigned(forgotten) && after <= self.head()?)
    }

    /// Up to `count_max` events after number `after`, ascending.
    pub fn since(&self, after: u64, count_max: u64) -> Result<Vec<Event>, ReadError> {
        self.select(
            "SELECT id, body FROM feed WHERE id > ?1 AND body IS NOT NULL ORDER BY id LIMIT ?2",
            params![signed(after), signed(count_max)],
        )
    }

    /// What somebody sees who knows nothing yet.
    pub fn snapshot(&self) -> Result<Snapshot, ReadError> {
        const NEWEST: &str = "SELECT id, body FROM feed WHERE type = ?1 AND body IS NOT NULL
             ORDER BY id DESC LIMIT ?2";
        let cursor = self.head()?;
        let mut events = self.select(NEWEST, params!["anomaly", signed(SNAPSHOT_ANOMALIES_MAX)])?;
        events
            .extend(self.select(NEWEST, params!["attendance", signed(SNAPSHOT_ATTENDANCES_MAX)])?);
        events.extend(self.select(NEWEST, params!["terminal", -1])?);
        events.sort_unstable_by_key(|event| event.id);
        Ok(Snapshot { log: self.id.clone(), cursor, events })
    }

    /// Up to `count_max` anomalies with a number below `before`, newest first.
    pub fn anomalies(
        &self,
        before: Option<u64>,
        count_max: u64,
        filter: Filter,
    ) -> Result<Page, ReadError> {
        let before = before.map_or(i64::MAX, signed);
        let mut events = self.select(
            "SELECT id, body FROM feed
             WHERE type = 'anomaly' AND id < ?1 AND body IS NOT NULL
               AND (?2 IS NULL OR severity = ?2) AND (?3 IS NULL OR kind = ?3)
             ORDER BY id DESC LIMIT ?4",
            params![
                before,
                filter.severity.map(severity_word),
                filter.kind.map(AnomalyKind::as_str),
                signed(count_max.saturating_add(1)),
            ],
        )?;
        // One more than asked for was read, to know whether there is more.
        let more = events.len() as u64 > count_max;
        if more {
            events.pop();
        }
        let older = events.last().filter(|_| more).map(|event| event.id);
        Ok(Page { events, older })
    }

    /// Counts; `day` is a date in China standard time, as in `2026-03-02`.
    pub fn totals(&self, day: &str) -> Result<Totals, ReadError> {
        let count = |sql: &str, word: &str| -> Result<u64, ReadError> {
            Ok(unsigned(self.connection.query_row(sql, [word], |row| row.get(0))?))
        };
        let of_severity = "SELECT count(*) FROM feed WHERE severity = ?1";
        let of_type = "SELECT count(*) FROM feed WHERE type = ?1";
        let in_state = "SELECT count(*) FROM feed
             WHERE type = 'terminal' AND json_extract(body, '$.state') = ?1";
        let of_day = "SELECT coalesce((SELECT attendances FROM day WHERE day = ?1), 0)";
        Ok(Totals {
            alarms: count(of_severity, severity_word(Severity::Alarm))?,
            warnings: count(of_severity, severity_word(Severity::Warning))?,
            notices: count(of_severity, severity_word(Severity::Notice))?,
            terminals_online: count(in_state, "online")?,
            terminals: count(of_type, "terminal")?,
            attendances: count(of_day, day)?,
        })
    }

    fn select(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Event>, ReadError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let id = unsigned(row.get(0)?);
            let body = serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or(""))
                .map_err(|source| ReadError::Body { id, source })?;
            events.push(Event { id, body });
        }
        Ok(events)
    }
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let name = HEXLOWER.encode(&chance::random_bytes::<8>());
    let tx = connection.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.execute("INSERT INTO log VALUES (?1, 0, -1)", [name])?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

fn announce_one(tx: &Transaction<'_>, body: &Body) -> rusqlite::Result<Option<u64>> {
    let (key, severity, kind) = match body {
        Body::Anomaly(a) => {
            (a.anomaly.to_string(), Some(severity_word(a.severity)), Some(a.kind.as_str()))
        }
        Body::Attendance(a) => {
            let forgotten: i64 =
                tx.query_row("SELECT forgotten_entry FROM log", [], |row| row.get(0))?;
            if signed(a.index) <= forgotten {
                return Ok(None);
            }
            // Leading zeros, so that keys sort as their numbers do.
            (format!("{:020}", a.index), None, None)
        }
        Body::Terminal(t) => (t.terminal.to_string(), None, None),
    };
    let json = serde_json::to_string(body).expect("plain data has a JSON form");
    if let Body::Terminal(_) = body {
        // The newest state takes a new number, so that everybody who reads on meets it.
        tx.prepare_cached("DELETE FROM feed WHERE type = 'terminal' AND key = ?1 AND body <> ?2")?
            .execute(params![key, json])?;
    }
    // Asked first: an insert that is ignored would use up a number.
    let known = tx
        .prepare_cached("SELECT 1 FROM feed WHERE type = ?1 AND key = ?2")?
        .exists(params![body.kind(), key])?;
    if known {
        return Ok(None);
    }
    tx.prepare_cached(
        "INSERT INTO feed (type, key, severity, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![body.kind(), key, severity, kind, json])?;
    let id = unsigned(tx.last_insert_rowid());
    if let Body::Attendance(a) = body
        && a.event == crate::domain::Event::CheckIn
        && a.outcome == Some(Outcome::Accepted)
    {
        tx.prepare_cached(
            "INSERT INTO day VALUES (?1, 1) ON CONFLICT DO UPDATE SET attendances = attendances + 1",
        )?
        .execute([a.at.shanghai().date().to_string()])?;
    }
    Ok(Some(id))
}

/// Brings every type back to its bound, oldest first.
fn forget_old(tx: &Transaction<'_>, keep: Keep) -> rusqlite::Result<()> {
    let last_beyond = |kind: &str, kept_max: u64| {
        tx.prepare_cached(
            "SELECT id FROM feed WHERE type = ?1 AND body IS NOT NULL
             ORDER BY id DESC LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![kind, signed(kept_max)], |row| row.get::<_, i64>(0))
        .optional()
    };
    if let Some(last) = last_beyond("attendance", keep.attendances_max)? {
        tx.execute(
            "UPDATE log SET forgotten_id = max(forgotten_id, ?1), forgotten_entry = max(
               forgotten_entry,
               (SELECT max(CAST(key AS INTEGER)) FROM feed WHERE type = 'attendance' AND id <= ?1))",
            [last],
        )?;
        tx.execute("DELETE FROM feed WHERE type = 'attendance' AND id <= ?1", [last])?;
    }
    if let Some(last) = last_beyond("anomaly", keep.anomalies_max)? {
        tx.execute("UPDATE log SET forgotten_id = max(forgotten_id, ?1)", [last])?;
        tx.execute("UPDATE feed SET body = NULL WHERE type = 'anomaly' AND id <= ?1", [last])?;
    }
    tx.prepare_cached(
        "DELETE FROM day WHERE day <= (SELECT day FROM day ORDER BY day DESC LIMIT 1 OFFSET ?1)",
    )?
    .execute([signed(DAYS_KEPT_MAX)])?;
    Ok(())
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Alarm => "alarm",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// SQLite counts with a sign. Our numbers begin at 1 and stay far below the limit; a reader may
/// send any, and what is beyond all numbers may as well be the greatest.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
