//! The durable numbering of events, in one SQLite file of its own.
//!
//! The file can always be made again from the ledger, but its numbers cannot: so a commit is
//! durable before anybody is told (`synchronous = FULL`), and a new file has a new [`LogId`], by
//! which a reader notices that its numbers mean nothing any more.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::log::{Columns, DAYS_KEPT_MAX, Keep, severity_word, signed, unsigned};
use super::{
    AnnounceError, Body, Event, Filter, Log, LogId, OpenError, Page, ReadError,
    SNAPSHOT_ANOMALIES_MAX, SNAPSHOT_ATTENDANCES_MAX, Snapshot, Totals,
};
use crate::domain::{AnomalyKind, Severity};
use crate::platform::durable;

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

/// See the head of this file.
#[derive(Debug)]
pub struct SqliteLog {
    connection: Connection,
    id: LogId,
    keep: Keep,
}

impl SqliteLog {
    /// Opens the log at `path` and makes it when there is none: unlike the ledger it is a view,
    /// which the ledger can fill again.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let place = path.display().to_string();
        let failed = |source: rusqlite::Error| OpenError::Storage {
            place: place.clone(),
            source: source.into(),
        };
        durable::reserve(path)
            .map_err(|cause| OpenError::Storage { place: place.clone(), source: cause.into() })?;
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        match found {
            0 => create(&mut connection).map_err(failed)?,
            VERSION => {}
            _ => return Err(OpenError::Version { place, found, known: VERSION }),
        }
        let id = connection
            .query_row("SELECT name FROM log", [], |row| row.get(0))
            .map(LogId)
            .map_err(failed)?;
        Ok(Self { connection, id, keep: Keep::default() })
    }

    /// Keeps fewer events, so that a test can reach the bounds.
    #[must_use]
    pub fn keeping(mut self, attendances_max: u64, anomalies_max: u64) -> Self {
        self.keep = Keep { attendances_max, anomalies_max };
        self
    }

    fn select(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Event>, ReadError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(read_failed)?;
        let mut rows = statement.query(params).map_err(read_failed)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().map_err(read_failed)? {
            let id = unsigned(row.get(0).map_err(read_failed)?);
            let body =
                serde_json::from_str(row.get_ref(1).map_err(read_failed)?.as_str().unwrap_or(""))
                    .map_err(|source| ReadError::Body { id, source })?;
            events.push(Event { id, body });
        }
        Ok(events)
    }
}

impl Log for SqliteLog {
    fn id(&self) -> &LogId {
        &self.id
    }

    fn announce(&mut self, bodies: &[Body]) -> Result<Vec<Option<u64>>, AnnounceError> {
        let keep = self.keep;
        let mut announce = || -> rusqlite::Result<Vec<Option<u64>>> {
            let tx = self.connection.transaction()?;
            let mut ids = Vec::with_capacity(bodies.len());
            for body in bodies {
                ids.push(announce_one(&tx, body)?);
            }
            forget_old(&tx, keep)?;
            // A crash before this line leaves nothing of the call, after it everything.
            tx.commit()?;
            Ok(ids)
        };
        announce().map_err(|error| AnnounceError(error.into()))
    }

    fn head(&self) -> Result<u64, ReadError> {
        let head: Option<i64> = self
            .connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'feed'", [], |row| row.get(0))
            .optional()
            .map_err(read_failed)?;
        Ok(unsigned(head.unwrap_or(0)))
    }

    fn can_resume(&self, after: u64) -> Result<bool, ReadError> {
        let sql = "SELECT forgotten_id FROM log";
        let forgotten = self.connection.query_row(sql, [], |row| row.get(0));
        let forgotten = forgotten.map_err(read_failed)?;
        Ok(after >= unsigned(forgotten) && after <= self.head()?)
    }

    fn since(&self, after: u64, count_max: u64) -> Result<Vec<Event>, ReadError> {
        self.select(
            "SELECT id, body FROM feed WHERE id > ?1 AND body IS NOT NULL ORDER BY id LIMIT ?2",
            params![signed(after), signed(count_max)],
        )
    }

    fn snapshot(&self) -> Result<Snapshot, ReadError> {
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

    fn anomalies(
        &self,
        before: Option<u64>,
        count_max: u64,
        filter: Filter,
    ) -> Result<Page, ReadError> {
        let before = before.map_or(i64::MAX, signed);
        let events = self.select(
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
        Ok(Page::of(events, count_max))
    }

    fn totals(&self, day: &str) -> Result<Totals, ReadError> {
        let count = |sql: &str, word: &str| -> Result<u64, ReadError> {
            let count = self.connection.query_row(sql, [word], |row| row.get(0));
            count.map(unsigned).map_err(read_failed)
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
}

fn read_failed(error: rusqlite::Error) -> ReadError {
    ReadError::Storage(error.into())
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let LogId(name) = LogId::new();
    let tx = connection.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.execute("INSERT INTO log VALUES (?1, 0, -1)", [name])?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

fn announce_one(tx: &Transaction<'_>, body: &Body) -> rusqlite::Result<Option<u64>> {
    let Columns { key, severity, kind, json, day } = Columns::of(body);
    if let Body::Attendance(a) = body {
        let sql = "SELECT forgotten_entry FROM log";
        let forgotten: i64 = tx.query_row(sql, [], |row| row.get(0))?;
        if signed(a.index) <= forgotten {
            return Ok(None);
        }
    }
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
    if let Some(day) = day {
        tx.prepare_cached(
            "INSERT INTO day VALUES (?1, 1) ON CONFLICT DO UPDATE SET attendances = attendances + 1",
        )?
        .execute([day])?;
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
