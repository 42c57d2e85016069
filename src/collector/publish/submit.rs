//! Asks witnesses for their cosignatures (C2SP tlog-witness, "add-checkpoint").

use std::path::Path;

use data_encoding::BASE64;
use tracing::{error, warn};

use super::folder::{FolderError, read_tile};
use super::http::{PostError, post};
use crate::ledger::tiles::{NodeError, Tile, TileNodes};
use crate::ledger::tree::prove_consistency;
use crate::platform::telemetry::Chain;
use crate::record::note::{Note, NoteError, TreeHead, Vkey, Word, parse_lines};

/// A witness, as the collector knows it.
#[derive(Debug, Clone)]
pub struct Watcher {
    /// Its key.
    pub key: Vkey,
    url: String,
    /// The size that it cosigned last, as far as we know.
    known: u64,
}

impl Watcher {
    /// The witness with this key at this submission prefix.
    pub fn new(key: Vkey, url: &str) -> Self {
        Self { key, url: url.to_owned(), known: 0 }
    }
}

/// A cosignature was not to be had.
#[derive(Debug, thiserror::Error)]
enum SubmitError {
    #[error("could not send it the checkpoint")]
    Post(#[from] PostError),
    #[error("could not make the proof for it")]
    Proof(#[from] NodeError<FolderError>),
    #[error("could not read its signature lines")]
    Lines(#[from] NoteError),
    #[error("it answered {status}: {said}")]
    Answer { status: u16, said: String },
    #[error("it has seen {seen} entries of this log, which has {size}")]
    Ahead { seen: u64, size: u64 },
    #[error("its answer has no signature of its key that holds")]
    Unsigned,
}

/// Adds the cosignatures that are missing, of whoever gives one. Who does not is told to the log
/// and asked again next time.
pub(super) fn collect(note: &mut Note, head: &TreeHead, folder: &Path, watchers: &mut [Watcher]) {
    for watcher in watchers {
        if matches!(note.word_of(&watcher.key), Word::Signed { .. }) {
            continue;
        }
        match submit(note, head, folder, watcher) {
            Ok(()) => {}
            // Somebody must come: this database was rolled back, or the key has a second log.
            Err(why @ SubmitError::Ahead { .. }) => {
                error!(witness.name = watcher.key.name(), "A witness refuses: {}.", Chain(&why));
            }
            Err(why) => {
                warn!(witness.name = watcher.key.name(), "A witness is missing: {}.", Chain(&why));
            }
        }
    }
}

fn submit(
    note: &mut Note,
    head: &TreeHead,
    folder: &Path,
    watcher: &mut Watcher,
) -> Result<(), SubmitError> {
    let url = format!("{}/add-checkpoint", watcher.url);
    // Once with what we believe, once with what it says.
    for last_try in [false, true] {
        let (status, said) = post(&url, &request(note, head, folder, watcher.known)?)?;
        let size = said.strip_suffix('\n').and_then(|size| size.parse::<u64>().ok());
        match (status, size) {
            (200, _) => {
                let answered = Note::new(note.text().to_owned(), parse_lines(&said)?);
                let lines: Vec<_> = answered.lines_of(&watcher.key).cloned().collect();
                if lines.is_empty() {
                    return Err(SubmitError::Unsigned);
                }
                lines.into_iter().for_each(|line| note.add(line));
                watcher.known = head.size;
                return Ok(());
            }
            (409, Some(seen)) if seen > head.size => {
                return Err(SubmitError::Ahead { seen, size: head.size });
            }
            (409, Some(seen)) if !last_try && seen != watcher.known => watcher.known = seen,
            (status, _) => {
                let said = said.trim().chars().take(200).collect();
                return Err(SubmitError::Answer { status, said });
            }
        }
    }
    unreachable!("the last try returns");
}

/// The body of add-checkpoint.
fn request(note: &Note, head: &TreeHead, folder: &Path, old: u64) -> Result<String, SubmitError> {
    let read = |tile: &Tile| Ok(read_tile(folder, tile)?.unwrap_or_default());
    let nodes = TileNodes { size: head.size, read };
    let proof = prove_consistency(&nodes, old, head.size)?.unwrap_or_default();
    let proof: String = proof.iter().map(|hash| BASE64.encode(&hash.0) + "\n").collect();
    Ok(format!("old {old}\n{proof}\n{note}"))
}
