//! A roster enrolled from a folder of photos, with the real program and generated people.

use std::process::{Command, Output};

use rollcall::bench::people::PEOPLE;
use tempfile::TempDir;

use crate::support::day::write;

const NUMBERS: [&str; 3] = ["20260001", "20260002", "20260003"];

fn terminal(folder: &TempDir, command: &str, more: &[&str]) -> Output {
    let config = folder.path().join("terminal.toml");
    Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["terminal", command, "--config"])
        .arg(config)
        .args(more)
        .current_dir(folder.path())
        .env("XDG_DATA_HOME", "/nowhere")
        .output()
        .unwrap()
}

/// A terminal with three people in its plan, and a folder for photos.
fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let receipt_key = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    write(
        &at("terminal.toml"),
        format!(
            "[terminal]\nid = \"t-1\"\nkey_file = {:?}\n[centre]\nreceipt_key = {receipt_key:?}\n\
             [journal]\ndir = {:?}\n[site]\nplan_file = {:?}\n\
             [face]\nmodels_dir = {:?}\ngallery_file = {:?}\ngallery_key_file = {:?}\n",
            at("terminal.key"),
            at("journal"),
            at("plan.toml"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/models"),
            at("gallery.sealed"),
            at("gallery.key"),
        ),
    );
    let person = |(digit, number): (usize, &&str)| {
        let id = format!("{}", digit + 1).repeat(32);
        format!("[[person]]\nid = \"{id}\"\nname = \"李娜\"\nnumber = \"{number}\"\n")
    };
    let people: String = NUMBERS.iter().enumerate().map(person).collect();
    write(&at("plan.toml"), format!("site = \"s-1\"\n{people}"));
    std::fs::create_dir(at("photos")).unwrap();
    assert!(terminal(&folder, "init", &[]).status.success());
    folder
}

#[test]
fn photos_named_by_number_enrol_a_roster_and_each_that_cannot_is_told() {
    let folder = site();
    let photo = |name: &str, bytes: &[u8]| write(&folder.path().join("photos").join(name), bytes);
    photo("20260001_1.jpg", PEOPLE[0][0]);
    photo("20260001_2.jpg", PEOPLE[0][1]);
    photo("20260002.jpg", PEOPLE[1][0]);
    let enrol = |more: &[&str]| terminal(&folder, "enrol-photos", more);
    let without = enrol(&["--photos", "photos"]);
    assert_eq!(without.status.code(), Some(2), "consents are not taken for granted");
    let out = enrol(&["--photos", "photos", "--consents-on-file"]);
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(said.contains("enrolled 2 people; 2 people in the gallery"), "{said}");

    // The first one's face under the third number, a number of nobody, and no picture at all.
    photo("20260003.jpg", PEOPLE[0][3]);
    photo("7.jpg", PEOPLE[2][0]);
    photo("20260002.jpg", b"no picture");
    let out = enrol(&["--photos", "photos", "--consents-on-file"]);
    let (said, told) =
        (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert_eq!(out.status.code(), Some(1), "{told}");
    assert!(said.contains("enrolled 1 people; 2 people in the gallery"), "{said}");
    for trouble in [
        "7.jpg: nobody of the plan has this number",
        "20260002.jpg",
        &format!("this face is enrolled as {}", "1".repeat(32)),
        "3 pictures or people could not be used",
    ] {
        assert!(told.contains(trouble), "{trouble} in {told}");
    }
    let renewed = terminal(&folder, "renew-templates", &[]);
    assert!(renewed.status.success(), "{}", String::from_utf8_lossy(&renewed.stderr));
    // Renewed templates are still compared: the same face is still somebody's.
    let again = enrol(&["--photos", "photos", "--consents-on-file"]);
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains(&format!("this face is enrolled as {}", "1".repeat(32))), "{told}");
}
