//! Sets a terminal up by a one-time token (docs/spec/enrolment-v1.md): makes its keys, asks the
//! centre, and writes all that it needs to run.
//!
//! ```text
//! marker ─► keys ─► request ══► centre ══► answer ─► certificates ─► journal ─► terminal.toml ─► marker away
//! ```
//!
//! Each step finds what the one before it left, so that a crash or a lost answer is mended by doing it
//! again, with the same keys. Without the marker nothing that is there is touched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Config;
use crate::domain::TerminalId;
use crate::journal::{self, Bounds, Journal, NoteError};
use crate::platform::chance;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::secret::{self, SecretError};
use crate::platform::telemetry::Class;
use crate::platform::tls::{Files, TlsError, pem_of};
use crate::record::enrolment::{
    Answer, AnswerError, Expected, Welcome, Welcomed, seal_enrolment, seal_wish,
};
use crate::record::{CentreMark, ReadingKey, ReadingPublic, SigningKey, Token, VerifyingKey};
use crate::uplink::TrustError;

/// The file of the key that dispatches are read with.
const READING_KEY: &str = "reading.key";

/// The file of the newest dispatch.
const DISPATCH: &str = "dispatch.sealed";

/// Where a terminal's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The configuration that is written.
    pub config: PathBuf,
    /// Keys, certificates, journal.
    pub data_dir: PathBuf,
}

