//! By which key the centre's answers are opened: the one that the configuration pins, and whatever has
//! followed it since. The file holds the handovers alone, and each is checked again at every start, so
//! that nobody gains anything by writing into it.

use std::io;
use std::path::{Path, PathBuf};

use crate::platform::lines;
use crate::record::{CentreKeys, VerifyingKey};

/// See the file's head.
#[derive(Debug, Clone)]
pub struct Trust {
    pub(super) path: PathBuf,
    pub(super) keys: CentreKeys,
}

/// The handovers that a terminal has taken cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read which receipt keys followed the one in the configuration, in {path}")]
pub struct TrustError {
    /// Which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub io: io::Error,
}

impl Trust {
    /// Follows the handovers in the journal's folder.
    pub fn read(journal_dir: &Path, pinned: VerifyingKey) -> Result<Self, TrustError> {
        let path = journal_dir.join("receipt-keys");
        let mut keys = CentreKeys::from(pinned);
        let handovers = lines::read(&path).map_err(|io| TrustError { path: path.clone(), io })?;
        for handover in handovers {
            if let Err(error) = keys.follow(&handover) {
                // The configuration pins a later key, or the line is spoilt: the centre tells it again.
                tracing::debug!(%error, path = %path.display(), "passed over a handover");
            }
        }
        Ok(Self { path, keys })
    }

    /// All keys that were followed, the newest last.
    pub fn all(&self) -> &[VerifyingKey] {
        self.keys.all()
    }

    /// The key that opens the centre's answers.
    pub fn key(&self) -> VerifyingKey {
        self.keys.newest()
    }
}
