//! Cases in PostgreSQL, in a schema of their own beside the ledger's. A connection that breaks is made
//! anew at the next call: storing twice stores once.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::columns::{Columns, signed, unsigned, word};
use super::{Cases, Counts, Found, OpenError, PAGE_CASES_MAX, ReadError, StoreError};
use crate::domain::{Anomaly, AnomalyId};
use crate::platform::postgres::{
    self, Address, Broken, ConnectError, Failed, Session, class_of, is_missing,
};
use crate::platform::telemetry::Class;

/// What brings a database from each version to the next. Never changed once in use: a change is one
/// more.
const MIGRATIONS: [&str; 2] = [
    "
CREATE TABLE cases.anomaly (
    number    int8 PRIMARY KEY,
    id        bytea NOT NULL UNIQUE,
    kind      text NOT NULL,
    severity  text NOT NULL,
    at_ms     int8 NOT NULL,
    who       text NOT NULL,
    terminals text NOT NULL,
    site      text NOT NULL,
    why_zh    text NOT NULL,
    why_en    text NOT NULL,
    evidence  text NOT NULL,
    policy    text NOT NULL
);
CREATE INDEX anomaly_by_kind ON cases.anomaly (kind, severity);
",
    // Of what was stored before, the rule's version and inputs are not known, and of the ledger at
    // least its evidence had been seen.
    "
ALTER TABLE cases.anomaly
    ADD COLUMN rule         int8 NOT NULL DEFAULT 0,
    ADD COLUMN inputs       text NOT NULL DEFAULT '{}',
    ADD COLUMN ledger_first int8 NOT NULL DEFAULT 0,
    ADD COLUMN ledger_last  int8 NOT NULL DEFAULT 0;
UPDATE cases.anomaly SET ledger_last = coalesce(
    (SELECT max(entry::int8) FROM json_array_elements_text(evidence::json) AS entry), 0);
",
];

/// A crash of the server may take back the newest cases: they are judged again from the ledger, which
/// is what must be durable.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// One connection, used by one caller at a time.
#[derive(Debug)]
pub struct PostgresCases {
    session: Mutex<Session>,
}

impl PostgresCases {
    /// Opens the cases in the database at `address`; makes the tables when they are missing.
    pub fn open(address: &Address) -> Result<Self, OpenError> {
        let place = address.to_string();
        let mut session = Session::open(address, Broken::ConnectsAgain)
            .map_err(|error| connect(&place, error))?;
        let failed = |error: postgres::Error| {
            let place = place.clone();
            OpenError::Database { place, class: class_of(&error), source: error.into() }
        };
        let found = match session.query("SELECT version FROM cases.state", &[]) {
            Err(error) if is_missing(&error) => None,
            rows => rows
                .map_err(failed)?
                .first()
                .map(|row| row.try_get(0))
                .transpose()
                .map_err(failed)?,
        };
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        match found {
            Some(found) if found > known => return Err(OpenError::Newer { place, found, known }),
            Some(found) if found == known => {}
            Some(_) | None => {
                let done = session.transaction("BEGIN", |session| migrate(session, found));
                done.map_err(Failed::either).map_err(failed)?;
            }
        }
        Ok(Self { session: Mutex::new(session) })
    }

    /// A panic of another caller leaves a session that is still sound: the server undoes what was
    /// not committed.
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page(&self, sql: &'static str, from: i64, limit: usize) -> Result<Vec<Found>, ReadError> {
        let limit = i64::try_from(limit.min(PAGE_CASES_MAX)).unwrap_or(i64::MAX);
        let rows = self.session().query(sql, &[&from, &limit]).map_err(read_failed)?;
        rows.iter().map(case).collect()
    }
}

fn connect(place: &str, error: ConnectError) -> OpenError {
    OpenError::Database { place: place.to_owned(), class: Class::Transient, source: error.into() }
}

fn read_failed(error: postgres::Error) -> ReadError {
    ReadError::Database { class: class_of(&error), source: error.into() }
}

fn migrate(session: &mut Session, found: Option<i64>) -> Result<(), postgres::Error> {
    if found.is_none() {
        session.run(
            "CREATE SCHEMA cases; CREATE TABLE cases.state (version int8 NOT NULL);
             INSERT INTO cases.state VALUES (0)",
        )?;
    }
    let applied = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    MIGRATIONS.iter().skip(applied).try_for_each(|sql| session.run(sql))?;
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    session.execute("UPDATE cases.state SET version = $1", &[&version]).map(drop)
}

