//! `rollcall terminal journal …`: the journal of a terminal that stands still, also on another
//! machine and without its key.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report};
use super::terminal::{Told, config_failed};
use crate::journal::{self, Findings, InspectError, RepairError};
use crate::platform::durable::{self, Access};
use crate::terminal::Config;

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads everything and says what stands. Ends with 0 when all does, 1 when something is
    /// damaged. Changes nothing.
    Check(Place),
    /// Puts a journal that goes on in the place of a damaged one, which is kept beside.
    Repair(Place),
    /// Writes all records that stand to a file, to be handed to the centre.
    Export {
        #[command(flatten)]
        place: Place,
        /// The file; it must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Which journal.
#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
struct Place {
    /// The terminal's configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The journal's folder.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl Place {
    fn dir(&self) -> Told<PathBuf> {
        match (&self.dir, &self.config) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(config)) => {
                let config = Config::read(config).map_err(|error| config_failed(&error))?;
                Ok(config.journal_dir)
            }
            (None, None) => {
                let hint = "name --config or --dir";
                Err((Exit::Usage, Report::new("could not find the journal", "none named", hint)))
            }
        }
    }
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        let done = match &self.command {
            Command::Check(place) => place.dir().and_then(|dir| check(&dir)),
            Command::Repair(place) => place.dir().and_then(|dir| repair(&dir)),
            Command::Export { place, out } => place.dir().and_then(|dir| export(&dir, out)),
        };
        match done {
            Ok(exit) => exit.into(),
            Err((exit, report)) => report.tell("terminal", exit),
        }
    }
}

fn unread(error: &InspectError) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, error.hint()))
}

fn check(dir: &Path) -> Told<Exit> {
    let findings = journal::check(dir).map_err(|error| unread(&error))?;
    tell(&findings);
    if findings.is_fine() {
        say!("fine");
    } else if findings.stands() {
        say!("damaged: one copy; the other one makes it good at the next start");
    } else {
        say!("damaged: run `rollcall terminal journal repair`");
    }
    Ok(if findings.is_fine() { Exit::Fine } else { Exit::Found })
}

fn tell(findings: &Findings) {
    let Findings { owner, runs, stated, waiting, flaws, losses, damaged, .. } = findings;
    match owner {
        Some((terminal, key)) => say!("terminal {terminal}, key {key}"),
        None => say!("nothing says whose journal it is"),
    }
    for (first, last) in runs {
        say!("records {first} to {last} stand");
    }
    for gap in stated {
        say!("numbers {} to {} are lost, and record {} says so", gap.first, gap.last, gap.last + 1);
    }
    say!("{waiting} records wait for a receipt");
    for flaw in flaws {
        let kind = if flaw.normal { "as a power cut leaves it" } else { "damaged" };
        say!("{kind}: {flaw}");
    }
    for loss in losses {
        say!("lost: {loss}");
    }
    for what in damaged {
        say!("damaged: {what}");
    }
}

fn repair(dir: &Path) -> Told<Exit> {
    let repaired = journal::repair(dir).map_err(|error| {
        let exit = match &error {
            RepairError::Hopeless { .. } => Exit::Found,
            RepairError::Inspect(_) | RepairError::Write { .. } => Exit::Environment,
        };
        (exit, Report::of(&error, error.hint()))
    })?;
    let Some(kept) = &repaired.kept else {
        say!("nothing to repair: a terminal can start on it");
        return Ok(Exit::Fine);
    };
    match repaired.records {
        Some((first, last)) => say!("repaired: records {first} to {last} go on"),
        None => say!("repaired: no record stands"),
    }
    if let Some(gap) = repaired.gap {
        say!(
            "numbers {} to {} may have been used and are never used again; the terminal states this gap when it starts",
            gap.first,
            gap.last
        );
    }
    if let (Some(first), Some(last)) = (repaired.aside.first(), repaired.aside.last()) {
        say!(
            "{} records from {first} to {last} stand behind the damage and cannot go on in the chain: export them from the damaged journal for the centre",
            repaired.aside.len()
        );
    }
    say!("the damaged journal is kept in {}", kept.display());
    Ok(Exit::Fine)
}

fn export(dir: &Path, out: &Path) -> Told<Exit> {
    if out.exists() {
        let what = format!("could not write {}", out.display());
        return Err((Exit::Usage, Report::new(what, "it is there already", "name another file")));
    }
    let (text, records) = journal::export(dir).map_err(|error| unread(&error))?;
    durable::write(out, text.as_bytes(), Access::Owner)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the disk")))?;
    say!("{records} records in {}", out.display());
    Ok(Exit::Fine)
}
