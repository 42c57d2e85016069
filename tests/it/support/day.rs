//! A small day in a collector's folder, for the tests of the commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollcall::collector::{Config, Home, Store};
use rollcall::ingest::{Intake, Limits, Step};
use rollcall::ledger::{Item, Staged};
use rollcall::record::{Parcel, Record, SigningKey};
use tempfile::TempDir;

use super::pen::{MORNING, Pen};
use super::postgres::Database;

/// A collector's folder with its configuration.
pub(crate) struct Day {
    pub(crate) folder: TempDir,
    pub(crate) config: PathBuf,
}

/// Writes a file that need not be durable.
#[expect(clippy::disallowed_methods, reason = "a test's file need not be durable")]
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::write(path, text).unwrap();
}

/// Runs the real program, without the models that this machine's user has installed.
pub(crate) fn rollcall(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(args).env("XDG_DATA_HOME", "/nowhere").output().unwrap()
}

impl Day {
    /// A configuration; nothing is made yet.
    pub(crate) fn configured(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("collector.toml");
        let text = format!(
            "data_dir = {:?}\n[broker]\nport = {port}\n[web]\nlisten = \"127.0.0.1:0\"\n",
            folder.path().join("data")
        );
        write(&config, text);
        Self { folder, config }
    }

    /// The same, with this database as its store.
    pub(crate) fn configured_in(port: u16, database: &Database) -> Self {
        let day = Self::configured(port);
        day.store_in(Some(database));
        day
    }

    /// Names another store in the configuration; none is SQLite.
    pub(crate) fn store_in(&self, database: Option<&Database>) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        let text = text.split("[store]").next().unwrap().trim_end().to_owned();
        let store = database.map(|database| format!("\n[store]\nurl = \"{}\"\n", database.url()));
        write(&self.config, text + "\n" + &store.unwrap_or_default());
    }

    /// Where its data lies.
    pub(crate) fn store(&self) -> Store {
        Config::load(&self.config).unwrap().store().unwrap()
    }

    /// A folder whose ledger holds two terminals, their records, a stated gap, a refused opening,
    /// a forged record and a stranger's.
    pub(crate) fn played() -> Self {
        Self::configured(1883).play()
    }

    /// The same in a database.
    pub(crate) fn played_in(database: &Database) -> Self {
        Self::configured_in(1883, database).play()
    }

    /// Makes keys, a ledger and what [`Day::played`] says.
    pub(crate) fn play(self) -> Self {
        let day = self;
        let mut home = Home::create_in(&day.data(), day.store()).unwrap();
        let (mut one, mut two) = (Pen::new("t-1", 1), Pen::new("t-2", 2));
        home.state(vec![one.registration(), two.registration()], MORNING).unwrap();
        drop(home);
        let mut parcels = one.write_many(3);
        parcels.push(one.write_gap(2));
        parcels.push(Parcel { person: None, ..one.write() });
        parcels.extend(one.write_many(2));
        parcels.extend(two.write_many(4));
        parcels.push(Pen::new("t-1", 66).write());
        parcels.push(Pen::new("t-9", 9).write());
        let mut ledger = day.store().open_ledger().unwrap();
        let mut intake = Intake::new(Limits::default());
        intake.learn(&one.registration());
        intake.learn(&two.registration());
        for parcel in parcels {
            let topic = Record::peek(parcel.sealed.bytes()).unwrap().0.terminal;
            let mut steps = intake.offer(&topic, parcel.clone(), &*ledger).unwrap();
            // A wrong opening is asked for again some times before it is refused.
            while matches!(&steps[..], [Step::Want { .. }]) {
                steps = intake.offer(&topic, parcel.clone(), &*ledger).unwrap();
            }
            let items = steps.into_iter().map(|step| match step {
                Step::Commit(admitted) => Item::Record(admitted),
                Step::Keep { refused, .. } => Item::Refused(refused),
                Step::Again(_) | Step::Want { .. } | Step::Count { .. } => panic!("{step:?}"),
            });
            let log = day.log_key();
            let staged = Staged::seal(items, MORNING, ledger.last_committed_at(), &log).unwrap();
            ledger.commit(staged).unwrap();
            intake.committed();
        }
        day
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn log_key(&self) -> SigningKey {
        let text = std::fs::read_to_string(self.data().join("log.key")).unwrap();
        let secret = data_encoding::HEXLOWER.decode(text.trim().as_bytes()).unwrap();
        SigningKey::from_secret(&secret.try_into().unwrap())
    }

    /// `rollcall collector COMMAND --config … MORE`.
    pub(crate) fn collector(&self, command: &str, more: &[&str]) -> Output {
        let config = self.config.to_str().unwrap();
        rollcall(&[&["collector", command, "--config", config], more].concat())
    }

    /// What a command says that opens the ledger for itself.
    pub(crate) fn opened(&self) -> Output {
        let out = self.file("opened.json");
        self.collector("export", &["--out", out.to_str().unwrap()])
    }

    /// Exports a bundle and a file of trusted keys.
    pub(crate) fn exported(&self, more: &[&str]) -> (PathBuf, PathBuf) {
        let (bundle, trust) = (self.file("bundle.json"), self.file("trust.txt"));
        let out = self.collector("export", &[&["--out", bundle.to_str().unwrap()], more].concat());
        assert!(out.status.success(), "{out:?}");
        write(&trust, self.collector("trust", &[]).stdout);
        (bundle, trust)
    }
}

/// `rollcall verify --trust TRUST BUNDLE`: exit code and what it said.
pub(crate) fn verify(trust: &Path, bundle: &Path) -> (i32, String) {
    let out = rollcall(&["verify", "--trust", trust.to_str().unwrap(), bundle.to_str().unwrap()]);
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap(), String::from_utf8(said).unwrap())
}
