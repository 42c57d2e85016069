//! Takes in the records of a terminal that cannot send them any more: the export of its journal
//! (docs/spec/journal-v1.md, "Export"), which people have carried here. They are judged like any
//! message: what verifies and follows its chain is committed, the very same comes to nothing twice,
//! and what is refused is kept as evidence.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::Deserialize;

use super::office::{Office, Payload, Taken};
use super::platforms::Reason;
use super::{CoreError, Home};
use crate::domain::{IdError, PersonId, PlatformId, TerminalId, Timestamp};
use crate::ingest::{Limits, Step};
use crate::ledger::ReadError;
use crate::platform::clock::Clock;
use crate::record::{
    BATCH_PARCELS_MAX, Batch, Opening, Parcel, SALT_BYTES, SEALED_BYTES_MAX, Sealed,
};

/// Longer files are refused before they are read: a full journal of 200,000 records has half of it.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Records that are committed with one sync.
const COMMIT_RECORDS: usize = 64 * BATCH_PARCELS_MAX;

/// Entries read at once.
const READ_ENTRIES: usize = 1_000;

/// An export that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file cannot be read.
    #[error("could not read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// It is no export.
    #[error("could not understand {path}: it is no export of a journal")]
    Json {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: serde_json::Error,
    },
    /// It is of another format.
    #[error("could not understand {path}: its format is {found:?}, not \"rollcall-journal-v1\"")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// One record of it.
    #[error("could not understand {path}: record {seq}: {why}")]
    Record {
        /// Which file.
        path: PathBuf,
        /// Its number.
        seq: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// The terminal's name is none.
    #[error("could not understand {path}: its terminal has no name")]
    Name {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: IdError,
    },
    /// It does not say whose journal it is.
    #[error("could not use {path}: it does not say whose journal it is")]
    Nobody {
        /// Which file.
        path: PathBuf,
    },
}

/// The records could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum CarriedError {
    /// The ledger cannot be read.
    #[error("could not read the ledger")]
    Read(#[from] ReadError),
    /// The ledger cannot be written. What was committed before stays, and the same file can be taken again.
    #[error(transparent)]
    Commit(#[from] CoreError),
    /// Nobody registered that terminal: its records would get no answer, and these would be lost.
    #[error("could not take the records of {terminal}: no such terminal is registered")]
    Unknown {
        /// Which.
        terminal: TerminalId,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    format: String,
    terminal: Option<String>,
    #[serde(rename = "key")]
    _key: Option<String>,
    records: Vec<Exported>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    seq: u64,
    #[serde(rename = "state")]
    _state: String,
    sealed: String,
    person: Option<Opened>,
    other: Option<Opened>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    salt: String,
    person: String,
}

/// The export of one terminal's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    terminal: TerminalId,
    parcels: Vec<Parcel>,
}

/// What came of it, in records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// New in the ledger.
    pub committed: u64,
    /// There already.
    pub known: u64,
    /// Kept as evidence, and why, with how many each.
    pub refused: BTreeMap<&'static str, u64>,
    /// Ahead of a hole in the chain: the centre waits for what is before them, or a gap statement.
    pub waiting: u64,
}

impl Carried {
    /// Reads an export. `named`: whose journal it is, for one whose own word is damaged.
    pub fn read(path: &Path, named: Option<TerminalId>) -> Result<Self, ExportError> {
        let failed = |io| ExportError::Read { path: path.to_owned(), io };
        if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            let why = format!("it has more than {FILE_BYTES_MAX} bytes");
            return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        Self::parse(&std::fs::read(path).map_err(failed)?, path, named)
    }

    /// Parses an export; `path` only names it in errors.
    pub fn parse(
        bytes: &[u8],
        path: &Path,
        named: Option<TerminalId>,
    ) -> Result<Self, ExportError> {
        let path = || path.to_owned();
        let export: Export = serde_json::from_slice(bytes)
            .map_err(|cause| ExportError::Json { path: path(), cause })?;
        if export.format != "rollcall-journal-v1" {
            return Err(ExportError::Format { path: path(), found: export.format });
        }
        let own = export.terminal.map(|name| name.parse()).transpose();
        let own = own.map_err(|cause| ExportError::Name { path: path(), cause })?;
        let terminal = own.or(named).ok_or_else(|| ExportError::Nobody { path: path() })?;
        let parcels = export.records.into_iter().map(|record| {
            let seq = record.seq;
            record.parcel().map_err(|why| ExportError::Record { path: path(), seq, why })
        });
        Ok(Self { terminal, parcels: parcels.collect::<Result<_, _>>()? })
    }

