//! What an attacker on the network can make of the messages that he sees. Pure: genuine bytes in,
//! hostile messages out.

use crate::domain::{ClockEvidence, ClockQuality, Event, Outcome, TerminalId, Timestamp, Uptime};
use crate::record::topic::Channel;
use crate::record::{Batch, Parcel, Record, Sealed, SealedHash, SigningKey};

/// A message for the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

fn message(topic_of: &TerminalId, parcel: Parcel) -> Message {
    Message { topic: Channel::Records.of(topic_of), payload: Batch(vec![parcel]).encode() }
}

/// A record in the terminal's name, sealed with the attacker's own key.
pub(super) fn forge(terminal: &TerminalId, own_key: &SigningKey, at: Timestamp) -> Message {
    let sealed = Sealed::seal(&invented(terminal, at), own_key);
    message(terminal, Parcel { sealed, person: None, other: None })
}

/// The genuine record with another wall time, under its genuine signature. `None` when the
/// record's bytes cannot be changed without changing their length.
pub(super) fn alter(terminal: &TerminalId, genuine: &Parcel) -> Option<Message> {
    let bytes = genuine.sealed.bytes();
    let (mut record, _) = Record::peek(bytes).ok()?;
    let payload = minicbor::to_vec(&record).ok()?;
    record.clock.wall = record.clock.wall.plus_ms(-45 * 60_000);
    let altered = minicbor::to_vec(&record).ok()?;
    let start = bytes.windows(payload.len()).position(|window| window == payload)?;
    if altered.len() != payload.len() {
        return None;
    }
    let mut changed = bytes.to_vec();
    changed[start..start + payload.len()].copy_from_slice(&altered);
    let sealed = Sealed::from_stored(changed);
    Some(message(terminal, Parcel { sealed, ..genuine.clone() }))
}

/// The genuine record, sent as if another terminal had made it.
pub(super) fn replay(to: &TerminalId, genuine: &Parcel) -> Message {
    message(to, genuine.clone())
}

fn invented(terminal: &TerminalId, at: Timestamp) -> Record {
    Record {
        staff: None,
        terminal: terminal.clone(),
        seq: 1,
        prev: SealedHash::GENESIS,
        event: Event::CheckIn,
        outcome: Some(Outcome::Accepted),
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
        clock: ClockEvidence {
            wall: at,
            uptime: Uptime::from_ms(1),
            boot: 1,
            signed: None,
            quality: ClockQuality::Synced,
        },
        pack: None,
        policy: "sichuan-2025/1".into(),
        firmware: env!("CARGO_PKG_VERSION").into(),
        gap: None,
        notice: None,
    }
}
