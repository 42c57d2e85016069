//! Tells others of anomalies and cases: at the broker, by region and severity, and as signed webhooks
//! (docs/spec/notifications-v1.md, docs/decisions/0031).
//!
//! ```text
//! anomalies by number ─┐
//!                      ├─► next item ─► message ─► channel ─► how it ended ─► outbox (a file)
//! steps by entry      ─┘
//! ```
//!
//! What is to be told lies in the ledger and among the anomalies already; a receiver's outbox holds no more
//! than how far it has been told. So nothing is lost by a crash, and a message whose end was not noted is sent
//! once more, under the same id.

mod channel;
mod config;
mod files;
mod http;
mod message;
mod outbox;
mod signature;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use channel::{Channel, Topics, answered};
pub use config::{Section, WebhookSection};
pub use files::{Again, Shelf, ShelfError};
pub use http::Webhook;
pub use message::{Message, Writer};
pub use outbox::{ATTEMPTS_MAX, Dead, Ended, Item, Outbox, Trying, pause_ms};
pub use signature::Secret;
pub use source::{Source, Telling};

use crate::cases::ReadError;
use crate::domain::{Severity, Timestamp};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;

/// How often it is looked for something to tell.
const LOOK: Duration = Duration::from_millis(500);

/// Messages of one look: whoever has much to hear still ends when the collector does.
const AT_ONCE: usize = 100;

/// A receiver could not be told anything now.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// What was told cannot be kept.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// What is to be told cannot be read.
    #[error("could not read what is to be told")]
    Read(#[from] ReadError),
}

/// Tells one receiver.
pub struct Teller {
    /// Its name.
    pub name: String,
    /// What is less severe is not told.
    pub severity_min: Severity,
    source: Arc<dyn Source>,
    channel: Box<dyn Channel>,
    shelf: Shelf,
    outbox: Outbox,
}

impl Teller {
    /// Takes up where it ended. A receiver that is new hears of what comes from now on.
    pub fn open(
        name: &str,
        severity_min: Severity,
        source: Arc<dyn Source>,
        channel: Box<dyn Channel>,
        shelf: Shelf,
    ) -> Result<Self, ShelfError> {
        let (anomalies, steps) = source.newest();
        let outbox = match shelf.read(name)? {
            Some(mut outbox) => {
                // The store was made anew: its numbers begin again. Who was told knows it by the id.
                if outbox.anomalies > anomalies {
                    outbox.anomalies = 0;
                }
                outbox
            }
            None => {
                let outbox = Outbox::beginning_after(anomalies, steps);
                shelf.write(name, &outbox)?;
                outbox
            }
        };
        Ok(Self { name: name.to_owned(), severity_min, source, channel, shelf, outbox })
    }

    /// Tells what there is to tell, until something has to wait. How it ended is durable before the next
    /// message goes. `dice` gives any numbers.
    pub fn look(&mut self, now: Timestamp, mut dice: impl FnMut() -> u64) -> Result<(), TellError> {
        self.revive()?;
        let mut changed = false;
        for _ in 0..AT_ONCE {
            if self.outbox.is_waiting(now) {
                break;
            }
            let item = match self.outbox.next() {
                Some(item) => item,
                None => match self.source.after(self.outbox.anomalies, self.outbox.steps)? {
                    Some(item) => item,
                    None => break,
                },
            };
            let message = self.source.message(item, now)?;
            let message = message.filter(|message| message.severity >= self.severity_min);
            let Some(message) = message else {
                // Made again after a crash, so it need not be durable at once.
                self.outbox.settle(item, "", Ended::Nothing, now, 0);
                changed = true;
                continue;
            };
            let ended = self.channel.send(&message, now);
            if let Ended::Later(why) | Ended::Never(why) = &ended {
                tracing::warn!("Could not tell {} of {}: {why}.", self.name, message.id);
            }
            self.outbox.settle(item, &message.id, ended, now, dice());
            self.shelf.write(&self.name, &self.outbox)?;
            changed = false;
        }
        if changed {
            self.shelf.write(&self.name, &self.outbox)?;
        }
        Ok(())
    }

    /// Takes up what somebody wants tried once more.
    fn revive(&mut self) -> Result<(), ShelfError> {
        for (wish, again) in self.shelf.wishes()? {
            if again.receiver == self.name {
                self.outbox.revive(again.id.as_deref());
                self.shelf.write(&self.name, &self.outbox)?;
                self.shelf.forget(&wish)?;
            }
        }
        Ok(())
    }

    /// Where it stands.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

/// Tellers at work, a thread for each: one that waits for its receiver keeps nobody else waiting.
#[derive(Debug)]
pub struct Running(Vec<(SyncSender<()>, JoinHandle<()>)>);

/// Sets tellers to work.
pub fn start(tellers: Vec<Teller>, clock: &Arc<dyn Clock>) -> std::io::Result<Running> {
    let work = |mut teller: Teller| {
        // Nothing is ever sent: its end is the sign.
        let (stop, stopped) = sync_channel(1);
        let clock = Arc::clone(clock);
        let worker =
            thread::Builder::new().name(format!("notify-{}", teller.name)).spawn(move || {
                let dice = || u64::from_be_bytes(chance::random_bytes());
                while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = teller.look(clock.now(), dice) {
                        tracing::warn!("Could not tell {}: {}.", teller.name, Chain(&error));
                    }
                }
            })?;
        Ok((stop, worker))
    };
    tellers.into_iter().map(work).collect::<std::io::Result<_>>().map(Running)
}

impl Running {
    /// Ends them: each finishes the message that it is sending.
    pub fn stop(self) {
        let (stops, workers): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        drop(stops);
        // A worker that panicked has told so; what it did not note is told again.
        workers.into_iter().for_each(|worker| drop(worker.join()));
    }
}
