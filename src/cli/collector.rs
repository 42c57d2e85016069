//! `rollcall collector …`: the centre's commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::backup::{backup, renew_key, restore, take};
use super::collector_ca::{CaCommand, For, certificate};
use super::collector_evidence::{audit, export, prove};
pub(super) use super::collector_home::home_failed;
use super::collector_limits::LimitsArgs;
use super::collector_picture::PictureCommand;
use super::collector_platform::PlatformCommand;
use super::collector_roll_call::{self, RollCallArgs};
use super::collector_sheet::{self, PeopleCommand, SheetCommand};
use super::collector_terminal::TerminalCommand;
use super::report::{Exit, Report};
use crate::collector::facts::{Difference, FactsError, compare, parse};
use crate::collector::sheet::Kind;
use crate::collector::{Config, ConfigError, Home, Role, StateError, Store, read_bounded};
use crate::domain::{ClassId, PlatformId, TerminalId};
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::telemetry::start_logging;
use crate::platform::tls::TlsError;
use crate::record::VerifyingKey;
use crate::record::note::{KeyKind, Vkey};

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the keys and an empty ledger, once, and prints the lines that auditors trust.
    Init(ConfigArg),
    /// Runs until SIGINT or SIGTERM.
    Run(ConfigArg),
    /// Says whether a configuration can be used.
    CheckConfig(ConfigArg),
    /// States institutions, sites, terminals, classes and lessons, while no collector runs.
    Register {
        #[command(flatten)]
        config: ConfigArg,
        /// What to state. What the ledger says already is not stated again.
        facts: PathBuf,
    },
    /// Prints the lines that auditors trust.
    Trust(ConfigArg),
    /// Lets another receipt key follow, while no collector runs. Terminals follow by the word of the one
    /// before.
    RenewReceiptKey(ConfigArg),
    /// Lets another log key follow, while no collector runs. Auditors and witnesses must be told it.
    RenewLogKey(ConfigArg),
    /// The centre's certificate authority.
    #[command(subcommand)]
    Ca(CaCommand),
    /// Makes a key and a certificate, for the broker, this collector or who else comes to the broker.
    Certificate {
        #[command(flatten)]
        config: ConfigArg,
        /// For whom.
        #[arg(long = "for", value_enum)]
        whom: For,
        /// A host name or address by which the broker, or what platforms report to, is reached; as often as
        /// there are.
        #[arg(long)]
        host: Vec<String>,
        /// Which platform.
        #[arg(long, value_name = "ID")]
        platform: Option<PlatformId>,
        /// Folder for key, certificate and ca.pem.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Lets terminals in and turns them away.
    #[command(subcommand)]
    Terminal(TerminalCommand),
    /// Institutions, with their details.
    #[command(subcommand)]
    Institution(SheetCommand<{ Kind::Institution as usize }>),
    /// Sites of institutions.
    #[command(subcommand)]
    Site(SheetCommand<{ Kind::Site as usize }>),
    /// Classes, with what they teach.
    #[command(subcommand)]
    Class(SheetCommand<{ Kind::Class as usize }>),
    /// Training projects that were published: what a class may be subsidised for.
    #[command(subcommand)]
    Project(SheetCommand<{ Kind::Project as usize }>),
    /// The timetable.
    #[command(subcommand)]
    Lesson(SheetCommand<{ Kind::Lesson as usize }>),
    /// Who is in which class. The ledger holds commitments; names stay beside it.
    #[command(subcommand)]
    Roster(SheetCommand<{ Kind::Roster as usize }>),
    /// Who teaches where.
    #[command(subcommand)]
    Teacher(SheetCommand<{ Kind::Teacher as usize }>),
    /// Dated states: opened, suspended, on the white list, a claim granted.
    #[command(subcommand)]
    Status(SheetCommand<{ Kind::Status as usize }>),
    /// Online platforms: who they are, and what they report.
    #[command(subcommand)]
    Platform(PlatformCommand),
    /// Certificates and subsidies that people hold from elsewhere, one row for each.
    #[command(subcommand)]
    Held(SheetCommand<{ Kind::Held as usize }>),
    /// Subsidies that are asked for, one row for each person.
    #[command(subcommand)]
    Claim(SheetCommand<{ Kind::Claim as usize }>),
    /// The people behind the commitments, beside the ledger.
    #[command(subcommand)]
    People(PeopleCommand),
    /// Shows whose hours of a class count, and why others do not, by the ledger as it is now.
    Hours {
        #[command(flatten)]
        config: ConfigArg,
        /// Which class.
        #[arg(long)]
        class: ClassId,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Shows what goes beyond the limits of the policy: of a claim, a class or an institution. Ends with 1
    /// when something is refused for it.
    Limits(LimitsArgs),
    /// Has the roll called, unannounced, in a lesson that is under way, and shows who comes; while a
    /// collector runs. Ends with 1 when the terminal does not answer or somebody is not seen.
    RollCall(RollCallArgs),
    /// Evidence pictures of terminals: the regulator's key, and how one is opened.
    #[command(subcommand)]
    Picture(PictureCommand),
    /// Builds the tree anew from the database and holds it against everything that was published.
    /// Ends with 0 when all fits, 1 when something does not, naming the entries.
    Audit {
        #[command(flatten)]
        config: ConfigArg,
        /// Checkpoints of this log that others hold: of a witness, of an auditor.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
    /// Writes the proof of one record for its trainee: record, place in the log, checkpoint.
    Prove {
        #[command(flatten)]
        config: ConfigArg,
        /// The terminal that made it.
        #[arg(long)]
        terminal: TerminalId,
        /// Its sequence number.
        #[arg(long)]
        seq: u64,
        /// Where to write the proof.
        #[arg(long)]
        out: PathBuf,
        /// Where to draw it as a QR code, an SVG picture, if it fits one.
        #[arg(long, value_name = "SVG")]
        qr: Option<PathBuf>,
    },
    /// Takes in the records that `rollcall terminal journal export` has saved from a terminal which
    /// cannot send them any more, while no collector runs.
    Take {
        #[command(flatten)]
        config: ConfigArg,
        /// The export.
        #[arg(long)]
        from: PathBuf,
        /// Whose journal it is, where its own word is damaged.
        #[arg(long)]
        terminal: Option<TerminalId>,
    },
    /// Writes everything that the ledger holds into a file, also while a collector runs. The keys are
    /// not in it.
    Backup {
        #[command(flatten)]
        config: ConfigArg,
        /// Where to write it; there must be no such file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Makes the ledger that a backup holds, in a store that is empty, be it SQLite or PostgreSQL. The
    /// keys must lie in the data folder already.
    Restore {
        #[command(flatten)]
        config: ConfigArg,
        /// The backup.
        #[arg(long)]
        from: PathBuf,
    },
    /// Writes a bundle for `rollcall verify`, while no collector runs.
    Export {
        #[command(flatten)]
        config: ConfigArg,
        /// Where to write it.
        #[arg(long)]
        out: PathBuf,
        /// Only what came under this terminal's name.
        #[arg(long)]
        terminal: Option<TerminalId>,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct ConfigArg {
    /// The configuration file; firmware-config/collector.toml is a commented example.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

pub(super) type Told<T = ()> = Result<T, (Exit, Report)>;

impl Args {
    pub(super) fn run(self) -> ExitCode {
        start_logging("warn");
        let done = match self.command {
            Command::Init(config) => init(&config),
            Command::Run(config) => super::collector_run::run(&config),
            Command::CheckConfig(config) => check_config(&config),
            Command::Register { config, facts } => register(&config, &facts),
            Command::Trust(config) => trust(&config),
            Command::RenewReceiptKey(config) => renew_key(&config, Role::Receipt),
            Command::RenewLogKey(config) => renew_key(&config, Role::Log),
            Command::Ca(command) => command.run(),
            Command::Certificate { config, whom, host, platform, out } => {
                certificate(&config, (whom, platform.as_ref()), &host, &out)
            }
            Command::Terminal(command) => command.run(),
            Command::Institution(command) => command.run(),
            Command::Site(command) => command.run(),
            Command::Class(command) => command.run(),
            Command::Project(command) => command.run(),
            Command::Lesson(command) => command.run(),
            Command::Roster(command) => command.run(),
            Command::Teacher(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Claim(command) => command.run(),
            Command::People(command) => command.run(),
            Command::Held(command) => command.run(),
            Command::Platform(command) => command.run(),
            Command::Limits(args) => super::collector_limits::limits(&args),
            Command::Hours { config, class, json } => {
                super::collector_hours::hours(&config, &class, json)
            }
            Command::RollCall(args) => collector_roll_call::run(&args),
            Command::Picture(command) => command.run(),
            Command::Audit { config, checkpoint } => audit(&config, &checkpoint),
            Command::Prove { config, terminal, seq, out, qr } => {
                prove(&config, &terminal, seq, &out, qr.as_deref())
            }
            Command::Take { config, from, terminal } => take(&config, &from, terminal),
            Command::Backup { config, out } => backup(&config, &out),
            Command::Restore { config, from } => restore(&config, &from),
            Command::Export { config, out, terminal } => export(&config, &out, terminal.as_ref()),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("collector", exit),
        }
    }
}

fn init(config: &ConfigArg) -> Told {
    let config = load(config)?;
    Home::create_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    say!("# Made keys and an empty ledger in {}.", config.data_dir.display());
    super::collector_ca::make(&config)?;
    collector_sheet::make_people(&config)?;
    say!("# Give these two lines to auditors, by another way than their bundles.");
    tell_trust(&config)
}

fn trust(config: &ConfigArg) -> Told {
    let config = load(config)?;
    tell_trust(&config)
}

/// Also while a collector runs.
fn tell_trust(config: &Config) -> Told {
    let logs = Home::peek(&config.data_dir).map_err(home_failed)?;
    let receipt = Home::peek_receipt(&config.data_dir).map_err(home_failed)?;
    let key = vkey(config, logs.newest())?;
    say!("# The log's key for witnesses and other readers of logs: {key}");
    logs.all().iter().for_each(|log| say!("log {log}"));
    say!("receipt {receipt}");
    Ok(())
}

/// The log's key as readers of logs write it.
pub(super) fn vkey(config: &Config, log: VerifyingKey) -> Told<Vkey> {
    Vkey::new(&config.origin, KeyKind::Log, log)
        .map_err(|error| (Exit::Usage, Report::of(&error, "correct `origin`")))
}

fn check_config(config: &ConfigArg) -> Told {
    let file = load(config)?;
    file.setup().map_err(config_failed)?;
    store(&file)?;
    file.policy().map_err(config_failed)?;
    file.platforms_tls().map_err(config_failed)?;
    say!("{}: fine", config.config.display());
    Ok(())
}

fn register(config: &ConfigArg, facts: &std::path::Path) -> Told {
    let config = load(config)?;
    let text = read_bounded(facts).map_err(config_failed)?;
    let wished = parse(&text).map_err(|error| facts_failed(facts, &error))?;
    let mut home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let standing = home.facts().map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the disk, or restore a backup"))
    })?;
    let Difference { new, changed, same } =
        compare(&standing, wished).map_err(|error| facts_failed(facts, &error))?;
    let (added, replaced) = (new.len(), changed.len());
    let all = [new, changed].concat();
    if !all.is_empty() {
        home.state(all, SystemClock::start().now()).map_err(|error| {
            let exit = match &error {
                StateError::Key { .. } | StateError::TooLong { .. } => Exit::Usage,
                StateError::Commit(_) | StateError::Ended => Exit::Environment,
            };
            (exit, Report::of(&error, "nothing was stated; mend the cause and register again"))
        })?;
    }
    say!("stated: {added} new, {replaced} changed, {same} as before");
    Ok(())
}

pub(super) fn load(arg: &ConfigArg) -> Result<Config, (Exit, Report)> {
    Config::load(&arg.config).map_err(config_failed)
}

pub(super) fn store(config: &Config) -> Result<Store, (Exit, Report)> {
    config.store().map_err(config_failed)
}

#[expect(clippy::needless_pass_by_value, reason = "reads as a step of map_err")]
pub(super) fn config_failed(error: ConfigError) -> (Exit, Report) {
    let hint = match &error {
        ConfigError::Read { .. } => "look at its path and rights",
        ConfigError::Parse { .. } => "firmware-config/collector.toml shows every field",
        ConfigError::OpenPassword { .. } | ConfigError::Platforms(TlsError::OpenKey { .. }) => {
            "make it readable by its owner alone: chmod 600"
        }
        ConfigError::Store(_) => "correct [store]; docs/setup.md, PostgreSQL, shows an example",
        ConfigError::Tls(_) => {
            "look at the files that [broker] names; `rollcall collector certificate` makes them"
        }
        ConfigError::Readable { .. } => {
            "name cert_file and key_file in [platforms] (`rollcall collector certificate --for platforms` makes both), or \
             listen on 127.0.0.1, behind a server of this machine that has TLS"
        }
        ConfigError::Platforms(_) => {
            "look at the files that [platforms] names; `rollcall collector certificate --for platforms` makes both"
        }
        ConfigError::Profile(_) => "correct the policy profile; [rules] policy_file names it",
        ConfigError::Value { .. } => {
            return (
                Exit::Usage,
                Report::new(
                    error.to_string(),
                    "the value is out of its range",
                    "firmware-config/collector.toml shows every field",
                ),
            );
        }
    };
    (Exit::Usage, Report::of(&error, hint))
}

fn facts_failed(path: &std::path::Path, error: &FactsError) -> (Exit, Report) {
    let because = crate::platform::telemetry::Chain(error).to_string();
    let what = format!("could not use the facts in {}", path.display());
    (Exit::Usage, Report::new(what, because, "nothing was stated; correct the file"))
}
