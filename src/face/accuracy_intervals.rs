//! How sure an error rate is: 95 % confidence intervals for FAR and FRR.
//!
//! Pairs of pictures are not independent: one person enters thousands of them, and somebody whom
//! others resemble (a "wolf") makes many errors at once. Counting each pair as a trial of its own
//! would call the figures far surer than they are. What is independent is *people*, so people are
//! drawn anew, with replacement, with all their pictures: the bootstrap over subsets of Bolle,
//! Ratha and Pankanti ("Error analysis of pattern recognition systems – the subsets bootstrap",
//! Computer Vision and Image Understanding 93, 2004), for pairs of two people by drawing *both*
//! (the vertex bootstrap of Snijders and Borgatti, "Non-parametric standard errors and tests for
//! network statistics", Connections 22, 1999). The interval goes from the 2.5th to the 97.5th
//! percentile of the rates of all draws.
//!
//! No error at all does not mean none: then the upper limit is the rule of three of ISO/IEC
//! 19795-1, over comparisons that share nobody ([`rule_of_three`]). Trials that *are* independent
//! (one presentation each) have the exact interval of Clopper and Pearson ([`clopper_pearson`]).
//!
//! Chance comes in as an argument: the same draws give the same interval.

use super::accuracy::share;
use super::embed::Embedding;
use crate::domain::Score;

/// Draws of people: enough that the limits themselves hardly move (2.5 % of them are 50).
pub const REPLICATES: usize = 2_000;

/// Fewer people than this say too little about others, however many pictures each has.
pub const PEOPLE_MIN: usize = 20;

/// From this many errors on, the observed rate is within 30 % of the true one with a confidence of
/// 90 % (the "rule of 30" of Doddington, in ISO/IEC 19795-1).
pub const ERRORS_MIN: u32 = 30;

/// Where a rate lies with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// What the pairs said, kept by person.
#[derive(Debug, Clone, PartialEq)]
pub struct ByPerson {
    /// How many pictures each person has, those without a face among them.
    pictures: Vec<u64>,
    /// Each person's pairs with herself; `None` where a face was not found.
    genuine: Vec<(usize, Option<Score>)>,
    /// The pairs of two people that score `from` or more.
    impostor: Vec<([usize; 2], Score)>,
    from: Score,
}

/// Both error rates at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// The threshold.
    pub cosine: Score,
    /// Share of impostor pairs at or above it.
    pub far: f64,
    /// Where that share lies for other people like these.
    pub far_95: Interval,
    /// Share of genuine pairs below it, or with a face that was not found.
    pub frr: f64,
    /// Where that share lies for other people like these.
    pub frr_95: Interval,
}

impl ByPerson {
    /// Every picture with every other. `pictures` holds for each the number of its person (from 0)
    /// and the embedding, `None` when no face was found. Impostor pairs below `from` are counted
    /// and not kept: [`ByPerson::errors_at`] answers from there on.
    pub fn new(pictures: &[(usize, Option<Embedding>)], from: Score) -> Self {
        let people = pictures.iter().map(|(person, _)| person + 1).max().unwrap_or(0);
        let mut all =
            Self { pictures: vec![0; people], genuine: Vec::new(), impostor: Vec::new(), from };
        for (row, (person, face)) in pictures.iter().enumerate() {
            all.pictures[*person] += 1;
            for (other, other_face) in &pictures[row + 1..] {
                let faces = face.as_ref().zip(other_face.as_ref());
                let score = faces.map(|(a, b)| Score::from_f32(a.cosine(b)));
                if person == other {
                    all.genuine.push((*person, score));
                } else if let Some(score) = score.filter(|score| *score >= from) {
                    all.impostor.push(([*person, *other], score));
                }
            }
        }
        all
    }

    /// How many people have a picture.
    pub fn people(&self) -> usize {
        self.pictures.iter().filter(|count| **count > 0).count()
    }

    /// Both rates at a threshold, which must not lie below `from`; `draw` gives the chance, in
    /// whole numbers of 64 bits.
    pub fn errors_at(&self, cosine: Score, draw: &mut dyn FnMut() -> u64) -> Errors {
        debug_assert!(cosine >= self.from, "pairs below {} are not kept", self.from);
        let people = self.pictures.len();
        let mut accepted = vec![0_u64; people];
        let mut genuine = vec![0_u64; people];
        for (person, score) in &self.genuine {
            genuine[*person] += 1;
            accepted[*person] += u64::from(score.is_some_and(|score| score >= cosine));
        }
        let taken_in: Vec<[usize; 2]> = self
            .impostor
            .iter()
            .filter(|(_, score)| *score >= cosine)
            .map(|(people, _)| *people)
            .collect();
        let at = |weights: &[u64]| {
            let far = taken_in.iter().map(|[a, b]| weights[*a] * weights[*b]).sum();
            let weigh =
                |counts: &[u64]| counts.iter().zip(weights).map(|(c, w)| c * w).sum::<u64>();
            let refused = weigh(&genuine) - weigh(&accepted);
            (share(far, self.impostor_pairs(weights)), share(refused, weigh(&genuine)))
        };
        let (far, frr) = at(&vec![1; people]);
        let (mut fars, mut frrs) = (Vec::new(), Vec::new());
        for _ in 0..REPLICATES {
            let (far, frr) = at(&self.drawn_anew(draw));
            fars.push(far);
            frrs.push(frr);
        }
        let claimants = genuine.iter().filter(|pairs| **pairs > 0).count();
        Errors {
            cosine,
            far,
            // People can be paired off so that nobody is in two comparisons.
            far_95: percentiles(fars).or_rule_of_three(far, self.people() / 2),
            frr,
            frr_95: percentiles(frrs).or_rule_of_three(frr, claimants),
        }
    }

