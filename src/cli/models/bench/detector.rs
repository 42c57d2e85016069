//! `--detector --pictures DIR --against PACK`: the pack's detector beside another pack's, the
//! reference, on the same pictures at the same size.
//!
//! - *found*: of the pictures in which the reference finds a face with a confidence of 0.6, those
//!   where the pack's detector has a box that shares half of the largest one (IoU ≥ 0.5);
//! - *point error*: how far its five points then lie from the reference's, the mean of the five, as
//!   a share of the eye distance. Detectors put the points elsewhere when the picture is seen at
//!   another size; so the same is also said against the mean of the reference's answers at nine
//!   sizes, and how far the reference's own single answer lies from that mean;
//! - *unsteadiness*: how far the points wander when the same picture is seen with the noise of a
//!   sensor, over `--copies` looks at each of `--still` pictures, for both detectors;
//! - *false faces*: on pictures without a face, for both. They are those of `--face-free`, or cut
//!   from the pictures themselves: of each the largest square that stays clear of every face (the
//!   reference's at a confidence of 0.3, their boxes a quarter wider to each side), enlarged to the size
//!   of the bench. Such a square may still show a face that the reference does not know; `--show`
//!   names the pictures to look at;
//! - *time*: both detectors in turn on the same pictures, one picture at a time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::Failure;
use super::super::measure::{
    each, median_and_p95, median_and_p95_ms, not_measured, people_of, pictures_in, read,
};
use super::super::seeded::Seeded;
use super::cut::{face_free, noisy, points_apart, resized, unsteadiness};
use super::{Common, Report, number, unreadable};
use crate::camera::Frame;
use crate::face::{Found, LookError, OpenError, Pipeline, Points, Rect, Settings};
use crate::platform::clock::Stopwatch;

/// From here a face of the reference counts.
const REFERENCE_CONFIDENCE: f32 = 0.6;

/// From here the reference keeps a piece from being cut.
const NEAR_CONFIDENCE: f32 = 0.3;

/// Two boxes that share this much of their area show the same face.
const OVERLAP_MIN: f32 = 0.5;

/// At which sizes, in percent of the bench's, the reference also looks.
const OTHER_SIZES: [u32; 8] = [86, 90, 94, 98, 102, 106, 110, 114];

/// Pictures that both detectors are timed on.
const TIMED: usize = 100;

#[derive(Debug, Args)]
pub(super) struct DetectorOptions {
    /// Of --detector: a folder of pictures, or of folders of them.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Of --detector: the pack whose detector is the reference.
    #[arg(long, value_name = "PACK")]
    against: Option<String>,
    /// Of --detector: scale each picture so that its longer side has this many pixels.
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(32..=960))]
    side: Option<u32>,
    /// Of --detector: a folder of pictures without a face, in place of pieces of the pictures.
    #[arg(long, value_name = "DIR")]
    face_free: Option<PathBuf>,
    /// Of --detector: how many pictures are looked at with noise.
    #[arg(long, value_name = "N", default_value_t = 50)]
    still: usize,
    /// Of --detector: how many looks at each of them.
    #[arg(long, value_name = "N", default_value_t = 20)]
    copies: u64,
    /// Of --detector: standard deviation of the noise, in grey levels of 255.
    #[arg(long, value_name = "LEVELS", default_value_t = 4.0)]
    noise: f64,
    /// Of --detector: begins the chance of the noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Of --detector: name the pictures on which the detector fails.
    #[arg(long)]
    show: bool,
}

/// Both detectors: that of the pack, and the reference.
struct Both {
    own: Pipeline,
    reference: Pipeline,
}

/// The bench with everything that it needs.
struct Bench<'a> {
    options: &'a DetectorOptions,
    settings: &'a Settings,
    reference: Settings,
    confidence: f32,
    workers: usize,
}

/// How one detector saw one picture again and again.
struct Steadiness {
    /// How far its points wandered; `None` of fewer than two looks.
    wander: Option<f64>,
    /// Looks that did not find the face again.
    lost: u64,
}

/// How far points are off, as shares of the eye distance.
#[derive(Clone, Copy)]
struct PointErrors {
    /// Ours from the reference's one answer.
    one_answer: f64,
    /// Ours from the mean of its answers at several sizes.
    mean_answer: f64,
    /// Its one answer from that mean.
    of_reference: f64,
}

