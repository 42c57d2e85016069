//! The clock of one terminal, as its chain tells of it.

use std::collections::VecDeque;

use super::{Against, Bound, Heard, Refuted};
use crate::domain::{ClockEvidence, ClockQuality, Policy, Timestamp};

/// Most records of one terminal that wait for what refutes them: a class of sixty in and out, four times a
/// day, at a terminal without a network. Beyond it the oldest are believed.
const WAITING_MAX: usize = 512;

/// The profile's numbers, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Margins {
    /// What a terminal may be off without doubting its clock.
    tolerance_ms: i64,
    /// What a clock may be off and its time still be believed.
    wide_ms: i64,
}

impl Margins {
    pub(super) fn of(policy: &Policy) -> Self {
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

/// What is known of its newest boot, and of the record before.
#[derive(Debug)]
pub(super) struct Clock<T> {
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

impl<T> Clock<T> {
    /// Takes in its next record, see [`super::Clocks::take`].
    pub(super) fn take(
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
        // A time that the centre has not reached yet is made up.
        let signed = self.signed.map(|signed| signed.min(committed_at));
        Heard { against, refuted, signed }
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
