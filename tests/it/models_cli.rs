//! `rollcall models` as a user meets it: exit codes, the three-line error, the JSON of the bench.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollcall::face::Manifest;
use rollcall::platform::durable::{self, Access};

use super::face_data::{data_folder, default_pack_is_here, people};

/// Runs `rollcall models …`; the data folder is known only where `data` says so.
fn models(args: &[&str], data: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let empty = tempfile::tempdir().expect("a folder can be made");
    command.arg("models").args(args).current_dir(empty.path()).env_remove("ROLLCALL_DATA");
    if let Some(data) = data {
        command.env("ROLLCALL_DATA", data);
    }
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The error has what failed, because of what, and what to do.
fn refused(args: &[&str], exit: i32, because: &str) {
    let output = models(args, None);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("rollcall models: could not"), "{shown}");
    assert!(lines[1].starts_with("  because: ") && lines[1].contains(because), "{shown}");
    assert!(lines[2].starts_with("  hint: "), "{shown}");
}

#[test]
fn list_names_packs_models_licences_and_missing_files() {
    let output = models(&["list"], None);
    let shown = text(&output.stdout);
    assert!(output.status.success());
    for model in Manifest::shipped().models() {
        assert!(shown.contains(&model.name) && shown.contains(&model.licence), "{shown}");
    }
    assert!(shown.contains("could not find the model file"), "{shown}");
}

#[test]
fn wrong_names_and_folders_are_bad_usage() {
    refused(&["list", "--pack", "nobody"], 2, "nobody");
    refused(&["list", "--manifest", "/nowhere.toml"], 2, "No such file");
    refused(&["bench", "--lfw", "/nowhere", "--runtime", "rust"], 2, "No such file");
    refused(&["calibrate", "/nowhere"], 2, "No such file");
}

#[test]
fn unknown_key_of_a_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.toml");
    durable::write(&path, b"version = 1\nspeed = 9\n", Access::Everyone).unwrap();
    refused(&["list", "--manifest", path.to_str().unwrap()], 2, "speed");
}

#[test]
fn missing_files_and_a_missing_runtime_are_the_environments_fault() {
    let folder = tempfile::tempdir().unwrap();
    let lfw = folder.path().to_str().unwrap();
    let pairs = "2\t1\nA\t1\t2\nA\t1\tB\t1\nA\t1\t2\nA\t1\tB\t1\n";
    durable::write(&folder.path().join("pairs.txt"), pairs.as_bytes(), Access::Everyone).unwrap();
    refused(&["bench", "--lfw", lfw, "--runtime", "rust"], 3, "could not find the model file");
    let output = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["models", "bench", "--lfw", lfw, "--runtime", "onnxruntime"])
        .env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")
        .output()
        .unwrap();
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{shown}");
    assert!(shown.contains("/nowhere/libonnxruntime.so"), "{shown}");
}

#[test]
fn verify_finds_an_exchanged_file() {
    let Some(data) = data_folder() else { return };
    let sound = models(&["verify"], Some(&data));
    assert!(sound.status.success(), "{}", text(&sound.stdout));
    let folder = tempfile::tempdir().unwrap();
    let manifest = Manifest::shipped();
    let exchanged = folder.path().join(&manifest.models()[0].file);
    durable::write(&exchanged, b"exchanged", Access::Everyone).unwrap();
    let wrong = models(&["verify", "--models", folder.path().to_str().unwrap()], Some(&data));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stdout).contains("WRONG"), "{}", text(&wrong.stdout));
}

#[test]
fn bench_prints_the_promised_json() {
    if !default_pack_is_here() {
        return;
    }
    // The protocol is read where the pictures are: a folder of links, named as LFW names them.
    let folder = tempfile::tempdir().unwrap();
    let people: Vec<_> = people().into_iter().take(6).collect();
    for (name, pictures) in &people {
        let own = folder.path().join(name);
        std::fs::create_dir(&own).unwrap();
        for (number, picture) in (1..).zip(pictures) {
            let link = own.join(format!("{name}_{number:04}.jpg"));
            std::os::unix::fs::symlink(picture, link).unwrap();
        }
    }
    let name = |place: usize| &people[place].0;
    let pairs: String = (0..4)
        .map(|i| match i % 2 {
            0 => format!("{}\t1\t2\n", name(i)),
            _ => format!("{}\t1\t{}\t2\n", name(i), name(i + 1)),
        })
        .collect();
    let pairs = format!("2\t1\n{pairs}");
    durable::write(&folder.path().join("pairs.txt"), pairs.as_bytes(), Access::Everyone).unwrap();
    let lfw = folder.path().to_str().unwrap();
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from);
    let output = models(&["bench", "--lfw", lfw, "--json", "--runtime", "rust"], data.as_deref());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["pairs"], 4);
    assert_eq!(report["missed_faces"], 0);
    assert_eq!(report["runtime"], "rust");
    assert_eq!(report["pack"], Manifest::shipped().packs()[0].name);
    assert!(report["accuracy"].as_f64().unwrap() > 0.7);
    assert!(report["accuracy_sd"].is_number() && report["eer"].is_number());
    for far in ["1e-3", "1e-4", "1e-5", "1e-6"] {
        assert!(report["tar_at_far"].as_object().unwrap().contains_key(far));
    }
    for stage in ["decode", "detect", "align", "liveness", "embed", "total"] {
        assert!(report["latency_ms"][stage]["median"].is_number());
        assert!(report["latency_ms"][stage]["p95"].is_number());
    }
}

#[test]
fn calibrate_says_when_there_are_too_few_pairs() {
    if !default_pack_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, pictures) in people().iter().take(2) {
        let person = pictures[0].parent().unwrap();
        std::os::unix::fs::symlink(person, folder.path().join(name)).unwrap();
    }
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from);
    let output = models(&["calibrate", folder.path().to_str().unwrap()], data.as_deref());
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(shown.contains("FAR 1e-6: too few impostor pairs to say"), "{shown}");
}
