use super::{person, unit};
use crate::domain::{PersonId, Score};
use crate::face::gallery::{EnrolError, Gallery, PEOPLE_MAX};
use crate::face::recent::{RECENT_MAX, Recent};
use crate::face::{FrontFace, Look, Rect, Timings, Track, sight};

const SAME: Score = Score::from_e4(4000);

/// 1 looks like 2 a little (cosine 0.6) and like 3 not at all.
fn gallery() -> Gallery {
    let mut gallery = Gallery::new([7; 32]);
    gallery.enrol(person(1), &[unit(&[1.0, 0.0, 0.0])], SAME).unwrap();
    gallery.enrol(person(2), &[unit(&[0.6, 0.8, 0.0])], SAME).unwrap();
    gallery.enrol(person(3), &[unit(&[0.0, 0.0, 1.0])], SAME).unwrap();
    gallery
}

#[test]
fn best_and_second_are_different_people_of_the_roster() {
    let face = unit(&[1.0, 0.0, 0.0]);
    let roster = [person(3), person(1), person(1), person(2), person(9)];
    let compared = gallery().compare(&face, None, &roster);
    assert_eq!(compared.claimed, None);
    let best = compared.best.unwrap();
    assert_eq!((best.person, best.score), (person(1), Score::from_e4(10_000)));
    let second = compared.second.unwrap();
    assert_eq!((second.person, second.score), (person(2), Score::from_e4(6000)));
}

#[test]
fn who_is_not_on_the_roster_is_compared_only_when_claimed() {
    let face = unit(&[1.0, 0.0, 0.0]);
    let compared = gallery().compare(&face, Some(person(1)), &[person(3)]);
    assert_eq!(compared.claimed, Some(Score::from_e4(10_000)));
    assert_eq!(compared.best.unwrap().person, person(3));
    assert_eq!(compared.second, None);
    let stranger = gallery().compare(&face, Some(person(9)), &[]);
    assert_eq!((stranger.claimed, stranger.best, stranger.second), (None, None, None));
}

#[test]
fn template_is_the_mean_direction_of_the_pictures() {
    let mut gallery = Gallery::new([7; 32]);
    let pictures = [unit(&[1.0, 0.0]), unit(&[0.0, 1.0])];
    gallery.enrol(person(1), &pictures, SAME).unwrap();
    let compared = gallery.compare(&unit(&[1.0, 1.0]), None, &[person(1)]);
    assert_eq!(compared.best.unwrap().score, Score::from_e4(10_000));
}

#[test]
fn pictures_of_two_people_enrol_nobody() {
    let mut gallery = gallery();
    let two = [unit(&[1.0, 0.0, 0.0]), unit(&[1.0, 0.1, 0.0]), unit(&[-0.2, 0.0, 1.0])];
    let refused = gallery.enrol(person(4), &two, Score::from_e4(5000)).unwrap_err();
    assert!(matches!(refused, EnrolError::NotOnePerson { .. }), "{refused}");
    assert_eq!(gallery.enrol(person(4), &[], SAME), Err(EnrolError::NoPicture));
    assert_eq!(gallery.enrol(person(4), &[unit(&[1.0])], SAME), Err(EnrolError::OtherModel));
    assert!(!gallery.contains(&person(4)));
}

#[test]
fn full_gallery_refuses_new_people_and_still_renews_old_ones() {
    let mut gallery = Gallery::new([7; 32]);
    let numbered = |number: usize| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        PersonId(id)
    };
    for number in 0..PEOPLE_MAX {
        gallery.enrol(numbered(number), &[unit(&[1.0])], SAME).unwrap();
    }
    assert_eq!(gallery.enrol(numbered(PEOPLE_MAX), &[unit(&[1.0])], SAME), Err(EnrolError::Full));
    gallery.enrol(numbered(5), &[unit(&[-1.0])], SAME).unwrap();
    assert!(gallery.remove(&numbered(5)) && !gallery.remove(&numbered(5)));
}

