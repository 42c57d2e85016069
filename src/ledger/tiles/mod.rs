//! The log as static files (C2SP tlog-tiles, docs/spec/log-v1.md): which tile has which name, what
//! stands in it, and proofs out of tiles. Pure: who reads and writes files calls this.
//!
//! ```text
//! tile/0/x001/x234/067        256 leaf hashes, or subtree hashes of a level above
//! tile/0/x001/x234/068.p/17   the same, of which only 17 exist yet
//! tile/entries/000            256 entries: the SHA-256 of each sealed statement
//! ```

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::tree::{Frontier, Nodes, TreeHash};

/// Hashes in a full tile.
pub const WIDTH: usize = 256;

/// Levels of the tree in one tile: 2^8 is [`WIDTH`].
const HEIGHT: u32 = 8;

/// Highest level of any tile: a tree of 2^62 leaves has none above.
const LEVEL_MAX: u8 = 7;

/// Bytes of an entry: a SHA-256.
pub const ENTRY_BYTES: usize = 32;

/// Largest file of the log: a full bundle of entries, each with its length before it.
pub const TILE_BYTES_MAX: usize = WIDTH * (2 + ENTRY_BYTES);

/// What stands in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Hashes of the tree's level 8 × this.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// The name of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// What stands in it.
    pub content: Content,
    /// Its place within its level, from 0.
    pub index: u64,
    /// How many hashes or entries it holds, 1 to [`WIDTH`].
    pub width: usize,
}

/// A text is no tile's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no tile has this name")]
pub struct NoTile;

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        // Three digits to a folder, so that no folder gets more than a thousand names.
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        while let Some(group) = groups.pop() {
            let folder = if groups.is_empty() { "" } else { "x" };
            let slash = if groups.is_empty() { "" } else { "/" };
            write!(f, "{folder}{group:03}{slash}")?;
        }
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = NoTile;

    /// Only the one way to write a name is read: whatever else a path may say leads nowhere.
    fn from_str(text: &str) -> Result<Self, NoTile> {
        // The longest name of an index below 2^64 is shorter.
        if text.len() > 64 {
            return Err(NoTile);
        }
        let (path, width) = match text.split_once(".p/") {
            Some((path, width)) => (path, width.parse().map_err(|_| NoTile)?),
            None => (text, WIDTH),
        };
        let path = path.strip_prefix("tile/").ok_or(NoTile)?;
        let (level, groups) = path.split_once('/').ok_or(NoTile)?;
        let content = match level {
            "entries" => Content::Entries,
            level => Content::Hashes(level.parse().map_err(|_| NoTile)?),
        };
        let mut index: u64 = 0;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let group: u64 = digits.parse().map_err(|_| NoTile)?;
            index = index.checked_mul(1_000).and_then(|i| i.checked_add(group)).ok_or(NoTile)?;
        }
        let tile = Self { content, index, width };
        let level_fits = !matches!(content, Content::Hashes(level) if level > LEVEL_MAX);
        let fits = level_fits && (1..=WIDTH).contains(&width) && tile.to_string() == text;
        if fits { Ok(tile) } else { Err(NoTile) }
    }
}

impl Tile {
    /// The tile of this content and index in a log of `size` entries; `None` where it is empty.
    pub fn of(content: Content, index: u64, size: u64) -> Option<Self> {
        let level = match content {
            Content::Hashes(level) => u32::from(level),
            Content::Entries => 0,
        };
        let hashes = size.checked_shr(HEIGHT * level).unwrap_or(0);
        let width = hashes.saturating_sub(index.saturating_mul(WIDTH as u64));
        let width = usize::try_from(width).unwrap_or(WIDTH).min(WIDTH);
        (width > 0).then_some(Self { content, index, width })
    }

    /// How many bytes its file has.
    pub fn bytes(&self) -> usize {
        match self.content {
            Content::Hashes(_) => self.width * 32,
            Content::Entries => self.width * (2 + ENTRY_BYTES),
        }
    }
}

/// The entry of a sealed statement.
pub fn entry_of(sealed: &[u8]) -> [u8; ENTRY_BYTES] {
    Sha256::digest(sealed).into()
}

/// The entries in a bundle's bytes; `None` when it is none.
pub fn entries_in(bundle: &[u8]) -> Option<Vec<[u8; ENTRY_BYTES]>> {
    let mut entries = Vec::with_capacity(WIDTH.min(bundle.len() / (2 + ENTRY_BYTES)));
    for chunk in bundle.chunks(2 + ENTRY_BYTES) {
        let (length, entry) = chunk.split_first_chunk::<2>()?;
        if usize::from(u16::from_be_bytes(*length)) != ENTRY_BYTES || entries.len() == WIDTH {
            return None;
        }
        entries.push(entry.try_into().ok()?);
    }
    Some(entries)
}

