//! The terminal's durable buffer of sealed records.
//!
//! What it promises:
//! - **Green means durable.** When [`Journal::append_durably`] returns `Ok`, the record is on
//!   stable storage.
//! - **Freed means received.** A record is released only by a receipt of the centre that names the
//!   hash which this journal holds itself. Released is not forgotten: the record stays
//!   re-sendable for some days, so that a centre restored from an older backup heals.
//! - **Full means red.** At its bound it refuses ([`AppendError::Full`]). Nothing that is not
//!   released ever makes room for anything.
//!
//! Recovery is the normal way in: [`Journal::open`] reads every stored record, checks it, and
//! derives from the records alone what the next sequence number and previous hash are. There is
//! no mark of a clean shutdown, and nothing is created silently: a missing journal is an error,
//! [`Journal::init`] makes a new one on purpose.
//!
//! `positions.rs` holds the arithmetic, `storage.rs` the port with the layout of keys and values,
//! `recovery.rs` the way in. Beneath them `log.rs` keeps the pairs in an append-only log of two
//! copies, whose bytes are in `frame.rs`; `survey.rs` says what of it stands, and `disk.rs` is what it
//! needs of a folder (all pure); `files.rs` is the one adapter. `inspect.rs` checks, exports and repairs
//! the journal of a terminal that stands still; `salvage.rs` decides what a repair makes of it.

mod config;
mod disk;
mod error;
mod files;
mod frame;
mod inspect;
mod log;
mod positions;
mod recovery;
mod salvage;
mod storage;
mod survey;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

pub use self::config::Section;
pub use self::disk::Disk;
pub use self::error::{AppendError, InitError, NoteError, OpenError, ReleaseError, ReplayError};
pub use self::inspect::{
    Findings, InspectError, RepairError, Repaired, check, export, repair, repair_on,
};
pub use self::log::Log;
pub use self::positions::{Bounds, Freed, Slot, Standing};
pub use self::storage::{Damage, Storage, StorageError, Visit, Write};
pub use self::survey::{Flaw, Loss};

use self::positions::{Place, Positions};
use self::recovery::Recovered;
use self::storage::{Identity, Key};
use crate::domain::{TerminalId, Timestamp};
use crate::record::{KeyId, Parcel, Receipt, Record};

/// The durable buffer of one terminal. Shared by the stage that appends and the stage that offers;
/// every durable change goes through one lock, one after the other.
pub struct Journal {
    storage: Box<dyn Storage>,
    identity: Identity,
    /// Seals what is appended.
    key: KeyId,
    bounds: Bounds,
    boot: u64,
    state: Mutex<State>,
    standing: watch::Sender<Standing>,
}

struct State {
    // kept_from - 1 ≤ released ≤ appended here; the link adds released ≤ offered ≤ appended.
    positions: Positions,
    newest_signed: Option<Timestamp>,
    /// Set by the first failed write. After it nothing is known about what is on the disk: the
    /// kernel may have dropped the dirty pages of a failed sync and report the next one as good.
    /// Going on could show green for a record that is not there, so every later change is refused
    /// until the process has ended and recovery has looked at what is really stored.
    failed: bool,
}

impl Journal {
    /// Makes a new, empty journal in `dir` for one terminal and key. Refuses a folder that holds
    /// one already.
    pub fn init(dir: &Path, terminal: &TerminalId, key: KeyId) -> Result<(), InitError> {
        let failed = |source| match source {
            StorageError::Exists | StorageError::Lost(_) => {
                InitError::Exists { dir: dir.to_owned() }
            }
            StorageError::Missing
            | StorageError::Busy
            | StorageError::Unknown { .. }
            | StorageError::Io(_) => InitError::Storage { dir: dir.to_owned(), source },
        };
        let log = files::lock(dir).and_then(Log::open).map_err(failed)?;
        // A crash between the two steps of making a journal leaves an empty log: go on with it.
        if !log.is_empty() {
            return Err(failed(StorageError::Exists));
        }
        Self::init_on(&log, dir, terminal, key)
    }

