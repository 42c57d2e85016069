//! What the chain of a terminal says of its clock: between which times a record was made, and whether it
//! contradicts its own clock (docs/decisions/0034).
//!
//! A terminal's records come in their own order, so what stands here hangs on the chain alone and not on
//! when it arrived. Three things are known of each record beside its wall clock: the newest time that the
//! centre had signed for its terminal, how long the terminal had been running, and in which boot.
//!
//! - **Not before.** Within a boot real time runs as the uptime does. A record of uptime `u` that carries the
//!   signed time `S` says that the boot began at `S - u` or later; the latest such beginning bounds every
//!   record of the boot, also those before it.
//! - **Not after.** A record was made before its terminal held a later signed time. An answer may have been
//!   under way, so that alone refutes nobody: the later record's own clock must have gone back as well.
//! - **What would have been confessed.** A genuine terminal calls its clock doubtful where it lies before its
//!   signed time, before its own last record, or moves otherwise than its uptime (`uplink/clock.rs`). A record
//!   that does not, is not made by our program, or by a broken one.
//!
//! A doubtful record is not judged: it has confessed. Remembers of each terminal one boot, and of its records
//! only those that a later one can still refute.

mod clock;

use std::collections::HashMap;

use jiff::civil::Date;

use clock::{Clock, Margins};

use crate::domain::{Policy, TerminalId, Timestamp};
use crate::record::Record;
use crate::rules::names::Numbered;

/// How a record contradicts its own clock. A genuine terminal would have said that it doubts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// It lies before this time, which the centre had signed and the record carries.
    Signed(Timestamp),
    /// By the uptime it was made at this time or later, although the centre's answer of this boot agrees.
    Running(Timestamp),
    /// It lies before this, the time of the record before it.
    OwnRecord(Timestamp),
    /// Since a record of this time, in the same boot, it has moved by so much otherwise than the uptime.
    Moved(Timestamp, i64),
    /// Boot, uptime or signed time run backwards.
    Backwards,
    /// The centre's answer had come in this boot, and is forgotten.
    Forgotten,
}

/// A bound that refutes a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// It was made at this time or later.
    NotBefore(Timestamp),
    /// It was made at this time or earlier.
    NotAfter(Timestamp),
}

/// A record whose time is refuted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refuted<T> {
    pub(super) what: T,
    /// What it says.
    pub(super) wall: Timestamp,
    pub(super) bound: Bound,
    /// Ledger index of the record that proves it.
    pub(super) witness: u64,
}

/// What a record says of its own clock, and of those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard<T> {
    /// How it contradicts its own clock, and the ledger index of the record that it contradicts.
    pub(super) against: Option<(Against, u64)>,
    /// Whose time it refutes; its own as well.
    pub(super) refuted: Vec<Refuted<T>>,
    /// The newest time of the centre in the chain so far: it never runs back.
    pub(super) signed: Option<Timestamp>,
}

impl<T> Heard<T> {
    /// Whether there is nothing to tell.
    pub(super) fn is_plain(&self) -> bool {
        self.against.is_none() && self.refuted.is_empty()
    }
}

/// Tells of each terminal once for each day of the centre's time in its chain: the day of arrival would hang
/// on the network, and the terminal's own day is what is in question.
#[derive(Debug, Default)]
pub(super) struct Daily(HashMap<TerminalId, Option<Date>>);

impl Daily {
    /// Whether this is the first of the terminal on the day of this signed time.
    pub(super) fn is_first(&mut self, terminal: &TerminalId, signed: Option<Timestamp>) -> bool {
        let day = signed.map(|signed| signed.shanghai().date());
        self.0.insert(terminal.clone(), day) != Some(day)
    }
}

/// The clocks of all terminals; of each record that may be refuted later, a `T` is remembered.
#[derive(Debug)]
pub(super) struct Clocks<T> {
    terminals: Numbered<Clock<T>>,
}

impl<T> Default for Clocks<T> {
    fn default() -> Self {
        Self { terminals: Numbered::default() }
    }
}

impl<T> Clocks<T> {
    /// Takes in the next record of the terminal that has this number, committed at `committed_at` as entry
    /// `index`. `what` is asked for only if its time can be refuted; `None`: that would not matter.
    pub(super) fn take(
        &mut self,
        (record, terminal): (&Record, u32),
        (index, committed_at): (u64, Timestamp),
        policy: &Policy,
        what: impl FnOnce() -> Option<T>,
    ) -> Heard<T> {
        let margins = Margins::of(policy);
        let clock = self.terminals.of(terminal);
        if record.gap.is_some() {
            // Its storage was damaged: a genuine terminal knows no more of what was before.
            *clock = Clock::default();
        }
        clock.take(&record.clock, index, committed_at, margins, what)
    }
}
