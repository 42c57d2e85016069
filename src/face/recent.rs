//! The faces that were accepted here today, so that one face under two names is noticed. Kept in
//! memory only, forgotten at the end of the day or when the process ends.

use std::collections::VecDeque;
use std::fmt;

use super::embed::Embedding;
use super::gallery::Gallery;
use crate::domain::{PersonId, SameFace, Score};

/// Faces that are remembered: 128 people who each check in and out twice a day. Beyond it the
/// oldest is forgotten: the check weakens, nobody is refused.
pub const RECENT_MAX: usize = 512;

/// Accepted faces, the oldest first.
pub struct Recent {
    confident: Score,
    faces: VecDeque<Accepted>,
}

struct Accepted {
    person: PersonId,
    seq: u64,
    face: Embedding,
}

impl Recent {
    /// `confident` is the score from which two faces are surely one
    /// ([`Thresholds::confident`](super::Thresholds::confident)).
    pub fn new(confident: Score) -> Self {
        Self { confident, faces: VecDeque::new() }
    }

    /// Remembers the face of an accepted record.
    pub fn remember(&mut self, person: PersonId, seq: u64, face: Embedding) {
        if self.faces.len() == RECENT_MAX {
            self.faces.pop_front();
        }
        self.faces.push_back(Accepted { person, seq, face });
    }

    /// Forgets all: a new day.
    pub fn clear(&mut self) {
        self.faces.clear();
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.faces.len()
    }

    /// None is remembered.
    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// The most similar face that was accepted for somebody other than `person`, if it is surely
    /// the same; the earliest of equals. Compared with the picture that was accepted and with the
    /// template that it was accepted by: a mean of several pictures is the steadier measure.
    pub fn same_face(
        &self,
        face: &Embedding,
        person: PersonId,
        gallery: &Gallery,
    ) -> Option<SameFace> {
        let mut same: Option<SameFace> = None;
        for other in self.faces.iter().filter(|other| other.person != person) {
            let seen = Score::from_f32(face.cosine(&other.face));
            let score =
                gallery.score(face, &other.person).map_or(seen, |enrolled| enrolled.max(seen));
            if score >= self.confident && same.is_none_or(|same| score > same.score) {
                same = Some(SameFace { seq: other.seq, score });
            }
        }
        same
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent(<faces hidden>)")
    }
}