    /// Makes a journal on an empty storage; `dir` only names it in errors.
    pub fn init_on(
        storage: &dyn Storage,
        dir: &Path,
        terminal: &TerminalId,
        key: KeyId,
    ) -> Result<(), InitError> {
        let identity = Identity { terminal: terminal.clone(), key, former: Vec::new() };
        // A crash before this leaves a log without identity: `open` calls it missing, and a second
        // `init` goes on from there.
        storage
            .write_durably(&[storage::put_identity(&identity)])
            .map_err(|source| InitError::Storage { dir: dir.to_owned(), source })
    }

    /// Opens the journal in `dir`, checks all that it holds, and counts this boot.
    pub fn open(
        dir: &Path,
        terminal: &TerminalId,
        key: KeyId,
        bounds: Bounds,
    ) -> Result<Self, OpenError> {
        if !files::exists(dir) {
            return Err(OpenError::Missing { dir: dir.to_owned() });
        }
        let log = files::lock(dir).and_then(Log::open);
        let log = log.map_err(|source| OpenError::of(dir, source))?;
        Self::open_on(Box::new(log), dir, terminal, key, bounds)
    }

    /// Opens a journal on any storage; `dir` only names it in errors.
    pub fn open_on(
        storage: Box<dyn Storage>,
        dir: &Path,
        terminal: &TerminalId,
        key: KeyId,
        bounds: Bounds,
    ) -> Result<Self, OpenError> {
        let Recovered { identity, positions, newest_signed, boots } =
            recovery::recover(storage.as_ref(), dir, terminal, key)?;
        let boot = boots.saturating_add(1);
        // A crash here counts a boot that took no record: harmless, numbers only have to differ.
        storage
            .write_durably(&[storage::put_boots(boot)])
            .map_err(|source| OpenError::Storage { dir: dir.to_owned(), source })?;
        let standing = watch::Sender::new(positions.standing());
        let state = Mutex::new(State { positions, newest_signed, failed: false });
        Ok(Self { storage, identity, key, bounds, boot, state, standing })
    }

    /// Number of this boot, counted from 1.
    pub fn boot(&self) -> u64 {
        self.boot
    }

    /// Whose journal this is.
    pub fn terminal(&self) -> &TerminalId {
        &self.identity.terminal
    }

    /// What the next record must carry.
    pub fn next(&self) -> Slot {
        self.lock().positions.next()
    }

    /// Where the journal stands now.
    pub fn standing(&self) -> Standing {
        self.lock().positions.standing()
    }

    /// What is taken of the bound that will be reached first, in percent.
    pub fn full_percent(&self) -> u8 {
        self.lock().positions.full_percent(&self.bounds)
    }

    /// Follows where the journal stands; a change is announced after it is durable.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Sequence numbers beyond [`Standing::released`] that are released already.
    pub fn freed_ahead(&self) -> Vec<u64> {
        self.lock().positions.freed_ahead()
    }

    /// The newest collector time that this terminal holds with a valid signature.
    pub fn newest_signed_time(&self) -> Option<Timestamp> {
        self.lock().newest_signed
    }

    /// Appends the record that fills [`Journal::next`]. On `Ok` it is on stable storage.
    pub fn append_durably(&self, parcel: &Parcel) -> Result<Slot, AppendError> {
        let (record, key) = Record::peek(parcel.sealed.bytes())
            .map_err(|source| AppendError::Unreadable { source })?;
        if record.terminal != self.identity.terminal || key != self.key {
            return Err(AppendError::Foreign { terminal: record.terminal, key });
        }
        let write = storage::put_parcel(record.seq, parcel);
        let place = Place { hash: parcel.sealed.hash(), bytes: write.bytes() };

        let mut state = self.lock();
        if state.failed {
            return Err(AppendError::Failed);
        }
        let slot = state.positions.next();
        if (Slot { seq: record.seq, prev: record.prev, gap: record.gap }) != slot {
            return Err(AppendError::OutOfTurn { seq: record.seq, wanted: slot.seq });
        }
        let mut writes = vec![write];
        match slot.gap {
            // Nothing goes on before it is stated, so it has room in a full journal too.
            Some(_) => writes.push(storage::remove(Key::Gap)),
            None => state.positions.check_room(place.bytes, &self.bounds)?,
        }
        // A crash before the sync leaves nothing, or a whole record that was never shown green:
        // the person tries again, and the centre gets one record more than was shown.
        if let Err(source) = self.storage.write_durably(&writes) {
            state.failed = true;
            return Err(AppendError::Storage { seq: record.seq, source });
        }
        if let Some(gap) = slot.gap {
            state.positions.pass_over(gap);
        }
        state.positions.append(place);
        self.standing.send_replace(state.positions.standing());
        Ok(slot)
    }

