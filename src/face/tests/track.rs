//! From which frame on somebody else stands there, and what carries over.

use super::super::detect::Rect;
use super::super::pipeline::FrontFace;
use super::super::track::{GONE_MS, PICTURES_MAX, Track};
use super::unit;
use crate::domain::{Quality, Score};

const SAME: Score = Score::from_e4(6_000);

fn seen(x: f32, face: &[f32]) -> FrontFace {
    FrontFace {
        rect: Rect { x, y: 100.0, w: 100.0, h: 120.0 },
        points: [[0.0; 2]; 5],
        fingerprint: 7,
        quality: Quality {
            eye_distance_px: 40.0,
            detection: SAME,
            sharpness: 100.0,
            brightness: 120.0,
            turn: 0.0,
            nod: 0.6,
            lean_deg: 0.0,
            mouth_detail: 0.9,
        },
        liveness: Some(Score::from_e4(9_000)),
        embedding: unit(face),
    }
}

const HERS: [f32; 2] = [1.0, 0.0];
const HIS: [f32; 2] = [0.0, 1.0];

#[test]
fn pictures_of_one_person_are_one_visit_and_its_face_their_mean() {
    let mut track = Track::new(SAME);
    track.follow(&seen(100.0, &[1.0, 0.5]), true, 0);
    track.follow(&seen(130.0, &[1.0, -0.5]), true, 70);
    assert_eq!((track.visit(), track.pictures()), (1, 2));
    assert!((track.face().unwrap().cosine(&unit(&HERS)) - 1.0).abs() < 1e-6);
    assert_eq!(track.liveness(), Some(Score::from_e4(9_000)));
}

#[test]
fn other_face_at_the_same_place_is_another_visit_with_nothing_carried_over() {
    let mut track = Track::new(SAME);
    track.follow(&seen(100.0, &HERS), true, 0);
    track.follow(&seen(100.0, &HIS), true, 70);
    assert_eq!((track.visit(), track.pictures()), (2, 1));
    assert!((track.face().unwrap().cosine(&unit(&HIS)) - 1.0).abs() < 1e-6);
}

#[test]
fn turned_head_is_still_the_same_visit_and_counts_as_no_picture() {
    let mut track = Track::new(SAME);
    track.follow(&seen(100.0, &HERS), true, 0);
    track.follow(&seen(110.0, &HIS), false, 70);
    track.follow(&seen(100.0, &HERS), true, 140);
    assert_eq!((track.visit(), track.pictures()), (1, 2));
}

#[test]
fn face_that_jumps_or_grows_at_once_is_another_visit() {
    for sudden in [seen(190.0, &HERS), {
        let mut near = seen(80.0, &HERS);
        near.rect.w = 180.0;
        near
    }] {
        let mut track = Track::new(SAME);
        track.follow(&seen(100.0, &HERS), true, 0);
        track.follow(&sudden, true, 70);
        assert_eq!(track.visit(), 2);
    }
}

#[test]
fn who_comes_back_after_a_while_begins_anew() {
    let mut track = Track::new(SAME);
    track.follow(&seen(100.0, &HERS), true, 0);
    track.follow(&seen(100.0, &HERS), true, GONE_MS);
    assert_eq!(track.visit(), 1);
    track.follow(&seen(100.0, &HERS), true, 2 * GONE_MS + 1);
    assert_eq!(track.visit(), 2);
}

#[test]
fn comparison_rests_on_the_newest_pictures_only() {
    let mut track = Track::new(Score::from_e4(-10_000));
    track.follow(&seen(100.0, &HIS), true, 0);
    for frame in 1..=PICTURES_MAX as u64 {
        track.follow(&seen(100.0, &HERS), true, frame * 70);
    }
    assert!((track.face().unwrap().cosine(&unit(&HERS)) - 1.0).abs() < 1e-6);
    assert_eq!(track.pictures() as usize, PICTURES_MAX + 1);
}
