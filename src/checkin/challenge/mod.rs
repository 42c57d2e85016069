//! An active challenge: the person is asked for movements in a random order and within a deadline,
//! and over all frames the five points of her face must move as those of a head in space.
//!
//! ```text
//! face on front ─► move 1 asked ─► done, back on front ─► move 2 asked ─► done ─► passed
//!   (its base)        │                                        │
//!                     └── too late · another move · flat · the same pictures · gone ──► failed
//! ```
//!
//! The random order counters a recorded video, the geometry a flat picture, however it is moved,
//! tilted or waved (`geometry.rs`). What neither can counter: a solid mask, an animated face on a
//! screen that follows the instructions, frames that are made on the spot and fed in place of the
//! camera's (docs/decisions/0020-active-challenge.md). A failed challenge is an attempt, never by
//! itself a fraud.

mod geometry;
mod script;
#[cfg(any(test, feature = "testing"))]
pub mod simulated;
#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};

use self::geometry::{Face, Motion};
pub use self::script::Move;
use crate::domain::SeenFace;

/// The numbers of a challenge. Lengths are in distances of the eyes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// How many movements are asked for. Two have 12 orders: a recording has the right one in one
    /// of 12 tries, and every failed try is on record.
    pub moves: usize,
    /// Time for all of them, in milliseconds. Half of all people need a third of it.
    pub deadline_ms: u64,
    /// Least number of frames with a face over the whole challenge.
    pub frames_min: usize,
    /// How far the nose must go against the plane of eyes and mouth. We take noses to stand 0.3
    /// to 0.55 in front of it, so that 15 degrees are enough for most.
    pub parallax_min: f64,
    /// Least height of the nose over that plane, by how far it went and how far the plane was
    /// turned. Paper bent around a hand has less.
    pub height_min: f64,
    /// By how much a face must grow to have come closer: the natural logarithm of the factor.
    pub nearer_min: f64,
    /// How much of the way to the end of a turn one frame may take. A head takes several; one picture
    /// that is put in place of another jumps.
    pub step_max: f64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            moves: 2,
            deadline_ms: 15_000,
            frames_min: 10,
            parallax_min: 0.09,
            height_min: 0.26,
            nearer_min: 0.15,
            step_max: 0.75,
        }
    }
}

/// Frames that one value is the median of: a third of a second at 15 a second.
const WINDOW: usize = 5;

/// A face that is gone for so long has left, in milliseconds.
const LOST_MS: u64 = 1_000;

/// From one frame to the next a face does not move further than this, in its own sizes, nor grow
/// by more than this factor.
const JUMP_MAX: f64 = 1.2;
const GROW_MAX: f64 = 1.35;

/// Planes that are turned further away than this (tangent; 50 degrees) are not measured: their
/// points lie too close for their noise.
const TILT_MAX: f64 = 1.2;

/// Who comes closer looks straight ahead: eyes and mouth seem turned no further (tangent) than noise
/// makes them.
const FRONT_TILT_MAX: f64 = 0.55;

/// Another movement than the one asked for is one after so many medians in a row.
const WRONG_FRAMES: usize = 4;

/// The end of a turn is one after so many medians in a row.
const HELD_FRAMES: usize = 3;

/// So many pictures that were seen before are a recording. A camera that stutters repeats its last
/// picture only, which counts as none.
const REPEATED_MAX: usize = 2;

/// Faces at least this share of the frame's width are not asked to come closer.
const NEAR: f32 = 0.42;

/// Where a challenge stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Look straight into the camera: in the beginning, and between two movements.
    Front {
        /// Movements that are done.
        done: usize,
        /// Of how many.
        of: usize,
        /// Time that is left, in milliseconds.
        left_ms: u64,
    },
    /// Do this.
    Asking {
        /// What.
        asked: Move,
        /// Movements that are done.
        done: usize,
        /// Of how many.
        of: usize,
        /// Time that is left, in milliseconds.
        left_ms: u64,
    },
    /// The head moved as asked, and as a head moves.
    Passed(Evidence),
    /// It did not.
    Failed(Failure, Evidence),
}

/// Why a challenge failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It moved, as a flat thing does.
    Flat,
    /// Not in time.
    TooLate,
    /// Another movement than the one asked for.
    WrongMove,
    /// The same pictures again.
    Repeated,
    /// The face went away, or another one came in its place.
    Lost,
}

