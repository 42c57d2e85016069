//! What a running terminal knows of the time: both its clocks, and what [`judge`] holds against
//! them. One for the terminal, shared by the stage that seals and the stage that talks to the
//! centre.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use super::clock::{Reading, SignedTime, Witnesses, judge};
use crate::domain::{ClockDoubt, ClockEvidence, ClockQuality, Timestamp, Uptime};
use crate::journal::{Journal, ReplayError};
use crate::platform::clock::Clock;
use crate::platform::tls::ProvenTime;
use crate::record::{Record, VerifyingKey};

/// So many records are read at once, from the newest back, to find one whose clock was believed.
const LOOK_BACK: u64 = 64;

/// See the file's head.
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    journal: Arc<Journal>,
    tolerance_ms: i64,
    began: Reading,
    heard: Mutex<Heard>,
}

#[derive(Clone, Copy)]
struct Heard {
    answer: Option<SignedTime>,
    newest_own: Option<Timestamp>,
}

impl Timekeeper {
    /// At the beginning of a boot; `key` opens the journal's records.
    pub fn start(
        clock: Arc<dyn Clock>,
        journal: Arc<Journal>,
        key: &VerifyingKey,
        tolerance_ms: i64,
    ) -> Result<Self, ReplayError> {
        let began = reading(&*clock);
        let newest_own = newest_believed(&journal, key)?;
        let heard = Mutex::new(Heard { answer: None, newest_own });
        Ok(Self { clock, journal, tolerance_ms, began, heard })
    }

    /// What a record made now says about time, and why its clock is not to be believed, if so.
    pub fn evidence(&self) -> (ClockEvidence, Option<ClockDoubt>) {
        let now = reading(&*self.clock);
        let signed = self.journal.newest_signed_time();
        let Heard { answer, newest_own } = *self.heard();
        let known = Witnesses { newest_signed: signed, newest_own, began: self.began, answer };
        let (quality, doubt) = match judge(now, &known, self.tolerance_ms) {
            Ok(quality) => (quality, None),
            Err(doubt) => (ClockQuality::Doubtful, Some(doubt)),
        };
        let Reading { wall, uptime } = now;
        (ClockEvidence { wall, uptime, boot: self.journal.boot(), signed, quality }, doubt)
    }

    /// Time since the boot.
    pub fn uptime(&self) -> Uptime {
        self.clock.uptime()
    }

    /// The centre has answered the question for the time.
    pub fn answered(&self, answer: SignedTime) {
        self.heard().answer = Some(answer);
    }

    /// A record with this evidence is durable.
    pub fn kept(&self, evidence: &ClockEvidence) {
        if let ClockQuality::Synced | ClockQuality::Holding = evidence.quality {
            self.heard().newest_own = Some(evidence.wall);
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("no code under this lock panics")
    }
}

impl fmt::Debug for Timekeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timekeeper")
    }
}

impl ProvenTime for Timekeeper {
    /// The centre's answer of this boot, and what the monotonic clock says has passed since.
    fn proven(&self) -> Option<Timestamp> {
        let SignedTime { at, answered, .. } = self.heard().answer?;
        let since_ms = self.clock.uptime().as_ms().saturating_sub(answered.as_ms());
        Some(at.plus_ms(i64::try_from(since_ms).unwrap_or(i64::MAX)))
    }

    fn wall(&self) -> Timestamp {
        self.clock.now()
    }
}

fn reading(clock: &dyn Clock) -> Reading {
    Reading { wall: clock.now(), uptime: clock.uptime() }
}

/// The wall time of the newest stored record whose clock its terminal believed. Records that do not
/// open with the key are passed over: they are another question.
fn newest_believed(
    journal: &Journal,
    key: &VerifyingKey,
) -> Result<Option<Timestamp>, ReplayError> {
    let mut end = journal.next().seq;
    while end > 1 {
        let from = end.saturating_sub(LOOK_BACK).max(1);
        let stored = journal.replay(from, usize::try_from(end - from).unwrap_or(usize::MAX))?;
        let clocks = stored.iter().rev().filter(|(seq, _)| *seq < end).filter_map(|(_, parcel)| {
            Record::open(parcel.sealed.bytes(), key).ok().map(|record| record.clock)
        });
        let believed = clocks.into_iter().find(|clock| clock.quality != ClockQuality::Doubtful);
        // Nothing stored here: older records are pruned.
        if believed.is_some() || stored.is_empty() {
            return Ok(believed.map(|clock| clock.wall));
        }
        end = from;
    }
    Ok(None)
}
