use super::unit;
use crate::domain::Score;
use crate::face::accuracy::{Pair, Scores, across_folds};

fn scores(genuine: &[i32], impostor: &[i32]) -> Scores {
    let mut scores = Scores::default();
    genuine.iter().for_each(|e4| scores.genuine.add(Score::from_e4(*e4)));
    impostor.iter().for_each(|e4| scores.impostor.add(Score::from_e4(*e4)));
    scores
}

fn is(value: f64, should: f64) -> bool {
    (value - should).abs() < 1e-9
}

#[test]
fn threshold_lets_no_more_impostors_in_than_the_rate_allows() {
    let impostor: Vec<i32> = (0..1000).collect();
    let scores = scores(&[500, 995, 2000, 2000], &impostor);
    // Ten of a thousand may pass: 990 to 999.
    assert_eq!(scores.threshold_at(0.01), Some(Score::from_e4(990)));
    assert!(is(scores.tar_at(0.01).unwrap(), 0.75));
    assert!(is(scores.impostor.share_from(Score::from_e4(990)), 0.01));
}

#[test]
fn rate_below_one_pair_is_not_invented() {
    let scores = scores(&[5000], &[0; 999]);
    assert_eq!(scores.threshold_at(1e-3), None);
    assert_eq!(scores.tar_at(1e-3), None);
}

#[test]
fn equal_error_rate_lies_where_both_errors_are_the_same() {
    // At 50: one of four genuine is refused, one of four impostors accepted.
    let mixed = scores(&[10, 60, 70, 80], &[-30, -20, -10, 50]);
    assert!(is(mixed.equal_error_rate(), 0.25));
    let apart = scores(&[50, 60], &[10, 20]);
    assert!(is(apart.equal_error_rate(), 0.0));
}

#[test]
fn missed_face_counts_against_the_genuine_pairs_and_never_as_a_match() {
    let pictures = [
        (0, Some(unit(&[1.0, 0.0]))),
        (0, None),
        (1, Some(unit(&[0.0, 1.0]))),
        (0, Some(unit(&[1.0, 0.0]))),
    ];
    for workers in [1, 2, 9] {
        let scores = Scores::of_all_pairs(&pictures, workers);
        assert_eq!((scores.genuine.pairs(), scores.impostor.pairs()), (3, 3));
        assert!(is(scores.genuine.share_from(Score::from_e4(-10_000)), 1.0 / 3.0));
    }
}

fn pair(fold: usize, genuine: bool, e4: i32) -> Pair {
    Pair { fold, genuine, score: Some(Score::from_e4(e4)) }
}

#[test]
fn each_fold_is_tested_with_the_threshold_of_the_others() {
    // Fold 0 alone would choose a threshold below 3000; fold 1 teaches one above 4000.
    let pairs =
        [pair(0, true, 3000), pair(0, false, 1000), pair(1, true, 6000), pair(1, false, 4000)];
    let folded = across_folds(&pairs).unwrap();
    // Fold 0 by fold 1's 5000: the genuine pair is refused. Fold 1 by fold 0's 2000: the
    // impostor is let in.
    assert!(is(folded.accuracy, 0.5) && is(folded.sd, 0.0));
}

#[test]
fn pair_with_a_missed_face_is_wrong_whether_genuine_or_not() {
    let missed = |fold, genuine| Pair { fold, genuine, score: None };
    let pairs = [
        pair(0, true, 9000),
        missed(0, false),
        pair(1, true, 9000),
        missed(1, true),
        pair(0, false, 0),
        pair(1, false, 0),
    ];
    assert!(is(across_folds(&pairs).unwrap().accuracy, 2.0 / 3.0));
}

#[test]
fn one_fold_cannot_be_tested_on_others() {
    assert_eq!(across_folds(&[pair(0, true, 1)]), None);
    assert_eq!(across_folds(&[]), None);
}
