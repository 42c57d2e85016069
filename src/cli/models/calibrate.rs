//! `rollcall models calibrate --pictures DIR --far 1e-4`: which cosine stands for the wanted false
//! accept rate, on pictures of the people whom the models will meet, and how sure that is.
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
use super::measure::{default_workers, measure, people_of};
use super::seeded::Seeded;
use crate::domain::Score;
use crate::face::accuracy_intervals::{Errors, Interval};
use crate::face::calibration::{Calibration, TooFew, calibrate};
use crate::face::local_manifest;
use crate::face::manifest::Threshold;
use crate::face::{Embedding, Manifest, OpenError, Pack, Settings, Thresholds};

#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// Folder with one folder of pictures per person.
    #[arg(long, value_name = "DIR")]
    pictures: PathBuf,
    /// The share of pairs of two people that may pass: the threshold `match` follows from it.
    #[arg(long, value_name = "RATE", default_value = "1e-4", value_parser = rate)]
    far: f64,
    /// At most this many pictures of each person, the first ones by name.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    per_person: usize,
    /// Leave this person (name of the folder) out: wrongly named pictures. May be repeated.
    #[arg(long, value_name = "PERSON")]
    leave_out: Vec<String>,
    /// Name the N pairs of people with the most similar pictures.
    #[arg(long, value_name = "N", default_value_t = 0)]
    show: usize,
    /// Begins the chance by which people are drawn anew for the confidence intervals.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Store the thresholds: as a pack of this site with this name, or else the name of the pack
    /// with -local behind it.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    write: Option<String>,
    /// Pictures measured at once.
    #[arg(long, value_name = "N", default_value_t = default_workers())]
    workers: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().map_err(|error| error.to_string())?;
    (rate > 0.0 && rate < 1.0).then_some(rate).ok_or("a rate lies between 0 and 1".to_owned())
}

