//! Dispatches: what each terminal works by, made from the ledger's facts and the people beside it
//! (docs/spec/dispatch-v1.md, docs/decisions/0021).
//!
//! ```text
//! registry ─► draft: lessons, rosters, suspensions ─► people: names ─► sign, encrypt ─► kept ══► retained
//! ```
//!
//! A dispatch is made anew when what it would say has changed, and once a day: its expiry then moves on.
//! *Durable, then told*: the version that a terminal has seen is never used again.

mod config;
mod draft;
mod kept;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

pub use self::config::Section;
pub use self::draft::{Draft, Window, draft};
pub use self::kept::{Kept, KeptError, Shelf};

use super::enrol::{Notes, NotesError, Roll};
use super::mqtt::Herald;
use super::people::{People, PeopleError, spot_seed};
use super::{Hooks, Store};
use crate::domain::{Committed, PersonId, TerminalId, Timestamp};
use crate::ledger::{self, OpenLedgerError, ReadError};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::platform::telemetry::Chain;
use crate::record::dispatch::{Dispatch, Known, Roster, SealDispatchError, Taught, seal_dispatch};
use crate::record::topic::Channel;
use crate::record::{ReadingPublic, SigningKey};
use crate::registry::Registry;

/// How often it is looked whether something has changed.
const LOOK: Duration = Duration::from_secs(1);

