//! One person's pictures, one after the other: from which frame on somebody else stands there, and
//! what the face looks like over all good pictures rather than in one.
//!
//! A visit goes on while the face stays about where it was and its good pictures stay alike. Else
//! a new one begins, and nothing of the last person is carried over: a photograph that is held up
//! after a living person has turned her head is another visit.

use std::collections::VecDeque;
use std::fmt;

use super::detect::Rect;
use super::embed::Embedding;
use super::pipeline::FrontFace;
use crate::domain::Score;

/// Good pictures that a comparison rests on: half a second at 15 frames a second. More would carry
/// what was seen long ago; fewer are less steady.
pub const PICTURES_MAX: usize = 8;

/// Nobody for so long ends a visit, in milliseconds: longer than a blink of the detector, shorter
/// than a change of places.
pub const GONE_MS: u64 = 700;

/// By how much of its width a face may move from one frame to the next. At 10 frames a second, a
/// face of 16 cm that moves faster than 1 m/s is taken for another one.
const MOVE_MAX: f32 = 0.6;

/// By which factor its width may change from one frame to the next.
const GROW_MAX: f32 = 1.5;

/// The person before the camera now.
pub struct Track {
    same: Score,
    visit: u64,
    pictures: u32,
    good: VecDeque<(Embedding, Option<Score>)>,
    last: Option<(Rect, u64)>,
}

impl Track {
    /// `same` is the score from which two good pictures of one visit show one face: the pack's
    /// match threshold.
    pub fn new(same: Score) -> Self {
        Self { same, visit: 0, pictures: 0, good: VecDeque::new(), last: None }
    }

    /// Takes the next face; `good` says whether its picture is good enough to decide on, `at_ms` is
    /// monotonic time.
    pub fn follow(&mut self, face: &FrontFace, good: bool, at_ms: u64) {
        let goes_on = self.last.is_some_and(|(rect, seen_ms)| {
            at_ms.saturating_sub(seen_ms) <= GONE_MS && is_near(&rect, &face.rect)
        });
        if !(goes_on && (!good || self.is_alike(&face.embedding))) {
            self.visit += 1;
            self.pictures = 0;
            self.good.clear();
        }
        self.last = Some((face.rect, at_ms));
        if good {
            if self.good.len() == PICTURES_MAX {
                self.good.pop_front();
            }
            self.good.push_back((face.embedding.clone(), face.liveness));
            self.pictures = self.pictures.saturating_add(1);
        }
    }

    /// Which visit this is, from 1.
    pub fn visit(&self) -> u64 {
        self.visit
    }

    /// How many good pictures it has had.
    pub fn pictures(&self) -> u32 {
        self.pictures
    }

    /// The face over the newest good pictures; `None` before the first.
    pub fn face(&self) -> Option<Embedding> {
        Embedding::mean(self.good.iter().map(|(face, _)| face))
    }

    /// Passive liveness over the same pictures: their mean; `None` where the pack has no such net.
    pub fn liveness(&self) -> Option<Score> {
        let scores: Vec<i32> =
            self.good.iter().filter_map(|(_, live)| live.map(Score::as_e4)).collect();
        let count = i32::try_from(scores.len()).ok().filter(|count| *count > 0)?;
        Some(Score::from_e4(scores.iter().sum::<i32>() / count))
    }

    fn is_alike(&self, face: &Embedding) -> bool {
        self.face().is_none_or(|mean| Score::from_f32(face.cosine(&mean)) >= self.same)
    }
}

fn is_near(before: &Rect, now: &Rect) -> bool {
    let middle = |rect: &Rect| [rect.x + rect.w / 2.0, rect.y + rect.h / 2.0];
    let ([x0, y0], [x1, y1]) = (middle(before), middle(now));
    let larger = before.w.max(now.w);
    (x1 - x0).hypot(y1 - y0) <= larger * MOVE_MAX && larger <= before.w.min(now.w) * GROW_MAX
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Track(visit {}, {} pictures, <face hidden>)", self.visit, self.pictures)
    }
}
