mod roll;
mod room;
mod visit;

use super::*;
use crate::domain::{
    Candidate, Challenged, CheckIn, Event, FacePlace, Landmarks, Lesson, Outcome, PersonId,
    Quality, SameFace, SeenFace, Sighting, Timestamp, Way,
};

const ANNA: PersonId = PersonId([1; 16]);
const BORIS: PersonId = PersonId([2; 16]);
const STRANGER: PersonId = PersonId([9; 16]);
const MINUTE_MS: i64 = 60_000;

fn numbers() -> Numbers {
    Numbers {
        door_opens_ms_before: 30 * MINUTE_MS,
        door_closes_ms_after: 45 * MINUTE_MS,
        checkout_ms_after: 20 * MINUTE_MS,
        early_ms_max: 180 * MINUTE_MS,
        open_stay_ms_max: 12 * 60 * MINUTE_MS,
        by_pin: true,
        by_staff: true,
        roll_ms: 600_000,
        roll_faces_max: 12,
        spot_checks: 1,
        match_threshold: Score::from_e4(4_000),
        search_threshold: Score::from_e4(4_500),
        confident_threshold: Score::from_e4(5_500),
        margin: Score::from_e4(500),
        live_threshold: Some(Score::from_e4(5_000)),
        eye_distance_px_min: 30.0,
        sharpness_min: 20.0,
        brightness_range: (30.0, 235.0),
        turn_max: 0.35,
        nod_range: (0.4, 0.8),
        lean_deg_max: 30.0,
        mouth_detail_min: 0.35,
        pictures_min: 3,
        patience_ms: 1_500,
        again_ms: 4_000,
        when: When::Never,
        share_percent: 0,
        thin_margin: Score::from_e4(500),
        challenge: challenge::Numbers::default(),
    }
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse_shanghai(&format!("2026-03-02 {time}")).unwrap()
}

fn desk() -> Desk {
    let lesson = |id: &str, starts, ends| Lesson {
        id: id.parse().unwrap(),
        class: "class-a".parse().unwrap(),
        site: "site-a".parse().unwrap(),
        starts: at(starts),
        ends: at(ends),
    };
    let roster = [ANNA, BORIS].into();
    Desk::new(
        numbers(),
        vec![
            Plan { lesson: lesson("morning", "08:30", "11:30"), roster },
            Plan { lesson: lesson("evening", "19:00", "21:00"), roster: [ANNA].into() },
        ],
    )
}

fn candidate(person: PersonId, e4: i32) -> Candidate {
    Candidate { person, score: Score::from_e4(e4) }
}

fn face(claimed: Option<i32>, best: Candidate, second: Candidate) -> Sighting {
    Sighting {
        faces: 1,
        face: Some(SeenFace {
            place: FacePlace {
                x: 100.0,
                y: 80.0,
                width: 120.0,
                height: 150.0,
                frame: [640.0, 480.0],
            },
            landmarks: Landmarks([
                [130.0, 140.0],
                [190.0, 140.0],
                [160.0, 170.0],
                [137.0, 200.0],
                [183.0, 200.0],
            ]),
            fingerprint: 7,
            visit: 1,
            pictures: 3,
            quality: Quality {
                eye_distance_px: 60.0,
                detection: Score::from_e4(9_000),
                sharpness: 200.0,
                brightness: 120.0,
                turn: 0.02,
                nod: 0.6,
                lean_deg: 1.0,
                mouth_detail: 0.9,
            },
            liveness: None,
            claimed: claimed.map(Score::from_e4),
            best: Some(best),
            second: Some(second),
            same_face: None,
        }),
    }
}

fn anna() -> Sighting {
    face(None, candidate(ANNA, 7_000), candidate(BORIS, 1_000))
}

/// What the desk says of the face of a sighting.
fn decided(desk: &Desk, sighting: &Sighting, claim: Option<PersonId>, time: &str) -> CheckIn {
    desk.decide(sighting.face.as_ref().unwrap(), claim, at(time))
}

/// Decides and, as the terminal does after the disk said yes, confirms.
fn attend(desk: &mut Desk, sighting: &Sighting, claim: Option<PersonId>, time: &str) -> CheckIn {
    let checkin = decided(desk, sighting, claim, time);
    desk.confirm(&checkin, at(time));
    checkin
}

#[test]
fn first_look_checks_in_and_a_later_one_checks_out() {
    let mut desk = desk();
    let came = attend(&mut desk, &anna(), None, "08:25");
    assert_eq!((came.event, came.outcome), (Event::CheckIn, Outcome::Accepted));
    assert_eq!((came.person, came.way), (Some(ANNA), Some(Way::Open)));
    assert_eq!(came.lesson, Some("morning".parse().unwrap()));

    let again = attend(&mut desk, &anna(), None, "08:26");
    assert_eq!((again.event, again.outcome), (Event::Attempt, Outcome::AlreadyIn));

    let left = attend(&mut desk, &anna(), None, "11:29");
    assert_eq!((left.event, left.outcome), (Event::CheckOut, Outcome::Accepted));
}

