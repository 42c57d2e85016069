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

use std::collections::{HashMap, VecDeque};

use jiff::civil::Date;

use crate::domain::{ClockEvidence, ClockQuality, Policy, TerminalId, Timestamp};
use crate::record::Record;

/// Most records of one terminal that wait for what refutes them: a class of sixty in and out, four times a
/// day, at a terminal without a network. Beyond it the oldest are believed.
const WAITING_MAX: usize = 512;

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

/// The profile's numbers, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Margins {
    /// What a terminal may be off without doubting its clock.
    tolerance_ms: i64,
    /// What a clock may be off and its time still be believed.
    wide_ms: i64,
}

impl Margins {
    fn of(policy: &Policy) -> Self {
        let tolerance_ms = i64::from(policy.clock_tolerance_s()) * 1000;
        let wide_ms = tolerance_ms + i64::from(policy.holding_clock_uncertainty_s()) * 1000;
        Self { tolerance_ms, wide_ms }
    }
}

/// A record whose time can still be refuted.
#[derive(Debug)]
struct Waiting<T> {
    what: T,
    wall: Timestamp,
    /// `None`: its boot is over, no beginning of it comes to be known any more.
    uptime_ms: Option<i64>,
    /// Whether no later signed time has followed yet.
    is_open: bool,
}

/// What is known of one boot, and of the record before.
#[derive(Debug)]
struct Clock<T> {
    /// Ledger index of the record before.
    last: u64,
    boot: u64,
    uptime_ms: i64,
    /// The newest time of the centre in the chain.
    signed: Option<Timestamp>,
    /// The boot began then or later, and the record that says so.
    began: Option<(Timestamp, u64)>,
    /// The boot began then or earlier: what was committed was made before.
    began_by: Timestamp,
    /// A record of this boot that is in step with the centre's answer.
    synced: Option<u64>,
    /// The earliest and the latest beginning that clocks without an answer have shown, each with the record's
    /// time.
    shown: Option<[(Timestamp, Timestamp, u64); 2]>,
    /// The last record that did not doubt its clock.
    own: Option<Own>,
    waiting: VecDeque<Waiting<T>>,
}

#[derive(Debug, Clone, Copy)]
struct Own {
    wall: Timestamp,
    boot: u64,
    signed: Option<Timestamp>,
    index: u64,
}

impl<T> Default for Clock<T> {
    fn default() -> Self {
        Self {
            last: 0,
            boot: 0,
            uptime_ms: 0,
            signed: None,
            began: None,
            began_by: Timestamp::from_ms(i64::MAX),
            synced: None,
            shown: None,
            own: None,
            waiting: VecDeque::new(),
        }
    }
}

/// The clocks of all terminals; of each record that may be refuted later, a `T` is remembered.
#[derive(Debug)]
pub(super) struct Clocks<T> {
    terminals: HashMap<TerminalId, Clock<T>>,
}

impl<T> Default for Clocks<T> {
    fn default() -> Self {
        Self { terminals: HashMap::new() }
    }
}

impl<T> Clocks<T> {
    /// Takes in the next record of a terminal, committed at `committed_at` as entry `index`. `what` is asked
    /// for only if its time can be refuted; `None`: that would not matter.
    pub(super) fn take(
        &mut self,
        record: &Record,
        (index, committed_at): (u64, Timestamp),
        policy: &Policy,
        what: impl FnOnce() -> Option<T>,
    ) -> Heard<T> {
        let margins = Margins::of(policy);
        let clock = self.terminals.entry(record.terminal.clone()).or_default();
        if record.gap.is_some() {
            // Its storage was damaged: a genuine terminal knows no more of what was before.
            *clock = Clock::default();
        }
        clock.take(&record.clock, index, committed_at, margins, what)
    }
}

