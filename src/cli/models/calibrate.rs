//! `rollcall models calibrate DIR`: what cosine stands for which false accept rate, on pictures
//! of the people whom the models will meet. Prints; the manifest is changed by a person.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Failure;
use super::bench::{FARS, people_of};
use super::measure::{default_workers, measure};
use crate::face::Settings;
use crate::face::accuracy::Scores;

#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// Folder with one folder of pictures per person.
    dir: PathBuf,
    /// Pictures measured at once.
    #[arg(long, value_name = "N", default_value_t = default_workers())]
    workers: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Calibrate {
    pub(super) fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let failed = |because: String| Failure {
            exit: 2,
            what: format!("could not read people from {}", self.dir.display()),
            because,
            hint: "name a folder with one folder of pictures for each person".to_owned(),
        };
        let people = people_of(&self.dir).map_err(|error| failed(error.to_string()))?;
        let paths: Vec<PathBuf> =
            people.iter().flat_map(|(_, pictures)| pictures).cloned().collect();
        if people.iter().filter(|(_, pictures)| !pictures.is_empty()).count() < 2 {
            return Err(failed("it holds pictures of fewer than two people".to_owned()));
        }
        let measured = measure(&paths, settings, self.workers)?;
        let persons = people
            .iter()
            .enumerate()
            .flat_map(|(person, (_, pictures))| std::iter::repeat_n(person, pictures.len()));
        let missed = measured.iter().filter(|one| one.embedding.is_none()).count();
        let faces: Vec<_> =
            persons.zip(measured).map(|(person, one)| (person, one.embedding)).collect();
        let scores = Scores::of_all_pairs(&faces, self.workers);
        let rows = FARS.map(|(name, far)| {
            let threshold = scores.threshold_at(far);
            (name, threshold, threshold.map(|score| scores.genuine.share_from(score)))
        });
        if self.json {
            let rows: serde_json::Map<_, _> = rows
                .into_iter()
                .map(|(name, cosine, tar)| {
                    let cosine = cosine.map(|score| f64::from(score.as_e4()) / 1e4);
                    (name.to_owned(), json!({ "cosine": cosine, "tar": tar }))
                })
                .collect();
            println!(
                "{}",
                json!({
                    "people": people.len(), "pictures": faces.len(), "missed_faces": missed,
                    "impostor_pairs": scores.impostor.pairs(),
                    "genuine_pairs": scores.genuine.pairs(), "at_far": rows,
                })
            );
            return Ok(ExitCode::SUCCESS);
        }
        println!(
            "{} people, {} pictures ({missed} without a face): {} impostor and {} genuine pairs",
            people.len(),
            faces.len(),
            scores.impostor.pairs(),
            scores.genuine.pairs()
        );
        for (name, cosine, tar) in rows {
            match (cosine, tar) {
                (Some(cosine), Some(tar)) => {
                    println!("  FAR {name}: cosine {cosine}, TAR {tar:.4}");
                }
                (None, _) | (_, None) => println!("  FAR {name}: too few impostor pairs to say"),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
