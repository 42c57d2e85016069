//! `[enrolment]` of `collector.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::collector::ca::CERTIFICATE_DAYS;
use crate::record::is_endpoint;

/// `[enrolment]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Address and port where terminals ask to be enrolled; empty: requests come as files only.
    pub listen: String,
    /// The same as terminals reach it, `http://…` or `https://…`: stands in tokens.
    pub url: String,
    /// The broker's host name or address, as terminals reach it.
    pub broker_host: String,
    /// The broker's port, as terminals reach it.
    pub broker_port: u16,
    /// Folder of the certificate authority; empty: `ca` in the data folder.
    pub ca_dir: PathBuf,
    /// How long a terminal's certificate lasts, in days.
    pub certificate_days: u16,
    /// The broker's access list, written at every revocation; empty: `enrolment/acl` in the data
    /// folder.
    pub acl_file: PathBuf,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            listen: String::new(),
            url: String::new(),
            broker_host: String::new(),
            broker_port: 8883,
            ca_dir: PathBuf::new(),
            certificate_days: CERTIFICATE_DAYS,
            acl_file: PathBuf::new(),
        }
    }
}

impl Section {
    /// Which field is wrong, and what it must be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let listens = self.listen.is_empty() || self.listen.parse::<SocketAddr>().is_ok();
        if !listens {
            return Err(("enrolment.listen", "empty, or an address and port"));
        }
        if !is_endpoint(&self.url) {
            return Err(("enrolment.url", "empty, or an address that begins with http://"));
        }
        if self.broker_host.len() > 253 || self.broker_port == 0 {
            return Err(("enrolment.broker_host", "a host name or an address, with a port"));
        }
        // A certificate that ends within a school year would turn away whoever was away for it.
        if !(400..=3_660).contains(&self.certificate_days) {
            return Err(("enrolment.certificate_days", "between 400 and 3660"));
        }
        Ok(())
    }

    /// Where to listen, if at all.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }

    /// Folder of the certificate authority.
    pub fn ca_dir(&self, data_dir: &Path) -> PathBuf {
        named(&self.ca_dir, data_dir.join("ca"))
    }

    /// Folder of tokens and enrolments.
    pub fn notes_dir(data_dir: &Path) -> PathBuf {
        data_dir.join("enrolment")
    }

    /// The broker's access list.
    pub fn acl_file(&self, data_dir: &Path) -> PathBuf {
        named(&self.acl_file, Self::notes_dir(data_dir).join("acl"))
    }
}

fn named(path: &Path, otherwise: PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { otherwise } else { path.to_owned() }
}
