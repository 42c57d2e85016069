//! Model files that are not what they should be: each is told by name at the start, on both
//! runtimes, and nothing panics.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use rollcall::face::manifest::Manifest;
use rollcall::face::{OpenError, Pipeline, RuntimeChoice, Settings};
use sha2::{Digest, Sha256};

use super::face_data::{data_folder, runtimes};

const SHIPPED: &str = include_str!("../../models/manifest.toml");

/// A pack that is not part of the program.
const UPSTREAM: &str = "mobilefacenet";

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

/// Opens the default pack from a folder in which every file holds `bytes`, and the manifest
/// agrees with that.
fn opened(bytes: &[u8], runtime: RuntimeChoice) -> OpenError {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut text = String::new();
    for line in SHIPPED.lines() {
        match line.strip_prefix("sha256 = ") {
            Some(_) => writeln!(text, "sha256 = \"{}\"", hex(bytes)),
            None => writeln!(text, "{line}"),
        }
        .expect("a string takes everything");
    }
    let manifest = Manifest::parse(&text).expect("only hashes were changed");
    for model in manifest.models() {
        std::fs::copy(written(folder.path(), bytes), folder.path().join(&model.file))
            .expect("the folder can be written");
    }
    let mut settings = Settings::with_folders(vec![folder.path().to_owned()]);
    settings.manifest = manifest;
    settings.runtime = runtime;
    Pipeline::open(&settings).expect_err("these are no models")
}

fn written(folder: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let path = folder.join("bytes");
    let access = rollcall::platform::durable::Access::Everyone;
    rollcall::platform::durable::write(&path, bytes, access).expect("the folder can be written");
    path
}

#[test]
fn file_that_no_runtime_can_read_is_named_with_what_to_do() {
    for runtime in runtimes() {
        for bytes in [&b""[..], b"not a model at all", &[0; 4096], &[0xff; 300]] {
            let error = opened(bytes, runtime);
            let OpenError::Model { ref model, ref why } = error else { panic!("{error}") };
            assert!(!model.is_empty() && !error.hint().is_empty());
            assert!(why.source().is_some() || !why.to_string().is_empty());
        }
    }
}

#[test]
fn model_cut_off_or_under_another_entry_is_refused_at_the_start() {
    let Some(data) = data_folder() else { return };
    let manifest = Manifest::shipped();
    let pack = manifest.pack(Some(UPSTREAM)).unwrap();
    let detector = std::fs::read(data.join("models").join(&pack.detector.file)).unwrap();
    let embedding = std::fs::read(data.join("models").join(&pack.embedding.file)).unwrap();
    for runtime in runtimes() {
        for bytes in [&detector[..detector.len() / 2], &embedding] {
            let error = opened(bytes, runtime);
            assert!(matches!(error, OpenError::Model { .. }), "{runtime:?}: {error}");
        }
    }
}

#[test]
fn missing_and_exchanged_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::with_folders(vec![folder.path().to_owned()]);
    settings.runtime = RuntimeChoice::Rust;
    settings.pack = Some(UPSTREAM.to_owned());
    let missing = Pipeline::open(&settings).unwrap_err();
    assert_eq!(missing.code(), "model_file");
    assert!(missing.source().unwrap().to_string().contains("could not find"));
    let model = &settings.manifest.pack(Some(UPSTREAM)).unwrap().detector;
    std::fs::copy(written(folder.path(), b"exchanged"), folder.path().join(&model.file)).unwrap();
    let exchanged = Pipeline::open(&settings).unwrap_err();
    assert!(exchanged.source().unwrap().to_string().contains("SHA-256"), "{exchanged}");
}
