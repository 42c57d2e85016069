//! `[evidence]` of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::record::ReadingPublic;
use crate::record::picture::SEALED_PICTURE_BYTES_MAX;

/// `[evidence]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// The regulator's public key: `x25519:` and base64. Empty: no picture is kept, whatever the policy
    /// says.
    pub key: String,
    /// Folder of the encrypted pictures.
    pub dir: PathBuf,
    /// How many bytes of them are kept at most. At the bound no further one is.
    pub bytes_max: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            key: String::new(),
            dir: "/var/lib/rollcall/evidence".into(),
            bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who alone can read a picture; without, none is kept.
    pub reader: Option<ReadingPublic>,
    /// Where they lie.
    pub dir: PathBuf,
    /// How many bytes of them at most.
    pub bytes_max: u64,
}

impl Section {
    /// Checks it; else says what is wrong.
    pub fn checked(self) -> Result<Settings, String> {
        let Self { key, dir, bytes_max } = self;
        let least = u64::try_from(SEALED_PICTURE_BYTES_MAX).unwrap_or(u64::MAX);
        if bytes_max < least {
            return Err(format!("bytes_max must be at least {least}: one picture"));
        }
        let reader = match key.as_str() {
            "" => None,
            key => Some(key.parse().map_err(|_| "key must be x25519: and 32 bytes in base64")?),
        };
        Ok(Settings { reader, dir, bytes_max })
    }
}
