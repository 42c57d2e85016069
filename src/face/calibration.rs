//! Thresholds from pictures of known people: what `rollcall models calibrate` computes. Embeddings
//! and the wanted FAR in, a pack's thresholds out, each with what it is worth.
//!
//! - `match` is the lowest cosine at which at most the wanted share of impostor pairs passes.
//! - `tail` is the same for every whole decade that the pairs suffice for (ERRORS_MIN of them at
//!   or above it): searches over a roster read their threshold from it ([`super::open_search`]).
//! - `confident` lies above *every* impostor pair, or, where the pairs suffice, at FAR 1e-6. Of
//!   further pairs like these, one in (pairs + 1) is expected to lie above the largest of all pairs
//!   seen: that is the FAR that it is given.

use super::accuracy::Scores;
use super::accuracy_intervals::{
    ByPerson, ERRORS_MIN, Errors, PEOPLE_MIN, pairs_needed, people_needed,
};
use super::embed::Embedding;
use super::open_search::{Tail, TailPoint};
use crate::domain::Score;

/// The decades of a tail.
pub const TAIL_FARS: [f64; 4] = [1e-2, 1e-3, 1e-4, 1e-5];

/// Where `confident` lies if the pairs suffice for it.
const CONFIDENT_FAR: f64 = 1e-6;

/// What the pictures say about a pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// People with a picture.
    pub people: usize,
    /// Pictures, those without a face among them.
    pub pictures: usize,
    /// Pictures without a face.
    pub missed: usize,
    /// Pairs of two people.
    pub impostor_pairs: u64,
    /// Pairs of one person.
    pub genuine_pairs: u64,
    /// At the wanted FAR.
    pub matching: Errors,
    /// Above every impostor pair, or at FAR 1e-6.
    pub confident: Errors,
    /// What `confident` is worth on further pairs like these.
    pub confident_far: f64,
    /// The decades that the pairs suffice for, the loosest first.
    pub tail: Tail,
}

/// The pictures do not suffice for the wanted FAR.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TooFew {
    /// No person has two pictures: nothing is known about FRR.
    #[error("nobody has two pictures with a face, so that nothing can be said about FRR")]
    Genuine,
    /// Too few people, or too few pairs of them.
    #[error(
        "{people} people with {pictures} pictures make {pairs} pairs of two people, and FAR {far:e} needs {needed:.0} pairs ({ERRORS_MIN} errors, ISO/IEC 19795-1) of at least {PEOPLE_MIN} people"
    )]
    Impostor {
        /// What was wanted.
        far: f64,
        /// What there is.
        people: usize,
        /// What there is.
        pictures: usize,
        /// What there is.
        pairs: u64,
        /// What there must be.
        needed: f64,
        /// With as many pictures of each as there are.
        people_needed: f64,
        /// The smallest whole decade that the pairs suffice for, if any.
        possible: Option<f64>,
    },
}

impl TooFew {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Genuine => "put at least two pictures of each person into her folder".to_owned(),
            Self::Impostor { people_needed, possible, .. } => {
                let instead = possible.map_or(String::new(), |far| {
                    format!(", or ask for what these pictures can say: --far {far:e}")
                });
                format!("take {people_needed:.0} people with as many pictures of each{instead}")
            }
        }
    }
}

/// To two digits, never down: what people read need not be finer.
fn rounded_up(rate: f64) -> f64 {
    let unit = 10_f64.powf(rate.log10().floor() - 1.0);
    let up = (rate / unit).ceil() * unit;
    format!("{up:.1e}").parse().unwrap_or(up)
}

/// Computes thresholds. `pictures` holds for each the number of its person (from 0) and the
/// embedding, `None` when no face was found; `draw` gives the chance for the intervals, the same
/// sequence for each threshold; `workers` threads share the work.
pub fn calibrate<D: FnMut() -> u64>(
    pictures: &[(usize, Option<Embedding>)],
    far: f64,
    workers: usize,
    draw: impl Fn() -> D,
) -> Result<Calibration, TooFew> {
    let scores = Scores::of_all_pairs(pictures, workers);
    let impostor_pairs = scores.impostor.pairs();
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pairs")]
    let pairs = impostor_pairs as f64;
    let suffices = |far: f64| pairs >= pairs_needed(far);
    let mut people: Vec<usize> = pictures.iter().map(|(person, _)| *person).collect();
    people.sort_unstable();
    people.dedup();
    let people = people.len();
    let wanted = scores.threshold_at(far).filter(|_| suffices(far) && people >= PEOPLE_MIN);
    let Some(wanted) = wanted else {
        let enough_people = people >= PEOPLE_MIN;
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 pictures")]
        let each = pictures.len() as f64 / people.max(1) as f64;
        return Err(TooFew::Impostor {
            far,
            people,
            pictures: pictures.len(),
            pairs: impostor_pairs,
            needed: pairs_needed(far),
            people_needed: people_needed(far, each),
            possible: TAIL_FARS.into_iter().rfind(|far| enough_people && suffices(*far)),
        });
    };
    if scores.genuine.pairs() == 0 || scores.genuine.share_from(Score::from_e4(-10_000)) == 0.0 {
        return Err(TooFew::Genuine);
    }
    let above_all = scores.impostor.above_all();
    let confident = scores
        .threshold_at(CONFIDENT_FAR)
        .filter(|_| suffices(CONFIDENT_FAR))
        .map(|cosine| (cosine, CONFIDENT_FAR));
    let (confident, confident_far) =
        confident.unwrap_or((above_all, rounded_up(1.0 / (pairs + 1.0))));
    let mut tail: Vec<TailPoint> = Vec::new();
    for far in TAIL_FARS.into_iter().filter(|far| suffices(*far)) {
        // A tail beyond `confident` would be one of ties.
        let cosine = scores.threshold_at(far).filter(|cosine| *cosine <= confident);
        // Ties of many pairs can put two decades on one cosine: the rarer one says no more.
        let new = cosine.filter(|cosine| tail.last().is_none_or(|last| last.cosine < *cosine));
        tail.extend(new.map(|cosine| TailPoint { far, cosine }));
    }
    let by_person = ByPerson::new(pictures, wanted.min(confident));
    Ok(Calibration {
        people,
        pictures: pictures.len(),
        missed: pictures.iter().filter(|(_, face)| face.is_none()).count(),
        impostor_pairs,
        genuine_pairs: scores.genuine.pairs(),
        matching: by_person.errors_at(wanted, &mut draw()),
        confident: by_person.errors_at(confident.max(wanted), &mut draw()),
        confident_far,
        tail: Tail::new(tail).expect("each point is rarer and stricter than the one before"),
    })
}
