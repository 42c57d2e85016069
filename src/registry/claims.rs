//! What subsidies were asked for, each with its lines.

use std::collections::BTreeMap;

use crate::domain::{Claim, ClaimId, ClaimLine, Committed, Timestamp};

/// A claim as it was stated last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Its head.
    pub claim: Claim,
    /// The centre's time when it was stated.
    pub filed_at: Timestamp,
    /// Its lines, by the member's commitment.
    pub lines: BTreeMap<Committed, ClaimLine>,
}

/// All claims.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims(BTreeMap<ClaimId, Filed>);

impl Claims {
    pub(super) fn file(&mut self, claim: Claim, filed_at: Timestamp) {
        let id = claim.id.clone();
        self.0.insert(id, Filed { claim, filed_at, lines: BTreeMap::new() });
    }

    /// A line without its claim is nobody's.
    pub(super) fn line(&mut self, line: ClaimLine) {
        if let Some(filed) = self.0.get_mut(&line.claim) {
            filed.lines.insert(line.member, line);
        }
    }

    pub(super) fn get(&self, id: &ClaimId) -> Option<&Filed> {
        self.0.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Filed> {
        self.0.values()
    }
}
