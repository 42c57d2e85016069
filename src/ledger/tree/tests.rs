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
