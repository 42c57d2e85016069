//! Which camera it is: what tells a swapped camera, or frames that something else feeds in its place,
//! from the one that was pinned at set-up. Whoever can make a device lie about its descriptors can lie
//! here too: it shows the swap that somebody makes with a screwdriver or a cable.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest part of an identity, in characters: USB allows 126 for a descriptor's text.
const PART_CHARS_MAX: usize = 126;

/// What a camera says of itself, and where it is plugged in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Vendor and product numbers and the product's name.
    pub model: String,
    /// Serial number; empty where it has none, as cheap cameras do.
    pub serial: String,
    /// The port that it is plugged into.
    pub bus: String,
}

impl Identity {
    /// From texts of the operating system: without control characters, and of bounded length.
    pub fn new(model: &str, serial: &str, bus: &str) -> Self {
        let clean = |text: &str| -> String {
            let printable = text.trim().chars().filter(|c| !c.is_control());
            printable.take(PART_CHARS_MAX).collect()
        };
        Self { model: clean(model), serial: clean(serial), bus: clean(bus) }
    }

    /// Whether this is the same camera. One with a serial number may move to another port; one without
    /// is known by its port alone.
    pub fn is(&self, pinned: &Self) -> bool {
        let known = !self.serial.is_empty() || self.bus == pinned.bus;
        self.model == pinned.model && self.serial == pinned.serial && known
    }

    /// SHA-256 over the three parts, one a line: what a record says of it.
    pub fn digest(&self) -> [u8; 32] {
        let Self { model, serial, bus } = self;
        Sha256::digest(format!("rollcall camera 1\n{model}\n{serial}\n{bus}\n")).into()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serial = if self.serial.is_empty() { "without serial" } else { &self.serial };
        write!(f, "{}, {serial}, at {}", self.model, self.bus)
    }
}
