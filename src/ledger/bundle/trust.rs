//! The keys that an auditor trusts, in a text file that reached him by another way than the
//! bundle: one `log ed25519:…` or `receipt ed25519:…` a line, `witness name+hash+base64` for each
//! witness whose cosignature counts and `quorum N` for how many are needed; `#` begins a comment.

use crate::record::note::{KeyKind, Note, Policy, TreeHead, Unpublished, Vkey, VkeyError};
use crate::record::{KeyError, VerifyingKey};

/// Most keys of one kind: a ledger that changes its key each month for ten years.
const KEYS_MAX: usize = 128;

/// A text names no trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// A line is none of ours.
    #[error(
        "line {line} of the trusted keys is neither `log ed25519:…` nor `receipt ed25519:…`, `witness NAME+…` or `quorum N`"
    )]
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
    /// A witness's key is none.
    #[error("could not read the witness on line {line} of the trusted keys")]
    Witness {
        /// Which line, from 1.
        line: usize,
        /// Why.
        #[source]
        cause: VkeyError,
    },
    /// More witnesses are asked for than there are.
    #[error("a quorum of {quorum} out of {witnesses} witnesses")]
    Quorum {
        /// How many are asked for.
        quorum: usize,
        /// How many there are.
        witnesses: usize,
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
    /// Cosign checkpoints.
    pub witnesses: Vec<Vkey>,
    /// How many of them must; without a line of its own, all.
    pub quorum: usize,
}

impl Trust {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut trust = Self::default();
        let mut quorum = None;
        for (line, words) in (1..).zip(text.lines()) {
            let words = words.split_once('#').map_or(words, |(before, _)| before).trim();
            if words.is_empty() {
                continue;
            }
            let (role, key) =
                words.split_once(char::is_whitespace).ok_or(TrustError::Line { line })?;
            if role == "witness" {
                let key: Vkey =
                    key.trim().parse().map_err(|cause| TrustError::Witness { line, cause })?;
                if key.kind() != KeyKind::Witness {
                    return Err(TrustError::Line { line });
                }
                trust.witnesses.push(key);
                if trust.witnesses.len() > KEYS_MAX {
                    return Err(TrustError::TooMany);
                }
                continue;
            }
            if role == "quorum" {
                let number = key.trim().parse().map_err(|_| TrustError::Line { line })?;
                quorum = Some(number);
                continue;
            }
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
        if trust.log.is_empty() {
            return Err(TrustError::NoLogKey);
        }
        let witnesses = trust.witnesses.len();
        trust.quorum = quorum.unwrap_or(witnesses);
        if trust.quorum > witnesses {
            return Err(TrustError::Quorum { quorum: trust.quorum, witnesses });
        }
        Ok(trust)
    }

    /// When a checkpoint counts for this trust: each log key may sign for any origin, for the file
    /// names none.
    pub fn policy_for(&self, note: &Note) -> Result<Policy, Unpublished> {
        let head: TreeHead = note.text().parse()?;
        let logs = self.log.iter().map(|key| Vkey::new(&head.origin, KeyKind::Log, *key));
        let logs = logs.collect::<Result<_, _>>();
        let logs = logs.map_err(|_| Unpublished::Log { origin: head.origin })?;
        Ok(Policy { logs, witnesses: self.witnesses.clone(), quorum: self.quorum })
    }
}
