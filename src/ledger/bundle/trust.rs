//! The keys that an auditor trusts, in a text file that reached him by another way than the
//! bundle: one `log ed25519:…` or `receipt ed25519:…` a line, `#` begins a comment.

use crate::record::{KeyError, VerifyingKey};

/// Most keys of one kind: a ledger that changes its key each month for ten years.
const KEYS_MAX: usize = 128;

/// A text names no trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// A line is none of ours.
    #[error("line {line} of the trusted keys is neither `log ed25519:…` nor `receipt ed25519:…`")]
    Line {
        /// Which line, from 1.
        line: usize,
    },
    /// A key is no key.
    #[error("could not read the key on line {line} of the trusted keys")]
    Key {
        /// Which line, from 1.
        line: usize,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// Without a log key nothing can be trusted.
    #[error("no line of the trusted keys begins with `log`")]
    NoLogKey,
    /// More keys than anybody has.
    #[error("more than {KEYS_MAX} trusted keys")]
    TooMany,
}

/// The centre's keys, as an auditor knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    /// Seal facts, refusals and checkpoints.
    pub log: Vec<VerifyingKey>,
    /// Seal receipts. Bundles hold none; terminals and auditors share one file.
    pub receipt: Vec<VerifyingKey>,
}

impl Trust {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        for (line, words) in (1..).zip(text.lines()) {
            let words = words.split_once('#').map_or(words, |(before, _)| before).trim();
            if words.is_empty() {
                continue;
            }
            let (role, key) =
                words.split_once(char::is_whitespace).ok_or(TrustError::Line { line })?;
            let keys = match role {
                "log" => &mut trust.log,
                "receipt" => &mut trust.receipt,
                _ => return Err(TrustError::Line { line }),
            };
            keys.push(key.parse().map_err(|cause| TrustError::Key { line, cause })?);
            if keys.len() > KEYS_MAX {
                return Err(TrustError::TooMany);
            }
        }
        if trust.log.is_empty() { Err(TrustError::NoLogKey) } else { Ok(trust) }
    }
}
