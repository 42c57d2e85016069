//! Simulated heads and attacks before a challenge, to measure how often honest people fail and
//! attacks pass. Five points in space are moved, seen by a webcam, and blurred by a detector's
//! noise. Nobody real was measured: what comes out is called simulated.
//!
//! The attacker knows the instructions and does what his means allow, as quickly as a person can.

use super::{Challenge, Failure, Move, Numbers, Progress, script};
use crate::domain::{FacePlace, Landmarks, Quality, Score, SeenFace};

/// Who, or what, stands before the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person who does as she is told.
    Honest,
    /// One who turns slowly and little: 14 to 20 degrees.
    HonestSlow,
    /// A photograph, moved about and nearer.
    PhotoMoved,
    /// A photograph that is turned about its axes as the head should turn.
    PhotoTilted,
    /// The same, bent over a cylinder of 6 to 15 cm radius.
    PhotoBent,
    /// A photograph that is waved: bent and turned to and fro.
    PhotoWaved,
    /// A paper mask before a head that moves as it should, curved around the face.
    PaperMask,
    /// Two photographs, from the front and turned the right way, exchanged at once.
    PhotosSwapped,
    /// The recording of a challenge with another order.
    VideoReplayed,
    /// The right movements, in frames that are fed in a loop.
    FramesRepeated,
    /// The recording of a challenge that happens to have the same order and pace: not countered.
    VideoOfSameOrder,
    /// A solid head that follows the instructions, made by a machine: not countered.
    AnimatedHead,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 12] = [
        Kind::Honest,
        Kind::HonestSlow,
        Kind::PhotoMoved,
        Kind::PhotoTilted,
        Kind::PhotoBent,
        Kind::PhotoWaved,
        Kind::PaperMask,
        Kind::PhotosSwapped,
        Kind::VideoReplayed,
        Kind::FramesRepeated,
        Kind::VideoOfSameOrder,
        Kind::AnimatedHead,
    ];
}

/// What came of one challenge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// `None`: it passed.
    pub failure: Option<Failure>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Lets one of this kind, drawn from `seed`, take one challenge.
