//! `[notify]` of `collector.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::Severity;
use crate::platform::tls::is_loopback;

/// Most webhooks: each has a thread of its own.
const WEBHOOKS_MAX: usize = 16;

/// `[notify]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Whether anomalies and cases are told at the broker.
    pub mqtt: bool,
    /// Addresses that are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<WebhookSection>,
}

/// `[[notify.webhook]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSection {
    /// Names it, also in the folder where it is kept what it was told.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// File with the secret that both sides have.
    pub secret_file: PathBuf,
    /// What is less severe is not told.
    #[serde(default = "warning")]
    pub severity_min: Severity,
}

fn warning() -> Severity {
    Severity::Warning
}

impl Default for Section {
    fn default() -> Self {
        Self { mqtt: true, webhook: Vec::new() }
    }
}

impl Section {
    /// Which field is wrong, and what it must be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.webhook.len() > WEBHOOKS_MAX {
            return Err(("notify.webhook", "at most 16 webhooks"));
        }
        for (place, webhook) in self.webhook.iter().enumerate() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let named = (1..=40).contains(&webhook.name.len()) && webhook.name.chars().all(plain);
            let twice = self.webhook.iter().take(place).any(|other| other.name == webhook.name);
            if !named || twice || webhook.name == "mqtt" {
                return Err((
                    "notify.webhook.name",
                    "1 to 40 of a-z, 0-9 and '-', another for each, and not mqtt",
                ));
            }
            let (scheme, rest) = webhook.url.split_once("://").unwrap_or_default();
            let authority = rest.split('/').next().unwrap_or_default();
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            let safe = scheme == "https" || scheme == "http" && is_loopback(host);
            if !safe || host.is_empty() || webhook.url.len() > 1_000 || rest.contains('@') {
                return Err((
                    "notify.webhook.url",
                    "an address that begins with https://, or http:// on this machine",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, url: &str) -> WebhookSection {
        let (name, url) = (name.to_owned(), url.to_owned());
        WebhookSection { name, url, secret_file: PathBuf::new(), severity_min: warning() }
    }

    #[test]
    fn only_an_encrypted_line_or_this_machine_is_told_anything() {
        let check = |webhook| Section { mqtt: true, webhook }.check().map_err(|(field, _)| field);
        for url in ["https://desk.example/hook", "http://127.0.0.1:9000/x", "http://localhost/"] {
            assert_eq!(check(vec![told("desk", url)]), Ok(()), "{url}");
        }
        for url in [
            "http://desk.example/",
            "https://",
            "ftp://x/",
            "desk.example",
            "https://a:b@c.example/",
        ] {
            assert_eq!(check(vec![told("desk", url)]), Err("notify.webhook.url"), "{url}");
        }
        let fine = "https://desk.example/";
        for name in ["", "Desk", "a/b", "mqtt"] {
            assert_eq!(check(vec![told(name, fine)]), Err("notify.webhook.name"), "{name}");
        }
        let twice = vec![told("desk", fine), told("desk", fine)];
        assert_eq!(check(twice), Err("notify.webhook.name"));
    }
}
