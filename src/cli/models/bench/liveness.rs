//! `--liveness DIR`: how the liveness nets of the pack judge living and shown faces, by the error
//! rates of ISO/IEC 30107-3. `DIR/live` holds living faces; `DIR/spoof` shown ones, a folder in it
//! one kind of attack (print, screen, mask), pictures directly in it a kind of their own.
//!
//! BPCER is the share of living faces called shown; APCER the share of shown faces called live,
//! given for each kind, since the standard judges by the worst. Pictures without a face are no
//! answer and are counted apart (BPNRR and APNRR of the standard). The intervals are Clopper and
//! Pearson's and take each picture as a trial of its own: give one picture of each presentation.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::Failure;
use super::super::measure::{measure, people_of, pictures_in};
use super::{Common, Report, number, unreadable};
use crate::domain::Score;
use crate::face::accuracy_intervals::{Interval, clopper_pearson};
use crate::face::{OpenError, Settings};

#[derive(Debug, Args)]
pub(super) struct LivenessOptions {
    /// Of --liveness: from this score on a face counts as live, as `[checkin] live_min` would say.
    #[arg(long, value_name = "SCORE", default_value_t = 0.5)]
    live_min: f32,
}

/// Pictures of one kind: what they show, and where they are.
struct Kind {
    name: String,
    live: bool,
    pictures: Vec<PathBuf>,
}

pub(super) fn run(
    folder: &Path,
    options: &LivenessOptions,
    common: &Common,
    settings: &Settings,
) -> Result<Report, Failure> {
    let pack = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    if pack.liveness.is_empty() {
        let text = format!(
            "pack {} has no liveness net: it tells no living face from a shown one\n",
            pack.name
        );
        return Ok(Report { json: json!({ "pack": pack.name, "liveness": null }), text });
    }
    let least = Score::from_f32(options.live_min);
    let mut kinds = Vec::new();
    let (mut worst, mut bpcer) = (None::<f64>, None);
    for Kind { name, live, mut pictures } in kinds_of(folder)? {
        pictures.truncate(common.first.unwrap_or(usize::MAX));
        let measured = measure(&pictures, settings, common.workers)?;
        let scores: Vec<Score> =
            measured.iter().filter_map(|one| one.face.as_ref()?.liveness).collect();
        let wrong = scores.iter().filter(|score| (**score >= least) != live).count() as u64;
        let trials = scores.len() as u64;
        let Interval { low, high } = clopper_pearson(wrong, trials);
        #[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
        let rate = (trials > 0).then(|| wrong as f64 / trials as f64);
        if live {
            bpcer = rate;
        } else {
            worst = worst.into_iter().chain(rate).reduce(f64::max);
        }
        kinds.push(json!({
            "kind": name, "live": live, "pictures": pictures.len(),
            "without_a_face": pictures.len() - scores.len(),
            "wrong": wrong, "rate": rate, "rate_95": [low, high],
        }));
    }
    let report = json!({
        "pack": pack.name, "live_min": f64::from(least.as_e4()) / 1e4,
        "liveness": pack.liveness.iter().map(|net| net.name.as_str()).collect::<Vec<_>>(),
        "bpcer": bpcer, "apcer_worst": worst, "kinds": kinds,
    });
    let text = text(&report);
    Ok(Report { json: report, text })
}

/// Living faces, and each kind of attack that has a picture.
fn kinds_of(folder: &Path) -> Result<Vec<Kind>, Failure> {
    let (live, spoof) = (folder.join("live"), folder.join("spoof"));
    let list = |folder: &Path| {
        let failed = |error: std::io::Error| unreadable(folder, error.to_string());
        let pictures = pictures_in(folder).map_err(failed)?;
        Ok::<_, Failure>((pictures, people_of(folder).map_err(failed)?))
    };
    let (mut living, below) = list(&live)?;
    living.extend(below.into_iter().flat_map(|(_, pictures)| pictures));
    let mut kinds = vec![Kind { name: "live".to_owned(), live: true, pictures: living }];
    let (shown, below) = list(&spoof)?;
    let attacks = std::iter::once(("spoof".to_owned(), shown)).chain(below);
    kinds.extend(attacks.map(|(name, pictures)| Kind { name, live: false, pictures }));
    kinds.retain(|kind| !kind.pictures.is_empty());
    if !kinds.iter().any(|kind| kind.live) || kinds.iter().all(|kind| kind.live) {
        return Err(unreadable(folder, "live and spoof must both hold pictures".to_owned()));
    }
    Ok(kinds)
}

fn text(report: &serde_json::Value) -> String {
    let mut text = format!(
        "pack {}, live from {:.4}\n",
        report["pack"].as_str().unwrap_or_default(),
        number(&report["live_min"])
    );
    for kind in report["kinds"].as_array().into_iter().flatten() {
        let live = kind["live"].as_bool().unwrap_or_default();
        text.push_str(&format!(
            "  {:<12} {} {:.4} (95 %: {:.4} to {:.4}): {} of {} pictures wrong, {} without a face\n",
            kind["kind"].as_str().unwrap_or_default(),
            if live { "BPCER" } else { "APCER" },
            number(&kind["rate"]),
            number(&kind["rate_95"][0]),
            number(&kind["rate_95"][1]),
            kind["wrong"],
            kind["pictures"],
            kind["without_a_face"],
        ));
    }
    text
}
