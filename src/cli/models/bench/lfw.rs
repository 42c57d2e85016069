//! `--lfw DIR`: the LFW protocol on the real pipeline. Every picture of `DIR/pairs.txt` is measured
//! once; accuracy is over the pairs of the file (threshold from nine folds, tested on the tenth),
//! TAR at FAR, EER and the DET curve over all pairs of all its pictures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::Failure;
use super::super::measure::{Measured, measure, median_and_p95_ms};
use super::{Common, Report, groups, number, pairs};
use crate::domain::Score;
use crate::face::accuracy::{Folded, Pair, Scores, across_folds};
use crate::face::{OpenError, Pipeline, Settings, Thresholds};

/// The false accept rates that are reported, and how they are written.
const FARS: [(&str, f64); 4] = [("1e-3", 1e-3), ("1e-4", 1e-4), ("1e-5", 1e-5), ("1e-6", 1e-6)];

#[derive(Debug, Args)]
pub(super) struct LfwOptions {
    /// Of --lfw: also report the pairs with no person of this folder (one folder per person), for
    /// models or thresholds that have seen it.
    #[arg(long, value_name = "DIR")]
    without: Option<PathBuf>,
}

pub(super) fn run(
    folder: &Path,
    options: &LfwOptions,
    common: &Common,
    settings: &Settings,
) -> Result<Report, Failure> {
    let protocol = protocol(folder)?;
    let mut paths: Vec<PathBuf> = protocol
        .pictures
        .iter()
        .map(|(name, number)| folder.join(name).join(format!("{name}_{number:04}.jpg")))
        .collect();
    paths.truncate(common.first.unwrap_or(usize::MAX));
    // Also says at once what would otherwise fail on every thread.
    let pipeline = Pipeline::open(settings)?;
    let pack = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    eprintln!(
        "{} pictures, pack {}, runtime {} ({}), {} thread(s) a net, {} at once",
        paths.len(),
        pack.name,
        pipeline.runtime().as_str(),
        pipeline.runtime_why(),
        settings.threads,
        common.workers
    );
    let measured = measure(&paths, settings, common.workers)?;
    let mut report = json!({
        "pack": pack.name,
        "models": pack.models().map(|model| model.name.as_str()).collect::<Vec<_>>(),
        "runtime": pipeline.runtime().as_str(),
        "threads": settings.threads,
        "workers": common.workers,
        "pictures": measured.len(),
        "missed_faces": measured.iter().filter(|one| one.face.is_none()).count(),
        "latency_ms": latencies(&measured),
    });
    if common.first.is_none() {
        let accuracy = Accuracy { protocol: &protocol, measured, workers: common.workers };
        accuracy.add_to(&mut report, options.without.as_deref(), pack.thresholds.as_ref())?;
    }
    let text = text(&report);
    Ok(Report { json: report, text })
}

fn protocol(folder: &Path) -> Result<pairs::Protocol, Failure> {
    let path = folder.join("pairs.txt");
    let failed = |because: String| Failure {
        exit: 2,
        what: format!("could not read the pairs of {}", path.display()),
        because,
        hint: "name the folder that holds LFW's pairs.txt and its pictures".to_owned(),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    pairs::parse(&text).map_err(failed)
}

/// All pictures of the protocol, measured.
struct Accuracy<'a> {
    protocol: &'a pairs::Protocol,
    measured: Vec<Measured>,
    workers: usize,
}

impl Accuracy<'_> {
    fn person(&self, place: usize) -> &str {
        &self.protocol.pictures[place].0
    }

    fn add_to(
        self,
        report: &mut serde_json::Value,
        without: Option<&Path>,
        thresholds: Option<&Thresholds>,
    ) -> Result<(), Failure> {
        let pairs = self.pairs();
        let folded = across_folds(&pairs).ok_or_else(too_few)?;
        report["pairs"] = json!(pairs.len());
        report["accuracy"] = json!(folded.accuracy);
        report["accuracy_sd"] = json!(folded.sd);
        if let Some(folder) = without {
            report["disjoint"] = self.disjoint(&pairs, folder)?;
        }
        eprintln!("comparing every picture with every other …");
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut pictures = Vec::with_capacity(self.measured.len());
        for ((name, _), one) in self.protocol.pictures.iter().zip(&self.measured) {
            let next = numbers.len();
            let embedding = one.face.as_ref().map(|face| face.embedding.clone());
            pictures.push((*numbers.entry(name).or_insert(next), embedding));
        }
        let scores = Scores::of_all_pairs(&pictures, self.workers);
        report["genuine_pairs"] = json!(scores.genuine.pairs());
        report["impostor_pairs"] = json!(scores.impostor.pairs());
        report["eer"] = json!(scores.equal_error_rate());
        report["tar_at_far"] = json!({});
        report["threshold_at_far"] = json!({});
        for (name, far) in FARS {
            report["tar_at_far"][name] = json!(scores.tar_at(far));
            report["threshold_at_far"][name] = json!(scores.threshold_at(far).map(cosine));
        }
        report["det"] = json!(scores.det());
        let both =
            thresholds.map(|both| [("match", &both.matching), ("confident", &both.confident)]);
        for (name, threshold) in both.into_iter().flatten() {
            report["manifest_thresholds"][name] = json!({
                "cosine": cosine(threshold.cosine),
                "far": scores.impostor.share_from(threshold.cosine),
                "tar": scores.genuine.share_from(threshold.cosine),
            });
        }
        // Groups are compared at one threshold: the pack's own, or else the one at FAR 1e-3.
        let at = thresholds
            .map(|both| both.matching.cosine)
            .or_else(|| scores.threshold_at(FARS[0].1))
            .unwrap_or(Score::from_e4(10_000));
        let faces: Vec<_> = self.measured.iter().map(|one| one.face.as_ref()).collect();
        let places: Vec<[usize; 2]> = self.protocol.pairs.iter().map(|(_, pair)| *pair).collect();
        report["groups"] = groups::report(&faces, &pictures, (&pairs, &places), at);
        Ok(())
    }

    fn pairs(&self) -> Vec<Pair> {
        let face = |place: usize| self.measured[place].face.as_ref().map(|face| &face.embedding);
        let pair = |(fold, [a, b]): &(usize, [usize; 2])| Pair {
            fold: *fold,
            genuine: self.person(*a) == self.person(*b),
            score: face(*a).zip(face(*b)).map(|(a, b)| Score::from_f32(a.cosine(b))),
        };
        self.protocol.pairs.iter().map(pair).collect()
    }

    /// The pairs with nobody of that folder.
    fn disjoint(&self, pairs: &[Pair], folder: &Path) -> Result<serde_json::Value, Failure> {
        let unknown = |place: usize| !folder.join(self.person(place)).is_dir();
        let disjoint: Vec<Pair> = self
            .protocol
            .pairs
            .iter()
            .zip(pairs)
            .filter(|((_, places), _)| places.iter().all(|place| unknown(*place)))
            .map(|(_, pair)| *pair)
            .collect();
        let Folded { accuracy, sd } = across_folds(&disjoint).ok_or_else(too_few)?;
        Ok(json!({ "pairs": disjoint.len(), "accuracy": accuracy, "accuracy_sd": sd }))
    }
}

