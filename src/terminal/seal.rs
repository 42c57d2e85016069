//! From a decision to a sealed record: persons become commitments, and what opens them travels
//! beside the record. Pure: salts, time and key come as arguments.

use crate::domain::{CheckIn, ClockEvidence, Event, Note, PersonId, TerminalId};
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
    let staff = checkin.staff.map(|staff| opening(other_salt, staff));
    let record = Record {
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
        // Scores can be read only with the model that gave them; without scores no model took part.
        pack: checkin.scores.and(frame.pack),
        staff: staff.map(|opening| opening.commitment()),
        ..bare(checkin.event, frame)
    };
    Parcel { sealed: Sealed::seal(&record, key), person, other: other.or(staff) }
}

/// Seals the statement that records are lost (docs/spec/record-v1.md, "Gap").
pub(super) fn seal_gap(gap: Gap, frame: Frame<'_>, key: &SigningKey) -> Parcel {
    let record = Record { gap: Some(gap), ..bare(Event::Gap, frame) };
    Parcel { sealed: Sealed::seal(&record, key), person: None, other: None }
}

/// Seals what the terminal states about itself, a consent or a lesson (docs/spec/record-v1.md,
/// "Notice"). The salts as in [`seal`].
pub(super) fn seal_note(
    note: &Note,
    frame: Frame<'_>,
    salts: [[u8; SALT_BYTES]; 2],
    key: &SigningKey,
) -> Parcel {
    let [person_salt, other_salt] = salts;
    let person = note.person.map(|person| Opening { salt: person_salt, person });
    let other = note.other.map(|other| Opening { salt: other_salt, person: other.person });
    let record = Record {
        notice: Some(note.notice),
        lesson: note.lesson.clone(),
        person: person.map(|opening| opening.commitment()),
        other: note
            .other
            .zip(other)
            .map(|(other, opening)| Other { person: opening.commitment(), score: other.score }),
        ..bare(Event::Notice, frame)
    };
    Parcel { sealed: Sealed::seal(&record, key), person, other }
}

/// A record that tells of nobody and nothing yet.
fn bare(event: Event, frame: Frame<'_>) -> Record {
    Record {
        terminal: frame.terminal.clone(),
        seq: frame.slot.seq,
        prev: frame.slot.prev,
        event,
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
        notice: None,
        staff: None,
    }
}