impl<T> Clock<T> {
    fn take(
        &mut self,
        evidence: &ClockEvidence,
        index: u64,
        committed_at: Timestamp,
        margins: Margins,
        what: impl FnOnce() -> Option<T>,
    ) -> Heard<T> {
        let sure = is_sure(evidence);
        let against = if sure { self.against(evidence, index, margins) } else { None };
        if evidence.boot != self.boot {
            self.reboot();
        }
        let began_before = self.began.map(|(began, _)| began);
        let uptime_ms = self.note(evidence, index, committed_at);
        let mut refuted = Vec::new();
        if self.began.map(|(began, _)| began) > began_before {
            self.refute_early(index, margins, &mut refuted);
        }
        if sure {
            let is_later = evidence.signed > self.own.and_then(|own| own.signed);
            if let Some(signed) = evidence.signed.filter(|_| is_later) {
                self.refute_ahead(evidence.wall, signed, index, margins, &mut refuted);
            }
            let ClockEvidence { wall, boot, signed, .. } = *evidence;
            self.own = Some(Own { wall, boot, signed, index });
        }
        // What contradicts itself is told already.
        if sure && against.is_none() {
            refuted.extend(self.wait_or_refute(evidence.wall, uptime_ms, margins, what));
        }
        Heard { against, refuted, signed: self.signed }
    }

    /// How a record that does not doubt its clock contradicts it. The order is that of what is plainest.
    fn against(
        &self,
        evidence: &ClockEvidence,
        index: u64,
        Margins { tolerance_ms, wide_ms }: Margins,
    ) -> Option<(Against, u64)> {
        let ClockEvidence { wall, boot, signed, quality, .. } = *evidence;
        let is_before = |then: Timestamp, by_ms| wall.plus_ms(by_ms) < then;
        if let Some(signed) = signed.filter(|it| is_before(*it, tolerance_ms)) {
            return Some((Against::Signed(signed), index));
        }
        let uptime_ms = ms_of(evidence);
        let same_boot = boot == self.boot;
        if boot < self.boot || same_boot && uptime_ms < self.uptime_ms || signed < self.signed {
            return Some((Against::Backwards, self.last));
        }
        match quality {
            ClockQuality::Synced => {
                let (began, witness) = self.began.filter(|_| same_boot)?;
                let least = began.plus_ms(uptime_ms);
                is_before(least, wide_ms).then_some((Against::Running(least), witness))
            }
            ClockQuality::Holding => {
                if let Some(synced) = self.synced.filter(|_| same_boot) {
                    return Some((Against::Forgotten, synced));
                }
                // A genuine terminal has its last record until the centre has it, and then has a later signed
                // time.
                let has_it = |own: &Own| own.boot == boot || own.signed == signed;
                if let Some(own) = self.own.filter(has_it)
                    && is_before(own.wall, tolerance_ms)
                {
                    return Some((Against::OwnRecord(own.wall), own.index));
                }
                let shown = wall.plus_ms(uptime_ms.saturating_neg());
                let apart_ms =
                    |then: Timestamp| shown.ms_since(then).checked_abs().unwrap_or(i64::MAX);
                let farthest = self.shown.filter(|_| same_boot)?.into_iter();
                let (then, wall, witness) = farthest.max_by_key(|it| apart_ms(it.0))?;
                let by_ms = apart_ms(then);
                // Each may have moved by the tolerance since the boot began.
                (by_ms > 2 * tolerance_ms).then_some((Against::Moved(wall, by_ms), witness))
            }
            ClockQuality::Doubtful => None,
        }
    }

    /// Another boot: no beginning of the one before comes to be known any more.
    fn reboot(&mut self) {
        (self.began, self.synced, self.shown) = (None, None, None);
        self.began_by = Timestamp::from_ms(i64::MAX);
        self.waiting.retain_mut(|it| {
            it.uptime_ms = None;
            it.is_open
        });
    }

