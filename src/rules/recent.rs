//! What rules remember of each person over many lessons: something small, for as long as she comes.
//! Bounded by the people who were seen within the span.

use std::collections::HashMap;

use crate::domain::{PersonId, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// Whoever has not been seen for so long is forgotten: a class that meets on weekends, with a holiday
/// between, still goes on.
const SPAN_MS: i64 = 35 * DAY_MS;

/// Something about each person who was seen lately. What is late is told by what was seen, not by the
/// centre's time: whoever delivers late is not forgotten sooner.
#[derive(Debug)]
pub(super) struct Recent<T> {
    persons: HashMap<PersonId, (Timestamp, T)>,
    newest: Timestamp,
    swept_at: Timestamp,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        let never = Timestamp::default();
        Self { persons: HashMap::new(), newest: never, swept_at: never }
    }
}

impl<T: Default> Recent<T> {
    /// What is remembered of a person who was seen at `at`.
    pub(super) fn of(&mut self, person: PersonId, at: Timestamp) -> &mut T {
        self.within(person, at, SPAN_MS)
    }

    /// The same, looking back otherwise than the usual span.
    pub(super) fn within(&mut self, person: PersonId, at: Timestamp, span_ms: i64) -> &mut T {
        self.newest = self.newest.max(at);
        if self.newest.ms_since(self.swept_at) >= DAY_MS {
            let horizon = self.newest.plus_ms(-span_ms);
            self.persons.retain(|_, (seen, _)| *seen >= horizon);
            self.swept_at = self.newest;
        }
        let (seen, it) = self.persons.entry(person).or_default();
        *seen = (*seen).max(at);
        it
    }
}

/// Happenings of the last days, by their own time.
#[derive(Debug, Clone)]
pub(super) struct Days<T>(Vec<(Timestamp, T)>);

impl<T> Default for Days<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Days<T> {
    /// Takes in one and forgets what lies more than `days` before the newest.
    pub(super) fn add(&mut self, at: Timestamp, what: T, days: i64) {
        // Mostly it is the newest.
        let place = match self.0.last() {
            Some((last, _)) if at < *last => self.0.partition_point(|(other, _)| *other <= at),
            Some(_) | None => self.0.len(),
        };
        self.0.insert(place, (at, what));
        let Some((newest, _)) = self.0.last() else { return };
        let horizon = newest.plus_ms(-days * DAY_MS);
        if self.0.first().is_some_and(|(at, _)| *at <= horizon) {
            let old = self.0.partition_point(|(at, _)| *at <= horizon);
            self.0.drain(..old);
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Timestamp, T)> + Clone {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
