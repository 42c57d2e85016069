//! `rollcall models calibrate`, `bench` and `plot` as a user meets them: what they refuse and why,
//! what they print, and that a calibrated pack of the site's own can be chosen afterwards.

use std::path::Path;
use std::process::{Command, Output};

use rollcall::face::{Manifest, local_manifest};
use rollcall::platform::durable::{self, Access};

use super::face_data::data_folder;

/// Runs `rollcall models …` with an empty folder of installed models.
fn models(args: &[&str], data: Option<&Path>, installed: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.arg("models").args(args).arg("--models").arg(installed);
    command.current_dir(installed).env_remove("ROLLCALL_DATA");
    if let Some(data) = data {
        command.env("ROLLCALL_DATA", data);
    }
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed as JSON.
fn report(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn in_utf8(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// A pack whose files the data folder has.
const UPSTREAM: &str = "mobilefacenet";

#[test]
fn calibrated_pack_of_the_site_carries_what_was_measured() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let people = data.join("faces/people");
    let output = models(
        &[
            "calibrate",
            "--pictures",
            in_utf8(&people),
            "--per-person",
            "3",
            "--far",
            "1e-2",
            "--pack",
            UPSTREAM,
            "--write",
            "school",
            "--json",
        ],
        Some(&data),
        folder.path(),
    );
    let report = report(&output);
    assert_eq!((&report["people"], &report["pictures"]), (&40.into(), &120.into()));
    assert_eq!(report["impostor_pairs"], 40 * 39 / 2 * 9);
    let number = |value: &serde_json::Value| value.as_f64().expect("it is a number");
    for (rate, limits) in [("far", "far_95"), ("frr", "frr_95")] {
        for at in [&report["match"], &report["confident"]] {
            let (low, high) = (number(&at[limits][0]), number(&at[limits][1]));
            let rate = number(&at[rate]);
            assert!(low <= rate && rate <= high && low < high, "{at}");
        }
    }
    assert!(number(&report["match"]["far"]) <= 1e-2);
    assert!(number(&report["confident"]["cosine"]) > number(&report["match"]["cosine"]));

    let merged = local_manifest::merged(&Manifest::shipped(), folder.path()).unwrap();
    let pack = merged.pack(Some("school")).unwrap();
    let thresholds = pack.calibrated().unwrap();
    let cosine = |at: &str| number(&report[at]["cosine"]).to_string();
    let shown = |score: rollcall::domain::Score| (f64::from(score.as_e4()) / 1e4).to_string();
    assert_eq!(shown(thresholds.matching.cosine), cosine("match"));
    assert_eq!(shown(thresholds.confident.cosine), cosine("confident"));
    assert!(thresholds.matching.data.starts_with("people: 40 people, 120 pictures"));
    assert_eq!(thresholds.tail.points().len(), report["tail"].as_array().unwrap().len());
    // A larger roster is searched more strictly with it.
    assert!(thresholds.search_threshold(40, 1e-3) > thresholds.matching.cosine);
    let used = models(&["use", "school"], Some(&data), folder.path());
    assert!(used.status.success(), "{}", text(&used.stderr));
}

#[test]
fn too_few_pairs_for_the_wanted_rate_are_refused_with_what_would_suffice() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(data.join("faces/people")).unwrap().take(21) {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let pictures = in_utf8(folder.path());
    let args = ["calibrate", "--pictures", pictures, "--per-person", "1", "--pack", UPSTREAM];
    let output = models(&args, Some(&data), folder.path());
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("could not calibrate for FAR 1e-4"), "{shown}");
    assert!(shown.contains("21 people with 21 pictures make 210 pairs"), "{shown}");
    assert!(shown.contains("hint: take 776 people with as many pictures of each"), "{shown}");
}

#[test]
fn detector_compared_with_itself_finds_every_face_in_its_place() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let people = data.join("faces/people");
    let output = models(
        &[
            "bench",
            "--detector",
            "--pictures",
            in_utf8(&people),
            "--pack",
            UPSTREAM,
            "--against",
            UPSTREAM,
            "--first",
            "12",
            "--still",
            "3",
            "--copies",
            "4",
            "--side",
            "256",
            "--json",
        ],
        Some(&data),
        folder.path(),
    );
    let report = report(&output);
    assert_eq!(report["faces_of_reference"], 12);
    assert_eq!(report["found"], 12);
    assert_eq!(report["point_error"]["p95"], 0.0);
    // Beside itself, both are as far from the mean of its answers, and it does not repeat itself.
    let from_mean = &report["point_error_from_mean"];
    assert_eq!(from_mean, &report["point_error_of_reference_from_mean"]);
    assert!(from_mean["median"].as_f64().unwrap() > 0.0);
    assert_eq!(report["still"]["pictures"], 3);
    assert!(report["face_free_pictures"].as_u64().unwrap() > 0);
    let (own, reference) = (&report["own"], &report["of_reference"]);
    assert_eq!(own["unsteadiness"], reference["unsteadiness"]);
    let wander = own["unsteadiness"]["median"].as_f64().unwrap();
    assert!(wander > 0.0 && wander < 0.1, "noise moves the points, and not far: {wander}");
    assert!(own["ms"]["median"].is_number() && own["false_per_1000"].is_number());
}

