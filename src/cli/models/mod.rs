//! `rollcall models`: which face models there are, whether they are the right ones, how to get and
//! use others, how good and how fast they are here, and which thresholds follow from a set of
//! pictures. One file for each subcommand.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::report::Report;
use crate::face::local_manifest::LocalError;
use crate::face::{Manifest, OpenError, RuntimeChoice, Settings, model_files};
use crate::platform::telemetry::{Chain, Class};

mod bench;
mod calibrate;
mod choose;
mod download;
mod explain;
mod http;
mod install;
mod list;
mod measure;
mod plot;
mod runtime;
mod seeded;
mod verify;

/// Face models: list, verify, install, choose, measure, calibrate.
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
    /// Says which inference library is in use, how fast it is, and how to get the faster one.
    Runtime,
    /// Brings the files of a pack here: from a folder, a file, or where they are published.
    Install(install::Install),
    /// Takes a pack into use on this machine; people must be enrolled anew.
    Use(choose::Choose),
    /// Tells how to use ONNX files of one's own.
    Explain,
    /// Measures the pipeline: accuracy by the LFW protocol, the detector, or liveness.
    Bench(Box<bench::Bench>),
    /// Draws the DET curves of `bench --lfw --json` reports into one picture (SVG).
    Plot(plot::Plot),
    /// Computes thresholds for a false accept rate, from a folder with one folder per person.
    Calibrate(calibrate::Calibrate),
}

/// Which models, and where they are.
#[derive(Debug, Args)]
struct Source {
    /// This manifest alone, in place of the one built in and the local one.
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
        let data = std::env::var_os("ROLLCALL_DATA").filter(|path| !path.is_empty());
        let (models, data) = (self.models.as_deref(), data.as_deref().map(Path::new));
        let settings = match &self.manifest {
            None => Settings::installed(models, data)?,
            Some(path) => Settings {
                manifest: read_manifest(path)?,
                ..Settings::with_folders(model_files::search_folders(models, data))
            },
        };
        Ok(Settings {
            pack: self.pack.clone(),
            runtime: self.runtime,
            threads: usize::from(self.threads),
            ..settings
        })
    }

    /// The folder of installed models, which holds the local manifest, for what changes either.
    fn installed_folder(&self) -> Result<PathBuf, Failure> {
        let failed = |because: &str, hint: &str| Failure {
            exit: 2,
            what: "could not find the folder of installed models".to_owned(),
            because: because.to_owned(),
            hint: hint.to_owned(),
        };
        if self.manifest.is_some() {
            let because = "--manifest takes a manifest alone, without the local one";
            return Err(failed(because, "leave --manifest away"));
        }
        let because = "neither XDG_DATA_HOME nor HOME names a folder";
        let folder = model_files::installed_folder(self.models.as_deref());
        folder.ok_or_else(|| failed(because, "name one with --models DIR"))
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

fn exit_of(class: Class) -> u8 {
    match class {
        Class::Permanent => 2,
        Class::Transient | Class::FailStop => 3,
    }
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        let Report { what, because, hint } = Report::of(&error, error.hint());
        Self { exit: exit_of(error.class()), what, because, hint }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self {
            exit: exit_of(error.class()),
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
        let folder = model_files::installed_folder(self.source.models.as_deref());
        if let Command::Explain = self.command {
            // Whoever has broken the local manifest needs this most.
            return Ok(explain::explain(folder.as_deref()));
        }
        let settings = self.source.settings()?;
        match self.command {
            Command::List => list::list(&settings, folder.as_deref()),
            Command::Verify => verify::verify(&settings),
            Command::Runtime => runtime::runtime(&settings, folder.as_deref()),
            Command::Install(install) => install.run(&settings, &self.source.installed_folder()?),
            Command::Use(choose) => choose.run(&settings, &self.source.installed_folder()?),
            Command::Explain => Ok(explain::explain(folder.as_deref())),
            Command::Bench(bench) => bench.run(&settings),
            Command::Plot(plot) => plot.run(),
            Command::Calibrate(calibrate) => {
                calibrate.run(&settings, || self.source.installed_folder())
            }
        }
    }
}
