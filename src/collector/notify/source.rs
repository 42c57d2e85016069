//! Where what is to be told comes from: the judged side of a running collector.

use super::message::{Message, Writer};
use super::outbox::Item;
use crate::cases::ReadError;
use crate::collector::Watch;
use crate::domain::{PersonId, Timestamp};

/// What is to be told.
pub trait Source: Send + Sync {
    /// The number of the newest anomaly, and the index behind the newest step.
    fn newest(&self) -> (u64, u64);
    /// The first item behind these; anomalies come before steps.
    fn after(&self, anomalies: u64, steps: u64) -> Result<Option<Item>, ReadError>;
    /// What is told of an item; `None`: nothing, now.
    fn message(&self, item: Item, now: Timestamp) -> Result<Option<Message>, ReadError>;
}

/// See [`Source`].
pub struct Telling {
    /// Anomalies, steps and cases.
    pub watch: Watch,
    /// Names the ledger.
    pub origin: String,
}

impl Source for Telling {
    fn newest(&self) -> (u64, u64) {
        self.watch.ask(|book, _| {
            let steps = book.steps().last().map_or(0, |stated| stated.index + 1);
            (book.newest(), steps)
        })
    }

    fn after(&self, anomalies: u64, steps: u64) -> Result<Option<Item>, ReadError> {
        let (newest, step) = self.watch.ask(|book, _| {
            let first = book.steps().partition_point(|stated| stated.index < steps);
            (book.newest(), book.steps().get(first).map(|stated| stated.index))
        });
        if newest > anomalies
            && let Some(found) = self.watch.found_after(anomalies, 1)?.first()
        {
            return Ok(Some(Item::Anomaly(found.number)));
        }
        Ok(step.map(Item::Step))
    }

    fn message(&self, item: Item, now: Timestamp) -> Result<Option<Message>, ReadError> {
        let found = match item {
            Item::Anomaly(number) => {
                let found = self.watch.found_after(number.saturating_sub(1), 1)?;
                found.into_iter().next().filter(|found| found.number == number)
            }
            Item::Step(_) => None,
        };
        Ok(self.watch.ask(|book, announcer| {
            let step = match item {
                Item::Step(index) => {
                    let place = book.steps().binary_search_by_key(&index, |stated| stated.index);
                    place.ok().and_then(|place| book.steps().get(place)).cloned()
                }
                Item::Anomaly(_) => None,
            };
            let called = |person: &PersonId| announcer.names().of(person);
            let writer = Writer {
                origin: &self.origin,
                gathered: book.gathered(),
                registry: announcer.registry(),
                called: &called,
                now,
            };
            let anomaly = found.and_then(|found| writer.anomaly(&found));
            anomaly.or_else(|| step.and_then(|step| writer.step(&step)))
        }))
    }
}
