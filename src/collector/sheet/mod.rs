//! Tables of facts, as people fill them in: one shape for institutions, sites, classes, lessons,
//! rosters, teachers, statuses and claims.
//!
//! ```text
//! bytes ── csv ──► Grid ── rows ──► Row (what a person wrote, checked cell by cell)
//!                                    │ people: who is meant, by a commitment
//!                                    ▼
//!                   standing ── plan ──► Plan (what has to be stated) or all Problems
//! ```
//!
//! A file is stated as a whole or not at all, and what the ledger says already is not stated again.
//! What is listed can be imported: it changes nothing. Only `csv` and the people's file do I/O.

mod cells;
mod columns;
mod csv;
mod grid;
mod list;
mod plan;
mod project;
mod rows;
mod terminals;
mod who;

pub(crate) use self::cells::flaw_of;
pub use self::columns::{Column, Kind};
pub use self::csv::{FILE_BYTES_MAX, GridError, ROWS_MAX, parse as from_bytes, read, write};
pub use self::grid::{Grid, Problem, Problems, Remark};
pub use self::list::{Listed, rows as listed};
pub use self::plan::{Plan, Standing, plan};
pub use self::rows::parse;
pub use self::terminals::{TerminalRow, template as terminal_template, terminals};
pub use self::who::resolve;

#[cfg(test)]
mod tests;
