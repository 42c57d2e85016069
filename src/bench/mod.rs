//! `rollcall terminal bench`: generated people come before a made camera at 15 frames a second, one
//! after the other, and everything behind it is real: decoding, nets, decision, signature, journal
//! with its disk. It says how long people wait and what the machine has to give.
//!
//! The camera hands over JPEGs, as webcams do at this rate. Drawing them is done between two frames and
//! does not count. Who is asked for a movement understands it after 0.6 s and turns 60 degrees a second.

pub mod actor;
pub mod people;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use self::actor::{Actor, Pose, room};
use crate::camera::{self, Frame, PictureError};
use crate::checkin::challenge::Move;
use crate::checkin::{self, Plan, When};
use crate::domain::{Lesson, Outcome, PersonId, Policy, TerminalId};
use crate::face::gallery::EnrolError;
use crate::face::{Embedding, Gallery, LookError, OpenError, Pipeline};
use crate::journal::{self, Bounds, Journal};
use crate::kiosk::{Message, Screen};
use crate::platform::chance;
use crate::platform::clock::{Clock, Stopwatch, SystemClock};
use crate::platform::process;
use crate::platform::scratch::{Scratch, ScratchError};
use crate::record::SigningKey;
use crate::terminal::{
    Answer, AttendError, Door, Setup, StartError, Terminal, numbers, people_searched,
};
use crate::uplink::{self, NoWaypoints};

/// Frames a second of an ordinary webcam.
pub const FRAMES_PER_S: u64 = 15;

/// People on the roster: the largest class that the policies name.
pub const ROSTER: u32 = 60;

/// A visit without an answer ends after so many frames: twenty seconds, more than a challenge has.
const FRAMES_MAX: usize = 300;

/// Frames of an empty room between two people, so that one is gone before the next comes.
const FRAMES_EMPTY: u64 = 13;

/// Frames in which she walks up to the camera.
const FRAMES_IN: u16 = 6;

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How many people came.
    pub visits: usize,
    /// How many of them were accepted under their own name.
    pub accepted: usize,
    /// Whether movements were asked for.
    pub challenge: bool,
    /// From the first frame with the whole face to the green light, record on disk.
    pub answer_ms: Quantiles,
    /// Time of each stage for one frame with a face.
    pub stages_ms: Stages,
    /// Frames a second that this machine could take with a face in each.
    pub frames_per_s: f64,
    /// Share of one processor that 15 frames a second take; of a machine with two, up to 200.
    pub cpu_percent: Option<f64>,
    /// Most memory that the whole program held, in MB (10^6 bytes).
    pub rss_mb: Option<f64>,
    /// Which runtime ran the nets.
    pub runtime: &'static str,
    /// Which models.
    pub pack: String,
}

/// The middle and the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// The middle one.
    pub median: f64,
    /// 95 of 100 are not above it.
    pub p95: f64,
}

impl Quantiles {
    /// 0 of nothing.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
            values.get(place).copied().unwrap_or(0.0)
        };
        Self { median: at(50), p95: at(95) }
    }
}

/// Time of each stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stages {
    /// JPEG to pixels.
    pub decode: Quantiles,
    /// Finding faces.
    pub detect: Quantiles,
    /// Aligning and measuring quality.
    pub align: Quantiles,
    /// Asking the liveness nets.
    pub liveness: Quantiles,
    /// Making the embedding.
    pub embed: Quantiles,
    /// Comparing and deciding; where there is a decision, signing and storing it as well.
    pub decide: Quantiles,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it wraps")]
