//! The journals of made terminals as files that `rollcall collector take` reads: what a technician would
//! carry to the centre from a terminal that cannot send, or does not (docs/spec/journal-v1.md, "Export").
//! They grow day by day, so that no journal has to fit into memory.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;

use super::device::record_key;
use crate::domain::TerminalId;
use crate::record::{Opening, Parcel};

/// The folder of all journals.
#[derive(Debug)]
pub(super) struct Journals {
    folder: PathBuf,
    seed: u64,
    written: BTreeMap<TerminalId, u64>,
}

impl Journals {
    pub(super) fn create(folder: &Path, seed: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), seed, written: BTreeMap::new() })
    }

    fn file(&self, terminal: &TerminalId) -> io::Result<File> {
        let path = self.folder.join(format!("{terminal}.json"));
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)
    }

    /// Puts a terminal's next records behind those before.
    pub(super) fn append(&mut self, terminal: &TerminalId, parcels: &[Parcel]) -> io::Result<()> {
        let mut seq = self.written.get(terminal).copied().unwrap_or(0);
        let mut text = String::new();
        if seq == 0 {
            let key = record_key(self.seed, terminal).verifying_key().id();
            text = format!(
                "{{\"format\":\"rollcall-journal-v1\",\"terminal\":\"{terminal}\",\"key\":\"{key}\",\
                 \"records\":[\n"
            );
        }
        for parcel in parcels {
            seq += 1;
            text += if seq == 1 { "" } else { ",\n" };
            let sealed = BASE64.encode(parcel.sealed.bytes());
            text += &format!("{{\"seq\":{seq},\"state\":\"waiting\",\"sealed\":\"{sealed}\"");
            for (name, opening) in [("person", parcel.person), ("other", parcel.other)] {
                text += &opening.map_or_else(String::new, |it| opened(name, &it));
            }
            text.push('}');
        }
        self.file(terminal)?.write_all(text.as_bytes())?;
        self.written.insert(terminal.clone(), seq);
        Ok(())
    }

    /// Ends all files.
    pub(super) fn finish(self) -> io::Result<()> {
        for terminal in self.written.keys() {
            self.file(terminal)?.write_all(b"\n]}\n")?;
        }
        Ok(())
    }
}

fn opened(name: &str, opening: &Opening) -> String {
    let Opening { salt, person } = opening;
    format!(",\"{name}\":{{\"salt\":\"{}\",\"person\":\"{person}\"}}", BASE64.encode(salt))
}
