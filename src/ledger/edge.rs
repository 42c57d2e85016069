//! The right edge of the Merkle tree, as a database keeps it in one row, held against the database's
//! last entry.

use super::tree::{Frontier, TreeHash};
use crate::domain::Timestamp;

/// What a database says about its end.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) frontier: Frontier,
    pub(super) last_at: Timestamp,
    /// In what it contradicts itself.
    pub(super) contradiction: Option<String>,
}

impl Edge {
    /// From the row, and index and time of the last entry.
    pub(super) fn read(size: i64, peaks: &[u8], last: Option<(u64, Timestamp)>) -> Self {
        let frontier = frontier_of(size, peaks);
        let (entries, last_at) = last.map_or((0, Timestamp::default()), |(idx, at)| (idx + 1, at));
        let contradiction = match &frontier {
            None => Some("the tree's edge is damaged".to_owned()),
            Some(frontier) if frontier.size() != entries => Some(format!(
                "the tree has {} leaves, the ledger {entries} entries",
                frontier.size()
            )),
            Some(_) => None,
        };
        Self { frontier: frontier.unwrap_or_default(), last_at, contradiction }
    }
}

/// The edge from its row; `None` when it is none.
pub(super) fn frontier_of(size: i64, peaks: &[u8]) -> Option<Frontier> {
    let peaks: Option<Vec<_>> =
        peaks.chunks(32).map(|hash| hash.try_into().ok().map(TreeHash)).collect();
    let (size, peaks) = u64::try_from(size).ok().zip(peaks)?;
    Frontier::from_parts(size, peaks)
}

/// The peaks, as one column.
pub(super) fn peaks_of(frontier: &Frontier) -> Vec<u8> {
    frontier.peaks().iter().flat_map(|hash| hash.0).collect()
}
