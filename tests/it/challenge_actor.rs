//! The active challenge through the real nets: made heads of generated people that turn as asked.

use rollcall::bench::actor::{Actor, Pose};
use rollcall::bench::people::PEOPLE;
use rollcall::camera;
use rollcall::checkin::challenge::{Challenge, Move, Numbers, Progress};
use rollcall::face::{Gallery, Pipeline, Recent, RuntimeChoice, Track, sight};

use crate::face_data::opened;

/// A frame every 67 ms: 15 a second.
const FRAME_MS: u64 = 67;

/// Of the generated people, one whose single picture bends well (docs/decisions/0020).
const TURNS_WELL: usize = 2;

/// What becomes of a challenge that this person takes; a picture that only shifts does not turn.
fn takes(pipeline: &mut Pipeline, who: usize, random: [u8; 16], turns: bool) -> Progress {
    let picture = camera::decode(PEOPLE[who][3]).unwrap();
    let points = pipeline.look(&picture).unwrap().face.expect("a face is there").points;
    let actor = Actor::new(picture, &points);
    let thresholds = pipeline.thresholds().unwrap().clone();
    let gallery = Gallery::new(pipeline.embedding_digest());
    let recent = Recent::new(thresholds.confident.cosine);
    let mut track = Track::new(thresholds.matching.cosine);
    let mut challenge = Challenge::begin(random, Numbers::default(), 0);
    let mut pose = Pose { at: [320.0, 250.0], size_px: 320.0, turn_deg: 0.0, lift_deg: 0.0 };
    let mut wanted = pose;
    for frame in 1..400 {
        let towards = |value: &mut f32, wanted: f32| *value += (wanted - *value).clamp(-4.0, 4.0);
        towards(&mut pose.turn_deg, wanted.turn_deg);
        towards(&mut pose.lift_deg, wanted.lift_deg);
        towards(&mut pose.size_px, wanted.size_px);
        towards(&mut pose.at[0], wanted.at[0]);
        let look = pipeline.look(&actor.frame(&pose, frame)).unwrap();
        if let Some(face) = &look.face {
            track.follow(face, false, frame * FRAME_MS);
        }
        let sighting = sight(&look, &track, &gallery, &recent, None, &[]);
        let asked = match challenge.step(sighting.face.as_ref(), frame * FRAME_MS) {
            Progress::Front { .. } => None,
            Progress::Asking { asked, .. } => Some(asked),
            over @ (Progress::Passed(_) | Progress::Failed(..)) => return over,
        };
        let at = |turn_deg, lift_deg, size_px| Pose { turn_deg, lift_deg, size_px, ..wanted };
        wanted = match asked {
            None => at(0.0, 0.0, wanted.size_px),
            Some(Move::ComeCloser) => at(0.0, 0.0, 420.0),
            Some(_) if !turns => Pose { at: [360.0, 250.0], ..wanted },
            Some(Move::TurnLeft) => at(26.0, 0.0, wanted.size_px),
            Some(Move::TurnRight) => at(-26.0, 0.0, wanted.size_px),
            Some(Move::LookUp) => at(0.0, 42.0, wanted.size_px),
        };
    }
    panic!("the deadline is over by now");
}

#[test]
fn made_heads_pass_when_they_turn_and_not_when_their_picture_only_shifts() {
    let mut pipeline = opened(RuntimeChoice::Auto);
    let mut failed = Vec::new();
    // All twelve orders of two movements.
    for order in 0..12_u128 {
        let random = order.to_be_bytes();
        let turned = takes(&mut pipeline, TURNS_WELL, random, true);
        if !matches!(turned, Progress::Passed(_)) {
            failed.push(format!("order {order}: {turned:?}"));
        }
    }
    assert!(failed.is_empty(), "of 12:\n{}", failed.join("\n"));
    let shifted = takes(&mut pipeline, TURNS_WELL, [7; 16], false);
    assert!(matches!(shifted, Progress::Failed(..)), "{shifted:?}");
}
