//! What one receiver has been told, what is being tried, and what was given up: small, whole in one file, and
//! changed by pure steps. What is still to be told is not kept here: it lies in the ledger and among the
//! anomalies, behind the two numbers that stand here.
//!
//! One message at a time, in order. A receiver that is away makes the next ones wait, not disappear; one
//! message that it refuses for good is put aside at once, and stops nobody.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// Pauses between the tries of one message, in seconds: from a hiccup to an outage of some hours.
const PAUSES_S: [i64; 7] = [5, 30, 120, 600, 1_800, 3_600, 7_200];

/// Most tries of one message: about four hours.
pub const ATTEMPTS_MAX: u32 = 8;

/// Most messages that are kept after they were given up; the oldest give way.
pub(super) const DEAD_MAX: usize = 1_000;

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The anomaly of this number.
    Anomaly(u64),
    /// The step that this entry of the ledger states.
    Step(u64),
}

/// How one try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The receiver has it.
    Delivered,
    /// There was nothing to tell: put off, too slight, or gone.
    Nothing,
    /// Perhaps later.
    Later(String),
    /// Never: it was refused for good.
    Never(String),
}

/// A message that is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trying {
    /// Which.
    pub item: Item,
    /// Its id.
    pub id: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due: Timestamp,
    /// Why it did not go the last time.
    pub why: String,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// Which.
    pub item: Item,
    /// Its id.
    pub id: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// See the head of this file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Anomalies up to this number are done with.
    pub anomalies: u64,
    /// Steps in entries before this index are done with.
    pub steps: u64,
    /// How many messages were delivered.
    pub delivered: u64,
    /// What is being tried.
    pub trying: Option<Trying>,
    /// What somebody wants tried once more, before anything new.
    pub again: VecDeque<Item>,
    /// What was given up, the oldest first.
    pub dead: Vec<Dead>,
}

impl Outbox {
    /// For a receiver that hears of what comes after these.
    pub fn beginning_after(anomalies: u64, steps: u64) -> Self {
        Self { anomalies, steps, ..Self::default() }
    }

    /// Whether something waits for its next try.
    pub fn is_waiting(&self, now: Timestamp) -> bool {
        self.trying.as_ref().is_some_and(|trying| trying.due > now)
    }

    /// What comes before anything new.
    pub fn next(&self) -> Option<Item> {
        self.trying.as_ref().map(|trying| trying.item).or_else(|| self.again.front().copied())
    }

    /// Takes note of how a try ended. `dice`: any number, for the random part of a pause.
    pub fn settle(&mut self, item: Item, id: &str, ended: Ended, now: Timestamp, dice: u64) {
        let before = self.trying.take().filter(|trying| trying.item == item);
        let attempts = before.map_or(0, |trying| trying.attempts) + 1;
        let (id, at) = (id.to_owned(), now);
        match ended {
            Ended::Delivered => self.delivered += 1,
            Ended::Nothing => {}
            Ended::Later(why) if attempts < ATTEMPTS_MAX => {
                let due = now.plus_ms(pause_ms(attempts, dice));
                self.trying = Some(Trying { item, id, attempts, due, why });
                return;
            }
            Ended::Later(why) | Ended::Never(why) => {
                if self.dead.len() >= DEAD_MAX {
                    self.dead.remove(0);
                }
                self.dead.push(Dead { item, id, attempts, at, why });
            }
        }
        if self.again.front() == Some(&item) {
            self.again.pop_front();
        }
        match item {
            Item::Anomaly(number) => self.anomalies = self.anomalies.max(number),
            Item::Step(index) => self.steps = self.steps.max(index + 1),
        }
    }

    /// Has what was given up tried once more: the one of this id, or all. How many there were.
    pub fn revive(&mut self, id: Option<&str>) -> usize {
        let before = self.again.len();
        let wanted = |dead: &Dead| id.is_none_or(|id| dead.id == id);
        self.again.extend(self.dead.iter().filter(|dead| wanted(dead)).map(|dead| dead.item));
        self.dead.retain(|dead| !wanted(dead));
        self.again.len() - before
    }
}

