use std::path::Path;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::face::manifest::{Manifest, ManifestError, Pack};
use crate::face::model_files::{self, ModelFileError, Place, find_in, read_in};
use crate::face::onnx_check::check;
use crate::face::shipped;
use crate::platform::durable::{self, Access};

const SHIPPED: &str = include_str!("../../../models/manifest.toml");

/// A calibrated pack of the shipped manifest with all three roles, no part of the program, and the
/// first of its models.
const PACK: &str = "mobilefacenet";
const DETECTOR: &str = "yunet_n_dynamic";

/// The shipped manifest with one thing changed: the first of that kind from `after` on.
fn changed_after(after: &str, from: &str, to: &str) -> Result<Manifest, ManifestError> {
    let at = SHIPPED.find(after).expect(after);
    let (head, tail) = SHIPPED.split_at(at);
    assert!(tail.contains(from), "{from}");
    Manifest::parse(&format!("{head}{}", tail.replacen(from, to, 1)))
}

fn changed(from: &str, to: &str) -> Result<Manifest, ManifestError> {
    changed_after("", from, to)
}

fn refused(from: &str, to: &str) -> String {
    changed(from, to).expect_err(to).to_string()
}

#[test]
fn shipped_manifest_is_sound_and_its_first_pack_is_the_default() {
    let manifest = Manifest::shipped();
    let default = manifest.pack(None).unwrap();
    assert_eq!(default, &manifest.packs()[0]);
    assert_eq!(manifest.pack(Some(&default.name)).unwrap(), default);
    let thresholds = default.calibrated().unwrap();
    assert!(thresholds.confident.cosine > thresholds.matching.cosine);
    let unknown = manifest.pack(Some("nobody")).unwrap_err().to_string();
    assert!(unknown.contains(&default.name), "names what there is: {unknown}");
}

#[test]
fn unknown_key_is_named() {
    assert!(refused("version = 1", "version = 1\nspeed = 3").contains("speed"));
    let error = Manifest::parse("version = 1\n\nspeed = 3\n").unwrap_err().to_string();
    assert!(error.starts_with("line 3 of"), "{error}");
    assert!(refused("role = ", "rolle = 1\nrole = ").contains("rolle"));
    assert!(refused("far = 1e-4", "fahr = 1, far = 1e-4").contains("fahr"));
}

#[test]
fn entries_that_contradict_themselves_are_refused_by_name() {
    for (from, to) in [
        ("version = 1", "version = 2"),
        ("post = \"yunet\"", "post = \"unit\""),
        ("std = [0.229, 0.224, 0.225]", "std = [0.229, 0.0, 0.225]"),
        ("std = [0.229, 0.224, 0.225]", "std = [0.229, nan, 0.225]"),
        ("file = \"", "file = \"../"),
        ("sha256 = \"1", "sha256 = \"X"),
        ("input = [1, 3, 112, 112]", "input = [1, 3, 112, 96]"),
        ("shape = [1, 128]", "shape = [9223372036854775807, 128]"),
        ("shape = [1, 128]", "shape = [0, 128]"),
        ("class = 1", "class = 3"),
        ("crop = 2.7", "crop = 0.5"),
        ("detector = \"", "detector = \"no-"),
        ("detector_nms = 0.3", "detector_nms = 3.0"),
        ("far = 1e-4", "far = 0.0"),
        ("confident = { cosine = 0.", "confident = { cosine = 0.0"),
        ("colour = \"bgr\"", "colour = \"grey\""),
        ("name = \"mobileface_v2\"\nrole", "name = \"yunet_n_dynamic\"\nrole"),
    ] {
        assert!(changed(from, to).is_err(), "{to}");
    }
}

#[test]
fn digest_of_a_pack_changes_with_whatever_changes_a_decision() {
    let shipped = Manifest::shipped();
    let digest = |manifest: &Manifest| manifest.pack(Some(PACK)).unwrap().digest();
    let changed = |from: &str, to: &str| {
        let of_the_pack =
            ["detector_nms", "match", "confident"].iter().any(|k| from.starts_with(k));
        let after = if of_the_pack {
            format!("name = {PACK:?}\ndetector")
        } else {
            format!("name = {DETECTOR:?}")
        };
        changed_after(&after, from, to)
    };
    for (from, to) in [
        ("colour = \"bgr\"", "colour = \"rgb\""),
        ("sha256 = \"1", "sha256 = \"2"),
        ("crop = 2.7", "crop = 2.8"),
        ("mean = [0.485", "mean = [0.486"),
        ("detector_nms = 0.3", "detector_nms = 0.4"),
        ("match = { cosine = 0.", "match = { cosine = 0.0"),
        ("confident = { cosine = 0.", "confident = { cosine = 0.9"),
    ] {
        let other = changed(from, to).unwrap();
        assert_ne!(digest(&shipped), digest(&other), "{to}");
    }
    let prose = changed("licence = \"Apache-2.0\"", "licence = \"MIT\"").unwrap();
    assert_eq!(digest(&shipped), digest(&prose));
    let others = shipped.packs().iter().filter(|pack| pack.name != PACK);
    assert!(others.map(Pack::digest).all(|other| other != digest(&shipped)));
}

