//! `rollcall models`: which face models there are, whether they are the right ones, how good and
//! how fast they are here, and which thresholds follow from a set of pictures.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::face::manifest::Model;
use crate::face::{Manifest, OpenError, Pipeline, RuntimeChoice, Settings, model_files};
use crate::platform::telemetry::Chain;

mod bench;
mod calibrate;
mod measure;
mod plot;
mod seeded;

/// Face models: list, verify, measure, calibrate.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows packs and models, and which files are here.
    List,
    /// Checks every file against the manifest and runs every pack once; exit 1 if one fails.
    Verify,
    /// Measures the pipeline: accuracy by the LFW protocol, the detector, or liveness.
    Bench(bench::Bench),
    /// Draws the DET curves of `bench --lfw --json` reports into one picture (SVG).
    Plot(plot::Plot),
    /// Computes thresholds for a false accept rate, from a folder with one folder per person.
    Calibrate(calibrate::Calibrate),
}

/// Which models, and where they are.
#[derive(Debug, Args)]
struct Source {
    /// Another manifest than the one built in.
    #[arg(long, value_name = "FILE", global = true)]
    manifest: Option<PathBuf>,
    /// Look for model files here first.
    #[arg(long, value_name = "DIR", global = true)]
    models: Option<PathBuf>,
    /// Which pack; the first of the manifest if not given.
    #[arg(long, value_name = "NAME", global = true)]
    pack: Option<String>,
    /// Which inference runtime.
    #[arg(long, value_enum, default_value_t, global = true)]
    runtime: RuntimeChoice,
    /// Threads for one net.
    #[arg(long, value_name = "N", default_value_t = 1, global = true,
          value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
}

impl Source {
    fn settings(&self) -> Result<Settings, Failure> {
        let manifest = match &self.manifest {
            None => Manifest::shipped(),
            Some(path) => read_manifest(path)?,
        };
        let data = std::env::var_os("ROLLCALL_DATA").filter(|path| !path.is_empty());
        let data = data.as_deref().map(Path::new);
        Ok(Settings {
            manifest,
            folders: model_files::search_folders(self.models.as_deref(), data),
            pack: self.pack.clone(),
            runtime: self.runtime,
            threads: usize::from(self.threads),
        })
    }
}

fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    let because = |error: &dyn std::error::Error| Failure {
        exit: 2,
        what: format!("could not read the model manifest {}", path.display()),
        because: Chain(error).to_string(),
        hint: "mend the entry that is named, or leave --manifest away to use the one built in"
            .to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| because(&error))?;
    Manifest::parse(&text).map_err(|error| because(&error))
}

/// What ends the command: what failed, because of what, what to do.
#[derive(Debug)]
struct Failure {
    exit: u8,
    what: String,
    because: String,
    hint: String,
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match &error {
            OpenError::Manifest(_) => 2,
            OpenError::File(_) | OpenError::Runtime(_) | OpenError::Model { .. } => 3,
        };
        Self {
            exit,
            what: "could not open the face pipeline".to_owned(),
            because: Chain(&error).to_string(),
            hint: error.hint().to_owned(),
        }
    }
}

impl Models {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> ExitCode {
        match self.settings_and_run() {
            Ok(exit) => exit,
            Err(Failure { exit, what, because, hint }) => {
                eprintln!("rollcall models: {what}\n  because: {because}\n  hint: {hint}");
                ExitCode::from(exit)
            }
        }
    }

    fn settings_and_run(self) -> Result<ExitCode, Failure> {
        let settings = self.source.settings()?;
        match self.command {
            Command::List => list(&settings),
            Command::Verify => Ok(verify(&settings)),
            Command::Bench(bench) => bench.run(&settings),
            Command::Plot(plot) => plot.run(),
            Command::Calibrate(calibrate) => calibrate.run(&settings),
        }
    }
}

fn list(settings: &Settings) -> Result<ExitCode, Failure> {
    let chosen = settings.manifest.pack(settings.pack.as_deref()).map_err(OpenError::from)?;
    for pack in settings.manifest.packs() {
        let mark = if pack.name == chosen.name { "*" } else { " " };
        println!(
            "{mark} pack {}: match from {} (FAR {:e}), confident from {} (FAR {:e})",
            pack.name,
            pack.matching.cosine,
            pack.matching.far,
            pack.confident.cosine,
            pack.confident.far
        );
        println!("    calibrated on: {}", pack.matching.data);
        for model in pack.models() {
            println!("    {:<9} {:<22} {}", model.role.as_str(), model.name, model.licence);
        }
    }
    println!();
    for model in settings.manifest.models() {
        println!("{:<22} {}", model.name, whereabouts(model, settings));
        println!("{:<22} {}", "", model.provenance);
    }
    Ok(ExitCode::SUCCESS)
}

fn whereabouts(model: &Model, settings: &Settings) -> String {
    match model_files::find(model, &settings.folders) {
        Ok(path) => path.display().to_string(),
        Err(error) => error.to_string(),
    }
}

fn verify(settings: &Settings) -> ExitCode {
    let mut wrong = 0_u32;
    for model in settings.manifest.models() {
        match model_files::read(model, &settings.folders) {
            Ok(_) => println!("ok     {} has the SHA-256 of the manifest", model.file),
            Err(error) => {
                wrong += 1;
                println!("WRONG  {}\n       {}", Chain(&error), error.hint());
            }
        }
    }
    for runtime in [RuntimeChoice::OnnxRuntime, RuntimeChoice::Rust] {
        if !Pipeline::runtime_is_there(runtime) {
            println!("--     ONNX Runtime is not on this machine: not tried");
            continue;
        }
        for pack in settings.manifest.packs() {
            let mut settings = settings.clone();
            settings.pack = Some(pack.name.clone());
            settings.runtime = runtime;
            match Pipeline::open(&settings) {
                Ok(opened) => println!(
                    "ok     pack {} runs on {} ({})",
                    pack.name,
                    opened.runtime().as_str(),
                    opened.runtime_why()
                ),
                Err(error) => {
                    wrong += 1;
                    println!(
                        "WRONG  pack {}: {}\n       {}",
                        pack.name,
                        Chain(&error),
                        error.hint()
                    );
                }
            }
        }
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
