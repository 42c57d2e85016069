//! Cases in SQLite. The file may be the ledger's: the tables here begin with `cases_` and touch no
//! others.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::columns::{Columns, signed, unsigned, word};
use super::{Cases, Counts, Found, OpenError, PAGE_CASES_MAX, ReadError, StoreError};
use crate::domain::{Anomaly, AnomalyId};
use crate::platform::durable;
use crate::platform::telemetry::Class;

/// How long to wait for the ledger's writer, which holds the file for one commit at most.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// What brings a file from each version to the next. Never changed once in use: a change is one more.
///
/// Times in milliseconds since the epoch, lists as JSON, ids as their bytes. Rows are never deleted,
/// so a new number is the highest and one; `AUTOINCREMENT` would use up a number for each anomaly
/// that is ignored because it is there already.
const MIGRATIONS: [&str; 2] = [
    "
CREATE TABLE cases_anomaly (
    number    INTEGER PRIMARY KEY,
    id        BLOB NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    severity  TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    who       TEXT NOT NULL,
    terminals TEXT NOT NULL,
    site      TEXT NOT NULL,
    why_zh    TEXT NOT NULL,
    why_en    TEXT NOT NULL,
    evidence  TEXT NOT NULL,
    policy    TEXT NOT NULL
);
CREATE INDEX cases_anomaly_by_kind ON cases_anomaly (kind, severity);
",
    // Of what was stored before, the rule's version and inputs are not known, and of the ledger at
    // least its evidence had been seen.
    "
ALTER TABLE cases_anomaly ADD COLUMN rule INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases_anomaly ADD COLUMN inputs TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cases_anomaly ADD COLUMN ledger_first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases_anomaly ADD COLUMN ledger_last INTEGER NOT NULL DEFAULT 0;
UPDATE cases_anomaly
   SET ledger_last = coalesce((SELECT max(value) FROM json_each(evidence)), 0);
",
];

const COLUMNS: &str = "number, id, kind, severity, at_ms, who, terminals, site, why_zh, why_en, \
                       evidence, policy, rule, inputs, ledger_first, ledger_last";

/// One connection, used by one caller at a time.
#[derive(Debug)]
pub struct SqliteCases {
    connection: Mutex<Connection>,
}

impl SqliteCases {
    /// Opens the cases in the database file at `path`; makes the tables when they are missing.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let failed = |source| open_failed(&shown, source);
        durable::reserve(path).map_err(|cause| OpenError::Database {
            place: shown.clone(),
            class: Class::Permanent,
            source: cause.into(),
        })?;
        let connection = Connection::open(path).map_err(failed)?;
        Self::prepare(connection, &shown)
    }

    /// Cases that end with the process: for tests and for judging a copy.
    pub fn in_memory() -> Result<Self, OpenError> {
        let shown = "memory";
        let failed = |source| open_failed(shown, source);
        Self::prepare(Connection::open_in_memory().map_err(failed)?, shown)
    }

    fn prepare(mut connection: Connection, shown: &str) -> Result<Self, OpenError> {
        let failed = |source| open_failed(shown, source);
        connection.busy_timeout(BUSY_WAIT).map_err(failed)?;
        // A crash may take back the newest cases: they are judged again from the ledger, which is
        // what must be durable. So WAL with the cheaper `NORMAL` is enough here.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS cases_version (version INTEGER NOT NULL)")
            .map_err(failed)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found = version(&connection).map_err(failed)?;
        if found > known {
            return Err(OpenError::Newer { place: shown.to_owned(), found, known });
        }
        if found < known {
            migrate(&mut connection, known).map_err(failed)?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A panic of another caller leaves a connection that is still sound: its transaction was
    /// rolled back when it was dropped.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, rest: &str, from: i64, limit: usize) -> Result<Vec<Found>, ReadError> {
        let limit = i64::try_from(limit.min(PAGE_CASES_MAX)).unwrap_or(i64::MAX);
        let connection = self.connection();
        let sql = format!("SELECT {COLUMNS} FROM cases_anomaly {rest} LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql).map_err(read_failed)?;
        let mut rows = statement.query(params![from, limit]).map_err(read_failed)?;
        let mut cases = Vec::new();
        while let Some(row) = rows.next().map_err(read_failed)? {
            cases.push(case(row)?);
        }
        Ok(cases)
    }
}

impl Cases for SqliteCases {
    fn store(&self, anomalies: &[Anomaly]) -> Result<Vec<Found>, StoreError> {
        if anomalies.is_empty() {
            return Ok(Vec::new());
        }
        let count = anomalies.len();
        let failed = |source: rusqlite::Error| StoreError {
            count,
            class: class_of(&source),
            source: source.into(),
        };
        let mut connection = self.connection();
        // Immediate: waiting for the other writer happens here, before anything was read.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let mut new = Vec::new();
        for anomaly in anomalies {
            if insert(&transaction, anomaly).map_err(failed)? {
                let number = unsigned(transaction.last_insert_rowid());
                new.push(Found { number, anomaly: anomaly.clone() });
            }
        }
        transaction.commit().map_err(failed)?;
        Ok(new)
    }

    fn newest(&self, before: Option<u64>, limit: usize) -> Result<Vec<Found>, ReadError> {
        let before = before.map_or(i64::MAX, signed);
        self.page("WHERE number < ?1 ORDER BY number DESC", before, limit)
    }

    fn after(&self, after: u64, limit: usize) -> Result<Vec<Found>, ReadError> {
        self.page("WHERE number > ?1 ORDER BY number", signed(after), limit)
    }

    fn by_id(&self, id: AnomalyId) -> Result<Option<Found>, ReadError> {
        let connection = self.connection();
        let sql = format!("SELECT {COLUMNS} FROM cases_anomaly WHERE id = ?1");
        let mut statement = connection.prepare_cached(&sql).map_err(read_failed)?;
        statement
            .query_row([id.0.as_slice()], |row| Ok(case(row)))
            .optional()
            .map_err(read_failed)?
            .transpose()
    }

    fn counts(&self) -> Result<Counts, ReadError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached(
                "SELECT kind, severity, count(*), min(number) FROM cases_anomaly GROUP BY 1, 2",
            )
            .map_err(read_failed)?;
        let mut rows = statement.query([]).map_err(read_failed)?;
        let mut counts = BTreeMap::new();
        while let Some(row) = rows.next().map_err(read_failed)? {
            let number = unsigned(row.get(3).map_err(read_failed)?);
            let kind = word(number, "kind", row.get(0).map_err(read_failed)?)?;
            let severity = word(number, "severity", row.get(1).map_err(read_failed)?)?;
            counts.insert((kind, severity), unsigned(row.get(2).map_err(read_failed)?));
        }
        Ok(Counts(counts))
    }
}

