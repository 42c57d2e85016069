use super::unit;
use crate::domain::Score;
use crate::face::Embedding;
use crate::face::accuracy::Scores;
use crate::face::accuracy_intervals::{
    ByPerson, ERRORS_MIN, PEOPLE_MIN, clopper_pearson, pairs_needed, people_needed, rule_of_three,
};

/// SplitMix64 (Steele, Lea and Flood 2014).
pub(super) fn chance(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
fn between(draw: &mut impl FnMut() -> u64) -> f32 {
    (draw() >> 40) as f32 / (1_u64 << 24) as f32 * 2.0 - 1.0
}

/// People with a direction of their own in eight dimensions, and pictures strewn around it.
pub(super) fn people(seed: u64, count: usize, pictures: usize) -> Vec<(usize, Option<Embedding>)> {
    let mut draw = chance(seed);
    let mut all = Vec::new();
    for person in 0..count {
        let face: Vec<f32> = (0..8).map(|_| between(&mut draw)).collect();
        for _ in 0..pictures {
            let strewn: Vec<f32> = face.iter().map(|v| v + 0.7 * between(&mut draw)).collect();
            all.push((person, Some(unit(&strewn))));
        }
    }
    all
}

fn near(value: f64, should: f64) -> bool {
    (value - should).abs() < 5e-5
}

#[test]
fn intervals_of_clopper_and_pearson_are_those_of_the_tables() {
    for (errors, trials, low, high) in [
        (0, 10, 0.0, 0.3085),
        (3, 10, 0.0667, 0.6525),
        (10, 10, 0.6915, 1.0),
        (1, 100, 0.0003, 0.0545),
        (50, 1000, 0.0373, 0.0654),
        (0, 0, 0.0, 1.0),
    ] {
        let interval = clopper_pearson(errors, trials);
        assert!(near(interval.low, low) && near(interval.high, high), "{errors}: {interval:?}");
    }
    let many = clopper_pearson(300, 3_000_000);
    assert!(many.low > 8.8e-5 && many.high < 1.13e-4, "{many:?}");
}

#[test]
fn no_error_among_few_proves_little() {
    assert!(near(rule_of_three(300), 0.01));
    assert!(near(rule_of_three(0), 1.0) && near(rule_of_three(2), 1.0));
}

#[test]
fn rates_by_person_are_those_of_all_pairs_and_missed_faces_are_refused() {
    let mut pictures = people(1, 30, 4);
    pictures[5].1 = None;
    let scores = Scores::of_all_pairs(&pictures, 2);
    let by_person = ByPerson::new(&pictures, Score::from_e4(0));
    for e4 in [0, 3000, 6000, 10_000] {
        let cosine = Score::from_e4(e4);
        let errors = by_person.errors_at(cosine, &mut chance(7));
        assert!(near(errors.far, scores.impostor.share_from(cosine)));
        assert!(near(errors.frr, 1.0 - scores.genuine.share_from(cosine)));
    }
}

#[test]
fn same_chance_gives_the_same_interval_and_it_holds_the_rate() {
    let by_person = ByPerson::new(&people(2, 60, 4), Score::from_e4(0));
    let at = |seed| by_person.errors_at(Score::from_e4(6000), &mut chance(seed));
    let errors = at(1);
    assert_eq!(errors, at(1));
    assert_ne!(errors.far_95, at(2).far_95);
    assert!(errors.far_95.low < errors.far && errors.far < errors.far_95.high, "{errors:?}");
    assert!(errors.frr_95.low < errors.frr && errors.frr < errors.frr_95.high, "{errors:?}");
}

#[test]
fn interval_holds_the_true_rate_about_as_often_as_it_says_and_that_of_single_pairs_does_not() {
    let cosine = Score::from_e4(6000);
    let truth = Scores::of_all_pairs(&people(99, 1500, 2), 2).impostor.share_from(cosine);
    let (mut held, mut held_by_pairs) = (0, 0);
    for seed in 100..160 {
        let pictures = people(seed, 40, 4);
        let errors = ByPerson::new(&pictures, cosine).errors_at(cosine, &mut chance(seed));
        held += usize::from((errors.far_95.low..=errors.far_95.high).contains(&truth));
        let pairs = Scores::of_all_pairs(&pictures, 2).impostor.pairs();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count of a few thousand pairs"
        )]
        let wrong = (errors.far * pairs as f64).round() as u64;
        let naive = clopper_pearson(wrong, pairs);
        held_by_pairs += usize::from((naive.low..=naive.high).contains(&truth));
    }
    assert!(held >= 52, "{held} of 60 intervals hold the true rate");
    assert!(held_by_pairs <= 48, "{held_by_pairs} of 60 of those that take pairs as independent");
}

#[test]
fn without_any_error_the_upper_limit_counts_people_and_not_pairs() {
    let by_person = ByPerson::new(&people(3, 60, 4), Score::from_e4(0));
    let strict = by_person.errors_at(Score::from_e4(10_000), &mut chance(1));
    assert!(near(strict.far, 0.0) && near(strict.far_95.low, 0.0));
    assert!(near(strict.far_95.high, 3.0 / 30.0), "thirty pairs of people share nobody");
    let loose = by_person.errors_at(Score::from_e4(0), &mut chance(1));
    assert!(near(loose.frr, 0.0) && near(loose.frr_95.high, 3.0 / 60.0), "{loose:?}");
}

#[test]
fn people_that_are_asked_for_give_the_pairs_that_are_needed() {
    for (far, each) in [(1e-3, 1.0), (1e-4, 4.0), (1e-5, 2.5)] {
        let people = people_needed(far, each);
        let pairs = |people: f64| people * (people - 1.0) / 2.0 * each * each;
        assert!(pairs(people) >= pairs_needed(far) && pairs(people - 1.0) < pairs_needed(far));
    }
    assert!(near(pairs_needed(0.1), f64::from(ERRORS_MIN) * 10.0));
    assert!(people_needed(0.5, 100.0) >= f64::from(u32::try_from(PEOPLE_MIN).unwrap()));
}

#[test]
fn where_trials_are_independent_the_interval_is_as_wide_as_that_of_independent_trials() {
    // Two pictures of each person: one genuine pair each, and nobody in two of them.
    let by_person = ByPerson::new(&people(4, 400, 2), Score::from_e4(7000));
    let errors = by_person.errors_at(Score::from_e4(7000), &mut chance(1));
    let wide = errors.frr_95.high - errors.frr_95.low;
    let should = 2.0 * 1.96 * (errors.frr * (1.0 - errors.frr) / 400.0).sqrt();
    assert!(errors.frr > 0.1 && errors.frr < 0.9, "{errors:?}");
    assert!((wide / should - 1.0).abs() < 0.12, "{wide} {should}");
}
