//! `rollcall terminal …`: a site's commands.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report, secret_failed};
use crate::camera::{self, Folder, FrameSource};
use crate::domain::{PersonId, Policy};
use crate::face::gallery_file::{self, GalleryFileError};
use crate::face::{Gallery, OpenError, Pipeline, Settings, Thresholds};
use crate::journal::Journal;
use crate::kiosk::Console;
use crate::platform::chance;
use crate::platform::clock::SystemClock;
use crate::platform::secret;
use crate::platform::telemetry::{Chain, Class, start_logging};
use crate::record::SigningKey;
use crate::terminal::{
    AttendError, Config, ConfigError, Door, FaceSection, Setup, Terminal, numbers, people_searched,
};
use crate::uplink::{self, NoWaypoints};

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sets the terminal up, once: makes its keys and an empty journal. With a token it is enrolled at
    /// the centre; without, the key to register there is printed.
    Init(super::enrol::InitArgs),
    /// Gets a new certificate for the broker.
    Renew(super::enrol::CertificateArgs),
    /// Exchanges the key that seals records, while the terminal stands still.
    RotateKey(super::enrol::RenewArgs),
    /// Says whether a configuration, its policy profile and its plan can be used.
    CheckConfig(ConfigArg),
    /// Enrols a person from pictures: only encrypted templates are kept, on this terminal.
    Enrol {
        #[command(flatten)]
        config: ConfigArg,
        /// Whom: 32 hexadecimal digits, as in the roster.
        #[arg(long)]
        person: PersonId,
        /// Pictures of this person, two or more for a steady template.
        #[arg(required = true)]
        pictures: Vec<PathBuf>,
    },
    /// Runs until SIGINT or SIGTERM.
    Run {
        #[command(flatten)]
        config: ConfigArg,
        /// Prints the slip of each record: what its trainee may take home at once.
        #[arg(long)]
        slips: bool,
    },
    /// Checks, repairs or exports the journal of a terminal that stands still. Needs no key.
    Journal(super::journal::Args),
}

#[derive(Debug, ClapArgs)]
pub(super) struct ConfigArg {
    /// The configuration file; firmware-config/terminal.toml is a commented example.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) type Told<T = ()> = Result<T, (Exit, Report)>;

impl Args {
    pub(super) fn run(self) -> ExitCode {
        start_logging("warn");
        let done = match self.command {
            Command::Journal(args) => return args.run(),
            Command::Init(args) => match &args.token {
                Some(token) => super::enrol::init(&args, token),
                None => init(&ConfigArg { config: args.config }),
            },
            Command::Renew(args) => super::enrol::renewed(&args),
            Command::RotateKey(args) => super::enrol::rotated(&args),
            Command::CheckConfig(config) => check_config(&config),
            Command::Enrol { config, person, pictures } => enrol(&config, person, &pictures),
            Command::Run { config, slips } => run(&config, slips),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("terminal", exit),
        }
    }
}

fn load(arg: &ConfigArg) -> Told<Config> {
    Config::read(&arg.config).map_err(|error| config_failed(&error))
}

pub(super) fn config_failed(error: &ConfigError) -> (Exit, Report) {
    let hint = match error {
        ConfigError::Read { .. } => "look at its path and rights",
        ConfigError::Plan { .. } => {
            "correct the plan; docs of it stand in firmware-config/terminal.toml"
        }
        ConfigError::Policy(_) => "correct the policy profile that terminal.policy_file names",
        ConfigError::Parse { .. }
        | ConfigError::Missing { .. }
        | ConfigError::Id(_)
        | ConfigError::ReceiptKey(_)
        | ConfigError::Range { .. } => "firmware-config/terminal.toml shows every field",
    };
    (Exit::Usage, Report::of(error, hint))
}

pub(super) fn exit_of(class: Class) -> Exit {
    match class {
        Class::Transient => Exit::Environment,
        Class::Permanent => Exit::Usage,
        Class::FailStop => Exit::FailStop,
    }
}

fn init(arg: &ConfigArg) -> Told {
    let config = load(arg)?;
    // Nothing is written unless all of it can be: half a terminal would be in the way for ever.
    for path in [&config.key_file, &config.face.gallery_key_file, &config.journal_dir] {
        if path.exists() {
            let because = format!("{} is there already", path.display());
            let hint = "the terminal is set up; a second key would be a second history";
            let what = "could not set up the terminal";
            return Err((Exit::Usage, Report::new(what, because, hint)));
        }
    }
    let key = SigningKey::from_secret(&chance::random_bytes());
    // The key first: a crash here leaves a key without a journal, which neither `run` nor `init`
    // accepts, and no record was made with it.
    secret::write_new(&config.key_file, &key.secret()).map_err(|error| secret_failed(&error))?;
    secret::write_new(&config.face.gallery_key_file, &chance::random_bytes())
        .map_err(|error| secret_failed(&error))?;
    let id = key.verifying_key().id();
    Journal::init(&config.journal_dir, &config.terminal, id)
        .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
    say!("# Made keys and an empty journal. Register this at the centre:");
    say!("[[terminal]]\nid = \"{}\"\nkey = \"{}\"", config.terminal, key.verifying_key());
    Ok(())
}

fn check_config(arg: &ConfigArg) -> Told {
    let config = load(arg)?;
    config.policy().map_err(|error| config_failed(&error))?;
    if config.replay.is_some() {
        config.plans().map_err(|error| config_failed(&error))?;
    }
    say!("{}: fine", arg.config.display());
    Ok(())
}

/// The models that the configuration names.
fn open_pipeline(face: &FaceSection) -> Told<Pipeline> {
    let folder = (!face.models_dir.as_os_str().is_empty()).then_some(face.models_dir.as_path());
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from);
    let settings =
        Settings::installed(folder, data.as_deref()).map_err(|error| models_failed(&error))?;
    let settings = Settings {
        pack: (!face.pack.is_empty()).then(|| face.pack.clone()),
        runtime: face.runtime,
        threads: face.threads,
        ..settings
    };
    let pipeline = Pipeline::open(&settings).map_err(|error| models_failed(&error))?;
    thresholds_of(&pipeline)?;
    Ok(pipeline)
}

