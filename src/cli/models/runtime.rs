//! `rollcall models runtime`: which inference library is in use and why, how fast the nets of the
//! chosen pack are on each that is here, and how to get the faster one.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::Failure;
use super::measure::median_and_p95_ms;
use super::seeded::Seeded;
use crate::camera::Frame;
use crate::face::{OpenError, Pipeline, RuntimeChoice, Settings, Timings};

/// A usual camera's frame.
const FRAME_PX: (u32, u32) = (640, 480);
/// Enough for a steady middle, and done within seconds on a slow board.
const RUNS: usize = 9;

pub(super) fn runtime(settings: &Settings, folder: Option<&Path>) -> Result<ExitCode, Failure> {
    let pipeline = Pipeline::open(settings)?;
    let in_use = pipeline.runtime();
    say!("in use: {} ({})", in_use.as_str(), pipeline.runtime_why());
    say!(
        "\npack {}, {} thread(s) a net; each net once on a frame of noise, {} × {} pixels,\n\
         the middle of {RUNS} runs, in ms:",
        pipeline.pack().name,
        settings.threads,
        FRAME_PX.0,
        FRAME_PX.1
    );
    drop(pipeline);
    say!("  {:<12} {:>8} {:>8} {:>8} {:>8}", "", "detect", "liveness", "embed", "sum");
    for choice in [RuntimeChoice::OnnxRuntime, RuntimeChoice::Rust] {
        if !Pipeline::runtime_is_there(choice) {
            say!("  {:<12} not on this machine", "onnxruntime");
            continue;
        }
        let (name, timings) = timed(&Settings { runtime: choice, ..settings.clone() })?;
        let middle = |stage: fn(&Timings) -> Duration| {
            median_and_p95_ms(timings.iter().map(stage).collect()).0
        };
        let [detect, liveness, embed] =
            [middle(|t| t.detect), middle(|t| t.liveness), middle(|t| t.embed)];
        say!(
            "  {name:<12} {detect:>8.1} {liveness:>8.1} {embed:>8.1} {:>8.1}",
            detect + liveness + embed
        );
    }
    say!(
        "This is the time in the nets alone, on a machine that may do other things beside;\n\
         `rollcall models bench` measures the whole way of real pictures."
    );
    if !Pipeline::runtime_is_there(RuntimeChoice::OnnxRuntime) {
        say!("\n{}", how_to_get_it(folder));
    }
    Ok(ExitCode::SUCCESS)
}

fn timed(settings: &Settings) -> Result<(&'static str, Vec<Timings>), OpenError> {
    let mut pipeline = Pipeline::open(settings)?;
    let frame = noise();
    let timings = (0..RUNS).map(|_| pipeline.time_each_net(&frame));
    let timings = timings.collect::<Result<_, _>>()?;
    Ok((pipeline.runtime().as_str(), timings))
}

/// The same noise each time: the nets' work does not hang on what they see.
fn noise() -> Frame {
    let (width, height) = FRAME_PX;
    let mut seeded = Seeded::new(1);
    let bytes = (0..width * height * 3).map(|_| seeded.draw().to_be_bytes()[0]);
    Frame::from_rgb(width, height, bytes.collect()).expect("three bytes a pixel were made")
}

/// ONNX Runtime comes as a Python wheel for every Linux; only its library is used.
fn how_to_get_it(folder: Option<&Path>) -> String {
    let beside = folder.and_then(Path::parent).map(|folder| folder.join("onnxruntime"));
    let target = beside.unwrap_or_else(|| "onnxruntime".into()).display().to_string();
    format!(
        "ONNX Runtime is usually faster. With Python's pip and internet, one command gets it:\n  \
         pip install --no-deps --target '{target}' 'onnxruntime>=1.24' && \\\n    \
         export ORT_DYLIB_PATH=\"$(ls '{target}'/onnxruntime/capi/libonnxruntime.so.*)\"\n\
         A service needs that variable in its unit: Environment=ORT_DYLIB_PATH=…"
    )
}