/// What became of one picture.
struct Compared {
    /// Of the largest face of the reference, if it finds one: `None` when it was not found.
    largest: Option<Option<PointErrors>>,
    /// False faces of both on the piece that was cut, if there was room.
    false_faces: Option<[usize; 2]>,
}

pub(super) fn run(
    options: &DetectorOptions,
    common: &Common,
    settings: &Settings,
) -> Result<Report, Failure> {
    let folder = options.pictures.as_deref().expect("clap asks for --pictures with --detector");
    let mut paths = pictures_below(folder)?;
    paths.truncate(common.first.unwrap_or(usize::MAX));
    let pack = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    let reference = Settings { pack: options.against.clone(), ..settings.clone() };
    let against =
        reference.manifest.pack(reference.pack.as_deref()).map_err(OpenError::from)?.clone();
    let confidence = pack.detector_confidence;
    let bench = Bench { options, settings, reference, confidence, workers: common.workers };

    eprintln!("comparing both detectors on {} pictures …", paths.len());
    let compared = each(
        paths.len(),
        common.workers,
        || bench.open(),
        |both, index| bench.compare(both, &paths[index]),
    )?;
    let largest: Vec<Option<PointErrors>> = compared.iter().filter_map(|one| one.largest).collect();
    let errors: Vec<PointErrors> = largest.iter().copied().flatten().collect();
    let error = |which: fn(&PointErrors) -> f64| {
        let (median, p95) = median_and_p95(errors.iter().map(which).collect());
        json!({ "median": median, "p95": p95 })
    };
    let false_faces = match &options.face_free {
        Some(folder) => bench.false_faces_in(&pictures_below(folder)?)?,
        None => compared.iter().filter_map(|one| one.false_faces).collect(),
    };
    eprintln!("looking with noise …");
    let steady = bench.unsteadiness(&paths)?;
    eprintln!("timing …");
    let times = bench.times(&paths)?;

    let share = |part: usize| (!largest.is_empty()).then(|| ratio(part, largest.len()));
    let sides = |which: usize| {
        let false_count: usize = false_faces.iter().map(|both| both[which]).sum();
        let wander: Vec<f64> = steady.iter().filter_map(|both| both[which].wander).collect();
        let lost: u64 = steady.iter().map(|both| both[which].lost).sum();
        let (wander, wander_p95) = median_and_p95(wander);
        let (ms, ms_p95) = median_and_p95_ms(times[which].clone());
        json!({
            "false_faces": false_count,
            "false_per_1000": 1000.0 * ratio(false_count, false_faces.len().max(1)),
            "unsteadiness": { "median": wander, "p95": wander_p95 },
            "looks_lost": lost,
            "ms": { "median": ms, "p95": ms_p95 },
        })
    };
    let report = json!({
        "pack": pack.name, "detector": pack.detector.name,
        "against": against.name, "reference": against.detector.name,
        "side_px": options.side, "pictures": paths.len(),
        "faces_of_reference": largest.len(), "found": errors.len(),
        "found_share": share(errors.len()),
        "point_error": error(|one| one.one_answer),
        "point_error_from_mean": error(|one| one.mean_answer),
        "point_error_of_reference_from_mean": error(|one| one.of_reference),
        "face_free_pictures": false_faces.len(),
        "still": { "pictures": steady.len(), "copies": options.copies,
                   "noise_levels": options.noise, "seed": options.seed },
        "own": sides(0), "of_reference": sides(1),
    });
    let text = text(&report);
    Ok(Report { json: report, text })
}

