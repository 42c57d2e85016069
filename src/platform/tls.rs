//! Mutual TLS towards the broker: rustls with ring, TLS 1.3, the centre's own CA and no other
//! (docs/decisions/0015). All keys are Ed25519, as everywhere in Rollcall; a private key lies in a
//! file of its own as every other ([`super::secret`]), a certificate as PEM.
//!
//! **Dates.** The broker's certificate is always held against the CA and the name. Its dates are held
//! against a time that is proven; a terminal whose battery died has none, and must meet the broker to
//! get one. So without a proven time a date that does not fit is told, not refused: what the pinned
//! CA and the name leave open is a broker's old key, and the broker is trusted with nothing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use data_encoding::BASE64;

use super::secret::{self, SecretError};
use crate::domain::Timestamp;

/// Largest file of certificates that is read: a chain of ten.
const PEM_BYTES_MAX: u64 = 32 * 1024;

/// Files of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of certificates cannot be read.
    #[error("could not read the certificates in {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: std::io::Error,
    },
    /// A file holds no certificate.
    #[error("could not use the certificates in {path}: {why}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The private key cannot be read.
    #[error("could not use the key for TLS")]
    Key(#[from] SecretError),
    /// A file holds no private key.
    #[error("could not use the key in {path}: {why}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Everybody may read a private key.
    #[error("could not trust the key in {path}: every user of this machine may read the file")]
    OpenKey {
        /// Which file.
        path: PathBuf,
    },
    /// The key is not the certificate's.
    #[error("could not use the certificate in {path}: it is not for the key in {key}")]
    Foreign {
        /// The certificate's file.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// Says what time it is as far as that is proven.
pub trait ProvenTime: fmt::Debug + Send + Sync {
    /// The time, or nothing when there is only the machine's own word for it.
    fn proven(&self) -> Option<Timestamp>;
    /// The machine's own word for it.
    fn wall(&self) -> Timestamp;
}

/// Who one is at the broker, and whom one believes to be the broker.
#[derive(Clone)]
pub struct Identity {
    pub(super) roots: Arc<RootCertStore>,
    pub(super) own: Arc<CertifiedKey>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// Whether a host is this machine: only there a connection may go without TLS.
pub fn is_loopback(host: &str) -> bool {
    let address: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Files that make an [`Identity`], as configurations name them: all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The CA's certificate.
    pub ca: PathBuf,
    /// One's own certificate.
    pub cert: PathBuf,
    /// One's own private key.
    pub key: PathBuf,
}

impl Files {
    /// From three fields of a configuration, empty ones meaning none.
    pub fn named(ca: &Path, cert: &Path, key: &Path) -> Result<Option<Self>, &'static str> {
        match [ca, cert, key].map(|path| path.as_os_str().is_empty()) {
            [true, true, true] => Ok(None),
            [false, false, false] => {
                Ok(Some(Self { ca: ca.into(), cert: cert.into(), key: key.into() }))
            }
            _ => Err("ca_file, cert_file and key_file must be given together, or none of them"),
        }
    }

    /// Reads them.
    pub fn read(&self) -> Result<Identity, TlsError> {
        let mut roots = RootCertStore::empty();
        for ca in certificates(&self.ca)? {
            roots.add(ca).map_err(|error| wrong(&self.ca, &error))?;
        }
        let der = PrivatePkcs8KeyDer::from(pkcs8_of(&secret::read(&self.key)?));
        let own = certified(&self.cert, &self.key, der.into())?;
        Ok(Identity { roots: Arc::new(roots), own: Arc::new(own) })
    }
}

/// A chain of certificates, and the private key that was read from `key`, if the first is for it.
pub(super) fn certified(
    cert: &Path,
    key: &Path,
    der: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    let own = CertifiedKey::from_der(certificates(cert)?, der, &ring::default_provider());
    own.map_err(|error| {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            TlsError::Foreign { path: cert.to_owned(), key: key.to_owned() }
        } else {
            wrong(cert, &error)
        }
    })
}

fn wrong(path: &Path, error: &rustls::Error) -> TlsError {
    TlsError::Certificate { path: path.to_owned(), why: error.to_string() }
}

/// The certificates in a PEM file, at least one.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = || {
        if std::fs::metadata(path)?.len() > PEM_BYTES_MAX {
            return Err(std::io::Error::other(format!("larger than {PEM_BYTES_MAX} bytes")));
        }
        std::fs::read(path)
    };
    let bytes = read().map_err(|io| TlsError::Read { path: path.to_owned(), io })?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let why = |why: String| TlsError::Certificate { path: path.to_owned(), why };
    let found = found.map_err(|error| why(error.to_string()))?;
    if found.is_empty() {
        return Err(why("there is none in it".into()));
    }
    Ok(found)
}

