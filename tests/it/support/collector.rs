//! The real collector as a process of its own, so that `kill -9` is what it is in life.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use data_encoding::HEXLOWER;
use rollcall::domain::TerminalId;
use rollcall::ledger::{Body, Ledger, Sqlite};
use rollcall::record::{SealedHash, VerifyingKey};
use tempfile::TempDir;

use super::centre::Centre;
use super::day::{rollcall, write};
use super::records::receipt_key;

pub(crate) struct RealCentre {
    folder: TempDir,
    config: PathBuf,
    child: Option<Child>,
}

impl Centre for RealCentre {
    fn start(broker_port: u16, terminals: BTreeMap<TerminalId, VerifyingKey>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("collector.toml");
        let data = folder.path().join("data");
        write(
            &config,
            format!(
                "data_dir = {data:?}\n[broker]\nport = {broker_port}\n[web]\n\
                 listen = \"127.0.0.1:0\"\n"
            ),
        );
        let file = config.to_str().unwrap();
        assert!(rollcall(&["collector", "init", "--config", file]).status.success());
        // The key that the terminals of these tests pin.
        write(&data.join("receipt.key"), HEXLOWER.encode(&receipt_key().secret()));
        let facts = folder.path().join("facts.toml");
        let mut text = String::from(
            "[[institution]]\nid = \"i-1\"\nname = { zh = \"华新\", en = \"Huaxin\" }\n\
             [[site]]\nid = \"s-1\"\ninstitution = \"i-1\"\nname = { zh = \"一号\", en = \"One\" }\n\
             town = { zh = \"绵阳\", en = \"Mianyang\" }\n\
             place = { latitude_e6 = 31467500, longitude_e6 = 104679600 }\n",
        );
        for (id, key) in terminals {
            text += &format!("[[terminal]]\nid = \"{id}\"\nsite = \"s-1\"\nkey = \"{key}\"\n");
        }
        write(&facts, text);
        let facts = facts.to_str().unwrap();
        let registered = rollcall(&["collector", "register", "--config", file, facts]);
        assert!(registered.status.success(), "{registered:?}");
        let mut centre = Self { folder, config, child: None };
        centre.start_again();
        centre
    }

    fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn start_again(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["collector", "run", "--config"])
            .arg(&self.config)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("it says that it runs").unwrap();
        assert!(first.contains("running"), "{first}");
        // Nobody may block it by not reading.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    fn committed(&self, terminal: &TerminalId) -> Vec<(u64, SealedHash)> {
        let ledger = self.folder.path().join("data/ledger.sqlite");
        let ledger = Sqlite::open_read_only(&ledger).unwrap();
        let entries = ledger.entries_since(0, usize::MAX).unwrap();
        let records = entries.into_iter().filter_map(|entry| match entry.body {
            Body::Record { record, hash, .. } => Some((record.terminal, record.seq, hash)),
            Body::Refused { .. } | Body::Fact(_) => None,
        });
        records.filter(|(whose, ..)| whose == terminal).map(|(_, seq, hash)| (seq, hash)).collect()
    }
}

impl Drop for RealCentre {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
