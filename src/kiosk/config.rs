//! Section `[kiosk]` of the terminal's configuration.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Where the screen's page is served, on loopback only; empty: no page, messages are printed.
    pub listen: String,
    /// Whether a trainee may choose her (masked) name from a list of the lesson's roster.
    pub list: bool,
}

impl Default for Section {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8088".into(), list: true }
    }
}

impl Section {
    /// The address, if a page is wanted; else what is wrong with it. The page shows a live picture
    /// of the room, so it is for this machine alone.
    pub fn address(&self) -> Result<Option<SocketAddr>, String> {
        if self.listen.is_empty() {
            return Ok(None);
        }
        let address: SocketAddr = self
            .listen
            .parse()
            .map_err(|_| format!("listen = {:?} is no address like 127.0.0.1:8088", self.listen))?;
        if address.ip().is_loopback() {
            Ok(Some(address))
        } else {
            Err(format!("listen = {address} is not on loopback: the page shows a live picture"))
        }
    }
}
