//! Which keys seal whose records, as the ledger's facts say in their order. Shared by whoever checks a
//! ledger that somebody else kept.

use std::collections::BTreeMap;

use crate::domain::{Fact, TerminalId};
use crate::record::{
    KeyError, KeyId, Keyring, OpenError, Record, SuccessionError, VerifyingKey, peek_kid,
};

/// A fact about a key cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum KeyFactError {
    /// The key is none.
    #[error("the key of terminal {terminal} is not usable")]
    Key {
        /// Whose.
        terminal: TerminalId,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// A terminal is registered again, with another key.
    #[error(
        "terminal {terminal} is registered again with another key, without the word of the old one"
    )]
    Exchanged {
        /// Which.
        terminal: TerminalId,
    },
    /// A key follows that does not.
    #[error("the key that follows in terminal {terminal} does not prove itself")]
    Succession {
        /// Whose.
        terminal: TerminalId,
        /// Why.
        #[source]
        cause: SuccessionError,
    },
    /// A key follows where there is none before.
    #[error("terminal {terminal} has another key before it has one")]
    Unknown {
        /// Which.
        terminal: TerminalId,
    },
}

/// A record is not sealed as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordKeyError {
    /// With a key of somebody else.
    #[error("sealed with key {found}, not its terminal's")]
    Foreign {
        /// Which.
        found: KeyId,
    },
    /// With a key of the terminal that another one had followed.
    #[error("sealed with key {found}, after a newer one had sealed a record")]
    Retired {
        /// Which.
        found: KeyId,
    },
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Takes in one fact.
pub fn learn(rings: &mut BTreeMap<TerminalId, Keyring>, fact: &Fact) -> Result<(), KeyFactError> {
    match fact {
        Fact::Terminal { id, key, .. } => {
            let terminal = id.clone();
            let key = VerifyingKey::from_bytes(key)
                .map_err(|cause| KeyFactError::Key { terminal: terminal.clone(), cause })?;
            let ring = rings.entry(terminal.clone()).or_insert_with(|| Keyring::new(key));
            // It may move to another site; its key changes only by its own word.
            if ring.find(key.id()).is_none() {
                return Err(KeyFactError::Exchanged { terminal });
            }
            Ok(())
        }
        Fact::TerminalKey { id, key, proof } => {
            let terminal = id.clone();
            let ring = rings.get_mut(id);
            let ring = ring.ok_or_else(|| KeyFactError::Unknown { terminal: terminal.clone() })?;
            ring.succeed(id, key, proof)
                .map_err(|cause| KeyFactError::Succession { terminal, cause })
        }
        Fact::Institution { .. }
        | Fact::Site { .. }
        | Fact::Class { .. }
        | Fact::Lesson(_)
        | Fact::Policy { .. }
        | Fact::Revocation { .. }
        | Fact::Replacement { .. }
        | Fact::InstitutionDetails(_)
        | Fact::ClassPlan(_)
        | Fact::LessonDetails(_)
        | Fact::Joined(_)
        | Fact::Left(_)
        | Fact::Teacher(_)
        | Fact::Status(_)
        | Fact::Claim(_)
        | Fact::ClaimLine(_)
        | Fact::RollOrdered(_)
        | Fact::Held(_)
        | Fact::Objected(_)
        | Fact::Platform(_)
        | Fact::Project(_)
        | Fact::Activity(_)
        | Fact::PictureOpened { .. }
        | Fact::Trial(_)
        | Fact::CaseStep(_)
        | Fact::Tick => Ok(()),
    }
}

/// Opens the next record of a terminal's chain.
pub fn open_with(ring: &mut Keyring, sealed: &[u8]) -> Result<Record, RecordKeyError> {
    let found = peek_kid(sealed)?;
    let ringed = ring.find(found).ok_or(RecordKeyError::Foreign { found })?;
    let record = Record::open(sealed, &ringed.key)?;
    if ringed.retired {
        return Err(RecordKeyError::Retired { found });
    }
    ring.sealed_with(found);
    Ok(record)
}
