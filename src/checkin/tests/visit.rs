//! One person after the other before the camera: how many looks, when an answer, when another try.

use super::*;

/// A frame every 67 ms: 15 a second.
const FRAME_MS: u64 = 67;

struct Kiosk {
    visit: Visit,
    at_ms: u64,
    person: u64,
    pictures: u32,
}

impl Kiosk {
    fn new() -> Self {
        Self::with(numbers())
    }

    fn with(numbers: Numbers) -> Self {
        let mut desk = desk();
        desk.numbers = numbers;
        Self { visit: Visit::new(desk), at_ms: 10_000, person: 1, pictures: 0 }
    }

    /// The next frame of the person who stands there.
    fn sees(&mut self, mut sighting: Sighting, claim: Option<PersonId>) -> Step {
        self.at_ms += FRAME_MS;
        if let Some(face) = &mut sighting.face {
            if sighting.faces == 1 && advise_picture(&face.quality, &numbers()).is_none() {
                self.pictures += 1;
            }
            (face.visit, face.pictures) = (self.person, self.pictures);
            face.fingerprint = self.at_ms;
        }
        let step = self.visit.step(&sighting, claim, at("08:25"), self.at_ms, [0; 32]);
        if let Step::Decided(checkin) = &step {
            self.visit.confirm(checkin, at("08:25"));
        }
        step
    }

    fn next_person(&mut self) {
        self.person += 1;
        self.pictures = 0;
    }

    /// Frames until an answer, and the answer.
    fn answer(&mut self, sighting: &Sighting, claim: Option<PersonId>) -> (u32, CheckIn) {
        for frame in 1..200 {
            if let Step::Decided(checkin) = self.sees(sighting.clone(), claim) {
                return (frame, checkin);
            }
        }
        panic!("no answer after 200 frames");
    }
}

fn nobody() -> Sighting {
    Sighting { faces: 0, face: None }
}

fn stranger() -> Sighting {
    face(None, candidate(ANNA, 1_500), candidate(BORIS, 1_000))
}

fn turned() -> Sighting {
    let mut sighting = anna();
    sighting.face.as_mut().unwrap().quality.turn = 0.6;
    sighting
}

#[test]
fn three_good_pictures_are_enough_for_a_yes() {
    let (frames, checkin) = Kiosk::new().answer(&anna(), None);
    assert_eq!((frames, checkin.outcome), (3, Outcome::Accepted));
}

#[test]
fn no_is_said_only_after_patience() {
    let mut kiosk = Kiosk::new();
    let (frames, checkin) = kiosk.answer(&stranger(), None);
    assert_eq!(checkin.outcome, Outcome::NotRecognised);
    assert!(u64::from(frames - 1) * FRAME_MS >= numbers().patience_ms, "after {frames} frames");
}

#[test]
fn better_picture_within_the_patience_makes_it_a_yes() {
    let mut kiosk = Kiosk::new();
    for _ in 0..6 {
        assert_eq!(kiosk.sees(stranger(), None), Step::Look);
    }
    assert_eq!(kiosk.answer(&anna(), None).1.outcome, Outcome::Accepted);
}

#[test]
fn person_is_answered_once_however_long_she_stays() {
    let mut kiosk = Kiosk::new();
    kiosk.answer(&anna(), None);
    for _ in 0..300 {
        assert_eq!(kiosk.sees(anna(), None), Step::Answered);
    }
}

#[test]
fn next_in_the_queue_is_looked_at_at_once() {
    let mut kiosk = Kiosk::new();
    kiosk.answer(&anna(), None);
    kiosk.next_person();
    let boris = face(None, candidate(BORIS, 7_000), candidate(ANNA, 1_000));
    let (frames, checkin) = kiosk.answer(&boris, None);
    assert_eq!((frames, checkin.person), (3, Some(BORIS)));
}

#[test]
fn refused_person_gets_another_look_after_a_moment() {
    let mut kiosk = Kiosk::new();
    kiosk.answer(&stranger(), None);
    let refused_ms = kiosk.at_ms;
    assert_eq!(kiosk.sees(anna(), None), Step::Answered);
    let (_, checkin) = kiosk.answer(&anna(), None);
    assert_eq!(checkin.outcome, Outcome::Accepted);
    assert!(kiosk.at_ms - refused_ms >= numbers().again_ms);
}

#[test]
fn saying_who_one_is_after_a_no_needs_no_waiting() {
    let mut kiosk = Kiosk::new();
    let alike = face(Some(6_800), candidate(BORIS, 7_000), candidate(ANNA, 6_800));
    assert_eq!(kiosk.answer(&alike, None).1.outcome, Outcome::Ambiguous);
    let (frames, checkin) = kiosk.answer(&alike, Some(ANNA));
    assert_eq!((frames, checkin.outcome), (1, Outcome::Accepted));
}

#[test]
fn single_poor_picture_changes_no_word_on_the_screen() {
    let mut kiosk = Kiosk::new();
    assert_eq!(kiosk.sees(anna(), None), Step::Look);
    assert_eq!(kiosk.sees(turned(), None), Step::Look);
    assert_eq!(kiosk.sees(anna(), None), Step::Look);
    let steps: Vec<Step> = (0..8).map(|_| kiosk.sees(turned(), None)).collect();
    assert_eq!(steps[0], Step::Look);
    assert_eq!(steps[7], Step::Wait(Advice::FaceFront));
}

#[test]
fn blink_of_the_detector_is_no_empty_place() {
    let mut kiosk = Kiosk::new();
    kiosk.sees(anna(), None);
    assert_eq!(kiosk.sees(nobody(), None), Step::Look);
    kiosk.answer(&anna(), None);
    assert_eq!(kiosk.sees(nobody(), None), Step::Answered);
    let gone: Vec<Step> = (0..15).map(|_| kiosk.sees(nobody(), None)).collect();
    assert_eq!(gone[14], Step::Wait(Advice::NobodyThere));
}

