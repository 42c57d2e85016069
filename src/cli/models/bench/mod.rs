//! `rollcall models bench`: how good the models are here, one kind of bench in each file.
//!
//! - `--lfw DIR`: accuracy of the whole pipeline by the LFW protocol, and its latency;
//! - `--detector --pictures DIR --against PACK`: the pack's detector beside another pack's;
//! - `--liveness DIR`: how often a shown face passes for a living one, and the other way round.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args};

use super::Failure;
use super::measure::default_workers;
use crate::face::Settings;

mod cut;
mod detector;
mod groups;
mod lfw;
mod liveness;
mod pairs;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("kind").required(true).args(["lfw", "detector", "liveness"]))]
pub(super) struct Bench {
    /// Accuracy: a folder with LFW's pairs.txt and one folder of pictures per person.
    #[arg(long, value_name = "DIR")]
    lfw: Option<PathBuf>,
    #[command(flatten)]
    lfw_options: lfw::LfwOptions,
    /// The detector, beside that of another pack.
    #[arg(long, requires_all = ["pictures", "against"])]
    detector: bool,
    #[command(flatten)]
    detector_options: detector::DetectorOptions,
    /// Liveness: a folder with the folders live and spoof; a folder in spoof is a kind of attack.
    #[arg(long, value_name = "DIR")]
    liveness: Option<PathBuf>,
    #[command(flatten)]
    liveness_options: liveness::LivenessOptions,
    #[command(flatten)]
    common: Common,
}

/// What every kind of bench knows.
#[derive(Debug, Args)]
struct Common {
    /// Pictures measured at once; latencies are those of an idle machine only with 1.
    #[arg(long, value_name = "N", default_value_t = default_workers())]
    workers: usize,
    /// Only the first N pictures; of `--lfw` the latency alone, and no accuracy.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self, settings: &Settings) -> Result<ExitCode, Failure> {
        let Self { lfw, lfw_options, detector_options, liveness, liveness_options, common, .. } =
            self;
        let report = match (lfw, liveness) {
            (Some(folder), _) => lfw::run(&folder, &lfw_options, &common, settings)?,
            (None, Some(folder)) => liveness::run(&folder, &liveness_options, &common, settings)?,
            (None, None) => detector::run(&detector_options, &common, settings)?,
        };
        if common.json {
            say!("{}", report.json);
        } else {
            print!("{}", report.text);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a bench found, for programs and for people.
struct Report {
    json: serde_json::Value,
    text: String,
}

/// A folder of pictures that cannot be listed, or has none.
fn unreadable(folder: &std::path::Path, because: String) -> Failure {
    Failure {
        exit: 2,
        what: format!("could not read pictures from {}", folder.display()),
        because,
        hint: "name a folder with pictures (.jpg, .jpeg, .png), or with folders of them".to_owned(),
    }
}

/// A number of a report; what is not there shows as NaN.
fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
