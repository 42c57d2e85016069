//! Numbered live events: what the page shows and any other reader may follow
//! (docs/spec/feed-v1.md).
//!
//! Promise: an event that was announced has a number for ever, numbers only grow, and a reader who
//! tells the last number it saw gets everything after it, each once — across broken connections,
//! restarts, and however slowly it reads. The same happening is announced once, so judging the
//! whole ledger again after a restart repeats nothing.
//!
//! - [`Event`] and the plain data it carries. Names of people and places are arguments: whoever
//!   announces decides how a person may be shown. No image, no embedding, no ledger id of a person.
//! - [`Log`] (`log.rs`; `sqlite.rs` and `postgres.rs` stand behind it): the durable numbering.
//! - [`Feed`] (`live.rs`): the log, and those who wait for its next number.

mod event;
mod live;
mod log;
mod postgres;
mod sqlite;

pub use event::{
    Anomaly, Attendance, Body, Event, Evidence, Person, Place, Reported, Terminal, TerminalState,
};
pub use live::{Feed, Start, Subscription};
pub use log::{
    ANOMALIES_KEPT_MAX, ATTENDANCES_KEPT_MAX, AnnounceError, Filter, Log, LogId, OpenError, Page,
    ReadError, SNAPSHOT_ANOMALIES_MAX, SNAPSHOT_ATTENDANCES_MAX, Snapshot, Totals,
};
pub use postgres::PostgresLog;
pub use sqlite::SqliteLog;
