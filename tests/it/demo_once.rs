//! `rollcall demo`, as a visitor runs it: the whole way through the real program.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rollcall::platform::durable::{self, Access};
use serde_json::Value;

use crate::face_data::{assets, sorted};

const KINDS: [&str; 9] = [
    "proxy_stand_in",
    "proxy_shared_face",
    "multi_device",
    "off_timetable",
    "excess_hours",
    "forged",
    "altered",
    "replayed",
    "unregistered_terminal",
];

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    // A port of its own, so that tests beside this one do not meet it; any working folder serves,
    // and the models that this machine's user has installed are not met.
    command
        .current_dir(std::env::temp_dir())
        .env("XDG_DATA_HOME", "/nowhere")
        .arg("demo")
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments);
    command
}

fn result(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no JSON ({error}): {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Plays the day once and demands that everything came out as the script says.
fn plays_the_day(command: &mut Command, runtime: &str) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(&format!(" on {runtime} ")), "not on {runtime}: {told}");
    let result = result(&output);
    let planted = result["planted"].as_array().unwrap();
    let kinds: Vec<_> = planted.iter().map(|p| p["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, KINDS);
    for plant in planted {
        assert_eq!(plant["ok"], true, "{plant}");
        let (expected, got) = (plant["expected"].as_str().unwrap(), plant["got"].as_str().unwrap());
        assert!(got.starts_with(expected), "{plant}");
    }
    assert_eq!(result["honest_flagged"], Value::Array(vec![]));
    let records = &result["records"];
    assert!(records["made"].as_u64().unwrap() >= 48, "{records}");
    assert_eq!(records["made"], records["committed"]);
    assert_eq!(records["refused"], 4);
    assert!(result["elapsed_ms"].as_u64().unwrap() > 0);
}

#[test]
fn every_fraud_is_found_and_nobody_else_accused_with_onnx_runtime() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        println!("SKIPPED: ORT_DYLIB_PATH names no ONNX Runtime");
        return;
    }
    plays_the_day(&mut demo(&["--once", "--json"]), "onnxruntime");
}

#[test]
fn every_fraud_is_found_and_nobody_else_accused_without_onnx_runtime() {
    plays_the_day(&mut demo(&["--once", "--json", "--runtime", "rust"]), "rust");
}

#[test]
fn models_that_are_not_there_are_told_with_what_to_do() {
    // A pack that does not ship, chosen on this machine and then taken away.
    let home = tempfile::tempdir().unwrap();
    let installed = home.path().join("rollcall/models");
    std::fs::create_dir_all(&installed).unwrap();
    let chosen = b"version = 1\nuse = \"mobilefacenet\"\n";
    durable::write(&installed.join("models.local.toml"), chosen, Access::Everyone).unwrap();
    let mut command = demo(&["--once"]);
    command.env("XDG_DATA_HOME", home.path()).env_remove("ROLLCALL_DATA");
    let output = command.current_dir(home.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("because: ") && told.contains("hint: "), "{told}");
    assert!(told.contains(".onnx") && told.contains("rollcall models"), "{told}");
}

#[test]
fn folder_with_too_few_people_is_told_in_three_lines() {
    let empty = tempfile::tempdir().unwrap();
    let output = demo(&["--once", "--faces"]).arg(empty.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("because: ") && told.contains("hint: "), "{told}");
    assert!(told.contains("0 sub-folders"), "{told}");

    let output = demo(&["--once", "--faces", "/no/such/folder"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("/no/such/folder"), "{told}");
}

#[test]
fn folder_of_faces_of_the_visitors_own_serves_as_well() {
    // Other people than those in the program, in another order: nothing in the demo knows them.
    let own = tempfile::tempdir().unwrap();
    for (place, person) in sorted(&assets().join("people")).iter().rev().take(14).enumerate() {
        link(person, &own.path().join(format!("{place:02}")));
    }
    let mut command = demo(&["--once", "--json", "--faces"]);
    let output = command.arg(own.path()).output().unwrap();
    let result = result(&output);
    // These pictures were not chosen for the script: a face may be hard to recognise, so a plant
    // may fail to happen. But nobody honest is accused, and no record is lost.
    assert_eq!(result["honest_flagged"], Value::Array(vec![]), "{result}");
    assert_eq!(result["records"]["made"], result["records"]["committed"], "{result}");
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).unwrap();
}

#[test]
fn taken_port_is_told_and_another_is_found() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["demo", "--once", "--listen", &address]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(&format!("{address} is taken")), "{told}");
    let page = told.lines().find(|line| line.starts_with("Live page")).unwrap();
    assert!(page.contains("http://127.0.0.1:") && !page.contains(&address), "{page}");
}

#[test]
fn interrupted_demo_ends_cleanly_and_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let mut child = demo(&[]).env("TMPDIR", scratch.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("签到成功")));
    assert!(first.is_some(), "the day begins");
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert!(lines.any(|line| line.is_ok_and(|line| line.starts_with("Closing"))));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // ONNX Runtime may leave a file of its own there; what is ours is gone.
    let left = std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let ours: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("rollcall")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}
