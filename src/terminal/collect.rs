//! The pictures of an enrolment: several, from the front and from both sides, each good enough, all of
//! one person. Pictures end here; embeddings go on to the gallery.

use crate::checkin::{Advice, Numbers, advise_picture};
use crate::domain::{Bilingual, PersonId, Score};
use crate::face::{Embedding, Look};

/// From where the face is to be seen, one after the other.
const WANTED: [Side; 4] = [Side::Front, Side::Left, Side::Right, Side::Front];

/// A face this far from straight ahead is still one from the front (as `Quality::turn` measures).
const FRONT_MAX: f32 = 0.12;

/// A face from the side is turned at least so far, and at most so far that it is still recognised.
const SIDE: std::ops::RangeInclusive<f32> = 0.10..=0.45;

/// Time between two pictures, in milliseconds: another moment, not the same one again.
const APART_MS: u64 = 300;

/// From where a face is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Straight ahead.
    Front,
    /// She turns to her left.
    Left,
    /// She turns to her right.
    Right,
}

impl Side {
    /// Stable word for the screen's arrow, and what to say.
    pub(super) fn asked(self) -> (&'static str, Bilingual) {
        match self {
            Side::Front => ("front", Bilingual::new("请正对镜头", "Look straight at the camera")),
            Side::Left => {
                ("turn_left", Bilingual::new("请稍向左转头", "Turn your head a little to the left"))
            }
            Side::Right => (
                "turn_right",
                Bilingual::new("请稍向右转头", "Turn your head a little to the right"),
            ),
        }
    }

    fn fits(self, turn: f32) -> bool {
        match self {
            Side::Front => turn.abs() <= FRONT_MAX,
            Side::Left => SIDE.contains(&turn),
            Side::Right => SIDE.contains(&-turn),
        }
    }
}

/// What came of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collected {
    /// Something to change first.
    Advice(Advice),
    /// Show this side; so much is done, in percent.
    Ask(Side, u8),
    /// All pictures are there.
    Done,
}

/// The pictures of one person so far.
pub(super) struct Collect {
    /// Whose.
    pub(super) person: PersonId,
    faces: Vec<Embedding>,
    last_ms: Option<u64>,
}

impl Collect {
    /// None yet.
    pub(super) fn new(person: PersonId) -> Self {
        Self { person, faces: Vec::new(), last_ms: None }
    }

    /// Looks at one frame. `same` is the score from which two pictures show one face: another face
    /// in the middle begins anew.
    pub(super) fn look(
        &mut self,
        look: &Look,
        numbers: &Numbers,
        same: Score,
        at_ms: u64,
    ) -> Collected {
        let Some(face) = &look.face else { return Collected::Advice(Advice::NobodyThere) };
        if look.in_front != 1 {
            return Collected::Advice(Advice::OneAtATime);
        }
        // A turned face is wanted here.
        let numbers = Numbers { turn_max: *SIDE.end(), ..*numbers };
        if let Some(advice) = advise_picture(&face.quality, &numbers) {
            return Collected::Advice(advice);
        }
        let another = |first: &Embedding| Score::from_f32(face.embedding.cosine(first)) < same;
        if self.faces.first().is_some_and(another) && face.quality.turn.abs() <= FRONT_MAX {
            self.faces.clear();
        }
        let rested = self.last_ms.is_none_or(|last| at_ms.saturating_sub(last) >= APART_MS);
        let Some(side) = WANTED.get(self.faces.len()) else { return Collected::Done };
        let alike = !self.faces.first().is_some_and(another);
        if rested && alike && side.fits(face.quality.turn) {
            self.faces.push(face.embedding.clone());
            self.last_ms = Some(at_ms);
        }
        match WANTED.get(self.faces.len()) {
            None => Collected::Done,
            Some(side) => {
                let percent = self.faces.len() * 100 / WANTED.len();
                Collected::Ask(*side, u8::try_from(percent).unwrap_or(100))
            }
        }
    }

    /// The faces.
    pub(super) fn faces(&self) -> &[Embedding] {
        &self.faces
    }
}