    /// Up to `max` stored records with sequence numbers from `from` on, released ones included.
    pub fn replay(&self, from: u64, max: usize) -> Result<Vec<(u64, Parcel)>, ReplayError> {
        let mut found = Vec::new();
        let mut damaged = None;
        let visit = &mut |key: &[u8], value: &[u8]| {
            let Some(Key::Record(seq)) = Key::decode(key) else { return ControlFlow::Break(()) };
            if found.len() == max {
                return ControlFlow::Break(());
            }
            match storage::get_parcel(seq, value) {
                Ok(parcel) => {
                    found.push((seq, parcel));
                    ControlFlow::Continue(())
                }
                Err(source) => {
                    damaged = Some(ReplayError::Damaged { seq, source });
                    ControlFlow::Break(())
                }
            }
        };
        self.storage
            .scan(&Key::Record(from).encode(), visit)
            .map_err(|source| ReplayError::Storage { source })?;
        damaged.map_or(Ok(found), Err)
    }

    /// Releases what a receipt covers, and prunes what was released long enough ago. On `Ok` both
    /// are on stable storage. A receipt that covers nothing new is fine and frees nothing.
    pub fn release_durably(&self, receipt: &Receipt) -> Result<Freed, ReleaseError> {
        if receipt.terminal != self.identity.terminal {
            return Err(ReleaseError::Foreign { terminal: receipt.terminal.clone() });
        }
        let mut state = self.lock();
        if state.failed {
            return Err(ReleaseError::Failed);
        }
        let Some(span) = state.positions.covered_by(receipt)? else {
            return Ok(Freed { records: 0, standing: state.positions.standing() });
        };
        let signed = state.newest_signed.max(Some(receipt.at));
        let prunable = state.positions.prunable(signed, &self.bounds);
        let records = prunable.records.iter().map(|seq| storage::remove(Key::Record(*seq)));
        let spans = prunable.spans.iter().map(|first| storage::remove(Key::Freed(*first)));
        let mut writes: Vec<_> = records.chain(spans).collect();
        // Last: the new span may begin where an old one is removed.
        writes.push(storage::put_span(span));
        writes.extend(signed.map(storage::put_signed));
        // A crash before the sync leaves the records unreleased: they are offered again, and the
        // centre answers identical records with a receipt again.
        if let Err(source) = self.storage.write_durably(&writes) {
            state.failed = true;
            return Err(ReleaseError::Storage { source });
        }
        state.newest_signed = signed;
        state.positions.prune(&prunable);
        let records = state.positions.release(span);
        let standing = state.positions.standing();
        self.standing.send_replace(standing);
        Ok(Freed { records, standing })
    }

    /// Lets another key follow the one that sealed the records so far: from then on the journal opens
    /// with either, until the new one has sealed a record.
    pub fn let_key_follow_durably(&self, next: KeyId) -> Result<(), NoteError> {
        let mut state = self.lock();
        if state.failed {
            return Err(NoteError::Failed);
        }
        if self.identity.key == next {
            return Ok(());
        }
        let Identity { terminal, key, mut former } = self.identity.clone();
        former.push(key);
        let identity = Identity { terminal, key: next, former };
        // A crash here leaves a journal that one key opens, or both.
        if let Err(source) = self.storage.write_durably(&[storage::put_identity(&identity)]) {
            state.failed = true;
            return Err(NoteError::Storage { source });
        }
        Ok(())
    }

    /// Notes a signed time of the centre, if it is newer than the newest known.
    pub fn note_signed_time_durably(&self, at: Timestamp) -> Result<(), NoteError> {
        let mut state = self.lock();
        if state.failed {
            return Err(NoteError::Failed);
        }
        if state.newest_signed >= Some(at) {
            return Ok(());
        }
        // A crash here forgets one piece of evidence; the next answer brings another.
        if let Err(source) = self.storage.write_durably(&[storage::put_signed(at)]) {
            state.failed = true;
            return Err(NoteError::Storage { source });
        }
        state.newest_signed = Some(at);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code under this lock panics")
    }
}
