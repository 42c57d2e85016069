//! A terminal's pen: seals one chained record after the other.

use rollcall::domain::{
    ClockEvidence, ClockQuality, Event, Fact, Outcome, PersonId, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::record::{
    Gap, Opening, Parcel, Record, Sealed, SealedHash, SigningKey, VerifyingKey,
};

/// 2026-03-02 08:30 in China.
pub(crate) const MORNING: Timestamp = Timestamp::from_ms(1_772_411_400_000);

/// One terminal's key and chain.
pub(crate) struct Pen {
    pub(crate) terminal: TerminalId,
    pub(crate) key: SigningKey,
    pub(crate) next: u64,
    pub(crate) prev: SealedHash,
}

impl Pen {
    /// A terminal whose key is made of `seed`.
    pub(crate) fn new(terminal: &str, seed: u8) -> Self {
        Self {
            terminal: terminal.parse().unwrap(),
            key: SigningKey::from_secret(&[seed; 32]),
            next: 1,
            prev: SealedHash::GENESIS,
        }
    }

    /// The fact that registers it.
    pub(crate) fn registration(&self) -> Fact {
        Fact::Terminal {
            id: self.terminal.clone(),
            site: "s-1".parse().unwrap(),
            key: self.public().to_bytes(),
        }
    }

    /// Its verification key.
    pub(crate) fn public(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// A record of a check-in that is not sealed yet, and its opening.
    pub(crate) fn draft(&self) -> (Record, Opening) {
        let opening = opening(u8::try_from(self.next % 251).unwrap());
        let record = Record {
            staff: None,
            terminal: self.terminal.clone(),
            seq: self.next,
            prev: self.prev,
            event: Event::CheckIn,
            outcome: Some(Outcome::Accepted),
            lesson: None,
            person: Some(opening.commitment()),
            way: Some(Way::Claimed),
            scores: None,
            other: None,
            same_face: None,
            clock: ClockEvidence {
                wall: MORNING.plus_ms(i64::try_from(self.next).unwrap() * 1_000),
                uptime: Uptime::from_ms(self.next * 1_000),
                boot: 1,
                signed: None,
                quality: ClockQuality::Holding,
            },
            pack: None,
            policy: "test/1".into(),
            firmware: "0.0.0".into(),
            gap: None,
            notice: None,
        };
        (record, opening)
    }

    /// Seals a record as the next of the chain.
    pub(crate) fn seal(&mut self, record: &Record, person: Option<Opening>) -> Parcel {
        let sealed = Sealed::seal(record, &self.key);
        self.next = record.seq + 1;
        self.prev = sealed.hash();
        Parcel { sealed, person, other: None }
    }

    /// The next check-in.
    pub(crate) fn write(&mut self) -> Parcel {
        let (record, opening) = self.draft();
        self.seal(&record, Some(opening))
    }

    /// The next `n` check-ins.
    pub(crate) fn write_many(&mut self, n: usize) -> Vec<Parcel> {
        (0..n).map(|_| self.write()).collect()
    }

    /// Leaves out `lost` numbers and states so.
    pub(crate) fn write_gap(&mut self, lost: u64) -> Parcel {
        let first = self.next;
        self.next += lost;
        let (mut record, _) = self.draft();
        record.event = Event::Gap;
        record.outcome = None;
        record.person = None;
        record.way = None;
        record.gap = Some(Gap { first, last: self.next - 1 });
        self.seal(&record, None)
    }
}

/// A person's opening with a fixed salt.
pub(crate) fn opening(n: u8) -> Opening {
    Opening { salt: [n; 32], person: PersonId([n; 16]) }
}

impl Clone for Pen {
    fn clone(&self) -> Self {
        Self {
            terminal: self.terminal.clone(),
            key: SigningKey::from_secret(&self.key.secret()),
            next: self.next,
            prev: self.prev,
        }
    }
}
