//! Policy profiles as the ledger names them: which is in force, which is tried out, and which text each name
//! and version stands for.

use std::collections::BTreeMap;

use crate::domain::{Trial, TrialStep};

/// See the head of this file.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    in_force: Option<(String, [u8; 32])>,
    candidate: Option<Trial>,
    texts: BTreeMap<String, [u8; 32]>,
}

impl Policies {
    pub(super) fn put_in_force(&mut self, profile: &str, digest: &[u8; 32]) {
        self.texts.insert(profile.to_owned(), *digest);
        self.in_force = Some((profile.to_owned(), *digest));
    }

    pub(super) fn state(&mut self, candidate: &Trial) {
        self.texts.insert(candidate.profile.clone(), candidate.digest);
        match candidate.step {
            TrialStep::Named => self.candidate = Some(candidate.clone()),
            TrialStep::Withdrawn | TrialStep::Promoted => {
                let other = |known: &Trial| known.digest != candidate.digest;
                self.candidate = self.candidate.take().filter(other);
            }
        }
    }

    pub(super) fn in_force(&self) -> Option<(&str, &[u8; 32])> {
        self.in_force.as_ref().map(|(profile, digest)| (profile.as_str(), digest))
    }

    /// The profile that is tried out beside the one in force.
    pub fn candidate(&self) -> Option<&Trial> {
        self.candidate.as_ref()
    }

    /// SHA-256 of the text that a name and version (`sichuan-2025/1`) stands for.
    pub fn text_of(&self, profile: &str) -> Option<&[u8; 32]> {
        self.texts.get(profile)
    }
}