impl Bench<'_> {
    fn open(&self) -> Result<Both, Failure> {
        let own = Pipeline::open(self.settings)?;
        Ok(Both { own, reference: Pipeline::open(&self.reference)? })
    }

    fn read(&self, path: &Path) -> Result<Frame, Failure> {
        let frame = read(path)?;
        Ok(self.options.side.map_or(frame.clone(), |side| resized(&frame, side)))
    }

    fn compare(&self, both: &mut Both, path: &Path) -> Result<Compared, Failure> {
        let failed = |error| not_measured(path, &error);
        let frame = self.read(path)?;
        let near = both.reference.find(&frame, NEAR_CONFIDENCE).map_err(failed)?;
        let own = both.own.find(&frame, self.confidence).map_err(failed)?;
        let largest = match largest(&near) {
            None => None,
            Some(face) => Some(match same_face(&own, &face) {
                None => None,
                Some(found) => {
                    let mean = mean_answer(&mut both.reference, &frame, &face).map_err(failed)?;
                    Some(PointErrors {
                        one_answer: points_apart(&found.points, &face.points),
                        mean_answer: points_apart(&found.points, &mean),
                        of_reference: points_apart(&face.points, &mean),
                    })
                }
            }),
        };
        if self.options.show && matches!(largest, Some(None)) {
            eprintln!("not found: {}", path.display());
        }
        let piece = self.options.face_free.is_none().then(|| {
            let side_px = self.options.side.unwrap_or(frame.width().max(frame.height()));
            face_free(&frame, &near, side_px)
        });
        let false_faces = match piece.flatten() {
            Some(piece) => Some(self.false_faces(both, &piece, path)?),
            None => None,
        };
        Ok(Compared { largest, false_faces })
    }

    fn false_faces(
        &self,
        both: &mut Both,
        frame: &Frame,
        path: &Path,
    ) -> Result<[usize; 2], Failure> {
        let failed = |error| not_measured(path, &error);
        let own = both.own.find(frame, self.confidence).map_err(failed)?.len();
        let reference = both.reference.find(frame, REFERENCE_CONFIDENCE).map_err(failed)?.len();
        if self.options.show && own + reference > 0 {
            eprintln!("false faces: {own}, of the reference {reference}: {}", path.display());
        }
        Ok([own, reference])
    }

    fn false_faces_in(&self, paths: &[PathBuf]) -> Result<Vec<[usize; 2]>, Failure> {
        each(
            paths.len(),
            self.workers,
            || self.open(),
            |both, index| {
                let frame = self.read(&paths[index])?;
                self.false_faces(both, &frame, &paths[index])
            },
        )
    }

    /// Each still picture, seen by both detectors; only those in which both find the largest face.
    fn unsteadiness(&self, paths: &[PathBuf]) -> Result<Vec<[Steadiness; 2]>, Failure> {
        let some = evenly(paths, self.options.still);
        let looked = each(
            some.len(),
            self.workers,
            || self.open(),
            |both, index| {
                let path = some[index];
                let failed = |error| not_measured(path, &error);
                let frame = self.read(path)?;
                let found = both.reference.find(&frame, REFERENCE_CONFIDENCE).map_err(failed)?;
                let Some(face) = largest(&found) else { return Ok(None) };
                let own = both.own.find(&frame, self.confidence).map_err(failed)?;
                if same_face(&own, &face).is_none() {
                    return Ok(None);
                }
                let mut looks: [Vec<Points>; 2] = [Vec::new(), Vec::new()];
                let mut seeded =
                    Seeded::new(self.options.seed.wrapping_add(index as u64 * 0x1_0000));
                for _ in 0..self.options.copies {
                    let noisy = noisy(&frame, self.options.noise, &mut seeded);
                    let own = both.own.find(&noisy, self.confidence).map_err(failed)?;
                    let reference =
                        both.reference.find(&noisy, REFERENCE_CONFIDENCE).map_err(failed)?;
                    for (looks, found) in looks.iter_mut().zip([own, reference]) {
                        looks.extend(same_face(&found, &face).map(|found| found.points));
                    }
                }
                Ok(Some(looks.map(|looks| {
                    let lost = self.options.copies.saturating_sub(looks.len() as u64);
                    Steadiness { wander: unsteadiness(&looks), lost }
                })))
            },
        )?;
        Ok(looked.into_iter().flatten().collect())
    }

    /// Both detectors in turn, so that what else the machine does strikes both.
    fn times(&self, paths: &[PathBuf]) -> Result<[Vec<Duration>; 2], Failure> {
        let mut both = self.open()?;
        let mut times = [Vec::new(), Vec::new()];
        for path in evenly(paths, TIMED) {
            let frame = self.read(path)?;
            let nets =
                [(&mut both.own, self.confidence), (&mut both.reference, REFERENCE_CONFIDENCE)];
            for ((net, confidence), times) in nets.into_iter().zip(&mut times) {
                let watch = Stopwatch::start();
                net.find(&frame, confidence).map_err(|error| not_measured(path, &error))?;
                times.push(watch.elapsed());
            }
        }
        Ok(times)
    }
}

/// The largest face that counts.
fn largest(found: &[Found]) -> Option<Found> {
    let counts = found.iter().filter(|face| face.confidence >= REFERENCE_CONFIDENCE);
    counts.max_by(|a, b| a.rect.area().total_cmp(&b.rect.area())).copied()
}

