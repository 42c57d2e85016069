//! A connection to PostgreSQL: where the server is, how it is spoken to, and what a transaction
//! that failed may have left. What is stored there, the adapters of the stages know
//! (docs/decisions/0017).
//!
//! The client is synchronous. It runs a future of its own beneath, so nothing here may be called,
//! or dropped, on a thread that is running one already: use `tokio::task::spawn_blocking`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::types::ToSql;
use postgres::{Client, NoTls, Row, Statement};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::telemetry::Class;

/// What PostgreSQL said.
pub use postgres::Error;

/// The oldest version that has every setting that a session needs.
const VERSION_MIN: i32 = 140_000;

/// A server that does not answer within this time is away.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// A peer from which nothing is heard for so long is dead: this side gives up its call.
const SILENCE: Duration = Duration::from_secs(30);

/// What every session begins with. The server lets go of a dead peer within half a minute, and with
/// it of that peer's locks; no timeout of the server's configuration ends a session that only waits.
const BEGIN_SESSION: &str = "
    SET client_min_messages = warning;
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4;
    SET statement_timeout = 0; SET idle_session_timeout = 0;
    SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '10s'";

/// An address is none that is used here.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It cannot be understood.
    #[error("could not understand the address of the database")]
    Parse(#[source] Error),
    /// It can, but is not taken.
    #[error("could not use the address of the database: {0}")]
    Refused(&'static str),
    /// The certificates beside it cannot be used.
    #[error("could not use the certificates of the database's authority")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// There is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server, no such database, no such user, a wrong password.
    #[error("could not connect to {place}")]
    Away {
        /// Where.
        place: String,
        /// What was said.
        #[source]
        cause: Error,
    },
    /// It could not keep a promise of ours.
    #[error("could not rely on {place}: {why}")]
    Unfit {
        /// Where.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Where a database is, and how one gets in. Shown without its password.
#[derive(Clone)]
pub struct Address(Arc<Way>);

struct Way {
    config: postgres::Config,
    tls: Option<ClientConfig>,
    place: String,
}

impl Address {
    /// Reads `postgres://user@host:port/database`, or `postgres:///database?host=/run/postgresql&user=…`
    /// for a socket of this machine. `authority` holds certificates in PEM that must have signed the
    /// server's: given, the connection is encrypted; needed, where the server is another machine.
    pub fn parse(
        url: &str,
        password: Option<&str>,
        authority: Option<&[u8]>,
    ) -> Result<Self, AddressError> {
        let refused = |why| Err(AddressError::Refused(why));
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return refused("it does not begin with postgres://");
        }
        let mut config: postgres::Config = url.parse().map_err(AddressError::Parse)?;
        if config.get_password().is_some() {
            return refused("it holds a password; a file beside it must");
        }
        let Some(database) = config.get_dbname().map(str::to_owned) else {
            return refused("it names no database");
        };
        let Some(user) = config.get_user().map(str::to_owned) else {
            return refused("it names no user");
        };
        let [host] = config.get_hosts() else { return refused("it must name one host") };
        let (host, far) = match host {
            Host::Tcp(name) => {
                let ip = name.parse::<std::net::IpAddr>();
                let near = name == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
                (name.clone(), !near)
            }
            Host::Unix(path) => (path.display().to_string(), false),
        };
        if far && authority.is_none() {
            return refused("the server is another machine, and no ca_file says how to know it");
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let place = format!("postgres://{user}@{host}:{port}/{database}");
        let tls = authority.map(trusting).transpose().map_err(AddressError::Authority)?;
        if let Some(password) = password {
            config.password(password);
        }
        config
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable })
            .application_name("rollcall")
            .connect_timeout(CONNECT_WAIT)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(Duration::from_secs(10));
        Ok(Self(Arc::new(Way { config, tls, place })))
    }

    fn connect(&self) -> Result<Client, Error> {
        let Way { config, tls, .. } = &*self.0;
        let mut client = match tls {
            None => config.connect(NoTls)?,
            Some(tls) => {
                let tls = tokio_postgres_rustls::MakeRustlsConnect::new(tls.clone());
                config.connect(tls)?
            }
        };
        client.batch_execute(BEGIN_SESSION)?;
        Ok(client)
    }
}

/// TLS as everywhere in the program, but with this authority alone.
fn trusting(pem: &[u8]) -> Result<ClientConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.place)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.0.place)
    }
}

/// What becomes of a session whose connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It ends: what it held (a lock, a belief about what is stored) ended with the connection.
    Ends,
    /// It connects again at the next call: it held nothing.
    ConnectsAgain,
}

/// A transaction failed.
#[derive(Debug)]
pub enum Failed<E> {
    /// Nothing of it is stored.
    Undone(E),
    /// Its last word, COMMIT, was not answered: all of it is stored, or nothing.
    Unknown(Error),
}

impl<E: From<Error>> Failed<E> {
    /// For whoever stores again what is stored already without harm.
    pub fn either(self) -> E {
        match self {
            Failed::Undone(error) => error,
            Failed::Unknown(error) => error.into(),
        }
    }
}

/// One connection with its prepared statements.
pub struct Session {
    address: Address,
    broken: Broken,
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.address)
    }
}

