//! `[platforms]` of `collector.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::platform::tls::TlsError;
use crate::platform::tls_server::Server;

/// `[platforms]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Address and port where platforms report over HTTPS; empty: they report over the broker only.
    pub listen: String,
    /// The certificate that is shown there, with those between it and its authority; empty: plain HTTP, which
    /// only this machine is good for.
    pub cert_file: PathBuf,
    /// The private key of the certificate, as PEM.
    pub key_file: PathBuf,
}

impl Section {
    /// Which field is wrong, and what it must be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let given = |path: &Path| !path.as_os_str().is_empty();
        if given(&self.cert_file) != given(&self.key_file) {
            let must = "given together with platforms.key_file, or neither";
            return Err(("platforms.cert_file", must));
        }
        if self.listen.is_empty() {
            let must = "empty, unless platforms.listen is given";
            return if given(&self.cert_file) {
                Err(("platforms.cert_file", must))
            } else {
                Ok(())
            };
        }
        if self.address().is_none() {
            let must = "empty, or an address and port, like \"0.0.0.0:8443\"";
            return Err(("platforms.listen", must));
        }
        Ok(())
    }

    /// The address at which reports would travel readable from other machines, if it is such a one.
    pub fn readable(&self) -> Option<SocketAddr> {
        let plain = self.cert_file.as_os_str().is_empty();
        self.address().filter(|address| plain && !address.ip().is_loopback())
    }

    /// Where to listen, if at all.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }

    /// Certificate and key, where they are given. Reads their files.
    pub fn tls(&self) -> Result<Option<Server>, TlsError> {
        if self.cert_file.as_os_str().is_empty() {
            return Ok(None);
        }
        Server::read(&self.cert_file, &self.key_file).map(Some)
    }
}
