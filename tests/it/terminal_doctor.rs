//! `rollcall terminal doctor` through the real binary: a healthy terminal is ok in every part, and each
//! thing that is broken gives its finding, with what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::{Rgb, RgbImage};
use rollcall::domain::{Policy, Timestamp};
use rollcall::journal::{Bounds, Journal};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::platform::secret;
use rollcall::record::{ReadingKey, SigningKey};
use serde_json::Value;
use tempfile::TempDir;

use crate::face_data::people;
use crate::support::broker::free_port;
use crate::support::day::{rollcall, write};
use crate::support::fine;
use crate::support::mosquitto::Mosquitto;
use crate::support::town::Town;

const RECEIPT_KEY: &str = "ed25519:NwqsMdLDsmUYNluLqu2xYjnodBO8fLfX/FmGtSFNXi8=";
const PERSON: &str = "00112233445566778899aabbccddeeff";

/// A terminal that is set up, with somebody enrolled where it has a camera.
struct Ward {
    folder: TempDir,
}

impl Ward {
    /// Without a camera: it only brings its records to the centre.
    fn blind(broker_port: u16) -> Self {
        Self::with(broker_port, "")
    }

    /// With a camera before which somebody stands, who is enrolled and has a lesson.
    fn seeing(broker_port: u16) -> Self {
        let ward = Self::with(broker_port, "");
        fs::create_dir(ward.at("replay")).unwrap();
        let pictures = &people()[1].1;
        for picture in &pictures[3..] {
            fs::copy(picture, ward.at("replay").join(picture.file_name().unwrap())).unwrap();
        }
        let config = fs::read_to_string(ward.config()).unwrap();
        write(&ward.config(), format!("{config}[camera]\nreplay = {:?}\n", ward.at("replay")));
        ward.plan(0);
        let config = ward.config();
        let mut enrol = vec!["terminal", "enrol", "--config", config.to_str().unwrap()];
        enrol.extend(["--person", PERSON]);
        enrol.extend(pictures[..3].iter().map(|path| path.to_str().unwrap()));
        fine(&rollcall(&enrol));
        ward
    }

    fn with(broker_port: u16, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ward = Self { folder };
        let text = format!(
            "[terminal]\nid = \"t-1\"\nkey_file = {:?}\n[centre]\nreceipt_key = \"{RECEIPT_KEY}\"\n\
             [journal]\ndir = {:?}\nbytes_max = 1000000\nkept_bytes_max = 1000000\n\
             [face]\ngallery_file = {:?}\ngallery_key_file = {:?}\n\
             [site]\nplan_file = {:?}\n[uplink]\nbroker_port = {broker_port}\n{more}",
            ward.at("terminal.key"),
            ward.at("journal"),
            ward.at("gallery.sealed"),
            ward.at("gallery.key"),
            ward.at("plan.toml"),
        );
        write(&ward.config(), text);
        fine(&rollcall(&["terminal", "init", "--config", ward.config().to_str().unwrap()]));
        ward
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.at("terminal.toml")
    }

    /// A lesson that begins in so many days.
    fn plan(&self, days: i64) {
        let starts = now().plus_ms(days * 86_400_000);
        let text = format!(
            "site = \"s-1\"\n[[class]]\nid = \"c-1\"\npeople = [\"{PERSON}\"]\n[[lesson]]\n\
             id = \"l-1\"\nclass = \"c-1\"\nstarts = \"{starts}\"\nends = \"{}\"\n",
            starts.plus_ms(3_600_000)
        );
        write(&self.at("plan.toml"), text);
    }

    fn examined(&self) -> Examined {
        Examined::of(&self.config())
    }

    fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{text}");
        write(&self.config(), text.replace(from, to));
    }

    /// The journal of a terminal that stands still.
    fn journal(&self) -> Journal {
        let key = SigningKey::from_secret(&secret::read(&self.at("terminal.key")).unwrap());
        let (id, key) = ("t-1".parse().unwrap(), key.verifying_key().id());
        Journal::open(&self.at("journal"), &id, key, Bounds::default()).unwrap()
    }
}

fn now() -> Timestamp {
    SystemClock::start().now()
}

