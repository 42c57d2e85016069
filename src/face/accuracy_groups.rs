//! Accuracy by groups of pictures that can be told apart by measuring: how bright, how sharp, how
//! large the face is, how far it is turned. Who the people *are* (where from, how old) is not
//! guessed: where nobody has written it down, nothing is known about it.
//!
//! A pair is as good as its worse picture. So each pair stands in the quarter of its worse one:
//! quarter 0 holds the worst quarter of the pairs that the bounds were drawn from, quarter 3 the
//! best. What is missing is worst: a pair with a face that was not found stands in quarter 0.

use super::accuracy::share;
use super::detect::Points;
use super::embed::Embedding;
use crate::domain::Score;

/// A measure of each picture, larger where the picture is better; `None` without a face.
pub type Measure = Vec<Option<f64>>;

/// How far a face is turned to the side, by its five points: the distance of the nose from the
/// middle of the eyes along the line of the eyes, over the distance of the eyes. About 0 from the
/// front; at 0.5 the nose stands before one eye.
pub fn turn(points: &Points) -> f64 {
    let [left, right, nose, ..] = points.map(|point| point.map(f64::from));
    let (x, y) = (right[0] - left[0], right[1] - left[1]);
    let square = x * x + y * y;
    if square == 0.0 {
        return 0.0;
    }
    let (middle_x, middle_y) = (f64::midpoint(left[0], right[0]), f64::midpoint(left[1], right[1]));
    (((nose[0] - middle_x) * x + (nose[1] - middle_y) * y) / square).abs()
}

/// The worse of two pictures.
fn worse(measure: &Measure, [a, b]: [usize; 2]) -> f64 {
    let value = |picture: usize| measure[picture].unwrap_or(f64::NEG_INFINITY);
    value(a).min(value(b))
}

/// The bounds between the four quarters of these pairs.
pub fn quarters(measure: &Measure, pairs: &[[usize; 2]]) -> [f64; 3] {
    let mut values: Vec<f64> = pairs.iter().map(|pair| worse(measure, *pair)).collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|part| values.get(values.len() * part / 4).copied().unwrap_or(0.0))
}

/// In which quarter a pair stands.
pub fn quarter_of(measure: &Measure, bounds: &[f64; 3], pair: [usize; 2]) -> usize {
    let value = worse(measure, pair);
    bounds.iter().filter(|bound| value >= **bound).count()
}

/// Pairs of one quarter, and how many of them are at or above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Genuine pairs: all, and those that pass.
    pub genuine: [u64; 2],
    /// Impostor pairs: all, and those that pass.
    pub impostor: [u64; 2],
}

impl Passed {
    /// Share of genuine pairs that pass.
    pub fn tar(&self) -> f64 {
        share(self.genuine[1], self.genuine[0])
    }

    /// Share of impostor pairs that pass.
    pub fn far(&self) -> f64 {
        share(self.impostor[1], self.impostor[0])
    }
}

/// Every picture with every other, by quarters of each measure. `pictures` holds for each the
/// number of its person and the embedding, `None` when no face was found.
pub fn passed(
    pictures: &[(usize, Option<Embedding>)],
    cosine: Score,
    measures: &[(&Measure, [f64; 3])],
) -> Vec<[Passed; 4]> {
    let mut all = vec![[Passed::default(); 4]; measures.len()];
    for (a, (person, face)) in pictures.iter().enumerate() {
        for (b, (other, other_face)) in pictures.iter().enumerate().skip(a + 1) {
            let faces = face.as_ref().zip(other_face.as_ref());
            let passes = faces.is_some_and(|(a, b)| Score::from_f32(a.cosine(b)) >= cosine);
            for ((measure, bounds), quarters) in measures.iter().zip(&mut all) {
                let quarter = &mut quarters[quarter_of(measure, bounds, [a, b])];
                let kind =
                    if person == other { &mut quarter.genuine } else { &mut quarter.impostor };
                kind[0] += 1;
                kind[1] += u64::from(passes);
            }
        }
    }
    all
}
