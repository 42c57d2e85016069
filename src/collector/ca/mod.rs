//! The centre's certificate authority: who may speak to the broker, and under which name
//! (docs/decisions/0015). It signs three kinds of certificate: the broker's, the collector's and the
//! terminals'. Its key lies in a folder of its own, apart from the keys of ledger and receipts, and
//! is made by `rollcall collector init` or `rollcall collector ca init`, never silently.

mod rcgen;

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::domain::{TerminalId, Timestamp};
use crate::platform::chance::random_bytes;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::secret::{self, SecretError};
use crate::platform::tls::{pem_of, pkcs8_of};
use crate::record::{SigningKey, VerifyingKey};

const CA_KEY: &str = "ca.key";
const CA_PEM: &str = "ca.pem";

/// The collector's name at the broker. No terminal can have it: an underscore stands in no name.
pub const COLLECTOR_NAME: &str = "rollcall_collector";

/// How long a certificate lasts, in days. Longer than any terminal is away: it may lie in a cupboard
/// for a school year and the one after it, and still comes in to get another one. Short enough that a
/// board which nobody remembers is let out at last; a stolen one is revoked, not waited for.
pub const CERTIFICATE_DAYS: u16 = 3 * 366;

/// How long the CA lasts, in years: longer than any of its certificates for as long as the centre
/// keeps it. Replacing it means enrolling every terminal anew.
const CA_YEARS: i16 = 30;

/// Who a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A terminal, by its name.
    Terminal(TerminalId),
    /// The collector.
    Collector,
    /// The broker, under each of these host names and addresses.
    Broker(Vec<String>),
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
    der: Vec<u8>,
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
        let der = rcgen::authority(&secret, now, CA_YEARS, random_bytes());
        // A crash between these lines leaves a key without its certificate, which nothing accepts
        // and which has signed nothing: somebody looks, removes it and begins anew.
        secret::write_new(&key, &secret)?;
        durable::write(&pem, pem_of("CERTIFICATE", &der).as_bytes(), Access::Everyone)?;
        Ok(Self { key, der })
    }

    /// Opens what [`Ca::create`] made. Its key may be away.
    pub fn open(folder: &Path) -> Result<Self, CaError> {
        Ok(Self { key: folder.join(CA_KEY), der: certificate_in(folder)? })
    }

    /// Whether its key is here.
    pub fn ready(&self) -> Result<(), CaError> {
        Ok(secret::read(&self.key).map(drop)?)
    }

    /// Its certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
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

/// The authority's certificate, DER, where its key may lie elsewhere.
pub fn certificate_in(folder: &Path) -> Result<Vec<u8>, CaError> {
    let path = folder.join(CA_PEM);
    let failed = |why: String| CaError::Certificate { path: path.clone(), why };
    let mut found =
        crate::platform::tls::certificates(&path).map_err(|error| failed(error.to_string()))?;
    match (found.pop(), found.is_empty()) {
        (Some(der), true) => Ok(der.to_vec()),
        (Some(_) | None, _) => Err(failed("it must hold one certificate".into())),
    }
}

/// How a private key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// As all keys of Rollcall.
    Hex,
    /// PKCS #8 in PEM, for the broker.
    Pem,
}

/// Makes a key, has it certified, and writes `NAME.key`, `NAME.pem` and `ca.pem` into `out`, in
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
    let certificate = |der: &[u8]| pem_of("CERTIFICATE", der);
    let file = |ending| out.join(format!("{name}.{ending}"));
    durable::write(&file("key"), private.as_bytes(), Access::Owner)?;
    durable::write(&file("pem"), certificate(&issued.der).as_bytes(), Access::Everyone)?;
    durable::write(&out.join(CA_PEM), certificate(ca.der()).as_bytes(), Access::Everyone)?;
    Ok(issued.until)
}

#[cfg(test)]
mod tests;
