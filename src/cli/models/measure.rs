//! Many pictures through the pipeline, on several threads, with a progress bar on standard error.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use crate::camera;
use crate::face::{Embedding, Pipeline, Settings, Timings};
use crate::platform::clock::Stopwatch;
use crate::platform::telemetry::Chain;

/// What became of one picture.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// `None` when no face was found.
    pub(super) embedding: Option<Embedding>,
    /// Reading the file and decoding it.
    pub(super) decode: Duration,
    pub(super) timings: Timings,
}

/// Pipelines at work at once: each has its own nets, and threads of these if `--threads` says so.
pub(super) fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Measures every picture once. All workers stop at the first error.
pub(super) fn measure(
    pictures: &[PathBuf],
    settings: &Settings,
    workers: usize,
) -> Result<Vec<Measured>, Failure> {
    let progress = ProgressBar::new(pictures.len() as u64).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} pictures, {per_sec}, {eta} left")
            .expect("the template is sound"),
    );
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let results = Mutex::new(vec![None; pictures.len()]);
    let work = || -> Result<(), Failure> {
        let mut pipeline = Pipeline::open(settings)?;
        while !stopped.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = pictures.get(index) else { break };
            let measured = measure_one(path, &mut pipeline)?;
            results.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(measured);
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
    let failed = |because: &dyn std::error::Error, hint: &str| Failure {
        exit: 3,
        what: format!("could not measure the picture {}", path.display()),
        because: Chain(because).to_string(),
        hint: hint.to_owned(),
    };
    let watch = Stopwatch::start();
    let frame = camera::read(path).map_err(|error| failed(&error, error.hint()))?;
    let decode = watch.elapsed();
    let look = pipeline
        .look(&frame)
        .map_err(|error| failed(&error, "check the models: `rollcall models verify`"))?;
    let embedding = look.face.map(|face| face.embedding);
    Ok(Measured { embedding, decode, timings: look.timings })
}

/// The middle and the 95th percentile of some durations, in milliseconds.
pub(super) fn median_and_p95_ms(mut durations: Vec<Duration>) -> (f64, f64) {
    durations.sort();
    let at = |percent: usize| {
        let last = durations.len().saturating_sub(1);
        durations.get(last * percent / 100).map_or(0.0, |one| one.as_secs_f64() * 1000.0)
    };
    (at(50), at(95))
}
