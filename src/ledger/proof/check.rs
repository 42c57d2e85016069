//! The check of a proof.

use super::super::bundle::{Opened, Trust};
use super::super::tree::{PROOF_HASHES_MAX, TreeHash, verify_inclusion};
use super::{FORMAT, Leaf, Proof};
use crate::domain::{Fact, TerminalId};
use crate::record::note::{NoteError, TreeHead, Unpublished};
use crate::record::{
    OpenError, Opening, Record, SealedFact, SealedHash, VerifyingKey, open_statement, peek_kid,
};

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// Another file.
    #[error("this is no {FORMAT}")]
    Format,
    /// The checkpoint cannot be read.
    #[error("the checkpoint is no note")]
    Note(#[from] NoteError),
    /// The checkpoint does not count.
    #[error("the checkpoint does not count")]
    Checkpoint(#[from] Unpublished),
    /// A statement is not under the checkpoint.
    #[error("the {what} is not in the log at place {index}")]
    NotIncluded {
        /// Record or registration.
        what: &'static str,
        /// Where it should be.
        index: u64,
    },
    /// A statement's seal does not hold.
    #[error("the {what} is not sealed as it must be")]
    Seal {
        /// Record or registration.
        what: &'static str,
        /// Why not.
        #[source]
        cause: OpenError,
    },
    /// The registration is of something else, or stands after the record.
    #[error("the registration is not that of terminal {terminal} before this record")]
    Registration {
        /// Whose it should be.
        terminal: TerminalId,
    },
    /// The person beside it is not the one it commits to.
    #[error("the person beside the record is not the one that it commits to")]
    Person,
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// The record.
    pub record: Record,
    /// The hash of its sealed bytes.
    pub hash: SealedHash,
    /// The terminal's key.
    pub key: VerifyingKey,
    /// Its place in the log.
    pub index: u64,
    /// The log as the checkpoint has it.
    pub head: TreeHead,
    /// How many witnesses were asked for and have signed.
    pub witnesses: usize,
}

/// Checks a proof against trusted keys.
pub fn check(proof: &Proof, trust: &Trust) -> Result<Proven, NotProven> {
    if proof.format != FORMAT {
        return Err(NotProven::Format);
    }
    let note = proof.checkpoint.parse()?;
    let policy = trust.policy_for(&note)?;
    let head = policy.judge(&note)?;
    included("record", &proof.record, &head)?;
    included("registration", &proof.registration, &head)?;

    let sealed = |what| move |cause| NotProven::Seal { what, cause };
    let registered: SealedFact = {
        let bytes = &proof.registration.sealed.0;
        let kid = peek_kid(bytes).map_err(sealed("registration"))?;
        let keys = || trust.log.iter();
        let key = keys().find(|key| key.id() == kid).or_else(|| keys().next());
        let key = key.ok_or(Unpublished::Log { origin: head.origin.clone() })?;
        open_statement(bytes, key).map_err(sealed("registration"))?
    };
    let bytes = &proof.record.sealed.0;
    let (named, _) = Record::peek(bytes).map_err(sealed("record"))?;
    let foreign = || NotProven::Registration { terminal: named.terminal.clone() };
    let key = match registered.fact {
        Fact::Terminal { id, key, .. } | Fact::TerminalKey { id, key, .. }
            if id == named.terminal && proof.registration.index < proof.record.index =>
        {
            VerifyingKey::from_bytes(&key).map_err(|_| foreign())?
        }
        Fact::Terminal { .. }
        | Fact::Institution { .. }
        | Fact::Site { .. }
        | Fact::Class { .. }
        | Fact::Lesson(_)
        | Fact::Policy { .. }
        | Fact::TerminalKey { .. }
        | Fact::Revocation { .. }
        | Fact::Replacement { .. }
        | Fact::Tick => return Err(foreign()),
    };
    let record = Record::open(bytes, &key).map_err(sealed("record"))?;
    if let Some(Opened { salt, person }) = &proof.person {
        let salt = salt.0.as_slice().try_into().map_err(|_| NotProven::Person)?;
        let opening = Opening { salt, person: *person };
        if record.person != Some(opening.commitment()) {
            return Err(NotProven::Person);
        }
    }
    let hash = SealedHash::of(bytes);
    Ok(Proven { record, hash, key, index: proof.record.index, head, witnesses: policy.quorum })
}

fn included(what: &'static str, leaf: &Leaf, head: &TreeHead) -> Result<(), NotProven> {
    let hashes = leaf.proof.iter().take(PROOF_HASHES_MAX + 1);
    let proof: Option<Vec<_>> =
        hashes.map(|hash| hash.0.as_slice().try_into().ok().map(TreeHash)).collect();
    let entry = TreeHash::of_sealed(&leaf.sealed.0);
    let root = TreeHash(head.root);
    let holds =
        proof.is_some_and(|proof| verify_inclusion(entry, leaf.index, head.size, &proof, root));
    holds.then_some(()).ok_or(NotProven::NotIncluded { what, index: leaf.index })
}
