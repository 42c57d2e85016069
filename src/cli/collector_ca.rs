//! `rollcall collector ca …` and `rollcall collector certificate …`: the centre's certificate
//! authority.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::collector::{ConfigArg, Told, home_failed, load};
use super::collector_terminal::{keep_acl, read_roll};
use super::report::{Exit, Report, secret_failed};
use crate::collector::ca::{Ca, CaError, KeyForm, Role, equip};
use crate::collector::{Config, Home};
use crate::domain::PlatformId;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::lock::Lock;

/// `rollcall collector ca …`
#[derive(Debug, Subcommand)]
pub(super) enum CaCommand {
    /// Makes the certificate authority, once, for a centre that has none.
    Init(ConfigArg),
    /// Lets another authority follow, while no collector runs; the one before stays trusted until it is
    /// retired. What to do then stands in docs/runbook/keys.md.
    Renew(ConfigArg),
    /// Trusts the authority in force alone, while no collector runs.
    Retire(ConfigArg),
    /// Prints the certificates that are trusted, for the broker's `cafile`.
    Trusted(ConfigArg),
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum For {
    /// The MQTT broker: key as PEM.
    Broker,
    /// This collector.
    Collector,
    /// A program that reads alerts: key as PEM.
    Alerts,
    /// The address where online platforms report: key as PEM.
    Platforms,
    /// An online platform that reports over the broker: key as PEM.
    Platform,
}

impl CaCommand {
    pub(super) fn run(&self) -> Told {
        match self {
            Self::Init(config) => make(&load(config)?),
            Self::Renew(config) => renew(&load(config)?),
            Self::Retire(config) => retire(&load(config)?),
            Self::Trusted(config) => {
                print!("{}", open(&load(config)?)?.trusted_pem());
                Ok(())
            }
        }
    }
}

/// Makes the authority that the configuration names.
pub(super) fn make(config: &Config) -> Told {
    let folder = config.enrolment.ca_dir(&config.data_dir);
    Ca::create(&folder, SystemClock::start().now()).map_err(|error| ca_failed(&error))?;
    // The broker does not start without its list: it is there from the beginning.
    super::collector_terminal::list_for_broker(config)?;
    say!("# Made a certificate authority in {}.", folder.display());
    Ok(())
}

/// A collector that ran meanwhile would go on with what it has read.
fn alone(config: &Config) -> Told<Lock> {
    Home::hold(&config.data_dir).map_err(home_failed)
}

fn renew(config: &Config) -> Told {
    let _lock = alone(config)?;
    let folder = config.enrolment.ca_dir(&config.data_dir);
    let renewed = Ca::renew(&folder, SystemClock::start().now());
    let (ca, before) = renewed.map_err(|error| ca_failed(&error))?;
    say!("# Certificates are signed by authority {} from now on.", ca.name());
    match before {
        Some(path) => {
            say!("# The key before lies in {}: nothing needs it any more.", path.display())
        }
        None => say!("# The key before was not here: nothing needs it any more."),
    }
    say!("# Tokens that nobody has used are worthless now: `terminal add --again` makes new ones.");
    say!("# Both authorities are trusted. Next, so that nobody is cut off (docs/runbook/keys.md):");
    say!(
        "#   1. rollcall collector ca trusted --config … > the cafile of the broker and of [broker]"
    );
    say!("#      ca_file; restart the broker, start the collector");
    say!("#   2. on each terminal: rollcall terminal renew; `terminal list` shows who has done it");
    say!("#   3. rollcall collector certificate --for broker, and --for collector; restart both");
    say!("#   4. rollcall collector ca retire, and 1. once more");
    Ok(())
}

fn retire(config: &Config) -> Told {
    let _lock = alone(config)?;
    let folder = config.enrolment.ca_dir(&config.data_dir);
    let ca = Ca::retire(&folder).map_err(|error| ca_failed(&error))?;
    say!("# Authority {} alone is trusted from now on.", ca.name());
    say!(
        "# Next: rollcall collector ca trusted --config … > the cafile of the broker and of [broker]"
    );
    say!("# ca_file; restart the broker, start the collector");
    Ok(())
}

/// Opens the authority that the configuration names.
pub(super) fn open(config: &Config) -> Told<Ca> {
    Ca::open(&config.enrolment.ca_dir(&config.data_dir)).map_err(|error| ca_failed(&error))
}

/// `rollcall collector certificate`
pub(super) fn certificate(
    config: &ConfigArg,
    (whom, platform): (For, Option<&PlatformId>),
    hosts: &[String],
    out: &Path,
) -> Told {
    let config = load(config)?;
    let (role, name, form) = match whom {
        For::Broker | For::Platforms if hosts.is_empty() => {
            let because = "it has no name";
            let hint = "name each host name and address by which it is reached: --host NAME";
            let what = match whom {
                For::Platforms => "could not certify the address for platforms",
                For::Broker | For::Collector | For::Alerts | For::Platform => {
                    "could not certify the broker"
                }
            };
            return Err((Exit::Usage, Report::new(what, because, hint)));
        }
        For::Broker => (Role::Broker(hosts.to_vec()), "broker", KeyForm::Pem),
        For::Collector => (Role::Collector, "collector", KeyForm::Hex),
        For::Alerts => (Role::Alerts, "alerts", KeyForm::Pem),
        For::Platforms => (Role::Platforms(hosts.to_vec()), "platforms", KeyForm::Pem),
        For::Platform => (Role::Platform(registered(&config, platform)?), "platform", KeyForm::Pem),
    };
    let ca = open(&config)?;
    let days = config.enrolment.certificate_days;
    let until = equip(&ca, &role, (out, name, form), SystemClock::start().now(), days)
        .map_err(|error| ca_failed(&error))?;
    let file = |ending: &str| -> PathBuf { out.join(format!("{name}.{ending}")) };
    say!("# Wrote {}, {} and ca.pem.", file("key").display(), file("pem").display());
    say!("# The certificate lasts until {until}, China standard time.");
    if whom == For::Platform {
        let list = keep_acl(&config, &read_roll(&config)?)?;
        say!("# Wrote {}. Make the broker read it: systemctl reload mosquitto", list.display());
    }
    Ok(())
}

/// Only who is registered has topics at the broker.
fn registered(config: &Config, platform: Option<&PlatformId>) -> Told<PlatformId> {
    let what = "could not certify the platform";
    let Some(id) = platform else {
        let (because, hint) = ("it is not said which", "name it: --platform ID");
        return Err((Exit::Usage, Report::new(what, because, hint)));
    };
    if !read_roll(config)?.platforms().contains(id) {
        let because = format!("no platform {id} is registered");
        let hint = "`rollcall collector platform list` shows all; `platform add` registers one";
        return Err((Exit::Usage, Report::new(what, because, hint)));
    }
    Ok(id.clone())
}

pub(super) fn ca_failed(error: &CaError) -> (Exit, Report) {
    let (exit, hint) = match error {
        CaError::Exists { .. } => {
            (Exit::Usage, "use it; a second one would turn away every terminal of the first")
        }
        CaError::Overlap { .. } => {
            (Exit::Usage, "retire it when every terminal has its new certificate: `ca retire`")
        }
        CaError::Alone { .. } => (Exit::Usage, "nothing was changed"),
        CaError::Unfinished { .. } => {
            (Exit::Environment, "`rollcall collector ca renew` goes on where it was cut off")
        }
        CaError::Certificate { .. } => {
            (Exit::Environment, "`rollcall collector ca init` makes it, once; is its disk mounted?")
        }
        CaError::Key(crate::platform::secret::SecretError::Missing { .. }) => (
            Exit::Environment,
            "put it back where it was; is its disk mounted? (docs/runbook/keys.md)",
        ),
        CaError::Key(error) => return secret_failed(error),
        CaError::Folder { .. } | CaError::Write(_) => {
            (Exit::Environment, "look at the folder's rights and free space")
        }
        CaError::Name { .. } => (Exit::Usage, "write names in ASCII, and addresses as numbers"),
    };
    (exit, Report::of(error, hint))
}
