//! `rollcall terminal` as people meet it: the real program, its three lines, its exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::mosquitto::free_port;
use crate::support::records::receipt_verifying_key;

struct Home {
    dir: TempDir,
    broker_port: u16,
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), broker_port: free_port() };
        home.configure("terminal-1", "");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self, terminal: &str, more: &str) {
        let text = format!(
            "[terminal]\nid = \"{terminal}\"\nkey_file = \"{}\"\n\
             [centre]\nreceipt_key = \"{}\"\n[journal]\ndir = \"{}\"\n\
             [uplink]\nbroker_port = {}\n{more}",
            self.path("keys/terminal.key").display(),
            receipt_verifying_key(),
            self.path("journal").display(),
            self.broker_port,
        );
        write(&self.path("terminal.toml"), &text);
    }

    fn command(&self, word: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(["terminal", word, "--config"]).arg(self.path("terminal.toml"));
        command
    }

    fn rollcall(&self, word: &str) -> Output {
        self.command(word).output().unwrap()
    }
}

fn write(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "scratch need not be durable")]
    fs::write(path, text).unwrap();
}

/// The three lines and the exit code, and nothing else.
fn told(output: &Output, code: i32, what: &str, because: &str, hint: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    let (first, rest) = said.split_once("\n  because: ").unwrap_or_else(|| panic!("{said}"));
    let (reason, advice) = rest.split_once("\n  hint: ").unwrap_or_else(|| panic!("{said}"));
    assert!(first.starts_with("rollcall terminal: could not"), "{said}");
    assert!(first.contains(what), "{what:?} in {said}");
    assert!(reason.contains(because), "{because:?} in {said}");
    assert!(advice.contains(hint), "{hint:?} in {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn init_makes_a_key_for_the_owner_alone_and_a_journal_and_never_again() {
    let home = Home::new();
    let made = home.rollcall("init");
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(said.contains("ed25519:"), "the key to register: {said}");
    let key = home.path("keys/terminal.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&key).unwrap();
    assert!(!said.contains(secret.trim()), "the private key is never printed");

    told(&home.rollcall("init"), 2, "make a key", "there is one already", "never replaced");
    assert_eq!(fs::read_to_string(&key).unwrap(), secret);
    fs::remove_file(&key).unwrap();
    told(&home.rollcall("init"), 2, "make a journal", "there is one already", "never replaced");
}

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let home = Home::new();
    home.configure("terminal-1", "borker_host = \"x\"\n");
    for word in ["check-config", "init", "run"] {
        let output = home.rollcall(word);
        told(&output, 2, "terminal.toml", "unknown field `borker_host`", "every field");
        assert!(String::from_utf8(output.stderr).unwrap().contains("line 10"));
    }
    assert!(!home.path("keys").exists(), "nothing is made by a wrong configuration");
}

#[test]
fn a_missing_or_huge_configuration_is_told() {
    let home = Home::new();
    fs::remove_file(home.path("terminal.toml")).unwrap();
    told(&home.rollcall("check-config"), 2, "read the configuration", "No such file", "--config");
    write(&home.path("terminal.toml"), &"#".repeat(1_000_000));
    told(&home.rollcall("check-config"), 2, "read the configuration", "larger than", "--config");
}

#[test]
fn a_good_configuration_is_fine_and_touches_nothing() {
    let home = Home::new();
    let output = home.rollcall("check-config");
    assert!(output.status.success(), "{output:?}");
    assert!(!home.path("keys").exists() && !home.path("journal").exists());
}

#[test]
fn a_missing_key_and_a_missing_journal_lead_to_init() {
    let home = Home::new();
    told(&home.rollcall("run"), 2, "read the key", "there is none", "terminal init");
    assert!(home.rollcall("init").status.success());
    fs::remove_dir_all(home.path("journal")).unwrap();
    told(&home.rollcall("run"), 2, "open the journal", "there is none", "terminal init");
    assert!(!home.path("journal").exists());
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_is_refused() {
    let home = Home::new();
    assert!(home.rollcall("init").status.success());
    let key = home.path("keys/terminal.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    told(&home.rollcall("run"), 2, "trust the key", "others may read it", "chmod 600");
    write(&key, "not a key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    told(&home.rollcall("run"), 2, "read the key", "64 hexadecimal digits", "restore");
}

#[test]
fn a_foreign_journal_is_refused() {
    let home = Home::new();
    assert!(home.rollcall("init").status.success());
    home.configure("terminal-2", "");
    let because = "it belongs to terminal terminal-1";
    told(&home.rollcall("run"), 2, "open the journal", because, "same terminal");
}

#[test]
fn an_unreachable_broker_is_told_and_stops_nothing_until_the_signal() {
    let home = Home::new();
    assert!(home.rollcall("init").status.success());
    for signal in ["INT", "TERM"] {
        let mut running =
            home.command("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
        let mut next = || lines.next().expect("it told before it ended").unwrap();
        let what = format!("could not reach the broker at 127.0.0.1:{}", home.broker_port);
        assert_eq!(next(), format!("rollcall terminal: {what}"));
        assert!(next().contains("because: "));
        assert!(next().contains("hint: records are kept"));
        // One terminal per journal: the second is told that it is in use.
        told(&home.rollcall("run"), 3, "open the journal", "another process", "no other rollcall");

        let pid = running.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let mut said = String::new();
        running.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(running.wait().unwrap().success(), "{signal}: {said}");
        assert!(said.contains("terminal terminal-1 ended; 0 records wait"), "{said}");
    }
}
