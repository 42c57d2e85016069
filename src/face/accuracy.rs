//! How good a pack is: the arithmetic behind `rollcall models bench` and `calibrate`. Scores in,
//! shares and thresholds out; where the pictures come from is not known here.
//!
//! *Genuine* pairs show one person twice, *impostor* pairs two people. At a threshold, FAR is the
//! share of impostor pairs at or above it and TAR that of genuine pairs.

use std::collections::BTreeMap;

use super::embed::Embedding;
use crate::domain::Score;

/// One place for each score from −1 to 1 in ten-thousandths.
const PLACES: usize = 20_001;

/// How many pairs had which score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    pairs: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; PLACES], pairs: 0 }
    }
}

impl Histogram {
    /// Counts a pair.
    pub fn add(&mut self, score: Score) {
        let place = usize::try_from(score.as_e4() + 10_000).unwrap_or(0).min(PLACES - 1);
        self.counts[place] += 1;
        self.pairs += 1;
    }

    /// Counts a pair of which one face was not found: it matches at no threshold.
    pub fn add_missed(&mut self) {
        self.pairs += 1;
    }

    /// How many pairs.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Share of pairs at or above `score`; 0 without pairs.
    pub fn share_from(&self, score: Score) -> f64 {
        let place = usize::try_from(score.as_e4() + 10_000).unwrap_or(0);
        let above: u64 = self.counts.iter().skip(place).sum();
        share(above, self.pairs)
    }

    /// The lowest score above every pair; 1 when a pair has that.
    pub fn above_all(&self) -> Score {
        let highest = self.counts.iter().rposition(|count| *count > 0);
        score_at(highest.map_or(0, |place| place + 1))
    }

    fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, other)| *mine += other);
        self.pairs += other.pairs;
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pairs")]
pub(super) fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// Scores of genuine and impostor pairs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scores {
    /// One person twice.
    pub genuine: Histogram,
    /// Two people.
    pub impostor: Histogram,
}

impl Scores {
    /// Every picture with every other. `pictures` holds for each the number of its person and the
    /// embedding, `None` when no face was found; `workers` threads share the work.
    pub fn of_all_pairs(pictures: &[(usize, Option<Embedding>)], workers: usize) -> Self {
        let workers = workers.max(1);
        let part = |worker: usize| {
            let mut scores = Self::default();
            // Every `workers`th row: rows get shorter, and so all threads end together.
            for row in (worker..pictures.len()).step_by(workers) {
                let (person, face) = &pictures[row];
                for (other, other_face) in &pictures[row + 1..] {
                    let pairs =
                        if person == other { &mut scores.genuine } else { &mut scores.impostor };
                    match (face, other_face) {
                        (Some(a), Some(b)) => pairs.add(Score::from_f32(a.cosine(b))),
                        (None, _) | (_, None) => pairs.add_missed(),
                    }
                }
            }
            scores
        };
        let mut all = Self::default();
        std::thread::scope(|scope| {
            let part = &part;
            let parts: Vec<_> =
                (0..workers).map(|worker| scope.spawn(move || part(worker))).collect();
            for one in parts {
                let one = one.join().expect("adding up scores does not panic");
                all.genuine.merge(&one.genuine);
                all.impostor.merge(&one.impostor);
            }
        });
        all
    }

    /// The lowest score at which at most `far` of the impostor pairs would be taken for one
    /// person. `None` when there are too few of them to say: at least one is needed for each
    /// 1 ÷ `far`.
    pub fn threshold_at(&self, far: f64) -> Option<Score> {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pairs")]
        let allowed = self.impostor.pairs as f64 * far;
        if allowed < 1.0 {
            return None;
        }
        let mut above = 0_u64;
        let mut lowest = PLACES;
        for (place, count) in self.impostor.counts.iter().enumerate().rev() {
            above += count;
            #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pairs")]
            if above as f64 > allowed {
                break;
            }
            lowest = place;
        }
        Some(score_at(lowest))
    }

    /// TAR at the threshold for this FAR.
    pub fn tar_at(&self, far: f64) -> Option<f64> {
        self.threshold_at(far).map(|threshold| self.genuine.share_from(threshold))
    }

