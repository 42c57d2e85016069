//! `rollcall terminal`: the role of a classroom's kiosk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::report::{Exit, Report};
use crate::domain::ClockQuality;
use crate::journal::{InitError, Journal, OpenError};
use crate::platform::chance;
use crate::platform::clock::SystemClock;
use crate::platform::telemetry;
use crate::record::SigningKey;
use crate::terminal::{Config, ConfigError, KeyFileError, Setup, Terminal};
use crate::terminal::{read_key, write_new_key};
use crate::uplink::{NoWaypoints, View};

const ROLE: &str = "terminal";

/// Arguments of `rollcall terminal`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this terminal's key and journal, once; print the key to register at the centre.
    Init(ConfigFile),
    /// Keep records and bring them to the centre, until SIGINT or SIGTERM.
    Run(ConfigFile),
    /// Check a configuration without touching anything.
    CheckConfig(ConfigFile),
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration file; firmware-config/terminal.toml shows every field.
    #[arg(long = "config", value_name = "FILE")]
    path: PathBuf,
}

type Failure = (Report, Exit);

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Init(file) => init(&file.path),
            Command::Run(file) => run(&file.path),
            Command::CheckConfig(file) => check_config(&file.path),
        };
        match outcome {
            Ok(()) => Exit::Fine.into(),
            Err((report, exit)) => report.tell(ROLE, exit),
        }
    }
}

fn check_config(path: &Path) -> Result<(), Failure> {
    let config = Config::read(path).map_err(config_failure)?;
    println!("{}: fine, for terminal {}", path.display(), config.terminal);
    Ok(())
}

fn init(path: &Path) -> Result<(), Failure> {
    let config = Config::read(path).map_err(config_failure)?;
    let key = SigningKey::from_secret(&chance::random_bytes());
    if let Some(folder) = config.key_file.parent() {
        fs::create_dir_all(folder).map_err(|error| {
            let what = format!("could not make the folder {}", folder.display());
            let hint = "correct terminal.key_file, or the rights of the folder above";
            (Report::new(what, error.to_string(), hint), Exit::Environment)
        })?;
    }
    // A crash between key and journal leaves a key that nobody knows: `init` refuses then, and its
    // hint says what to remove.
    write_new_key(&config.key_file, &key).map_err(|error| key_failure(&error))?;
    let made = Journal::init(&config.journal_dir, &config.terminal, key.verifying_key().id());
    made.map_err(|error| {
        let (hint, exit) = match &error {
            InitError::Exists { .. } => {
                ("a journal is never replaced: name another folder in journal.dir", Exit::Usage)
            }
            InitError::Storage { .. } => {
                ("see that the disk is there, writable and not full", Exit::Environment)
            }
        };
        (Report::of(&error, hint), exit)
    })?;
    println!("terminal {} is made; register this key at the centre:", config.terminal);
    println!("{}", key.verifying_key());
    Ok(())
}

fn run(path: &Path) -> Result<(), Failure> {
    telemetry::start_logging();
    let config = Config::read(path).map_err(config_failure)?;
    let key = read_key(&config.key_file).map_err(|error| key_failure(&error))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        let hint = "see whether the machine is out of threads or memory";
        (Report::new("could not start", error.to_string(), hint), Exit::Environment)
    })?;
    runtime.block_on(live(config, key))
}

