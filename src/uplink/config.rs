//! The uplink's section of the terminal's configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Pace;
use crate::platform::tls::{Files, is_loopback};

/// `[uplink]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Host name or address of the MQTT broker.
    pub broker_host: String,
    /// Port of the MQTT broker.
    pub broker_port: u16,
    /// Certificate of the centre's CA; empty: no TLS, which only loopback is good for.
    pub ca_file: PathBuf,
    /// This terminal's certificate.
    pub cert_file: PathBuf,
    /// The private key of the certificate.
    pub key_file: PathBuf,
    /// First wait before connecting again, in milliseconds; it doubles with each failure.
    pub retry_ms_min: u64,
    /// Longest wait before connecting again, in milliseconds.
    pub retry_ms_max: u64,
    /// First wait for a receipt before offering again, in milliseconds; it doubles.
    pub answer_ms_min: u64,
    /// Longest wait for a receipt before offering again, in milliseconds.
    pub answer_ms_max: u64,
    /// Messages that may be without a receipt at the same time.
    pub unanswered_batches_max: usize,
    /// How often the centre is asked for its time, in milliseconds.
    pub ask_ms: u64,
    /// Shortest time between two statements of the status, in milliseconds.
    pub status_ms_min: u64,
}

impl Default for Section {
    fn default() -> Self {
        let pace = Pace::default();
        Self {
            broker_host: "127.0.0.1".into(),
            broker_port: 1883,
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
            retry_ms_min: pace.retry_ms_min,
            retry_ms_max: pace.retry_ms_max,
            answer_ms_min: pace.answer_ms_min,
            answer_ms_max: pace.answer_ms_max,
            unanswered_batches_max: pace.unanswered_batches_max,
            ask_ms: pace.ask_ms,
            status_ms_min: pace.status_ms_min,
        }
    }
}

impl Section {
    /// The files for mutual TLS, or `None` for plain TCP, or what is wrong with them.
    pub fn tls_files(&self) -> Result<Option<Files>, String> {
        let files = Files::named(&self.ca_file, &self.cert_file, &self.key_file)?;
        if files.is_none() && !is_loopback(&self.broker_host) {
            return Err(format!(
                "a broker on another machine ({}) needs ca_file, cert_file and key_file; \
                 `rollcall terminal init --token` gets them",
                self.broker_host
            ));
        }
        Ok(files)
    }

    /// The pace, or what is wrong with it.
    pub fn pace(&self) -> Result<Pace, String> {
        if self.broker_host.is_empty() || self.broker_host.len() > 253 {
            return Err("broker_host must be a host name or an address".into());
        }
        if self.broker_port == 0 {
            return Err("broker_port must be at least 1".into());
        }
        for (name, least, most) in [
            ("retry", self.retry_ms_min, self.retry_ms_max),
            ("answer", self.answer_ms_min, self.answer_ms_max),
        ] {
            // A wait of nothing would turn an absent broker or centre into a busy loop.
            if least < 10 || least > most {
                return Err(format!("{name}_ms_min must be at least 10 and at most {name}_ms_max"));
            }
        }
        if !(1..=16).contains(&self.unanswered_batches_max) {
            return Err("unanswered_batches_max must be 1 to 16".into());
        }
        if self.ask_ms < 1_000 || self.status_ms_min < 100 {
            return Err("ask_ms must be at least 1000, status_ms_min at least 100".into());
        }
        Ok(Pace {
            retry_ms_min: self.retry_ms_min,
            retry_ms_max: self.retry_ms_max,
            answer_ms_min: self.answer_ms_min,
            answer_ms_max: self.answer_ms_max,
            unanswered_batches_max: self.unanswered_batches_max,
            ask_ms: self.ask_ms,
            status_ms_min: self.status_ms_min,
        })
    }
}