/// An Ed25519 private key as PKCS #8 (RFC 8410, section 7).
pub fn pkcs8_of(secret: &[u8; 32]) -> Vec<u8> {
    const BEFORE: [u8; 16] = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    [&BEFORE[..], secret].concat()
}

/// DER as PEM (RFC 7468), under a label like `CERTIFICATE`.
pub fn pem_of(label: &str, der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        text.push('\n');
    }
    text + "-----END " + label + "-----\n"
}

/// How a connection is made secure: opaque to everybody but the MQTT client.
#[derive(Clone)]
pub struct Client {
    config: Arc<ClientConfig>,
    undated: Arc<AtomicBool>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// For the MQTT client's transport.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Whether the dates of the certificate that the broker showed last do not fit this machine's
    /// clock, and were let pass because no time is proven.
    pub fn undated(&self) -> bool {
        self.undated.load(Ordering::Relaxed)
    }
}

impl Identity {
    /// A client that holds dates against the proven time, or without `time` against the clock of
    /// this machine.
    pub fn client(&self, time: Option<Arc<dyn ProvenTime>>) -> Client {
        let provider = Arc::new(ring::default_provider());
        let chain = WebPkiServerVerifier::builder_with_provider(
            Arc::clone(&self.roots),
            Arc::clone(&provider),
        );
        let chain = chain.build().expect("there is a root, and no revocation list to be wrong");
        let undated = Arc::new(AtomicBool::new(false));
        let pinned =
            Pinned { chain, time, undated: Arc::clone(&undated), provider: Arc::clone(&provider) };
        let clock: Arc<dyn TimeProvider> = match &pinned.time {
            Some(time) => Arc::new(Wall(Arc::clone(time))),
            None => Arc::new(DefaultTimeProvider),
        };
        let mut config = ClientConfig::builder_with_details(provider, clock)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring has the suites of TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&self.own))));
        // A resumed session would pass over the dates; a connection lasts for hours anyway.
        config.resumption = Resumption::disabled();
        Client { config: Arc::new(config), undated }
    }
}

/// The machine's own clock, for rustls.
#[derive(Debug)]
struct Wall(Arc<dyn ProvenTime>);

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.wall()))
    }
}

/// Times before 1970 become 1970: a dead battery may show either.
pub(super) fn unix(at: Timestamp) -> UnixTime {
    let ms = u64::try_from(at.as_ms()).unwrap_or_default();
    UnixTime::since_unix_epoch(Duration::from_millis(ms))
}

/// Chain and name always; dates as said above.
#[derive(Debug)]
struct Pinned {
    chain: Arc<WebPkiServerVerifier>,
    time: Option<Arc<dyn ProvenTime>>,
    undated: Arc<AtomicBool>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let at = |time| {
            self.chain.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                time,
            )
        };
        self.undated.store(false, Ordering::Relaxed);
        let Some(time) = &self.time else { return at(now) };
        if let Some(proven) = time.proven() {
            return at(unix(proven));
        }
        // The chain is walked again as of a moment at which the certificate was valid: everything
        // else is checked as strictly as ever.
        let then = match at(now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after,
                ..
            })) => not_after,
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
                not_before,
                ..
            })) => not_before,
            checked => return checked,
        };
        let checked = at(then)?;
        self.undated.store(true, Ordering::Relaxed);
        tracing::warn!(
            "The broker's certificate is right, but its dates do not fit this terminal's clock; \
             connected all the same, until the centre's signed time is there."
        );
        Ok(checked)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
