//! `rollcall models` as a user meets it: exit codes, the three-line error, the JSON of the bench.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollcall::face::{Manifest, Pipeline, RuntimeChoice, model_files};
use rollcall::platform::durable::{self, Access};

use super::face_data::{data_folder, people};

/// A pack that is not part of the program.
const UPSTREAM: &str = "mobilefacenet";

/// Runs `rollcall models …`; the data folder is known only where `data` says so.
fn models(args: &[&str], data: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    let empty = tempfile::tempdir().expect("a folder can be made");
    command.arg("models").args(args).current_dir(empty.path()).env_remove("ROLLCALL_DATA");
    // Nor the models that this machine's user has installed.
    command.env("XDG_DATA_HOME", empty.path());
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
    for pack in Manifest::shipped().packs() {
        assert!(shown.contains(&format!("pack {}", pack.name)), "{shown}");
        assert_eq!(
            shown.contains(&format!("missing: `rollcall models install {}`", pack.name)),
            pack.models().any(|model| model_files::find(model, &[]).is_err()),
            "{shown}"
        );
    }
    let default = Manifest::shipped().packs()[0].name.clone();
    assert!(shown.contains(&format!("pack {default}, in use: the first of the manifest")));
    assert!(shown.contains("not calibrated"), "{shown}");
}

#[test]
fn explain_shows_an_entry_that_verify_understands() {
    let explained = models(&["explain"], None);
    assert!(explained.status.success());
    let shown = text(&explained.stdout);
    let (_, entry) = shown.split_once("# models.local.toml").expect("the example follows");
    let entry = format!("# {entry}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.local.toml");
    durable::write(&path, entry.as_bytes(), Access::Everyone).unwrap();
    durable::write(&folder.path().join("my_embedding.onnx"), b"mine", Access::Everyone).unwrap();
    let here = folder.path().to_str().unwrap();
    let verified = models(&["verify", "--models", here], None);
    let told = text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified.stderr));
    // Its hash is the one thing to change, and verify says to what.
    assert!(told.contains("WRONG") && told.contains("my_embedding.onnx"), "{told}");
    assert!(told.contains("pack mine is not calibrated"), "{told}");
    let listed = text(&models(&["list", "--models", here], None).stdout);
    assert!(listed.contains("WRONG HASH") && listed.contains("pack mine"), "{listed}");
}

#[test]
fn every_line_of_the_example_that_is_a_comment_may_be_used() {
    let example = include_str!("../../models/models.local.example.toml");
    let example = example.replace("# use = ", "use = ").replace("# source = ", "source = ");
    let example = example.replace("# size_bytes = ", "size_bytes = ");
    let example = example.replace("# match = ", "match = ").replace("# confident", "confident");
    let all = Manifest::shipped().extended(&example).unwrap();
    let mine = all.pack(None).unwrap();
    assert_eq!(mine.name, "mine");
    assert!(mine.calibrated().is_ok() && mine.embedding.source.is_some());
}

#[test]
fn broken_local_manifest_is_told_with_its_line_and_explain_still_helps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("models.local.toml");
    durable::write(&path, b"version = 1\nspeed = 9\n", Access::Everyone).unwrap();
    let here = folder.path().to_str().unwrap();
    refused(&["list", "--models", here], 2, "line 2");
    refused(&["verify", "--models", here], 2, path.to_str().unwrap());
    assert!(models(&["explain", "--models", here], None).status.success());
}

#[test]
fn runtime_says_which_is_in_use_how_fast_it_is_and_how_to_get_the_faster() {
    let Some(data) = data_folder() else { return };
    let output = models(&["runtime", "--pack", UPSTREAM], Some(&data));
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(shown.starts_with("in use: ") && shown.contains("\n  rust "), "{shown}");
    let there = Pipeline::runtime_is_there(RuntimeChoice::OnnxRuntime);
    assert_eq!(shown.contains("pip install"), !there, "{shown}");
    assert_eq!(shown.contains("in use: onnxruntime"), there, "{shown}");
}

#[test]
fn wrong_names_and_folders_are_bad_usage() {
    refused(&["list", "--pack", "nobody"], 2, "nobody");
    refused(&["list", "--manifest", "/nowhere.toml"], 2, "No such file");
    refused(&["bench", "--lfw", "/nowhere", "--runtime", "rust"], 2, "No such file");
    refused(&["calibrate", "--pictures", "/nowhere"], 2, "No such file");
    let liveness = ["bench", "--liveness", "/nowhere", "--pack", "mobilefacenet"];
    refused(&liveness, 2, "No such file");
    refused(&["plot", "/nowhere", "--out", "/nowhere.svg"], 2, "No such file");
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
    let bench = ["bench", "--lfw", lfw, "--pack", UPSTREAM, "--runtime", "rust"];
    refused(&bench, 3, "could not find the model file");
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
    let pack = manifest.pack(Some(UPSTREAM)).unwrap();
    let exchanged = folder.path().join(&pack.detector.file);
    durable::write(&exchanged, b"exchanged", Access::Everyone).unwrap();
    let wrong = models(&["verify", "--models", folder.path().to_str().unwrap()], Some(&data));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stdout).contains("WRONG"), "{}", text(&wrong.stdout));
}

#[test]
fn verify_forgives_what_is_not_installed_unless_it_is_in_use() {
    let output = models(&["verify", "--pack", UPSTREAM], None);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    let pack = Manifest::shipped().pack(Some(UPSTREAM)).unwrap().clone();
    for model in Manifest::shipped().models() {
        let told = shown.lines().find(|line| line.contains(&model.file)).unwrap();
        let in_use = pack.models().any(|one| one.name == model.name);
        let here = model_files::find(model, &[]).is_ok();
        let mark = if here {
            "ok"
        } else if in_use {
            "WRONG"
        } else {
            "--"
        };
        assert!(told.starts_with(mark), "{told}");
    }
}

#[test]
fn bench_prints_the_promised_json() {
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
