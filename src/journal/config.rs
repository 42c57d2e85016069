//! The journal's section of the terminal's configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Bounds;

/// `[journal]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Folder of the journal; made by `rollcall terminal init`.
    pub dir: PathBuf,
    /// Most records without a receipt; at the bound the terminal shows red.
    pub records_max: u64,
    /// Most bytes of records without a receipt.
    pub bytes_max: u64,
    /// Days that released records stay re-sendable.
    pub kept_days: u32,
    /// Most bytes of released records.
    pub kept_bytes_max: u64,
}

impl Default for Section {
    fn default() -> Self {
        let Bounds { records_max, bytes_max, kept_days, kept_bytes_max } = Bounds::default();
        let dir = PathBuf::from("/var/lib/rollcall/journal");
        Self { dir, records_max, bytes_max, kept_days, kept_bytes_max }
    }
}

impl Section {
    /// The bounds, or what is wrong with them.
    pub fn bounds(&self) -> Result<Bounds, String> {
        let Self { dir: _, records_max, bytes_max, kept_days, kept_bytes_max } = *self;
        if records_max == 0 || bytes_max == 0 {
            return Err("records_max and bytes_max must be at least 1".into());
        }
        Ok(Bounds { records_max, bytes_max, kept_days, kept_bytes_max })
    }
}
