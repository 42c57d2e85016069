//! `collector.toml`. `firmware-config/collector.toml` shows every field with its default; a test
//! holds it against this file.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Broker, Setup, Store, dispatch, enrol, notify, platforms};
use crate::domain::{Policy, PolicyError};
use crate::ingest::Limits;
use crate::platform::postgres::{Address, AddressError};
use crate::platform::secret;
use crate::platform::tls::{Files, TlsError, is_loopback};
use crate::platform::tls_server::Server;
use crate::record::note::{KeyKind, Vkey, is_origin};

/// Largest configuration file that is read; the commented default has about 3 KiB.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// Most witnesses: a note takes no more lines, and a person looks after each.
const WITNESSES_MAX: usize = 63;

/// A configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("could not read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not the TOML that is expected.
    #[error("could not understand {path}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// A value is out of its range.
    #[error("{path}: {field} must be {must}")]
    Value {
        /// Which file.
        path: PathBuf,
        /// Which field.
        field: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// Everybody may read the database's password.
    #[error("could not trust the password in {path}: others may read the file")]
    OpenPassword {
        /// Which file.
        path: PathBuf,
    },
    /// The database's address is wrong.
    #[error("could not use [store]")]
    Store(#[from] AddressError),
    /// The policy profile is wrong.
    #[error("could not use the policy profile")]
    Profile(#[from] PolicyError),
    /// Other machines would reach plain HTTP.
    #[error(
        "could not listen for platforms at {address}: without TLS others would read their reports, which name people"
    )]
    Readable {
        /// Where.
        address: SocketAddr,
    },
    /// The certificates for the broker are wrong.
    #[error("could not use the certificates in [broker]")]
    Tls(#[from] TlsError),
    /// The certificate for platforms is wrong.
    #[error("could not use the certificate in [platforms]")]
    Platforms(#[source] TlsError),
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of keys and ledger, made by `rollcall collector init`.
    pub data_dir: PathBuf,
    /// Names this ledger in its checkpoints; never changed once in use.
    pub origin: String,
    /// Where ledger, cases and feed are kept.
    pub store: StoreSection,
    /// The MQTT broker.
    pub broker: BrokerSection,
    /// Bounds of what is kept of parked and refused records.
    pub ingest: Limits,
    /// The centre's signed ticks.
    pub ticks: Ticks,
    /// The live page.
    pub web: Web,
    /// The rules that judge.
    pub rules: Rules,
    /// The public log.
    pub log: LogSection,
    /// Enrolment of terminals.
    pub enrolment: enrol::Section,
    /// What terminals are sent to work by.
    pub dispatch: dispatch::Section,
    /// Where platforms report over HTTP.
    pub platforms: platforms::Section,
    /// Who is told of anomalies and cases.
    pub notify: notify::Section,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// A PostgreSQL database, without its password; empty: SQLite in the data folder.
    pub url: String,
    /// File with the password on its first line; empty for none.
    pub password_file: PathBuf,
    /// File with the certificates, in PEM, that must have signed the server's; empty: no encryption.
    pub ca_file: PathBuf,
}

/// `[broker]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerSection {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Names the collector's session at the broker.
    pub client_id: String,
    /// User name; empty for none.
    pub user: String,
    /// File with the password on its first line; empty for none.
    pub password_file: PathBuf,
    /// Certificate of the centre's CA; empty: no TLS, which only loopback is good for.
    pub ca_file: PathBuf,
    /// The collector's certificate.
    pub cert_file: PathBuf,
    /// The private key of the certificate.
    pub key_file: PathBuf,
}

/// `[ticks]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ticks {
    /// Time between two ticks, in milliseconds.
    pub every_ms: u64,
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Address and port of the live page.
    pub listen: SocketAddr,
}

/// `[rules]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Name of the policy profile whose numbers the rules use.
    pub policy: String,
    /// File with a profile of one's own; empty: the one of that name in the program.
    pub policy_file: PathBuf,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// Time between two checkpoints, in milliseconds.
    pub publish_every_ms: u64,
    /// Folder of the public files; empty: `public` in the data folder.
    pub folder: PathBuf,
    /// Origin of the ended log that this one follows; empty: none.
    pub follows: String,
    /// How many witnesses must have signed before a checkpoint is published.
    pub quorum: usize,
    /// The witnesses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<WitnessSection>,
}