/// Stores what is new; one writer at a time, so that numbers have no hole.
fn store_new(session: &mut Session, anomalies: &[Anomaly]) -> Result<Vec<Found>, postgres::Error> {
    session.run("LOCK TABLE cases.anomaly IN SHARE ROW EXCLUSIVE MODE")?;
    let ids: Vec<Vec<u8>> = anomalies.iter().map(|anomaly| anomaly.id.0.to_vec()).collect();
    let rows = session.query("SELECT id FROM cases.anomaly WHERE id = ANY ($1)", &[&ids])?;
    let mut known: HashSet<Vec<u8>> =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let rows = session.query("SELECT coalesce(max(number), 0) FROM cases.anomaly", &[])?;
    let last = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    let mut new: Vec<&Anomaly> = anomalies.iter().collect();
    new.retain(|anomaly| known.insert(anomaly.id.0.to_vec()));
    let columns: Vec<Columns> = new.iter().map(|anomaly| Columns::of(anomaly)).collect();
    let numbers: Vec<i64> = (last + 1..).take(columns.len()).collect();
    let text = |of: fn(&Columns) -> &str| columns.iter().map(of).collect::<Vec<&str>>();
    let ids: Vec<&[u8]> = columns.iter().map(|row| row.id.as_slice()).collect();
    let number = |of: fn(&Columns) -> i64| columns.iter().map(of).collect::<Vec<i64>>();
    session.execute(
        "INSERT INTO cases.anomaly
         SELECT * FROM unnest($1::int8[], $2::bytea[], $3::text[], $4::text[], $5::int8[],
             $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
             $13::int8[], $14::text[], $15::int8[], $16::int8[])",
        &[
            &numbers,
            &ids,
            &text(|row| &row.kind),
            &text(|row| &row.severity),
            &number(|row| row.at_ms),
            &text(|row| &row.who),
            &text(|row| &row.terminals),
            &text(|row| &row.site),
            &text(|row| &row.why_zh),
            &text(|row| &row.why_en),
            &text(|row| &row.evidence),
            &text(|row| &row.policy),
            &number(|row| row.rule),
            &text(|row| &row.inputs),
            &number(|row| row.ledger_first),
            &number(|row| row.ledger_last),
        ],
    )?;
    let cases = numbers.into_iter().zip(new);
    Ok(cases
        .map(|(number, anomaly)| Found { number: unsigned(number), anomaly: anomaly.clone() })
        .collect())
}

impl Cases for PostgresCases {
    fn store(&self, anomalies: &[Anomaly]) -> Result<Vec<Found>, StoreError> {
        if anomalies.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.session().transaction(BEGIN, |session| store_new(session, anomalies));
        stored.map_err(Failed::either).map_err(|error: postgres::Error| StoreError {
            count: anomalies.len(),
            class: class_of(&error),
            source: error.into(),
        })
    }

    fn newest(&self, before: Option<u64>, limit: usize) -> Result<Vec<Found>, ReadError> {
        let before = before.map_or(i64::MAX, signed);
        let sql = "SELECT * FROM cases.anomaly WHERE number < $1 ORDER BY number DESC LIMIT $2";
        self.page(sql, before, limit)
    }

    fn after(&self, after: u64, limit: usize) -> Result<Vec<Found>, ReadError> {
        let sql = "SELECT * FROM cases.anomaly WHERE number > $1 ORDER BY number LIMIT $2";
        self.page(sql, signed(after), limit)
    }

    fn by_id(&self, id: AnomalyId) -> Result<Option<Found>, ReadError> {
        let sql = "SELECT * FROM cases.anomaly WHERE id = $1";
        let rows = self.session().query(sql, &[&id.0.as_slice()]).map_err(read_failed)?;
        rows.first().map(case).transpose()
    }

    fn counts(&self) -> Result<Counts, ReadError> {
        let sql = "SELECT kind, severity, count(*), min(number) FROM cases.anomaly GROUP BY 1, 2";
        let rows = self.session().query(sql, &[]).map_err(read_failed)?;
        let mut counts = BTreeMap::new();
        for row in &rows {
            let get = |column| row.try_get::<_, i64>(column).map_err(read_failed);
            let number = unsigned(get(3)?);
            let kind = word(number, "kind", row.try_get(0).map_err(read_failed)?)?;
            let severity = word(number, "severity", row.try_get(1).map_err(read_failed)?)?;
            counts.insert((kind, severity), unsigned(get(2)?));
        }
        Ok(Counts(counts))
    }
}

fn case(row: &::postgres::Row) -> Result<Found, ReadError> {
    let read = || -> Result<(i64, Columns), postgres::Error> {
        let columns = Columns {
            id: row.try_get(1)?,
            kind: row.try_get(2)?,
            severity: row.try_get(3)?,
            at_ms: row.try_get(4)?,
            who: row.try_get(5)?,
            terminals: row.try_get(6)?,
            site: row.try_get(7)?,
            why_zh: row.try_get(8)?,
            why_en: row.try_get(9)?,
            evidence: row.try_get(10)?,
            policy: row.try_get(11)?,
            rule: row.try_get(12)?,
            inputs: row.try_get(13)?,
            ledger_first: row.try_get(14)?,
            ledger_last: row.try_get(15)?,
        };
        Ok((row.try_get(0)?, columns))
    };
    let (number, columns) = read().map_err(read_failed)?;
    columns.case(unsigned(number))
}