    /// How often each person is drawn, when as many are drawn as there are.
    fn drawn_anew(&self, draw: &mut dyn FnMut() -> u64) -> Vec<u64> {
        let present: Vec<usize> =
            (0..self.pictures.len()).filter(|person| self.pictures[*person] > 0).collect();
        let mut weights = vec![0; self.pictures.len()];
        for _ in 0..present.len() {
            // The rest of a 64-bit number favours nobody by more than people ÷ 2⁶⁴.
            let place = usize::try_from(draw() % present.len() as u64).unwrap_or(0);
            weights[present[place]] += 1;
        }
        weights
    }

    /// How many pairs of two different people there are, each person counted as often as drawn.
    /// Two copies of one person are no two people.
    fn impostor_pairs(&self, weights: &[u64]) -> u64 {
        let counts =
            || self.pictures.iter().zip(weights).map(|(pictures, weight)| pictures * weight);
        let all: u64 = counts().sum();
        (all * all - self.squares(weights)) / 2
    }

    fn squares(&self, weights: &[u64]) -> u64 {
        self.pictures.iter().zip(weights).map(|(pictures, weight)| (pictures * weight).pow(2)).sum()
    }
}

impl Interval {
    fn or_rule_of_three(self, rate: f64, independent: usize) -> Self {
        if rate > 0.0 {
            return self;
        }
        Self { low: 0.0, high: rule_of_three(independent) }
    }
}

/// From the 2.5th to the 97.5th percentile.
fn percentiles(mut rates: Vec<f64>) -> Interval {
    rates.sort_by(f64::total_cmp);
    let last = rates.len().saturating_sub(1);
    let at = |per_mille: usize| rates.get(last * per_mille / 1000).copied().unwrap_or(0.0);
    Interval { low: at(25), high: at(975) }
}

/// No error in so many independent trials: with a confidence of 95 % the rate is at most this. It
/// is 3 ÷ `trials`, and all is possible without trials.
pub fn rule_of_three(trials: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 trials")]
    let trials = trials as f64;
    if trials < 3.0 { 1.0 } else { 3.0 / trials }
}

/// The exact 95 % interval of a rate, when `errors` of `trials` independent trials went wrong
/// (Clopper and Pearson, Biometrika 26, 1934): the lower limit is the rate at which that many
/// errors or more would come in 2.5 % of all cases, the upper one that many or fewer.
pub fn clopper_pearson(errors: u64, trials: u64) -> Interval {
    let errors = errors.min(trials);
    let low = if errors == 0 {
        0.0
    } else {
        rate_where(|rate| 1.0 - at_most(errors - 1, trials, rate) < 0.025)
    };
    let high = if errors == trials {
        1.0
    } else {
        rate_where(|rate| at_most(errors, trials, rate) > 0.025)
    };
    Interval { low, high }
}

/// The rate up to which `below` holds, by halving: 60 steps leave less than 1e-18.
fn rate_where(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        *(if below(middle) { &mut low } else { &mut high }) = middle;
    }
    low
}

/// Probability of at most `errors` in `trials`, each with this rate (0 < rate < 1). Summed in
/// logarithms, since the first terms of many trials are smaller than any number.
fn at_most(errors: u64, trials: u64, rate: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 trials")]
    let count = |number: u64| number as f64;
    let odds = rate.ln() - (-rate).ln_1p();
    let mut term = count(trials) * (-rate).ln_1p();
    let mut sum = term.exp();
    for errors in 1..=errors {
        term += odds + (count(trials - errors + 1) / count(errors)).ln();
        sum += term.exp();
    }
    sum.min(1.0)
}

/// How many people, with so many pictures each, give the pairs of two people that this FAR needs:
/// [`ERRORS_MIN`] ÷ `far`, and never fewer than [`PEOPLE_MIN`] people.
pub fn people_needed(far: f64, pictures_each: f64) -> f64 {
    let pairs = pairs_needed(far);
    let each = pictures_each.max(1.0).powi(2);
    // n (n − 1) / 2 · each = pairs
    let people = (0.5 + (0.25 + 2.0 * pairs / each).sqrt()).ceil();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let least = PEOPLE_MIN as f64;
    people.max(least)
}

/// How many impostor pairs this FAR needs.
pub fn pairs_needed(far: f64) -> f64 {
    f64::from(ERRORS_MIN) / far
}