impl Calibrate {
    pub(super) fn run(
        self,
        settings: &Settings,
        installed_folder: impl FnOnce() -> Result<PathBuf, Failure>,
    ) -> Result<ExitCode, Failure> {
        // What would fail at the end fails before the work.
        let folder = self.write.as_ref().map(|_| installed_folder()).transpose()?;
        let people = self.people()?;
        let paths: Vec<PathBuf> =
            people.iter().flat_map(|(_, pictures)| pictures).cloned().collect();
        let pack = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
        let measured = measure(&paths, settings, self.workers)?;
        let persons = people
            .iter()
            .enumerate()
            .flat_map(|(person, (_, pictures))| std::iter::repeat_n(person, pictures.len()));
        let faces: Vec<_> =
            persons.zip(measured).map(|(person, one)| (person, one.embedding())).collect();
        for (score, a, b) in most_similar(&faces, self.show) {
            eprintln!("{score} {} and {}", paths[a].display(), paths[b].display());
        }
        let draw = || {
            let mut seeded = Seeded::new(self.seed);
            move || seeded.draw()
        };
        let found =
            calibrate(&faces, self.far, self.workers, draw).map_err(|why| self.too_few(&why))?;
        if self.json {
            say!("{}", self.report(&pack.name, &found));
        } else {
            self.print_for_people(&pack.name, &found);
        }
        if let Some(folder) = folder {
            let pack = self.local_pack(pack, &found);
            let path = local_manifest::write_pack(&Manifest::shipped(), &folder, &pack)?;
            eprintln!("stored the pack {} in {}", pack.name, path.display());
            eprintln!("use it from now on: rollcall models use {}", pack.name);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Each person's name and pictures, without those who were to be left out.
    fn people(&self) -> Result<Vec<(String, Vec<PathBuf>)>, Failure> {
        let failed = |because: String| Failure {
            exit: 2,
            what: format!("could not read people from {}", self.pictures.display()),
            because,
            hint: "name a folder with one folder of pictures for each person".to_owned(),
        };
        let mut people = people_of(&self.pictures).map_err(|error| failed(error.to_string()))?;
        for name in &self.leave_out {
            if !people.iter().any(|(person, _)| person == name) {
                return Err(failed(format!(
                    "nobody there is named {name:?}, who was to be left out"
                )));
            }
        }
        people.retain(|(person, _)| !self.leave_out.contains(person));
        people.iter_mut().for_each(|(_, pictures)| pictures.truncate(self.per_person));
        if people.iter().filter(|(_, pictures)| !pictures.is_empty()).count() < 2 {
            return Err(failed("it holds pictures of fewer than two people".to_owned()));
        }
        Ok(people)
    }

    fn too_few(&self, why: &TooFew) -> Failure {
        Failure {
            exit: 2,
            what: format!("could not calibrate for FAR {:e}", self.far),
            because: why.to_string(),
            hint: why.hint(),
        }
    }

    /// The same models with the thresholds found.
    fn local_pack(&self, pack: &Pack, found: &Calibration) -> Pack {
        let name = match self.write.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            // What is not shipped is the site's own already.
            Some(_) | None if !Manifest::shipped().has_pack(&pack.name) => pack.name.clone(),
            Some(_) | None => format!("{}-local", pack.name),
        };
        Pack { name, thresholds: Some(self.thresholds(found)), ..pack.clone() }
    }

    fn thresholds(&self, found: &Calibration) -> Thresholds {
        let folder = self.pictures.file_name().unwrap_or_default().to_string_lossy();
        let data = |at: &Errors| {
            format!(
                "{folder}: {} people, {} pictures, {} impostor pairs; 95 %: FAR {:.1e} to {:.1e}, \
                 FRR {:.4} to {:.4}",
                found.people,
                found.pictures,
                found.impostor_pairs,
                at.far_95.low,
                at.far_95.high,
                at.frr_95.low,
                at.frr_95.high
            )
        };
        let threshold = |at: &Errors, far| Threshold { cosine: at.cosine, far, data: data(at) };
        Thresholds {
            matching: threshold(&found.matching, self.far),
            confident: threshold(&found.confident, found.confident_far),
            tail: found.tail.clone(),
        }
    }

    fn report(&self, pack: &str, found: &Calibration) -> serde_json::Value {
        let interval = |Interval { low, high }: Interval| json!([low, high]);
        let errors = |at: &Errors| {
            json!({
                "cosine": cosine(at.cosine),
                "far": at.far, "far_95": interval(at.far_95),
                "frr": at.frr, "frr_95": interval(at.frr_95),
            })
        };
        let tail: Vec<_> = found
            .tail
            .points()
            .iter()
            .map(|point| json!({ "far": point.far, "cosine": cosine(point.cosine) }))
            .collect();
        json!({
            "pack": pack, "seed": self.seed, "far": self.far,
            "people": found.people, "pictures": found.pictures, "missed_faces": found.missed,
            "impostor_pairs": found.impostor_pairs, "genuine_pairs": found.genuine_pairs,
            "match": errors(&found.matching), "confident": errors(&found.confident),
            "confident_far": found.confident_far, "tail": tail,
        })
    }

    fn print_for_people(&self, pack: &str, found: &Calibration) {
        say!(
            "pack {pack}: {} people, {} pictures ({} without a face): {} impostor and {} genuine pairs",
            found.people,
            found.pictures,
            found.missed,
            found.impostor_pairs,
            found.genuine_pairs
        );
        for (name, at) in [("match", &found.matching), ("confident", &found.confident)] {
            say!("{name:<9} cosine {}", at.cosine);
            let Interval { low, high } = at.far_95;
            if at.far > 0.0 {
                say!("          FAR {:.2e} (95 %: {low:.2e} to {high:.2e})", at.far);
            } else {
                say!("          FAR 0 (95 %: at most {high:.1e}, by pairs that share nobody)");
            }
            let Interval { low, high } = at.frr_95;
            say!("          FRR {:.4} (95 %: {low:.4} to {high:.4})", at.frr);
        }
        say!("          stands for FAR {:.1e} in searches", found.confident_far);
        say!("tail, for searches over a roster");
        for point in found.tail.points() {
            say!("  FAR {:e}: cosine {}", point.far, point.cosine);
        }
        say!("intervals: people drawn anew with --seed {}", self.seed);
    }
}

fn cosine(score: Score) -> f64 {
    f64::from(score.as_e4()) / 1e4
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