/// A terminal judges people, so its pack must be calibrated.
fn thresholds_of(pipeline: &Pipeline) -> Told<&Thresholds> {
    pipeline.thresholds().map_err(|error| models_failed(&error))
}

fn models_failed(error: &OpenError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, error.hint()))
}

fn enrol(arg: &ConfigArg, person: PersonId, pictures: &[PathBuf]) -> Told {
    let config = load(arg)?;
    let secret =
        secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
    let mut pipeline = open_pipeline(&config.face)?;
    let path = &config.face.gallery_file;
    let model = pipeline.embedding_digest();
    let mut gallery = match gallery_file::load(path, &secret, &model) {
        Ok(gallery) => gallery,
        Err(GalleryFileError::Read { .. }) if !path.exists() => Gallery::new(model),
        Err(error) => return Err(gallery_failed(&error)),
    };
    let mut faces = Vec::new();
    for picture in pictures {
        let what = format!("could not use the picture {}", picture.display());
        let frame = camera::read(picture).map_err(|why| {
            (Exit::Usage, Report::new(&what, Chain(&why).to_string(), why.hint()))
        })?;
        let look = pipeline.look(&frame).map_err(|error| look_failed(&error))?;
        match look.face {
            Some(face) if look.in_front == 1 => faces.push(face.embedding),
            Some(_) => {
                let because = format!("{} people stand in front", look.in_front);
                let hint = "take a picture of this person alone";
                return Err((Exit::Usage, Report::new(what, because, hint)));
            }
            None => {
                let hint = "take a picture with the face in front, well lit";
                return Err((Exit::Usage, Report::new(what, "no face was found in it", hint)));
            }
        }
    }
    let same = thresholds_of(&pipeline)?.matching.cosine;
    gallery.enrol(person, &faces, same).map_err(|error| {
        (Exit::Usage, Report::of(&error, "use pictures of this one person, face in front"))
    })?;
    gallery_file::store(&gallery, path, &secret).map_err(|error| gallery_failed(&error))?;
    say!("enrolled from {} pictures; {} people in the gallery", faces.len(), gallery.len());
    Ok(())
}