    /// Whose records.
    pub fn terminal(&self) -> &TerminalId {
        &self.terminal
    }

    /// Judges and commits them, while no collector runs.
    pub fn take_into(
        self,
        home: &mut Home,
        limits: Limits,
        clock: &dyn Clock,
    ) -> Result<Outcome, CarriedError> {
        let Self { terminal, parcels } = self;
        let all = parcels.len() as u64;
        let mut office = resumed(home, limits)?;
        if !office.knows(&terminal) {
            return Err(CarriedError::Unknown { terminal });
        }
        let mut outcome = Outcome::default();
        for many in parcels.chunks(COMMIT_RECORDS) {
            let mut taken = Taken::default();
            for batch in many.chunks(BATCH_PARCELS_MAX) {
                let message = Payload::Whole(Batch(batch.to_vec()).encode());
                office.take_records(&terminal, message, &*home.ledger, &mut taken)?;
            }
            outcome.count(taken.steps());
            let now: Timestamp = clock.now();
            office.settle(taken, &mut *home.ledger, now)?;
        }
        let answered = outcome.committed + outcome.known + outcome.refused.values().sum::<u64>();
        outcome.waiting = all.saturating_sub(answered);
        Ok(outcome)
    }
}

/// The office as a collector would have it that starts now.
fn resumed(home: &Home, limits: Limits) -> Result<Office, ReadError> {
    let (log, receipt) = (home.log.clone().key, home.receipt.clone().key);
    let mut office = Office::new(limits, log, receipt);
    let mut next = 0;
    loop {
        let stored = home.ledger.stored_since(next, READ_ENTRIES)?;
        let Some(last) = stored.last() else { break };
        next = last.index + 1;
        for stored in &stored {
            office.remember(&crate::ledger::read_back(stored)?, &stored.sealed);
        }
    }
    office.resume(&*home.ledger)?;
    Ok(office)
}

/// Takes in a platform's report that people have carried here, while no collector runs. How many stretches
/// are new, and the sealed answer; or why it is not taken.
pub fn take_report(
    home: &mut Home,
    platform: &PlatformId,
    sealed: Vec<u8>,
    clock: &dyn Clock,
) -> Result<Result<(usize, Vec<u8>), Reason>, CarriedError> {
    let mut office = resumed(home, Limits::default())?;
    let (mut taken, now) = (Taken::default(), clock.now());
    let new = match office.take_report(platform, &Payload::Whole(sealed), now, &mut taken) {
        Ok(new) => new,
        Err(reason) => return Ok(Err(reason)),
    };
    let settled = office.settle(taken, &mut *home.ledger, now)?;
    let answer = settled.taken.into_iter().next().map(|(_, sealed)| sealed);
    Ok(Ok((new, answer.unwrap_or_default())))
}

impl Outcome {
    fn count(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Commit(_) => self.committed += 1,
                Step::Again(_) => self.known += 1,
                Step::Keep { refused, .. } => {
                    *self.refused.entry(refused.refusal().code()).or_default() += 1;
                }
                Step::Count { code } => *self.refused.entry(code).or_default() += 1,
                Step::Want { .. } => {}
            }
        }
    }
}

impl Exported {
    fn parcel(self) -> Result<Parcel, &'static str> {
        let sealed = BASE64.decode(self.sealed.as_bytes()).map_err(|_| "sealed is no base64")?;
        if sealed.len() > SEALED_BYTES_MAX {
            return Err("sealed is longer than any record");
        }
        let opening = |opened: Option<Opened>| opened.map(Opened::opening).transpose();
        Ok(Parcel {
            sealed: Sealed::from_stored(sealed),
            person: opening(self.person)?,
            other: opening(self.other)?,
        })
    }
}

impl Opened {
    fn opening(self) -> Result<Opening, &'static str> {
        let salt = BASE64.decode(self.salt.as_bytes()).ok();
        let salt = salt.and_then(|salt| <[u8; SALT_BYTES]>::try_from(salt).ok());
        let person = HEXLOWER_PERMISSIVE.decode(self.person.as_bytes()).ok();
        let person = person.and_then(|person| <[u8; 16]>::try_from(person).ok());
        match (salt, person) {
            (Some(salt), Some(person)) => Ok(Opening { salt, person: PersonId(person) }),
            (None, _) => Err("a salt is not 32 bytes in base64"),
            (_, None) => Err("a person is not 16 bytes in hexadecimal digits"),
        }
    }
}