fn cosine(score: Score) -> f64 {
    f64::from(score.as_e4()) / 1e4
}

fn too_few() -> Failure {
    Failure {
        exit: 2,
        what: "could not compute the accuracy".to_owned(),
        because: "fewer than two folds have pairs".to_owned(),
        hint: "use the complete pairs.txt".to_owned(),
    }
}

fn latencies(measured: &[Measured]) -> serde_json::Value {
    type Stage = fn(&Measured) -> Duration;
    let stages: [(&str, Stage); 6] = [
        ("decode", |one| one.decode),
        ("detect", |one| one.timings.detect),
        ("align", |one| one.timings.align),
        ("liveness", |one| one.timings.liveness),
        ("embed", |one| one.timings.embed),
        ("total", |one| {
            let Measured { decode, timings: t, .. } = one;
            *decode + t.detect + t.align + t.liveness + t.embed
        }),
    ];
    let mut all = json!({});
    for (name, stage) in stages {
        let (median, p95) = median_and_p95_ms(measured.iter().map(stage).collect());
        let rounded = |ms: f64| (ms * 1000.0).round() / 1000.0;
        all[name] = json!({ "median": rounded(median), "p95": rounded(p95) });
    }
    all
}

/// The report as people read it. Writing to a string cannot fail.
fn text(report: &serde_json::Value) -> String {
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        writeln!(text, "{line}").expect("a string takes every line");
    };
    line(format_args!(
        "pack {}, runtime {}, {} thread(s) a net, {} at once",
        report["pack"].as_str().unwrap_or_default(),
        report["runtime"].as_str().unwrap_or_default(),
        report["threads"],
        report["workers"]
    ));
    line(format_args!(
        "{} pictures, {} without a face",
        report["pictures"], report["missed_faces"]
    ));
    if report["accuracy"].is_number() {
        let accuracy = |of: &serde_json::Value| {
            let (mean, sd) = (number(&of["accuracy"]), number(&of["accuracy_sd"]));
            format!("accuracy {mean:.4} ± {sd:.4} over {} pairs", of["pairs"])
        };
        line(format_args!("{}", accuracy(report)));
        if report["disjoint"].is_object() {
            let disjoint = accuracy(&report["disjoint"]);
            line(format_args!("{disjoint} with none of the people left out"));
        }
        line(format_args!(
            "all pairs of all pictures: {} genuine, {} impostor, EER {:.4}",
            report["genuine_pairs"],
            report["impostor_pairs"],
            number(&report["eer"])
        ));
        for (name, _) in FARS {
            line(format_args!(
                "  TAR at FAR {name}: {:.4} (cosine {:.4})",
                number(&report["tar_at_far"][name]),
                number(&report["threshold_at_far"][name])
            ));
        }
        for name in ["match", "confident"] {
            let at = &report["manifest_thresholds"][name];
            if at.is_object() {
                line(format_args!(
                    "  at the manifest's {name} ({:.4}): TAR {:.4}, FAR {:.2e}",
                    number(&at["cosine"]),
                    number(&at["tar"]),
                    number(&at["far"])
                ));
            }
        }
        line(format_args!("{}", groups::text(&report["groups"])));
    }
    line(format_args!("latency, ms      median     p95"));
    for stage in ["decode", "detect", "align", "liveness", "embed", "total"] {
        let at = &report["latency_ms"][stage];
        let (median, p95) = (number(&at["median"]), number(&at["p95"]));
        line(format_args!("  {stage:<12} {median:>8.2} {p95:>8.2}"));
    }
    text
}
