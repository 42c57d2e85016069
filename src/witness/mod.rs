//! A witness of logs (C2SP tlog-witness): whoever supervises a centre runs one. It cosigns a
//! checkpoint only when a proof shows that it continues the last one that it cosigned, so a centre
//! that shows two histories, or takes one back, finds nobody to sign for it.
//!
//! This file decides ([`Request`], [`judge`]); `home.rs` keeps what was seen, `http.rs` serves.

mod config;
mod home;
mod http;

pub use config::{Config, ConfigError};
pub use home::{CosignError, Home, HomeError};
pub use http::{ServeError, serve};

use crate::ledger::tree::{PROOF_HASHES_MAX, TreeHash, verify_consistency};
use crate::record::base64;
use crate::record::note::{NOTE_BYTES_MAX, Note, NoteError, Policy, TreeHead, Unpublished, Vkey};

/// Longest request: a note, the proof's lines of 45 bytes, and the line before them.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + PROOF_HASHES_MAX * 45 + 32;

/// Why a checkpoint is not cosigned. What it says is answered to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: the request cannot be read.
    #[error("this is no add-checkpoint request: {0}")]
    Malformed(String),
    /// 404: nobody told us of this log.
    #[error("this witness does not watch the log {origin}")]
    UnknownLog {
        /// Which it says it is.
        origin: String,
    },
    /// 403: the log's key did not sign it.
    #[error("no key that is trusted for {origin} has signed this checkpoint")]
    Unsigned {
        /// Which log.
        origin: String,
    },
    /// 400: from more to less.
    #[error("the old size {old} is larger than the checkpoint's {new}")]
    Backwards {
        /// The old size.
        old: u64,
        /// The checkpoint's.
        new: u64,
    },
    /// 409: the proof begins elsewhere than at what was cosigned last.
    #[error("the last checkpoint that was cosigned has {known} entries")]
    OtherSize {
        /// The size cosigned last.
        known: u64,
    },
    /// 409: two roots at one size, both signed by the log.
    #[error("a checkpoint of this size was cosigned with another root")]
    OtherRoot,
    /// 422: the proof shows nothing.
    #[error("the proof does not show that this checkpoint continues the last one")]
    Inconsistent,
}

impl Refusal {
    /// The status of the answer (tlog-witness, "add-checkpoint").
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) | Refusal::Backwards { .. } => 400,
            Refusal::Unsigned { .. } => 403,
            Refusal::UnknownLog { .. } => 404,
            Refusal::OtherSize { .. } | Refusal::OtherRoot => 409,
            Refusal::Inconsistent => 422,
        }
    }

    /// Whether the log itself has signed something that an honest log does not sign: evidence.
    pub fn accuses(&self) -> bool {
        match self {
            Refusal::OtherRoot | Refusal::Inconsistent => true,
            Refusal::Malformed(_)
            | Refusal::UnknownLog { .. }
            | Refusal::Unsigned { .. }
            | Refusal::Backwards { .. }
            | Refusal::OtherSize { .. } => false,
        }
    }
}

impl From<NoteError> for Refusal {
    fn from(error: NoteError) -> Self {
        Refusal::Malformed(error.to_string())
    }
}

/// What is asked of a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where the proof begins.
    pub old: u64,
    /// That the checkpoint continues the tree of that size.
    pub proof: Vec<TreeHash>,
    /// The checkpoint.
    pub note: Note,
}

impl Request {
    /// Reads the body of add-checkpoint.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let malformed = |why: &str| Refusal::Malformed(why.to_owned());
        if body.len() > REQUEST_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let (old, mut rest) = text.split_once('\n').ok_or_else(|| malformed("it has no lines"))?;
        let digits = old.strip_prefix("old ").filter(|digits| {
            digits.bytes().all(|b| b.is_ascii_digit())
                && (*digits == "0" || !digits.starts_with('0'))
        });
        let old = digits.and_then(|digits| digits.parse().ok());
        let old = old.ok_or_else(|| malformed("its first line is not `old` and a size"))?;
        let mut proof = Vec::new();
        loop {
            let (line, after) =
                rest.split_once('\n').ok_or_else(|| malformed("no empty line ends the proof"))?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() == PROOF_HASHES_MAX {
                return Err(malformed("its proof has more than 63 lines"));
            }
            let hash = base64::decode(line).and_then(|hash| hash.try_into().ok());
            proof.push(TreeHash(hash.ok_or_else(|| malformed("a line of the proof is no hash"))?));
        }
        Ok(Self { old, proof, note: rest.parse()? })
    }
}

/// What a checkpoint says, if it may be cosigned: a log of ours signed it, and it continues what
/// `seen` gives as the last one cosigned for its origin.
pub fn judge(
    request: &Request,
    logs: &[Vkey],
    seen: impl FnOnce(&str) -> Option<TreeHead>,
) -> Result<TreeHead, Refusal> {
    let policy = Policy { logs: logs.to_vec(), ..Policy::default() };
    let head = policy.signed_by_log(&request.note).map_err(|error| match error {
        Unpublished::Head(error) => Refusal::Malformed(error.to_string()),
        Unpublished::Log { origin } if logs.iter().any(|log| log.name() == origin) => {
            Refusal::Unsigned { origin }
        }
        Unpublished::Log { origin } => Refusal::UnknownLog { origin },
        Unpublished::Wrong { name } => Refusal::Unsigned { origin: name },
        Unpublished::Quorum { .. } => unreachable!("no witness is asked for"),
    })?;
    if request.old > head.size {
        return Err(Refusal::Backwards { old: request.old, new: head.size });
    }
    let (known, root) = match seen(&head.origin) {
        Some(seen) => (seen.size, TreeHash(seen.root)),
        None => (0, TreeHash::empty()),
    };
    if request.old != known {
        return Err(Refusal::OtherSize { known });
    }
    let new_root = TreeHash(head.root);
    if known == head.size && root != new_root {
        return Err(Refusal::OtherRoot);
    }
    if verify_consistency(known, root, head.size, new_root, &request.proof) {
        Ok(head)
    } else {
        Err(Refusal::Inconsistent)
    }
}

#[cfg(test)]
mod tests;