#[test]
fn same_face_is_reported_for_others_only_and_only_when_sure() {
    let nobody = Gallery::new([7; 32]);
    let mut recent = Recent::new(Score::from_e4(7000));
    recent.remember(person(1), 11, unit(&[1.0, 0.0]));
    recent.remember(person(1), 12, unit(&[1.0, 0.1]));
    let face = unit(&[1.0, 0.1]);
    assert_eq!(recent.same_face(&face, person(1), &nobody), None);
    assert_eq!(recent.same_face(&face, person(2), &nobody).unwrap().seq, 12);
    assert_eq!(recent.same_face(&unit(&[0.5, 1.0]), person(2), &nobody), None);
    recent.clear();
    assert_eq!(recent.same_face(&face, person(2), &nobody), None);
}

#[test]
fn same_face_is_found_by_the_template_where_the_two_pictures_differ() {
    let mut gallery = Gallery::new([7; 32]);
    gallery.enrol(person(1), &[unit(&[1.0, 0.0])], SAME).unwrap();
    let mut recent = Recent::new(Score::from_e4(7000));
    recent.remember(person(1), 11, unit(&[0.7, -0.7]));
    let face = unit(&[0.8, 0.6]);
    assert_eq!(recent.same_face(&face, person(2), &Gallery::new([7; 32])), None);
    assert_eq!(recent.same_face(&face, person(2), &gallery).unwrap().seq, 11);
}

#[test]
fn full_memory_of_today_forgets_the_oldest() {
    let nobody = Gallery::new([7; 32]);
    let mut recent = Recent::new(Score::from_e4(9000));
    recent.remember(person(1), 0, unit(&[0.0, 1.0]));
    for seq in 1..=RECENT_MAX as u64 {
        recent.remember(person(2), seq, unit(&[1.0, 0.0]));
    }
    assert_eq!(recent.len(), RECENT_MAX);
    assert_eq!(recent.same_face(&unit(&[0.0, 1.0]), person(3), &nobody), None);
    assert_eq!(recent.same_face(&unit(&[1.0, 0.0]), person(3), &nobody).unwrap().seq, 1);
}

fn look(face: &[f32]) -> Look {
    let face = FrontFace {
        rect: Rect { x: 0.0, y: 0.0, w: 10.0, h: 10.0 },
        points: [[0.0; 2]; 5],
        fingerprint: 7,
        quality: crate::domain::Quality {
            eye_distance_px: 40.0,
            detection: SAME,
            sharpness: 1.0,
            brightness: 1.0,
            turn: 0.02,
            nod: 0.6,
            lean_deg: 1.0,
            mouth_detail: 0.9,
        },
        liveness: Some(Score::from_e4(9000)),
        embedding: unit(face),
    };
    Look {
        frame: [640.0, 480.0],
        faces: 3,
        in_front: 2,
        face: Some(face),
        timings: Timings::default(),
    }
}

#[test]
fn claim_with_the_face_of_somebody_accepted_earlier_shows_in_the_sighting() {
    let roster = [person(1), person(2), person(3)];
    let mut recent = Recent::new(Score::from_e4(7000));
    recent.remember(person(1), 41, unit(&[1.0, 0.0, 0.0]));
    let look = look(&[1.0, 0.0, 0.0]);
    let sighting = sight(&look, &Track::new(SAME), &gallery(), &recent, Some(person(2)), &roster);
    assert_eq!(sighting.faces, 2);
    let face = sighting.face.unwrap();
    assert_eq!(face.claimed, Some(Score::from_e4(6000)));
    assert_eq!(face.best.unwrap().person, person(1));
    assert_eq!(face.same_face.unwrap().seq, 41);
    // Without a claim she is herself, and meets only herself.
    let face = sight(&look, &Track::new(SAME), &gallery(), &recent, None, &roster).face.unwrap();
    assert_eq!((face.claimed, face.same_face), (None, None));
}

#[test]
fn frame_without_a_face_gives_a_sighting_without_one() {
    let look = Look {
        frame: [640.0, 480.0],
        faces: 0,
        in_front: 0,
        face: None,
        timings: Timings::default(),
    };
    let sighting = sight(
        &look,
        &Track::new(SAME),
        &gallery(),
        &Recent::new(SAME),
        Some(person(1)),
        &[person(1)],
    );
    assert_eq!((sighting.faces, sighting.face), (0, None));
}
