//! `rollcall policy list | show | check`: the numbers that decisions and rules rest on, and whose they are.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report};
use crate::domain::{Basis, Modality, Policy};

/// Longest file that is read; a profile may have less.
const FILE_BYTES_MAX: u64 = 128 * 1024;

/// Policy profiles: the numbers of a jurisdiction, each with its clause or with the word that the
/// operator chose it.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the profiles that travel in the program.
    List,
    /// Shows every number of a profile, and on what ground it stands.
    Show {
        /// A profile of the program, by its name, or a file.
        profile: String,
    },
    /// Says whether a profile of your own can be used, or all that is wrong with it, by line.
    Check {
        /// The file, made from one of firmware-config/policies.
        file: PathBuf,
    },
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let done = match self.command {
            Command::List => {
                list();
                Ok(())
            }
            Command::Show { profile } => show(&profile),
            Command::Check { file } => check(&file),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("policy", exit),
        }
    }
}

fn list() {
    for policy in Policy::names().filter_map(Policy::shipped) {
        let law = law(&policy);
        say!("{:<18} {}  {}", policy.profile(), validity(&policy), policy.title().zh);
        say!("{:18} {} ({law} of its numbers from the text)", "", policy.title().en);
    }
}

/// How many of its numbers the text demands.
fn law(policy: &Policy) -> usize {
    policy.numbers().iter().filter(|line| *line.basis != Basis::Operator).count()
}

fn validity(policy: &Policy) -> String {
    let (from, until) = policy.validity();
    until.map_or_else(|| format!("{from} –"), |until| format!("{from} – {until}"))
}

fn show(profile: &str) -> Result<(), (Exit, Report)> {
    let policy = self::profile(profile)?;
    say!("{}  {}  {}", policy.profile(), validity(&policy), policy.title().zh);
    say!("{}", policy.title().en);
    for line in policy.numbers() {
        let ground = match line.basis {
            Basis::Law { clause, modality } => {
                let modality = match modality {
                    Modality::Hard => "硬性 hard",
                    Modality::Soft => "原则 soft",
                    Modality::May => "可 may",
                };
                format!("{clause} {modality}")
            }
            Basis::Operator => "运营方 operator".to_owned(),
        };
        say!("\n{} = {}   [{ground}]", line.name, line.value);
        say!("  {}", line.note.zh);
        say!("  {}", line.note.en);
    }
    Ok(())
}

/// A profile of the program, by its name, or a file.
pub(super) fn profile(profile: &str) -> Result<Policy, (Exit, Report)> {
    match Policy::shipped(profile) {
        Some(policy) => Ok(policy),
        None => read(Path::new(profile)),
    }
}

/// A file of text, of no more than so many bytes.
pub(super) fn read_text(file: &Path, bytes_max: u64) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(bytes_max).read_to_string(&mut text)?;
    Ok(text)
}

fn check(file: &Path) -> Result<(), (Exit, Report)> {
    let policy = read(file)?;
    let (all, law) = (policy.numbers().len(), law(&policy));
    say!("{}: fine. {}, {all} numbers, {law} of them law", file.display(), policy.profile());
    if let Some(shipped) = Policy::names().filter_map(Policy::shipped).find(|shipped| {
        shipped.profile() == policy.profile() && shipped.digest() != policy.digest()
    }) {
        let what = format!("could not tell it from the shipped {}", shipped.profile());
        let because = "it has the same name and version, and other content";
        let hint = "raise `version`, or give it a name of its own: anomalies name what they were judged by";
        return Err((Exit::Found, Report::new(what, because, hint)));
    }
    Ok(())
}

pub(super) fn read(file: &Path) -> Result<Policy, (Exit, Report)> {
    let origin = file.display().to_string();
    let text = read_text(file, FILE_BYTES_MAX).map_err(|error| {
        let known = Policy::names().collect::<Vec<_>>().join(", ");
        let hint = format!("name a file, or a profile of the program: {known}");
        (Exit::Usage, Report::new(format!("could not read {origin}"), error.to_string(), hint))
    })?;
    Policy::check(&text, &origin).map_err(|mistakes| {
        let because: Vec<_> =
            mistakes.iter().map(|it| format!("line {}: {}", it.line, it.detail)).collect();
        let what = format!("could not use the policy profile {origin}");
        let hint = "the shipped profiles in firmware-config/policies show each number in its form";
        (Exit::Found, Report::new(what, because.join("\n"), hint))
    })
}