impl Session {
    /// Connects.
    pub fn open(address: &Address, broken: Broken) -> Result<Self, ConnectError> {
        let place = address.to_string();
        let away = |cause| ConnectError::Away { place: place.clone(), cause };
        let mut client = address.connect().map_err(away)?;
        let row = client.query_one("SELECT current_setting('server_version_num')::int4", &[]);
        let version: i32 = row.and_then(|row| row.try_get(0)).map_err(away)?;
        if version < VERSION_MIN {
            let why = format!("its version is {}, and 14 is needed", version / 10_000);
            return Err(ConnectError::Unfit { place, why });
        }
        Ok(Self { address: address.clone(), broken, client, statements: HashMap::new() })
    }

    /// Refuses a server that would call something durable that a power cut takes back, or that takes
    /// no writes. What holds now holds for this session: a later change of the server's
    /// configuration cannot turn `synchronous_commit` off beneath it.
    pub fn require_durable(&mut self) -> Result<(), ConnectError> {
        let place = self.address.to_string();
        let away = |cause| ConnectError::Away { place: place.clone(), cause };
        let rows = self
            .query(
                "SELECT current_setting('fsync'), current_setting('full_page_writes'),
                        current_setting('synchronous_commit'), pg_is_in_recovery()",
                &[],
            )
            .map_err(away)?;
        let row = rows.first().expect("a SELECT without FROM has one row");
        let said = |column| row.try_get::<_, String>(column).map_err(away);
        let settings = [("fsync", said(0)?), ("full_page_writes", said(1)?)];
        let (commit, standby) = (said(2)?, row.try_get::<_, bool>(3).map_err(away)?);
        let off = settings.iter().find(|(_, value)| value != "on").map(|(name, _)| *name);
        let off = off.or((commit == "off").then_some("synchronous_commit"));
        let why = match (off, standby) {
            (Some(name), _) => {
                format!("{name} is off there, so that a power cut takes back what was committed")
            }
            (None, true) => "it is a standby, which takes no writes".into(),
            (None, false) => {
                let keep = format!("SET synchronous_commit = '{commit}'");
                return self.client.batch_execute(&keep).map_err(away);
            }
        };
        Err(ConnectError::Unfit { place, why })
    }

    /// Where it is connected to.
    pub fn place(&self) -> String {
        self.address.to_string()
    }

    fn client(&mut self) -> Result<&mut Client, Error> {
        if self.client.is_closed() && self.broken == Broken::ConnectsAgain {
            self.statements.clear();
            self.client = self.address.connect()?;
        }
        Ok(&mut self.client)
    }

    /// Runs statements without parameters and without an answer.
    pub fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.client()?.batch_execute(sql)
    }

    /// Runs one statement and reads its rows. It is prepared at its first use.
    pub fn query(
        &mut self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(sql)?;
        self.client.query(&statement, params)
    }

    /// Runs one statement and counts the rows that it touched.
    pub fn execute(
        &mut self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let statement = self.statement(sql)?;
        self.client.execute(&statement, params)
    }

    /// Whether the database has a schema of this name.
    pub fn has_schema(&mut self, name: &str) -> Result<bool, Error> {
        let rows = self.query("SELECT to_regnamespace($1) IS NOT NULL", &[&name])?;
        rows.first().map_or(Ok(false), |row| row.try_get(0))
    }

    fn statement(&mut self, sql: &'static str) -> Result<Statement, Error> {
        self.client()?;
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// Runs `work` in one transaction, which `begin` begins.
    pub fn transaction<T, E: From<Error>>(
        &mut self,
        begin: &str,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, Failed<E>> {
        self.run(begin).map_err(|error| Failed::Undone(error.into()))?;
        // From here on a connection that breaks must not be made anew half-way.
        let broken = std::mem::replace(&mut self.broken, Broken::Ends);
        let done = work(self);
        self.broken = broken;
        match done {
            Ok(value) => {
                // Whatever goes wrong here, the server may have taken the word and lost only the
                // answer.
                self.client.batch_execute("COMMIT").map_err(Failed::Unknown)?;
                Ok(value)
            }
            Err(error) => {
                // Where this fails the connection is broken, and the server undoes it by itself.
                self.client.batch_execute("ROLLBACK").ok();
                Err(Failed::Undone(error))
            }
        }
    }
}

/// What a caller shall do about an error: a server that is away, full or busy comes back.
pub fn class_of(error: &Error) -> Class {
    match error.code().map(|code| code.code().get(..2).unwrap_or_default()) {
        // Connection, insufficient resources, operator intervention, lock not available.
        None | Some("08" | "53" | "57" | "55" | "40") => Class::Transient,
        Some(_) => Class::Permanent,
    }
}

/// Whether the statement waited in vain for a lock (55P03).
pub fn is_lock_timeout(error: &Error) -> bool {
    error.code() == Some(&postgres::error::SqlState::LOCK_NOT_AVAILABLE)
}

/// Whether a key that must be unique was there already (23505).
pub fn is_unique_violation(error: &Error) -> bool {
    error.code() == Some(&postgres::error::SqlState::UNIQUE_VIOLATION)
}

/// Whether a table or schema that was asked for is not there (42P01, 3F000).
pub fn is_missing(error: &Error) -> bool {
    use postgres::error::SqlState;
    [Some(&SqlState::UNDEFINED_TABLE), Some(&SqlState::INVALID_SCHEMA_NAME)].contains(&error.code())
}