#[test]
fn what_was_not_stored_did_not_happen() {
    let desk = desk();
    let first = decided(&desk, &anna(), None, "08:25");
    let second = decided(&desk, &anna(), None, "08:26");
    assert_eq!((first.event, second.event), (Event::CheckIn, Event::CheckIn));
}

#[test]
fn restart_forgets_nobody_who_was_stored() {
    let mut before = desk();
    let came = attend(&mut before, &anna(), None, "08:25");
    let mut after = desk();
    after.recall(came.event, came.lesson.as_ref().unwrap(), ANNA, at("08:25"));
    after.recall(Event::CheckIn, &"elsewhere".parse().unwrap(), ANNA, at("08:25"));
    let again = attend(&mut after, &anna(), None, "08:30");
    assert_eq!((again.event, again.outcome), (Event::Attempt, Outcome::AlreadyIn));
    assert_eq!(attend(&mut after, &anna(), None, "11:29").event, Event::CheckOut);
}

#[test]
fn settings_with_which_nobody_could_check_in_are_refused() {
    let fine = Settings::default();
    assert!(fine.clone().checked().is_ok());
    for wrong in [
        Settings { sharpness_min: f32::NAN, ..fine.clone() },
        Settings { eye_distance_px_min: f32::INFINITY, ..fine.clone() },
        Settings { brightness_min: 240.0, brightness_max: 25.0, ..fine.clone() },
        Settings { live_min: Some(50.0), ..fine.clone() },
        Settings { fpir_max: 0.0, ..fine.clone() },
        Settings { turn_max: f32::NAN, ..fine.clone() },
        Settings { mouth_detail_min: 1.5, ..fine.clone() },
        Settings { pictures_min: 0, ..fine.clone() },
        Settings { pictures_min: 9, ..fine.clone() },
        Settings { patience_ms: 60_000, ..fine.clone() },
        Settings { again_ms: 0, ..fine.clone() },
        Settings { fpir_max: f64::NAN, ..fine.clone() },
    ] {
        assert!(wrong.clone().checked().is_err(), "{wrong:?}");
    }
}

#[test]
fn late_comer_is_accepted_until_the_door_closes() {
    let mut desk = desk();
    assert_eq!(attend(&mut desk, &anna(), None, "09:10").event, Event::CheckIn);
    let boris = face(None, candidate(BORIS, 7_000), candidate(ANNA, 1_000));
    let late = attend(&mut desk, &boris, None, "09:20");
    assert_eq!((late.event, late.outcome), (Event::Attempt, Outcome::TooLate));
}

#[test]
fn hours_far_from_any_lesson_are_recorded_as_such() {
    let mut desk = desk();
    let night = attend(&mut desk, &anna(), None, "03:12");
    assert_eq!((night.event, night.outcome), (Event::Attempt, Outcome::NoLesson));
    assert_eq!((night.lesson, night.person), (None, Some(ANNA)));
    let early = attend(&mut desk, &anna(), None, "07:30");
    assert_eq!(
        (early.outcome, early.lesson),
        (Outcome::TooEarly, Some("morning".parse().unwrap()))
    );
}

#[test]
fn forgotten_check_out_does_not_touch_the_evening_class() {
    let mut desk = desk();
    attend(&mut desk, &anna(), None, "08:25");
    let evening = attend(&mut desk, &anna(), None, "18:50");
    assert_eq!(evening.event, Event::CheckIn);
    assert_eq!(evening.lesson, Some("evening".parse().unwrap()));
}

#[test]
fn late_check_out_belongs_to_the_lesson_that_is_still_open() {
    let mut desk = desk();
    let boris = face(None, candidate(BORIS, 7_000), candidate(ANNA, 1_000));
    attend(&mut desk, &boris, None, "08:25");
    let late = attend(&mut desk, &boris, None, "17:40");
    assert_eq!((late.event, late.lesson), (Event::CheckOut, Some("morning".parse().unwrap())));
}

#[test]
fn claim_is_contradicted_only_by_a_confident_match_to_somebody_else() {
    let mut desk = desk();
    let stand_in = face(Some(900), candidate(BORIS, 7_100), candidate(ANNA, 900));
    let refused = attend(&mut desk, &stand_in, Some(ANNA), "08:25");
    assert_eq!((refused.event, refused.outcome), (Event::Attempt, Outcome::LooksLikeOther));
    assert_eq!(refused.other.map(|o| o.person), Some(BORIS));
    assert_eq!(refused.person, Some(ANNA));

    let unclear = face(Some(900), candidate(BORIS, 5_000), candidate(ANNA, 900));
    let attempt = attend(&mut desk, &unclear, Some(ANNA), "08:26");
    assert_eq!((attempt.outcome, attempt.other), (Outcome::NotRecognised, None));
}