/// What the doctor said, as JSON.
struct Examined {
    exit: Option<i32>,
    findings: Vec<Value>,
}

impl Examined {
    fn of(config: &Path) -> Self {
        let out = doctor(config, &["--json"]);
        let told: Value = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
        Self { exit: out.status.code(), findings: told["findings"].as_array().unwrap().clone() }
    }

    fn part(&self, part: &str) -> &Value {
        let found = self.findings.iter().find(|finding| finding["part"] == part);
        found.unwrap_or_else(|| panic!("nothing on {part} in {:#?}", self.findings))
    }

    /// This part alone is not ok, and is so; what is said of it has these words.
    #[track_caller]
    fn only(&self, part: &str, state: &str, words: &[&str]) {
        let bad: Vec<_> = self.findings.iter().filter(|finding| finding["state"] != "ok").collect();
        assert!(bad.iter().all(|finding| finding["part"] == part), "{bad:#?}");
        self.has(part, state, words);
    }

    #[track_caller]
    fn has(&self, part: &str, state: &str, words: &[&str]) {
        let finding = self.part(part);
        assert_eq!(finding["state"], state, "{finding:#}");
        let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        for field in ["what", "because", "hint"] {
            assert!(!text(field).is_empty(), "{field}: {finding:#}");
        }
        let said = [text("what"), text("because"), text("hint")].join("\n");
        words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
        let wrong = self.findings.iter().any(|finding| finding["state"] == "wrong");
        assert_eq!(self.exit, Some(i32::from(wrong)), "{:#?}", self.findings);
    }
}

fn doctor(config: &Path, more: &[&str]) -> Output {
    let command = ["terminal", "doctor", "--config", config.to_str().unwrap()];
    rollcall(&[&command, more].concat())
}

#[test]
fn a_healthy_terminal_is_ok_in_every_part() {
    let broker = Mosquitto::start();
    let ward = Ward::seeing(broker.port());
    let examined = ward.examined();
    let parts: Vec<_> =
        examined.findings.iter().map(|found| found["part"].as_str().unwrap()).collect();
    let all = [
        "camera",
        "light",
        "clock",
        "disk",
        "journal",
        "key",
        "network",
        "policy",
        "evidence",
        "models",
        "templates",
        "plan",
    ];
    assert_eq!(parts, all);
    assert!(
        examined.findings.iter().all(|found| found["state"] == "ok"),
        "{:#?}",
        examined.findings
    );
    assert_eq!(examined.exit, Some(0));
    let lines = fine(&doctor(&ward.config(), &[]));
    assert_eq!(lines.lines().count(), all.len() + 1, "{lines}");
    assert!(
        lines.lines().all(|line| line.starts_with("ok ") || line.contains("0 wrong")),
        "{lines}"
    );
}

#[test]
fn a_terminal_behind_mutual_tls_is_let_in_or_told_why_not() {
    let mut town = Town::running();
    fine(&town.init("t-101", &town.token("t-101")));
    let examined = Examined::of(&town.device("t-101"));
    assert_eq!(examined.part("certificate")["state"], "ok");
    assert!(examined.part("network")["what"].as_str().unwrap().contains("lets it in over TLS"));

    // The certificate of one terminal and the key of another.
    fine(&town.init("t-102", &town.token("t-102")));
    let own = fs::read(town.files("t-101").cert).unwrap();
    write(&town.files("t-101").cert, fs::read(town.files("t-102").cert).unwrap());
    let examined = Examined::of(&town.device("t-101"));
    examined.has("certificate", "wrong", &["not for the key", "renew"]);
    write(&town.files("t-101").cert, own);

    // Somebody shows a certificate for another name.
    town.stop_broker();
    town.certify_broker(&["elsewhere.example"]);
    town.start_broker();
    let examined = Examined::of(&town.device("t-102"));
    examined.has("network", "wrong", &["could not agree on TLS", "elsewhere.example"]);
}

#[test]
fn a_broker_that_is_away_or_is_none_is_told_with_its_address() {
    let mut broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    broker.stop();
    let examined = ward.examined();
    examined.has("network", "wrong", &["could not connect to 127.0.0.1", "[uplink]"]);
    examined.has("camera", "warning", &["no camera"]);
}

