//! The terminal's configuration: TOML as people write it ([`RawConfig`]) becomes, in one step with
//! all its checks, what the program runs on ([`Config`]). Every stage owns its section.
//! `firmware-config/terminal.toml` shows every field with its default.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::consent::{ConsentError, ConsentText};
use super::evidence;
use super::plan::{self, SitePlan};
use crate::camera;
use crate::checkin;
use crate::domain::{IdError, Policy, PolicyError, TerminalId};
use crate::face::RuntimeChoice;
use crate::journal;
use crate::kiosk;
use crate::platform::tls;
use crate::record::{KeyError, VerifyingKey, is_endpoint};
use crate::uplink;

/// Largest configuration file, in bytes: a year's plan of a site with rosters of 60.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// The longest policy name, in bytes: it stands in every record.
const POLICY_BYTES_MAX: usize = 40;

/// The file, field by field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// Who the terminal is.
    pub terminal: IdentitySection,
    /// The centre, and what it is trusted by.
    pub centre: CentreSection,
    /// The journal.
    pub journal: journal::Section,
    /// The way to the centre.
    pub uplink: uplink::Section,
    /// The clock.
    pub clock: ClockSection,
    /// Lessons and rosters of the site.
    pub site: SiteSection,
    /// The models and the templates.
    pub face: FaceSection,
    /// Templates of the institution's other terminals.
    pub share: ShareSection,
    /// The camera.
    pub camera: camera::Section,
    /// The screen.
    pub kiosk: kiosk::Section,
    /// The evidence pictures.
    pub evidence: evidence::Section,
    /// The numbers of a decision that depend on the site.
    pub checkin: checkin::Settings,
}

/// `[site]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSection {
    /// File with the site's lessons and rosters; with `reading_key_file` used until the first dispatch,
    /// and may be missing.
    pub plan_file: PathBuf,
    /// File of the key that the centre's dispatches are read with; made by `rollcall terminal init
    /// --token`. Empty: the plan comes from `plan_file` alone.
    pub reading_key_file: PathBuf,
    /// File of the newest dispatch, encrypted as it came.
    pub dispatch_file: PathBuf,
}

impl Default for SiteSection {
    fn default() -> Self {
        Self {
            plan_file: "/var/lib/rollcall/plan.toml".into(),
            reading_key_file: PathBuf::new(),
            dispatch_file: "/var/lib/rollcall/dispatch.sealed".into(),
        }
    }
}

/// `[face]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaceSection {
    /// Model pack; empty: the one in use on this machine, else the first of the shipped manifest.
    pub pack: String,
    /// Folder of installed models and the local manifest; empty: the one of the user's data folder.
    pub models_dir: PathBuf,
    /// Inference runtime: `auto`, `onnxruntime` or `rust`.
    pub runtime: RuntimeChoice,
    /// Threads for one net.
    pub threads: usize,
    /// File of the encrypted templates; made by `rollcall terminal enrol`.
    pub gallery_file: PathBuf,
    /// File of the key of the templates; made by `rollcall terminal init`.
    pub gallery_key_file: PathBuf,
    /// File of PINs, consents and the staff, encrypted under the same key; empty: `register.sealed`
    /// beside the templates.
    pub register_file: PathBuf,
    /// File with the text of consent; empty: the one that travels in the program.
    pub consent_file: PathBuf,
}

impl FaceSection {
    /// File of the register.
    pub fn register(&self) -> PathBuf {
        match self.register_file.as_os_str().is_empty() {
            true => self.gallery_file.with_file_name("register.sealed"),
            false => self.register_file.clone(),
        }
    }
}

impl Default for FaceSection {
    fn default() -> Self {
        Self {
            pack: String::new(),
            models_dir: PathBuf::new(),
            runtime: RuntimeChoice::Auto,
            threads: 2,
            gallery_file: "/var/lib/rollcall/gallery.sealed".into(),
            gallery_key_file: "/var/lib/rollcall/gallery.key".into(),
            register_file: PathBuf::new(),
            consent_file: PathBuf::new(),
        }
    }
}

/// `[share]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShareSection {
    /// File of the institution key; made by `rollcall terminal share init` or `join`. Empty: templates stay
    /// on this terminal.
    pub key_file: PathBuf,
}

/// `[terminal]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySection {
    /// The terminal's name, as registered at the centre. Required.
    pub id: Option<String>,
    /// File of the private key; made by `rollcall terminal init`.
    pub key_file: PathBuf,
    /// Policy profile in force; its name and version stand in every record.
    pub policy: String,
    /// File with a profile of one's own; empty: the one of that name in the program.
    pub policy_file: PathBuf,
}

