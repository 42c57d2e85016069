//! The whole way with real processes and a real Mosquitto, as a site and a centre run it: set up,
//! register, enrol, stand before the camera, see it on the page, export, verify.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rollcall::domain::Timestamp;
use rollcall::platform::clock::{Clock, SystemClock};

use crate::face_data::people;
use crate::support::broker::eventually;
use crate::support::day::{rollcall, verify, write};
use crate::support::mosquitto::Mosquitto;
use crate::web_fixture::snapshot;

const PERSON: &str = "00112233445566778899aabbccddeeff";

/// A running role; asked to end when dropped.
struct Role {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Role {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(arguments)
            .env("XDG_DATA_HOME", "/nowhere")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::sync_channel(1_000);
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The first line that contains this.
    fn line(&self, with: &str) -> String {
        let mut found = None;
        eventually(with, || {
            found = self.lines.try_iter().find(|line| line.contains(with));
            found.is_some()
        });
        found.unwrap()
    }

    /// The most memory that it has held (VmHWM of proc_pid_status(5)), in MB.
    fn memory_peak_mb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Asks it to end as systemd does; it must end cleanly.
    fn end(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // Already ended is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn ran(arguments: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(arguments)
        .env("XDG_DATA_HOME", "/nowhere")
        .output()
        .unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn a_face_before_the_camera_becomes_a_verifiable_line_on_the_page() {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |path: &PathBuf| path.to_str().unwrap().to_owned();

    // The centre.
    let (centre, terminal) = (text(&at("collector.toml")), text(&at("terminal.toml")));
    write(
        &at("collector.toml"),
        format!(
            "data_dir = {:?}\n[broker]\nport = {}\n[web]\nlisten = \"127.0.0.1:0\"\n",
            at("centre"),
            broker.port()
        ),
    );
    let trust = ran(&["collector", "init", "--config", &centre]);
    let receipt_key = trust.lines().find_map(|line| line.strip_prefix("receipt ")).unwrap();

    // The terminal: its lesson runs now.
    let now = SystemClock::start().now();
    let shanghai = |at: Timestamp| at.to_string();
    let (starts, ends) = (shanghai(now.plus_ms(-600_000)), shanghai(now.plus_ms(3_600_000)));
    let replay = at("replay");
    fs::create_dir(&replay).unwrap();
    let pictures = &people()[1].1;
    for picture in &pictures[3..] {
        fs::copy(picture, replay.join(picture.file_name().unwrap())).unwrap();
    }
    write(
        &at("terminal.toml"),
        format!(
            "[terminal]\nid = \"t-1\"\nkey_file = {:?}\n[centre]\nreceipt_key = {receipt_key:?}\n\
             [journal]\ndir = {:?}\n[uplink]\nbroker_port = {}\n[site]\nplan_file = {:?}\n\
             [face]\ngallery_file = {:?}\ngallery_key_file = {:?}\n[camera]\nreplay = {replay:?}\n[checkin]\npictures_min = 1\n[kiosk]\nlisten = \"127.0.0.1:0\"\n",
            at("terminal.key"),
            at("journal"),
            broker.port(),
            at("plan.toml"),
            at("gallery.sealed"),
            at("gallery.key"),
        ),
    );
    write(
        &at("plan.toml"),
        format!(
            "site = \"s-1\"\n[[class]]\nid = \"c-1\"\npeople = [\"{PERSON}\"]\n[[lesson]]\n\
             id = \"l-1\"\nclass = \"c-1\"\nstarts = \"{starts}\"\nends = \"{ends}\"\n"
        ),
    );
    let registration = ran(&["terminal", "init", "--config", &terminal]);
    let mut enrol = vec!["terminal", "enrol", "--config", &terminal, "--person", PERSON];
    let enrolled: Vec<_> = pictures[..3].iter().map(text).collect();
    enrol.extend(enrolled.iter().map(String::as_str));
    ran(&enrol);
    let sealed = fs::read(at("gallery.sealed")).unwrap();
    let person = data_encoding::HEXLOWER.decode(PERSON.as_bytes()).unwrap();
    assert!(!sealed.windows(16).any(|window| window == person), "templates are encrypted");

    // Registered at the centre.
    let registration = registration.replace("[[terminal]]\n", "[[terminal]]\nsite = \"s-1\"\n");
    write(
        &at("facts.toml"),
        format!(
            "[[institution]]\nid = \"i-1\"\nname = {{ zh = \"华新\", en = \"Huaxin\" }}\n\
             [[site]]\nid = \"s-1\"\ninstitution = \"i-1\"\nname = {{ zh = \"一号\", en = \"One\" }}\n\
             town = {{ zh = \"绵阳\", en = \"Mianyang\" }}\n\
             place = {{ latitude_e6 = 31467500, longitude_e6 = 104679600 }}\n{registration}"
        ),
    );
    ran(&["collector", "register", "--config", &centre, &text(&at("facts.toml"))]);

    // Both run.
    let collector = Role::start(&["collector", "run", "--config", &centre]);
    let page = collector.line("live page at").split("http://").nth(1).unwrap().to_owned();
    let kiosk = Role::start(&["terminal", "run", "--config", &terminal]);
    let green = kiosk.line("签到成功");
    assert!(green.contains("t-1 ✔") && green.contains("Checked in"), "{green}");
    eventually("the attendance is on the page", || {
        let stream = snapshot(&page);
        stream.contains("\"event\":\"check_in\"") && stream.contains("\"terminal\":\"t-1\"")
    });
    assert!(!snapshot(&page).contains(PERSON), "no person's id on the page");
    kiosk.line("the replay is over");
    let peak = kiosk.memory_peak_mb();
    assert!(peak <= 200, "{peak} MB");
    kiosk.end();
    // The same person after a restart in the middle of the lesson: still in.
    let kiosk = Role::start(&["terminal", "run", "--config", &terminal]);
    kiosk.line("您已签到");
    kiosk.line("the replay is over");
    kiosk.end();
    collector.end();

    // And verifiable, without either.
    let (bundle, trusted) = (at("t.bundle"), at("trust"));
    ran(&["collector", "export", "--config", &centre, "--out", &text(&bundle)]);
    write(&trusted, trust);
    let (code, said) = verify(&trusted, &bundle);
    assert_eq!(code, 0, "{said}");
    // The template that was made by hand is on record; of six looks at one person who stood still, one
    // was a coming and one a coming back.
    assert!(said.contains("t-1 1–3"), "{said}");
    let out = rollcall(&["verify", "--trust", &text(&bundle), &text(&bundle)]);
    assert_eq!(out.status.code(), Some(2), "a bundle is no trust file");
}