pub fn play(kind: Kind, seed: u64, numbers: Numbers) -> Outcome {
    let mut chance = Chance::new(seed, kind);
    let mut random = [0; 16];
    random.iter_mut().for_each(|byte| *byte = chance.byte());
    let mut challenge = Challenge::begin(random, numbers, 0);
    let script = script::draw(random, numbers.moves);
    let mut recorded = script.clone();
    while recorded == script {
        let mut other = [0; 16];
        other.iter_mut().for_each(|byte| *byte = chance.byte());
        recorded = script::draw(other, numbers.moves);
    }
    let mut actor = Actor::new(kind, recorded, &mut chance);
    let frame_ms = chance.between(67.0, 120.0);
    let mut now_ms = 0.0;
    let mut progress = Progress::Front { done: 0, of: numbers.moves, left_ms: 0 };
    loop {
        now_ms += frame_ms * chance.between(0.9, 1.1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let at_ms = now_ms as u64;
        let asked = match progress {
            Progress::Front { .. } => None,
            Progress::Asking { asked, .. } => Some(asked),
            Progress::Passed(_) => return Outcome { failure: None, took_ms: at_ms },
            Progress::Failed(why, _) => return Outcome { failure: Some(why), took_ms: at_ms },
        };
        let face = actor.seen(asked, now_ms, &mut chance);
        // A frame is lost now and then, and the detector blinks.
        let lost = chance.unit() < 0.02;
        progress = challenge.step(face.as_ref().filter(|_| !lost), at_ms);
    }
}

/// One actor: a shape, a camera, a pace.
struct Actor {
    kind: Kind,
    points: [[f64; 3]; 5],
    /// Distance of the camera and its focal length, both in distances of the eyes and pixels.
    away: f64,
    focal_px: f64,
    middle: [f64; 2],
    /// Turn and lift at rest, and the turn that she makes, in radians.
    rest: [f64; 2],
    reach: f64,
    /// How long she takes to understand, and to do, in milliseconds.
    reaction_ms: f64,
    speed_ms: f64,
    noise: f64,
    /// Radius of the bending, in distances of the eyes.
    radius: f64,
    wave_ms: f64,
    recorded: Vec<Move>,
    /// What she does: which movement, since when, from where.
    doing: (Option<Move>, f64, [f64; 3]),
    pose: [f64; 3],
    frame: u64,
}

impl Actor {
    fn new(kind: Kind, recorded: Vec<Move>, chance: &mut Chance) -> Self {
        let mouth = chance.around(1.05, 0.07);
        let wide = chance.around(0.42, 0.04);
        let nose = chance.around(0.42, 0.06).clamp(0.28, 0.58);
        let points = [
            [-0.5, 0.0, 0.0],
            [0.5, 0.0, 0.0],
            [chance.around(0.0, 0.03), chance.around(0.58, 0.06), nose],
            [-wide, mouth, chance.around(0.02, 0.05)],
            [wide, mouth, chance.around(0.02, 0.05)],
        ];
        let slow = kind == Kind::HonestSlow;
        let degrees = if slow { chance.between(14.0, 20.0) } else { chance.between(20.0, 40.0) };
        Self {
            kind,
            points,
            away: chance.between(6.0, 16.0),
            // A webcam sees 60 to 75 degrees over 640 pixels.
            focal_px: chance.between(420.0, 550.0),
            middle: [chance.between(260.0, 380.0), chance.between(200.0, 280.0)],
            rest: [chance.around(0.0, 0.08), chance.around(0.0, 0.08)],
            reach: degrees.to_radians(),
            reaction_ms: if slow {
                chance.between(600.0, 1_300.0)
            } else {
                chance.between(300.0, 1_000.0)
            },
            speed_ms: if slow {
                chance.between(900.0, 1_600.0)
            } else {
                chance.between(350.0, 900.0)
            },
            noise: chance.between(0.010, 0.022),
            // The eyes of an adult are 6.3 cm apart.
            radius: chance.between(6.0, 15.0) / 6.3,
            wave_ms: chance.between(400.0, 1_500.0),
            recorded,
            doing: (None, 0.0, [0.0; 3]),
            pose: [0.0; 3],
            frame: 0,
        }
    }

    /// What the detector sees of her now.
    fn seen(&mut self, asked: Option<Move>, now_ms: f64, chance: &mut Chance) -> Option<SeenFace> {
        self.frame += 1;
        let wanted = match self.kind {
            Kind::VideoReplayed => self.recording(now_ms),
            Kind::PhotoMoved | Kind::PhotoWaved => None,
            Kind::Honest
            | Kind::HonestSlow
            | Kind::PhotoTilted
            | Kind::PhotoBent
            | Kind::PaperMask
            | Kind::PhotosSwapped
            | Kind::FramesRepeated
            | Kind::VideoOfSameOrder
            | Kind::AnimatedHead => asked,
        };
        self.move_towards(wanted, now_ms);
        let points = self.project(now_ms, chance)?;
        // A loop of one second, fed again and again.
        let repeats = self.kind == Kind::FramesRepeated;
        let fingerprint = if repeats { self.frame % 15 } else { self.frame };
        Some(face(points, fingerprint))
    }

    /// The recording shows its own movements at its own pace.
    fn recording(&self, now_ms: f64) -> Option<Move> {
        let beat_ms = self.reaction_ms + 2.0 * self.speed_ms + 600.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let beat = (now_ms / beat_ms) as usize;
        let resting = now_ms % beat_ms > self.speed_ms + 400.0;
        if resting { None } else { self.recorded.get(beat).copied() }
    }

    /// Turn, lift and nearness go to where the movement wants them, after a moment, and smoothly.
    fn move_towards(&mut self, wanted: Option<Move>, now_ms: f64) {
        if self.doing.0 != wanted {
            self.doing = (wanted, now_ms, self.pose);
        }
        let (doing, since_ms, from) = self.doing;
        let to = match doing {
            None => [0.0, 0.0, self.pose[2]],
            Some(Move::TurnLeft) => [self.reach, 0.0, self.pose[2]],
            Some(Move::TurnRight) => [-self.reach, 0.0, self.pose[2]],
            Some(Move::LookUp) => [0.0, self.reach * 0.85, self.pose[2]],
            Some(Move::ComeCloser) => [0.0, 0.0, 0.25],
        };
        let spent = ((now_ms - since_ms - self.reaction_ms) / self.speed_ms).clamp(0.0, 1.0);
        let eased = if self.kind == Kind::PhotosSwapped {
            // One picture in place of another.
            f64::from(u8::from(spent > 0.0))
        } else {
            spent * spent * (3.0 - 2.0 * spent)
        };
        for (axis, value) in self.pose.iter_mut().enumerate() {
            *value = from[axis] + (to[axis] - from[axis]) * eased;
        }
    }

    /// Through the camera, with the detector's noise.
    fn project(&self, now_ms: f64, chance: &mut Chance) -> Option<[[f32; 2]; 5]> {
        let wave = (now_ms / self.wave_ms * std::f64::consts::TAU).sin();
        let wave_slow = (now_ms / self.wave_ms / 2.3 * std::f64::consts::TAU).sin();
        let [turn, lift, nearer] = self.pose;
        // A recording or picture was taken as its person stood; the flat thing moves besides.
        let solid = |points: &[[f64; 3]; 5]| {
            points.map(|point| about_the_neck(point, turn + self.rest[0], lift + self.rest[1]))
        };
        let flat = |bent: f64| {
            self.points.map(|[x, y, _]| {
                if bent <= 0.0 {
                    return [x, y, 0.0];
                }
                let angle = x / bent;
                [bent * angle.sin(), y, bent * (angle.cos() - 1.0)]
            })
        };
        let turned = |points: [[f64; 3]; 5], turn: f64, lift: f64| {
            points.map(|point| rotated(point, turn, lift))
        };
        let mut shift = [0.0, 0.0];
        let points = match self.kind {
            Kind::Honest
            | Kind::HonestSlow
            | Kind::AnimatedHead
            | Kind::VideoOfSameOrder
            | Kind::VideoReplayed
            | Kind::FramesRepeated
            | Kind::PhotosSwapped => solid(&self.points),
            Kind::PhotoMoved => {
                shift = [0.5 * wave_slow, 0.3 * wave];
                turned(flat(0.0), 0.15 * wave, 0.1 * wave_slow)
            }
            // He turns the paper further than a head would, to be on the safe side.
            Kind::PhotoTilted => turned(flat(0.0), turn * 1.4, lift * 1.4),
            Kind::PhotoBent => turned(flat(self.radius), turn * 1.4, lift * 1.4),
            Kind::PhotoWaved => {
                turned(flat(self.radius / (0.3 + wave.abs())), 0.7 * wave_slow, 0.4 * wave)
            }
            Kind::PaperMask => flat(1.6).map(|point| about_the_neck(point, turn, lift)),
        };
        let away = self.away * (1.0 - nearer);
        let mut seen = [[0.0; 2]; 5];
        let eyes_px = self.focal_px / away;
        for (place, point) in seen.iter_mut().zip(points) {
            let depth = away - point[2];
            if depth < 1.0 {
                return None;
            }
            let outlier = if chance.unit() < 0.004 { 0.12 } else { 0.0 };
            for axis in 0..2 {
                let noise =
                    chance.around(0.0, self.noise + outlier) * eyes_px + chance.around(0.0, 0.35);
                let value = self.middle[axis]
                    + (point[axis] + shift[axis] - if axis == 1 { 0.5 } else { 0.0 })
                        * self.focal_px
                        / depth
                    + noise;
                #[expect(clippy::cast_possible_truncation, reason = "pixels")]
                let value = value as f32;
                place[axis] = value;
            }
        }
        Some(seen)
    }
}

/// A head turns about the neck, which lies behind and below the face.
fn about_the_neck([x, y, z]: [f64; 3], turn: f64, lift: f64) -> [f64; 3] {
    let (behind, below) = (1.3, 1.2);
    let [x, y, z] = rotated([x, y - below, z + behind], turn, lift);
    [x, y + below, z - behind]
}

/// Turned to the right of the picture, and lifted; z points to the camera, y down.
fn rotated([x, y, z]: [f64; 3], turn: f64, lift: f64) -> [f64; 3] {
    let (x, z) = (x * turn.cos() + z * turn.sin(), z * turn.cos() - x * turn.sin());
    [x, y * lift.cos() - z * lift.sin(), z * lift.cos() + y * lift.sin()]
}

/// A face with these points, as the face stage would tell of it.
pub fn face(points: [[f32; 2]; 5], fingerprint: u64) -> SeenFace {
    let width = (points[1][0] - points[0][0]).abs() * 2.2;
    SeenFace {
        place: FacePlace {
            x: points[2][0] - width / 2.0,
            y: points[0][1] - width / 2.0,
            width,
            height: width * 1.25,
            frame: [640.0, 480.0],
        },
        landmarks: Landmarks(points),
        fingerprint,
        visit: 1,
        pictures: 3,
        quality: Quality {
            eye_distance_px: width / 2.2,
            detection: Score::from_e4(9_000),
            sharpness: 100.0,
            brightness: 120.0,
            turn: 0.0,
            nod: 0.6,
            lean_deg: 0.0,
            mouth_detail: 1.0,
        },
        liveness: None,
        claimed: None,
        best: None,
        second: None,
        same_face: None,
    }
}

/// Xorshift (Marsaglia 2003), seeded: the same seed plays the same challenge.
struct Chance(u64);

impl Chance {
    fn new(seed: u64, kind: Kind) -> Self {
        let mut chance =
            Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((kind as u64 + 1) << 32));
        for _ in 0..8 {
            chance.next();
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Normal, by the sum of twelve.
    fn around(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        mean + (sum - 6.0) * deviation
    }
}