/// A terminal could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Something is there that this set-up did not make.
    #[error("could not set up the terminal: {path} is there already")]
    Exists {
        /// What.
        path: PathBuf,
    },
    /// Another set-up was begun and not finished.
    #[error("could not set up the terminal: another set-up was begun here, of {found}")]
    Other {
        /// Which.
        found: String,
    },
    /// The folder cannot be used.
    #[error("could not use {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// A key cannot be made or read.
    #[error("could not use a key")]
    Key(#[from] SecretError),
    /// A file cannot be written.
    #[error("could not write a file")]
    Write(#[from] WriteError),
    /// The answer is not to be believed.
    #[error("could not believe the centre's answer")]
    Answer(#[from] AnswerError),
    /// The certificates in it do not fit.
    #[error("could not use the certificates that the centre sent")]
    Tls(#[from] TlsError),
    /// The journal cannot be made.
    #[error("could not make the journal")]
    Init(#[from] journal::InitError),
    /// The journal that is there does not fit.
    #[error("could not open the journal")]
    Open(#[from] journal::OpenError),
    /// The centre's receipt keys cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The centre's time cannot be kept.
    #[error("could not keep the centre's time")]
    Note(#[from] NoteError),
}

impl EnrolError {
    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            EnrolError::Folder { .. } | EnrolError::Write(_) | EnrolError::Trust(_) => {
                Class::Transient
            }
            EnrolError::Exists { .. }
            | EnrolError::Other { .. }
            | EnrolError::Key(_)
            | EnrolError::Answer(_)
            | EnrolError::Tls(_) => Class::Permanent,
            EnrolError::Init(error) => error.class(),
            EnrolError::Open(error) => error.class(),
            EnrolError::Note(error) => error.class(),
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            EnrolError::Exists { .. } => {
                "the terminal is set up; a second key would be a second history"
            }
            EnrolError::Other { .. } => {
                "finish that one with its token, or set this one up in another --data-dir"
            }
            EnrolError::Answer(AnswerError::Centre { .. }) => {
                "somebody else answers at that address: ask the centre what its address is, and use \
                 a new token"
            }
            EnrolError::Answer(_) | EnrolError::Tls(_) => {
                "try again; if it stays so, use the same version of Rollcall at both ends"
            }
            EnrolError::Folder { .. }
            | EnrolError::Write(_)
            | EnrolError::Trust(_)
            | EnrolError::Key(_) => {
                "look at the folder's rights and free space, and run the same command again"
            }
            EnrolError::Init(error) => error.hint(),
            EnrolError::Open(error) => error.hint(),
            EnrolError::Note(_) => "look at the disk, and run the same command again",
        }
    }
}

/// A set-up that waits for the centre's answer.
#[derive(Debug)]
pub struct Begun {
    place: Place,
    terminal: TerminalId,
    centre: CentreMark,
    url: String,
    record: SigningKey,
    /// What to send to the centre.
    pub request: Vec<u8>,
}

impl Place {
    fn file(&self, name: &str) -> PathBuf {
        self.data_dir.join(name)
    }

    fn marker(&self) -> PathBuf {
        self.file("enrolling")
    }

    fn tls(&self) -> Files {
        Files { ca: self.file("ca.pem"), cert: self.file("tls.pem"), key: self.file("tls.key") }
    }
}

/// Makes the keys, or finds those of a set-up that was cut off, and the request.
pub fn begin(place: Place, token: &Token) -> Result<Begun, EnrolError> {
    let folder = |path: &Path| {
        let failed = |io| EnrolError::Folder { path: path.to_owned(), io };
        fs::create_dir_all(path).map_err(failed)
    };
    folder(&place.data_dir)?;
    if let Some(parent) = place.config.parent().filter(|path| !path.as_os_str().is_empty()) {
        folder(parent)?;
    }
    let wanted = format!("{} at the centre {}\n", token.terminal, token.centre);
    let marker = place.marker();
    let failed = |io| EnrolError::Folder { path: marker.clone(), io };
    match fs::read_to_string(&marker) {
        Ok(found) if found == wanted => {}
        Ok(found) => return Err(EnrolError::Other { found: found.trim().to_owned() }),
        Err(io) if io.kind() == io::ErrorKind::NotFound => {
            let Files { ca, cert, key } = place.tls();
            let others = ["terminal.key", "gallery.key", READING_KEY, "journal"]
                .map(|name| place.file(name));
            let mut unwanted = others.into_iter().chain([ca, cert, key, place.config.clone()]);
            if let Some(path) = unwanted.find(|path| path.exists()) {
                return Err(EnrolError::Exists { path });
            }
            // From here on what lies in the folder is this set-up's own.
            durable::write(&marker, wanted.as_bytes(), Access::Owner)?;
        }
        Err(io) => return Err(failed(io)),
    }
    let record = key(&place.file("terminal.key"))?;
    let tls = key(&place.tls().key)?;
    key(&place.file("gallery.key"))?;
    let reading = Some(reading_key(&place.file(READING_KEY))?.public());
    let request =
        seal_enrolment(&token.terminal, token.centre, &token.key(), &record, &tls, reading);
    let (terminal, centre) = (token.terminal.clone(), token.centre);
    Ok(Begun { place, terminal, centre, url: token.url.clone(), record, request })
}

/// The key in a file, which is made where there is none.
fn key(path: &Path) -> Result<SigningKey, SecretError> {
    Ok(SigningKey::from_secret(&secret_in(path)?))
}

/// The same for the key that dispatches are read with.
fn reading_key(path: &Path) -> Result<ReadingKey, SecretError> {
    Ok(ReadingKey::from_secret(&secret_in(path)?))
}

fn secret_in(path: &Path) -> Result<[u8; 32], SecretError> {
    match secret::read(path) {
        Err(SecretError::Missing { .. }) => {
            let secret = chance::random_bytes();
            secret::write_new(path, &secret)?;
            Ok(secret)
        }
        read => read,
    }
}

impl Begun {
    /// Takes the centre's answer and writes everything; the terminal can run then.
    pub fn finish(self, answer: &[u8]) -> Result<Welcome, EnrolError> {
        let Self { place, terminal, centre, url, record, request } = self;
        let welcomed = Answer::open(answer, &request, &terminal, Expected::Mark(centre))?;
        let tls = place.tls();
        write_certificates(&tls.ca, &welcomed.authorities)?;
        write_certificate(&tls.cert, &welcomed.certificate)?;
        tls.read()?;
        let (journal, id) = (place.file("journal"), record.verifying_key().id());
        match Journal::init(&journal, &terminal, id) {
            // A set-up that was cut off made it; the next line looks whether it is ours.
            Ok(()) | Err(journal::InitError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let journal = Journal::open(&journal, &terminal, id, Bounds::default())?;
        // A clock that is dead from the beginning is known to be.
        journal.note_signed_time_durably(welcomed.welcome.at)?;
        drop(journal);
        let text = config_text(&place, &welcomed, &url);
        durable::write(&place.config, text.as_bytes(), Access::Everyone)?;
        let marker = place.marker();
        let failed = |io| EnrolError::Folder { path: marker.clone(), io };
        // A crash before this line leaves a terminal that runs, and a set-up that can be repeated.
        fs::remove_file(&marker).and_then(|()| durable::sync_folder_of(&marker)).map_err(failed)?;
        Ok(welcomed.welcome)
    }
}

fn write_certificate(path: &Path, der: &[u8]) -> Result<(), WriteError> {
    durable::write(path, pem_of("CERTIFICATE", der).as_bytes(), Access::Everyone)
}

fn write_certificates(path: &Path, all: &[Vec<u8>]) -> Result<(), WriteError> {
    let text: String = all.iter().map(|der| pem_of("CERTIFICATE", der)).collect();
    durable::write(path, text.as_bytes(), Access::Everyone)
}

fn config_text(place: &Place, welcomed: &Welcomed, url: &str) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let path = |path: PathBuf| quoted(&path.display().to_string());
    let file = |name| path(place.file(name));
    let Files { ca, cert, key } = place.tls();
    let Welcome { terminal, broker_host, broker_port, site, .. } = &welcomed.welcome;
    format!(
        "# Written by `rollcall terminal init` for site {site}. Every other field is at its default;\n\
         # firmware-config/terminal.toml shows them all.\n\n\
         [terminal]\nid = {id}\nkey_file = {record}\n\n\
         [centre]\nreceipt_key = {receipt}\nenrol_url = {url}\n\n\
         [journal]\ndir = {journal}\n\n\
         [uplink]\nbroker_host = {host}\nbroker_port = {broker_port}\n\
         ca_file = {ca}\ncert_file = {cert}\nkey_file = {key}\n\n\
         [site]\nplan_file = {plan}\nreading_key_file = {reading}\n\
         dispatch_file = {dispatch}\n\n\
         [face]\ngallery_file = {gallery}\ngallery_key_file = {gallery_key}\n",
        id = quoted(terminal.as_str()),
        record = file("terminal.key"),
        receipt = quoted(&welcomed.receipt_key.to_string()),
        url = quoted(url),
        journal = file("journal"),
        host = quoted(broker_host),
        ca = path(ca),
        cert = path(cert),
        key = path(key),
        plan = file("plan.toml"),
        reading = file(READING_KEY),
        dispatch = file(DISPATCH),
        gallery = file("gallery.sealed"),
        gallery_key = file("gallery.key"),
    )
}

/// Lets a terminal that was set up by an earlier build read dispatches from its next start on: its
/// configuration names a reading key and the file of the newest dispatch, beside the journal. One that
/// names a key already keeps it. Gives the key.
pub fn read_dispatches(config: &Config, path: &Path) -> Result<ReadingKey, EnrolError> {
    if let Some(file) = &config.dispatch.reading_key_file {
        return Ok(reading_key(file)?);
    }
    let beside = |name: &str| config.journal_dir.with_file_name(name);
    let (key_file, dispatch) = (beside(READING_KEY), beside(DISPATCH));
    let key = reading_key(&key_file)?;
    // A crash before this line leaves a key that the next renewal takes.
    name_files(path, "site", &[("reading_key_file", &key_file), ("dispatch_file", &dispatch)])?;
    Ok(key)
}

/// Lets the configuration name the institution key ([`Config::share_key`]), unless it does already.
pub fn name_share_key(config: &Config, path: &Path) -> Result<(), EnrolError> {
    match config.share_key_file {
        Some(_) => Ok(()),
        None => name_files(path, "share", &[("key_file", &config.share_key())]),
    }
}

/// A wish for another certificate that waits for the centre's answer.
#[derive(Debug)]
pub struct Renewal {
    terminal: TerminalId,
    receipt_key: VerifyingKey,
    files: Files,
    /// The configuration that names the files, and the next key, where the key changes too.
    next: Option<(PathBuf, SigningKey)>,
    /// What to send to the centre.
    pub request: Vec<u8>,
}

/// Asks for a new certificate: for the TLS key that the terminal has, or with `config`, the file that
/// names it, for another one. `reading`: what shall be encrypted to for this terminal.
pub fn renew(
    terminal: &TerminalId,
    files: Files,
    receipt_key: &VerifyingKey,
    record: &SigningKey,
    reading: Option<ReadingPublic>,
    config: Option<PathBuf>,
) -> Result<Renewal, EnrolError> {
    let ca = crate::platform::tls::certificates(&files.ca)?;
    let centre = CentreMark::of(receipt_key, ca.first().expect("a file of certificates has one"));
    let own = SigningKey::from_secret(&secret::read(&files.key)?);
    let next = match config {
        Some(config) => Some((config, key(&next_key(&files))?)),
        None => None,
    };
    let tls = next.as_ref().map_or(&own, |(_, next)| next);
    let request = seal_wish(terminal, centre, record, tls, reading);
    Ok(Renewal { terminal: terminal.clone(), receipt_key: *receipt_key, files, next, request })
}

/// Where the next TLS key waits until it has its certificate.
fn next_key(files: &Files) -> PathBuf {
    let mut name = files.key.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

impl Renewal {
    /// Puts the new certificate in the place of the old one, and the authorities that the centre names
    /// in the place of those before.
    pub fn finish(self, answer: &[u8]) -> Result<Welcome, EnrolError> {
        let Self { terminal, receipt_key, files, next, request } = self;
        let expected = Expected::ReceiptKey(&receipt_key);
        let welcomed = Answer::open(answer, &request, &terminal, expected)?;
        let trusted = crate::platform::tls::certificates(&files.ca)?;
        if !trusted.iter().map(|der| der.as_ref()).eq(&welcomed.authorities) {
            // First: a crash leaves more authorities that are trusted, and the certificate as it was.
            write_certificates(&files.ca, &welcomed.authorities)?;
        }
        let Some((config, next)) = next else {
            // A crash leaves the old certificate or the new one, and both are for the same key.
            write_certificate(&files.cert, &welcomed.certificate)?;
            files.read()?;
            return Ok(welcomed.welcome);
        };
        // The pair gets names of its own, and the configuration is the switch: at any moment it names
        // a key and the certificate for it.
        let id = next.verifying_key().id();
        let pair = Files {
            ca: files.ca.clone(),
            cert: files.cert.with_file_name(format!("tls-{id}.pem")),
            key: files.key.with_file_name(format!("tls-{id}.key")),
        };
        write_certificate(&pair.cert, &welcomed.certificate)?;
        key_as(&pair.key, &next)?;
        pair.read()?;
        name_pair(&config, &pair)?;
        // A crash before this line leaves a key that the next change would take for its own: the centre
        // certifies it once more, and nothing is lost.
        let waiting = next_key(&files);
        let failed = |io| EnrolError::Folder { path: waiting.clone(), io };
        fs::remove_file(&waiting)
            .and_then(|()| durable::sync_folder_of(&waiting))
            .map_err(failed)?;
        Ok(welcomed.welcome)
    }
}

/// Writes a key under another name, unless it is there.
fn key_as(path: &Path, key: &SigningKey) -> Result<(), SecretError> {
    match secret::write_new(path, &key.secret()) {
        Ok(()) | Err(SecretError::Exists { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lets the configuration name another key and certificate; all else of it stays as it is.
fn name_pair(config: &Path, pair: &Files) -> Result<(), EnrolError> {
    name_files(config, "uplink", &[("cert_file", &pair.cert), ("key_file", &pair.key)])
}

/// Lets one section of the configuration name other files.
fn name_files(config: &Path, section: &str, files: &[(&str, &Path)]) -> Result<(), EnrolError> {
    let failed = |io| EnrolError::Folder { path: config.to_owned(), io };
    let text = fs::read_to_string(config).map_err(failed)?;
    let mut document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| failed(io::Error::other(error)))?;
    for (field, path) in files {
        // A section that was left out becomes one of its own, and no table in a line.
        let table = document.entry(section).or_insert(toml_edit::table());
        table[*field] = toml_edit::value(path.display().to_string());
    }
    Ok(durable::write(config, document.to_string().as_bytes(), Access::Everyone)?)
}
