use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// The eight entries of the reference tree in the test suite of Certificate Transparency
/// (google/certificate-transparency, merkletree/merkle_tree_test.cc).
const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Its roots with one to eight entries, from the same file.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(n: usize) -> Vec<TreeHash> {
    (0..n).map(|i| TreeHash::leaf(&(i as u64).to_be_bytes())).collect()
}

/// The definition of the RFC, word for word, to hold the faster ways against.
fn defined_root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::empty(),
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            TreeHash::node(defined_root(&leaves[..half]), defined_root(&leaves[half..]))
        }
    }
}

#[test]
fn roots_are_those_of_the_reference_tree() {
    let entries = ENTRIES.map(|hex| HEXLOWER.decode(hex.as_bytes()).unwrap());
    let mut frontier = Frontier::default();
    for (n, root) in ROOTS.iter().enumerate() {
        frontier.push(TreeHash::leaf(&entries[n]));
        assert_eq!(frontier.root().to_string(), *root, "with {} entries", n + 1);
    }
}

#[test]
fn the_empty_tree_has_the_hash_of_nothing() {
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Frontier::default().root().to_string(), nothing);
    assert_eq!(Tree::of(Vec::new()).root().to_string(), nothing);
}

#[test]
fn every_proof_of_every_small_tree_holds_and_for_no_other_leaf_place_or_size() {
    for n in 1..=40 {
        let leaves = leaves(n);
        let tree = Tree::of(leaves.clone());
        let root = defined_root(&leaves);
        assert_eq!(tree.root(), root);
        for index in 0..n {
            let proof = tree.prove(index).unwrap();
            let holds = |leaf, at: usize, size: usize| {
                verify_inclusion(leaf, at as u64, size as u64, &proof, root)
            };
            assert!(holds(leaves[index], index, n), "leaf {index} of {n}");
            for other in (0..n).filter(|&other| other != index) {
                assert!(!holds(leaves[other], index, n));
                assert!(!holds(leaves[index], other, n));
            }
            assert!(!holds(leaves[index], index + n, n));
            for cut in 0..proof.len() {
                assert!(!verify_inclusion(
                    leaves[index],
                    index as u64,
                    n as u64,
                    &proof[..cut],
                    root
                ));
            }
            let longer = [proof.clone(), vec![root]].concat();
            assert!(!verify_inclusion(leaves[index], index as u64, n as u64, &longer, root));
        }
        assert_eq!(tree.prove(n), None);
    }
}

/// Published proofs over the reference tree: from and to how many entries, and the hashes (same
/// file, "consistency proofs"; also in google/trillian, merkle/testonly).
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn hash(hex: &str) -> TreeHash {
    TreeHash(HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap())
}

fn consistency(tree: &Tree, old: u64, new: u64) -> Option<Vec<TreeHash>> {
    let Ok(proof) = prove_consistency(tree, old, new);
    proof
}

#[test]
fn consistency_proofs_are_those_of_the_reference_tree() {
    let entries = ENTRIES.map(|hex| HEXLOWER.decode(hex.as_bytes()).unwrap());
    let tree = Tree::of(entries.iter().map(|entry| TreeHash::leaf(entry)).collect());
    let root = |size: u64| hash(ROOTS[usize::try_from(size).unwrap() - 1]);
    for (old, new, hashes) in CONSISTENCY {
        let proof: Vec<_> = hashes.iter().map(|hex| hash(hex)).collect();
        assert_eq!(consistency(&tree, old, new), Some(proof.clone()), "{old} to {new}");
        assert!(verify_consistency(old, root(old), new, root(new), &proof), "{old} to {new}");
    }
}

/// PROOF and SUBPROOF of the RFC (section 2.1.4.1), word for word.
fn defined_proof(old: usize, leaves: &[TreeHash], known: bool) -> Vec<TreeHash> {
    let new = leaves.len();
    if old == new {
        return if known { Vec::new() } else { vec![defined_root(leaves)] };
    }
    let half = new.next_power_of_two() / 2;
    if old <= half {
        let mut proof = defined_proof(old, &leaves[..half], known);
        proof.push(defined_root(&leaves[half..]));
        proof
    } else {
        let mut proof = defined_proof(old - half, &leaves[half..], false);
        proof.push(defined_root(&leaves[..half]));
        proof
    }
}