impl Default for IdentitySection {
    fn default() -> Self {
        Self {
            id: None,
            key_file: "/var/lib/rollcall/terminal.key".into(),
            policy: "sichuan-2025".into(),
            policy_file: PathBuf::new(),
        }
    }
}

/// `[centre]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentreSection {
    /// Verifies the centre's receipts: `ed25519:` and base64. Required.
    pub receipt_key: Option<String>,
    /// Where the centre renews certificates, `http://…` or `https://…`; empty: by files.
    pub enrol_url: String,
}

/// `[clock]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSection {
    /// Difference to the centre's signed time that is still called agreement, in milliseconds.
    pub tolerance_ms: i64,
}

impl Default for ClockSection {
    fn default() -> Self {
        Self { tolerance_ms: 120_000 }
    }
}

/// Where a terminal keeps what the centre sends it to work by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchFiles {
    /// File of the key that dispatches are read with; `None`: the plan comes from a file alone.
    pub reading_key_file: Option<PathBuf>,
    /// File of the newest dispatch.
    pub dispatch_file: PathBuf,
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The terminal's name.
    pub terminal: TerminalId,
    /// File of its private key.
    pub key_file: PathBuf,
    /// Name of the policy profile, and its file unless it travels in the program.
    pub policy: (String, Option<PathBuf>),
    /// Folder of its journal.
    pub journal_dir: PathBuf,
    /// What the journal may hold.
    pub bounds: journal::Bounds,
    /// How it reaches the centre; who it is at the broker is in `tls`.
    pub uplink: uplink::Config,
    /// Files for mutual TLS; `None`: plain TCP, on loopback.
    pub tls: Option<tls::Files>,
    /// Where the centre enrols and renews; empty: by files.
    pub enrol_url: String,
    /// File with the site's lessons and rosters.
    pub plan_file: PathBuf,
    /// The centre's dispatches.
    pub dispatch: DispatchFiles,
    /// Models and templates.
    pub face: FaceSection,
    /// File of the institution key; `None`: templates stay on this terminal.
    pub share_key_file: Option<PathBuf>,
    /// Through which camera it looks, if any.
    pub camera: Option<camera::Choice>,
    /// Time between two frames, in milliseconds.
    pub frame_ms: u64,
    /// Where the screen's page is served, if at all.
    pub screen: Option<SocketAddr>,
    /// Whether names can be chosen from a list.
    pub list: bool,
    /// The evidence pictures.
    pub evidence: evidence::Settings,
    /// The numbers of a decision that depend on the site.
    pub checkin: checkin::Settings,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// The file is not TOML, or has an unknown or ill-typed field.
    #[error("could not understand the configuration {path}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A required field is missing.
    #[error("could not use the configuration: {field} is missing")]
    Missing {
        /// Which field.
        field: &'static str,
    },
    /// The terminal's name is none.
    #[error("could not use the configuration: terminal.id is no name")]
    Id(#[source] IdError),
    /// The receipt key is none.
    #[error("could not use the configuration: centre.receipt_key is no key")]
    ReceiptKey(#[source] KeyError),
    /// The policy profile is wrong.
    #[error("could not use the policy profile")]
    Policy(#[source] PolicyError),
    /// The site's plan is wrong.
    #[error("could not use the site's plan {path}")]
    Plan {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<plan::PlanError>,
    },
    /// The text of consent is wrong.
    #[error("could not use the text of consent {path}")]
    Consent {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<ConsentError>,
    },
    /// A value is out of its range.
    #[error("could not use the configuration: {section}: {why}")]
    Range {
        /// Which section.
        section: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl RawConfig {
    /// Parses a configuration; `path` only names it in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: source.into() })
    }

    /// Checks everything that can be checked without touching the machine.
    pub fn check(self) -> Result<Config, ConfigError> {
        let id = self.terminal.id.ok_or(ConfigError::Missing { field: "terminal.id" })?;
        let receipt_key = self.centre.receipt_key;
        let receipt_key =
            receipt_key.ok_or(ConfigError::Missing { field: "centre.receipt_key" })?;
        let receipt_key: VerifyingKey = receipt_key.parse().map_err(ConfigError::ReceiptKey)?;
        let range = |section| move |why: String| ConfigError::Range { section, why };
        if !(1..=POLICY_BYTES_MAX).contains(&self.terminal.policy.len()) {
            let why = format!("policy must have 1 to {POLICY_BYTES_MAX} bytes");
            return Err(range("[terminal]")(why));
        }
        if !is_endpoint(&self.centre.enrol_url) {
            return Err(range("[centre]")("enrol_url must begin with http:// or https://".into()));
        }
        if !(1..=64).contains(&self.face.threads) {
            return Err(range("[face]")("threads must be 1 to 64".into()));
        }
        if self.clock.tolerance_ms < 1_000 {
            return Err(range("[clock]")("tolerance_ms must be at least 1000".into()));
        }
        Ok(Config {
            terminal: id.parse().map_err(ConfigError::Id)?,
            key_file: self.terminal.key_file,
            policy: (self.terminal.policy, named(self.terminal.policy_file)),
            plan_file: self.site.plan_file,
            dispatch: DispatchFiles {
                reading_key_file: named(self.site.reading_key_file),
                dispatch_file: self.site.dispatch_file,
            },
            share_key_file: named(self.share.key_file),
            camera: self.camera.choice().map_err(range("[camera]"))?,
            frame_ms: self.camera.frame_ms,
            face: self.face,
            screen: self.kiosk.address().map_err(range("[kiosk]"))?,
            list: self.kiosk.list,
            evidence: self.evidence.checked().map_err(range("[evidence]"))?,
            checkin: self.checkin.checked().map_err(range("[checkin]"))?,
            bounds: self.journal.bounds().map_err(range("[journal]"))?,
            journal_dir: self.journal.dir,
            tls: self.uplink.tls_files().map_err(range("[uplink]"))?,
            enrol_url: self.centre.enrol_url,
            uplink: uplink::Config {
                tls: None,
                pace: self.uplink.pace().map_err(range("[uplink]"))?,
                broker_host: self.uplink.broker_host,
                broker_port: self.uplink.broker_port,
                receipt_key,
                clock_tolerance_ms: self.clock.tolerance_ms,
                firmware: env!("CARGO_PKG_VERSION").into(),
            },
        })
    }
}

fn named(path: PathBuf) -> Option<PathBuf> {
    (!path.as_os_str().is_empty()).then_some(path)
}

impl Config {
    /// The policy profile: from its file, or the one in the program.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let (name, file) = &self.policy;
        let policy = match file {
            None => Policy::shipped(name).ok_or_else(|| {
                let known = Policy::names().collect::<Vec<_>>().join(", ");
                let why = format!(
                    "policy is {name:?}; the program has {known}, others are named by policy_file"
                );
                ConfigError::Range { section: "[terminal]", why }
            })?,
            Some(path) => Policy::parse(&read_small(path)?, &path.display().to_string())
                .map_err(ConfigError::Policy)?,
        };
        if policy.profile().split('/').next() == Some(name) {
            Ok(policy)
        } else {
            let why =
                format!("policy is {name:?}, but the profile at hand is {}", policy.profile());
            Err(ConfigError::Range { section: "[terminal]", why })
        }
    }

    /// What somebody reads before she is enrolled: from its file, or the text in the program. `days` is
    /// how long a template is kept.
    pub fn consent(&self, days: u32) -> Result<ConsentText, ConfigError> {
        let path = &self.face.consent_file;
        if path.as_os_str().is_empty() {
            return Ok(ConsentText::shipped(days));
        }
        ConsentText::parse(&read_small(path)?, days)
            .map_err(|source| ConfigError::Consent { path: path.clone(), source: source.into() })
    }

    /// Where the institution key lies, or will lie: beside the key of the templates, unless the configuration says
    /// otherwise.
    pub fn share_key(&self) -> PathBuf {
        let beside = || self.face.gallery_key_file.with_file_name("share.key");
        self.share_key_file.clone().unwrap_or_else(beside)
    }

    /// Whether there must be a plan file: not where dispatches come, and none was put there.
    pub fn needs_plan_file(&self) -> bool {
        self.dispatch.reading_key_file.is_none() || self.plan_file.exists()
    }

    /// The site's lessons, rosters and people.
    pub fn site_plan(&self) -> Result<SitePlan, ConfigError> {
        let path = &self.plan_file;
        plan::parse(&read_small(path)?)
            .map_err(|source| ConfigError::Plan { path: path.clone(), source: source.into() })
    }

    /// Reads and checks the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        RawConfig::parse(&read_small(path)?, path)?.check()
    }
}

fn read_small(path: &Path) -> Result<String, ConfigError> {
    let failed = |io| ConfigError::Read { path: path.to_owned(), io };
    if fs::metadata(path).map_err(failed)?.len() > CONFIG_BYTES_MAX {
        let why = format!("larger than {CONFIG_BYTES_MAX} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    fs::read_to_string(path).map_err(failed)
}
