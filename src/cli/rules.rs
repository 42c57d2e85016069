//! `rollcall rules …`: how good the rules are on a made province, and how their numbers are changed safely.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::policy::profile;
use super::report::{Exit, Report};
use super::rules_replay::{self, ReplayArgs};
use super::rules_shadow::{self, PromoteArgs, ShadowArgs};
use crate::evaluate::{EvaluateError, Evaluation, Figures, Share, evaluate, reached};
use crate::platform::durable::{self, Access};
use crate::province::{Care, Labels, LabelsError};

/// The rules that look for fraud in the ledger.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Holds what the rules raise against what was planted in a made province (docs/evaluation.md).
    Evaluate {
        /// The folder that `rollcall simulate` made.
        folder: PathBuf,
        /// The policy profile to judge by, of the name that the world was made under.
        #[arg(long)]
        profile: Option<String>,
        /// Prints the figures as JSON.
        #[arg(long)]
        json: bool,
        /// Also writes a page with plots.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Also tells the first false alarms of each detector, and each incident that was missed.
        #[arg(long)]
        examples: bool,
    },
    /// Shows what another profile would have raised in a collector's ledger, and what would have fallen silent.
    Replay(ReplayArgs),
    /// Tries a profile out beside the one in force.
    Shadow(ShadowArgs),
    /// Puts the profile that is tried out into force. While no collector runs.
    Promote(PromoteArgs),
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Evaluate { folder, profile, json, html, examples } => {
                run(&folder, profile.as_deref(), json, html.as_deref(), examples)
            }
            Command::Replay(args) => rules_replay::run(&args),
            Command::Shadow(args) => rules_shadow::shadow(&args),
            Command::Promote(args) => rules_shadow::promote(&args),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("rules", exit),
        }
    }
}

fn run(
    folder: &Path,
    named: Option<&str>,
    json: bool,
    html: Option<&Path>,
    examples: bool,
) -> Result<(), (Exit, Report)> {
    let made_under = Labels::read(folder).map_err(|error| failed(error.into()))?.policy;
    let name = made_under.split('/').next().unwrap_or_default();
    let policy = profile(named.unwrap_or(name))?;
    let evaluation = evaluate(folder, policy).map_err(failed)?;
    if let Some(file) = html {
        let page = evaluation.to_html();
        durable::write(file, page.as_bytes(), Access::Everyone).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
        })?;
    }
    if json {
        say!("{}", evaluation.to_json().trim_end());
    } else {
        told(&evaluation);
        if examples {
            exemplified(&evaluation);
        }
    }
    Ok(())
}

fn failed(error: EvaluateError) -> (Exit, Report) {
    let (exit, hint) = match &error {
        EvaluateError::Labels(LabelsError::Read { .. }) => {
            (Exit::Usage, "name a folder that `rollcall simulate` has made to its end")
        }
        EvaluateError::Labels(LabelsError::Json { .. } | LabelsError::Format { .. }) => {
            (Exit::Usage, "make the world anew with this version of the program")
        }
        EvaluateError::Policy { .. } => {
            (Exit::Usage, "judge by the profile of the world: --profile")
        }
        EvaluateError::Numbers { .. } => (
            Exit::Usage,
            "make the world anew, or judge by the file that it was made under: --profile",
        ),
        EvaluateError::Open(_) | EvaluateError::Read(_) => {
            (Exit::Environment, "look at the disk, or make the world anew")
        }
    };
    (exit, Report::of(&error, hint))
}

fn told(evaluation: &Evaluation) {
    let labels = &evaluation.labels;
    say!(
        "虚构省份 made province: {} institutions, {} days, seed {}; {} records, {} honest trainee-days, {} incidents",
        labels.institutions,
        labels.days,
        labels.seed,
        evaluation.records,
        evaluation.honest_days,
        labels.incidents.len()
    );
    say!(
        "{:<22} {:>9} {:>9} {:>9} {:>9} {:>13} {:>8}",
        "",
        "precision",
        "clumsy",
        "middling",
        "careful",
        "false / 1,000",
        "delay"
    );
    line("合计 overall", &evaluation.overall);
    line("无痕除外 visible", &evaluation.visible);
    let [clumsy, middling, careful] = evaluation.by_aim.map(shown);
    say!("{:<22} {:>9} {clumsy:>9} {middling:>9} {careful:>9}", "有针对 by aim", "–");
    for (kind, figures) in &evaluation.detectors {
        line(kind.as_str(), figures);
    }
    for (aim, figure) in reached(&evaluation.overall) {
        let (zh, en) = aim.name;
        let sign = if aim.at_most { "≤" } else { "≥" };
        let verdict = if aim.is_met(figure) { "达到 met" } else { "未达到 missed" };
        let figure = figure.map_or_else(|| "–".to_owned(), |it| format!("{it:.3}"));
        say!("{verdict}: {zh} {en} {sign} {}: {figure}", aim.bound);
    }
}

fn exemplified(evaluation: &Evaluation) {
    for (kind, why) in &evaluation.false_alarms {
        say!("误报 false alarm: {kind}: {}", why.zh);
        say!("    {}", why.en);
    }
    for label in evaluation.missed.iter().filter_map(|n| evaluation.labels.incidents.get(*n)) {
        let ((kind_zh, kind), (care_zh, care)) = (label.kind.words(), label.care.words());
        say!("漏报 missed: {} {kind_zh}（{care_zh}） {kind}, {care}: {}", label.id, label.class);
    }
}

fn shown(share: Share) -> String {
    share.rate().map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0))
}

fn line(name: &str, it: &Figures) {
    let [clumsy, middling, careful] = Care::ALL.map(|care| shown(it.recall_of(care)));
    let none = || "–".to_owned();
    let false_alarms = it.false_alarms_per_1000_days().map_or_else(none, |it| format!("{it:.2}"));
    let delay = it.delay_median_h().map_or_else(none, |hours| format!("{hours:.0} h"));
    say!(
        "{name:<22} {:>9} {clumsy:>9} {middling:>9} {careful:>9} {false_alarms:>13} {delay:>8}",
        shown(it.precision)
    );
}