    /// The curve of both errors (detection error tradeoff): FAR as it is at the threshold for each
    /// of twenty rates a decade from 1 down to where the pairs no longer suffice, and FRR there.
    pub fn det(&self) -> Vec<(f64, f64)> {
        let rates = (0..).map(|step: i32| 10_f64.powf(f64::from(-step) / 20.0));
        rates
            .map_while(|far| self.threshold_at(far))
            .map(|at| (self.impostor.share_from(at), 1.0 - self.genuine.share_from(at)))
            .filter(|(far, _)| *far > 0.0)
            .collect()
    }

    /// The rate at which as many impostors are accepted as genuine pairs are refused.
    pub fn equal_error_rate(&self) -> f64 {
        let (mut accepted, mut impostors) = (0_u64, 0_u64);
        let mut nearest = (f64::INFINITY, 1.0);
        for place in (0..PLACES).rev() {
            accepted += self.genuine.counts[place];
            impostors += self.impostor.counts[place];
            let refused = 1.0 - share(accepted, self.genuine.pairs);
            let far = share(impostors, self.impostor.pairs);
            let apart = (refused - far).abs();
            if apart < nearest.0 {
                nearest = (apart, (refused + far) / 2.0);
            }
        }
        nearest.1
    }
}

/// Beyond the last place lies a score that nothing reaches; it is shown as 1.
fn score_at(place: usize) -> Score {
    let place = i32::try_from(place.min(PLACES - 1)).expect("twenty thousand fits");
    Score::from_e4(place - 10_000)
}

/// One pair of a protocol with folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Which fold it belongs to.
    pub fold: usize,
    /// One person twice?
    pub genuine: bool,
    /// `None` when a face was not found: the pair is wrong at any threshold.
    pub score: Option<Score>,
}

/// Accuracy over folds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Folded {
    /// Mean over the folds.
    pub accuracy: f64,
    /// Standard deviation over the folds (dividing by their number).
    pub sd: f64,
}

/// For each fold, chooses the threshold that is best on all *other* folds and counts how often it
/// is right on this one. `None` unless at least two folds have pairs.
pub fn across_folds(pairs: &[Pair]) -> Option<Folded> {
    let right = right_across_folds(pairs)?;
    let mut folds: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for (pair, right) in pairs.iter().zip(right) {
        let (rights, all) = folds.entry(pair.fold).or_default();
        *rights += u64::from(right);
        *all += 1;
    }
    let accuracies: Vec<f64> = folds.into_values().map(|(right, all)| share(right, all)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of folds")]
    let count = accuracies.len() as f64;
    let accuracy = accuracies.iter().sum::<f64>() / count;
    let variance = accuracies.iter().map(|one| (one - accuracy).powi(2)).sum::<f64>() / count;
    Some(Folded { accuracy, sd: variance.sqrt() })
}

/// Whether each pair is right at the threshold that is best on all other folds. `None` unless at
/// least two folds have pairs.
pub fn right_across_folds(pairs: &[Pair]) -> Option<Vec<bool>> {
    let folds = pairs.iter().map(|pair| pair.fold + 1).max()?;
    let mut right = vec![false; pairs.len()];
    for fold in 0..folds {
        let others: Vec<Pair> = pairs.iter().filter(|pair| pair.fold != fold).copied().collect();
        if others.is_empty() {
            return None;
        }
        let threshold = best_threshold(&others);
        for (right, pair) in right.iter_mut().zip(pairs).filter(|(_, pair)| pair.fold == fold) {
            *right = is_right(pair, threshold);
        }
    }
    Some(right)
}

fn is_right(pair: &Pair, threshold: Score) -> bool {
    pair.score.is_some_and(|score| (score >= threshold) == pair.genuine)
}

/// The middle of those thresholds at which the most pairs are right.
fn best_threshold(pairs: &[Pair]) -> Score {
    let mut scores = Scores::default();
    for pair in pairs {
        let kind = if pair.genuine { &mut scores.genuine } else { &mut scores.impostor };
        match pair.score {
            Some(score) => kind.add(score),
            None => kind.add_missed(),
        }
    }
    let refused: u64 = scores.impostor.counts.iter().sum();
    let (mut accepted, mut taken_in) = (0, 0);
    let mut best = (0, 0, 0);
    for place in (0..PLACES).rev() {
        accepted += scores.genuine.counts[place];
        taken_in += scores.impostor.counts[place];
        let right = accepted + refused - taken_in;
        if right > best.0 {
            best = (right, place, place);
        } else if right == best.0 {
            best.2 = place;
        }
    }
    score_at(best.1.midpoint(best.2))
}
