//! Records, receipts and keys for tests.

use rollcall::domain::{
    ClockEvidence, ClockQuality, Event, Outcome, PersonId, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::journal::{Journal, Slot};
use rollcall::record::{
    Opening, Parcel, Receipt, Record, Sealed, SealedHash, SigningKey, Verdict, VerifyingKey,
};

pub(crate) fn terminal_id() -> TerminalId {
    "terminal-1".parse().unwrap()
}

/// The key of [`terminal_id`].
pub(crate) fn terminal_key() -> SigningKey {
    SigningKey::from_secret(&[7; 32])
}

/// The key that signs receipts.
pub(crate) fn receipt_key() -> SigningKey {
    SigningKey::from_secret(&[9; 32])
}

pub(crate) fn receipt_verifying_key() -> VerifyingKey {
    receipt_key().verifying_key()
}

/// The parcel that fills `slot`.
pub(crate) fn parcel_for(slot: Slot) -> Parcel {
    parcel_of(&terminal_id(), &terminal_key(), slot)
}

pub(crate) fn parcel_of(terminal: &TerminalId, key: &SigningKey, slot: Slot) -> Parcel {
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&slot.seq.to_be_bytes());
    let opening = Opening { salt, person: PersonId([3; 16]) };
    let record = Record {
        staff: None,
        terminal: terminal.clone(),
        seq: slot.seq,
        prev: slot.prev,
        event: Event::CheckIn,
        outcome: Some(Outcome::Accepted),
        lesson: Some("lesson-1".parse().unwrap()),
        person: Some(opening.commitment()),
        way: Some(Way::Open),
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: at_ms(1_000),
            uptime: Uptime::from_ms(5),
            boot: 1,
            signed: None,
            quality: ClockQuality::Holding,
        },
        pack: None,
        policy: "test@1".into(),
        firmware: "0.1.0".into(),
        gap: None,
        notice: None,
    };
    Parcel { sealed: Sealed::seal(&record, key), person: Some(opening), other: None }
}

pub(crate) fn at_ms(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_772_000_000_000 + ms)
}

/// Appends the next record.
pub(crate) fn append(journal: &Journal) -> Parcel {
    let parcel = parcel_for(journal.next());
    journal.append_durably(&parcel).unwrap();
    parcel
}

pub(crate) fn committed(first: u64, last: u64, hash: SealedHash, at: Timestamp) -> Receipt {
    Receipt {
        terminal: terminal_id(),
        first,
        last,
        hash,
        ledger_size: last,
        at,
        verdict: Verdict::Committed,
    }
}

pub(crate) fn refused(seq: u64, hash: SealedHash, at: Timestamp) -> Receipt {
    let verdict = Verdict::Refused { code: "bad_signature".into() };
    Receipt { verdict, ..committed(seq, seq, hash, at) }
}
