//! `rollcall models bench --lfw DIR`: the LFW protocol on the real pipeline. Every picture of
//! `DIR/pairs.txt` is measured once; accuracy is over the pairs of the file (threshold from nine
//! folds, tested on the tenth), TAR at FAR and EER over all pairs of all its pictures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::measure::{Measured, default_workers, measure, median_and_p95_ms};
use super::{Failure, lfw};
use crate::domain::Score;
use crate::face::accuracy::{Folded, Pair, Scores, across_folds};
use crate::face::manifest::Threshold;
use crate::face::{OpenError, Pipeline, Settings};

/// The false accept rates that are reported, and how they are written.
pub(super) const FARS: [(&str, f64); 4] =
    [("1e-3", 1e-3), ("1e-4", 1e-4), ("1e-5", 1e-5), ("1e-6", 1e-6)];

#[derive(Debug, Args)]
pub(super) struct Bench {
    /// Folder with pairs.txt and one folder of pictures per person.
    #[arg(long, value_name = "DIR")]
    lfw: PathBuf,
    /// Also report the pairs with no person of this folder (one folder per person), for models or
    /// thresholds that have seen it.
    #[arg(long, value_name = "DIR")]
    without: Option<PathBuf>,
    /// Pictures measured at once; latencies are those of an idle machine only with 1.
    #[arg(long, value_name = "N", default_value_t = default_workers())]
    workers: usize,
    /// Only the first N pictures, and no accuracy: for latency.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let protocol = self.protocol()?;
        let mut paths: Vec<PathBuf> = protocol
            .pictures
            .iter()
            .map(|(name, number)| self.lfw.join(name).join(format!("{name}_{number:04}.jpg")))
            .collect();
        paths.truncate(self.first.unwrap_or(usize::MAX));
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
            self.workers
        );
        let measured = measure(&paths, settings, self.workers)?;
        let mut report = json!({
            "pack": pack.name,
            "models": pack.models().map(|model| model.name.as_str()).collect::<Vec<_>>(),
            "runtime": pipeline.runtime().as_str(),
            "threads": settings.threads,
            "workers": self.workers,
            "pictures": measured.len(),
            "missed_faces": measured.iter().filter(|one| one.embedding.is_none()).count(),
            "latency_ms": latencies(&measured),
        });
        if self.first.is_none() {
            self.add_accuracy(&mut report, &protocol, measured, [&pack.matching, &pack.confident])?;
        }
        if self.json {
            println!("{report}");
        } else {
            print_for_people(&report);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn protocol(&self) -> Result<lfw::Protocol, Failure> {
        let path = self.lfw.join("pairs.txt");
        let failed = |because: String| Failure {
            exit: 2,
            what: format!("could not read the pairs of {}", path.display()),
            because,
            hint: "name the folder that holds LFW's pairs.txt and its pictures".to_owned(),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        lfw::parse(&text).map_err(failed)
    }

    fn add_accuracy(
        &self,
        report: &mut serde_json::Value,
        protocol: &lfw::Protocol,
        measured: Vec<Measured>,
        thresholds: [&Threshold; 2],
    ) -> Result<(), Failure> {
        let faces: Vec<_> = measured.into_iter().map(|one| one.embedding).collect();
        let person = |place: usize| &protocol.pictures[place].0;
        let pair = |(fold, [a, b]): &(usize, [usize; 2])| Pair {
            fold: *fold,
            genuine: person(*a) == person(*b),
            score: match (&faces[*a], &faces[*b]) {
                (Some(a), Some(b)) => Some(Score::from_f32(a.cosine(b))),
                (None, _) | (_, None) => None,
            },
        };
        let pairs: Vec<Pair> = protocol.pairs.iter().map(pair).collect();
        let folded = across_folds(&pairs).ok_or_else(too_few)?;
        report["pairs"] = json!(pairs.len());
        report["accuracy"] = json!(folded.accuracy);
        report["accuracy_sd"] = json!(folded.sd);
        if let Some(folder) = &self.without {
            let unknown = |place: usize| !folder.join(person(place)).is_dir();
            let disjoint: Vec<Pair> = protocol
                .pairs
                .iter()
                .zip(&pairs)
                .filter(|((_, places), _)| places.iter().all(|place| unknown(*place)))
                .map(|(_, pair)| *pair)
                .collect();
            let Folded { accuracy, sd } = across_folds(&disjoint).ok_or_else(too_few)?;
            report["disjoint"] =
                json!({ "pairs": disjoint.len(), "accuracy": accuracy, "accuracy_sd": sd });
        }

        eprintln!("comparing every picture with every other …");
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut pictures = Vec::with_capacity(faces.len());
        for ((name, _), face) in protocol.pictures.iter().zip(faces) {
            let next = numbers.len();
            pictures.push((*numbers.entry(name).or_insert(next), face));
        }
        let scores = Scores::of_all_pairs(&pictures, self.workers);
        report["genuine_pairs"] = json!(scores.genuine.pairs());
        report["impostor_pairs"] = json!(scores.impostor.pairs());
        report["eer"] = json!(scores.equal_error_rate());
        report["tar_at_far"] = json!({});
        report["threshold_at_far"] = json!({});
        for (name, far) in FARS {
            report["tar_at_far"][name] = json!(scores.tar_at(far));
            let threshold = scores.threshold_at(far).map(|score| f64::from(score.as_e4()) / 1e4);
            report["threshold_at_far"][name] = json!(threshold);
        }
        for (name, threshold) in ["match", "confident"].into_iter().zip(thresholds) {
            report["manifest_thresholds"][name] = json!({
                "cosine": f64::from(threshold.cosine.as_e4()) / 1e4,
                "far": scores.impostor.share_from(threshold.cosine),
                "tar": scores.genuine.share_from(threshold.cosine),
            });
        }
        Ok(())
    }
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

fn print_for_people(report: &serde_json::Value) {
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
    println!(
        "pack {}, runtime {}, {} thread(s) a net, {} at once",
        report["pack"].as_str().unwrap_or_default(),
        report["runtime"].as_str().unwrap_or_default(),
        report["threads"],
        report["workers"]
    );
    println!("{} pictures, {} without a face", report["pictures"], report["missed_faces"]);
    if report["accuracy"].is_number() {
        println!(
            "accuracy {:.4} ± {:.4} over {} pairs",
            number(&report["accuracy"]),
            number(&report["accuracy_sd"]),
            report["pairs"]
        );
        if report["disjoint"].is_object() {
            let disjoint = &report["disjoint"];
            println!(
                "accuracy {:.4} ± {:.4} over {} pairs with none of the people left out",
                number(&disjoint["accuracy"]),
                number(&disjoint["accuracy_sd"]),
                disjoint["pairs"]
            );
        }
        println!(
            "all pairs of all pictures: {} genuine, {} impostor, EER {:.4}",
            report["genuine_pairs"],
            report["impostor_pairs"],
            number(&report["eer"])
        );
        for (name, _) in FARS {
            println!(
                "  TAR at FAR {name}: {:.4} (cosine {:.4})",
                number(&report["tar_at_far"][name]),
                number(&report["threshold_at_far"][name])
            );
        }
        for name in ["match", "confident"] {
            let at = &report["manifest_thresholds"][name];
            println!(
                "  at the manifest's {name} ({:.4}): TAR {:.4}, FAR {:.2e}",
                number(&at["cosine"]),
                number(&at["tar"]),
                number(&at["far"])
            );
        }
    }
    println!("latency, ms      median     p95");
    for stage in ["decode", "detect", "align", "liveness", "embed", "total"] {
        let at = &report["latency_ms"][stage];
        println!("  {stage:<12} {:>8.2} {:>8.2}", number(&at["median"]), number(&at["p95"]));
    }
}

/// One folder per person, sorted: each person's name and pictures.
pub(super) fn people_of(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, std::io::Error> {
    let mut people = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.path().is_dir() {
            continue;
        }
        let mut pictures = Vec::new();
        for picture in std::fs::read_dir(entry.path())? {
            let path = picture?.path();
            let known = path.extension().and_then(|e| e.to_str()).is_some_and(|extension| {
                ["jpg", "jpeg", "png"].contains(&extension.to_ascii_lowercase().as_str())
            });
            if known {
                pictures.push(path);
            }
        }
        pictures.sort();
        people.push((entry.file_name().to_string_lossy().into_owned(), pictures));
    }
    people.sort();
    Ok(people)
}