/// How long to wait after so many tries: three quarters to five quarters of the pause, so that a hundred
/// messages of a hundred senders do not come back at the same moment.
pub fn pause_ms(attempts: u32, dice: u64) -> i64 {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause_s = PAUSES_S.get(place).or(PAUSES_S.last()).copied().unwrap_or(0);
    let permille = i64::try_from(dice % 501).unwrap_or(0) + 750;
    pause_s * permille
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Item = Item::Anomaly(1);

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn later() -> Ended {
        Ended::Later("503".into())
    }

    #[test]
    fn pauses_grow_and_vary_by_a_quarter() {
        let ends = |attempts| (pause_ms(attempts, 0), pause_ms(attempts, 500));
        assert_eq!(ends(1), (3_750, 6_250));
        assert_eq!(ends(2), (22_500, 37_500));
        assert_eq!(ends(7), (5_400_000, 9_000_000));
        assert_eq!(ends(70), ends(7));
        assert_eq!(pause_ms(1, 501), pause_ms(1, 0), "any number is a throw");
    }

    #[test]
    fn what_fails_is_tried_again_until_it_goes_and_then_the_next_one_comes() {
        let mut outbox = Outbox::default();
        outbox.settle(ONE, "a", later(), at(0), 250);
        assert!(outbox.is_waiting(at(4)) && !outbox.is_waiting(at(5)));
        assert_eq!((outbox.next(), outbox.anomalies), (Some(ONE), 0), "it is not done with");
        outbox.settle(ONE, "a", Ended::Delivered, at(5), 250);
        assert_eq!((outbox.next(), outbox.anomalies, outbox.delivered), (None, 1, 1));
        outbox.settle(Item::Step(41), "b", Ended::Nothing, at(6), 250);
        assert_eq!((outbox.steps, outbox.delivered), (42, 1));
    }

    #[test]
    fn after_eight_tries_or_a_refusal_it_is_given_up_and_stops_nobody() {
        let mut outbox = Outbox::default();
        let mut now = at(0);
        for _ in 0..ATTEMPTS_MAX {
            assert!(!outbox.is_waiting(now));
            outbox.settle(ONE, "a", later(), now, 500);
            now = outbox.trying.as_ref().map_or(now, |trying| trying.due);
        }
        assert!(now > at(4 * 3_600), "it was tried for hours: {now:?}");
        assert_eq!((outbox.next(), outbox.anomalies), (None, 1));
        outbox.settle(Item::Anomaly(2), "b", Ended::Never("410".into()), now, 0);
        let dead: Vec<_> = outbox.dead.iter().map(|it| (it.id.as_str(), it.attempts)).collect();
        assert_eq!(dead, [("a", 8), ("b", 1)]);
        assert_eq!((outbox.anomalies, outbox.delivered), (2, 0));
    }

    #[test]
    fn what_was_given_up_can_be_tried_once_more_before_anything_new() {
        let mut outbox = Outbox::beginning_after(7, 0);
        for (number, id) in [(8, "a"), (9, "b")] {
            outbox.settle(Item::Anomaly(number), id, Ended::Never("400".into()), at(0), 0);
        }
        assert_eq!(outbox.revive(Some("b")), 1);
        assert_eq!((outbox.next(), outbox.dead.len()), (Some(Item::Anomaly(9)), 1));
        outbox.settle(Item::Anomaly(9), "b", later(), at(1), 0);
        assert_eq!(outbox.next(), Some(Item::Anomaly(9)), "it fails: it waits like any other");
        outbox.settle(Item::Anomaly(9), "b", Ended::Delivered, at(9), 0);
        assert_eq!((outbox.next(), outbox.anomalies), (None, 9));
        assert_eq!((outbox.revive(Some("b")), outbox.revive(None)), (0, 1));
    }

    #[test]
    fn no_more_than_a_thousand_dead_are_kept() {
        let mut outbox = Outbox::default();
        for number in 1..=1_005 {
            let item = Item::Anomaly(number);
            outbox.settle(item, &number.to_string(), Ended::Never("400".into()), at(0), 0);
        }
        assert_eq!((outbox.dead.len(), outbox.dead[0].id.as_str()), (DEAD_MAX, "6"));
    }
}
