//! A ledger that lives and dies with the process: for tests, and for playing "what if".

use std::collections::HashMap;

use super::staged::{Staged, Stored};
use super::tree::{Frontier, TreeHash};
use super::{CommitError, Entry, Ledger, ReadError};
use crate::domain::{PersonId, TerminalId, Timestamp};
use crate::ingest::{Head, Link, Past};
use crate::record::{Opening, SealedHash};

/// See the head of this file.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    stored: Vec<Stored>,
    frontier: Frontier,
    links: HashMap<(TerminalId, u64), Link>,
    heads: HashMap<TerminalId, Head>,
    refused: HashMap<(TerminalId, SealedHash), String>,
    refusals: HashMap<TerminalId, u64>,
}

impl Past for Memory {
    type Error = ReadError;

    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, ReadError> {
        Ok(self.links.get(&(terminal.clone(), seq)).cloned())
    }

    fn refused(
        &self,
        terminal: &TerminalId,
        hash: SealedHash,
    ) -> Result<Option<String>, ReadError> {
        Ok(self.refused.get(&(terminal.clone(), hash)).cloned())
    }
}

impl Ledger for Memory {
    fn commit(&mut self, batch: Staged) -> Result<Vec<Entry>, CommitError> {
        batch.follows(self.last_committed_at())?;
        let mut places = batch.places();
        let place = batch.twice().or_else(|| places.find(|place| self.links.contains_key(place)));
        drop(places);
        if let Some((terminal, seq)) = place {
            return Err(CommitError::Taken { terminal, seq });
        }
        let first = self.size();
        for (index, row) in (first..).zip(&batch.rows) {
            let code = row.refused().map(|(refusal, _)| refusal.code().to_owned());
            if let Some((terminal, head)) = row.terminal.clone().zip(row.link) {
                let link = Link { hash: head.hash, refused: code.clone() };
                self.links.insert((terminal.clone(), head.seq), link);
                self.heads.insert(terminal, head);
            }
            if let (Some(terminal), Some(code), Some(evidence)) =
                (row.terminal.clone(), code, &row.evidence)
            {
                *self.refusals.entry(terminal.clone()).or_default() += 1;
                self.refused.insert((terminal, evidence.hash()), code);
            }
            self.frontier.push(TreeHash::of_sealed(&row.sealed));
            self.stored.push(Stored {
                index,
                committed_at: row.at,
                kind: row.kind,
                sealed: row.sealed.clone(),
                evidence: row.evidence.as_ref().map(|evidence| evidence.kept().to_vec()),
                person: row.person,
                other: row.other,
            });
        }
        Ok(batch.into_entries(first))
    }

    fn entries_since(&self, index: u64, max: usize) -> Result<Vec<Entry>, ReadError> {
        let stored = self.stored_since(index, max)?;
        stored.iter().map(super::read_back).collect()
    }

    fn stored_since(&self, index: u64, max: usize) -> Result<Vec<Stored>, ReadError> {
        let skip = usize::try_from(index).unwrap_or(usize::MAX);
        Ok(self.stored.iter().skip(skip).take(max).cloned().collect())
    }

    fn heads(&self) -> Result<Vec<(TerminalId, Head)>, ReadError> {
        Ok(self.heads.iter().map(|(terminal, head)| (terminal.clone(), *head)).collect())
    }

    fn refusals(&self) -> Result<Vec<(TerminalId, u64)>, ReadError> {
        Ok(self.refusals.iter().map(|(terminal, kept)| (terminal.clone(), *kept)).collect())
    }

    fn size(&self) -> u64 {
        self.frontier.size()
    }

    fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    fn last_committed_at(&self) -> Timestamp {
        self.stored.last().map_or(Timestamp::default(), |stored| stored.committed_at)
    }

    fn erase(&mut self, person: PersonId) -> Result<usize, CommitError> {
        let names = |opening: &Option<Opening>| opening.is_some_and(|o| o.person == person);
        let mut erased = 0;
        for stored in &mut self.stored {
            for opening in [&mut stored.person, &mut stored.other] {
                if names(opening) {
                    *opening = None;
                    erased += 1;
                }
            }
        }
        Ok(erased)
    }
}