/// Dispatches that are handed to the broker at one look: a thousand terminals are told within a minute,
/// and no more than 5 MiB wait for a slow line.
const PUBLISH_AT_ONCE: usize = 20;

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// A dispatch could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// The notes of enrolment, in which the reading keys stand.
    #[error("could not look up the reading key")]
    Notes(#[from] NotesError),
    /// The people beside the ledger.
    #[error("could not look up the people")]
    People(#[from] PeopleError),
    /// There is too much, or the key is none.
    #[error("could not seal the dispatch")]
    Seal(#[from] SealDispatchError),
    /// The dispatch of before cannot be read, or this one not be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The ledger does not open.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// The ledger cannot be read.
    #[error("could not read the ledger")]
    Read(#[from] ReadError),
}

/// What the ledger says, for drafts. A handle: clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Projection(Arc<Mutex<Registry>>);

impl Projection {
    /// Reads a ledger, whether a collector runs or not.
    pub fn read(store: &Store) -> Result<Self, DispatchError> {
        let projection = Self::default();
        let ledger = store.read_ledger()?;
        let mut next = 0;
        loop {
            let entries = ledger.entries_since(next, READ_ENTRIES)?;
            let Some(last) = entries.last() else { return Ok(projection) };
            next = last.index + 1;
            projection.take(&entries);
        }
    }

    /// Hooks that also feed this projection, before those within.
    pub fn fed_by(&self, hooks: Hooks) -> Hooks {
        let Hooks { mut on_committed, on_status, on_share } = hooks;
        let projection = self.clone();
        let on_committed = Box::new(move |entries: &[ledger::Entry]| {
            projection.take(entries);
            on_committed(entries);
        });
        Hooks { on_committed, on_status, on_share }
    }

    fn take(&self, entries: &[ledger::Entry]) {
        let mut registry = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().for_each(|entry| registry.apply(entry));
    }

    /// Asks the registry something.
    pub fn ask<T>(&self, question: impl FnOnce(&Registry) -> T) -> T {
        question(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn draft(&self, terminal: &TerminalId, window: Window) -> Option<Draft> {
        self.ask(|registry| draft(registry, terminal, window))
    }
}

/// What a dispatcher is made of.
pub struct Parts {
    /// What the ledger says.
    pub projection: Projection,
    /// Which terminals there are, and when anything changed.
    pub roll: Roll,
    /// Their reading keys.
    pub notes: Notes,
    /// Who is who.
    pub people: People,
    /// Where dispatches are kept.
    pub folder: PathBuf,
    /// Signs them.
    pub receipt: SigningKey,
    /// The policy profile in force, the whole file.
    pub policy: String,
    /// How long a dispatch is to be believed, in days.
    pub valid_days: u16,
}

/// Makes dispatches.
pub struct Dispatcher {
    parts: Parts,
    shelf: Shelf,
    /// How many changes the roll and the people had seen, and which day it was, at the last look.
    seen: Option<(u64, i64, Date)>,
    /// Whose newest dispatch the broker was not given yet.
    unpublished: BTreeSet<TerminalId>,
    /// The broker's connection to which all were given.
    connection: Option<u64>,
}

impl Dispatcher {
    /// Makes the folder of dispatches where there is none.
    pub fn new(parts: Parts) -> Result<Self, DispatchError> {
        let shelf = Shelf::open(parts.folder.clone())?;
        let unpublished = BTreeSet::new();
        Ok(Self { parts, shelf, seen: None, unpublished, connection: None })
    }

    /// Makes a dispatch for each terminal for which something has changed. What cannot be made is told
    /// and passed over: one site must not keep all others waiting.
    pub fn look(&mut self, now: Timestamp) -> Result<(), DispatchError> {
        let roll = &self.parts.roll;
        let state = (roll.changes(), self.parts.people.changes()?, now.shanghai().date());
        if self.seen == Some(state) {
            return Ok(());
        }
        for (terminal, standing) in roll.terminals() {
            if standing.revoked.is_some() {
                // What the broker retains for it is taken away, if anything is.
                self.unpublished.insert(terminal);
                continue;
            }
            match self.issue(&terminal, now) {
                Ok(Some(true)) => drop(self.unpublished.insert(terminal)),
                Ok(Some(false) | None) => {}
                Err(error) => {
                    tracing::warn!("Terminal {terminal} gets no new dispatch: {}.", Chain(&error));
                }
            }
        }
        self.seen = Some(state);
        Ok(())
    }

    /// Makes a terminal's dispatch, unless the one that is kept says the same; says whether it is new.
    /// `None` for a terminal without a reading key, or that nobody registered.
    pub fn issue(
        &self,
        terminal: &TerminalId,
        now: Timestamp,
    ) -> Result<Option<bool>, DispatchError> {
        let bound = self.parts.notes.bound(terminal)?;
        let Some(reading) = bound.and_then(|bound| bound.reading.last().copied()) else {
            return Ok(None);
        };
        let window = Window::on(now, self.parts.valid_days);
        let Some(draft) = self.parts.projection.draft(terminal, window) else { return Ok(None) };
        let mut dispatch = self.name(draft, terminal, window)?;
        let digest = self.digest(&dispatch, reading);
        let before = self.shelf.kept(terminal)?;
        if before.as_ref().is_some_and(|kept| kept.digest == digest) {
            return Ok(Some(false));
        }
        // By the clock as well: a folder that was lost does not begin at the bottom again.
        let by_clock = u64::try_from(now.as_ms()).unwrap_or_default();
        let next = before.map_or(1, |kept| kept.version.saturating_add(1));
        dispatch.version = next.max(by_clock);
        dispatch.issued = now;
        let chance = chance::random_bytes();
        let bytes = seal_dispatch(&dispatch, &self.parts.receipt, &reading, chance)?;
        let kept = Kept { version: dispatch.version, digest, bytes };
        // A crash after this line leaves a dispatch that the next start publishes.
        self.shelf.keep(terminal, &kept)?;
        Ok(Some(true))
    }

    /// The newest dispatch of a terminal.
    pub fn kept(&self, terminal: &TerminalId) -> Result<Option<Kept>, DispatchError> {
        Ok(self.shelf.kept(terminal)?)
    }

    /// Lets commitments become people. Whoever was erased is nobody here.
    fn name(
        &self,
        draft: Draft,
        terminal: &TerminalId,
        window: Window,
    ) -> Result<Dispatch, DispatchError> {
        let Draft { site, lessons, rosters, suspensions, orders } = draft;
        let mut known: BTreeMap<PersonId, Known> = BTreeMap::new();
        let mut find = |committed: &Committed| -> Result<Option<PersonId>, DispatchError> {
            let Some(opening) = self.parts.people.behind(committed)? else { return Ok(None) };
            let id = opening.person;
            if let Entry::Vacant(new) = known.entry(id) {
                let Some(name) = self.parts.people.name(id)? else { return Ok(None) };
                let number = self.parts.people.card(id)?;
                new.insert(Known { id, name, number, pin: None });
            }
            Ok(Some(id))
        };
        let mut named = Vec::with_capacity(rosters.len());
        for (class, members) in rosters {
            let mut people = Vec::with_capacity(members.len());
            for member in &members {
                people.extend(find(member)?);
            }
            people.sort_unstable();
            named.push(Roster { class, people });
        }
        let mut taught = Vec::with_capacity(lessons.len());
        for (lesson, teacher) in lessons {
            let teacher = teacher.as_ref().map(&mut find).transpose()?.flatten();
            let crate::domain::Lesson { id, class, starts, ends, .. } = lesson;
            taught.push(Taught { id, class, starts, ends, teacher });
        }
        without_doubles(&mut known);
        Ok(Dispatch {
            terminal: terminal.clone(),
            version: 0,
            issued: Timestamp::default(),
            expires: window.expires,
            site,
            lessons: taught,
            rosters: named,
            people: known.into_values().collect(),
            suspensions,
            policy: self.parts.policy.clone(),
            spot_seed: Some(spot_seed(&self.parts.people.key(), terminal)),
            orders: (!orders.is_empty()).then_some(orders),
        })
    }

    /// What a dispatch says, to whom, and by which key: another one is another dispatch.
    fn digest(&self, dispatch: &Dispatch, reading: ReadingPublic) -> [u8; 32] {
        let said = minicbor::to_vec(dispatch).expect("writing to a vector cannot fail");
        let receipt = self.parts.receipt.verifying_key().to_bytes();
        Sha256::new()
            .chain_update(said)
            .chain_update(reading.0)
            .chain_update(receipt)
            .finalize()
            .into()
    }

    /// Hands the broker what it was not given yet, as far as there is room now.
    fn publish(&mut self, herald: &Herald) -> Result<(), DispatchError> {
        let Some(connection) = herald.connection() else { return Ok(()) };
        if self.connection != Some(connection) {
            // A broker may have lost what it was to retain.
            self.unpublished = self.shelf.terminals()?.into_iter().collect();
            self.connection = Some(connection);
        }
        for _ in 0..PUBLISH_AT_ONCE {
            let Some(terminal) = self.unpublished.first().cloned() else { return Ok(()) };
            if let Some(Kept { bytes, .. }) = self.shelf.kept(&terminal)? {
                let revoked = self.parts.roll.standing(&terminal);
                let revoked = revoked.is_some_and(|standing| standing.revoked.is_some());
                // An empty message is how MQTT takes back what is retained.
                let bytes = if revoked { Vec::new() } else { bytes };
                if !herald.publish_retained(Channel::Dispatch.of(&terminal), bytes) {
                    return Ok(());
                }
                if revoked {
                    self.shelf.forget(&terminal)?;
                }
            }
            self.unpublished.remove(&terminal);
        }
        Ok(())
    }
}

/// A card that two people have names nobody: each of them still comes in by her face or from the list.
fn without_doubles(known: &mut BTreeMap<PersonId, Known>) {
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    for number in known.values().filter_map(|known| known.number.clone()) {
        *held.entry(number).or_default() += 1;
    }
    let double = |number: &String| held.get(number).is_some_and(|held| *held > 1);
    for person in known.values_mut().filter(|known| known.number.as_ref().is_some_and(double)) {
        tracing::warn!(person = ?person.id, "Somebody else has the same card; it is not sent.");
        person.number = None;
    }
}

/// Looks and publishes for ever.
pub async fn serve(dispatcher: Dispatcher, herald: Herald, clock: Arc<dyn Clock>) {
    let mut pace = tokio::time::interval(LOOK);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut dispatcher = dispatcher;
    loop {
        pace.tick().await;
        let (herald, clock) = (herald.clone(), Arc::clone(&clock));
        let looking = spawn_blocking(move || {
            let now = clock.now();
            let looked = dispatcher.look(now).and_then(|()| dispatcher.publish(&herald));
            (dispatcher, looked)
        });
        // An error means that the program is about to end.
        let Ok((back, looked)) = looking.await else { return std::future::pending().await };
        dispatcher = back;
        if let Err(error) = looked {
            tracing::warn!("Could not make or publish dispatches: {}.", Chain(&error));
        }
    }
}

#[cfg(test)]
mod tests;
