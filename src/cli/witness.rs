//! `rollcall witness …`: whoever supervises a centre cosigns its log.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use tokio::net::TcpListener;

use super::report::{Exit, Report, secret_failed};
use crate::platform::clock::SystemClock;
use crate::platform::telemetry::start_logging;
use crate::witness::{Config, ConfigError, Home, HomeError, serve};

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the key, once, and prints it as collectors and auditors need it.
    Init(ConfigArg),
    /// Cosigns checkpoints until SIGINT or SIGTERM.
    Run(ConfigArg),
}

#[derive(Debug, ClapArgs)]
struct ConfigArg {
    /// The configuration file; firmware-config/witness.toml is a commented example.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

type Told = Result<(), (Exit, Report)>;

impl Args {
    pub(super) fn run(self) -> ExitCode {
        start_logging("warn");
        let done = match self.command {
            Command::Init(config) => init(&config),
            Command::Run(config) => run(&config),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("witness", exit),
        }
    }
}

fn load(arg: &ConfigArg) -> Result<Config, (Exit, Report)> {
    Config::load(&arg.config).map_err(config_failed)
}

#[expect(clippy::needless_pass_by_value, reason = "reads as a step of map_err")]
fn config_failed(error: ConfigError) -> (Exit, Report) {
    let hint = match &error {
        ConfigError::Read { .. } => "look at its path and rights",
        ConfigError::Log { .. } => "write the key as `rollcall collector trust` prints it",
        ConfigError::Parse { .. } | ConfigError::Value { .. } => {
            "firmware-config/witness.toml shows every field"
        }
    };
    (Exit::Usage, Report::of(&error, hint))
}

fn init(config: &ConfigArg) -> Told {
    let config = load(config)?;
    let vkey = Home::create(&config.data_dir, &config.name).map_err(home_failed)?;
    say!("# Made a witness's key in {}.", config.data_dir.display());
    say!(
        "# The line for auditors (`rollcall verify --trust`); the key in it goes into [[log.witness]]"
    );
    say!("# of the collectors that it shall cosign.");
    say!("witness {vkey}");
    Ok(())
}

fn run(config: &ConfigArg) -> Told {
    let config = load(config)?;
    let keys = config.keys().map_err(config_failed)?;
    let home = Home::open(&config.data_dir, &config.name, keys).map_err(home_failed)?;
    let no_runtime = |cause: std::io::Error| {
        let hint = "look at the limits of this machine";
        (Exit::Environment, Report::new("could not wait for events", cause.to_string(), hint))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(no_runtime)?.block_on(async {
        let listener = TcpListener::bind(config.listen).await.map_err(|cause| {
            let what = format!("could not listen on {}", config.listen);
            let hint = "choose another address in `listen`, or end the other program";
            (Exit::Environment, Report::new(what, cause.to_string(), hint))
        })?;
        let address = listener.local_addr().map_err(no_runtime)?;
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(no_runtime)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(no_runtime)?;
        say!("rollcall witness: running at http://{address}");
        let end = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let clock = Arc::new(SystemClock::start());
        serve(listener, home, clock, end).await.map_err(|error| {
            (Exit::Environment, Report::of(&error, "start again; what was seen is remembered"))
        })
    })
}

#[expect(clippy::needless_pass_by_value, reason = "reads as a step of map_err")]
fn home_failed(error: HomeError) -> (Exit, Report) {
    let (exit, hint) = match &error {
        HomeError::Key(error) => return secret_failed(error),
        HomeError::Exists { .. } => {
            (Exit::Usage, "use it with `rollcall witness run`; nothing was changed")
        }
        HomeError::Name(_) => (Exit::Usage, "correct `name`"),
        HomeError::Locked { .. } => (Exit::Environment, "end the other witness first"),
        HomeError::Forgotten { .. } | HomeError::Touched { .. } => (
            Exit::FailStop,
            "put it back from its backup; a witness that forgets what it saw must be given up: make \
             a new one under another name",
        ),
        HomeError::Folder { .. } => {
            (Exit::Environment, "look at the folder's rights and free space")
        }
    };
    (exit, Report::of(&error, hint))
}
