//! Frauds on the wire and with keys: messages that no honest terminal would send, made from what it did
//! send on that day.

use super::calendar::{MINUTE_MS, SECOND_MS};
use super::coming::{Coming, What};
use super::dice::{Dice, named};
use super::incident::Incident;
use super::kind::{Care, Kind};
use crate::domain::{Event, Outcome, TerminalId, Timestamp};
use crate::record::{Parcel, Record, Sealed, SealedHash, SigningKey};

/// The messages of one incident on one day. `sent` is what its terminal sent on that day, whose evening is
/// `evening`; `elsewhere` another registered terminal.
pub(super) fn messages(
    seed: u64,
    incident: &Incident,
    (sent, evening): (&[Coming], Timestamp),
    topic: &TerminalId,
    elsewhere: &TerminalId,
    dice: &mut Dice,
) -> Vec<Coming> {
    let care = incident.label.care;
    let genuine: Vec<&Parcel> = sent.iter().filter_map(parcels).flatten().collect();
    let Some(last) = sent.iter().map(|coming| coming.at).max() else { return Vec::new() };
    // On a day without a network nothing can be caught on its way, nor told a second time.
    let offline = last > evening;
    let needs_the_first =
        matches!(incident.label.kind, Kind::AlteredRecords | Kind::ClonedTerminal);
    if offline && needs_the_first {
        return Vec::new();
    }
    let mut from = last.min(evening).plus_ms(dice.between(3, 40) * MINUTE_MS);
    let mut next = || {
        from = from.plus_ms(dice.between(1, 9) * SECOND_MS);
        from
    };
    let few = care.of([10, 3, 1]);
    match incident.label.kind {
        Kind::ForgedRecords => {
            let key = SigningKey::from_secret(&named(seed, "forger", &incident.label.id));
            let made = genuine.iter().take(few).filter_map(|genuine| forged(genuine, topic, &key));
            made.map(|parcel| sends(next(), topic, parcel)).collect()
        }
        Kind::UnregisteredBox => {
            let key = SigningKey::from_secret(&named(seed, "box", &incident.label.id));
            let name = &incident.label.terminals[0];
            let many = care.of([40, 10, 2]);
            let made = genuine.iter().take(many).filter_map(|genuine| forged(genuine, name, &key));
            made.map(|parcel| sends(next(), name, parcel)).collect()
        }
        Kind::AlteredRecords => {
            let made = genuine.iter().take(few).filter_map(|genuine| altered(genuine));
            made.map(|parcel| sends(next(), topic, parcel)).collect()
        }
        Kind::ReplayedRecords => {
            let copied = genuine.iter().take(few);
            copied.map(|parcel| sends(next(), elsewhere, (*parcel).clone())).collect()
        }
        // The careful one uses the copy in the place of the terminal, never beside it.
        Kind::ClonedTerminal if care != Care::Careful => {
            let key = super::device::record_key(seed, topic);
            let many = care.of([20, 4, 0]);
            let made =
                genuine.iter().take(many).filter_map(|genuine| told_otherwise(genuine, &key));
            made.map(|parcel| sends(next(), topic, parcel)).collect()
        }
        Kind::ClonedTerminal
        | Kind::StandIn
        | Kind::Spoof
        | Kind::SharedFace
        | Kind::PaperTrainees
        | Kind::TwoPlaces
        | Kind::NightHours
        | Kind::StretchedCheckouts
        | Kind::BackfilledLessons
        | Kind::ClockSetBack
        | Kind::MovedTerminal
        | Kind::SilentTerminal
        | Kind::ClassLeaves
        | Kind::Burst
        | Kind::TwoClasses
        | Kind::MovedCohort
        | Kind::TooManyHours
        | Kind::StaffConfirms
        | Kind::CardBurst
        | Kind::TeacherLeaves
        | Kind::Asleep
        | Kind::Relatives => Vec::new(),
    }
}

fn parcels(coming: &Coming) -> Option<&Vec<Parcel>> {
    match &coming.what {
        What::Parcels { parcels, genuine: true, .. } => Some(parcels),
        What::Parcels { .. } | What::Facts(_) => None,
    }
}

fn sends(at: Timestamp, topic: &TerminalId, parcel: Parcel) -> Coming {
    let what =
        What::Parcels { topic: topic.clone(), parcels: vec![parcel], dark: false, genuine: false };
    Coming { at, what }
}

/// Attendance that never was, sealed with a key of one's own.
fn forged(like: &Parcel, name: &TerminalId, key: &SigningKey) -> Option<Parcel> {
    let (mut record, _) = Record::peek(like.sealed.bytes()).ok()?;
    record.terminal = name.clone();
    record.seq += 5_000;
    record.prev = SealedHash([7; 32]);
    record.event = Event::CheckIn;
    record.outcome = Some(Outcome::Accepted);
    record.notice = None;
    Some(Parcel { sealed: Sealed::seal(&record, key), ..like.clone() })
}

/// A genuine record with an earlier time under its genuine signature.
fn altered(genuine: &Parcel) -> Option<Parcel> {
    let bytes = genuine.sealed.bytes();
    let (mut record, _) = Record::peek(bytes).ok()?;
    let before = minicbor::to_vec(&record).ok()?;
    record.clock.wall = record.clock.wall.plus_ms(-45 * MINUTE_MS);
    let after = minicbor::to_vec(&record).ok()?;
    let start = bytes.windows(before.len()).position(|window| window == before)?;
    if before.len() != after.len() {
        return None;
    }
    let mut changed = bytes.to_vec();
    changed[start..start + before.len()].copy_from_slice(&after);
    Some(Parcel { sealed: Sealed::from_stored(changed), ..genuine.clone() })
}

/// Another history under the same number and the same key.
fn told_otherwise(genuine: &Parcel, key: &SigningKey) -> Option<Parcel> {
    let (mut record, _) = Record::peek(genuine.sealed.bytes()).ok()?;
    record.clock.wall = record.clock.wall.plus_ms(7 * SECOND_MS);
    Some(Parcel { sealed: Sealed::seal(&record, key), ..genuine.clone() })
}

/// Whether this kind needs what its terminal sent.
pub(super) fn is_on_the_wire(kind: Kind, care: Care) -> bool {
    matches!(
        kind,
        Kind::ForgedRecords | Kind::AlteredRecords | Kind::ReplayedRecords | Kind::UnregisteredBox
    ) || kind == Kind::ClonedTerminal && care != Care::Careful
}
