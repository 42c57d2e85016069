//! The way in: reads all that is stored, believes nothing of it unchecked, and derives where the
//! journal stands.

use std::ops::ControlFlow;
use std::path::Path;

use super::OpenError;
use super::positions::{Place, Positions, Slot};
use super::storage::{self, Damage, Identity, Key, Storage};
use crate::domain::{TerminalId, Timestamp};
use crate::record::{Gap, KeyId, Record};

/// What the stored values say.
pub(super) struct Recovered {
    pub(super) identity: Identity,
    pub(super) positions: Positions,
    pub(super) newest_signed: Option<Timestamp>,
    pub(super) boots: u64,
}

/// Reads and checks the whole storage.
pub(super) fn recover(
    storage: &dyn Storage,
    dir: &Path,
    terminal: &TerminalId,
    own: KeyId,
) -> Result<Recovered, OpenError> {
    let mut reading = Reading::default();
    let mut stopped = None;
    let visit = &mut |key: &[u8], value: &[u8]| match reading.take(dir, (terminal, own), key, value)
    {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            stopped = Some(error);
            ControlFlow::Break(())
        }
    };
    storage
        .scan(&[], visit)
        .map_err(|source| OpenError::Storage { dir: dir.to_owned(), source })?;
    if let Some(error) = stopped {
        return Err(error);
    }
    let Some(identity) = reading.identity else {
        return Err(OpenError::Missing { dir: dir.to_owned() });
    };
    // Its own key, or one that was followed by another which has sealed nothing yet.
    if place_of(&identity, own).is_none_or(|place| place < reading.sealed_by) {
        return Err(foreign(dir, identity, terminal, own));
    }
    let mut positions = reading.positions.unwrap_or_else(|| Positions::starting_at(1));
    for span in reading.spans {
        // The newest record is never pruned, so a release beyond it speaks of records that were
        // stored once and are gone.
        if span.last > positions.standing().appended {
            let what = format!("record {}", span.last);
            return Err(OpenError::Damaged { dir: dir.to_owned(), what, source: Damage::Missing });
        }
        positions.release(span);
    }
    if let Some(gap) = reading.lost {
        if gap.first != positions.next().seq || gap.first > gap.last {
            let what = "the gap to be stated".to_owned();
            return Err(OpenError::Damaged { dir: dir.to_owned(), what, source: Damage::Chain });
        }
        positions.set_aside(gap);
    }
    Ok(Recovered {
        identity,
        positions,
        newest_signed: reading.newest_signed,
        boots: reading.boots,
    })
}

fn foreign(dir: &Path, found: Identity, terminal: &TerminalId, key: KeyId) -> OpenError {
    OpenError::Foreign {
        dir: dir.to_owned(),
        found_terminal: found.terminal,
        found_key: found.key,
        terminal: terminal.clone(),
        key,
    }
}

/// The place of a key among those of a journal, counted from the oldest.
fn place_of(identity: &Identity, key: KeyId) -> Option<usize> {
    let keys = identity.former.iter().chain([&identity.key]);
    keys.enumerate().filter(|(_, known)| **known == key).map(|(place, _)| place).last()
}

#[derive(Default)]
struct Reading {
    identity: Option<Identity>,
    /// The place of the key that sealed the newest record, among the keys of the identity.
    sealed_by: usize,
    boots: u64,
    newest_signed: Option<Timestamp>,
    spans: Vec<storage::Span>,
    positions: Option<Positions>,
    lost: Option<Gap>,
}

impl Reading {
    fn take(
        &mut self,
        dir: &Path,
        (terminal, own): (&TerminalId, KeyId),
        key: &[u8],
        value: &[u8],
    ) -> Result<(), OpenError> {
        let damaged =
            |what: String| move |source| OpenError::Damaged { dir: dir.to_owned(), what, source };
        match Key::decode(key) {
            Some(Key::Boots) => {
                let read = storage::get_boots(value);
                self.boots = read.map_err(damaged("the boot counter".into()))?;
            }
            Some(Key::Freed(first)) => {
                let read = storage::get_span(first, value);
                self.spans.push(read.map_err(damaged(format!("the release of {first}")))?);
            }
            Some(Key::Identity) => {
                let read = storage::get_identity(value);
                let found = read.map_err(damaged("the identity".into()))?;
                if found.terminal != *terminal || place_of(&found, own).is_none() {
                    return Err(foreign(dir, found, terminal, own));
                }
                self.identity = Some(found);
            }
            Some(Key::Gap) => {
                let read = storage::get_gap(value);
                self.lost = Some(read.map_err(damaged("the gap to be stated".into()))?);
            }
            Some(Key::Record(seq)) => {
                self.take_record(terminal, seq, value).map_err(damaged(format!("record {seq}")))?;
            }
            Some(Key::Signed) => {
                let read = storage::get_signed(value);
                self.newest_signed = Some(read.map_err(damaged("the newest signed time".into()))?);
            }
            // Only a repair needs it.
            Some(Key::Used) => {
                let read = storage::get_used(value);
                read.map_err(damaged("the numbers before the last repair".into()))?;
            }
            None => {
                let unknown = Damage::Layout("an unknown key".into());
                return Err(damaged("the folder".into())(unknown));
            }
        }
        Ok(())
    }

    fn take_record(&mut self, terminal: &TerminalId, seq: u64, value: &[u8]) -> Result<(), Damage> {
        let parcel = storage::get_parcel(seq, value)?;
        let (record, key) = Record::peek(parcel.sealed.bytes()).map_err(Damage::Record)?;
        let place = self.identity.as_ref().and_then(|identity| place_of(identity, key));
        // Without an identity nothing is believed of the journal at all: that is told at the end.
        let place = if self.identity.is_some() { place } else { Some(self.sealed_by) };
        let in_turn = place.filter(|place| *place >= self.sealed_by);
        if record.seq != seq || record.terminal != *terminal {
            return Err(Damage::Chain);
        }
        self.sealed_by = in_turn.ok_or(Damage::Chain)?;
        // The first record that is kept has no neighbour to be checked against, unless it is the
        // first of all: the one before it was pruned.
        let oldest = self.positions.is_none();
        let positions = self.positions.get_or_insert_with(|| Positions::starting_at(seq.max(1)));
        let next = positions.next();
        let expected = match record.gap {
            _ if oldest && seq > 1 => Slot { seq, prev: record.prev, gap: None },
            Some(gap) if gap.first == next.seq => {
                positions.pass_over(gap);
                Slot { seq: gap.last.saturating_add(1), ..next }
            }
            Some(_) | None => next,
        };
        if record.seq != expected.seq {
            return Err(Damage::Missing);
        }
        if record.prev != expected.prev {
            return Err(Damage::Chain);
        }
        let bytes = value.len() as u64;
        positions.append(Place { hash: parcel.sealed.hash(), bytes });
        Ok(())
    }
}