async fn live(config: Config, key: SigningKey) -> Result<(), Failure> {
    let broker = format!("{}:{}", config.uplink.broker_host, config.uplink.broker_port);
    let unable = |error: std::io::Error| {
        let what = "could not listen for signals";
        (Report::new(what, error.to_string(), "start it again"), Exit::Environment)
    };
    let mut interrupted = signal(SignalKind::interrupt()).map_err(unable)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(unable)?;
    let terminal = Terminal::start(Setup {
        terminal: config.terminal,
        key,
        journal_dir: config.journal_dir,
        bounds: config.bounds,
        uplink: config.uplink,
        policy: config.policy,
        pack: None,
        plugged: true,
        clock: Arc::new(SystemClock::start()),
        waypoints: Arc::new(NoWaypoints),
    })
    .map_err(|error| journal_failure(&error))?;
    println!("terminal {} runs; {} records wait", terminal.id(), terminal.waiting());

    let mut view = terminal.view();
    let mut warnings = Warnings { broker, offline: false, doubtful: false };
    loop {
        tokio::select! {
            _ = interrupted.recv() => break,
            _ = terminated.recv() => break,
            () = terminal.ended() => break,
            Ok(()) = view.changed() => {
                let seen = view.borrow_and_update().clone();
                warnings.tell(&terminal, &seen);
            }
        }
    }
    terminal.shut_down().await.map_err(|error| {
        let hint = "see the disk of the journal, then start again: recovery looks at what is there";
        (Report::of(&error, hint), Exit::FailStop)
    })?;
    println!("terminal {} ended; {} records wait", terminal.id(), terminal.waiting());
    Ok(())
}

/// Tells a person what is wrong, once each time that it begins. None of it ends the terminal: it
/// goes on taking records.
struct Warnings {
    broker: String,
    offline: bool,
    doubtful: bool,
}

impl Warnings {
    fn tell(&mut self, terminal: &Terminal, view: &View) {
        if let Some(trouble) = &view.trouble
            && !self.offline
        {
            let what = format!("could not reach the broker at {}", self.broker);
            let hint = "records are kept and tried again; see the network and [uplink]";
            eprintln!("rollcall {ROLE}: {}", Report::new(what, trouble, hint));
        }
        self.offline = view.trouble.is_some();
        let evidence = terminal.clock_evidence();
        let doubtful = evidence.quality == ClockQuality::Doubtful;
        if doubtful && !self.doubtful {
            let what = format!("could not believe the clock, which shows {}", evidence.wall);
            let signed = evidence.signed.map_or("none".into(), |at| at.to_string());
            let because =
                format!("the centre's signed time says otherwise; the newest is {signed}");
            let hint = "set the clock; until then records say that their time is doubtful";
            eprintln!("rollcall {ROLE}: {}", Report::new(what, because, hint));
        }
        self.doubtful = doubtful;
    }
}

fn config_failure(error: ConfigError) -> Failure {
    let hint = match &error {
        ConfigError::Read { .. } => "correct --config, or the rights of the file",
        ConfigError::Parse { .. } => {
            "correct the file; firmware-config/terminal.toml shows every field"
        }
        ConfigError::Missing { .. } | ConfigError::Range { .. } => {
            "add or correct it; firmware-config/terminal.toml explains every field"
        }
        ConfigError::Id(_) => "write the name under which the terminal is registered",
        ConfigError::ReceiptKey(_) => "copy the receipt key that the centre prints",
    };
    (Report::of(&error, hint), Exit::Usage)
}

fn key_failure(error: &KeyFileError) -> Failure {
    let (hint, exit) = match error {
        KeyFileError::Missing { .. } => (
            "on a new terminal run `rollcall terminal init`; else correct terminal.key_file",
            Exit::Usage,
        ),
        KeyFileError::Exists { .. } => (
            "a key is never replaced; if it was never registered, remove it and its journal first",
            Exit::Usage,
        ),
        KeyFileError::Open { .. } => {
            ("if nobody else can have read it: chmod 600; else make a new terminal", Exit::Usage)
        }
        KeyFileError::Content { .. } => ("restore the file, or make a new terminal", Exit::Usage),
        KeyFileError::Read { .. } | KeyFileError::Write { .. } => {
            ("see the rights of the file and its folder, and the disk", Exit::Environment)
        }
    };
    (Report::of(error, hint), exit)
}

fn journal_failure(error: &OpenError) -> Failure {
    let exit = match error {
        OpenError::Missing { .. } | OpenError::Foreign { .. } => Exit::Usage,
        OpenError::Storage { .. } => Exit::Environment,
        OpenError::Damaged { .. } => Exit::FailStop,
    };
    (Report::of(error, error.hint()), exit)
}