#[test]
fn default_pack_is_wholly_in_the_program_and_small() {
    let manifest = Manifest::shipped();
    let default = manifest.pack(None).unwrap();
    assert!(default.calibrated().is_ok());
    let bytes: usize =
        default.models().map(|model| model_files::read(model, &[]).expect(&model.name).len()).sum();
    assert!(bytes <= 6_000_000, "{bytes} bytes");
}

#[test]
fn code_names_no_model() {
    let manifest = Manifest::shipped();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.ends_with("face/shipped.rs") {
                // It holds the files' bytes, found by their hash.
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for model in manifest.models() {
                    let named =
                        text.contains(&format!("\"{}\"", model.name)) || text.contains(&model.file);
                    assert!(!named, "{} names {}", path.display(), model.name);
                }
            }
        }
    }
}

#[test]
fn file_with_another_hash_is_refused_and_the_first_folder_that_has_it_counts() {
    let manifest = Manifest::shipped();
    let model = &manifest.pack(Some(PACK)).unwrap().detector;
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folders = [first.path().to_owned(), second.path().to_owned()];
    let missing = model_files::read(model, &folders).unwrap_err();
    assert!(matches!(missing, ModelFileError::Missing { .. }));
    assert!(missing.to_string().contains(&model.file), "{missing}");
    durable::write(&second.path().join(&model.file), b"forged", Access::Everyone).unwrap();
    let forged = model_files::read(model, &folders).unwrap_err();
    assert!(
        matches!(&forged, ModelFileError::Hash { path, .. } if path.starts_with(second.path()))
    );
    // The message shows both hashes, so that one sees what was put there.
    let shown = forged.to_string();
    assert!(shown.contains(&data_encoding::HEXLOWER.encode(&model.sha256)), "{shown}");
    durable::write(&first.path().join(&model.file), b"", Access::Everyone).unwrap();
    let found = model_files::find(model, &folders).unwrap();
    assert_eq!(found, Place::File(first.path().join(&model.file)));
}

#[test]
fn model_in_the_program_needs_no_file_and_cannot_be_exchanged() {
    let (folder, ours) = (tempfile::tempdir().unwrap(), b"a model that ships");
    let mut model = Manifest::shipped().models()[0].clone();
    model.sha256 = Sha256::digest(ours).into();
    let (shipped, folders) = ([&b"another"[..], ours], [folder.path().to_owned()]);
    let reads_ours = || {
        assert_eq!(find_in(&shipped, &model, &folders).unwrap(), Place::Program);
        assert_eq!(read_in(&shipped, &model, &folders).unwrap(), ours);
    };
    reads_ours();
    durable::write(&folders[0].join(&model.file), b"exchanged", Access::Everyone).unwrap();
    reads_ours();
    let without = read_in(&shipped[..1], &model, &folders).unwrap_err();
    assert!(matches!(without, ModelFileError::Hash { .. }), "{without}");
}

#[test]
fn every_file_in_the_program_has_an_entry() {
    let manifest = Manifest::shipped();
    for bytes in shipped::FILES {
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        let entry = manifest.models().iter().find(|model| model.sha256 == hash);
        let entry = entry.expect("an entry has the hash of the file in the program");
        assert_eq!(check(bytes), Ok(()), "{}", entry.name);
    }
}

#[test]
fn published_address_is_https_and_comes_with_a_size() {
    for model in Manifest::shipped().models() {
        if let Some(source) = &model.source {
            assert!(source.url.starts_with("https://") && source.url.ends_with(&model.file));
        }
    }
    assert!(refused("source = \"https:", "source = \"http:").contains("https"));
    assert!(refused("source = \"https:", "source = \"file:").contains("https"));
    assert!(refused("size_bytes = ", "# size_bytes = ").contains("belong together"));
    assert!(refused("source = \"https:", "# source = \"").contains("belong together"));
    assert!(refused("size_bytes = ", "size_bytes = 999999").contains("256 MiB"));
}

proptest! {
    #[test]
    fn bytes_that_are_no_model_are_told_apart_and_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        // A random graph field would need a fitting version field before it: not in 256 cases.
        prop_assert!(check(&bytes).is_err());
    }

    #[test]
    fn file_cut_off_anywhere_is_no_model(cut in 0_usize..37) {
        // Field 1 (version) = 8, field 2 (producer) = "test", field 7 (graph) of 27 bytes.
        let mut file = vec![0x08, 8, 0x12, 4, b't', b'e', b's', b't', 0x3a, 27];
        file.extend([0; 27]);
        prop_assert_eq!(check(&file), Ok(()));
        prop_assert!(check(&file[..cut]).is_err());
    }
}

#[test]
fn lengths_beyond_the_file_do_not_run_for_ever() {
    for bytes in [vec![0xff; 300], vec![0; 4096], [vec![0x3a], vec![0xff; 9], vec![1]].concat()] {
        assert!(check(&bytes).is_err());
    }
}
