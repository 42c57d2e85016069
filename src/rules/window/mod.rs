//! What rules remember of persons: the newest happenings of each, by their own time.
//!
//! A terminal that was offline delivers late, so a happening is placed among its neighbours by when
//! it happened, not by when it arrived. What is older than the span is forgotten: the span is the
//! profile's longest provable delay, and whatever arrives later has no proven time.

use std::collections::HashMap;

use crate::domain::{PersonId, Policy, Timestamp};

/// Most happenings of one person: a week of four lessons a day, in and out, is 56.
const PERSON_MAX: usize = 64;

/// Most happenings in all: a hundred thousand persons with ten each. Beyond it the span is halved
/// until they fit: rules then see less far back, and nothing else gives way.
const TOTAL_MAX: usize = 1_000_000;

/// How often within a span the window is swept: something is forgotten so much later at most.
const SWEEPS: i64 = 24;

const HOUR_MS: i64 = 3_600_000;

/// One happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen<T> {
    /// When it happened.
    pub(super) at: Timestamp,
    /// Ledger index of the entry that tells of it.
    pub(super) index: u64,
    /// What the rule needs to know of it.
    pub(super) what: T,
}

/// The happenings of all persons.
#[derive(Debug)]
pub(super) struct Window<T> {
    persons: HashMap<PersonId, Vec<Seen<T>>>,
    total: usize,
    total_max: usize,
    swept_at: Timestamp,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self::with_total(TOTAL_MAX)
    }
}

impl<T> Window<T> {
    fn with_total(total_max: usize) -> Self {
        let swept_at = Timestamp::from_ms(0);
        Self { persons: HashMap::new(), total: 0, total_max, swept_at }
    }

    /// The happenings of one person, earliest first.
    pub(super) fn of(&self, person: &PersonId) -> &[Seen<T>] {
        self.persons.get(person).map_or(&[], Vec::as_slice)
    }

    /// Takes in a happening and forgets what is too old at `now`, the centre's time: what lies farther
    /// back than the profile lets a record's time be proven. Hands out the person's happenings, with this
    /// one, earliest first.
    pub(super) fn add(
        &mut self,
        person: PersonId,
        seen: Seen<T>,
        now: Timestamp,
        policy: &Policy,
    ) -> &[Seen<T>] {
        self.add_within(person, seen, now, i64::from(policy.time_bound_hours_max()) * HOUR_MS)
    }

    fn add_within(
        &mut self,
        person: PersonId,
        seen: Seen<T>,
        now: Timestamp,
        mut span_ms: i64,
    ) -> &[Seen<T>] {
        // Everybody is looked at for it: not too often.
        if now.ms_since(self.swept_at) >= (span_ms / SWEEPS).max(HOUR_MS) {
            self.forget_before(now.plus_ms(-span_ms));
            self.swept_at = now;
        }
        while self.total >= self.total_max {
            span_ms /= 2;
            let horizon =
                if span_ms == 0 { Timestamp::from_ms(i64::MAX) } else { now.plus_ms(-span_ms) };
            self.forget_before(horizon);
        }
        let own = self.persons.entry(person).or_default();
        let is_before = |other: &Seen<T>| (other.at, other.index) < (seen.at, seen.index);
        // Mostly it is the newest.
        let place = match own.last() {
            Some(last) if !is_before(last) => own.partition_point(is_before),
            Some(_) | None => own.len(),
        };
        own.insert(place, seen);
        self.total += 1;
        if own.len() > PERSON_MAX {
            own.remove(0);
            self.total -= 1;
        }
        own
    }

    fn forget_before(&mut self, horizon: Timestamp) {
        self.persons.retain(|_, own| {
            let old = own.partition_point(|seen| seen.at < horizon);
            own.drain(..old);
            !own.is_empty()
        });
        self.total = self.persons.values().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests;
