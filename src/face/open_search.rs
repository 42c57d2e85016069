//! Open search (1:N): which cosine a search over a roster needs, so that a stranger is taken for
//! somebody of the roster no more often than wanted.
//!
//! One comparison is wrong with probability FAR. A search compares a face with `n` people, and a
//! stranger gets through unless all `n` comparisons refuse: if these were independent,
//!
//! ```text
//! FPIR = 1 − (1 − FAR)ⁿ      and so      FAR = 1 − (1 − FPIR)^(1/n)
//! ```
//!
//! FPIR is the false-positive identification rate of ISO/IEC 19795-1; the formula is Wayman's
//! ("Error-rate equations for the general biometric system", IEEE Robotics & Automation Magazine
//! 6(1), 1999). Without independence, FPIR ≤ n · FAR still holds (the union bound), which for the
//! rates wanted here is the same to within half the wanted rate. What neither forgives is a FAR
//! measured on people less alike than those of the roster: docs/accuracy.md.
//!
//! The cosine for that FAR is read from the [`Tail`] of the pack, which `rollcall models
//! calibrate` measured.

use super::manifest::Thresholds;
use crate::domain::Score;

/// Most points of a tail: one per half a decade is already more than the data can tell apart.
pub const TAIL_POINTS_MAX: usize = 16;

/// A cosine and the share of impostor pairs at or above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TailPoint {
    /// Between 0 and 1, neither included.
    pub far: f64,
    /// Where that share of impostor pairs begins.
    pub cosine: Score,
}

/// The upper end of a pack's impostor scores, from the loosest point to the strictest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tail(Vec<TailPoint>);

impl Tail {
    /// Checks the points; the message says what is wrong with them. No points are a tail that
    /// says nothing.
    pub fn new(points: Vec<TailPoint>) -> Result<Self, &'static str> {
        if points.len() > TAIL_POINTS_MAX {
            return Err("a tail has at most 16 points");
        }
        if !points.iter().all(|point| point.far > 0.0 && point.far < 1.0) {
            return Err("every far of the tail must lie between 0 and 1");
        }
        let stricter =
            |pair: &[TailPoint]| pair[0].far > pair[1].far && pair[0].cosine < pair[1].cosine;
        if !points.windows(2).all(stricter) {
            return Err("each point of the tail must have a smaller far and a larger cosine");
        }
        Ok(Self(points))
    }

    /// From the loosest to the strictest.
    pub fn points(&self) -> &[TailPoint] {
        &self.0
    }

    /// Nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cosine for this FAR: between two points on the straight line over the logarithm of the
    /// FAR, rounded up; above the loosest point its cosine. `None` below the strictest point, where
    /// nothing was measured, and without points.
    pub fn cosine_at(&self, far: f64) -> Option<Score> {
        let stricter = self.0.iter().position(|point| point.far <= far)?;
        let Some(looser) = stricter.checked_sub(1).map(|before| self.0[before]) else {
            return Some(self.0[stricter].cosine);
        };
        let stricter = self.0[stricter];
        let share = (looser.far / far).ln() / (looser.far / stricter.far).ln();
        let (from, to) = (looser.cosine.as_e4(), stricter.cosine.as_e4());
        #[expect(clippy::cast_possible_truncation, reason = "lies between two scores")]
        let above = (f64::from(to - from) * share).ceil() as i32;
        Some(Score::from_e4((from + above).min(to)))
    }
}

/// The FAR that each comparison may have, when a search over `people` shall be wrong about a
/// stranger in at most `fpir_max` of all cases. Nobody counts as one.
pub fn far_for(people: usize, fpir_max: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "rosters have thousands of people")]
    let people = people.max(1) as f64;
    // The formula above, without losing a small rate in 1 − (1 − …).
    -((-fpir_max).ln_1p() / people).exp_m1()
}

impl Thresholds {
    /// The cosine from which a search over `people` recognises the most similar one, when a
    /// stranger may be taken for one of them in at most `fpir_max` of all cases.
    ///
    /// Never looser than `match`, since nobody is recognised more easily in a crowd than alone;
    /// never stricter than `confident`, which lies above every impostor pair that was measured.
    /// The tail ends in `confident`. A pack without a tail knows no better than `match`.
    pub fn search_threshold(&self, people: usize, fpir_max: f64) -> Score {
        if self.tail.is_empty() {
            return self.matching.cosine;
        }
        let far = far_for(people, fpir_max);
        let cosine = self.tail_to_confident().cosine_at(far).unwrap_or(self.confident.cosine);
        cosine.clamp(self.matching.cosine, self.confident.cosine)
    }

    /// The measured points, and `confident` behind them where its stated FAR is smaller still:
    /// that FAR is an upper bound of what was measured at a cosine this high.
    fn tail_to_confident(&self) -> Tail {
        let last = TailPoint { far: self.confident.far, cosine: self.confident.cosine };
        let points = self.tail.points().iter().copied().chain([last]).collect();
        Tail::new(points).unwrap_or_else(|_| self.tail.clone())
    }
}