#[test]
fn every_consistency_proof_of_every_small_tree_is_the_defined_one_and_holds_for_no_other_trees() {
    const LEAVES: usize = 70;
    let leaves = leaves(LEAVES);
    let tree = Tree::of(leaves.clone());
    let roots: Vec<_> = (0..=LEAVES).map(|n| defined_root(&leaves[..n])).collect();
    for new in 1..=LEAVES {
        for old in 0..=new {
            let (m, n) = (old as u64, new as u64);
            let proof = consistency(&tree, m, n).unwrap();
            if old > 0 {
                assert_eq!(proof, defined_proof(old, &leaves[..new], true), "{old} to {new}");
            }
            assert!(proof.len() <= new.next_power_of_two().trailing_zeros() as usize + 1);
            let holds = |old_root, new_root, proof: &[TreeHash]| {
                verify_consistency(m, old_root, n, new_root, proof)
            };
            assert!(holds(roots[old], roots[new], &proof), "{old} to {new}");
            let foreign = TreeHash::leaf(b"foreign");
            assert!(!holds(foreign, roots[new], &proof), "{old} to {new}");
            assert!(!holds(roots[old], foreign, &proof) || old == 0, "{old} to {new}");
            for cut in 0..proof.len() {
                assert!(!holds(roots[old], roots[new], &proof[..cut]), "{old} to {new}");
                let mut wrong = proof.clone();
                wrong[cut] = foreign;
                assert!(!holds(roots[old], roots[new], &wrong), "{old} to {new}");
            }
            let longer = [proof.clone(), vec![foreign]].concat();
            assert!(!holds(roots[old], roots[new], &longer), "{old} to {new}");
            for other in (0..=LEAVES).filter(|&other| other != old && old != 0) {
                assert!(!verify_consistency(other as u64, roots[old], n, roots[new], &proof));
                assert!(!verify_consistency(m, roots[other], n, roots[new], &proof));
            }
        }
        assert_eq!(consistency(&tree, new as u64 + 1, new as u64), None);
    }
}

#[test]
fn a_tree_of_all_prefixes_proves_inclusion_in_each_of_them() {
    let leaves = leaves(40);
    let tree = Tree::of(leaves.clone());
    for size in 1..=40_usize {
        let Ok(root) = root_of(&tree, size as u64);
        assert_eq!(root, defined_root(&leaves[..size]));
        let smaller = Tree::of(leaves[..size].to_vec());
        for index in 0..size {
            let Ok(proof) = prove_inclusion(&tree, index as u64, size as u64);
            assert_eq!(proof, smaller.prove(index), "{index} of {size}");
        }
    }
}

/// A tree too large to hold: each subtree has a hash of its own.
struct Huge;

impl Nodes for Huge {
    type Error = Infallible;
    fn node(&self, level: u32, index: u64) -> Result<TreeHash, Infallible> {
        Ok(TreeHash::leaf(&[level.to_be_bytes().to_vec(), index.to_be_bytes().to_vec()].concat()))
    }
}

#[test]
fn proofs_over_the_largest_trees_stay_within_their_bound() {
    let new = 1 << 62;
    for old in [1, 2, 3, (1 << 61) - 1, 1 << 61, (1 << 61) + 1, new - 1] {
        let Ok(proof) = prove_consistency(&Huge, old, new);
        assert!(proof.unwrap().len() <= PROOF_HASHES_MAX, "from {old}");
        let Ok(proof) = prove_inclusion(&Huge, old, new);
        assert!(proof.unwrap().len() <= PROOF_HASHES_MAX, "of {old}");
    }
}

proptest! {
    #[test]
    fn a_frontier_resumed_anywhere_has_the_root_of_the_definition(n in 0_usize..300, cut in 0_usize..300) {
        let leaves = leaves(n);
        let mut frontier = Frontier::default();
        for (i, &leaf) in leaves.iter().enumerate() {
            if i == cut {
                frontier = Frontier::from_parts(frontier.size(), frontier.peaks().to_vec()).unwrap();
            }
            frontier.push(leaf);
        }
        prop_assert_eq!(frontier.root(), defined_root(&leaves));
        prop_assert_eq!(Tree::of(leaves).root(), frontier.root());
    }

    #[test]
    fn a_proof_with_one_flipped_bit_does_not_hold(n in 2_usize..200, at in any::<prop::sample::Index>(), hash in any::<prop::sample::Index>(), bit in 0_usize..256) {
        let leaves = leaves(n);
        let index = at.index(n);
        let tree = Tree::of(leaves.clone());
        let mut proof = tree.prove(index).unwrap();
        let hash = hash.index(proof.len());
        proof[hash].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_inclusion(leaves[index], index as u64, n as u64, &proof, tree.root()));
    }
}
