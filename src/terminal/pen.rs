//! A terminal's pen: fills the journal's next place with a sealed record. It joins key, clock and
//! journal, and knows neither network nor screen; chance is handed in.

use std::sync::Arc;

use super::seal::{self, Frame};
use super::{TakeError, Taken};
use crate::domain::{CheckIn, Notice, TerminalId};
use crate::journal::{AppendError, Journal};
use crate::record::{Gap, SALT_BYTES, SigningKey, Slip, SlipText, VerifyingKey};
use crate::uplink::{Step, Timekeeper, Waypoints};

/// See the file's head.
pub(crate) struct Pen {
    pub(crate) terminal: TerminalId,
    pub(crate) key: SigningKey,
    pub(crate) journal: Arc<Journal>,
    pub(crate) timekeeper: Arc<Timekeeper>,
    /// Policy profile and version in force.
    pub(crate) policy: String,
    pub(crate) firmware: String,
    pub(crate) pack: Option<[u8; 32]>,
}

impl Pen {
    /// Seals a decision and appends it; on `Ok` it is on stable storage. The salts are fresh and
    /// random. Nobody else may write meanwhile: each record is chained to the one before it.
    pub(crate) fn take(
        &self,
        checkin: &CheckIn,
        salts: [[u8; SALT_BYTES]; 2],
        waypoints: &dyn Waypoints,
    ) -> Result<Taken, TakeError> {
        let slot = self.journal.next();
        let (clock, clock_doubt) = self.timekeeper.evidence();
        if let Some(doubt) = clock_doubt {
            // Never a reason to turn somebody away: the centre bounds the time by the chain.
            tracing::warn!(wall = %clock.wall, ?doubt, "the clock is not believed; the record says so");
        }
        let frame = Frame {
            terminal: &self.terminal,
            slot,
            clock,
            pack: self.pack,
            policy: &self.policy,
            firmware: &self.firmware,
        };
        let parcel = seal::seal(checkin, frame, salts, &self.key);
        // A crash from here to the sync leaves nothing, or a record that was never shown green.
        waypoints.reached(Step::Sealed);
        self.journal.append_durably(&parcel)?;
        self.timekeeper.kept(&clock);
        waypoints.reached(Step::Appended);
        Ok(Taken { seq: slot.seq, hash: parcel.sealed.hash(), clock_doubt })
    }

    /// States something about the terminal itself; on `Ok` it is on stable storage.
    pub(crate) fn state(&self, notice: Notice) -> Result<(), AppendError> {
        let (clock, _) = self.timekeeper.evidence();
        let frame = Frame {
            terminal: &self.terminal,
            slot: self.journal.next(),
            clock,
            pack: None,
            policy: &self.policy,
            firmware: &self.firmware,
        };
        self.journal.append_durably(&seal::seal_notice(notice, frame, &self.key))?;
        self.timekeeper.kept(&clock);
        Ok(())
    }

    /// States the gap that a repair of the journal has set aside, if there is one: nothing goes on
    /// before it.
    pub(crate) fn state_gap(&self) -> Result<Option<Gap>, AppendError> {
        let slot = self.journal.next();
        let Some(gap) = slot.gap else { return Ok(None) };
        let (clock, _) = self.timekeeper.evidence();
        let frame = Frame {
            terminal: &self.terminal,
            slot,
            clock,
            pack: None,
            policy: &self.policy,
            firmware: &self.firmware,
        };
        self.journal.append_durably(&seal::seal_gap(gap, frame, &self.key))?;
        self.timekeeper.kept(&clock);
        Ok(Some(gap))
    }

    /// What the trainee may take home of a record.
    pub(crate) fn slip(&self, taken: &Taken) -> SlipText {
        let slip = Slip { terminal: self.terminal.clone(), seq: taken.seq, hash: taken.hash };
        slip.seal(&self.key)
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
}
