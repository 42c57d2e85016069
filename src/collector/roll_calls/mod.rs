//! Roll calls that somebody who supervises orders live, in a lesson that is under way (Sichuan 2025, 九:
//! 远程实时监管; docs/decisions/0023).
//!
//! ```text
//! wish (a file) ─► judge ─► fact ─► dispatch ══► terminal ══► roll_called, presence, presence …
//!                                                                 └─► protocol: who was seen
//! ```
//!
//! Whoever may write into the collector's folder may order. Nothing but the ledger says what was ordered
//! and what came of it.

mod files;
mod judge;
mod protocol;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

pub use files::{Wish, Wishes};
pub use judge::{Denied, judge};
pub use protocol::{Answer, Protocol, Seen};

use super::dispatch::Projection;
use super::wishes::FolderError;
use super::{StateError, Stater};
use crate::domain::{Fact, Timestamp};
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;

/// How often it is looked for wishes.
const LOOK: Duration = Duration::from_millis(500);

/// A wish could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Its file.
    #[error(transparent)]
    Wishes(#[from] FolderError),
    /// Its fact.
    #[error("could not state that a roll call was ordered")]
    State(#[from] StateError),
}

/// States what was wished, while a collector runs.
pub struct Orders {
    /// What the ledger says.
    pub projection: Projection,
    /// The wishes.
    pub wishes: Wishes,
    /// Minutes where a wish names none.
    pub minutes: u32,
    /// States facts.
    pub stater: Stater,
}

impl Orders {
    /// Looks for wishes, states each that may be, and removes it. One that was stated before a crash is not
    /// stated again.
    pub fn look(&self, now: Timestamp) -> Result<(), OrderError> {
        for wish in self.wishes.all()? {
            let judged = self.projection.ask(|registry| {
                let orders = registry.roll_orders(&wish.terminal);
                let stated = orders.iter().any(|it| it.order.order == wish.order);
                (!stated).then(|| judge(registry, &wish, self.minutes, now))
            });
            match judged {
                Some(Ok(order)) => drop(self.stater.state(vec![Fact::RollOrdered(order)])?),
                Some(Err(denied)) => {
                    tracing::warn!("Passed over an order to call the roll: {}.", Chain(&denied));
                }
                None => {}
            }
            self.wishes.forget(&wish)?;
        }
        Ok(())
    }
}

/// Looks for ever.
pub async fn serve(orders: Orders, clock: Arc<dyn Clock>) {
    let orders = Arc::new(orders);
    let mut pace = tokio::time::interval(LOOK);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let (orders, clock) = (Arc::clone(&orders), Arc::clone(&clock));
        match spawn_blocking(move || orders.look(clock.now())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("Could not order a roll call: {}.", Chain(&error)),
            // The program is about to end.
            Err(_) => return std::future::pending().await,
        }
    }
}
