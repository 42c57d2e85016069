//! A made province: institutions of different honesty, their timetables and people, honest life with its
//! scatter, and planted fraud from clumsy to careful, with labels kept apart (docs/evaluation.md).
//!
//! ```text
//! seed, number ─► school (on paper) ─► incidents ─► each day: visits ─► acts ─► device ─► coming ─► desk ─► ledger
//!                                           │                    bent by fraud    sealed    network   admitted
//!                                           └─► labels.json
//! ```
//!
//! Nothing here knows a rule, and no number is shared with one: `customs.rs` is honest life, `fraud.rs`
//! and its neighbours what is planted. What is real is all that a record passes: the seal, the chain, the
//! admission, the ledger. Whatever is made is marked as made, and its keys follow from the seed.

mod act;
mod calendar;
mod coming;
mod customs;
mod desk;
mod device;
mod dice;
mod facts;
mod fraud;
mod hostile;
mod incident;
mod journals;
mod kind;
mod label;
mod life;
mod mix;
mod people;
mod running;
mod school;
mod visit;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use jiff::civil::{Date, date};

pub use kind::{Care, Kind};
pub use label::{LABELS_FILE, Label, Labels, LabelsError};
pub use mix::{Evaluation, Mix, MixError};

use self::coming::{Coming, What};
use self::desk::Desk;
use self::journals::Journals;
use self::running::Running;
use crate::collector::{Home, HomeError, Store};
use crate::domain::{Fact, Policy, Timestamp};
use crate::ledger::{CommitError, OpenLedgerError, ReadError, StageError};
use crate::platform::durable::{self, Access, WriteError};
use crate::record::SigningKey;

/// The first day of every world: a Monday. Sixty days from it hold the Qingming festival, Labour Day and
/// a Saturday that is worked.
const FIRST_DAY: Date = date(2026, 3, 16);
/// Until the end of 2026: the calendar knows no further.
const DAYS_MAX: u32 = 290;
/// A world of so many institutions has some twenty million records.
const INSTITUTIONS_MAX: u32 = 5_000;
/// Days that are made ahead of the desk.
const DAYS_AHEAD: usize = 2;
/// In the folder of the world, for whoever finds it.
const MARK_FILE: &str = "SIMULATED.txt";
const MARK: &str = "\
这是用 `rollcall simulate` 生成的虚构数据：没有真实的机构、人员或考勤，密钥由随机种子推出，不可用于真实业务。
This folder was made by `rollcall simulate`. No institution, person or attendance in it is real; its keys
follow from a seed and protect nothing. labels.json says what was planted.
";

/// What a world is made from.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed of all chance.
    pub seed: u64,
    /// How many institutions.
    pub institutions: u32,
    /// How many days.
    pub days: u32,
    /// What is planted.
    pub mix: Mix,
    /// By what the terminals work.
    pub policy: Policy,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MadeWorld {
    /// Records admitted.
    pub records: u64,
    /// Refusals kept, by their code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Facts stated.
    pub facts: u64,
    /// Messages that came twice.
    pub repeated: u64,
    /// Records that had to wait for those before them.
    pub waiting: u64,
    /// Messages still on their way when the world ends.
    pub under_way: u64,
    /// Planted incidents.
    pub incidents: u64,
}