/// `[[log.witness]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSection {
    /// Its key, `name+hash+base64`, as `rollcall witness init` prints it.
    pub key: String,
    /// Its submission prefix.
    pub url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/rollcall/collector".into(),
            origin: "rollcall-collector".into(),
            store: StoreSection::default(),
            broker: BrokerSection::default(),
            ingest: Limits::default(),
            ticks: Ticks::default(),
            web: Web::default(),
            rules: Rules::default(),
            log: LogSection::default(),
            enrolment: enrol::Section::default(),
            dispatch: dispatch::Section::default(),
            platforms: platforms::Section::default(),
            notify: notify::Section::default(),
        }
    }
}

impl Default for BrokerSection {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 1883,
            client_id: "rollcall-collector".into(),
            user: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
        }
    }
}

impl BrokerSection {
    fn tls_files(&self) -> Result<Option<Files>, &'static str> {
        Files::named(&self.ca_file, &self.cert_file, &self.key_file)
    }
}

impl Default for Ticks {
    fn default() -> Self {
        Self { every_ms: 60_000 }
    }
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            publish_every_ms: 10_000,
            folder: PathBuf::new(),
            follows: String::new(),
            quorum: 0,
            witness: Vec::new(),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { policy: "sichuan-2025".into(), policy_file: PathBuf::new() }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read_bounded(path)?;
        let config: Self = toml::from_str(&text)
            .map_err(|cause| ConfigError::Parse { path: path.to_owned(), cause: cause.into() })?;
        let must = |holds: bool, field, must| {
            if holds {
                Ok(())
            } else {
                Err(ConfigError::Value { path: path.to_owned(), field, must })
            }
        };
        let beside = |path: &Path| makes_sense(path, &config.store.url);
        let alone = "empty, unless store.url is given";
        must(beside(&config.store.password_file), "store.password_file", alone)?;
        must(beside(&config.store.ca_file), "store.ca_file", alone)?;
        let named = |text: &str, max| (1..=max).contains(&text.len());
        must(config.data_dir.is_absolute(), "data_dir", "an absolute path")?;
        must(
            is_origin(&config.origin),
            "origin",
            "a name of 1 to 200 bytes without spaces and plus signs",
        )?;
        must(named(&config.broker.host, 255), "broker.host", "a host name or an address")?;
        must(config.broker.port != 0, "broker.port", "a port from 1 to 65535")?;
        must(named(&config.broker.client_id, 64), "broker.client_id", "a name of 1 to 64 bytes")?;
        must(
            config.broker.user.is_empty() == config.broker.password_file.as_os_str().is_empty(),
            "broker.user",
            "given together with broker.password_file, or neither",
        )?;
        let files = config.broker.tls_files();
        let together = "given with the other two of ca_file, cert_file and key_file, or without";
        must(files.is_ok(), "broker.ca_file", together)?;
        must(
            files.is_ok_and(|files| files.is_some()) || is_loopback(&config.broker.host),
            "broker.ca_file",
            "given, with cert_file and key_file, for a broker on another machine",
        )?;
        config.enrolment.check().or_else(|(field, needed)| must(false, field, needed))?;
        config.dispatch.check().or_else(|(field, needed)| must(false, field, needed))?;
        config.platforms.check().or_else(|(field, needed)| must(false, field, needed))?;
        if let Some(address) = config.platforms.readable() {
            return Err(ConfigError::Readable { address });
        }
        config.notify.check().or_else(|(field, needed)| must(false, field, needed))?;
        must(config.ingest.parked_max >= 1, "ingest.parked_max", "at least 1")?;
        must(
            (1_000..=86_400_000).contains(&config.ticks.every_ms),
            "ticks.every_ms",
            "between a second and a day (1000 to 86400000)",
        )?;
        must(
            (100..=86_400_000).contains(&config.log.publish_every_ms),
            "log.publish_every_ms",
            "between a tenth of a second and a day (100 to 86400000)",
        )?;
        must(
            config.log.follows.is_empty()
                || is_origin(&config.log.follows) && config.log.follows != config.origin,
            "log.follows",
            "empty, or the origin of another log",
        )?;
        must(config.log.witness.len() <= WITNESSES_MAX, "log.witness", "at most 63 witnesses")?;
        for witness in &config.log.witness {
            let key: Option<Vkey> = witness.key.parse().ok();
            must(
                key.is_some_and(|key| key.kind() == KeyKind::Witness),
                "log.witness.key",
                "a key as `rollcall witness init` prints it",
            )?;
            let web = ["http://", "https://"].iter().any(|start| witness.url.starts_with(start));
            must(
                web && named(&witness.url, 1_000),
                "log.witness.url",
                "an address that begins with http:// or https://",
            )?;
        }
        must(
            config.log.quorum <= config.log.witness.len(),
            "log.quorum",
            "no larger than the number of witnesses",
        )?;
        let own_file = !config.rules.policy_file.as_os_str().is_empty();
        must(
            own_file || Policy::names().any(|name| name == config.rules.policy),
            "rules.policy",
            "a profile that `rollcall policy list` names, unless rules.policy_file names one of your own",
        )?;
        Ok(config)
    }

    /// Where ledger, cases and feed are kept. Reads the files beside the database's address.
    pub fn store(&self) -> Result<Store, ConfigError> {
        let StoreSection { url, password_file, ca_file } = &self.store;
        if url.is_empty() {
            return Ok(Store::files(&self.data_dir));
        }
        let given = |path: &Path| -> Result<Option<String>, ConfigError> {
            (!path.as_os_str().is_empty()).then(|| read_bounded(path)).transpose()
        };
        let password = given(password_file)?;
        if password.is_some() && secret::is_everybodys(password_file) {
            return Err(ConfigError::OpenPassword { path: password_file.clone() });
        }
        let password = password.as_ref().map(|text| text.lines().next().unwrap_or_default());
        let authority = given(ca_file)?;
        Ok(Store::Postgres(Address::parse(
            url,
            password,
            authority.as_ref().map(String::as_bytes),
        )?))
    }

    /// The policy profile: from its file, or the one in the program.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let path = &self.rules.policy_file;
        if path.as_os_str().is_empty() {
            let must = "a profile that `rollcall policy list` names";
            return Policy::shipped(&self.rules.policy).ok_or_else(|| ConfigError::Value {
                path: path.clone(),
                field: "rules.policy",
                must,
            });
        }
        let policy = Policy::parse(&read_bounded(path)?, &path.display().to_string())?;
        if policy.profile().split('/').next() == Some(&self.rules.policy) {
            Ok(policy)
        } else {
            let must = "the name that stands in rules.policy_file";
            Err(ConfigError::Value { path: path.clone(), field: "rules.policy", must })
        }
    }

    /// Certificate and key for platforms that report over HTTP, where they are given. Reads their files.
    pub fn platforms_tls(&self) -> Result<Option<Server>, ConfigError> {
        self.platforms.tls().map_err(ConfigError::Platforms)
    }

    /// What [`super::Collector::start`] needs. Reads the password's file.
    pub fn setup(&self) -> Result<Setup, ConfigError> {
        let BrokerSection { host, port, client_id, user, password_file, .. } = &self.broker;
        let files = self.broker.tls_files().ok().flatten();
        let tls = files.map(|files| files.read()).transpose()?;
        let login = if user.is_empty() {
            None
        } else {
            if secret::is_everybodys(password_file) {
                return Err(ConfigError::OpenPassword { path: password_file.clone() });
            }
            let text = read_bounded(password_file)?;
            Some((user.clone(), text.lines().next().unwrap_or_default().to_owned()))
        };
        Ok(Setup {
            broker: Broker {
                host: host.clone(),
                port: *port,
                client_id: client_id.clone(),
                login,
                tls,
            },
            origin: self.origin.clone(),
            limits: self.ingest,
            tick_ms: Some(self.ticks.every_ms),
        })
    }
}

/// Whether a file beside an address makes sense.
fn makes_sense(path: &Path, url: &str) -> bool {
    path.as_os_str().is_empty() || !url.is_empty()
}

/// A small text file, whole.
pub(crate) fn read_bounded(path: &Path) -> Result<String, ConfigError> {
    let read = || {
        if fs::metadata(path)?.len() > CONFIG_BYTES_MAX {
            return Err(std::io::Error::other("it is too large for a configuration"));
        }
        fs::read_to_string(path)
    };
    read().map_err(|cause| ConfigError::Read { path: path.to_owned(), cause })
}
