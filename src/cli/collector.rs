//! `rollcall collector …`: the centre's commands.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::backup::{backup, renew_key, restore, take};
use super::collector_ca::{CaCommand, For, certificate};
use super::collector_dispatch::dispatcher;
use super::collector_evidence::{audit, export, prove};
pub(super) use super::collector_home::home_failed;
use super::collector_picture::PictureCommand;
use super::collector_roll_call::{self, RollCallArgs};
use super::collector_share::relaying;
use super::collector_sheet::{self, PeopleCommand, SheetCommand};
use super::collector_terminal::{self, TerminalCommand};
use super::report::{Exit, Report};
use crate::collector::Names;
use crate::collector::dispatch::{self, Projection};
use crate::collector::enrol::{self, Roll};
use crate::collector::facts::{Difference, FactsError, compare, parse};
use crate::collector::publish::PublishError;
use crate::collector::roll_calls;
use crate::collector::share::Letterbox;
use crate::collector::sheet::Kind;
use crate::collector::{
    Collector, Config, ConfigError, CoreError, Home, StartError, StateError, Stater, read_bounded,
};
use crate::collector::{Entries, Role, Store, Watch};
use crate::domain::{ClassId, Fact, TerminalId};
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::telemetry::{Chain, Class, start_logging};
use crate::record::note::{KeyKind, Vkey};
use crate::record::{SigningKey, VerifyingKey};
use crate::web::{About, Listening, Site, WhenTaken};

/// How often `run` looks whether the core still lives.
const LOOK: Duration = Duration::from_millis(200);

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
    /// Makes a key and a certificate for the broker, or for this collector.
    Certificate {
        #[command(flatten)]
        config: ConfigArg,
        /// For whom.
        #[arg(long = "for", value_enum)]
        whom: For,
        /// A host name or address by which the broker is reached; as often as there are.
        #[arg(long)]
        host: Vec<String>,
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
            Command::Run(config) => run(&config),
            Command::CheckConfig(config) => check_config(&config),
            Command::Register { config, facts } => register(&config, &facts),
            Command::Trust(config) => trust(&config),
            Command::RenewReceiptKey(config) => renew_key(&config, Role::Receipt),
            Command::RenewLogKey(config) => renew_key(&config, Role::Log),
            Command::Ca(command) => command.run(),
            Command::Certificate { config, whom, host, out } => {
                certificate(&config, whom, &host, &out)
            }
            Command::Terminal(command) => command.run(),
            Command::Institution(command) => command.run(),
            Command::Site(command) => command.run(),
            Command::Class(command) => command.run(),
            Command::Lesson(command) => command.run(),
            Command::Roster(command) => command.run(),
            Command::Teacher(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Claim(command) => command.run(),
            Command::People(command) => command.run(),
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
    say!("{}: fine", config.config.display());
    Ok(())
}

fn run(config: &ConfigArg) -> Told {
    let config = load(config)?;
    let setup = config.setup().map_err(config_failed)?;
    let policy = config.policy().map_err(config_failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| no_runtime(&cause))?;
    let desk_at = match config.enrolment.address() {
        Some(wanted) => {
            Some(runtime.block_on(enrol::Listening::bind(wanted)).map_err(|error| {
                let hint = "choose another address in [enrolment] listen, or end the other program";
                (Exit::Environment, Report::of(&error, hint))
            })?)
        }
        None => None,
    };
    // The page's port first: whoever configured it will look for it there.
    let listening = runtime.block_on(Listening::bind(config.web.listen, WhenTaken::Fail));
    let listening = listening.map_err(|error| {
        let hint = "choose another address in [web] listen, or end the other program";
        (Exit::Environment, Report::of(&error, hint))
    })?;
    let home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let publisher = home
        .publisher(&config.origin, config.log.settings(&config.data_dir))
        .map_err(|error| publish_failed(&error))?;
    let store = home.store().clone();
    let watch = Watch::open(&store, policy.clone(), Names::Numbers).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder's rights and free space"))
    })?;
    let [receipt, dispatch_key, share_key] = [(); 3].map(|()| home.receipt_signer());
    let (roll, projection) = (Roll::default(), Projection::default());
    let (broker, origin) = (format!("{:?}", setup.broker), setup.origin.clone());
    let clock = Arc::new(SystemClock::start());
    // The projection first: what the roll says to be new is in it then.
    let (letterbox, heard) = Letterbox::new();
    let hooks = letterbox.fed_by(projection.fed_by(roll.fed_by(watch.hooks())));
    let collector =
        Collector::start(home, setup, Arc::clone(&clock) as _, hooks).map_err(|error| {
            let (exit, hint) = match &error {
                StartError::Read(_) => (Exit::Environment, "look at the disk, or restore a backup"),
                StartError::Contradiction => (
                    Exit::FailStop,
                    "restore the ledger from its backup; terminals offer the rest again",
                ),
                StartError::ForeignLogKey { .. } => {
                    (Exit::Usage, "put back the log.key that belongs to this ledger")
                }
                StartError::Thread(_) => (Exit::Environment, "look at the limits of this machine"),
            };
            (exit, Report::of(&error, hint))
        })?;
    if watch.policy_in_force() != Some((policy.profile(), policy.digest())) {
        let fact = Fact::Policy { profile: policy.profile(), digest: policy.digest() };
        collector.state(vec![fact]).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the disk's free space and health"))
        })?;
    }
    let orders =
        collector_roll_call::orders(&config, &policy, projection.clone(), collector.stater())?;
    let dispatcher = dispatcher(&config, dispatch_key, projection, roll.clone())?;
    let within = (heard, collector.herald(), Arc::clone(&clock) as _);
    let relaying = relaying(&config, share_key, &policy, roll.clone(), within)?;
    let enrolling = enrolling(&config, receipt, roll, Arc::clone(&clock) as _, collector.stater());
    let enrolling = enrolling?;
    // Before anybody is told that it runs: whoever then ends it meets a program that listens.
    let signals = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    let [interrupt, terminate] = signals.map(|made| made.map_err(|cause| no_runtime(&cause)));
    let signals = [interrupt?, terminate?];
    let every = Duration::from_millis(config.log.publish_every_ms);
    let publishing = publisher.start(every).map_err(|cause| no_runtime(&cause))?;
    say!("rollcall collector: running, {broker}");
    say!("rollcall collector: live page at {}", listening.url());
    if let Some(desk_at) = &desk_at {
        say!("rollcall collector: terminals are enrolled at http://{}", desk_at.address);
    }
    let site = Site {
        about: Arc::new(About { demo: false, origin, policy: policy.profile(), verify: None }),
        feed: watch.feed(),
        entries: Arc::new(Entries::of(&store)),
        log: Some(config.log.folder(&config.data_dir)),
        clock,
    };
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (herald, dispatch_clock) = (collector.herald(), Arc::clone(&site.clock));
    let dispatching = async {
        if let Some(dispatcher) = dispatcher {
            dispatch::serve(dispatcher, herald, dispatch_clock).await;
        }
        std::future::pending::<()>().await;
    };
    let ordering = roll_calls::serve(orders, Arc::clone(&site.clock));
    let enrolling = async {
        match enrolling {
            Some(desk) => enrol::serve(desk, desk_at).await,
            None => std::future::pending().await,
        }
    };
    let (waited, served) = runtime.block_on(async {
        let served = listening.serve(site, async {
            // An error means that the waiting is over as well.
            drop(ended.await);
        });
        let waited = async {
            let waited = tokio::select! {
                waited = wait(&collector, signals) => waited,
                desk = enrolling => desk.map_err(|error| error.io),
                () = dispatching => Ok(()),
                () = ordering => Ok(()),
            };
            // Serving may have ended by itself: then nobody listens.
            end.send(()).ok();
            waited
        };
        tokio::join!(waited, served)
    });
    waited.map_err(|cause| no_runtime(&cause))?;
    let stopped = collector.stop();
    // It does not panic; what it was about to keep comes again.
    drop(relaying.join());
    publishing.stop();
    stopped.map_err(|error| core_failed(&error))?;
    served.map_err(|error| {
        (Exit::Environment, Report::of(&error, "start again; records are safe in the ledger"))
    })?;
    say!("rollcall collector: ended");
    Ok(())
}

