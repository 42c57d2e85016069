//! Many pictures through the pipeline, on several threads, with a progress bar on standard error.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use crate::camera::{self, Frame};
use crate::face::{Embedding, FrontFace, LookError, Pipeline, Settings, Timings};
use crate::platform::clock::Stopwatch;
use crate::platform::telemetry::Chain;

/// What became of one picture.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// `None` when no face was found.
    pub(super) face: Option<FrontFace>,
    /// Reading the file and decoding it.
    pub(super) decode: Duration,
    pub(super) timings: Timings,
}

impl Measured {
    /// What is compared; the rest is thrown away.
    pub(super) fn embedding(self) -> Option<Embedding> {
        self.face.map(|face| face.embedding)
    }
}

/// Pipelines at work at once: each has its own nets, and threads of these if `--threads` says so.
pub(super) fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Measures every picture once.
pub(super) fn measure(
    pictures: &[PathBuf],
    settings: &Settings,
    workers: usize,
) -> Result<Vec<Measured>, Failure> {
    let open = || Pipeline::open(settings).map_err(Failure::from);
    each(pictures.len(), workers, open, |pipeline, index| measure_one(&pictures[index], pipeline))
}

/// Does something with each number below `count`, on several threads, each with what `open` gives
/// it. All end at the first error.
pub(super) fn each<S, T: Send>(
    count: usize,
    workers: usize,
    open: impl Fn() -> Result<S, Failure> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let progress = ProgressBar::new(count as u64).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} pictures, {per_sec}, {eta} left")
            .expect("the template is sound"),
    );
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let results = Mutex::new((0..count).map(|_| None).collect::<Vec<_>>());
    let work = || -> Result<(), Failure> {
        let mut state = open()?;
        while !stopped.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            let result = work(&mut state, index)?;
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(result);
            progress.inc(1);
        }
        Ok(())
    };
    let work = || work().inspect_err(|_| stopped.store(true, Ordering::Relaxed));
    let ended: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().expect("measuring a picture does not panic")
        };
        workers.into_iter().map(join).collect()
    });
    progress.finish_and_clear();
    ended.into_iter().collect::<Result<(), Failure>>()?;
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(results.into_iter().flatten().collect())
}

fn measure_one(path: &Path, pipeline: &mut Pipeline) -> Result<Measured, Failure> {
    let watch = Stopwatch::start();
    let frame = read(path)?;
    let decode = watch.elapsed();
    let look = pipeline.look(&frame).map_err(|error| not_measured(path, &error))?;
    Ok(Measured { face: look.face, decode, timings: look.timings })
}

/// One picture from its file.
pub(super) fn read(path: &Path) -> Result<Frame, Failure> {
    camera::read(path).map_err(|error| Failure {
        exit: 3,
        what: format!("could not measure the picture {}", path.display()),
        because: Chain(&error).to_string(),
        hint: error.hint().to_owned(),
    })
}

/// A net failed, which no picture can cause.
pub(super) fn not_measured(path: &Path, error: &LookError) -> Failure {
    Failure {
        exit: 3,
        what: format!("could not measure the picture {}", path.display()),
        because: Chain(error).to_string(),
        hint: "check the models: `rollcall models verify`".to_owned(),
    }
}

/// The middle and the 95th percentile of some durations, in milliseconds.
pub(super) fn median_and_p95_ms(durations: Vec<Duration>) -> (f64, f64) {
    median_and_p95(durations.into_iter().map(|one| one.as_secs_f64() * 1000.0).collect())
}

/// The middle and the 95th percentile; 0 of nothing.
pub(super) fn median_and_p95(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let last = values.len().saturating_sub(1);
        values.get(last * percent / 100).copied().unwrap_or(0.0)
    };
    (at(50), at(95))
}

/// One folder per person, sorted: each person's name and pictures.
pub(super) fn people_of(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, std::io::Error> {
    let mut people = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            people.push((name, pictures_in(&entry.path())?));
        }
    }
    people.sort();
    Ok(people)
}

/// The pictures of one folder, sorted by name.
pub(super) fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut pictures = Vec::new();
    for picture in std::fs::read_dir(folder)? {
        let path = picture?.path();
        let known = path.extension().and_then(|e| e.to_str()).is_some_and(|extension| {
            ["jpg", "jpeg", "png"].contains(&extension.to_ascii_lowercase().as_str())
        });
        if known {
            pictures.push(path);
        }
    }
    pictures.sort();
    Ok(pictures)
}
