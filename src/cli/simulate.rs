//! `rollcall simulate`: makes a province with honest people and planted fraud, for whoever evaluates rules
//! or measures load.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::policy::profile;
use super::report::{Exit, Report};
use crate::collector::HomeError;
use crate::province::{LABELS_FILE, MakeError, Mix, Plan, make};

/// Largest mix; the shipped one has 5 KiB.
const MIX_BYTES_MAX: u64 = 128 * 1024;

/// Makes a province: signed records of institutions that do not exist, with planted fraud and labels that
/// say which (docs/evaluation.md). The same seed gives the same bytes.
#[derive(Debug, ClapArgs)]
pub(super) struct Simulate {
    /// The policy profile that the terminals work by: a name (`rollcall policy list`) or a file.
    #[arg(long, default_value = "sichuan-2025")]
    profile: String,
    /// How many institutions, of about 40 trainees each.
    #[arg(long, default_value_t = 200)]
    institutions: u32,
    /// How many days, from 16 March 2026 on.
    #[arg(long, default_value_t = 60)]
    days: u32,
    /// What is planted, and how often: `default`, `evaluation`, `none`, or a file like
    /// firmware-config/simulate/mix-default.toml.
    #[arg(long, default_value = "default")]
    fraud: String,
    /// The seed of all chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder that is made: a collector's data folder, with labels.json beside the ledger.
    #[arg(long)]
    out: PathBuf,
    /// Also writes each terminal's journal into this folder, for `rollcall collector take`.
    #[arg(long, value_name = "DIR")]
    journals: Option<PathBuf>,
}

impl Simulate {
    pub(super) fn run(self) -> ExitCode {
        match self.make() {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("simulate", exit),
        }
    }

    fn make(&self) -> Result<(), (Exit, Report)> {
        let plan = Plan {
            seed: self.seed,
            institutions: self.institutions,
            days: self.days,
            mix: mix(&self.fraud)?,
            policy: profile(&self.profile)?,
        };
        let made = make(&plan, &self.out, self.journals.as_deref()).map_err(failed)?;
        let refused: u64 = made.refused.values().sum();
        say!("记录 records   : {} admitted, {refused} refused and kept", made.records);
        say!("事实 facts     : {}", made.facts);
        say!("重发 repeated  : {} records came twice, {} waited", made.repeated, made.waiting);
        say!("未到 under way : {} messages have not arrived by the last day", made.under_way);
        say!("舞弊 incidents : {}, in {}", made.incidents, self.out.join(LABELS_FILE).display());
        say!("# 评估 evaluate: rollcall rules evaluate {}", self.out.display());
        say!(
            "# 实时页面 live page: a collector.toml with data_dir = \"{}\" (absolute)",
            self.out.display()
        );
        Ok(())
    }
}

fn mix(name: &str) -> Result<Mix, (Exit, Report)> {
    match name {
        "default" => return Ok(Mix::shipped()),
        "evaluation" => return Ok(Mix::of_evaluation()),
        "none" => return Ok(Mix::honest()),
        _ => {}
    }
    let hint =
        "name default, evaluation, none, or a file like firmware-config/simulate/mix-default.toml";
    let text = super::policy::read_text(Path::new(name), MIX_BYTES_MAX).map_err(|error| {
        (Exit::Usage, Report::new(format!("could not read {name}"), error.to_string(), hint))
    })?;
    Mix::parse(&text, name).map_err(|error| (Exit::Usage, Report::of(&error, hint)))
}

fn failed(error: MakeError) -> (Exit, Report) {
    let (exit, hint) = match &error {
        MakeError::Size { .. } => (Exit::Usage, "choose fewer, or more"),
        MakeError::Home(HomeError::Exists { .. }) => {
            (Exit::Usage, "name a new folder: nothing is ever made over another world")
        }
        MakeError::Stage(_) => {
            (Exit::FailStop, "this is a mistake of the program; please report it")
        }
        MakeError::Home(_)
        | MakeError::Open(_)
        | MakeError::Read(_)
        | MakeError::Commit(_)
        | MakeError::Write(_)
        | MakeError::Journal { .. } => (
            Exit::Environment,
            "look at the folder and its free space; a world of 200 institutions has 1 GB",
        ),
    };
    (exit, Report::of(&error, hint))
}
