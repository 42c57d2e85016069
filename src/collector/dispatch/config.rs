//! `[dispatch]` of `collector.toml`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `[dispatch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// How long terminals that are cut off believe what they were sent, in days. They go on working by
    /// it afterwards, and say that it has expired.
    pub valid_days: u16,
}

impl Default for Section {
    fn default() -> Self {
        Self { valid_days: 14 }
    }
}

impl Section {
    /// Which field is wrong, and what it must be.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        // A terminal that is offline over a weekend must not cry wolf; and what names people is not for
        // ever.
        if !(3..=90).contains(&self.valid_days) {
            return Err(("dispatch.valid_days", "between 3 and 90"));
        }
        Ok(())
    }

    /// Folder of the newest dispatches.
    pub fn folder(data_dir: &Path) -> PathBuf {
        data_dir.join("dispatch")
    }
}
