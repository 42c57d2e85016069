//! `rollcall cases …`: what the rules found, gathered by subject, and what people do about it. Each step is
//! a fact with the name of whoever takes it (docs/cases.md).

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::cases_show::{self, Persons};
use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report};
use crate::cases::{Case, may};
use crate::collector::cases::{Reading, ReadingError, name_of};
use crate::collector::wishes::{Folder, FolderError};
use crate::collector::{Config, Home, HomeError, StateError, Store, cases};
use crate::domain::{CaseId, CaseStep, Fact, Party, Step, Timestamp, Verdict, VerdictReason, Word};
use crate::platform::chance;
use crate::platform::clock::{Clock, SystemClock};

/// How often it is looked whether the running collector has stated a step.
const LOOK: Duration = Duration::from_millis(500);

/// How long it may take, in milliseconds.
const STATED_MS_MAX: i64 = 20_000;

/// Fewest digits by which a case is named.
const DIGITS_MIN: usize = 6;

/// Cases: what the rules found about one subject, and what people did about it.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists cases, the most urgent first.
    List {
        #[command(flatten)]
        config: ConfigArg,
        /// Which: waiting (for somebody), open, taken, snoozed, judged, appealed, all.
        #[arg(long, default_value = "waiting", value_parser = crate::web::STATES)]
        state: String,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Shows one case: the parts of its score, its anomalies, what was done.
    Show {
        #[command(flatten)]
        which: Which,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Looks after a case from now on.
    Take {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        said: Said,
    },
    /// Says something about a case.
    Comment {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        said: Said,
    },
    /// Puts a case off; it comes back by itself.
    Snooze {
        #[command(flatten)]
        which: Which,
        /// Until when: a day, as in 2026-03-31, or a day and a time.
        #[arg(long)]
        until: String,
        #[command(flatten)]
        said: Said,
    },
    /// Judges a case.
    Verdict {
        #[command(flatten)]
        which: Which,
        /// What it is: fraud 舞弊, error 差错, undecided 未定.
        #[arg(long, value_parser = word::<Verdict>)]
        verdict: Verdict,
        /// Why, in one word of the list in docs/cases.md.
        #[arg(long, value_parser = word::<VerdictReason>)]
        reason: VerdictReason,
        #[command(flatten)]
        said: Said,
    },
    /// Contests the verdict for an institution or a trainee; somebody else decides then.
    Appeal {
        #[command(flatten)]
        which: Which,
        /// Who contests: institution 机构 or trainee 学员.
        #[arg(long, value_parser = word::<Party>)]
        party: Party,
        #[command(flatten)]
        said: Said,
    },
    /// Takes a verdict back, for something new.
    Reopen {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        said: Said,
    },
    /// Tells of each rule how often it was right, by the verdicts so far.
    Precision {
        #[command(flatten)]
        config: ConfigArg,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, ClapArgs)]
struct Which {
    #[command(flatten)]
    config: ConfigArg,
    /// The case: its name, or at least six digits of its beginning.
    case: String,
}

#[derive(Debug, ClapArgs)]
struct Said {
    /// Who does it: name and office. It stands in the ledger for ever.
    #[arg(long)]
    by: String,
    /// Why, in words. It stands in the ledger for ever and names no trainee.
    #[arg(long)]
    text: Option<String>,
}

/// A word of a closed list, by its code or its Chinese.
fn word<W: Word>(text: &str) -> Result<W, String> {
    W::read(text).ok_or_else(|| {
        let known: Vec<_> =
            W::ALL.iter().map(|word| format!("{} {}", word.code(), word.zh())).collect();
        format!("it is one of: {}", known.join(", "))
    })
}

impl Args {
    pub(super) fn run(self) -> ExitCode {
        crate::platform::telemetry::start_logging("warn");
        let done = match self.command {
            Command::List { config, state, json } => list(&config, &state, json),
            Command::Show { which, json } => show(&which, json),
            Command::Precision { config, json } => precision(&config, json),
            Command::Take { which, said } => act(&which, said, |_| Ok(Step::Taken)),
            Command::Comment { which, said } => act(&which, said, |_| Ok(Step::Commented)),
            Command::Reopen { which, said } => act(&which, said, |_| Ok(Step::Reopened)),
            Command::Appeal { which, party, said } => {
                act(&which, said, |_| Ok(Step::Appealed { party }))
            }
            Command::Snooze { which, until, said } => act(&which, said, |_| {
                let at = Timestamp::parse_shanghai(&until)
                    .map_err(|error| refused(&error.to_string(), "correct --until"))?;
                Ok(Step::Snoozed { until: at })
            }),
            Command::Verdict { which, verdict, reason, said } => act(&which, said, |case| {
                let (anomalies, digest) = case.seen();
                Ok(Step::Judged { verdict, reason, anomalies, digest })
            }),
        };
        match done {
            Ok(()) => Exit::Fine.into(),
            Err((exit, report)) => report.tell("cases", exit),
        }
    }
}

/// The folder in which steps wait for the running collector.
pub(super) fn waiting(config: &Config) -> Told<Folder<CaseStep>> {
    cases::waiting(&config.data_dir).map_err(|error| folder_failed(&error))
}

pub(super) fn folder_failed(error: &FolderError) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, "look at the folder's rights and its disk"))
}

