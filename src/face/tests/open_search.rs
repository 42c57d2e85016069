use crate::domain::Score;
use crate::face::Manifest;
use crate::face::open_search::{Tail, TailPoint, far_for};

const SHIPPED: &str = include_str!("../../../models/manifest.toml");

fn tail(points: &[(f64, i32)]) -> Result<Tail, &'static str> {
    let point = |(far, e4): &(f64, i32)| TailPoint { far: *far, cosine: Score::from_e4(*e4) };
    Tail::new(points.iter().map(point).collect())
}

fn near(value: f64, should: f64) -> bool {
    (value / should - 1.0).abs() < 1e-9
}

#[test]
fn search_over_one_person_is_one_comparison() {
    assert!(near(far_for(1, 1e-3), 1e-3));
    assert!(near(far_for(0, 1e-3), 1e-3));
}

#[test]
fn all_comparisons_together_are_wrong_as_often_as_wanted() {
    for (people, fpir) in [(2, 0.5), (40, 1e-3), (10_000, 1e-3), (40, 1e-9)] {
        let far = far_for(people, fpir);
        let people = f64::from(u32::try_from(people).unwrap());
        let together = -(people * (-far).ln_1p()).exp_m1();
        assert!(near(together, fpir), "{people}: {together}");
        // The union bound, which needs no independence, is hardly stricter.
        assert!(far >= fpir / people && far < fpir / people * (1.0 + fpir));
    }
    // Two comparisons, each right with 0.7071, are both right half of the time.
    assert!(near(far_for(2, 0.5), 1.0 - 0.5_f64.sqrt()));
}

#[test]
fn between_two_points_the_cosine_lies_on_the_line_over_the_logarithm() {
    let tail = tail(&[(1e-3, 3000), (1e-4, 4000), (1e-5, 4500)]).unwrap();
    let at = |far| tail.cosine_at(far).map(Score::as_e4);
    assert_eq!([at(1e-3), at(1e-4), at(1e-5)], [3000, 4000, 4500].map(Some));
    // Half a decade below 1e-3; 4250.1 is rounded up, so that the FAR is kept.
    assert_eq!(at(10_f64.powf(-3.5)), Some(3500));
    assert_eq!(at(10_f64.powf(-4.5002)), Some(4251));
    assert_eq!(at(0.5), Some(3000), "nothing is known to be looser");
    assert_eq!(at(9.9e-6), None, "nothing is invented below the last point");
}

#[test]
fn tails_that_are_none_are_refused() {
    for wrong in [
        &[(1e-4, 4000), (1e-3, 5000)][..],
        &[(1e-3, 4000), (1e-4, 4000)],
        &[(1e-3, 4000), (1e-4, 3000)],
        &[(0.0, 4000)],
        &[(1.0, 4000)],
        &[(f64::NAN, 4000)],
        &(1..18).map(|n| (0.5_f64.powi(n), n * 100)).collect::<Vec<_>>(),
    ] {
        assert!(tail(wrong).is_err(), "{wrong:?}");
    }
    assert!(tail(&[]).unwrap().is_empty());
}

/// The shipped manifest, its first tail replaced.
fn with_tail(tail: &str) -> Result<Manifest, String> {
    let (before, after) = SHIPPED.split_once("\ntail = ").expect("a shipped pack has a tail");
    let (_, after) = after.split_once('\n').expect("the line ends");
    Manifest::parse(&format!("{before}\n{tail}\n{after}")).map_err(|error| error.to_string())
}

#[test]
fn larger_rosters_are_searched_more_strictly_and_never_beyond_confident() {
    for pack in Manifest::shipped().packs() {
        let Some(thresholds) = &pack.thresholds else { continue };
        let at = |people| thresholds.search_threshold(people, 1e-3);
        let steps: Vec<Score> = [0, 1, 2, 10, 40, 100, 1000, 10_000, usize::MAX].map(at).to_vec();
        assert!(steps.is_sorted(), "{}: {steps:?}", pack.name);
        assert_eq!(steps[0], thresholds.matching.cosine, "{}", pack.name);
        assert_eq!(*steps.last().unwrap(), thresholds.confident.cosine, "{}", pack.name);
        assert!(at(40) > thresholds.matching.cosine && at(40) < thresholds.confident.cosine);
        assert!(
            thresholds.search_threshold(40, 1e-6) > at(40),
            "a rarer error needs a larger cosine"
        );
    }
}

#[test]
fn pack_without_a_tail_searches_at_match_as_ever() {
    let manifest = with_tail("").unwrap();
    let thresholds = manifest.packs()[0].calibrated().unwrap();
    assert_eq!(thresholds.search_threshold(10_000, 1e-9), thresholds.matching.cosine);
}

#[test]
fn tail_of_a_manifest_is_checked_and_counts_in_the_digest_of_the_pack() {
    let digest = |tail: &str| with_tail(tail).unwrap().packs()[0].digest();
    let digests = [
        digest(""),
        digest("tail = [{ far = 1e-3, cosine = 0.30 }]"),
        digest("tail = [{ far = 1e-3, cosine = 0.31 }]"),
        digest("tail = [{ far = 2e-3, cosine = 0.31 }]"),
    ];
    for (index, one) in digests.iter().enumerate() {
        assert!(!digests[index + 1..].contains(one), "{index}");
    }
    for wrong in [
        "tail = [{ far = 1e-4, cosine = 0.30 }, { far = 1e-3, cosine = 0.31 }]",
        "tail = [{ far = 1e-3, cosine = nan }]",
        "tail = [{ far = 1e-3, cosine = 2.0 }]",
        "tail = [{ far = 1e-3, cosine = 0.99 }]",
        "tail = [{ far = 1e-3, cosine = 0.30, speed = 1 }]",
    ] {
        assert!(with_tail(wrong).is_err(), "{wrong}");
    }
}
