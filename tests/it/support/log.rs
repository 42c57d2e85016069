//! A published log of a small day, its witness, and hands that change its database.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use data_encoding::HEXLOWER;
use rollcall::collector::publish::{LogSettings, PublishError, Published, Publisher, Watcher};
use rollcall::domain::Fact;
use rollcall::ledger::{Item, Staged};
use rollcall::record::SigningKey;
use rollcall::record::note::{Note, TreeHead, Vkey};
use rusqlite::Connection;

use super::day::{Day, rollcall, write};
use super::pen::MORNING;

pub(crate) const ORIGIN: &str = "rollcall-collector";

/// How this day's log is published.
pub(crate) fn settings(day: &Day, watchers: Vec<Watcher>) -> LogSettings {
    let quorum = watchers.len();
    let (data_dir, folder) = (day.data(), day.data().join("public"));
    LogSettings { data_dir, folder, follows: None, watchers, quorum }
}

pub(crate) fn publisher_of(
    day: &Day,
    origin: &str,
    settings: LogSettings,
) -> Result<Publisher, PublishError> {
    Publisher::open(&day.store(), origin, log_key(day), settings)
}

pub(crate) fn log_key(day: &Day) -> SigningKey {
    let text = std::fs::read_to_string(day.data().join("log.key")).unwrap();
    let secret = HEXLOWER.decode(text.trim().as_bytes()).unwrap();
    SigningKey::from_secret(&secret.try_into().unwrap())
}

/// States further ticks, at a time of their own. Past the folder's lock, which a process that another
/// test starts may hold for a moment.
pub(crate) fn grow(day: &Day, ticks: usize) {
    let mut ledger = day.store().open_ledger().unwrap();
    let at = MORNING.plus_ms(1_000 * i64::try_from(ticks).unwrap());
    let items = vec![Item::Fact(Fact::Tick); ticks];
    let staged = Staged::seal(items, at, ledger.last_committed_at(), &log_key(day)).unwrap();
    ledger.commit(staged).unwrap();
}

/// Publishes what is there.
pub(crate) fn publish(day: &Day) -> Result<Published, PublishError> {
    publisher_of(day, ORIGIN, settings(day, Vec::new()))?.publish()
}

/// A day that was played and published.
pub(crate) fn published() -> Day {
    let day = Day::played();
    assert!(publish(&day).unwrap().public);
    day
}

pub(crate) fn public(day: &Day, name: &str) -> Vec<u8> {
    std::fs::read(day.data().join("public").join(name)).unwrap()
}

pub(crate) fn checkpoint(day: &Day) -> (Note, TreeHead) {
    let note = Note::from_bytes(&public(day, "checkpoint")).unwrap();
    let head = note.text().parse().unwrap();
    (note, head)
}

/// Changes the database behind the program's back.
pub(crate) fn tamper(day: &Day, sql: &str) {
    let db = Connection::open(day.data().join("ledger.sqlite")).unwrap();
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
}

/// The real witness, as a process of its own.
pub(crate) struct Witness {
    pub(crate) config: PathBuf,
    pub(crate) vkey: Vkey,
    pub(crate) url: String,
    child: Option<Child>,
}

impl Witness {
    /// Makes one that watches this day's log, and starts it.
    pub(crate) fn of(day: &Day) -> Self {
        let trust = String::from_utf8(day.collector("trust", &[]).stdout).unwrap();
        let log = trust.lines().find_map(|line| line.strip_prefix("# ")?.split(": ").nth(1));
        let config = day.file("witness.toml");
        let text = format!(
            "data_dir = {:?}\nname = \"regulator.example/w1\"\nlisten = \"127.0.0.1:0\"\nlogs = [{:?}]\n",
            day.file("witness"),
            log.unwrap()
        );
        write(&config, text);
        let out = rollcall(&["witness", "init", "--config", config.to_str().unwrap()]);
        assert!(out.status.success(), "{out:?}");
        let said = String::from_utf8(out.stdout).unwrap();
        let vkey = said.lines().find_map(|line| line.strip_prefix("witness ")).unwrap();
        let vkey = vkey.parse().unwrap();
        let mut witness = Self { config, vkey, url: String::new(), child: None };
        witness.start();
        witness
    }

    pub(crate) fn start(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["witness", "run", "--config"])
            .arg(&self.config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("rollcall witness: running at ");
        self.url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        self.child = Some(child);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher::new(self.vkey.clone(), &self.url)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
