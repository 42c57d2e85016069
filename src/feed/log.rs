//! What a log of events is, in whatever database it lies: the port, its words and its bounds.

use std::error::Error;
use std::fmt;

use data_encoding::HEXLOWER;
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
pub(super) const DAYS_KEPT_MAX: u64 = 400;

/// The log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database or the disk says no.
    #[error("could not open the feed's log at {place}")]
    Storage {
        /// Which file or database.
        place: String,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A newer program wrote it.
    #[error(
        "could not open the feed's log at {place}: it has version {found}, this program knows {known}; run the newer program, or move the log away (the feed is then made again from the ledger)"
    )]
    Version {
        /// Which file or database.
        place: String,
        /// Its version.
        found: i64,
        /// The version known here.
        known: i64,
    },
}

impl OpenError {
    /// A stable word for metrics and the runbook.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Storage { .. } => "feed_open",
            OpenError::Version { .. } => "feed_version",
        }
    }

    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            OpenError::Storage { .. } | OpenError::Version { .. } => Class::Permanent,
        }
    }
}

/// Events could not be made durable. Nobody was told of them: call again with all. What is numbered all
/// the same then answers `None` and is read by whoever reads on.
#[derive(Debug, thiserror::Error)]
#[error("could not announce to the feed's log")]
pub struct AnnounceError(#[source] pub(super) Box<dyn Error + Send + Sync>);

impl AnnounceError {
    /// A full disk and a locked file pass; nothing is lost, the ledger has it all.
    pub fn class(&self) -> Class {
        Class::Transient
    }
}

/// Events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database or the disk says no.
    #[error("could not read the feed's log")]
    Storage(#[source] Box<dyn Error + Send + Sync>),
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
            ReadError::Storage(_) | ReadError::Ending => Class::Transient,
            ReadError::Body { .. } => Class::Permanent,
        }
    }
}

/// Names one log from its making to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LogId(pub(super) String);

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
pub trait Log: fmt::Debug + Send {
    /// Which log this is.
    fn id(&self) -> &LogId;

    /// Numbers what is new among `bodies` and makes it durable, all or nothing. For each the
    /// answer has its number, or `None` when it says nothing new: an anomaly or attendance that
    /// was announced before, a terminal whose state is the same.
    fn announce(&mut self, bodies: &[Body]) -> Result<Vec<Option<u64>>, AnnounceError>;

    /// The highest number given so far; 0 when none was.
    fn head(&self) -> Result<u64, ReadError>;

    /// Whether somebody who has seen everything up to `after` can read on without a hole. Not so
    /// when the number is of another log, or what followed it was forgotten.
    fn can_resume(&self, after: u64) -> Result<bool, ReadError>;

    /// Up to `count_max` events after number `after`, ascending.
    fn since(&self, after: u64, count_max: u64) -> Result<Vec<Event>, ReadError>;

    /// What somebody sees who knows nothing yet.
    fn snapshot(&self) -> Result<Snapshot, ReadError>;

    /// Up to `count_max` anomalies with a number below `before`, newest first.
    fn anomalies(
        &self,
        before: Option<u64>,
        count_max: u64,
        filter: Filter,
    ) -> Result<Page, ReadError>;

    /// Counts; `day` is a date in China standard time, as in `2026-03-02`.
    fn totals(&self, day: &str) -> Result<Totals, ReadError>;
}

/// How many events of each type stay readable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    pub(super) attendances_max: u64,
    pub(super) anomalies_max: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { attendances_max: ATTENDANCES_KEPT_MAX, anomalies_max: ANOMALIES_KEPT_MAX }
    }
}

impl LogId {
    /// For a log that is being made.
    pub(super) fn new() -> Self {
        Self(HEXLOWER.encode(&chance::random_bytes::<8>()))
    }
}

impl Page {
    /// From one event more than was asked for, if there are so many.
    pub(super) fn of(mut events: Vec<Event>, count_max: u64) -> Self {
        let more = events.len() as u64 > count_max;
        if more {
            events.pop();
        }
        let older = events.last().filter(|_| more).map(|event| event.id);
        Self { events, older }
    }
}

/// What of an event stands in columns of its own.
pub(super) struct Columns {
    /// What may be announced once under its type.
    pub(super) key: String,
    pub(super) severity: Option<&'static str>,
    pub(super) kind: Option<&'static str>,
    pub(super) json: String,
    /// The day under which it counts, where it is an accepted check-in.
    pub(super) day: Option<String>,
}

impl Columns {
    pub(super) fn of(body: &Body) -> Self {
        let (key, severity, kind) = match body {
            Body::Anomaly(a) => {
                (a.anomaly.to_string(), Some(severity_word(a.severity)), Some(a.kind.as_str()))
            }
            // Leading zeros, so that keys sort as their numbers do.
            Body::Attendance(a) => (format!("{:020}", a.index), None, None),
            Body::Terminal(t) => (t.terminal.to_string(), None, None),
        };
        let day = match body {
            Body::Attendance(a)
                if a.event == crate::domain::Event::CheckIn
                    && a.outcome == Some(Outcome::Accepted) =>
            {
                Some(a.at.shanghai().date().to_string())
            }
            Body::Attendance(_) | Body::Anomaly(_) | Body::Terminal(_) => None,
        };
        let json = serde_json::to_string(body).expect("plain data has a JSON form");
        Self { key, severity, kind, json, day }
    }
}

pub(super) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Alarm => "alarm",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// Databases count with a sign. Our numbers begin at 1 and stay far below the limit; a reader may
/// send any, and what is beyond all numbers may as well be the greatest.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
