//! Of `--lfw`: accuracy for groups of pairs that can be told apart by measuring their pictures.

use std::fmt::Write as _;

use serde_json::json;

use super::number;
use crate::domain::Score;
use crate::face::accuracy::{Pair, right_across_folds};
use crate::face::accuracy_groups::{Measure, passed, quarter_of, quarters, turn};
use crate::face::{Embedding, FrontFace};

/// What is measured: its name in the report, in words from the worst to the best, and how (larger is
/// better).
type Kind = (&'static str, [&'static str; 2], fn(&FrontFace) -> f64);

const KINDS: [Kind; 4] = [
    ("brightness", ["darkest", "brightest"], |face| f64::from(face.quality.brightness)),
    ("sharpness", ["most blurred", "sharpest"], |face| f64::from(face.quality.sharpness)),
    ("eye_distance_px", ["smallest", "largest"], |face| f64::from(face.quality.eye_distance_px)),
    ("turn", ["most turned", "most frontal"], |face| -turn(&face.points)),
];

/// `pairs` of the protocol with the places of their pictures; `cosine` is the threshold for TAR and
/// FAR over all pairs.
pub(super) fn report(
    faces: &[Option<&FrontFace>],
    pictures: &[(usize, Option<Embedding>)],
    (pairs, places): (&[Pair], &[[usize; 2]]),
    cosine: Score,
) -> serde_json::Value {
    let measures = KINDS
        .map(|(_, _, measure)| faces.iter().map(|face| face.map(measure)).collect::<Measure>());
    let bounded: Vec<_> =
        measures.iter().map(|measure| (measure, quarters(measure, places))).collect();
    let passed = passed(pictures, cosine, &bounded);
    let right = right_across_folds(pairs).unwrap_or_default();
    let mut report = json!({ "cosine": f64::from(cosine.as_e4()) / 1e4 });
    for (((name, ..), (measure, bounds)), passed) in KINDS.iter().zip(&bounded).zip(passed) {
        let quarter = |quarter: usize| {
            let mut rights = places
                .iter()
                .zip(&right)
                .filter(|(pair, _)| quarter_of(measure, bounds, **pair) == quarter)
                .map(|(_, right)| *right);
            let (all, right) = rights
                .by_ref()
                .fold((0_u32, 0_u32), |(all, sum), right| (all + 1, sum + u32::from(right)));
            let accuracy = (all > 0).then(|| f64::from(right) / f64::from(all));
            let passed = passed[quarter];
            json!({
                "pairs": all, "accuracy": accuracy,
                "genuine_pairs": passed.genuine[0], "tar": passed.tar(),
                "impostor_pairs": passed.impostor[0], "far": passed.far(),
            })
        };
        // A turn is measured the other way round: shown as it is.
        let sign = if *name == "turn" { -1.0 } else { 1.0 };
        report[*name] = json!({
            "bounds": bounds.map(|bound| sign * bound),
            "quarters": (0..4).map(quarter).collect::<Vec<_>>(),
        });
    }
    report
}

pub(super) fn text(groups: &serde_json::Value) -> String {
    let mut text = format!(
        "by quarters of the pairs, each by its worse picture; TAR and FAR of all pairs at cosine {:.4}",
        number(&groups["cosine"])
    );
    for (name, [worst, best], _) in KINDS {
        let group = &groups[name];
        let bounds: Vec<String> = (0..3).map(|at| short(number(&group["bounds"][at]))).collect();
        write!(text, "\n  {name} ({worst} to {best}; bounds {})", bounds.join(", "))
            .expect("a string takes every line");
        for quarter in group["quarters"].as_array().into_iter().flatten() {
            write!(
                text,
                "\n    accuracy {:.4} ({} pairs)   TAR {:.4}   FAR {:.2e}",
                number(&quarter["accuracy"]),
                quarter["pairs"],
                number(&quarter["tar"]),
                number(&quarter["far"])
            )
            .expect("a string takes every line");
        }
    }
    text
}

/// Three digits that count, for measures from hundredths to thousands.
fn short(value: f64) -> String {
    if value.abs() < 1.0 { format!("{value:.3}") } else { format!("{value:.0}") }
}