/// A world could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Too small or too large.
    #[error("could not plan the world: {detail}")]
    Size {
        /// What does not fit.
        detail: String,
    },
    /// The collector's folder could not be made.
    #[error("could not use the folder of the world")]
    Home(#[from] HomeError),
    /// The ledger could not be opened.
    #[error("could not open the ledger")]
    Open(#[from] OpenLedgerError),
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error("could not commit to the ledger")]
    Commit(#[from] CommitError),
    /// A fact is too long.
    #[error("could not seal a fact")]
    Stage(#[source] StageError),
    /// Labels or the mark could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A journal could not be written.
    #[error("could not write a journal in {folder}")]
    Journal {
        /// Where.
        folder: PathBuf,
        /// Why.
        #[source]
        io: io::Error,
    },
}

/// Makes a world in `out`, a folder that has no collector yet: keys, ledger, labels; with `journals`
/// also each terminal's journal. The same plan gives the same bytes.
pub fn make(plan: &Plan, out: &Path, journals: Option<&Path>) -> Result<MadeWorld, MakeError> {
    let size = |detail: String| Err(MakeError::Size { detail });
    if !(1..=DAYS_MAX).contains(&plan.days) {
        return size(format!("{} days; 1 to {DAYS_MAX} are possible", plan.days));
    }
    if !(1..=INSTITUTIONS_MAX).contains(&plan.institutions) {
        return size(format!("{} institutions; 1 to {INSTITUTIONS_MAX}", plan.institutions));
    }
    let days = calendar::days_from(FIRST_DAY, plan.days);
    let keys = |what| SigningKey::from_secret(&dice::named(plan.seed, "centre", what));
    drop(Home::create_with(out, Store::files(out), [keys("log"), keys("receipt")])?);
    let _lock = Home::hold(out)?;
    durable::write(&out.join(MARK_FILE), MARK.as_bytes(), Access::Everyone)?;
    let failed = |io| {
        let folder = journals.unwrap_or(out).to_owned();
        MakeError::Journal { folder, io }
    };
    let mut kept =
        journals.map(|it| Journals::create(it, plan.seed)).transpose().map_err(failed)?;

    let mut schools: Vec<Running> = (0..plan.institutions)
        .map(|no| Running::new(plan.seed, no, &days, &plan.mix, &plan.policy))
        .collect();
    let opens = calendar::at(calendar::plus_days(FIRST_DAY, -7), 9 * 60);
    let mut labels =
        Labels::new(plan.seed, plan.institutions, plan.days, calendar::at(FIRST_DAY, 0));
    labels.policy = plan.policy.profile();
    plan.mix.digest().clone_into(&mut labels.mix);
    labels.incidents = schools.iter().flat_map(Running::labels).collect();

    let mut desk = Desk::new(Store::files(out).open_ledger()?, keys("log"), opens)?;
    let policy = Fact::Policy { profile: plan.policy.profile(), digest: plan.policy.digest() };
    desk.state(vec![policy], opens)?;
    let mut pending: BTreeMap<(Timestamp, u64), What> = BTreeMap::new();
    let mut counted = 0;
    // One thread seals what happens, this one admits what comes: each has about half of the work.
    std::thread::scope(|threads| {
        let (hand_over, made) = sync_channel::<Vec<Coming>>(DAYS_AHEAD);
        let all_days = &days;
        threads.spawn(move || {
            for day in all_days {
                let comings = schools.iter_mut().flat_map(|school| school.day(*day)).collect();
                // The desk has failed, and says so itself.
                if hand_over.send(comings).is_err() {
                    return;
                }
            }
        });
        for day in &days {
            for Coming { at, what } in made.recv().unwrap_or_default() {
                if let (Some(kept), What::Parcels { topic, parcels, genuine: true, .. }) =
                    (&mut kept, &what)
                {
                    kept.append(topic, parcels).map_err(failed)?;
                }
                counted += 1;
                pending.insert((at, counted), what);
            }
            let later = pending.split_off(&(calendar::at(*day, 24 * 60), 0));
            for ((at, _), what) in std::mem::replace(&mut pending, later) {
                desk.take(Coming { at, what })?;
            }
        }
        Ok::<(), MakeError>(())
    })?;
    desk.pass_until(calendar::at(days[days.len() - 1], 24 * 60))?;
    desk.commit()?;
    kept.map(Journals::finish).transpose().map_err(failed)?;
    let made = MadeWorld {
        under_way: pending.len() as u64,
        incidents: labels.incidents.len() as u64,
        ..desk.made
    };
    // Last of all: a world that was not finished has no labels.
    durable::write(&out.join(LABELS_FILE), labels.to_json().as_bytes(), Access::Owner)?;
    Ok(made)
}

#[cfg(test)]
mod tests;
