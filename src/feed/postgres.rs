//! The durable numbering of events in PostgreSQL, in a schema of its own beside the ledger's. A
//! connection that breaks is made anew at the next call: what was announced is announced once.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::log::{Columns, DAYS_KEPT_MAX, Keep, severity_word, signed, unsigned};
use super::{
    AnnounceError, Body, Event, Filter, Log, LogId, OpenError, Page, ReadError,
    SNAPSHOT_ANOMALIES_MAX, SNAPSHOT_ATTENDANCES_MAX, Snapshot, Totals,
};
use crate::domain::{AnomalyKind, Severity};
use crate::platform::postgres::{self, Address, Broken, Failed, Session, is_missing};

/// What brings a database from each version to the next. Never changed once in use: a change is one
/// more. What a column means stands in `sqlite.rs`; numbers are counted in the log's one row, so that
/// what is undone uses up none.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE feed.event (
  id       int8 PRIMARY KEY,
  type     text COLLATE \"C\" NOT NULL,
  key      text COLLATE \"C\" NOT NULL,
  severity text,
  kind     text,
  body     text,
  UNIQUE (type, key)
);
CREATE INDEX event_by_type ON feed.event (type, id);
CREATE INDEX event_by_severity ON feed.event (severity) WHERE severity IS NOT NULL;
CREATE TABLE feed.day (day text COLLATE \"C\" PRIMARY KEY, attendances int8 NOT NULL);
CREATE TABLE feed.log (
  name            text NOT NULL,
  head            int8 NOT NULL,
  forgotten_id    int8 NOT NULL,
  forgotten_entry int8 NOT NULL
);
"];

type Cause = Box<dyn Error + Send + Sync>;

/// See the head of this file.
#[derive(Debug)]
pub struct PostgresLog {
    session: Mutex<Session>,
    id: LogId,
    keep: Keep,
}

impl PostgresLog {
    /// Opens the log in the database at `address` and makes it when there is none: unlike the ledger
    /// it is a view, which the ledger can fill again.
    pub fn open(address: &Address) -> Result<Self, OpenError> {
        let place = address.to_string();
        let failed = |source: Cause| OpenError::Storage { place: place.clone(), source };
        let mut session =
            Session::open(address, Broken::ConnectsAgain).map_err(|error| failed(error.into()))?;
        let found = version(&mut session).map_err(|error| failed(error.into()))?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        match found {
            Some(found) if found > known => return Err(OpenError::Version { place, found, known }),
            Some(found) if found == known => {}
            Some(_) | None => {
                let done = session.transaction("BEGIN", |session| migrate(session, found));
                done.map_err(Failed::either)
                    .map_err(|error: postgres::Error| failed(error.into()))?;
            }
        }
        let name = session.query("SELECT name FROM feed.log", &[]).map_err(|e| failed(e.into()))?;
        let name = name.first().ok_or_else(|| failed("the log has no name".into()))?;
        let id = LogId(name.try_get(0).map_err(|error| failed(error.into()))?);
        Ok(Self { session: Mutex::new(session), id, keep: Keep::default() })
    }

    /// Keeps fewer events, so that a test can reach the bounds.
    #[must_use]
    pub fn keeping(mut self, attendances_max: u64, anomalies_max: u64) -> Self {
        self.keep = Keep { attendances_max, anomalies_max };
        self
    }

    /// A panic of another caller leaves a session that is still sound: the server undoes what was
    /// not committed.
    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(
        &self,
        sql: &'static str,
        params: &[&(dyn ::postgres::types::ToSql + Sync)],
    ) -> Result<u64, ReadError> {
        let rows = self.session().query(sql, params).map_err(read_failed)?;
        let number = rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(read_failed)?;
        Ok(unsigned(number))
    }

    fn select(
        &self,
        sql: &'static str,
        params: &[&(dyn ::postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Event>, ReadError> {
        let rows = self.session().query(sql, params).map_err(read_failed)?;
        let events = rows.iter().map(|row| {
            let id = unsigned(row.try_get(0).map_err(read_failed)?);
            let body: &str = row.try_get(1).map_err(read_failed)?;
            let body =
                serde_json::from_str(body).map_err(|source| ReadError::Body { id, source })?;
            Ok(Event { id, body })
        });
        events.collect()
    }
}

fn version(session: &mut Session) -> Result<Option<i64>, postgres::Error> {
    match session.query("SELECT version FROM feed.state", &[]) {
        Err(error) if is_missing(&error) => Ok(None),
        rows => rows?.first().map(|row| row.try_get(0)).transpose(),
    }
}

fn migrate(session: &mut Session, found: Option<i64>) -> Result<(), postgres::Error> {
    if found.is_none() {
        session.run(
            "CREATE SCHEMA feed; CREATE TABLE feed.state (version int8 NOT NULL);
             INSERT INTO feed.state VALUES (0)",
        )?;
    }
    let applied = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    MIGRATIONS.iter().skip(applied).try_for_each(|sql| session.run(sql))?;
    if found.is_none() {
        let LogId(name) = LogId::new();
        session.execute("INSERT INTO feed.log VALUES ($1, 0, 0, -1)", &[&name])?;
    }
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    session.execute("UPDATE feed.state SET version = $1", &[&version]).map(drop)
}

fn read_failed(error: postgres::Error) -> ReadError {
    ReadError::Storage(error.into())
}

impl Log for PostgresLog {
    fn id(&self) -> &LogId {
        &self.id
    }

    fn announce(&mut self, bodies: &[Body]) -> Result<Vec<Option<u64>>, AnnounceError> {
        let keep = self.keep;
        let announced = self.session().transaction("BEGIN", |session| {
            let ids = announce_new(session, bodies)?;
            forget_old(session, keep)?;
            Ok::<_, postgres::Error>(ids)
        });
        // A crash before the transaction's last word leaves nothing of the call, after it everything.
        announced.map_err(|failed| AnnounceError(failed.either().into()))
    }

    fn head(&self) -> Result<u64, ReadError> {
        self.number("SELECT head FROM feed.log", &[])
    }

    fn can_resume(&self, after: u64) -> Result<bool, ReadError> {
        let sql = "SELECT count(*) FROM feed.log WHERE $1 BETWEEN forgotten_id AND head";
        Ok(self.number(sql, &[&signed(after)])? == 1)
    }

    fn since(&self, after: u64, count_max: u64) -> Result<Vec<Event>, ReadError> {
        self.select(
            "SELECT id, body FROM feed.event
             WHERE id > $1 AND body IS NOT NULL ORDER BY id LIMIT $2",
            &[&signed(after), &signed(count_max)],
        )
    }

    fn snapshot(&self) -> Result<Snapshot, ReadError> {
        const NEWEST: &str = "SELECT id, body FROM feed.event
             WHERE type = $1 AND body IS NOT NULL ORDER BY id DESC LIMIT $2";
        let cursor = self.head()?;
        let mut events = Vec::new();
        for (kind, count_max) in [
            ("anomaly", SNAPSHOT_ANOMALIES_MAX),
            ("attendance", SNAPSHOT_ATTENDANCES_MAX),
            ("terminal", u64::MAX),
        ] {
            events.extend(self.select(NEWEST, &[&kind, &signed(count_max)])?);
        }
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
            "SELECT id, body FROM feed.event
             WHERE type = 'anomaly' AND id < $1 AND body IS NOT NULL
               AND ($2::text IS NULL OR severity = $2) AND ($3::text IS NULL OR kind = $3)
             ORDER BY id DESC LIMIT $4",
            &[
                &before,
                &filter.severity.map(severity_word),
                &filter.kind.map(AnomalyKind::as_str),
                &signed(count_max.saturating_add(1)),
            ],
        )?;
        Ok(Page::of(events, count_max))
    }

    fn totals(&self, day: &str) -> Result<Totals, ReadError> {
        let of_severity = |severity| {
            let sql = "SELECT count(*) FROM feed.event WHERE severity = $1";
            self.number(sql, &[&severity_word(severity)])
        };
        Ok(Totals {
            alarms: of_severity(Severity::Alarm)?,
            warnings: of_severity(Severity::Warning)?,
            notices: of_severity(Severity::Notice)?,
            terminals_online: self.number(
                "SELECT count(*) FROM feed.event
                 WHERE type = 'terminal' AND body::json ->> 'state' = 'online'",
                &[],
            )?,
            terminals: self
                .number("SELECT count(*) FROM feed.event WHERE type = 'terminal'", &[])?,
            attendances: self.number("SELECT attendances FROM feed.day WHERE day = $1", &[&day])?,
        })
    }
}

/// Numbers what is new. Round trips are few and the same, however many bodies come: at each start the
/// whole ledger passes through here.
fn announce_new(
    session: &mut Session,
    bodies: &[Body],
) -> Result<Vec<Option<u64>>, postgres::Error> {
    // The row is held until the end: one announces at a time.
    let rows = session.query("SELECT head, forgotten_entry FROM feed.log FOR UPDATE", &[])?;
    let (head, forgotten): (i64, i64) =
        rows.first().map_or(Ok((0, -1)), |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
    let columns: Vec<Columns> = bodies.iter().map(Columns::of).collect();
    let types: Vec<&str> = bodies.iter().map(Body::kind).collect();
    let keys: Vec<&str> = columns.iter().map(|columns| columns.key.as_str()).collect();
    let rows = session.query(
        "SELECT type, key, body FROM feed.event
         JOIN unnest($1::text[], $2::text[]) AS asked (t, k) ON type = t AND key = k",
        &[&types, &keys],
    )?;
    // What is said of each type and key, and its place among the new ones.
    let mut said: HashMap<(String, String), (Option<String>, Option<usize>)> = HashMap::new();
    for row in &rows {
        said.insert((row.try_get(0)?, row.try_get(1)?), (row.try_get(2)?, None));
    }
    let mut new: Vec<Option<(i64, usize)>> = Vec::new();
    let mut replaced = Vec::new();
    let mut ids = Vec::with_capacity(bodies.len());
    let mut next = head;
    for (place, (body, columns)) in bodies.iter().zip(&columns).enumerate() {
        let about = (body.kind().to_owned(), columns.key.clone());
        let known = said.get(&about);
        let says_nothing = match body {
            Body::Attendance(a) => signed(a.index) <= forgotten || known.is_some(),
            Body::Anomaly(_) => known.is_some(),
            Body::Terminal(_) => {
                known.is_some_and(|(json, _)| json.as_ref() == Some(&columns.json))
            }
        };
        if says_nothing {
            ids.push(None);
            continue;
        }
        if let Some((_, earlier)) = known {
            // The newest state takes a new number, so that everybody who reads on meets it.
            match earlier.and_then(|earlier| new.get_mut(earlier)) {
                Some(earlier) => *earlier = None,
                None => replaced.push(columns.key.as_str()),
            }
        }
        next += 1;
        said.insert(about, (Some(columns.json.clone()), Some(new.len())));
        new.push(Some((next, place)));
        ids.push(Some(unsigned(next)));
    }
    if !replaced.is_empty() {
        let sql = "DELETE FROM feed.event WHERE type = 'terminal' AND key = ANY ($1)";
        session.execute(sql, &[&replaced])?;
    }
    let new: Vec<(i64, usize)> = new.into_iter().flatten().collect();
    let numbers: Vec<i64> = new.iter().map(|(number, _)| *number).collect();
    let of = |place: &usize| columns.get(*place).expect("places are those of the columns");
    let type_of = |place: &usize| bodies.get(*place).map(Body::kind);
    session.execute(
        "INSERT INTO feed.event (id, type, key, severity, kind, body)
         SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])",
        &[
            &numbers,
            &new.iter().map(|(_, place)| type_of(place)).collect::<Vec<_>>(),
            &new.iter().map(|(_, place)| of(place).key.as_str()).collect::<Vec<_>>(),
            &new.iter().map(|(_, place)| of(place).severity).collect::<Vec<_>>(),
            &new.iter().map(|(_, place)| of(place).kind).collect::<Vec<_>>(),
            &new.iter().map(|(_, place)| of(place).json.as_str()).collect::<Vec<_>>(),
        ],
    )?;
    let mut days: BTreeMap<&str, i64> = BTreeMap::new();
    for day in new.iter().filter_map(|(_, place)| of(place).day.as_deref()) {
        *days.entry(day).or_default() += 1;
    }
    session.execute(
        "INSERT INTO feed.day SELECT * FROM unnest($1::text[], $2::int8[])
         ON CONFLICT (day) DO UPDATE SET attendances = day.attendances + excluded.attendances",
        &[&days.keys().collect::<Vec<_>>(), &days.values().collect::<Vec<_>>()],
    )?;
    session.execute("UPDATE feed.log SET head = $1", &[&next])?;
    Ok(ids)
}

/// Brings every type back to its bound, oldest first.
fn forget_old(session: &mut Session, keep: Keep) -> Result<(), postgres::Error> {
    const BEYOND: &str = "SELECT id FROM feed.event WHERE type = $1 AND body IS NOT NULL
         ORDER BY id DESC LIMIT 1 OFFSET $2";
    let last_beyond = |session: &mut Session, kind: &str, kept_max| {
        let rows = session.query(BEYOND, &[&kind, &signed(kept_max)])?;
        rows.first().map(|row| row.try_get::<_, i64>(0)).transpose()
    };
    if let Some(last) = last_beyond(session, "attendance", keep.attendances_max)? {
        session.execute(
            "UPDATE feed.log SET forgotten_id = greatest(forgotten_id, $1),
               forgotten_entry = greatest(forgotten_entry,
                 (SELECT max(key)::int8 FROM feed.event WHERE type = 'attendance' AND id <= $1))",
            &[&last],
        )?;
        let sql = "DELETE FROM feed.event WHERE type = 'attendance' AND id <= $1";
        session.execute(sql, &[&last])?;
    }
    if let Some(last) = last_beyond(session, "anomaly", keep.anomalies_max)? {
        let sql = "UPDATE feed.log SET forgotten_id = greatest(forgotten_id, $1)";
        session.execute(sql, &[&last])?;
        let sql = "UPDATE feed.event SET body = NULL
             WHERE type = 'anomaly' AND id <= $1 AND body IS NOT NULL";
        session.execute(sql, &[&last])?;
    }
    let sql = "DELETE FROM feed.day
         WHERE day <= (SELECT day FROM feed.day ORDER BY day DESC LIMIT 1 OFFSET $1)";
    session.execute(sql, &[&signed(DAYS_KEPT_MAX)]).map(drop)
}