/// The numbers behind it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// Frames with a face.
    pub frames: usize,
    /// How far the nose went against the plane of eyes and mouth, in the direction asked for: the
    /// least of all turns that are done.
    pub parallax: f64,
    /// The least height of the nose that any of them shows.
    pub height: f64,
    /// How far the plane of eyes and mouth turned away at most (tangent).
    pub tilt: f64,
}

/// One challenge of one person.
#[derive(Debug)]
pub struct Challenge {
    numbers: Numbers,
    script: Vec<Move>,
    random: [u8; 16],
    began_ms: u64,
    done: usize,
    phase: Phase,
    /// The newest faces, for their median.
    faces: VecDeque<Face>,
    /// The newest motions since the base.
    motions: VecDeque<Motion>,
    seen: HashSet<u64>,
    last: Option<Last>,
    repeated: usize,
    wrong: usize,
    held: usize,
    /// How far along this movement has been, median after median: they keep a jump a jump.
    way: Vec<f64>,
    evidence: Evidence,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    at_ms: u64,
    fingerprint: u64,
    middle: [f64; 2],
    size: f64,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Waiting for a face on front; the base of the movement before, if there was one.
    Front(Option<Face>),
    /// Measured against this base.
    Move(Face),
}

impl Challenge {
    /// A challenge whose order is drawn from random bytes.
    pub fn begin(random: [u8; 16], numbers: Numbers, now_ms: u64) -> Self {
        Self {
            numbers,
            script: script::draw(random, numbers.moves),
            random,
            began_ms: now_ms,
            done: 0,
            phase: Phase::Front(None),
            faces: VecDeque::new(),
            motions: VecDeque::new(),
            seen: HashSet::new(),
            last: None,
            repeated: 0,
            wrong: 0,
            held: 0,
            way: Vec::new(),
            evidence: Evidence {
                parallax: f64::INFINITY,
                height: f64::INFINITY,
                ..Evidence::default()
            },
        }
    }

    /// Whether a movement was asked for: whoever goes away now has seen which.
    pub fn has_asked(&self) -> bool {
        self.done > 0 || matches!(self.phase, Phase::Move(_))
    }

    /// Takes the next frame: the face in it, or none. After `Passed` or `Failed` it is over.
    pub fn step(&mut self, face: Option<&SeenFace>, now_ms: u64) -> Progress {
        if now_ms.saturating_sub(self.began_ms) > self.numbers.deadline_ms {
            return self.failed(self.why_late());
        }
        let Some(face) = face else { return self.blink(now_ms) };
        let again = self.last.is_some_and(|last| last.fingerprint == face.fingerprint);
        if again {
            return self.progress(now_ms);
        }
        if !self.seen.insert(face.fingerprint) {
            self.repeated += 1;
            if self.repeated >= REPEATED_MAX {
                return self.failed(Failure::Repeated);
            }
        }
        let Some(measured) = Face::measure(&face.landmarks.0) else { return self.blink(now_ms) };
        if self.jumped(&measured) {
            return self.failed(Failure::Lost);
        }
        let (middle, size) = (measured.middle, measured.size());
        self.last = Some(Last { at_ms: now_ms, fingerprint: face.fingerprint, middle, size });
        self.evidence.frames += 1;
        push(&mut self.faces, measured);
        match self.phase {
            Phase::Front(before) => {
                self.front(before, face.place.width / face.place.frame[0].max(1.0));
            }
            Phase::Move(base) => {
                if let Some(over) = self.moving(&base, &measured) {
                    return over;
                }
            }
        }
        self.progress(now_ms)
    }

    /// Looking straight ahead: the newest faces stand still against each other, and, between two
    /// movements, against the base of the last one.
    fn front(&mut self, before: Option<Face>, share_of_frame: f32) {
        if self.faces.len() < WINDOW {
            return;
        }
        let Some(base) = Face::median(self.faces.make_contiguous()) else { return };
        let near = |other: &Face| {
            base.since(other).is_some_and(|motion| {
                motion.parallax[0].hypot(motion.parallax[1]) < self.numbers.parallax_min * 0.6
            })
        };
        let still = self.faces.iter().all(near);
        if still && before.as_ref().is_none_or(near) {
            if before.is_none() && share_of_frame > NEAR {
                self.script = script::without_coming_closer(&self.script, self.random);
            }
            self.phase = Phase::Move(base);
            self.motions.clear();
            self.way.clear();
            (self.wrong, self.held) = (0, 0);
        }
    }

