//! The centre's certificate authority: who may speak to the broker, and under which name
//! (docs/decisions/0015). It signs certificates of the broker, the collector, the terminals, of whoever
//! reads alerts, and of the address where platforms report. Its key lies in a folder of its own, apart
//! from the keys of ledger and receipts, and is made by `rollcall collector init` or `rollcall collector
//! ca init`, never silently.

mod exchange;
mod rcgen;

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::domain::{PlatformId, TerminalId, Timestamp};
use crate::platform::chance::random_bytes;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::secret::{self, SecretError};
use crate::platform::tls::{pem_of, pkcs8_of};
use crate::record::enrolment::digest_of;
use crate::record::{SigningKey, VerifyingKey};

const CA_KEY: &str = "ca.key";
const CA_PEM: &str = "ca.pem";
const NEXT_KEY: &str = "ca.key.next";
const NEXT_PEM: &str = "ca.pem.next";
/// Whose certificates are believed; where it is not there, the authority's in force.
const TRUSTED: &str = "trusted.pem";

/// The collector's name at the broker. No terminal can have it: an underscore stands in no name.
pub const COLLECTOR_NAME: &str = "rollcall_collector";

/// Who reads alerts at the broker.
pub const ALERTS_NAME: &str = "rollcall_alerts";

/// A platform's name at the broker: no terminal's, whatever the two are called.
pub fn platform_name(id: &PlatformId) -> String {
    format!("platform_{id}")
}

/// How long a certificate lasts, in days. Longer than any terminal is away: it may lie in a cupboard
/// for a school year and the one after it, and still comes in to get another one. Short enough that a
/// board which nobody remembers is let out at last; a stolen one is revoked, not waited for.
pub const CERTIFICATE_DAYS: u16 = 3 * 366;

/// How long the CA lasts, in years: longer than any of its certificates for as long as the centre
/// keeps it.
const CA_YEARS: i16 = 30;

/// Who a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A terminal, by its name.
    Terminal(TerminalId),
    /// The collector.
    Collector,
    /// Whoever reads alerts, and nothing else.
    Alerts,
    /// An online platform that reports over the broker.
    Platform(PlatformId),
    /// The broker, under each of these host names and addresses.
    Broker(Vec<String>),
    /// Where platforms report, the same.
    Platforms(Vec<String>),
}

/// The authority could not be made, opened or used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// There is one already.
    #[error("could not make a certificate authority: there is one in {folder} already")]
    Exists {
        /// Where.
        folder: PathBuf,
    },
    /// It was exchanged, and the one before is still trusted.
    #[error("could not exchange the authority in {folder}: the one before it is still trusted")]
    Overlap {
        /// Where.
        folder: PathBuf,
    },
    /// There is none that could be retired.
    #[error("could not retire an authority in {folder}: only the one in force is trusted")]
    Alone {
        /// Where.
        folder: PathBuf,
    },
    /// Its exchange was cut off.
    #[error("could not use the authority in {folder}: its exchange was begun and not finished")]
    Unfinished {
        /// Where.
        folder: PathBuf,
    },
    /// Its folder cannot be made.
    #[error("could not use the folder {folder}")]
    Folder {
        /// Where.
        folder: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// Its key cannot be used.
    #[error("could not use the key of the certificate authority")]
    Key(#[from] SecretError),
    /// Its certificate cannot be read.
    #[error("could not use the certificate {path}: {why}")]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file cannot be written.
    #[error("could not keep a certificate")]
    Write(#[from] WriteError),
    /// A name is none.
    #[error("could not make a certificate for {name:?}: that is no host name and no address")]
    Name {
        /// Which.
        name: String,
    },
}

/// The authority. Its key is read for each certificate and kept nowhere: it may be put away while nobody
/// comes in.
#[derive(Debug)]
pub struct Ca {
    key: PathBuf,
    /// The one in force first.
    trusted: Vec<Vec<u8>>,
    /// Those before it.
    before: Vec<Vec<u8>>,
}

/// A certificate that was just signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// When it ends.
    pub until: Timestamp,
}

impl Ca {
    /// Makes one in `folder`.
    pub fn create(folder: &Path, now: Timestamp) -> Result<Self, CaError> {
        let failed = |io| CaError::Folder { folder: folder.to_owned(), io };
        let (key, pem) = (folder.join(CA_KEY), folder.join(CA_PEM));
        if key.exists() || pem.exists() {
            return Err(CaError::Exists { folder: folder.to_owned() });
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
        let secret = random_bytes();
        let der = authority(&secret, now);
        // A crash between these lines leaves a key without its certificate, which nothing accepts
        // and which has signed nothing: somebody looks, removes it and begins anew.
        secret::write_new(&key, &secret)?;
        durable::write(&pem, pem_of("CERTIFICATE", &der).as_bytes(), Access::Everyone)?;
        Ok(Self { key, trusted: vec![der], before: Vec::new() })
    }

    /// Opens what [`Ca::create`] made. Its key may be away.
    pub fn open(folder: &Path) -> Result<Self, CaError> {
        if folder.join(NEXT_KEY).exists() {
            return Err(CaError::Unfinished { folder: folder.to_owned() });
        }
        let (trusted, before) = (exchange::trusted(folder)?, exchange::known(folder)?);
        Ok(Self { key: folder.join(CA_KEY), trusted, before })
    }

    /// Lets another authority follow, while no collector runs, and opens it; the one before stays
    /// trusted until it is retired. Gives too where the key before lies now.
    pub fn renew(folder: &Path, now: Timestamp) -> Result<(Self, Option<PathBuf>), CaError> {
        let before = exchange::renew(folder, now)?;
        Ok((Self::open(folder)?, before))
    }

    /// Trusts the authority in force alone from now on.
    pub fn retire(folder: &Path) -> Result<Self, CaError> {
        exchange::retire(folder)?;
        Self::open(folder)
    }

    /// Whether its key is here.
    pub fn ready(&self) -> Result<(), CaError> {
        Ok(secret::read(&self.key).map(drop)?)
    }

    /// Its certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.trusted[0]
    }

    /// The certificates that are trusted, DER, its own first.
    pub fn trusted(&self) -> &[Vec<u8>] {
        &self.trusted
    }

    /// The same as PEM, for the broker and whoever else holds certificates against them.
    pub fn trusted_pem(&self) -> String {
        pem_of_all(&self.trusted)
    }

    /// Its own certificate and all before it, DER: by any of them a terminal may know the centre.
    pub fn known(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.der()).chain(self.before.iter().map(Vec::as_slice))
    }

    /// Tells it from those before and after: the first eight bytes of its certificate's SHA-256, in
    /// hexadecimal.
    pub fn name(&self) -> String {
        HEXLOWER.encode(&digest_of(self.der())[..8])
    }

    /// Signs a certificate that lasts for `days`.
    pub fn issue(
        &self,
        role: &Role,
        key: &VerifyingKey,
        now: Timestamp,
        days: u16,
    ) -> Result<Issued, CaError> {
        let until = now.plus_ms(i64::from(days) * 86_400_000);
        let secret = secret::read(&self.key)?;
        let der = rcgen::certificate(&secret, role, key, (now, until), random_bytes())?;
        Ok(Issued { der, until })
    }
}

