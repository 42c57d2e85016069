//! `rollcall demo`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::report::{Exit, Report};
use crate::demo::{self, DemoError, Options};
use crate::face::RuntimeChoice;
use crate::platform::telemetry;

/// Names a folder with models that do not ship with Rollcall.
const DATA_VARIABLE: &str = "ROLLCALL_DATA";

/// Plays a training day with everything in one process: broker, collector, three terminals, page.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Play to the end, then exit: 0 if every fraud was found and nobody else accused, else 1.
    #[arg(long)]
    once: bool,
    /// Print the result as JSON on standard output; the narration goes to standard error.
    #[arg(long, requires = "once")]
    json: bool,
    /// Other faces than the generated ones: a folder with one sub-folder of pictures per person,
    /// at least 14 people with 4 pictures.
    #[arg(long, value_name = "DIR")]
    faces: Option<PathBuf>,
    /// Where to serve the live page; another port is taken, and told, if this one is.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Which inference runtime to use.
    #[arg(long, value_enum, default_value = "auto")]
    runtime: RuntimeChoice,
    /// At the end, write a bundle for `rollcall verify` and the keys to trust into this folder.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(self) -> ExitCode {
        telemetry::start_logging("error");
        let data = std::env::var_os(DATA_VARIABLE).map(PathBuf::from);
        let options = Options {
            once: self.once,
            json: self.json,
            faces: self.faces,
            data,
            listen: self.listen,
            runtime: self.runtime,
            export: self.export,
        };
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let hint = "free some memory or threads and try again";
                return Report::of(&error, hint).tell("demo", Exit::Environment);
            }
        };
        match runtime.block_on(demo::run(options)) {
            Ok(None) => Exit::Fine.into(),
            Ok(Some(outcome)) => {
                if self.json {
                    let json = serde_json::to_string_pretty(&outcome);
                    say!("{}", json.expect("plain data becomes JSON"));
                }
                let exit = if outcome.holds() || !self.once { Exit::Fine } else { Exit::Found };
                exit.into()
            }
            Err(error) => Report::of(&error, hint(&error)).tell("demo", Exit::Environment),
        }
    }
}

fn hint(error: &DemoError) -> &'static str {
    match error {
        DemoError::Album(_) | DemoError::Picture { .. } | DemoError::Enrol(_) => {
            "name another folder with --faces: one sub-folder per person, each with at least four \
             pictures of that person alone"
        }
        DemoError::Models(_) => {
            "`rollcall models verify` tells what is wrong with them and what to do"
        }
        DemoError::Look(_)
        | DemoError::Capture(_)
        | DemoError::Attend(_)
        | DemoError::Broker(_)
        | DemoError::Folder { .. }
        | DemoError::Home(_)
        | DemoError::Watch(_)
        | DemoError::Start(_)
        | DemoError::State(_)
        | DemoError::Init(_)
        | DemoError::Terminal(_)
        | DemoError::Web(_)
        | DemoError::Client(_)
        | DemoError::Cases(_)
        | DemoError::Export(_)
        | DemoError::Write(_)
        | DemoError::Uplink(_)
        | DemoError::Core(_) => {
            "check free disk space in the system's folder for temporary files, and start again"
        }
    }
}
