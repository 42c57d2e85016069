//! Many faces in one picture: who of those whom a roll call asks is there. Each is confirmed on her own,
//! with her own scores, when enough pictures agree; nobody can be refused here.
//!
//! A picture of a room shows smaller faces than a kiosk's, and no movements are asked for: it confirms
//! that somebody who came by the door is still there, and never lets anybody in.

use std::collections::BTreeMap;

use super::{Desk, advise_picture};
use crate::domain::{CheckIn, Event, Outcome, PersonId, SeenFace, Timestamp};

/// Pictures that confirm somebody must not lie farther apart than this, in milliseconds.
const APART_MS: u64 = 2_000;

/// What the pictures of a room have shown so far.
#[derive(Debug, Default)]
pub struct Room {
    /// In how many pictures, and when last.
    seen: BTreeMap<PersonId, (u32, u64)>,
}

impl Room {
    /// Looks at all faces of one picture; who is confirmed by it. `faces_max` bounds how many count;
    /// the nearest come first.
    pub fn look(
        &mut self,
        faces: &[SeenFace],
        faces_max: usize,
        desk: &Desk,
        now: Timestamp,
        at_ms: u64,
    ) -> Vec<CheckIn> {
        self.seen.retain(|_, (_, last_ms)| at_ms.saturating_sub(*last_ms) <= APART_MS);
        let mut here: BTreeMap<PersonId, Vec<CheckIn>> = BTreeMap::new();
        let good = |face: &&SeenFace| advise_picture(&face.quality, &desk.numbers).is_none();
        for face in faces.iter().filter(good).take(faces_max) {
            let checkin = desk.decide(face, None, now);
            let present = (checkin.event, checkin.outcome) == (Event::Presence, Outcome::Accepted);
            if let Some(person) = checkin.person.filter(|_| present) {
                here.entry(person).or_default().push(checkin);
            }
        }
        let mut confirmed = Vec::new();
        for (person, mut checkins) in here {
            // One person twice in a picture: at least one of the two is somebody else.
            let (1, Some(mut checkin)) = (checkins.len(), checkins.pop()) else {
                self.seen.remove(&person);
                continue;
            };
            let (pictures, last_ms) = self.seen.entry(person).or_default();
            (*pictures, *last_ms) = (*pictures + 1, at_ms);
            if *pictures >= desk.numbers.pictures_min {
                if let Some(scores) = &mut checkin.scores {
                    scores.pictures = (*pictures > 1).then_some(*pictures);
                }
                confirmed.push(checkin);
            }
        }
        confirmed
    }

    /// A record of hers could be stored.
    pub fn confirmed(&mut self, person: &PersonId) {
        self.seen.remove(person);
    }
}
