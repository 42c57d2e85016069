//! The centre of a voyage: the real office over a ledger in memory that can fail as a disk does, that
//! is backed up now and then, and restored from an old backup.

use std::collections::VecDeque;

use super::mutant::Mutant;
use super::oracle::{Broken, Oracle};
use crate::collector::office::Office;
use crate::domain::{PersonId, TerminalId, Timestamp};
use crate::ingest::{Head, Limits, Link, Past};
use crate::ledger::tree::TreeHash;
use crate::ledger::{CommitError, Entry, Ledger, Memory, ReadError, Staged, Stored};
use crate::record::topic::Channel;
use crate::record::{SealedHash, SigningKey, VerifyingKey, seal_handover};

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommitFault {
    NotStored,
    StoredAllTheSame,
}

/// A message to the centre.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) from: TerminalId,
    pub(super) channel: Channel,
    pub(super) bytes: Vec<u8>,
    /// Which life of the broker it was given to.
    pub(super) broker: u64,
}

/// The ledger as the office sees it.
#[derive(Debug, Default)]
pub(super) struct SimLedger {
    pub(super) inner: Memory,
    pub(super) fails: Option<CommitFault>,
    pub(super) mutant: Option<Mutant>,
    commits: u64,
}

impl Past for SimLedger {
    type Error = ReadError;

    fn link(&self, terminal: &TerminalId, seq: u64) -> Result<Option<Link>, ReadError> {
        let link = self.inner.link(terminal, seq)?;
        Ok(match (link, self.mutant) {
            (Some(link), Some(Mutant::FlagsDuplicates)) => {
                Some(Link { hash: SealedHash([1; 32]), ..link })
            }
            (link, _) => link,
        })
    }

    fn refused(
        &self,
        terminal: &TerminalId,
        hash: SealedHash,
    ) -> Result<Option<String>, ReadError> {
        self.inner.refused(terminal, hash)
    }
}

impl Ledger for SimLedger {
    fn commit(&mut self, batch: Staged) -> Result<Vec<Entry>, CommitError> {
        let failed = |entries| CommitError::Storage { entries, cause: "the disk is gone".into() };
        let entries = batch.len();
        self.commits += 1;
        if self.mutant == Some(Mutant::AnswersBeforeCommit) && self.commits.is_multiple_of(3) {
            return self.inner.clone().commit(batch);
        }
        match self.fails.take() {
            Some(CommitFault::NotStored) => Err(failed(entries)),
            Some(CommitFault::StoredAllTheSame) => {
                self.inner.commit(batch)?;
                Err(failed(entries))
            }
            None => self.inner.commit(batch),
        }
    }

    fn entries_since(&self, index: u64, max: usize) -> Result<Vec<Entry>, ReadError> {
        self.inner.entries_since(index, max)
    }

    fn stored_since(&self, index: u64, max: usize) -> Result<Vec<Stored>, ReadError> {
        self.inner.stored_since(index, max)
    }

    fn heads(&self) -> Result<Vec<(TerminalId, Head)>, ReadError> {
        let mut heads = self.inner.heads()?;
        if self.mutant == Some(Mutant::ResumesWrongly) {
            heads.iter_mut().for_each(|(_, head)| head.hash = SealedHash([1; 32]));
        }
        Ok(heads)
    }

    fn refusals(&self) -> Result<Vec<(TerminalId, u64)>, ReadError> {
        self.inner.refusals()
    }

    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn root(&self) -> TreeHash {
        self.inner.root()
    }

    fn last_committed_at(&self) -> Timestamp {
        self.inner.last_committed_at()
    }

    fn erase(&mut self, person: PersonId) -> Result<usize, CommitError> {
        self.inner.erase(person)
    }
}

pub(super) struct Centre {
    pub(super) ledger: SimLedger,
    pub(super) backups: Vec<Memory>,
    pub(super) office: Option<Office>,
    /// What has come and is not acknowledged to the broker.
    pub(super) inbox: VecDeque<Letter>,
    log: [u8; 32],
    receipt: [u8; 32],
    /// How the receipt keys of before led to this one.
    handovers: Vec<Vec<u8>>,
}

impl Centre {
    pub(super) fn new(log: [u8; 32], receipt: [u8; 32], mutant: Option<Mutant>) -> Self {
        let ledger = SimLedger { mutant, ..SimLedger::default() };
        let (backups, handovers) = (Vec::new(), Vec::new());
        Self { ledger, backups, office: None, inbox: VecDeque::new(), log, receipt, handovers }
    }

    pub(super) fn receipt_key(&self) -> VerifyingKey {
        self.receipt_signer().verifying_key()
    }

    pub(super) fn receipt_signer(&self) -> SigningKey {
        SigningKey::from_secret(&self.receipt)
    }

    /// The next start is with another receipt key, and the word of the one before.
    pub(super) fn renew_receipt_key(&mut self, secret: [u8; 32], now: Timestamp) {
        let next = SigningKey::from_secret(&secret).verifying_key();
        if self.ledger.mutant != Some(Mutant::HandsNoKeyOver) {
            self.handovers.push(seal_handover(&next, now, &self.receipt_signer()));
        }
        self.receipt = secret;
    }

    /// Starts as a collector does: reads the ledger back.
    pub(super) fn start(&mut self, oracle: &mut Oracle) -> Result<(), Broken> {
        if self.ledger.mutant == Some(Mutant::LedgerForgets)
            && let Some(backup) = self.backups.last()
        {
            self.ledger.inner = backup.clone();
        }
        oracle.look(&self.ledger.inner)?;
        let (log, receipt) = (SigningKey::from_secret(&self.log), self.receipt_signer());
        let mut office =
            Office::new(Limits::default(), log, receipt).leading_on(self.handovers.clone());
        for stored in self.ledger.stored_since(0, usize::MAX).expect("memory can be read") {
            let entry = crate::ledger::read_back(&stored).expect("memory is not damaged");
            office.remember(&entry, &stored.sealed);
        }
        office.resume(&self.ledger).expect("memory can be read");
        self.office = Some(office);
        Ok(())
    }
}
