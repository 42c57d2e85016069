//! `rollcall collector platform add | list | import | take`: online platforms, and reports that people carry.

use std::path::PathBuf;

use clap::Subcommand;

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::collector_sheet::SheetCommand;
use super::report::{Exit, Report};
use crate::collector::Home;
use crate::collector::carried::{CarriedError, take_report};
use crate::collector::platforms::Reason;
use crate::collector::sheet::Kind;
use crate::domain::PlatformId;
use crate::platform::clock::SystemClock;
use crate::platform::durable::{self, Access};
use crate::record::report::REPORT_BYTES_MAX;

/// See the file's head.
#[derive(Debug, Subcommand)]
pub(super) enum PlatformCommand {
    #[command(flatten)]
    Sheet(SheetCommand<{ Kind::Platform as usize }>),
    /// Takes in a sealed report from a file, while no collector runs. Over a network a platform sends the same
    /// bytes to the broker (docs/spec/platform-v1.md).
    Take {
        #[command(flatten)]
        config: ConfigArg,
        /// Whose report it is.
        #[arg(long, value_name = "ID")]
        platform: PlatformId,
        /// The report.
        file: PathBuf,
        /// Where the sealed answer goes, for the platform.
        #[arg(long, value_name = "FILE")]
        answer: Option<PathBuf>,
    },
}

impl PlatformCommand {
    pub(super) fn run(&self) -> Told {
        match self {
            Self::Sheet(command) => command.run(),
            Self::Take { config, platform, file, answer } => {
                take(config, platform, file, answer.as_ref())
            }
        }
    }
}

fn take(
    config: &ConfigArg,
    platform: &PlatformId,
    file: &PathBuf,
    answer: Option<&PathBuf>,
) -> Told {
    let config = load(config)?;
    let what = format!("could not take in {}", file.display());
    let unreadable = |because: String| {
        let hint = "look at its path and rights";
        (Exit::Usage, Report::new(what.clone(), because, hint))
    };
    let length = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if length > REPORT_BYTES_MAX as u64 {
        return Err(unreadable(format!("it has more than {REPORT_BYTES_MAX} bytes")));
    }
    let sealed = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
    let mut home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let done = take_report(&mut home, platform, sealed, &SystemClock::start());
    let (new, sealed) = done.map_err(|error| failed(&error))?.map_err(|reason| {
        let (because, hint) = words(reason);
        (Exit::Found, Report::new(what, because, hint))
    })?;
    if let Some(answer) = answer {
        durable::write(answer, &sealed, Access::Owner).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
        })?;
    }
    say!("{}: {new} stretches are new", file.display());
    Ok(())
}

fn failed(error: &CarriedError) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, "look at the disk; the same file can be taken again"))
}

fn words(reason: Reason) -> (String, &'static str) {
    let (because, hint) = match reason {
        Reason::Unknown => (
            "no such platform is registered",
            "`rollcall collector platform list` shows all; `platform add` registers one",
        ),
        Reason::Unsigned => (
            "it is no report, or not signed with the key that is registered",
            "compare the platform's key with `rollcall collector platform list`",
        ),
        Reason::Foreign => ("it is another platform's report", "name that one with --platform"),
        Reason::Flawed(flaw) => (flaw.en, "the platform makes it anew, with the same number"),
        Reason::Ahead => ("it was made in the future", "the platform sets its clock right"),
        Reason::Gap => {
            ("reports before it are missing", "take them in first, in the order of their numbers")
        }
        Reason::Flood => {
            ("the platform has sent more than one may in an hour", "take it in an hour later")
        }
    };
    (format!("{because} ({})", reason.code()), hint)
}