    /// One frame of a movement; `Some` when the challenge is over.
    fn moving(&mut self, base: &Face, face: &Face) -> Option<Progress> {
        let motion = face.since(base).filter(|motion| motion.tilt <= TILT_MAX)?;
        push(&mut self.motions, motion);
        if self.motions.len() < WINDOW {
            return None;
        }
        let now = Motion::median(self.motions.make_contiguous())?;
        self.evidence.tilt = self.evidence.tilt.max(now.tilt);
        let asked = *self.script.get(self.done)?;
        let least = self.numbers.parallax_min;
        let Some(direction) = asked.direction() else {
            let turned = now.parallax[0].hypot(now.parallax[1]);
            let on_front = turned < least && now.tilt < FRONT_TILT_MAX;
            let nearer = now.nearer >= self.numbers.nearer_min && on_front;
            self.held = if nearer { self.held + 1 } else { 0 };
            if self.held >= HELD_FRAMES {
                return self.moved(base);
            }
            let turned = turned > least * 1.8;
            return self.strays(turned);
        };
        let along = dot(now.parallax, direction);
        let across = dot(now.parallax, [direction[1], direction[0]]).abs();
        self.way.push(along);
        if along >= least && across <= (along * 0.9).max(least * 0.7) {
            let height = along / now.tilt.max(along);
            self.held = if height < self.numbers.height_min { 0 } else { self.held + 1 };
            if self.held < HELD_FRAMES {
                return None;
            }
            if self.steepest() > self.numbers.step_max {
                return Some(self.failed(Failure::Lost));
            }
            self.evidence.parallax = self.evidence.parallax.min(along);
            self.evidence.height = self.evidence.height.min(height);
            return self.moved(base);
        }
        self.held = 0;
        let other = -along >= least * 1.3 || (across >= least * 1.5 && across > along * 1.5);
        self.strays(other || now.nearer.abs() >= self.numbers.nearer_min * 2.0)
    }

    /// The largest rise from one median to the next, as a share of the whole way.
    fn steepest(&self) -> f64 {
        let end = self.way.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let rises = self.way.windows(2).map(|pair| pair[1] - pair[0]);
        // The way begins on front.
        rises.chain(self.way.first().copied()).fold(0.0, f64::max) / end
    }

    fn moved(&mut self, base: &Face) -> Option<Progress> {
        let turned = self.script.get(self.done).is_some_and(|asked| asked.direction().is_some());
        self.done += 1;
        if self.done == self.script.len() && self.evidence.frames >= self.numbers.frames_min {
            return Some(Progress::Passed(self.evidence));
        }
        // Who has come closer stays there: her new place is the base.
        self.phase = Phase::Front(turned.then_some(*base));
        self.faces.clear();
        None
    }

    fn strays(&mut self, strays: bool) -> Option<Progress> {
        self.wrong = if strays { self.wrong + 1 } else { 0 };
        (self.wrong >= WRONG_FRAMES).then(|| self.failed(Failure::WrongMove))
    }

    fn blink(&mut self, now_ms: u64) -> Progress {
        let since_ms = self.last.map_or(self.began_ms, |last| last.at_ms);
        if now_ms.saturating_sub(since_ms) > LOST_MS {
            return self.failed(Failure::Lost);
        }
        self.progress(now_ms)
    }

    fn jumped(&self, face: &Face) -> bool {
        self.last.is_some_and(|last| {
            let [x, y] = geometry::minus(face.middle, last.middle);
            let grown = (face.size() / last.size).max(last.size / face.size());
            x.hypot(y) > last.size * JUMP_MAX || grown > GROW_MAX
        })
    }

    /// Too late: did something move, and its nose stay in its plane?
    fn why_late(&self) -> Failure {
        if self.evidence.tilt > 0.5 && self.done == 0 { Failure::Flat } else { Failure::TooLate }
    }

    fn failed(&self, why: Failure) -> Progress {
        Progress::Failed(why, self.evidence)
    }

    fn progress(&self, now_ms: u64) -> Progress {
        let (done, of) = (self.done, self.script.len());
        let spent_ms = now_ms.saturating_sub(self.began_ms);
        let left_ms = self.numbers.deadline_ms.saturating_sub(spent_ms);
        match (self.phase, self.script.get(done)) {
            (Phase::Move(_), Some(asked)) => Progress::Asking { asked: *asked, done, of, left_ms },
            (Phase::Move(_), None) | (Phase::Front(_), _) => Progress::Front { done, of, left_ms },
        }
    }
}

fn push<T>(window: &mut VecDeque<T>, value: T) {
    if window.len() == WINDOW {
        window.pop_front();
    }
    window.push_back(value);
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}
