//! From a decision to a sealed record: persons become commitments, and what opens them travels
//! beside the record. Pure: salts, time and key come as arguments.

use crate::domain::{CheckIn, ClockEvidence, Event, Notice, PersonId, TerminalId};
use crate::journal::Slot;
use crate::record::{Gap, Opening, Other, Parcel, Record, SALT_BYTES, Sealed, SigningKey};

/// What a record says beside the decision.
pub(super) struct Frame<'t> {
    pub(super) terminal: &'t TerminalId,
    pub(super) slot: Slot,
    pub(super) clock: ClockEvidence,
    pub(super) pack: Option<[u8; 32]>,
    pub(super) policy: &'t str,
    pub(super) firmware: &'t str,
}

/// Seals a decision. The two salts must be fresh and random: one for the person, one for the other
/// person, so that nobody can tell whether two commitments stand for the same one.
pub(super) fn seal(
    checkin: &CheckIn,
    frame: Frame<'_>,
    salts: [[u8; SALT_BYTES]; 2],
    key: &SigningKey,
) -> Parcel {
    let [person_salt, other_salt] = salts;
    let opening = |salt, person: PersonId| Opening { salt, person };
    let person = checkin.person.map(|person| opening(person_salt, person));
    let other = checkin.other.map(|other| opening(other_salt, other.person));
    let record = Record {
        terminal: frame.terminal.clone(),
        seq: frame.slot.seq,
        prev: frame.slot.prev,
        event: checkin.event,
        outcome: Some(checkin.outcome),
        lesson: checkin.lesson.clone(),
        person: person.map(|opening| opening.commitment()),
        way: checkin.way,
        scores: checkin.scores,
        other: checkin
            .other
            .zip(other)
            .map(|(other, opening)| Other { person: opening.commitment(), score: other.score }),
        same_face: checkin.same_face,
        clock: frame.clock,
        // Scores can be read only with the model that gave them; without scores no model took part.
        pack: checkin.scores.and(frame.pack),
        policy: frame.policy.to_owned(),
        firmware: frame.firmware.to_owned(),
        gap: None,
        notice: None,
    };
    Parcel { sealed: Sealed::seal(&record, key), person, other }
}

/// Seals the statement that records are lost (docs/spec/record-v1.md, "Gap").
pub(super) fn seal_gap(gap: Gap, frame: Frame<'_>, key: &SigningKey) -> Parcel {
    let record = Record {
        terminal: frame.terminal.clone(),
        seq: frame.slot.seq,
        prev: frame.slot.prev,
        event: Event::Gap,
        outcome: None,
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
        clock: frame.clock,
        pack: None,
        policy: frame.policy.to_owned(),
        firmware: frame.firmware.to_owned(),
        gap: Some(gap),
        notice: None,
    };
    Parcel { sealed: Sealed::seal(&record, key), person: None, other: None }
}

/// Seals what the terminal states about itself (docs/spec/record-v1.md, "Notice"): it concerns nobody.
pub(super) fn seal_notice(notice: Notice, frame: Frame<'_>, key: &SigningKey) -> Parcel {
    let record = Record {
        terminal: frame.terminal.clone(),
        seq: frame.slot.seq,
        prev: frame.slot.prev,
        event: Event::Notice,
        outcome: None,
        lesson: None,
        person: None,
        way: None,
        scores: None,
        other: None,
        same_face: None,
        clock: frame.clock,
        pack: None,
        policy: frame.policy.to_owned(),
        firmware: frame.firmware.to_owned(),
        gap: None,
        notice: Some(notice),
    };
    Parcel { sealed: Sealed::seal(&record, key), person: None, other: None }
}
