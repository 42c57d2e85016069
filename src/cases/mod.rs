//! Anomalies, stored once and numbered in the order in which they were found; and the cases that they gather
//! into, with what people did about them (docs/cases.md).
//!
//! An anomaly's id follows from its kind and evidence, so judging the whole ledger again after a
//! restart stores nothing twice; and since it can be judged again, nothing here is unique. The
//! numbers feed the live page: they only grow, and "everything after number n" misses nothing.

mod book;
mod case;
mod columns;
mod gathered;
mod may;
mod postgres;
mod precision;
mod risk;
mod sqlite;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

pub use book::Book;
pub use case::{Brief, CASE_ANOMALIES_MAX, Case, SPAN_MS, State, Stated, Subject};
pub use gathered::Gathered;
pub use may::{BY_BYTES_MAX, Denied, SNOOZE_DAYS_MAX, TEXT_BYTES_MAX, may};
pub use postgres::PostgresCases;
pub use precision::{Lived, lived};
pub use risk::{Part, Risk, risk};
pub use sqlite::SqliteCases;

use crate::domain::{Anomaly, AnomalyId, AnomalyKind, Severity};
use crate::platform::telemetry::Class;

/// Most anomalies that one call hands out; more are asked for page by page.
pub const PAGE_CASES_MAX: usize = 500;

/// A stored anomaly with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place in the order of finding, from 1, growing.
    pub number: u64,
    /// What was found.
    pub anomaly: Anomaly,
}

/// How many anomalies there are, by kind and severity; pairs that never occurred are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub BTreeMap<(AnomalyKind, Severity), u64>);

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those of one kind.
    pub fn of_kind(&self, kind: AnomalyKind) -> u64 {
        self.0.iter().filter(|((k, _), _)| *k == kind).map(|(_, count)| count).sum()
    }

    /// Those of one severity.
    pub fn of_severity(&self, severity: Severity) -> u64 {
        self.0.iter().filter(|((_, s), _)| *s == severity).map(|(_, count)| count).sum()
    }
}

/// What the centre needs of a store of anomalies.
pub trait Cases: Send + Sync {
    /// Stores what is not stored yet, all or nothing, and returns just that, with its numbers.
    fn store(&self, anomalies: &[Anomaly]) -> Result<Vec<Found>, StoreError>;

    /// The newest first, those below number `before` (or from the top), at most `limit` and
    /// never more than [`PAGE_CASES_MAX`].
    fn newest(&self, before: Option<u64>, limit: usize) -> Result<Vec<Found>, ReadError>;

    /// Those after number `after`, oldest first, at most `limit` and never more than
    /// [`PAGE_CASES_MAX`].
    fn after(&self, after: u64, limit: usize) -> Result<Vec<Found>, ReadError>;

    /// One by its id.
    fn by_id(&self, id: AnomalyId) -> Result<Option<Found>, ReadError>;

    /// How many there are.
    fn counts(&self) -> Result<Counts, ReadError>;
}

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database refused.
    #[error("could not open the cases in {place}")]
    Database {
        /// Which file or database.
        place: String,
        /// What the caller shall do.
        class: Class,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A newer program wrote it.
    #[error(
        "could not open the cases in {place}: they have version {found}, this program knows up to {known}"
    )]
    Newer {
        /// Which file or database.
        place: String,
        /// Version in it.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
}

/// Anomalies could not be stored: all of the batch is, or none. Stored again, nothing is there twice.
#[derive(Debug, thiserror::Error)]
#[error("could not store {count} anomalies")]
pub struct StoreError {
    /// How many were to be stored.
    pub count: usize,
    /// What the caller shall do.
    pub class: Class,
    /// Why not.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// Cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database refused.
    #[error("could not read cases")]
    Database {
        /// What the caller shall do.
        class: Class,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A row holds what this program never wrote.
    #[error("could not read case {number}: its {column} is damaged")]
    Damaged {
        /// Which case.
        number: u64,
        /// Which column.
        column: &'static str,
    },
}

impl OpenError {
    /// What the caller shall do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Database { class, .. } => *class,
            Self::Newer { .. } => Class::Permanent,
        }
    }
}

impl StoreError {
    /// What the caller shall do about it.
    pub fn class(&self) -> Class {
        self.class
    }
}

impl ReadError {
    /// What the caller shall do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Database { class, .. } => *class,
            Self::Damaged { .. } => Class::Permanent,
        }
    }
}

/// As programs read it: flat, the id in hexadecimal, times in milliseconds since the epoch.
impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Anomaly {
            id,
            kind,
            severity,
            at,
            who,
            terminals,
            site,
            why,
            evidence,
            policy,
            rule,
            inputs,
            ledger,
        } = &self.anomaly;
        let mut case = serializer.serialize_struct("Found", 14)?;
        case.serialize_field("number", &self.number)?;
        case.serialize_field("id", &id.to_string())?;
        case.serialize_field("kind", kind)?;
        case.serialize_field("severity", severity)?;
        case.serialize_field("at", at)?;
        case.serialize_field("who", who)?;
        case.serialize_field("terminals", terminals)?;
        case.serialize_field("site", site)?;
        case.serialize_field("why", why)?;
        case.serialize_field("evidence", evidence)?;
        case.serialize_field("policy", policy)?;
        case.serialize_field("rule", rule)?;
        case.serialize_field("inputs", inputs)?;
        case.serialize_field("ledger", ledger)?;
        case.end()
    }
}

/// As programs read it: a list of kind, severity and count.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line {
            kind: AnomalyKind,
            severity: Severity,
            count: u64,
        }
        serializer.collect_seq(self.0.iter().map(|((kind, severity), count)| Line {
            kind: *kind,
            severity: *severity,
            count: *count,
        }))
    }
}
