//! `rollcall policy`: what whoever writes a profile reads.

use std::path::Path;

use crate::support::day::{rollcall, write};
use crate::support::{fine, refused};

const SHIPPED: &str = include_str!("../../firmware-config/policies/hebei-2024.toml");

fn check(path: &Path) -> std::process::Output {
    rollcall(&["policy", "check", path.to_str().unwrap()])
}

#[test]
fn five_profiles_are_listed_and_each_number_shown_with_its_ground() {
    let listed = fine(&rollcall(&["policy", "list"]));
    for name in ["sichuan-2025/2", "hebei-2024/1", "guizhou/1", "changchun-2019/1", "hubei-2022/1"]
    {
        assert!(listed.contains(name), "{name} in {listed}");
    }
    assert!(listed.contains("2019-09-04 – 2021-12-31"), "{listed}");
    let shown = fine(&rollcall(&["policy", "show", "hubei-2022"]));
    for part in [
        "subsidies_per_year_max = 3   [二(一) 硬性 hard]",
        "online_share_max_percent = 30   [一(二) 原则 soft]",
        "hours_per_day_max = 10   [运营方 operator]",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("employed_within_months"), "its text says nothing of it");
    refused(&rollcall(&["policy", "show", "atlantis"]), 2, &["could not read atlantis", "guizhou"]);
}

#[test]
fn a_sixth_profile_is_written_without_touching_the_program_and_each_mistake_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.toml");
    let text = SHIPPED.replacen("name = \"hebei-2024\"", "name = \"our-city\"", 1);
    write(&own, &text);
    let said = fine(&check(&own));
    assert!(said.contains("fine. our-city/1") && said.contains("9 of them law"), "{said}");
    let broken = text.replacen("value = 50\n", "value = 500\n", 1).replacen(
        "modality = \"soft\"",
        "modality = \"firm\"",
        1,
    );
    write(&own, &broken);
    let line = |part: &str| 1 + broken.lines().position(|line| line.contains(part)).unwrap();
    let out = check(&own);
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{told}");
    for mistake in [
        format!("line {}: 500 is not within 0 to 100", line("value = 500")),
        format!("line {}: unknown variant `firm`", line("\"firm\"")),
    ] {
        assert!(told.contains(&mistake), "{mistake} in {told}");
    }
    // The name and version of another one would make anomalies say what is not so.
    let other = SHIPPED.replacen("value = 50\n", "value = 40\n", 1);
    write(&own, &other);
    refused(&check(&own), 1, &["the shipped hebei-2024/1", "raise `version`"]);
}

#[test]
fn a_collector_and_a_terminal_take_each_profile_of_the_program_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collector.toml");
    let config = |name: &str| {
        write(&file, format!("data_dir = {:?}\n[rules]\npolicy = {name:?}\n", folder.path()));
        rollcall(&["collector", "check-config", "--config", file.to_str().unwrap()])
    };
    for name in ["hebei-2024", "guizhou", "changchun-2019", "hubei-2022"] {
        fine(&config(name));
    }
    let out = config("atlantis");
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{told}");
    assert!(told.contains("rules.policy") && told.contains("rollcall policy list"), "{told}");
    let device = folder.path().join("terminal.toml");
    let receipt_key = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let terminal = |name: &str| {
        let text = format!(
            "[terminal]\nid = \"t-1\"\npolicy = {name:?}\n[centre]\nreceipt_key = {receipt_key:?}\n"
        );
        write(&device, text);
        rollcall(&["terminal", "check-config", "--config", device.to_str().unwrap()])
    };
    refused(&terminal("atlantis"), 2, &["policy is \"atlantis\"", "hebei-2024"]);
}