#[test]
fn two_alike_need_a_second_factor_and_a_claim_is_one() {
    let mut desk = desk();
    let alike = face(Some(6_800), candidate(BORIS, 7_000), candidate(ANNA, 6_800));
    assert_eq!(attend(&mut desk, &alike, None, "08:25").outcome, Outcome::Ambiguous);
    assert_eq!(attend(&mut desk, &alike, Some(ANNA), "08:26").outcome, Outcome::Accepted);
}

#[test]
fn shared_face_is_kept_with_the_accepted_name() {
    let mut desk = desk();
    let mut sighting = anna();
    let same = SameFace { seq: 3, score: Score::from_e4(8_000) };
    sighting.face.as_mut().unwrap().same_face = Some(same);
    assert_eq!(attend(&mut desk, &sighting, None, "08:25").same_face, Some(same));
    assert_eq!(attend(&mut desk, &sighting, None, "08:26").same_face, None);
}

#[test]
fn stranger_is_an_attempt_and_names_nobody() {
    let mut desk = desk();
    let nobody = face(None, candidate(ANNA, 1_500), candidate(BORIS, 1_000));
    let attempt = attend(&mut desk, &nobody, None, "08:25");
    assert_eq!((attempt.outcome, attempt.person), (Outcome::NotRecognised, None));
    let guest = face(Some(7_000), candidate(STRANGER, 7_000), candidate(ANNA, 1_000));
    let attempt = attend(&mut desk, &guest, Some(STRANGER), "08:26");
    assert_eq!(attempt.outcome, Outcome::NotOnRoster);
}

#[test]
fn face_that_is_not_live_is_not_accepted() {
    let mut sighting = anna();
    sighting.face.as_mut().unwrap().liveness = Some(Score::from_e4(4_999));
    assert_eq!(attend(&mut desk(), &sighting, None, "08:25").outcome, Outcome::NotLive);
}

#[test]
fn poor_pictures_get_one_instruction_and_no_record() {
    let spoil = |change: &dyn Fn(&mut Sighting)| {
        let mut sighting = anna();
        change(&mut sighting);
        advise(&sighting, &numbers()).map(|_| ()).unwrap_err()
    };
    fn quality(sighting: &mut Sighting) -> &mut Quality {
        &mut sighting.face.as_mut().unwrap().quality
    }
    assert!(advise(&anna(), &numbers()).is_ok());
    assert_eq!(spoil(&|s| s.face = None), Advice::NobodyThere);
    assert_eq!(spoil(&|s| s.faces = 2), Advice::OneAtATime);
    assert_eq!(spoil(&|s| quality(s).eye_distance_px = 12.0), Advice::ComeCloser);
    assert_eq!(spoil(&|s| quality(s).brightness = 10.0), Advice::MoreLight);
    assert_eq!(spoil(&|s| quality(s).brightness = 250.0), Advice::LessLight);
    assert_eq!(spoil(&|s| quality(s).sharpness = f32::NAN), Advice::HoldStill);
    assert_eq!(spoil(&|s| quality(s).mouth_detail = 0.1), Advice::TakeOffMask);
    for turned in [0.5, -0.5, f32::NAN] {
        assert_eq!(spoil(&|s| quality(s).turn = turned), Advice::FaceFront, "{turned}");
    }
    for (nod, lean_deg) in [(0.2, 0.0), (0.9, 0.0), (0.6, 45.0)] {
        let bent = |s: &mut Sighting| (quality(s).nod, quality(s).lean_deg) = (nod, lean_deg);
        assert_eq!(spoil(&bent), Advice::FaceFront, "{nod} {lean_deg}");
    }
}

#[test]
fn search_asks_for_more_than_a_claim_and_each_names_the_threshold_it_used() {
    // Between the two thresholds: enough for who says her name, too little for who does not.
    let between = |claimed| face(claimed, candidate(ANNA, 4_300), candidate(BORIS, 1_000));
    let claimed = attend(&mut desk(), &between(Some(4_300)), Some(ANNA), "08:25");
    assert_eq!(claimed.outcome, Outcome::Accepted);
    assert_eq!(claimed.scores.unwrap().threshold, numbers().match_threshold);
    let searched = attend(&mut desk(), &between(None), None, "08:25");
    assert_eq!(searched.outcome, Outcome::NotRecognised);
    assert_eq!(searched.scores.unwrap().threshold, numbers().search_threshold);
}
