use super::accuracy_intervals::{chance, people};
use crate::domain::Score;
use crate::face::Embedding;
use crate::face::accuracy::Scores;
use crate::face::calibration::{Calibration, TooFew, calibrate};

fn calibrated(pictures: &[(usize, Option<Embedding>)], far: f64) -> Result<Calibration, TooFew> {
    calibrate(pictures, far, 2, || chance(1))
}

#[test]
fn threshold_keeps_the_wanted_rate_and_the_next_one_does_not() {
    let pictures = people(5, 60, 4);
    let found = calibrated(&pictures, 1e-2).unwrap();
    let scores = Scores::of_all_pairs(&pictures, 2);
    let just_below = Score::from_e4(found.matching.cosine.as_e4() - 1);
    assert!(scores.impostor.share_from(found.matching.cosine) <= 1e-2);
    assert!(scores.impostor.share_from(just_below) > 1e-2);
    assert_eq!((found.people, found.pictures, found.missed), (60, 240, 0));
    assert_eq!(found.impostor_pairs, 60 * 59 / 2 * 16);
}

#[test]
fn confident_lies_above_every_impostor_pair_and_the_tail_below_it() {
    let pictures = people(5, 60, 4);
    let found = calibrated(&pictures, 1e-2).unwrap();
    let scores = Scores::of_all_pairs(&pictures, 2);
    let confident = found.confident.cosine;
    assert!(scores.impostor.share_from(confident) <= 0.0);
    assert!(scores.impostor.share_from(Score::from_e4(confident.as_e4() - 1)) > 0.0);
    // One of 28,320 pairs more, rounded up.
    assert!((found.confident_far - 3.6e-5).abs() < 1e-12, "{}", found.confident_far);
    let points = found.tail.points();
    // 28,320 pairs suffice for 30 errors at 1e-2 and not at 1e-3.
    assert_eq!(points.len(), 1);
    assert!(points[0].cosine < confident);
    assert_eq!(points[0].cosine, found.matching.cosine);
}

#[test]
fn pictures_that_do_not_suffice_are_refused_with_what_would() {
    let error = calibrated(&people(5, 60, 4), 1e-4).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains("60 people with 240 pictures make 28320 pairs"), "{shown}");
    assert!(shown.contains("FAR 1e-4 needs 300000 pairs"), "{shown}");
    // 194 · 193 / 2 · 16 is the first above 300,000.
    assert!(error.hint().contains("take 195 people"), "{}", error.hint());
    assert!(error.hint().contains("--far 1e-2"), "{}", error.hint());
}

#[test]
fn many_pictures_of_few_people_are_few() {
    let error = calibrated(&people(6, 10, 30), 1e-2).unwrap_err();
    assert!(matches!(error, TooFew::Impostor { people: 10, possible: None, .. }), "{error}");
    assert!(error.to_string().contains("at least 20 people"), "{error}");
    let nobody = calibrated(&[], 1e-2).unwrap_err();
    assert!(matches!(nobody, TooFew::Impostor { people: 0, .. }), "{nobody}");
}

#[test]
fn one_picture_of_each_says_nothing_about_those_refused() {
    assert_eq!(calibrated(&people(7, 300, 1), 1e-2), Err(TooFew::Genuine));
}
