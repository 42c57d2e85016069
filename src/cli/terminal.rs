//! `rollcall terminal …`: a site's commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report, secret_failed};
use crate::domain::PersonId;
use crate::face::gallery_file::{self, GalleryFileError};
use crate::face::{OpenError, Pipeline, Settings, Thresholds};
use crate::journal::Journal;
use crate::platform::chance;
use crate::platform::secret;
use crate::platform::telemetry::{Class, start_logging};
use crate::record::SigningKey;
use crate::terminal::{Cabinet, Config, ConfigError, FaceSection};

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
    /// Looks at everything that the terminal needs and says what to do about what it finds. Ends with 0
    /// when nothing is wrong, else with 1.
    Doctor(super::terminal_doctor::Args),
    /// Lists the cameras of this machine, and pins the one that this terminal shall look through.
    Camera(super::terminal_camera::Args),
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
    /// Enrols everybody of the plan who has pictures in a folder, named by her number: 20260001.jpg, or
    /// 20260001_1.jpg, 20260001_2.jpg. Only encrypted templates are kept.
    EnrolPhotos {
        #[command(flatten)]
        config: ConfigArg,
        /// The folder.
        #[arg(long, value_name = "DIR")]
        photos: PathBuf,
        /// Says that each of them has agreed in writing, and that the institution keeps it.
        #[arg(long, required = true)]
        consents_on_file: bool,
    },
    /// Lets members of the staff in at the kiosk, and shows and removes them.
    Staff(super::terminal_staff::Args),
    /// Lets templates pass between this institution's terminals: the key that the centre has not.
    Share(super::terminal_share::Args),
    /// Gives all templates another rotation: copies of before can be compared with nothing any more.
    RenewTemplates(ConfigArg),
    /// Lets generated people come before a made camera and says how long they wait, and what the
    /// machine has to give for it. Touches nothing of this terminal.
    Bench(super::terminal_bench::Args),
    /// Takes a dispatch of the centre that somebody has carried here: lessons, rosters, names, statuses
    /// and policy.
    Take {
        #[command(flatten)]
        config: ConfigArg,
        /// The file that `rollcall collector terminal dispatch` wrote.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Runs until SIGINT or SIGTERM.
    Run {
        #[command(flatten)]
        config: ConfigArg,
        /// Prints the slip of each record: what its trainee may take home at once.
        #[arg(long)]
        slips: bool,
    },
    /// Lists the evidence pictures, which are encrypted to the regulator, and hands them over.
    Evidence(super::terminal_evidence::Args),
    /// Checks, repairs or exports the journal of a terminal that stands still. Needs no key.
    Journal(super::journal::Args),
}

#[derive(Debug, ClapArgs)]
pub(super) struct ConfigArg {
    /// The configuration file; firmware-config/terminal.toml is a commented example.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
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
            Command::Doctor(args) => return args.run(),
            Command::Camera(args) => args.run(),
            Command::CheckConfig(config) => check_config(&config),
            Command::Enrol { config, person, pictures } => {
                super::terminal_enrol::enrol(&config, person, &pictures)
            }
            Command::EnrolPhotos { config, photos, consents_on_file: _ } => {
                super::terminal_enrol::enrol_photos(&config, &photos)
            }
            Command::Staff(args) => super::terminal_staff::run(&args),
            Command::Share(args) => super::terminal_share::run(&args),
            Command::Evidence(args) => args.run(),
            Command::RenewTemplates(config) => renew_templates(&config),
            Command::Bench(args) => super::terminal_bench::run(&args),
            Command::Take { config, from } => {
                load(&config).and_then(|config| super::terminal_take::take(&config, &from))
            }
            Command::Run { config, slips } => {
                load(&config).and_then(|config| super::terminal_run::run(&config, slips))
            }
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("terminal", exit),
        }
    }
}

pub(super) fn load(arg: &ConfigArg) -> Told<Config> {
    Config::read(&arg.config).map_err(|error| config_failed(&error))
}

pub(super) fn config_failed(error: &ConfigError) -> (Exit, Report) {
    let hint = match error {
        ConfigError::Read { .. } => "look at its path and rights",
        ConfigError::Plan { .. } => {
            "correct the plan; docs of it stand in firmware-config/terminal.toml"
        }
        ConfigError::Consent { .. } => "firmware-config/consent.toml is an example",
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
    if config.camera.is_some() && config.needs_plan_file() {
        config.site_plan().map_err(|error| config_failed(&error))?;
    }
    say!("{}: fine", arg.config.display());
    Ok(())
}

/// The models that the configuration names.
pub(super) fn open_pipeline(face: &FaceSection) -> Told<Pipeline> {
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
pub(super) fn thresholds_of(pipeline: &Pipeline) -> Told<&Thresholds> {
    pipeline.thresholds().map_err(|error| models_failed(&error))
}

fn models_failed(error: &OpenError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, error.hint()))
}

fn renew_templates(arg: &ConfigArg) -> Told {
    let config = load(arg)?;
    let secret =
        secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
    let pipeline = open_pipeline(&config.face)?;
    let path = &config.face.gallery_file;
    // Nobody else may write it meanwhile.
    let _cabinet = Cabinet::open(config.face.register(), path.clone(), secret)
        .map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
    let gallery = gallery_file::load(path, &secret, &pipeline.embedding_digest())
        .map_err(|error| gallery_failed(&error))?;
    let renewed = gallery.renewed(chance::random_bytes());
    gallery_file::store(&renewed, path, &secret).map_err(|error| gallery_failed(&error))?;
    say!("renewed the templates of {} people", renewed.len());
    Ok(())
}

pub(super) fn look_failed(error: &crate::face::LookError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, "try another runtime in [face] runtime"))
}

pub(super) fn gallery_failed(error: &GalleryFileError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, error.hint()))
}
