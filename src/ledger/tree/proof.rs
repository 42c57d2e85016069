//! Inclusion and consistency proofs (RFC 9162, sections 2.1.3 and 2.1.4): made from the hashes of
//! complete subtrees, wherever those are kept, and checked with nothing but the proof.

use super::TreeHash;

/// Most hashes of any proof over a tree of at most 2^62 leaves; also the bound of C2SP
/// tlog-witness. A reader refuses longer ones before it keeps any of them.
pub const PROOF_HASHES_MAX: usize = 63;

/// Gives the hashes of complete subtrees.
pub trait Nodes {
    /// Why one cannot be given.
    type Error;

    /// Hash over the leaves from `index << level` on, `1 << level` of them. Asked only for subtrees
    /// that lie within the tree.
    fn node(&self, level: u32, index: u64) -> Result<TreeHash, Self::Error>;
}

/// The largest power of two below `leaves`, which is at least 2: where the RFC splits a tree.
fn split(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}

/// Hash over `leaves` from `first` on. `first` is a multiple of a power of two that is no smaller
/// than `leaves`, as it always is where the RFC's splits lead.
fn hash_of<N: Nodes>(nodes: &N, first: u64, leaves: u64) -> Result<TreeHash, N::Error> {
    if leaves.is_power_of_two() {
        let level = leaves.trailing_zeros();
        return nodes.node(level, first >> level);
    }
    let left = split(leaves);
    let right = hash_of(nodes, first + left, leaves - left)?;
    Ok(TreeHash::node(hash_of(nodes, first, left)?, right))
}

/// Root over the first `size` leaves.
pub fn root_of<N: Nodes>(nodes: &N, size: u64) -> Result<TreeHash, N::Error> {
    if size == 0 { Ok(TreeHash::empty()) } else { hash_of(nodes, 0, size) }
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves (section 2.1.3.1);
/// `None` beyond its end.
pub fn prove_inclusion<N: Nodes>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Option<Vec<TreeHash>>, N::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut first, mut leaves) = (0, size);
    let mut from_the_root = Vec::new();
    while leaves > 1 {
        let left = split(leaves);
        if index - first < left {
            from_the_root.push(hash_of(nodes, first + left, leaves - left)?);
            leaves = left;
        } else {
            from_the_root.push(hash_of(nodes, first, left)?);
            first += left;
            leaves -= left;
        }
    }
    from_the_root.reverse();
    Ok(Some(from_the_root))
}

/// The proof that the tree of the first `new` leaves continues that of the first `old` ones
/// (section 2.1.4.1). Empty for `old` 0 or `new`; `None` where `old` is the larger one.
pub fn prove_consistency<N: Nodes>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Option<Vec<TreeHash>>, N::Error> {
    if old > new {
        return Ok(None);
    }
    if old == 0 || old == new {
        return Ok(Some(Vec::new()));
    }
    let (mut first, mut leaves) = (0, new);
    let mut from_the_root = Vec::new();
    // Down to the subtree at whose end the old tree ends.
    while first + leaves != old {
        let left = split(leaves);
        if old - first <= left {
            from_the_root.push(hash_of(nodes, first + left, leaves - left)?);
            leaves = left;
        } else {
            from_the_root.push(hash_of(nodes, first, left)?);
            first += left;
            leaves -= left;
        }
    }
    // Where it is the whole old tree, the verifier has its hash.
    if first != 0 {
        from_the_root.push(hash_of(nodes, first, leaves)?);
    }
    from_the_root.reverse();
    Ok(Some(from_the_root))
}

/// Whether `proof` shows that the tree of `size` leaves with root `root` has `leaf` at `index`
/// (section 2.1.3.2).
pub fn verify_inclusion(
    leaf: TreeHash,
    index: u64,
    size: u64,
    proof: &[TreeHash],
    root: TreeHash,
) -> bool {
    included_root(leaf, index, size, proof) == Some(root)
}

/// The root of the tree of `size` leaves that has `leaf` at `index`, if `proof` is its inclusion proof;
/// `None` where it has not the length of one.
pub fn included_root(
    leaf: TreeHash,
    index: u64,
    size: u64,
    proof: &[TreeHash],
) -> Option<TreeHash> {
    if index >= size {
        return None;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = leaf;
    for &sibling in proof {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            hash = TreeHash::node(sibling, hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = TreeHash::node(hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether `proof` shows that the first `old` leaves of the tree of `new` leaves with root
/// `new_root` are the tree with root `old_root` (section 2.1.4.2). Each tree continues itself and
/// the empty one, by the empty proof.
pub fn verify_consistency(
    old: u64,
    old_root: TreeHash,
    new: u64,
    new_root: TreeHash,
    proof: &[TreeHash],
) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && old_root == TreeHash::empty();
    }
    // The last subtree of the old tree: the old tree itself, or the first hash of the proof.
    let whole = old.is_power_of_two().then_some(old_root);
    let Some((&first, rest)) = (match whole {
        Some(_) => Some((&old_root, proof)),
        None => proof.split_first(),
    }) else {
        return false;
    };
    if proof.is_empty() {
        return false;
    }
    let (mut place, mut last) = (old - 1, new - 1);
    let shift = place.trailing_ones();
    place >>= shift;
    last >>= shift;
    let (mut old_hash, mut new_hash) = (first, first);
    for &hash in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = TreeHash::node(hash, old_hash);
            new_hash = TreeHash::node(hash, new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = TreeHash::node(new_hash, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}