pub enum BenchError {
    #[error("could not use the models")]
    Models(#[from] OpenError),
    #[error("could not read a picture of the program")]
    Picture(#[from] PictureError),
    #[error("could not look at a frame")]
    Look(#[from] LookError),
    #[error("could not enrol a generated person")]
    Enrol(#[from] EnrolError),
    #[error("the models see no face in a picture of the program")]
    NoFace,
    #[error(transparent)]
    Folder(#[from] ScratchError),
    #[error("could not make a journal")]
    Init(#[from] journal::InitError),
    #[error("could not start the terminal")]
    Start(#[from] StartError),
    #[error("could not answer a frame")]
    Attend(#[from] AttendError),
}

/// Nobody looks.
struct NoScreen;

impl Screen for NoScreen {
    fn show(&mut self, _message: &Message, _at_ms: u64) {}
}

fn person(number: u32) -> PersonId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    PersonId(id)
}

/// Lets `visits` people come. Call it inside a tokio runtime; it blocks.
pub fn run(
    pipeline: &mut Pipeline,
    settings: &checkin::Settings,
    visits: usize,
) -> Result<Report, BenchError> {
    let scratch = Scratch::make("bench")?;
    let clock = Arc::new(SystemClock::start());
    let terminal = terminal(scratch.path(), pipeline, &clock)?;
    let (mut door, actors) = door(pipeline, settings, &*clock)?;
    let mut seen = Seen::default();
    let (began, cpu_before) = (Stopwatch::start(), process::cpu_time());
    for visit in 0..visits {
        let who = visit % actors.len();
        let number = u32::try_from(who).expect("a bench has few people");
        let visitor = Visitor::new(&actors[who], visit);
        seen.visit(visitor, person(number), &mut door, pipeline, &terminal, &*clock)?;
    }
    let (ran, drawing) = (began.elapsed(), seen.drawing);
    let cpu = process::cpu_time().zip(cpu_before);
    let cpu = cpu.map(|(after, before)| after.saturating_sub(before).saturating_sub(drawing));
    let (pack, runtime) = (pipeline.pack().name.clone(), pipeline.runtime().as_str());
    let mut report =
        seen.report(visits, cpu.map(|cpu| cpu.div_duration_f64(ran) * 100.0), runtime, pack);
    report.challenge = settings.challenge != When::Never;
    Ok(report)
}

fn terminal(
    folder: &Path,
    pipeline: &Pipeline,
    clock: &Arc<SystemClock>,
) -> Result<Terminal, BenchError> {
    let id: TerminalId = "bench".parse().expect("it is a name");
    let key = SigningKey::from_secret(&chance::random_bytes());
    let receipt_key = SigningKey::from_secret(&chance::random_bytes()).verifying_key();
    let journal_dir = folder.join("journal");
    Journal::init(&journal_dir, &id, key.verifying_key().id())?;
    Ok(Terminal::start(Setup {
        terminal: id,
        key,
        journal_dir,
        bounds: Bounds::default(),
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            broker_port: 1,
            receipt_key,
            clock_tolerance_ms: 120_000,
            pace: uplink::Section::default().pace().expect("a test checks the defaults"),
            firmware: env!("CARGO_PKG_VERSION").into(),
        },
        policy: Policy::sichuan_2025().profile(),
        pack: Some(pipeline.pack_digest()),
        plugged: false,
        clock: Arc::clone(clock) as _,
        waypoints: Arc::new(NoWaypoints),
    })?)
}

/// A door with a lesson that runs now and a full roster, and those of it who will come.
fn door(
    pipeline: &mut Pipeline,
    settings: &checkin::Settings,
    clock: &dyn Clock,
) -> Result<(Door, Vec<Actor>), BenchError> {
    let thresholds = pipeline.thresholds()?.clone();
    let mut gallery = Gallery::new(pipeline.embedding_digest());
    let mut actors = Vec::new();
    let mut some_face: Option<Embedding> = None;
    for (number, pictures) in (0..).zip(people::PEOPLE) {
        let mut faces = Vec::new();
        for picture in &pictures[..3] {
            let look = pipeline.look(&camera::decode(picture)?)?;
            faces.push(look.face.ok_or(BenchError::NoFace)?.embedding);
        }
        gallery.enrol(person(number), &faces, thresholds.matching.cosine)?;
        some_face = some_face.or_else(|| faces.pop());
        let frame = camera::decode(pictures[3])?;
        let face = pipeline.look(&frame)?.face.ok_or(BenchError::NoFace)?;
        actors.push(Actor::new(frame, &face.points));
    }
    let first_unknown = u32::try_from(actors.len()).expect("a bench has few people");
    for number in first_unknown..ROSTER {
        if let Some(face) = some_face.as_ref().and_then(|face| face.of_nobody(number)) {
            gallery.enrol(person(number), &[face], thresholds.matching.cosine)?;
        }
    }
    let roster: BTreeSet<_> = (0..ROSTER).map(person).collect();
    let now = clock.now();
    let lesson = Lesson {
        id: "bench-1".parse().expect("it is a name"),
        class: "bench".parse().expect("it is a name"),
        site: "bench".parse().expect("it is a name"),
        starts: now,
        ends: now.plus_ms(24 * 3_600_000),
    };
    let plans = vec![Plan { lesson, roster }];
    let people = people_searched(&plans, &gallery);
    let numbers = numbers(&Policy::sichuan_2025(), &thresholds, settings, people);
    Ok((Door::new(numbers, plans, gallery, &thresholds, Box::new(NoScreen)), actors))
}

/// Somebody who walks in, stands, and does what she is asked for.
struct Visitor<'a> {
    actor: &'a Actor,
    visit: usize,
    frame: u16,
    /// Turn and lift in degrees, and how much larger she looks in pixels.
    head: [f32; 3],
    asked: (Option<Move>, u16),
}

/// Frames until somebody has understood what she is asked for: 0.6 s.
const FRAMES_TO_UNDERSTAND: u16 = 9;

/// How far a head turns from one frame to the next, in degrees: 60 degrees a second.
const TURN_DEG: f32 = 4.0;

impl<'a> Visitor<'a> {
    fn new(actor: &'a Actor, visit: usize) -> Self {
        Self { actor, visit, frame: 0, head: [0.0; 3], asked: (None, 0) }
    }

    fn hears(&mut self, asked: Option<Move>) {
        if self.asked.0 != asked {
            self.asked = (asked, self.frame);
        }
    }

    /// The next frame, as the camera sends it.
    fn frame(&mut self) -> Vec<u8> {
        let (asked, since) = self.asked;
        if self.frame >= since + FRAMES_TO_UNDERSTAND {
            let closer = self.head[2];
            let wanted = match asked {
                None => [0.0, 0.0, closer],
                Some(Move::TurnLeft) => [26.0, 0.0, closer],
                Some(Move::TurnRight) => [-26.0, 0.0, closer],
                // More than a person would: the bending of one picture is weak there.
                Some(Move::LookUp) => [0.0, 42.0, closer],
                Some(Move::ComeCloser) => [0.0, 0.0, 100.0],
            };
            for (angle, wanted) in self.head.iter_mut().zip(wanted) {
                *angle += (wanted - *angle).clamp(-TURN_DEG, TURN_DEG);
            }
        }
        let mut pose = match self.frame.checked_sub(FRAMES_IN) {
            None => walking_in(self.frame),
            Some(frame) => standing(frame),
        };
        pose.turn_deg += self.head[0];
        pose.lift_deg += self.head[1];
        pose.size_px += self.head[2];
        let seed = self.visit as u64 * 1_000 + u64::from(self.frame);
        self.frame += 1;
        camera::preview(&self.actor.frame(&pose, seed))
    }
}

fn walking_in(frame: u16) -> Pose {
    let way = f32::from(frame) / f32::from(FRAMES_IN);
    Pose {
        at: [150.0 + 170.0 * way, 250.0],
        size_px: 230.0 + 90.0 * way,
        turn_deg: 12.0 * (1.0 - way),
        lift_deg: 0.0,
    }
}

fn standing(frame: u16) -> Pose {
    let time = f32::from(frame);
    Pose {
        at: [320.0 + 3.0 * (time / 7.0).sin(), 245.0 + 3.0 * (time / 5.0).sin()],
        size_px: 320.0,
        turn_deg: 3.0 * (time / 9.0).sin(),
        lift_deg: 2.0 * (time / 6.0).sin(),
    }
}

/// What was measured so far.
#[derive(Default)]
struct Seen {
    answers_ms: Vec<f64>,
    accepted: usize,
    decode: Vec<f64>,
    detect: Vec<f64>,
    align: Vec<f64>,
    liveness: Vec<f64>,
    embed: Vec<f64>,
    decide: Vec<f64>,
    whole_ms: Vec<f64>,
    /// Processor time that drawing took.
    drawing: Duration,
}

impl Seen {
    /// Plays one visit, in real time.
    fn visit(
        &mut self,
        mut visitor: Visitor<'_>,
        who: PersonId,
        door: &mut Door,
        pipeline: &mut Pipeline,
        terminal: &Terminal,
        clock: &dyn Clock,
    ) -> Result<(), BenchError> {
        let frame_time = Duration::from_micros(1_000_000 / FRAMES_PER_S);
        let mut watch = None;
        let mut due = Duration::ZERO;
        for _ in 0..FRAMES_MAX {
            let jpeg = self.drawn(|| visitor.frame());
            // The visit begins when its first frame is there.
            let watch = watch.get_or_insert_with(Stopwatch::start);
            thread::sleep(due.saturating_sub(watch.elapsed()));
            due += frame_time;
            let step = Stopwatch::start();
            let frame = camera::decode(&jpeg)?;
            let decode = step.elapsed();
            let answer = door.attend(pipeline, terminal, clock, &frame, None)?;
            self.took(decode, step.elapsed(), door);
            match answer {
                Answer::Stored { checkin, .. } => {
                    self.answers_ms.push(ms(watch.elapsed()));
                    let known = [Outcome::Accepted, Outcome::AlreadyIn].contains(&checkin.outcome);
                    self.accepted += usize::from(known && checkin.person == Some(who));
                    break;
                }
                Answer::Asked(asked) => visitor.hears(asked),
                Answer::Wait(_) | Answer::Look | Answer::Same => {}
            }
        }
        for number in 0..FRAMES_EMPTY {
            let empty: Frame = self.drawn(|| room(number));
            thread::sleep(frame_time);
            door.attend(pipeline, terminal, clock, &empty, None)?;
        }
        Ok(())
    }

    fn drawn<T>(&mut self, draw: impl FnOnce() -> T) -> T {
        let before = process::cpu_time();
        let drawn = draw();
        let spent = process::cpu_time().zip(before);
        self.drawing +=
            spent.map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
        drawn
    }

    fn took(&mut self, decode: Duration, whole: Duration, door: &Door) {
        let nets = door.timings();
        if nets.embed.is_zero() {
            return;
        }
        let others = decode + nets.detect + nets.align + nets.liveness + nets.embed;
        self.decode.push(ms(decode));
        self.detect.push(ms(nets.detect));
        self.align.push(ms(nets.align));
        self.liveness.push(ms(nets.liveness));
        self.embed.push(ms(nets.embed));
        self.decide.push(ms(whole.saturating_sub(others)));
        self.whole_ms.push(ms(whole));
    }

    fn report(
        self,
        visits: usize,
        cpu_percent: Option<f64>,
        runtime: &'static str,
        pack: String,
    ) -> Report {
        let mean_ms = self.whole_ms.iter().sum::<f64>() / self.whole_ms.len().max(1) as f64;
        Report {
            visits,
            accepted: self.accepted,
            challenge: false,
            answer_ms: Quantiles::of(self.answers_ms),
            stages_ms: Stages {
                decode: Quantiles::of(self.decode),
                detect: Quantiles::of(self.detect),
                align: Quantiles::of(self.align),
                liveness: Quantiles::of(self.liveness),
                embed: Quantiles::of(self.embed),
                decide: Quantiles::of(self.decide),
            },
            frames_per_s: if mean_ms > 0.0 { 1_000.0 / mean_ms } else { 0.0 },
            cpu_percent,
            rss_mb: process::memory_peak_bytes().map(|bytes| bytes as f64 / 1e6),
            runtime,
            pack,
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