#[test]
fn decision_that_was_not_stored_is_made_again() {
    let mut kiosk = Kiosk::new();
    kiosk.answer(&anna(), None);
    kiosk.visit.not_stored();
    let mut sighting = anna();
    let face = sighting.face.as_mut().unwrap();
    (face.visit, face.pictures) = (kiosk.person, kiosk.pictures);
    let step = kiosk.visit.step(&sighting, None, at("08:26"), kiosk.at_ms + FRAME_MS, [0; 32]);
    assert!(matches!(step, Step::Decided(_)), "{step:?}");
}

#[test]
fn single_pictures_are_answered_at_once_where_the_site_says_so() {
    let still = Numbers { pictures_min: 1, ..numbers() };
    let mut visit = Visit::new(Desk::new(still, Vec::new()));
    let step = visit.step(&stranger(), None, at("08:25"), 0, [0; 32]);
    assert!(matches!(step, Step::Decided(_)), "{step:?}");
    let step = visit.step(&nobody(), None, at("08:25"), 5_000, [0; 32]);
    assert_eq!(step, Step::Wait(Advice::NobodyThere));
}

/// Whether movements are asked for before a yes.
fn is_asked(numbers: Numbers, sighting: &Sighting, claim: Option<PersonId>) -> bool {
    let mut kiosk = Kiosk::with(numbers);
    for _ in 0..60 {
        match kiosk.sees(sighting.clone(), claim) {
            Step::Ask { asked: None, done_percent: 0 } => return true,
            Step::Decided(_) => return false,
            Step::Wait(_) | Step::Look | Step::Ask { .. } | Step::Answered => {}
        }
    }
    panic!("neither asked nor answered");
}

#[test]
fn movements_are_asked_for_where_there_is_a_reason() {
    let risk = Numbers { when: When::Risk, ..numbers() };
    let alive = |mut sighting: Sighting| {
        sighting.face.as_mut().unwrap().liveness = Some(Score::from_e4(9_000));
        sighting
    };
    let thin = face(None, candidate(ANNA, 4_700), candidate(BORIS, 1_000));
    assert!(!is_asked(risk, &alive(anna()), None), "no reason");
    assert!(is_asked(
        risk,
        &alive(face(Some(7_000), candidate(ANNA, 7_000), candidate(BORIS, 1_000))),
        Some(ANNA)
    ));
    assert!(is_asked(risk, &anna(), None), "no passive liveness");
    assert!(is_asked(risk, &alive(thin.clone()), None), "a thin match");
    assert!(is_asked(Numbers { share_percent: 100, ..risk }, &alive(anna()), None), "chance");
    assert!(is_asked(Numbers { when: When::Always, ..risk }, &alive(anna()), None));
    assert!(!is_asked(Numbers { when: When::Never, ..risk }, &thin, None));
    assert!(!is_asked(Numbers { pictures_min: 1, ..risk }, &anna(), None), "a picture cannot move");
    assert!(!is_asked(risk, &stranger(), None), "nobody moves for a no");
}

#[test]
fn who_does_not_move_is_an_attempt_that_says_so_and_accuses_nobody() {
    let mut kiosk = Kiosk::with(Numbers { when: When::Always, ..numbers() });
    let checkin = loop {
        match kiosk.sees(anna(), None) {
            Step::Decided(checkin) => break checkin,
            Step::Wait(_) | Step::Look | Step::Ask { .. } => {}
            Step::Answered => panic!("not answered yet"),
        }
    };
    assert_eq!((checkin.event, checkin.outcome), (Event::Attempt, Outcome::NotLive));
    assert_eq!(checkin.scores.unwrap().challenge, Some(Challenged::NotFollowed));
    assert_eq!((checkin.other, checkin.same_face), (None, None));
}

#[test]
fn who_goes_away_when_she_has_seen_what_is_asked_for_leaves_an_attempt() {
    let mut kiosk = Kiosk::with(Numbers { when: When::Always, ..numbers() });
    while !matches!(kiosk.sees(anna(), None), Step::Ask { asked: Some(_), .. }) {}
    let checkin = loop {
        match kiosk.sees(nobody(), None) {
            Step::Decided(checkin) => break checkin,
            Step::Ask { .. } => {}
            step @ (Step::Wait(_) | Step::Look | Step::Answered) => panic!("{step:?}"),
        }
    };
    assert_eq!((checkin.event, checkin.person), (Event::Attempt, Some(ANNA)));
    assert_eq!(checkin.scores.unwrap().challenge, Some(Challenged::NotFollowed));

    let mut kiosk = Kiosk::with(Numbers { when: When::Always, ..numbers() });
    while !matches!(kiosk.sees(anna(), None), Step::Ask { asked: Some(_), .. }) {}
    kiosk.next_person();
    assert!(matches!(kiosk.sees(anna(), None), Step::Decided(_)));
    assert_eq!(kiosk.sees(anna(), None), Step::Look);
}

#[test]
fn somebody_else_in_the_middle_of_a_challenge_begins_anew() {
    let mut kiosk = Kiosk::with(Numbers { when: When::Always, ..numbers() });
    while !matches!(kiosk.sees(anna(), None), Step::Ask { .. }) {}
    kiosk.next_person();
    let boris = face(None, candidate(BORIS, 7_000), candidate(ANNA, 1_000));
    assert_eq!(kiosk.sees(boris.clone(), None), Step::Look);
    assert_eq!(kiosk.sees(boris.clone(), None), Step::Look);
    assert!(matches!(kiosk.sees(boris, None), Step::Ask { .. }));
}