fn refused(because: &str, hint: &str) -> (Exit, Report) {
    (Exit::Usage, Report::new("could not take this step 未能处理", because, hint))
}

fn reading_failed(error: &ReadingError) -> (Exit, Report) {
    let hint =
        "look at the disk or the database; `rollcall collector run` brings older ones forward";
    (Exit::Environment, Report::of(error, hint))
}

fn read(store: &Store) -> Told<Reading> {
    Reading::of(store).map_err(|error| reading_failed(&error))
}

fn list(config: &ConfigArg, state: &str, json: bool) -> Told {
    let config = load(config)?;
    let reading = read(&store(&config)?)?;
    let persons = Persons::of(&config)?;
    let now = SystemClock::start().now();
    cases_show::list(&reading, &persons, now, state, json);
    Ok(())
}

fn precision(config: &ConfigArg, json: bool) -> Told {
    let config = load(config)?;
    cases_show::precision(&read(&store(&config)?)?, json);
    Ok(())
}

fn show(which: &Which, json: bool) -> Told {
    let config = load(&which.config)?;
    let reading = read(&store(&config)?)?;
    let persons = Persons::of(&config)?;
    let case = find(&reading, &which.case)?;
    let found = reading.found(case).map_err(|error| reading_failed(&error.into()))?;
    let now = SystemClock::start().now();
    cases_show::show(&reading, &persons, now, case, &found, json);
    Ok(())
}

fn find<'r>(reading: &'r Reading, text: &str) -> Told<&'r Case> {
    let gathered = &reading.gathered;
    if let Some(case) = text.parse().ok().and_then(|id: CaseId| gathered.case(id)) {
        return Ok(case);
    }
    let failed = |because: &str, hint: &str| {
        let report = Report::new(format!("could not find case {text}"), because, hint);
        Err((Exit::Usage, report))
    };
    if text.len() < DIGITS_MIN {
        return failed("fewer than six digits name none", "copy more of them");
    }
    match gathered.beginning_with(text)[..] {
        [case] => Ok(case),
        [] => failed("there is none of that name", "`rollcall cases list --state all` shows all"),
        [..] => failed("more than one begins like this", "copy more of its digits"),
    }
}

fn act(which: &Which, said: Said, step: impl FnOnce(&Case) -> Told<Step>) -> Told {
    let config = load(&which.config)?;
    let store = store(&config)?;
    let reading = read(&store)?;
    let clock = SystemClock::start();
    let case = find(&reading, &which.case)?;
    let trim = |text: &str| text.trim().to_owned();
    let step = CaseStep {
        id: chance::random_bytes(),
        case: case.id,
        step: step(case)?,
        by: trim(&said.by),
        text: said.text.as_deref().map(trim),
    };
    may(Some(case), &step, clock.now())
        .map_err(|denied| refused(&denied.to_string(), denied.hint()))?;
    let people = reading.people(case).map_err(|error| reading_failed(&error.into()))?;
    if Persons::of(&config)?.are_named_in(&people, &step) {
        let because = "--by or --text names somebody whom the case is about";
        return Err(refused(because, "it would be public for ever: say it without the name"));
    }
    state(&config, &store, &step, &clock)?;
    let word = cases::step_word(&step.step);
    say!("案件 case {}: {word}，已入账 it is in the ledger", case.id);
    Ok(())
}

/// States it, or has the running collector do it.
fn state(config: &Config, store: &Store, step: &CaseStep, clock: &SystemClock) -> Told {
    match Home::open_in(&config.data_dir, store.clone()) {
        Ok(mut home) => {
            let stated = home.state(vec![Fact::CaseStep(step.clone())], clock.now());
            return stated.map(drop).map_err(|error| {
                let exit = match &error {
                    StateError::Key { .. } | StateError::TooLong { .. } => Exit::Usage,
                    StateError::Commit(_) | StateError::Ended => Exit::Environment,
                };
                (exit, Report::of(&error, "nothing was stated; mend the cause and try again"))
            });
        }
        Err(HomeError::Locked { .. }) => {}
        Err(error) => return Err(home_failed(error)),
    }
    let folder = waiting(config)?;
    folder.leave(&name_of(step), step).map_err(|error| folder_failed(&error))?;
    let since = clock.now();
    while clock.now().ms_since(since) < STATED_MS_MAX {
        sleep(LOOK);
        if read(store)?.has_step(&step.id) {
            return Ok(());
        }
    }
    let because = "the running collector has not stated it yet";
    let hint = "it waits in case-steps of the data folder; look at the collector's log";
    Err((Exit::Environment, Report::new("could not see the step in the ledger", because, hint)))
}
