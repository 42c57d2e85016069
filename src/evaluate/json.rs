//! The evaluation as JSON: `overall` and `detectors` with the same fields; `null` where there was nothing to
//! count. Shares lie between 0 and 1, intervals are of 95 %.

use serde_json::{Map, Value, json};

use super::Evaluation;
use super::aims::aimed_by;
use super::figures::Figures;
use crate::domain::Share;
use crate::province::{Care, Kind};

/// The whole, with a line break at its end.
pub(super) fn of(evaluation: &Evaluation) -> String {
    let labels = &evaluation.labels;
    let detectors: Map<String, Value> = evaluation
        .detectors
        .iter()
        .map(|(kind, it)| (kind.as_str().to_owned(), figures(it)))
        .collect();
    let kinds = Kind::ALL.iter().map(|kind| (kind.code().to_owned(), cells(evaluation, *kind)));
    let [clumsy, middling, careful] = evaluation.by_aim;
    let value = json!({
        "format": "rollcall-evaluation-v1",
        "world": {
            "seed": labels.seed,
            "institutions": labels.institutions,
            "days": labels.days,
            "policy": labels.policy,
            "mix": labels.mix,
            "entries": evaluation.entries,
            "records": evaluation.records,
            "honest_trainee_days": evaluation.honest_days,
            "incidents": labels.incidents.len(),
        },
        "overall": figures(&evaluation.overall),
        "overall_without_unaimed": figures(&evaluation.visible),
        "recall_by_aim": {
            "clumsy": clumsy.rate(),
            "middling": middling.rate(),
            "careful": careful.rate(),
        },
        "detectors": detectors,
        "kinds": kinds.collect::<Map<String, Value>>(),
    });
    serde_json::to_string_pretty(&value).expect("text and numbers are always JSON") + "\n"
}

fn figures(it: &Figures) -> Value {
    let [clumsy, middling, careful] = Care::ALL.map(|care| it.recall_of(care));
    json!({
        "precision": it.precision.rate(),
        "recall_clumsy": clumsy.rate(),
        "recall_middling": middling.rate(),
        "recall_careful": careful.rate(),
        "false_alarms_per_1000_days": it.false_alarms_per_1000_days(),
        "delay_hours_median": it.delay_median_h(),
        "alarms": it.precision.of,
        "false_alarms": it.false_alarms.hits,
        "incidents": { "clumsy": clumsy.of, "middling": middling.of, "careful": careful.of },
        "intervals": {
            "precision": interval(it.precision),
            "recall_clumsy": interval(clumsy),
            "recall_middling": interval(middling),
            "recall_careful": interval(careful),
            "false_alarms_per_1000_days": it.false_alarms.rate().map(|_| {
                let (low, high) = it.false_alarms.interval();
                [low * 1_000.0, high * 1_000.0]
            }),
        },
    })
}

fn interval(share: Share) -> Option<[f64; 2]> {
    share.rate().map(|_| share.interval().into())
}

fn cells(evaluation: &Evaluation, kind: Kind) -> Value {
    let aimed: Vec<_> =
        aimed_by(kind, &evaluation.kinds()).into_iter().map(|it| it.as_str()).collect();
    let mut value = json!({ "aimed_by": aimed, "unaimed": kind.is_unaimed() });
    for cell in evaluation.cells.iter().filter(|cell| cell.kind == kind) {
        value[cell.care.code()] = json!({
            "planted": cell.found.of,
            "found": cell.found.hits,
            "found_by_aim": cell.aimed.hits,
            "recall": cell.found.rate(),
            "interval": interval(cell.found),
        });
    }
    value
}