    /// What this record says of its boot; its uptime.
    fn note(&mut self, evidence: &ClockEvidence, index: u64, committed_at: Timestamp) -> i64 {
        let uptime_ms = ms_of(evidence);
        let before = |at: Timestamp| at.plus_ms(uptime_ms.saturating_neg());
        (self.last, self.boot, self.uptime_ms) = (index, evidence.boot, uptime_ms);
        self.signed = self.signed.max(evidence.signed);
        self.began_by = self.began_by.min(before(committed_at));
        if let Some(began) = evidence.signed.map(before)
            && self.began.is_none_or(|(known, _)| known < began)
        {
            self.began = Some((began, index));
        }
        match evidence.quality {
            ClockQuality::Synced => self.synced = Some(index),
            ClockQuality::Holding => {
                let this = (before(evidence.wall), evidence.wall, index);
                let [least, most] = self.shown.unwrap_or([this, this]);
                let least = if this.0 < least.0 { this } else { least };
                let most = if most.0 < this.0 { this } else { most };
                self.shown = Some([least, most]);
            }
            ClockQuality::Doubtful => {}
        }
        uptime_ms
    }

    /// The boot began later than was known: whatever of it says an earlier time is refuted.
    fn refute_early(&mut self, witness: u64, margins: Margins, refuted: &mut Vec<Refuted<T>>) {
        let Some((began, _)) = self.began else { return };
        let least = |it: &Waiting<T>| {
            let least = began.plus_ms(it.uptime_ms?);
            (it.wall.plus_ms(margins.wide_ms) < least).then_some(least)
        };
        for place in (0..self.waiting.len()).rev() {
            if let Some(least) = least(&self.waiting[place])
                && let Some(Waiting { what, wall, .. }) = self.waiting.remove(place)
            {
                refuted.push(Refuted { what, wall, bound: Bound::NotBefore(least), witness });
            }
        }
        refuted.reverse();
    }

    /// A later time was signed: whatever waited for it was made by then. Where the clock says that it was made
    /// later, it is refuted if the clock itself has gone back since; else the answer may have been under way.
    fn refute_ahead(
        &mut self,
        now: Timestamp,
        signed: Timestamp,
        witness: u64,
        margins: Margins,
        refuted: &mut Vec<Refuted<T>>,
    ) {
        let most = now.max(signed).plus_ms(margins.wide_ms);
        for _ in 0..self.waiting.len() {
            let Some(mut it) = self.waiting.pop_front() else { return };
            if it.is_open && most < it.wall {
                let Waiting { what, wall, .. } = it;
                refuted.push(Refuted { what, wall, bound: Bound::NotAfter(signed), witness });
                continue;
            }
            it.is_open = false;
            if it.uptime_ms.is_some() {
                self.waiting.push_back(it);
            }
        }
    }

    /// A record's time is refuted by what is known already; or it waits, if something later could refute it.
    fn wait_or_refute(
        &mut self,
        wall: Timestamp,
        uptime_ms: i64,
        margins: Margins,
        what: impl FnOnce() -> Option<T>,
    ) -> Option<Refuted<T>> {
        let least = self.began.map(|(began, witness)| (began.plus_ms(uptime_ms), witness));
        if let Some((least, witness)) = least.filter(|it| wall.plus_ms(margins.wide_ms) < it.0) {
            return Some(Refuted { what: what()?, wall, bound: Bound::NotBefore(least), witness });
        }
        let most = self.began_by.plus_ms(uptime_ms);
        let may_be_early = wall.plus_ms(margins.wide_ms) < most;
        let may_be_ahead = least.is_none_or(|it| it.0.plus_ms(margins.wide_ms) < wall);
        if may_be_early || may_be_ahead {
            let uptime_ms = may_be_early.then_some(uptime_ms);
            self.waiting.push_back(Waiting {
                what: what()?,
                wall,
                uptime_ms,
                is_open: may_be_ahead,
            });
            if self.waiting.len() > WAITING_MAX {
                self.waiting.pop_front();
            }
        }
        None
    }
}

fn is_sure(evidence: &ClockEvidence) -> bool {
    match evidence.quality {
        ClockQuality::Synced | ClockQuality::Holding => true,
        ClockQuality::Doubtful => false,
    }
}

fn ms_of(evidence: &ClockEvidence) -> i64 {
    i64::try_from(evidence.uptime.as_ms()).unwrap_or(i64::MAX)
}