#[test]
fn liveness_bench_counts_both_errors_and_says_how_little_three_pictures_prove() {
    let Some(data) = data_folder() else { return };
    let folder = tempfile::tempdir().unwrap();
    let spoof = data.join("faces/spoof");
    for (kind, picture) in [
        ("live", "image_T1.jpg"),
        ("spoof/paper", "image_F1.jpg"),
        ("spoof/screen", "image_F2.jpg"),
    ] {
        std::fs::create_dir_all(folder.path().join(kind)).unwrap();
        let link = folder.path().join(kind).join(picture);
        std::os::unix::fs::symlink(spoof.join(picture), link).unwrap();
    }
    let pictures = in_utf8(folder.path());
    let args = ["bench", "--liveness", pictures, "--pack", UPSTREAM, "--json"];
    let report = report(&models(&args, Some(&data), folder.path()));
    assert_eq!((&report["bpcer"], &report["apcer_worst"]), (&0.0.into(), &0.0.into()));
    let kinds: Vec<_> = report["kinds"].as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), 3);
    for kind in kinds {
        assert_eq!(kind["pictures"], 1, "{kind}");
        assert_eq!(kind["rate_95"][1], 0.975, "{kind}");
    }
}

#[test]
fn pack_without_a_liveness_net_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let text_of = include_str!("../../models/manifest.toml");
    let lines = text_of.lines().filter(|line| !line.starts_with("liveness = "));
    let manifest = folder.path().join("manifest.toml");
    let lines: String = lines.flat_map(|line| [line, "\n"]).collect();
    durable::write(&manifest, lines.as_bytes(), Access::Everyone).unwrap();
    let args = ["bench", "--liveness", "/nowhere", "--manifest", in_utf8(&manifest)];
    let output = models(&args, None, folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("has no liveness net"), "{}", text(&output.stdout));
}

#[test]
fn curves_of_two_reports_come_into_one_picture() {
    let folder = tempfile::tempdir().unwrap();
    let report = |pack: &str| {
        let path = folder.path().join(format!("{pack}.json"));
        let det = "[[0.1,0.01],[0.001,0.03],[0.0001,0.1]]";
        let json = format!(r#"{{"pack":"{pack}","det":{det}}}"#);
        durable::write(&path, json.as_bytes(), Access::Everyone).unwrap();
        path
    };
    let (a, b) = (report("pack-a"), report("pack-b"));
    let out = folder.path().join("det.svg");
    let args = ["plot", in_utf8(&a), in_utf8(&b), "--out", in_utf8(&out)];
    let output = models(&args, None, folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let svg = std::fs::read_to_string(&out).unwrap();
    assert!(svg.contains("pack-a") && svg.contains("pack-b") && svg.contains("GB/T 38671"));
    assert_eq!(svg.matches("<polyline").count(), 2);
}

#[test]
fn bench_asks_which_of_its_kinds_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    for args in
        [&["bench"][..], &["bench", "--detector"], &["bench", "--lfw", "a", "--liveness", "b"]]
    {
        let output = models(args, None, folder.path());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
    }
}
