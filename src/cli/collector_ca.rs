//! `rollcall collector ca …` and `rollcall collector certificate …`: the centre's certificate
//! authority.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::collector::{ConfigArg, Told, load};
use super::report::{Exit, Report, secret_failed};
use crate::collector::Config;
use crate::collector::ca::{Ca, CaError, KeyForm, Role, equip};
use crate::platform::clock::{Clock, SystemClock};

/// `rollcall collector ca …`
#[derive(Debug, Subcommand)]
pub(super) enum CaCommand {
    /// Makes the certificate authority, once, for a centre that has none.
    Init(ConfigArg),
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum For {
    /// The MQTT broker: key as PEM.
    Broker,
    /// This collector.
    Collector,
}

impl CaCommand {
    pub(super) fn run(&self) -> Told {
        let CaCommand::Init(config) = self;
        let config = load(config)?;
        make(&config)
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

/// Opens the authority that the configuration names.
pub(super) fn open(config: &Config) -> Told<Ca> {
    Ca::open(&config.enrolment.ca_dir(&config.data_dir)).map_err(|error| ca_failed(&error))
}

/// `rollcall collector certificate`
pub(super) fn certificate(config: &ConfigArg, whom: For, hosts: &[String], out: &Path) -> Told {
    let config = load(config)?;
    let (role, name, form) = match whom {
        For::Broker if hosts.is_empty() => {
            let because = "it has no name";
            let hint = "name each host name and address by which it is reached: --host NAME";
            let what = "could not certify the broker";
            return Err((Exit::Usage, Report::new(what, because, hint)));
        }
        For::Broker => (Role::Broker(hosts.to_vec()), "broker", KeyForm::Pem),
        For::Collector => (Role::Collector, "collector", KeyForm::Hex),
    };
    let ca = open(&config)?;
    let days = config.enrolment.certificate_days;
    let until = equip(&ca, &role, (out, name, form), SystemClock::start().now(), days)
        .map_err(|error| ca_failed(&error))?;
    let file = |ending: &str| -> PathBuf { out.join(format!("{name}.{ending}")) };
    say!("# Wrote {}, {} and ca.pem.", file("key").display(), file("pem").display());
    say!("# The certificate lasts until {until}, China standard time.");
    Ok(())
}

pub(super) fn ca_failed(error: &CaError) -> (Exit, Report) {
    let (exit, hint) = match error {
        CaError::Exists { .. } => {
            (Exit::Usage, "use it; a second one would turn away every terminal of the first")
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
