//! The check of a proof.

use super::super::bundle::{Opened, Trust};
use super::super::tree::{PROOF_HASHES_MAX, TreeHash, verify_inclusion};
use super::{Code, FORMAT, Leaf, Proof};
use crate::domain::{Fact, PersonId, TerminalId};
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
    /// Whom the record's commitment stands for, where the proof opens it.
    pub person: Option<PersonId>,
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
    let sealed = &proof.record.sealed.0;
    let key = registered_key(&proof.registration.sealed.0, sealed, &head, trust)?;
    let record = Record::open(sealed, &key).map_err(seal("record"))?;
    if proof.registration.index >= proof.record.index {
        return Err(NotProven::Registration { terminal: record.terminal });
    }
    let opening = match &proof.person {
        Some(Opened { salt, person }) => {
            let salt = salt.0.as_slice().try_into().map_err(|_| NotProven::Person)?;
            Some(Opening { salt, person: *person })
        }
        None => None,
    };
    let person = opened(opening, &record)?;
    let (hash, index) = (SealedHash::of(sealed), proof.record.index);
    Ok(Proven { record, hash, key, index, head, witnesses: policy.quorum, person })
}

/// Checks the QR form of a proof against trusted keys. That the registration is in the log as well is
/// not shown by it; that the log's key sealed it, is.
pub fn check_code(code: &Code, trust: &Trust) -> Result<Proven, NotProven> {
    let absent = NotProven::NotIncluded { what: "record", index: code.index };
    let note = code.note().ok_or(absent)?;
    let policy = trust.policy_for(&note)?;
    let head = policy.judge(&note)?;
    let key = registered_key(&code.registration, &code.record, &head, trust)?;
    let record = Record::open(&code.record, &key).map_err(seal("record"))?;
    let person = opened(code.person, &record)?;
    let (hash, index) = (SealedHash::of(&code.record), code.index);
    Ok(Proven { record, hash, key, index, head, witnesses: policy.quorum, person })
}

fn seal(what: &'static str) -> impl Fn(OpenError) -> NotProven {
    move |cause| NotProven::Seal { what, cause }
}

/// The key with which a fact, sealed by a trusted log key, registered the terminal of a record.
fn registered_key(
    registration: &[u8],
    record: &[u8],
    head: &TreeHead,
    trust: &Trust,
) -> Result<VerifyingKey, NotProven> {
    let registered: SealedFact = {
        let kid = peek_kid(registration).map_err(seal("registration"))?;
        let keys = || trust.log.iter();
        let key = keys().find(|key| key.id() == kid).or_else(|| keys().next());
        let key = key.ok_or(Unpublished::Log { origin: head.origin.clone() })?;
        open_statement(registration, key).map_err(seal("registration"))?
    };
    let (named, _) = Record::peek(record).map_err(seal("record"))?;
    let foreign = || NotProven::Registration { terminal: named.terminal.clone() };
    let (Fact::Terminal { id, key, .. } | Fact::TerminalKey { id, key, .. }) = registered.fact
    else {
        return Err(foreign());
    };
    if id != named.terminal {
        return Err(foreign());
    }
    VerifyingKey::from_bytes(&key).map_err(|_| foreign())
}

fn opened(opening: Option<Opening>, record: &Record) -> Result<Option<PersonId>, NotProven> {
    let fits = |opening: &Opening| record.person == Some(opening.commitment());
    match opening {
        Some(opening) if !fits(&opening) => Err(NotProven::Person),
        Some(opening) => Ok(Some(opening.person)),
        None => Ok(None),
    }
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
