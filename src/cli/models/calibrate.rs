//! `rollcall models calibrate DIR`: what cosine stands for which false accept rate, on pictures
//! of the people whom the models will meet. Prints; the manifest is changed by a person.
//!
//! One picture under a wrong name counts once for every picture of the true person, and pictures
//! found in the press have such. So the share of each person is bounded (`--per-person`), and the
//! pairs that decide the strictest thresholds are named (`--show`), to be looked at.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Failure;
use super::bench::{FARS, people_of};
use super::measure::{default_workers, measure};
use crate::domain::Score;
use crate::face::accuracy::Scores;
use crate::face::{Embedding, Settings};

#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// Folder with one folder of pictures per person.
    dir: PathBuf,
    /// At most this many pictures of each person, the first ones by name.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    per_person: usize,
    /// Leave this person (name of the folder) out: wrongly named pictures. May be repeated.
    #[arg(long, value_name = "PERSON")]
    leave_out: Vec<String>,
    /// Name the N pairs of people with the most similar pictures.
    #[arg(long, value_name = "N", default_value_t = 0)]
    show: usize,
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
        let mut people = people_of(&self.dir).map_err(|error| failed(error.to_string()))?;
        for name in &self.leave_out {
            if !people.iter().any(|(person, _)| person == name) {
                return Err(failed(format!(
                    "nobody there is named {name:?}, who was to be left out"
                )));
            }
        }
        people.retain(|(person, _)| !self.leave_out.contains(person));
        people.iter_mut().for_each(|(_, pictures)| pictures.truncate(self.per_person));
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
        for (score, a, b) in most_similar(&faces, self.show) {
            eprintln!("{score} {} and {}", paths[a].display(), paths[b].display());
        }
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

/// The most similar picture pair of each two people, the most similar first; at most `pairs`.
fn most_similar(faces: &[(usize, Option<Embedding>)], pairs: usize) -> Vec<(Score, usize, usize)> {
    let mut best: BTreeMap<(usize, usize), (Score, usize, usize)> = BTreeMap::new();
    if pairs == 0 {
        return Vec::new();
    }
    for (a, (person, face)) in faces.iter().enumerate() {
        for (b, (other, other_face)) in faces.iter().enumerate().skip(a + 1) {
            let (Some(face), Some(other_face)) = (face, other_face) else { continue };
            if person == other {
                continue;
            }
            let score = Score::from_f32(face.cosine(other_face));
            let entry = best.entry((*person, *other)).or_insert((score, a, b));
            if score > entry.0 {
                *entry = (score, a, b);
            }
        }
    }
    let mut best: Vec<_> = best.into_values().collect();
    best.sort_by_key(|(score, _, _)| std::cmp::Reverse(*score));
    best.truncate(pairs);
    best
}