fn look_failed(error: &crate::face::LookError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, "try another runtime in [face] runtime"))
}

fn gallery_failed(error: &GalleryFileError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, error.hint()))
}

fn run(arg: &ConfigArg, slips: bool) -> Told {
    let config = load(arg)?;
    let policy = config.policy().map_err(|error| config_failed(&error))?;
    let key = secret::read(&config.key_file).map_err(|error| secret_failed(&error))?;
    let key = SigningKey::from_secret(&key);
    let tls = config.tls.as_ref().map(|files| files.read()).transpose();
    let tls = tls.map_err(|error| {
        let hint =
            "put the files that [uplink] names back, or get new ones: `rollcall terminal renew`";
        (Exit::Usage, Report::of(&error, hint))
    })?;
    let mut eye = match &config.replay {
        Some((folder, frame_ms)) => Some(Eye::open(&config, &policy, folder, *frame_ms, slips)?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| environment("could not start", &cause))?;
    runtime.block_on(async {
        let clock = Arc::new(SystemClock::start());
        let terminal = Terminal::start(Setup {
            terminal: config.terminal.clone(),
            key,
            journal_dir: config.journal_dir.clone(),
            bounds: config.bounds,
            uplink: uplink::Config { tls, ..config.uplink.clone() },
            policy: policy.profile(),
            pack: eye.as_ref().map(|eye| eye.pipeline.pack_digest()),
            plugged: true,
            clock: Arc::clone(&clock) as _,
            waypoints: Arc::new(NoWaypoints),
        });
        let terminal =
            terminal.map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
        let terminal = Arc::new(terminal);
        if let Some(eye) = &mut eye {
            eye.door.recall(terminal.journal()).map_err(|error| {
                let hint = "look at the disk; nothing that was shown green is lost by this";
                (exit_of(error.class()), Report::of(&error, hint))
            })?;
        }
        say!(
            "rollcall terminal: {} is running, {} records wait",
            terminal.id(),
            terminal.waiting()
        );
        let ended = async {
            let waited = wait(&terminal).await;
            waited.map_err(|cause| environment("could not wait for signals", &cause))
        };
        let looking = async {
            if let Some(eye) = eye {
                watch(eye, Arc::clone(&terminal), clock).await?;
            }
            // The replay is over; the records still go to the centre.
            std::future::pending().await
        };
        let broker = format!("{}:{}", config.uplink.broker_host, config.uplink.broker_port);
        let seen = tokio::select! {
            ended = ended => ended,
            failed = looking => failed,
            () = warn(&terminal, &broker) => Ok(()),
        };
        terminal.shut_down().await.map_err(|error| {
            let hint = "look at the disk; what is in the journal is offered at the next start";
            (exit_of(error.class()), Report::of(&error, hint))
        })?;
        seen?;
        say!("rollcall terminal: ended, {} records wait", terminal.waiting());
        Ok(())
    })
}

fn environment(what: &str, cause: &std::io::Error) -> (Exit, Report) {
    let hint = "look at the limits of this machine";
    (Exit::Environment, Report::new(what, cause.to_string(), hint))
}

/// Camera, models and desk of one terminal.
struct Eye {
    camera: Folder,
    frame: Duration,
    pipeline: Pipeline,
    door: Door,
}

impl Eye {
    fn open(
        config: &Config,
        policy: &Policy,
        folder: &Path,
        frame_ms: u64,
        slips: bool,
    ) -> Told<Self> {
        let plans = config.plans().map_err(|error| config_failed(&error))?;
        let camera = Folder::open(folder)
            .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
        let secret =
            secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
        let pipeline = open_pipeline(&config.face)?;
        let model = pipeline.embedding_digest();
        let gallery = gallery_file::load(&config.face.gallery_file, &secret, &model)
            .map_err(|error| gallery_failed(&error))?;
        let thresholds = thresholds_of(&pipeline)?;
        let screen = Box::new(Console::new(config.terminal.as_str()).with_slips(slips));
        let people = people_searched(&plans, &gallery);
        let numbers = numbers(policy, thresholds, &config.checkin, people);
        let door = Door::new(numbers, plans, gallery, thresholds.confident.cosine, screen);
        Ok(Self { camera, frame: Duration::from_millis(frame_ms), pipeline, door })
    }
}

/// Looks at each frame in turn, until the replay is over.
async fn watch(mut eye: Eye, terminal: Arc<Terminal>, clock: Arc<SystemClock>) -> Told {
    let mut pace = tokio::time::interval(eye.frame);
    loop {
        pace.tick().await;
        let (device, time) = (Arc::clone(&terminal), Arc::clone(&clock));
        let looked = tokio::task::spawn_blocking(move || {
            let looked = look_once(&mut eye, &device, &time);
            (eye, looked)
        });
        let (back, looked) = looked.await.expect("looking at a frame does not panic");
        eye = back;
        if !looked? {
            say!("rollcall terminal: the replay is over");
            return Ok(());
        }
    }
}

/// `false` when there is no further frame.
fn look_once(eye: &mut Eye, terminal: &Terminal, clock: &SystemClock) -> Told<bool> {
    let frame = match eye.camera.next() {
        Ok(Some(frame)) => frame,
        Ok(None) => return Ok(false),
        Err(error) => {
            // One broken picture is one lost frame, not the end of the lesson.
            tracing::warn!("Passed over a frame: {}.", Chain(&error));
            return Ok(true);
        }
    };
    match eye.door.attend(&mut eye.pipeline, terminal, clock, &frame, None) {
        Ok(_) => Ok(true),
        Err(AttendError::Look(error)) if error.class() == Class::Transient => {
            tracing::warn!("Passed over a frame: {}.", Chain(&error));
            Ok(true)
        }
        Err(AttendError::Look(error)) => Err(look_failed(&error)),
        // Full: the screen is red, and stays so until receipts make room.
        Err(AttendError::Take(error)) if error.class() == Class::Transient => Ok(true),
        Err(AttendError::Take(error)) => {
            let hint = "look at the disk; what was shown green is safe in the journal";
            Err((exit_of(error.class()), Report::of(&error, hint)))
        }
    }
}

/// Tells of a broker that is not reached and of a clock that is not to be believed, once each time
/// that it begins. Neither ends the terminal: it goes on taking records.
async fn warn(terminal: &Terminal, broker: &str) {
    let mut view = terminal.view();
    let (mut offline, mut doubted, mut undated) = (false, None, false);
    loop {
        let (trouble, dates) = {
            let view = view.borrow_and_update();
            (view.trouble.clone(), view.undated)
        };
        if dates && !undated {
            let what = "could not check the dates of the broker's certificate";
            let because = "they do not fit this terminal's clock, and no time is confirmed yet";
            let hint = "nothing needs to be done if the clock is wrong; its name and its issuer are \
                        right, and check-in goes on";
            eprintln!("rollcall terminal: {}", Report::new(what, because, hint));
        }
        undated = dates;
        if let (false, Some(trouble)) = (offline, &trouble) {
            let what = format!("could not reach the broker at {broker}");
            let hint = "records are kept and offered again; look at the network and [uplink]";
            eprintln!("rollcall terminal: {}", Report::new(what, trouble, hint));
        }
        offline = trouble.is_some();
        let (evidence, doubt) = terminal.clock_evidence();
        if let (None, Some(doubt)) = (doubted, doubt) {
            let what = format!("could not believe the clock, which shows {}", evidence.wall);
            let signed = evidence.signed.map_or("none".into(), |at| at.to_string());
            let because =
                format!("it {}; the centre's newest signed time: {signed}", doubt.text().en);
            let hint = "set the clock or connect the network; until then check-in goes on, and \
                        records say that their time is doubtful";
            eprintln!("rollcall terminal: {}", Report::new(what, because, hint));
        }
        doubted = doubt;
        // A clock can be changed while the line is quiet: look again from time to time.
        let changed = tokio::time::timeout(Duration::from_secs(30), view.changed()).await;
        // The uplink is gone: its end is told by others.
        if let Ok(Err(_)) = changed {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal, or for the uplink's end.
async fn wait(terminal: &Terminal) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = terminal.ended() => {}
    }
    Ok(())
}