#[test]
fn a_running_terminal_is_examined_without_throwing_it_off_the_broker() {
    let broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    let _held = ward.journal();
    let examined = ward.examined();
    let what = |part: &str| examined.part(part)["what"].as_str().unwrap().to_owned();
    assert!(what("journal").contains("running terminal"), "{}", what("journal"));
    assert!(what("network").contains("answers over plain TCP"), "{}", what("network"));
    assert_eq!(examined.exit, Some(0));
}

#[test]
fn keys_that_are_missing_open_to_others_or_of_another_terminal_are_told() {
    let broker = Mosquitto::start();
    let (ward, other) = (Ward::blind(broker.port()), Ward::blind(free_port()));
    let key = ward.at("terminal.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    ward.examined().has("key", "wrong", &["644", "chmod 600"]);
    fs::copy(other.at("terminal.key"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    ward.examined().has("key", "wrong", &["not the journal's", "backup"]);
    fs::remove_file(&key).unwrap();
    ward.examined().has("key", "wrong", &["there is none"]);
}

#[test]
fn a_clock_behind_what_the_centre_has_signed_is_told() {
    let broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    let tomorrow = now().plus_ms(86_400_000);
    ward.journal().note_signed_time_durably(tomorrow).unwrap();
    let examined = ward.examined();
    examined.has("clock", "wrong", &[&tomorrow.to_string(), "set the clock"]);
}

#[test]
fn a_journal_that_is_missing_or_damaged_and_a_small_disk_are_told() {
    let broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    ward.change("kept_bytes_max = 1000000", "kept_bytes_max = 1000000000000000");
    ward.examined().has("disk", "warning", &["less room", "kept_bytes_max"]);
    ward.change("kept_bytes_max = 1000000000000000", "kept_bytes_max = 1000000");
    for copy in ["a", "b"] {
        for file in fs::read_dir(ward.at("journal").join(copy)).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = fs::read(&path).unwrap();
            bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
            write(&path, bytes);
        }
    }
    ward.examined().has("journal", "wrong", &["damaged", "journal check"]);
    fs::remove_dir_all(ward.at("journal")).unwrap();
    let examined = ward.examined();
    examined.has("journal", "wrong", &["there is none", "terminal init"]);
    examined.has("disk", "wrong", &["could not write", "mounted"]);
    assert!(!ward.at("journal").exists(), "the doctor makes nothing");
}

#[test]
fn a_policy_that_is_damaged_or_not_yet_in_force_is_told() {
    let broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    let shipped = include_str!("../../firmware-config/policies/sichuan-2025.toml");
    write(&ward.at("policy.toml"), shipped.replace("2025-07-21", "2999-01-01"));
    let named = format!("id = \"t-1\"\npolicy_file = {:?}", ward.at("policy.toml"));
    ward.change("id = \"t-1\"", &named);
    ward.examined().has("policy", "wrong", &["not in force", "2999-01-01", "clock"]);
    write(&ward.at("policy.toml"), "nonsense");
    ward.examined().has("policy", "wrong", &["could not use the policy profile"]);
}

#[test]
fn what_people_are_recognised_with_is_told_part_by_part() {
    let broker = Mosquitto::start();
    let ward = Ward::seeing(broker.port());

    ward.plan(30);
    ward.examined().only("plan", "warning", &["no lesson is near", "l-1", "timetable"]);
    write(&ward.at("plan.toml"), "nonsense");
    ward.examined().has("plan", "wrong", &["plan.toml"]);
    ward.plan(0);

    let other = "ffeeddccbbaa99887766554433221100";
    let plan = fs::read_to_string(ward.at("plan.toml")).unwrap();
    write(&ward.at("plan.toml"), plan.replace(PERSON, other));
    ward.examined().only("templates", "warning", &["1 of 1", "terminal enrol"]);
    ward.plan(0);
    let gallery = fs::read(ward.at("gallery.sealed")).unwrap();
    fs::remove_file(ward.at("gallery.sealed")).unwrap();
    ward.examined().only("templates", "wrong", &["gallery.sealed", "enrol"]);
    write(&ward.at("gallery.sealed"), gallery);

    ward.change("[face]\n", "[face]\npack = \"nobodys\"\n");
    ward.examined().only("models", "wrong", &["nobodys"]);
}

#[test]
fn a_camera_that_gives_nothing_or_darkness_is_told() {
    let broker = Mosquitto::start();
    let ward = Ward::seeing(broker.port());
    let only = |name: &str, level: u8, noise: bool| {
        fs::remove_dir_all(ward.at("replay")).unwrap();
        fs::create_dir(ward.at("replay")).unwrap();
        let noise = |x: u32, y: u32| if noise { u8::try_from((x * y) % 90).unwrap() } else { 0 };
        let picture = RgbImage::from_fn(64, 48, |x, y| Rgb([level.saturating_add(noise(x, y)); 3]));
        picture.save(ward.at("replay").join(name)).unwrap();
    };
    only("dark.png", 3, false);
    ward.examined().only("light", "wrong", &["too dark", "mean grey level 3", "light"]);
    only("bright.png", 250, true);
    ward.examined().only("light", "wrong", &["too bright", "window"]);
    only("grey.png", 100, false);
    ward.examined().only("light", "wrong", &["shows nothing", "lens"]);

    // The same picture again and again: somebody feeds it.
    only("same-1.png", 60, true);
    fs::copy(ward.at("replay/same-1.png"), ward.at("replay/same-2.png")).unwrap();
    ward.examined().only("camera", "warning", &["the same", "unplug"]);
    only("broken.png", 60, true);
    write(&ward.at("replay/broken.png"), "no picture");
    ward.examined().only("camera", "wrong", &["no picture comes", "neither JPEG nor PNG"]);
    fs::remove_file(ward.at("replay/broken.png")).unwrap();
    ward.examined().only("camera", "wrong", &["no picture"]);
}

#[test]
fn a_camera_that_is_away_is_told_with_its_address_and_without_its_password() {
    let broker = Mosquitto::start();
    let ward = Ward::seeing(broker.port());
    let port = free_port();
    let replay = format!("replay = {:?}", ward.at("replay"));
    ward.change(&replay, &format!("stream = \"http://eye:secret@127.0.0.1:{port}/v?key=hidden\""));
    let examined = ward.examined();
    examined.only("camera", "wrong", &[&format!("http://127.0.0.1:{port}/v"), "cable"]);
    let said = format!("{:?}", examined.findings);
    assert!(!said.contains("secret") && !said.contains("hidden"), "{said}");
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error_of_usage() {
    let out = doctor(Path::new("/no/such/file.toml"), &[]);
    crate::support::refused(&out, 2, &["/no/such/file.toml"]);
}

#[test]
fn evidence_pictures_that_are_demanded_and_not_kept_are_told() {
    let broker = Mosquitto::start();
    let ward = Ward::blind(broker.port());
    let (profile, evidence) = (ward.at("policy.toml"), ward.at("evidence"));
    let demanded = Policy::sichuan_2025().text().replacen("value = false", "value = true", 1);
    write(&profile, demanded);
    ward.change("id = \"t-1\"", &format!("id = \"t-1\"\npolicy_file = {profile:?}"));
    let text = fs::read_to_string(ward.config()).unwrap();
    write(&ward.config(), format!("{text}[evidence]\ndir = {evidence:?}\nbytes_max = 2000000\n"));
    let says = ["none is kept", "key is empty", "collector picture init"];
    ward.examined().has("evidence", "warning", &says);

    let key = ReadingKey::from_secret(&[1; 32]).public();
    ward.change("[evidence]", &format!("[evidence]\nkey = \"{key}\""));
    assert_eq!(ward.examined().part("evidence")["state"], "ok");
    fs::create_dir(&evidence).unwrap();
    for seq in 1..=2 {
        write(&evidence.join(format!("{seq}.picture")), vec![0; 900_000]);
    }
    ward.examined().has("evidence", "warning", &["little room", "90 %", "evidence export"]);
}