/// Turns a growing log into tiles. Holds the unfinished tile of each level and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Tiler {
    frontier: Frontier,
    entries: Vec<u8>,
    levels: Vec<Vec<TreeHash>>,
    full: Vec<(Tile, Vec<u8>)>,
}

impl Tiler {
    /// Appends an entry.
    pub fn push(&mut self, entry: [u8; ENTRY_BYTES]) {
        let index = self.frontier.size() / WIDTH as u64;
        let leaf = TreeHash::leaf(&entry);
        self.frontier.push(leaf);
        // Lengths before entries are 16 bits (tlog-tiles, "Log entries").
        self.entries.extend_from_slice(&[0, 32]);
        self.entries.extend_from_slice(&entry);
        if self.entries.len() == TILE_BYTES_MAX {
            let tile = Tile { content: Content::Entries, index, width: WIDTH };
            self.full.push((tile, std::mem::take(&mut self.entries)));
        }
        let mut hash = leaf;
        for level in 0..=LEVEL_MAX {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(hash);
            if self.levels[at].len() < WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            let above = self.frontier.size() >> (HEIGHT * (u32::from(level) + 1));
            let tile = Tile { content: Content::Hashes(level), index: above - 1, width: WIDTH };
            self.full.push((tile, bytes_of(&hashes)));
            hash = over(&hashes);
        }
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root over all entries.
    pub fn root(&self) -> TreeHash {
        self.frontier.root()
    }

    /// The tiles that were filled since [`Self::forget_full`]: they never change again.
    pub fn full(&self) -> &[(Tile, Vec<u8>)] {
        &self.full
    }

    /// Forgets them: they are stored.
    pub fn forget_full(&mut self) {
        self.full.clear();
    }

    /// The tiles that are not full yet.
    pub fn partial(&self) -> Vec<(Tile, Vec<u8>)> {
        let size = self.frontier.size();
        let named = |content, level: u32, bytes: Vec<u8>| {
            let index = size >> (HEIGHT * (level + 1));
            Tile::of(content, index, size).map(|tile| (tile, bytes))
        };
        let entries = named(Content::Entries, 0, self.entries.clone());
        let hashes = (0..).zip(&self.levels).filter_map(|(level, hashes)| {
            let content = Content::Hashes(u8::try_from(level).ok()?);
            named(content, level, bytes_of(hashes))
        });
        entries.into_iter().chain(hashes).collect()
    }
}

fn bytes_of(hashes: &[TreeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Root over a power of two of hashes.
fn over(hashes: &[TreeHash]) -> TreeHash {
    match hashes {
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            TreeHash::node(over(left), over(right))
        }
    }
}

/// A hash that a proof needs could not be had.
#[derive(Debug, thiserror::Error)]
pub enum NodeError<E> {
    /// The tile could not be read.
    #[error("could not read {tile}")]
    Read {
        /// Which.
        tile: Tile,
        /// Why not.
        #[source]
        cause: E,
    },
    /// It has not the length that its name says.
    #[error("{tile} has not the length that its name says")]
    Length {
        /// Which.
        tile: Tile,
    },
}

/// The hashes of a log of `size` entries, out of its tiles: what proofs are made from.
#[derive(Debug)]
pub struct TileNodes<R> {
    /// Number of entries.
    pub size: u64,
    /// Reads a tile's bytes.
    pub read: R,
}

impl<E, R: Fn(&Tile) -> Result<Vec<u8>, E>> Nodes for TileNodes<R> {
    type Error = NodeError<E>;

    fn node(&self, level: u32, index: u64) -> Result<TreeHash, NodeError<E>> {
        let (tile_level, within) = (level / HEIGHT, level % HEIGHT);
        // The subtree's first hash at the tile's level, and how many of them it spans.
        let first = index << within;
        let content = Content::Hashes(u8::try_from(tile_level).unwrap_or(u8::MAX));
        let place = first / WIDTH as u64;
        let tile = Tile::of(content, place, self.size);
        let tile = tile.unwrap_or(Tile { content, index: place, width: WIDTH });
        let bytes = (self.read)(&tile).map_err(|cause| NodeError::Read { tile, cause })?;
        let from = usize::try_from(first % WIDTH as u64).unwrap_or(0);
        let hashes = bytes.chunks_exact(32).skip(from).take(1 << within);
        let hashes: Vec<_> = hashes.filter_map(|h| h.try_into().ok().map(TreeHash)).collect();
        if bytes.len() != tile.bytes() || hashes.len() != 1 << within {
            return Err(NodeError::Length { tile });
        }
        Ok(over(&hashes))
    }
}

#[cfg(test)]
mod tests;
