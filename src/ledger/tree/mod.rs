//! The Merkle tree of RFC 9162, section 2.1 (the same as RFC 6962): leaf hash
//! SHA-256(0x00 ‖ entry), node hash SHA-256(0x01 ‖ left ‖ right). An entry is the SHA-256 of a
//! sealed statement (docs/spec/log-v1.md).
//!
//! [`Frontier`] appends with a memory of a few hashes; [`Tree`] holds all hashes; proofs are made
//! from any [`Nodes`], be it a [`Tree`] or tiles in a folder, and checked by [`verify_inclusion`]
//! and [`verify_consistency`], which need neither.

mod proof;

use std::convert::Infallible;
use std::fmt;

pub use proof::{
    Nodes, PROOF_HASHES_MAX, included_root, prove_consistency, prove_inclusion, root_of,
    verify_consistency, verify_inclusion,
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Hash of a leaf or of a subtree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash(pub [u8; 32]);

impl TreeHash {
    /// Root of the tree without leaves: the hash of nothing.
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// Hash of a leaf that holds `entry`.
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// Hash of the leaf of a sealed statement. The log's entry is the SHA-256 of the sealed bytes, so
    /// that entries can be public while what they stand for is not (docs/decisions/0014).
    pub fn of_sealed(sealed: &[u8]) -> Self {
        Self::leaf(&Sha256::digest(sealed))
    }

    /// Hash of the node above two others.
    pub fn node(left: Self, right: Self) -> Self {
        let hash = Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({})", HEXLOWER.encode(&self.0[..4]))
    }
}

/// The right edge of a tree: enough to append and to know the root. One hash for each bit that
/// is set in the number of leaves, the largest subtree first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<TreeHash>,
}

impl Frontier {
    /// A frontier that was stored; `None` if the hashes do not fit the size.
    pub fn from_parts(size: u64, peaks: Vec<TreeHash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The stored form, together with [`Self::size`].
    pub fn peaks(&self) -> &[TreeHash] {
        &self.peaks
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: TreeHash) {
        let mut hash = leaf;
        // Each subtree that is full now joins its equal on the left.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("one peak for each bit of the size");
            hash = TreeHash::node(left, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Root over all leaves.
    pub fn root(&self) -> TreeHash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => TreeHash::empty(),
            Some(last) => peaks.fold(last, |right, left| TreeHash::node(left, right)),
        }
    }
}

/// A whole tree in memory: 64 bytes for each leaf.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Vec<TreeHash>>,
}

impl Tree {
    /// Over these leaf hashes.
    pub fn of(leaves: Vec<TreeHash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below
                .chunks(2)
                .map(|pair| match *pair {
                    [left, right] => TreeHash::node(left, right),
                    [lone] => lone,
                    _ => unreachable!("chunks of two have one or two items"),
                })
                .collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// Root over all leaves.
    pub fn root(&self) -> TreeHash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or_else(TreeHash::empty)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// The inclusion proof of leaf `index` (RFC 9162, section 2.1.3.1); `None` beyond the end.
    pub fn prove(&self, index: usize) -> Option<Vec<TreeHash>> {
        match prove_inclusion(self, index as u64, self.size()) {
            Ok(proof) => proof,
            Err(never) => match never {},
        }
    }
}

impl Nodes for Tree {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<TreeHash, Infallible> {
        let hashes = self.levels.get(level as usize);
        let hash = usize::try_from(index).ok().and_then(|index| hashes?.get(index));
        Ok(*hash.expect("proofs ask only for complete subtrees of the tree"))
    }
}

#[cfg(test)]
mod tests;
