use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::tree::{Tree, prove_consistency, prove_inclusion, root_of};
use super::*;

fn entry(n: u64) -> [u8; ENTRY_BYTES] {
    entry_of(&n.to_be_bytes())
}

/// A log of `size` entries, and all tiles that it ever had at this size.
fn tiled(size: u64) -> (Tiler, BTreeMap<String, Vec<u8>>) {
    let mut tiler = Tiler::default();
    (0..size).for_each(|n| tiler.push(entry(n)));
    let mut files: BTreeMap<_, _> =
        tiler.full().iter().map(|(tile, bytes)| (tile.to_string(), bytes.clone())).collect();
    files.extend(tiler.partial().into_iter().map(|(tile, bytes)| (tile.to_string(), bytes)));
    (tiler, files)
}

#[test]
fn names_are_those_of_the_standard() {
    let tile = |content, index, width| Tile { content, index, width };
    for (tile, name) in [
        (tile(Content::Hashes(0), 1_234_067, WIDTH), "tile/0/x001/x234/067"),
        (tile(Content::Hashes(1), 0, 17), "tile/1/000.p/17"),
        (tile(Content::Entries, 1_000, WIDTH), "tile/entries/x001/000"),
        (tile(Content::Entries, 273, 112), "tile/entries/273.p/112"),
    ] {
        assert_eq!(tile.to_string(), name);
        assert_eq!(name.parse(), Ok(tile));
    }
}

#[test]
fn no_other_path_leads_anywhere() {
    for path in [
        "",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/00/001",
        "tile/8/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/017",
        "tile/0/001.p/+7",
        "tile/0/+01",
        "tile/0/../../secret",
        "tile/entries/x001",
        "tile/entries/001/002",
        "tile/data/001",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "/tile/0/001",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(NoTile), "{path}");
    }
}

#[test]
fn a_log_of_70000_entries_has_the_tiles_that_the_standard_counts() {
    let (tiler, files) = tiled(70_000);
    let count = |start: &str, partial: bool| {
        files.keys().filter(|n| n.starts_with(start) && n.contains(".p/") == partial).count()
    };
    assert_eq!((count("tile/0/", false), count("tile/0/", true)), (273, 1));
    assert_eq!((count("tile/1/", false), count("tile/1/", true)), (1, 1));
    assert_eq!((count("tile/2/", false), count("tile/2/", true)), (0, 1));
    assert!(files.contains_key("tile/0/273.p/112"));
    assert!(files.contains_key("tile/1/001.p/17"));
    assert!(files.contains_key("tile/2/000.p/1"));
    assert!(files.contains_key("tile/entries/273.p/112"));
    for (name, bytes) in &files {
        assert_eq!(bytes.len(), name.parse::<Tile>().unwrap().bytes(), "{name}");
    }
    let nodes = TileNodes {
        size: 70_000,
        read: |tile: &Tile| files.get(&tile.to_string()).cloned().ok_or(()),
    };
    assert_eq!(root_of(&nodes, 70_000).unwrap(), tiler.root());
    // A tree of 256 is a full tile and one of a single hash above it.
    let (_, files) = tiled(256);
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
}

#[test]
fn entries_are_hashed_to_the_tiles_of_level_0() {
    let (_, files) = tiled(300);
    for tile in ["000", "001.p/44"] {
        let entries = entries_in(&files[&format!("tile/entries/{tile}")]).unwrap();
        let leaves: Vec<u8> = entries.iter().flat_map(|e| TreeHash::leaf(e).0).collect();
        assert_eq!(leaves, files[&format!("tile/0/{tile}")]);
    }
    let bundle = &files["tile/entries/000"];
    assert_eq!(bundle[..34], [&[0, 32][..], &entry(0)].concat());
    assert_eq!(entries_in(&bundle[..33]), None);
    assert_eq!(entries_in(&[&bundle[..], &bundle[..34]].concat()), None);
    assert_eq!(entries_in(&[0, 31]), None);
}

proptest! {
    #[test]
    fn proofs_out_of_tiles_are_those_of_the_tree(size in 1_u64..1_200, a in any::<prop::sample::Index>(), old in any::<prop::sample::Index>()) {
        let (tiler, files) = tiled(size);
        let tree = Tree::of((0..size).map(|n| TreeHash::leaf(&entry(n))).collect());
        prop_assert_eq!(tiler.root(), tree.root());
        let nodes = TileNodes { size, read: |tile: &Tile| files.get(&tile.to_string()).cloned().ok_or(()) };
        let whole = usize::try_from(size).unwrap();
        let index = a.index(whole);
        let proof = prove_inclusion(&nodes, index as u64, size).unwrap();
        prop_assert_eq!(proof, tree.prove(index));
        let old = old.index(whole + 1) as u64;
        let Ok(expected) = prove_consistency(&tree, old, size);
        prop_assert_eq!(prove_consistency(&nodes, old, size).unwrap(), expected);
    }

    #[test]
    fn every_name_is_read_back(level in 0_u8..8, index in any::<u64>(), width in 1_usize..=256, entries in any::<bool>()) {
        let content = if entries { Content::Entries } else { Content::Hashes(level) };
        let tile = Tile { content, index, width };
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }
}
