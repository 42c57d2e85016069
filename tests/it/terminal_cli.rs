//! The terminal's commands through the real binary: nothing silent, nothing twice, and every
//! mistake told in three lines.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rollcall::terminal::RawConfig;
use tempfile::TempDir;

use crate::support::broker::free_port;
use crate::support::day::{rollcall, write};

const RECEIPT_KEY: &str = "ed25519:NwqsMdLDsmUYNluLqu2xYjnodBO8fLfX/FmGtSFNXi8=";

struct Site {
    folder: TempDir,
    config: PathBuf,
}

impl Site {
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("terminal.toml");
        let at = |name: &str| folder.path().join(name);
        let text = format!(
            "[terminal]\nid = \"t-1\"\nkey_file = {:?}\n[centre]\nreceipt_key = \"{RECEIPT_KEY}\"\n\
             [journal]\ndir = {:?}\n[face]\ngallery_file = {:?}\ngallery_key_file = {:?}\n\
             [site]\nplan_file = {:?}\n[uplink]\nbroker_port = {}\n{more}\n",
            at("terminal.key"),
            at("journal"),
            at("gallery.sealed"),
            at("gallery.key"),
            at("plan.toml"),
            free_port(),
        );
        write(&config, text);
        Self { folder, config }
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        let config = self.config.to_str().unwrap();
        let mut arguments = vec!["terminal", command, "--config", config];
        arguments.extend(more);
        rollcall(&arguments)
    }
}

#[track_caller]
fn told(out: &Output, code: i32, what: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{said}");
    assert!(said.contains(what), "{said}");
    assert!(said.starts_with("rollcall terminal: "), "{said}");
    assert!(said.contains("\n  because: ") && said.contains("\n  hint: "), "{said}");
}

#[test]
fn shipped_configuration_is_the_default_and_names_every_field() {
    let shipped = include_str!("../../firmware-config/terminal.toml");
    let read: RawConfig = toml::from_str(shipped).unwrap();
    assert_eq!(read, RawConfig::default());

    // What has no default stands there as a comment.
    let all = shipped.replace("# id =", "id =").replace("# receipt_key =", "receipt_key =");
    let named: toml::Table = all.replace("# live_min =", "live_min =").parse().unwrap();
    let mut full = RawConfig::default();
    full.terminal.id = Some("huaxin-1-a".into());
    full.centre.receipt_key = Some("ed25519:…".into());
    full.checkin.live_min = Some(0.5);
    assert_eq!(named, toml::Table::try_from(full).unwrap(), "every field stands in the file");
}

