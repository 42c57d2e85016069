//! The way in: reads all that is stored, believes nothing of it unchecked, and derives where the
//! journal stands.

use std::ops::ControlFlow;
use std::path::Path;

use super::OpenError;
use super::positions::{Place, Positions, Slot};
use super::storage::{self, Damage, Identity, Key, Storage};
use crate::domain::Timestamp;
use crate::record::{Gap, Record};

/// What the stored values say.
pub(super) struct Recovered {
    pub(super) positions: Positions,
    pub(super) newest_signed: Option<Timestamp>,
    pub(super) boots: u64,
}

/// Reads and checks the whole storage.
pub(super) fn recover(
    storage: &dyn Storage,
    dir: &Path,
    identity: &Identity,
) -> Result<Recovered, OpenError> {
    let mut reading = Reading::default();
    let mut stopped = None;
    let visit = &mut |key: &[u8], value: &[u8]| match reading.take(dir, identity, key, value) {
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
    if !reading.identified {
        return Err(OpenError::Missing { dir: dir.to_owned() });
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
    Ok(Recovered { positions, newest_signed: reading.newest_signed, boots: reading.boots })
}

#[derive(Default)]
struct Reading {
    identified: bool,
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
        identity: &Identity,
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
                if found != *identity {
                    return Err(OpenError::Foreign {
                        dir: dir.to_owned(),
                        found_terminal: found.terminal,
                        found_key: found.key,
                        terminal: identity.terminal.clone(),
                        key: identity.key,
                    });
                }
                self.identified = true;
            }
            Some(Key::Gap) => {
                let read = storage::get_gap(value);
                self.lost = Some(read.map_err(damaged("the gap to be stated".into()))?);
            }
            Some(Key::Record(seq)) => {
                self.take_record(identity, seq, value).map_err(damaged(format!("record {seq}")))?;
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

    fn take_record(&mut self, identity: &Identity, seq: u64, value: &[u8]) -> Result<(), Damage> {
        let parcel = storage::get_parcel(seq, value)?;
        let (record, key) = Record::peek(parcel.sealed.bytes()).map_err(Damage::Record)?;
        if record.seq != seq || record.terminal != identity.terminal || key != identity.key {
            return Err(Damage::Chain);
        }
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
