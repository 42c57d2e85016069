//! When a checkpoint counts: signed by its log, and by as many witnesses as the policy asks for.

use super::{HeadError, KeyKind, Note, TreeHead, Vkey, Word};

/// Most keys of one kind in a policy.
pub const POLICY_KEYS_MAX: usize = 128;

/// A checkpoint does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// Its text is none of a checkpoint.
    #[error("its text is not that of a checkpoint")]
    Head(#[from] HeadError),
    /// The log itself did not sign.
    #[error("no trusted key signed for the log {origin}")]
    Log {
        /// Which log it says it is of.
        origin: String,
    },
    /// A known signer's line does not hold.
    #[error("the signature of {name} does not hold")]
    Wrong {
        /// Whose.
        name: String,
    },
    /// Too few witnesses signed.
    #[error("{signed} of the {quorum} witnesses that are asked for have signed")]
    Quorum {
        /// How many did.
        signed: usize,
        /// How many must.
        quorum: usize,
    },
}

/// Whose signatures make a checkpoint count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Keys of logs; a key signs only for the origin that is its name.
    pub logs: Vec<Vkey>,
    /// Keys of witnesses.
    pub witnesses: Vec<Vkey>,
    /// How many different witnesses must have signed.
    pub quorum: usize,
}

impl Policy {
    /// What a checkpoint says, if it counts.
    pub fn judge(&self, note: &Note) -> Result<TreeHead, Unpublished> {
        let head = self.signed_by_log(note)?;
        let mut signed = Vec::new();
        for witness in self.witnesses.iter().filter(|key| key.kind() == KeyKind::Witness) {
            match note.word_of(witness) {
                Word::Silent => {}
                Word::Wrong => return Err(Unpublished::Wrong { name: witness.name().to_owned() }),
                // Two names for one key are one witness.
                Word::Signed { .. } => {
                    if !signed.contains(&witness.key().to_bytes()) {
                        signed.push(witness.key().to_bytes());
                    }
                }
            }
        }
        if signed.len() < self.quorum {
            return Err(Unpublished::Quorum { signed: signed.len(), quorum: self.quorum });
        }
        Ok(head)
    }

    /// What a checkpoint says, if its log signed it.
    pub fn signed_by_log(&self, note: &Note) -> Result<TreeHead, Unpublished> {
        let head: TreeHead = note.text().parse()?;
        let mut signed = false;
        let logs = self.logs.iter().filter(|key| key.kind() == KeyKind::Log);
        for log in logs.filter(|key| key.name() == head.origin) {
            match note.word_of(log) {
                Word::Silent => {}
                Word::Wrong => return Err(Unpublished::Wrong { name: head.origin }),
                Word::Signed { .. } => signed = true,
            }
        }
        if signed { Ok(head) } else { Err(Unpublished::Log { origin: head.origin }) }
    }
}
