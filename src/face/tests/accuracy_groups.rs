use super::unit;
use crate::domain::Score;
use crate::face::accuracy_groups::{Measure, passed, quarter_of, quarters, turn};

fn is(value: f64, should: f64) -> bool {
    (value - should).abs() < 1e-9
}

#[test]
fn face_is_turned_as_far_as_its_nose_leaves_the_middle_of_the_eyes() {
    let face = |nose: f32| [[10.0, 20.0], [30.0, 20.0], [nose, 32.0], [13.0, 42.0], [27.0, 42.0]];
    assert!(is(turn(&face(20.0)), 0.0));
    assert!(is(turn(&face(30.0)), 0.5) && is(turn(&face(10.0)), 0.5), "either side");
    // The same face, lying on its side.
    let lying = face(25.0).map(|[x, y]| [-y, x]);
    assert!(is(turn(&lying), 0.25));
    assert!(is(turn(&[[1.0, 1.0]; 5]), 0.0), "points that coincide are no number");
}

#[test]
fn pair_stands_in_the_quarter_of_its_worse_picture() {
    let measure: Measure = [1.0, 2.0, 3.0, 4.0, 9.0].into_iter().map(Some).chain([None]).collect();
    let pairs = [[0, 4], [4, 1], [2, 4], [4, 3]];
    let bounds = quarters(&measure, &pairs);
    let of = pairs.map(|pair| quarter_of(&measure, &bounds, pair));
    assert_eq!(of, [0, 1, 2, 3]);
    assert_eq!(quarter_of(&measure, &bounds, [5, 4]), 0, "a missed face is the worst");
}

#[test]
fn pairs_of_all_quarters_are_all_pairs() {
    let faces = [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 0.2]];
    let mut pictures: Vec<_> =
        [0, 0, 1, 2].into_iter().zip(faces.map(|face| Some(unit(&face)))).collect();
    pictures.push((2, None));
    let measure: Measure = vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0), None];
    let bounds = quarters(&measure, &[[0, 1], [1, 2], [2, 3], [3, 3]]);
    let quarters = passed(&pictures, Score::from_e4(9000), &[(&measure, bounds)]).remove(0);
    let sum = |count: fn(&crate::face::accuracy_groups::Passed) -> [u64; 2]| {
        quarters.iter().map(count).fold([0, 0], |[a, b], [c, d]| [a + c, b + d])
    };
    assert_eq!(sum(|passed| passed.genuine), [2, 1], "the pair with a missed face fails");
    assert_eq!(sum(|passed| passed.impostor), [8, 2]);
    assert!(is(quarters[0].tar(), 0.5), "{quarters:?}");
}