/// The found face that shares the most with this one, if it shares enough.
fn same_face(found: &[Found], face: &Found) -> Option<Found> {
    let shared = |other: &Found| other.rect.overlap(&face.rect);
    let best = found.iter().max_by(|a, b| shared(a).total_cmp(&shared(b)))?;
    (shared(best) >= OVERLAP_MIN).then_some(*best)
}

/// The points of a face as the net sees them on the average of several sizes of the picture, in
/// the pixels of `frame`; where it loses the face at a size, that size does not count.
#[expect(clippy::cast_precision_loss, reason = "sides have at most 8,192 pixels")]
fn mean_answer(net: &mut Pipeline, frame: &Frame, face: &Found) -> Result<Points, LookError> {
    let (mut sum, mut answers) = (face.points, 1.0_f32);
    for percent in OTHER_SIZES {
        let other = resized(frame, frame.width().max(frame.height()) * percent / 100);
        let (x, y) = (
            frame.width() as f32 / other.width() as f32,
            frame.height() as f32 / other.height() as f32,
        );
        // Centres of pixels lie on centres.
        let back = |[px, py]: [f32; 2]| [(px + 0.5) * x - 0.5, (py + 0.5) * y - 0.5];
        let found = net.find(&other, REFERENCE_CONFIDENCE)?.into_iter().map(|found| {
            let [left, top] = back([found.rect.x, found.rect.y]);
            let rect = Rect { x: left, y: top, w: found.rect.w * x, h: found.rect.h * y };
            Found { rect, points: found.points.map(back), ..found }
        });
        if let Some(again) = same_face(&found.collect::<Vec<_>>(), face) {
            answers += 1.0;
            for (sum, point) in sum.iter_mut().zip(again.points) {
                *sum = [sum[0] + point[0], sum[1] + point[1]];
            }
        }
    }
    Ok(sum.map(|[x, y]| [x / answers, y / answers]))
}

/// At most so many, from everywhere.
fn evenly(paths: &[PathBuf], count: usize) -> Vec<&PathBuf> {
    let count = count.min(paths.len());
    (0..count).map(|index| &paths[index * paths.len() / count]).collect()
}

/// The pictures of a folder and of the folders in it.
fn pictures_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| unreadable(folder, error.to_string());
    let mut paths = pictures_in(folder).map_err(failed)?;
    paths.extend(people_of(folder).map_err(failed)?.into_iter().flat_map(|(_, paths)| paths));
    if paths.is_empty() {
        return Err(unreadable(folder, "it holds no picture".to_owned()));
    }
    Ok(paths)
}

#[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
fn ratio(part: usize, all: usize) -> f64 {
    part as f64 / all as f64
}

fn text(report: &serde_json::Value) -> String {
    let name = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
    let side = report["side_px"].as_u64().map_or("as they are".to_owned(), |px| format!("{px} px"));
    let error = |key: &str| {
        let (median, p95) = (number(&report[key]["median"]), number(&report[key]["p95"]));
        format!("median {median:.4}, p95 {p95:.4}")
    };
    let mut text = format!(
        "detector {} (pack {}) against {} (pack {})\n{} pictures, {side}\n\
         largest faces of the reference found: {} of {} ({:.4})\n\
         point error, share of the eye distance, from one answer of the reference: {}\n\
         \x20 from the mean of its answers at nine sizes: {}\n\
         \x20 of its one answer from that mean: {}\n",
        name("detector"),
        name("pack"),
        name("reference"),
        name("against"),
        report["pictures"],
        report["found"],
        report["faces_of_reference"],
        number(&report["found_share"]),
        error("point_error"),
        error("point_error_from_mean"),
        error("point_error_of_reference_from_mean"),
    );
    let still = &report["still"];
    text.push_str(&format!(
        "with noise of {} levels, {} looks at each of {} pictures; {} pictures without a face\n",
        still["noise_levels"], still["copies"], still["pictures"], report["face_free_pictures"]
    ));
    for (who, key) in [("the pack's", "own"), ("reference", "of_reference")] {
        let side = &report[key];
        text.push_str(&format!(
            "  {who:<10} unsteadiness median {:.4}, p95 {:.4}, {} looks lost; {} false faces \
             ({:.2} per 1,000); {:.2} ms, p95 {:.2}\n",
            number(&side["unsteadiness"]["median"]),
            number(&side["unsteadiness"]["p95"]),
            side["looks_lost"],
            side["false_faces"],
            number(&side["false_per_1000"]),
            number(&side["ms"]["median"]),
            number(&side["ms"]["p95"]),
        ));
    }
    text
}