/// The newest that the file was brought to; 0 where nothing was made yet.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .query_row("SELECT coalesce(max(version), 0) FROM cases_version", [], |row| row.get(0))
}

/// All steps or none; whoever waited meanwhile finds them done.
fn migrate(connection: &mut Connection, known: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let applied = usize::try_from(found).unwrap_or(0);
    MIGRATIONS.iter().skip(applied).try_for_each(|sql| transaction.execute_batch(sql))?;
    if found < known {
        transaction.execute("INSERT INTO cases_version (version) VALUES (?1)", [known])?;
    }
    transaction.commit()
}

/// Whether it was new.
fn insert(connection: &Connection, anomaly: &Anomaly) -> rusqlite::Result<bool> {
    let row = Columns::of(anomaly);
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO cases_anomaly
             (id, kind, severity, at_ms, who, terminals, site, why_zh, why_en, evidence, policy,
              rule, inputs, ledger_first, ledger_last)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    let changed = statement.execute(params![
        row.id,
        row.kind,
        row.severity,
        row.at_ms,
        row.who,
        row.terminals,
        row.site,
        row.why_zh,
        row.why_en,
        row.evidence,
        row.policy,
        row.rule,
        row.inputs,
        row.ledger_first,
        row.ledger_last,
    ])?;
    Ok(changed == 1)
}

fn case(row: &Row<'_>) -> Result<Found, ReadError> {
    let read = || -> rusqlite::Result<(i64, Columns)> {
        let columns = Columns {
            id: row.get(1)?,
            kind: row.get(2)?,
            severity: row.get(3)?,
            at_ms: row.get(4)?,
            who: row.get(5)?,
            terminals: row.get(6)?,
            site: row.get(7)?,
            why_zh: row.get(8)?,
            why_en: row.get(9)?,
            evidence: row.get(10)?,
            policy: row.get(11)?,
            rule: row.get(12)?,
            inputs: row.get(13)?,
            ledger_first: row.get(14)?,
            ledger_last: row.get(15)?,
        };
        Ok((row.get(0)?, columns))
    };
    let (number, columns) = read().map_err(read_failed)?;
    columns.case(unsigned(number))
}

fn open_failed(place: &str, source: rusqlite::Error) -> OpenError {
    OpenError::Database { place: place.to_owned(), class: class_of(&source), source: source.into() }
}

fn read_failed(source: rusqlite::Error) -> ReadError {
    ReadError::Database { class: class_of(&source), source: source.into() }
}

/// A locked or full database mends itself or is mended, everything else needs somebody.
fn class_of(error: &rusqlite::Error) -> Class {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked | DiskFull) => Class::Transient,
        Some(_) | None => Class::Permanent,
    }
}
