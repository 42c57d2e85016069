//! Looks at the journal of a terminal that stands still, without its key: says what of it stands,
//! exports the records, and repairs it. Only a repair changes anything, and it keeps the damaged
//! journal beside.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use serde::Serialize;

use super::disk::Disk;
use super::files;
use super::log::{self, Log};
use super::salvage::{Salvage, Stored};
use super::storage::{Storage, StorageError, Write};
use super::survey::{self, Flaw, Loss};
use crate::domain::{ClockQuality, TerminalId, Timestamp};
use crate::record::{Gap, KeyId, Opening};

/// The name of the export's format: docs/spec/journal-v1.md, "Export".
const EXPORT_FORMAT: &str = "rollcall-journal-v1";

/// Most writes in one frame of a repaired journal.
const WRITES_AT_ONCE: usize = 256;

/// The journal could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is none.
    #[error("could not read the journal in {dir}: there is none")]
    Missing {
        /// Where it should be.
        dir: PathBuf,
    },
    /// The disk, or another process that uses it.
    #[error("could not read the journal in {dir}")]
    Storage {
        /// Where.
        dir: PathBuf,
        /// What it said.
        #[source]
        source: StorageError,
    },
}

impl InspectError {
    fn of(dir: &Path, source: StorageError) -> Self {
        let dir = dir.to_owned();
        match source {
            StorageError::Missing => InspectError::Missing { dir },
            StorageError::Exists
            | StorageError::Busy
            | StorageError::Lost(_)
            | StorageError::Unknown { .. }
            | StorageError::Io(_) => InspectError::Storage { dir, source },
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            InspectError::Missing { .. } => "is its disk mounted? look at the path",
            InspectError::Storage { .. } => {
                "stop the terminal first, and see that its disk is there and readable"
            }
        }
    }
}

/// The journal was not repaired; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// What stands is too little to go on from.
    #[error(
        "could not repair the journal in {dir}: no record stands that the next one could be chained to"
    )]
    Hopeless {
        /// Where.
        dir: PathBuf,
    },
    /// The repaired journal could not be written.
    #[error("could not write the repaired journal beside {dir}")]
    Write {
        /// Where.
        dir: PathBuf,
        /// What the disk said.
        #[source]
        source: StorageError,
    },
}

impl RepairError {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            RepairError::Inspect(error) => error.hint(),
            RepairError::Hopeless { .. } => {
                "export what stands with `rollcall terminal journal export` and hand it to the centre; then begin a new terminal with `rollcall terminal init`"
            }
            RepairError::Write { .. } => "see that its disk has room for the journal once more",
        }
    }
}

/// What stands in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Whose it is, with which key; `None` when nothing says so any more.
    pub owner: Option<(TerminalId, KeyId)>,
    /// Runs of records that stand: first and last number.
    pub runs: Vec<(u64, u64)>,
    /// Numbers between them that the terminal has stated as lost.
    pub stated: Vec<Gap>,
    /// Records that stand and have no receipt.
    pub waiting: u64,
    /// What they take of the journal's bound, in bytes.
    pub waiting_bytes: u64,
    /// The newest time that the centre has signed.
    pub newest_signed: Option<Timestamp>,
    /// The wall time of the newest record whose clock its terminal believed.
    pub newest_own: Option<Timestamp>,
    /// What one copy lacks and the other makes good; the next start mends it.
    pub flaws: Vec<Flaw>,
    /// Writes that are lost.
    pub losses: Vec<Loss>,
    /// Single values that are not what was once written.
    pub damaged: Vec<String>,
}

impl Findings {
    /// Whether a terminal can start on it.
    pub fn stands(&self) -> bool {
        self.losses.is_empty() && self.damaged.is_empty() && self.owner.is_some()
    }

    /// Whether there is nothing that a power cut does not explain.
    pub fn is_fine(&self) -> bool {
        self.stands() && self.flaws.iter().all(|flaw| flaw.normal)
    }
}

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Where the damaged journal lies now; `None` when nothing was wrong that a start would not
    /// mend, and nothing was touched.
    pub kept: Option<PathBuf>,
    /// The records of the journal that takes its place.
    pub records: Option<(u64, u64)>,
    /// Numbers that are set aside; the terminal states the gap when it starts.
    pub gap: Option<Gap>,
    /// Records that stand in the damaged journal only.
    pub aside: Vec<u64>,
}

struct Looked {
    salvage: Salvage,
    flaws: Vec<Flaw>,
    losses: Vec<Loss>,
}

/// What stands, and the disks, which hold the lock.
fn look(dir: &Path) -> Result<(Looked, [Box<dyn Disk>; 2]), InspectError> {
    let failed = |source| InspectError::of(dir, source);
    let disks = files::look(dir).map_err(failed)?;
    let looked = Looked::at(&disks).map_err(|error| failed(StorageError::Io(error)))?;
    Ok((looked, disks))
}

impl Looked {
    fn at(disks: &[Box<dyn Disk>; 2]) -> io::Result<Self> {
        let survey = survey::survey(disks)?;
        let pairs = log::survivors(disks, &survey)?;
        let salvage = Salvage::of(&pairs, &survey.losses, survey.tail_bytes);
        Ok(Self { salvage, flaws: survey.flaws, losses: survey.losses })
    }