/// The desk that enrols terminals, where this centre has a certificate authority.
fn enrolling(
    config: &Config,
    receipt: SigningKey,
    roll: Roll,
    clock: Arc<dyn Clock>,
    stater: Stater,
) -> Told<Option<Arc<enrol::Desk>>> {
    if config.enrolment.address().is_none() && !config.enrolment.ca_dir(&config.data_dir).exists() {
        return Ok(None);
    }
    let state = move |facts| stater.state(facts).map(drop);
    let desk = collector_terminal::desk(config, receipt, roll, clock, state)?;
    if let Err(error) = desk.ca.ready() {
        tracing::warn!("Nobody can come in, and nothing is renewed: {}.", Chain(&error));
    }
    Ok(Some(Arc::new(desk)))
}

fn no_runtime(cause: &std::io::Error) -> (Exit, Report) {
    let hint = "look at the limits of this machine";
    (Exit::Environment, Report::new("could not wait for events", cause.to_string(), hint))
}

/// Waits for a signal, or for the core's end.
async fn wait(collector: &Collector, signals: [Signal; 2]) -> std::io::Result<()> {
    let [mut interrupt, mut terminate] = signals;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = look.tick() => if collector.has_ended() { return Ok(()) },
        }
    }
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
        ConfigError::OpenPassword { .. } => "make it readable by its owner alone: chmod 600",
        ConfigError::Store(_) => "correct [store]; docs/setup.md, PostgreSQL, shows an example",
        ConfigError::Tls(_) => {
            "look at the files that [broker] names; `rollcall collector certificate` makes them"
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

fn publish_failed(error: &PublishError) -> (Exit, Report) {
    let (exit, hint) = match error {
        PublishError::Open(_) | PublishError::Read(_) | PublishError::Folder(_) => {
            (Exit::Environment, "look at the disk and the folder in [log]")
        }
        PublishError::Origin(_) => (Exit::Usage, "correct `origin`"),
        PublishError::OtherLog { .. } => (
            Exit::Usage,
            "put back the origin; to end that log and follow it, name it in [log] follows, with a \
             new origin and an empty [log] folder",
        ),
        PublishError::Remembered { .. } => {
            (Exit::Usage, "put back the log.key that signed it, or the file from its backup")
        }
        PublishError::Older { .. } => (
            Exit::FailStop,
            "restore a newer backup; where there is none, end this log: a new `origin`, the old one \
             in [log] follows, an empty [log] folder; terminals offer the rest again",
        ),
        PublishError::OtherHistory { .. } | PublishError::Hole { .. } => (
            Exit::FailStop,
            "somebody changed the database: `rollcall collector audit` names the entries; restore it \
             from its backup",
        ),
    };
    (exit, Report::of(error, hint))
}

fn core_failed(error: &CoreError) -> (Exit, Report) {
    let (exit, hint) = match error.class() {
        Class::Transient => (
            Exit::Environment,
            "look at the disk's free space and health, or at the database, and start again; what had no \
             receipt is offered again",
        ),
        Class::Permanent | Class::FailStop => {
            (Exit::FailStop, "start again: the ledger is read back and checked at the start")
        }
    };
    (exit, Report::of(error, hint))
}
