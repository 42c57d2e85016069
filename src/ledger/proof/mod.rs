//! What a trainee keeps for good: one record, the registration of its terminal, and the proof that
//! both are in the log under a checkpoint that counts (docs/spec/proof-v1.md). Checked with nothing
//! but trusted keys.

mod check;
mod code;

use serde::{Deserialize, Serialize};

pub use check::{NotProven, Proven, check, check_code};
pub use code::{CODE_CHARS_MAX, Code, CodeError, NoCode, Signature};

use super::bundle::{Bytes, Opened};
use super::staged::Stored;
use super::tree::{Nodes, TreeHash, prove_inclusion};
use crate::record::note::Note;

/// What stands in every proof's `format`.
pub const FORMAT: &str = "rollcall-proof-v1";

/// A sealed statement and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Its place.
    pub index: u64,
    /// The complete sealed bytes.
    pub sealed: Bytes,
    /// Its inclusion proof (RFC 9162, section 2.1.3).
    pub proof: Vec<Bytes>,
}

/// A proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// [`FORMAT`].
    pub format: String,
    /// The record.
    pub record: Leaf,
    /// Opens the record's person, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Opened>,
    /// The fact that registered the terminal with its key.
    pub registration: Leaf,
    /// The checkpoint, a note.
    pub checkpoint: String,
}

impl Proof {
    /// Makes a proof out of what the ledger stores and the log's hashes; `None` where an entry is not
    /// under the checkpoint of `size` entries yet.
    pub fn make<N: Nodes>(
        record: &Stored,
        registration: &Stored,
        checkpoint: &Note,
        size: u64,
        nodes: &N,
    ) -> Result<Option<Self>, N::Error> {
        let leaf = |stored: &Stored| {
            let proof = prove_inclusion(nodes, stored.index, size)?;
            Ok(proof.map(|proof| Leaf {
                index: stored.index,
                sealed: Bytes(stored.sealed.clone()),
                proof: proof.into_iter().map(|TreeHash(hash)| Bytes(hash.to_vec())).collect(),
            }))
        };
        let opened = |opening: crate::record::Opening| Opened {
            salt: Bytes(opening.salt.to_vec()),
            person: opening.person,
        };
        let leaves = leaf(record)?.zip(leaf(registration)?);
        Ok(leaves.map(|(leaf, registration)| Self {
            format: FORMAT.to_owned(),
            record: leaf,
            person: record.person.map(opened),
            registration,
            checkpoint: checkpoint.to_string(),
        }))
    }

    /// As a file.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("plain data with text keys is always JSON") + "\n"
    }
}
