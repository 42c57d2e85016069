//! Makes the proof of one record for whoever asks for it: out of the database and the public log, so
//! that it is worth as much as the checkpoint that everybody sees.

use std::path::{Path, PathBuf};

use super::Store;
use super::publish::{CHECKPOINT, FolderError, read_checkpoint, read_tile};
use crate::domain::{Fact, TerminalId};
use crate::ledger::proof::Proof;
use crate::ledger::tiles::{NodeError, Tile, TileNodes};
use crate::ledger::{Body, OpenLedgerError, ReadError, Stored, read_back};
use crate::record::note::{HeadError, TreeHead};
use crate::record::{KeyId, VerifyingKey, peek_kid};

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// There is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The ledger cannot be opened.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// The ledger cannot be read.
    #[error("could not read the ledger")]
    Read(#[from] ReadError),
    /// The public log cannot be read.
    #[error("could not read the public log")]
    Folder(#[from] FolderError),
    /// A hash of the public log cannot be had.
    #[error("could not build the proof")]
    Node(#[from] NodeError<FolderError>),
    /// The checkpoint says nothing.
    #[error("could not read the public checkpoint")]
    Head(#[from] HeadError),
    /// Nothing is published.
    #[error("could not prove anything: no checkpoint is published in {folder}")]
    Unpublished {
        /// Where one should be.
        folder: PathBuf,
    },
    /// The ledger has no such record, or its terminal was not registered.
    #[error("could not prove record {seq} of terminal {terminal}: the ledger has no such record")]
    NoRecord {
        /// Whose.
        terminal: TerminalId,
        /// Which.
        seq: u64,
    },
    /// It is committed, and not published yet.
    #[error("could not prove entry {index}: the published log has {size} entries")]
    NotYet {
        /// Its place.
        index: u64,
        /// Entries under the checkpoint.
        size: u64,
    },
}

/// The proof of record `seq` of `terminal` under the newest checkpoint in the public `folder`.
pub fn prove(
    store: &Store,
    folder: &Path,
    terminal: &TerminalId,
    seq: u64,
) -> Result<Proof, ProveError> {
    let note = read_checkpoint(&folder.join(CHECKPOINT))?;
    let note = note.ok_or_else(|| ProveError::Unpublished { folder: folder.to_owned() })?;
    let head: TreeHead = note.text().parse()?;
    let ledger = store.read_ledger()?;
    let mut registrations: Vec<(KeyId, Stored)> = Vec::new();
    let mut next = 0;
    loop {
        let chunk = ledger.stored_since(next, READ_ENTRIES)?;
        let missing = || ProveError::NoRecord { terminal: terminal.clone(), seq };
        next = chunk.last().ok_or_else(missing)?.index + 1;
        for stored in chunk {
            match read_back(&stored)?.body {
                Body::Fact(Fact::Terminal { id, key, .. } | Fact::TerminalKey { id, key, .. })
                    if id == *terminal =>
                {
                    // The ledger holds no other; what cannot be a key sealed nothing.
                    let key = VerifyingKey::from_bytes(&key).map(|key| key.id());
                    registrations.extend(key.ok().map(|kid| (kid, stored)));
                }
                Body::Record { record, .. }
                    if record.terminal == *terminal && record.seq == seq =>
                {
                    let kid = peek_kid(&stored.sealed).map_err(|_| missing())?;
                    let mut of_key = registrations.iter().rev().filter(|(key, _)| *key == kid);
                    let (_, registration) = of_key.next().ok_or_else(missing)?;
                    let read = |tile: &Tile| {
                        Ok::<_, FolderError>(read_tile(folder, tile)?.unwrap_or_default())
                    };
                    let nodes = TileNodes { size: head.size, read };
                    let proof = Proof::make(&stored, registration, &note, head.size, &nodes)?;
                    let not_yet = ProveError::NotYet { index: stored.index, size: head.size };
                    return proof.ok_or(not_yet);
                }
                Body::Record { .. } | Body::Refused { .. } | Body::Fact(_) => {}
            }
        }
    }
}