    fn findings(&self) -> Findings {
        let owner = self.salvage.owner().map(|owner| (owner.terminal, owner.key));
        let mut damaged = self.salvage.damaged.clone();
        if self.salvage.identity.is_none() {
            damaged.push("the identity is missing".into());
        }
        let runs = self.salvage.runs();
        for pair in runs.windows(2) {
            if let [(_, last), (first, _)] = pair {
                damaged.push(format!("record {first} does not follow record {last}"));
            }
        }
        let stated: Vec<Gap> =
            self.salvage.records.values().filter_map(|stored| stored.record.gap).collect();
        let runs = runs.into_iter().flat_map(|run| without(run, &stated)).collect();
        let records = || self.salvage.records.values();
        let waiting = || records().filter(|stored| !stored.released);
        let believed = |stored: &&Stored| stored.record.clock.quality != ClockQuality::Doubtful;
        let newest_own = records().rev().find(believed).map(|stored| stored.record.clock.wall);
        Findings {
            owner,
            runs,
            stated,
            waiting: waiting().count() as u64,
            waiting_bytes: waiting().map(|stored| stored.value.len() as u64).sum(),
            newest_signed: self.salvage.signed,
            newest_own,
            flaws: self.flaws.clone(),
            losses: self.losses.clone(),
            damaged,
        }
    }
}

/// A run of the chain without the numbers that were stated as lost.
fn without((mut first, last): (u64, u64), stated: &[Gap]) -> Vec<(u64, u64)> {
    let mut runs = Vec::new();
    let inside = first..=last;
    for gap in stated.iter().filter(|gap| inside.contains(&gap.last)) {
        if first < gap.first {
            runs.push((first, gap.first - 1));
        }
        first = gap.last + 1;
    }
    runs.push((first, last));
    runs
}

/// Reads all of the journal in `dir` and says what stands. Changes nothing.
pub fn check(dir: &Path) -> Result<Findings, InspectError> {
    Ok(look(dir)?.0.findings())
}

#[derive(Serialize)]
struct Export {
    format: &'static str,
    terminal: Option<String>,
    key: Option<String>,
    records: Vec<ExportedRecord>,
}

#[derive(Serialize)]
struct ExportedRecord {
    seq: u64,
    state: &'static str,
    sealed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<ExportedOpening>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<ExportedOpening>,
}

#[derive(Serialize)]
struct ExportedOpening {
    salt: String,
    person: String,
}

impl From<Opening> for ExportedOpening {
    fn from(opening: Opening) -> Self {
        Self { salt: BASE64.encode(&opening.salt), person: HEXLOWER.encode(&opening.person.0) }
    }
}

/// All records that stand, also those behind a damage, as a file of docs/spec/journal-v1.md,
/// "Export", and how many they are.
pub fn export(dir: &Path) -> Result<(String, usize), InspectError> {
    let salvage = look(dir)?.0.salvage;
    let records: Vec<_> = salvage
        .records
        .iter()
        .map(|(seq, stored)| ExportedRecord {
            seq: *seq,
            state: if stored.released { "released" } else { "waiting" },
            sealed: BASE64.encode(stored.parcel.sealed.bytes()),
            person: stored.parcel.person.map(Into::into),
            other: stored.parcel.other.map(Into::into),
        })
        .collect();
    let (count, owner) = (records.len(), salvage.owner());
    let export = Export {
        format: EXPORT_FORMAT,
        terminal: owner.as_ref().map(|owner| owner.terminal.to_string()),
        key: owner.map(|owner| HEXLOWER.encode(&owner.key.0)),
        records,
    };
    let text = serde_json::to_string(&export).expect("text and numbers are always JSON");
    Ok((text + "\n", count))
}

/// Puts a journal that goes on in the place of one that is damaged. Nothing is destroyed: the damaged
/// one is kept beside, and a crash at any moment leaves one of the two in its place, or neither and
/// both beside, from where another repair goes on.
pub fn repair(dir: &Path) -> Result<Repaired, RepairError> {
    let failed = |source| RepairError::Write { dir: dir.to_owned(), source };
    files::resume(dir).map_err(|error| failed(StorageError::Io(error)))?;
    let (looked, _lock) = look(dir)?;
    if looked.findings().stands() {
        return Ok(Repaired { kept: None, records: None, gap: None, aside: Vec::new() });
    }
    let hopeless = || RepairError::Hopeless { dir: dir.to_owned() };
    let plan = looked.salvage.plan().ok_or_else(hopeless)?;
    fill(&files::making(dir), &plan.writes).map_err(failed)?;
    let kept = files::exchange(dir).map_err(|error| failed(StorageError::Io(error)))?;
    Ok(Repaired { kept: Some(kept), records: plan.kept, gap: plan.gap, aside: plan.aside })
}

/// Repairs from damaged disks onto empty ones. `Ok(None)`: no record stands that the next one could
/// be chained to.
pub fn repair_on(
    damaged: &[Box<dyn Disk>; 2],
    empty: [Box<dyn Disk>; 2],
) -> Result<Option<Repaired>, StorageError> {
    let looked = Looked::at(damaged).map_err(StorageError::Io)?;
    let Some(plan) = looked.salvage.plan() else { return Ok(None) };
    write_all(&Log::open(empty)?, &plan.writes)?;
    Ok(Some(Repaired { kept: None, records: plan.kept, gap: plan.gap, aside: plan.aside }))
}

fn fill(dir: &Path, writes: &[Write]) -> Result<(), StorageError> {
    write_all(&files::lock(dir).and_then(Log::open)?, writes)
}

fn write_all(log: &Log, writes: &[Write]) -> Result<(), StorageError> {
    writes.chunks(WRITES_AT_ONCE).try_for_each(|writes| log.write_durably(writes))
}