#[test]
fn init_makes_private_keys_and_a_journal_once_and_run_makes_nothing() {
    let site = Site::new();
    told(&site.run("run", &[]), 3, "terminal init");
    assert!(!site.folder.path().join("journal").exists(), "run made a journal");

    let made = site.run("init", &[]);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let said = String::from_utf8_lossy(&made.stdout);
    assert!(said.contains("id = \"t-1\"") && said.contains("key = \"ed25519:"), "{said}");
    for key in ["terminal.key", "gallery.key"] {
        let mode = fs::metadata(site.folder.path().join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let before = fs::read(site.folder.path().join("terminal.key")).unwrap();
    told(&site.run("init", &[]), 2, "is there already");
    assert_eq!(fs::read(site.folder.path().join("terminal.key")).unwrap(), before);
}

#[test]
fn journal_of_another_key_is_refused_with_both_names() {
    let (mine, other) = (Site::new(), Site::new());
    assert!(mine.run("init", &[]).status.success());
    assert!(other.run("init", &[]).status.success());
    fs::copy(other.folder.path().join("terminal.key"), mine.folder.path().join("terminal.key"))
        .unwrap();
    told(&mine.run("run", &[]), 2, "belongs to terminal t-1");
}

#[test]
fn key_that_others_may_read_is_not_trusted() {
    let site = Site::new();
    assert!(site.run("init", &[]).status.success());
    let key = site.folder.path().join("terminal.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    told(&site.run("run", &[]), 2, "644");
}

#[test]
fn wrong_configurations_are_told_with_the_field() {
    for (more, what) in [
        ("retry_ms_min = 0", "retry_ms_min"),
        ("speed = 3", "unknown field `speed`"),
        ("[kiosk]\nport = 1", "unknown field `port`"),
        ("[kiosk]\nlisten = \"0.0.0.0:80\"", "not on loopback"),
        ("[clock]\ntolerance_ms = 5", "tolerance_ms"),
        ("[journal2]", "unknown field `journal2`"),
        ("[camera]\nframe_ms = 0", "frame_ms"),
        ("[camera]\nstream = \"https://camera/\"", "must begin with http://"),
        ("[camera]\nstream = \"http://camera:0/\"", "port 0"),
        ("[camera]\nstream = \"http://camera/\"\nreplay = \"/tmp\"", "exclude each other"),
        ("[camera]\ndevice = \"/dev/video0\"\nrate = 0", "rate 1 to 120"),
        ("[face2]\nthreads = 0", "unknown field `face2`"),
    ] {
        told(&Site::with(more).run("check-config", &[]), 2, what);
    }
    let missing = rollcall(&["terminal", "check-config", "--config", "/no/such/file.toml"]);
    told(&missing, 2, "/no/such/file.toml");
}

#[test]
fn wrong_plan_is_told_with_the_lesson() {
    let site = Site::with("[camera]\nreplay = \"/tmp\"");
    told(&site.run("check-config", &[]), 2, "plan.toml");
    let lesson = |class: &str, starts: &str, ends: &str| {
        format!(
            "site = \"s-1\"\n[[class]]\nid = \"c-1\"\npeople = []\n[[lesson]]\nid = \"l-1\"\n\
             class = \"{class}\"\nstarts = \"{starts}\"\nends = \"{ends}\"\n"
        )
    };
    let plan = site.folder.path().join("plan.toml");
    for (text, what) in [
        (lesson("c-2", "2026-03-02 08:30", "2026-03-02 09:30"), "class c-2"),
        (lesson("c-1", "2026-03-02 08:30", "2026-03-02 08:30"), "ends before it starts"),
        (lesson("c-1", "half past eight", "2026-03-02 08:30"), "lesson l-1 has a wrong time"),
        ("site = \"s-1\"\nplace = 3".into(), "unknown field `place`"),
    ] {
        write(&plan, text);
        told(&site.run("check-config", &[]), 2, what);
    }
    write(&plan, lesson("c-1", "2026-03-02 08:30", "2026-03-02 11:30"));
    assert!(site.run("check-config", &[]).status.success());
}

#[test]
fn huge_configuration_is_told_and_not_read() {
    let site = Site::new();
    write(&site.config, "#".repeat(1_000_000));
    told(&site.run("check-config", &[]), 2, "larger than");
}

#[test]
fn missing_journal_leads_to_init_and_is_not_made() {
    let site = Site::new();
    assert!(site.run("init", &[]).status.success());
    fs::remove_dir_all(site.folder.path().join("journal")).unwrap();
    told(&site.run("run", &[]), 3, "terminal init");
    assert!(!site.folder.path().join("journal").exists());
}

#[test]
fn key_file_without_a_key_is_told() {
    let site = Site::new();
    assert!(site.run("init", &[]).status.success());
    write(&site.folder.path().join("terminal.key"), "not a key");
    told(&site.run("run", &[]), 2, "64 hexadecimal digits");
}

#[test]
fn unreachable_broker_is_told_and_stops_nothing_until_the_signal() {
    let site = Site::new();
    assert!(site.run("init", &[]).status.success());
    for signal in ["INT", "TERM"] {
        let mut running = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["terminal", "run", "--config"])
            .arg(&site.config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
        let mut next = || lines.next().expect("it told before it ended").unwrap();
        assert!(next().starts_with("rollcall terminal: could not reach the broker at 127.0.0.1:"));
        assert!(next().starts_with("  because: "));
        assert!(next().starts_with("  hint: records are kept"));
        // One process per journal: a second one is told so, and the first goes on.
        told(&site.run("run", &[]), 3, "another process uses it");

        let pid = running.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let mut said = String::new();
        running.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(running.wait().unwrap().success(), "{signal}: {said}");
        assert!(said.contains("ended, 0 records wait"), "{said}");
    }
}