/// A new authority's certificate, DER.
fn authority(secret: &[u8; 32], now: Timestamp) -> Vec<u8> {
    rcgen::authority(secret, now, CA_YEARS, random_bytes())
}

/// The authority's certificate, DER, where its key may lie elsewhere.
pub fn certificate_in(folder: &Path) -> Result<Vec<u8>, CaError> {
    one_certificate(&folder.join(CA_PEM))
}

fn one_certificate(path: &Path) -> Result<Vec<u8>, CaError> {
    let mut found = certificates_in(path)?;
    match (found.pop(), found.is_empty()) {
        (Some(der), true) => Ok(der),
        (Some(_) | None, _) => {
            let why = "it must hold one certificate".to_owned();
            Err(CaError::Certificate { path: path.to_owned(), why })
        }
    }
}

fn certificates_in(path: &Path) -> Result<Vec<Vec<u8>>, CaError> {
    let found = crate::platform::tls::certificates(path)
        .map_err(|error| CaError::Certificate { path: path.to_owned(), why: error.to_string() })?;
    Ok(found.iter().map(|der| der.to_vec()).collect())
}

fn pem_of_all(all: &[Vec<u8>]) -> String {
    all.iter().map(|der| pem_of("CERTIFICATE", der)).collect()
}

/// How a private key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// As all keys of Rollcall.
    Hex,
    /// PKCS #8 in PEM, as other programs read it.
    Pem,
}

/// Makes a key, has it certified, and writes `NAME.key`, `NAME.pem` and, with all
/// authorities that are trusted, `ca.pem` into `out`, in
/// place of older ones: a key for TLS is nothing unique, and a crash in the middle is mended by
/// doing it again. Gives when the certificate ends.
pub fn equip(
    ca: &Ca,
    role: &Role,
    (out, name, form): (&Path, &str, KeyForm),
    now: Timestamp,
    days: u16,
) -> Result<Timestamp, CaError> {
    let failed = |io| CaError::Folder { folder: out.to_owned(), io };
    std::fs::create_dir_all(out).map_err(failed)?;
    let key = SigningKey::from_secret(&random_bytes());
    let issued = ca.issue(role, &key.verifying_key(), now, days)?;
    let private = match form {
        KeyForm::Hex => HEXLOWER.encode(&key.secret()) + "\n",
        KeyForm::Pem => pem_of("PRIVATE KEY", &pkcs8_of(&key.secret())),
    };
    let file = |ending| out.join(format!("{name}.{ending}"));
    durable::write(&file("key"), private.as_bytes(), Access::Owner)?;
    durable::write(&file("pem"), pem_of("CERTIFICATE", &issued.der).as_bytes(), Access::Everyone)?;
    durable::write(&out.join(CA_PEM), ca.trusted_pem().as_bytes(), Access::Everyone)?;
    Ok(issued.until)
}

#[cfg(test)]
mod tests;
