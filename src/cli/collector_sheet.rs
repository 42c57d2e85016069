//! `rollcall collector institution | site | class | lesson | roster | teacher | status | claim
//! add | list | import`: what the centre states, one by one or by a table. One shape for all.

use std::io::BufRead;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::{Map, Value};

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report, secret_failed};
use crate::collector::clerk::{self, ClerkError, Order, Shown};
use crate::collector::people::{People, PeopleError};
use crate::collector::sheet::{self, Column, Grid, GridError, Kind, Plan, Problems};
use crate::collector::{Config, Home, HomeError, StateError};
use crate::domain::PersonId;
use crate::platform::chance::random_bytes;
use crate::platform::clock::{Clock, SystemClock};

/// Longest line that is read for a private column, in bytes.
const LINE_BYTES_MAX: u64 = 400;

/// What one can do with facts of kind `K`, which is a [`Kind`] as a number.
#[derive(Debug, Subcommand)]
pub(super) enum SheetCommand<const K: usize> {
    /// States one, while no collector runs. `-` for a name or number: read from standard input.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        row: Row<K>,
        /// States it anew where it stands with other values; the ledger keeps both.
        #[arg(long)]
        replace: bool,
    },
    /// Shows all that stand, also while a collector runs.
    List {
        #[command(flatten)]
        config: ConfigArg,
        /// As JSON, for programs.
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// As CSV, which `import` takes.
        #[arg(long)]
        csv: bool,
        /// Says who they are, where rows are about people: whoever reads it reads personal data.
        #[arg(long)]
        names: bool,
    },
    /// States a whole CSV file or, if one row is wrong, nothing of it; while no collector runs.
    Import {
        #[command(flatten)]
        config: ImportConfig,
        /// The file: UTF-8 or GB18030, with a header in Chinese or English.
        #[arg(required_unless_present = "template")]
        file: Option<PathBuf>,
        /// States anew what stands with other values; the ledger keeps both.
        #[arg(long)]
        replace: bool,
        /// Looks only, and states nothing.
        #[arg(long)]
        check: bool,
        /// Prints a header with one example, to be filled in.
        #[arg(long, conflicts_with_all = ["file", "replace", "check"])]
        template: bool,
    },
}

/// A template needs no configuration.
#[derive(Debug, clap::Args)]
pub(super) struct ImportConfig {
    /// The configuration file; firmware-config/collector.toml is a commented example.
    #[arg(long, value_name = "FILE", required_unless_present = "template")]
    config: Option<PathBuf>,
}

/// One option for each column.
#[derive(Debug)]
pub(super) struct Row<const K: usize>(Vec<(String, String)>);

fn kind_of(number: usize) -> Kind {
    let found = Kind::ALL.into_iter().find(|kind| *kind as usize == number);
    found.expect("the commands name kinds")
}

impl<const K: usize> clap::Args for Row<K> {
    fn augment_args(command: Command) -> Command {
        kind_of(K).columns().iter().fold(command, |command, column| command.arg(option(column)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn option(column: &'static Column) -> Arg {
    let Column { name, zh, must, example, .. } = *column;
    let must = if must { "" } else { ", may be left out" };
    let like = if example.is_empty() { String::new() } else { format!(", like {example}") };
    Arg::new(name)
        .long(name.replace('_', "-"))
        .value_name("TEXT")
        .allow_hyphen_values(true)
        .help(format!("{zh}{like}{must}"))
}

impl<const K: usize> FromArgMatches for Row<K> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut row = Self(Vec::new());
        row.update_from_arg_matches(matches)?;
        Ok(row)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut input = std::io::stdin().lock();
        self.0.clear();
        for column in kind_of(K).columns() {
            let mut text = matches.get_one::<String>(column.name).cloned().unwrap_or_default();
            if column.private && text == "-" {
                text.clear();
                let mut line = std::io::Read::take(&mut input, LINE_BYTES_MAX);
                line.read_line(&mut text)
                    .map_err(|error| clap::Error::raw(ErrorKind::Io, error))?;
            }
            self.0.push((column.name.to_owned(), text));
        }
        Ok(())
    }
}

impl<const K: usize> SheetCommand<K> {
    pub(super) fn run(&self) -> Told {
        let kind = kind_of(K);
        match self {
            Self::Add { config, row, replace } => {
                let what = format!("could not add the {}", kind.singular());
                let grid = Grid::of_pairs(&row.0);
                let config = load(config)?;
                let policy = config.policy().map_err(super::collector::config_failed)?;
                let (policy, replace) = (&policy, *replace);
                let order = Order { policy, kind, grid: &grid, replace, only_check: false };
                tell(kind, &enter(&config, order, &what)?, false)
            }
            Self::List { config, json, csv, names } => {
                let shown = list(&load(config)?, kind, *names)?;
                if *json {
                    tell_json(kind, &shown);
                } else if *csv {
                    let header = kind.columns().iter().map(|column| column.name.to_owned());
                    let mut rows = vec![header.collect()];
                    rows.extend(shown.into_iter().map(|row| row.cells));
                    print!("{}", String::from_utf8_lossy(&sheet::write(&rows)));
                } else {
                    tell_table(kind, shown);
                }
                Ok(())
            }
            Self::Import { template: true, .. } => {
                print!("{}", String::from_utf8_lossy(&sheet::write(&kind.template())));
                Ok(())
            }
            Self::Import { config, file, replace, check, template: false } => {
                let (Some(config), Some(file)) = (&config.config, file) else {
                    unreachable!("the command line asks for both, but for a template")
                };
                let config = Config::load(config).map_err(super::collector::config_failed)?;
                let what = format!("could not import the {} in {}", kind.plural(), file.display());
                let grid = sheet::read(file).map_err(|error| not_read(&what, &error))?;
                let policy = config.policy().map_err(super::collector::config_failed)?;
                let (policy, replace, only_check) = (&policy, *replace, *check);
                let order = Order { policy, kind, grid: &grid, replace, only_check };
                tell(kind, &enter(&config, order, &what)?, *check)
            }
        }
    }
}

/// How a file that is no table is told.
pub(super) fn not_read(what: &str, error: &GridError) -> (Exit, Report) {
    let because = crate::platform::telemetry::Chain(error).to_string();
    let hint = match error {
        GridError::Read(_) => "look at its path and rights",
        GridError::TooLarge => "split it; each part is stated as a whole",
        GridError::Encoding => "save it as \"CSV UTF-8\"; a workbook (.xlsx) cannot be read",
        GridError::Empty => "`import --template` prints a header to begin with",
        GridError::Csv(_) => "put quotes around a text with commas or line breaks in it",
    };
    (Exit::Usage, Report::new(what, because, hint))
}

fn enter(config: &Config, order: Order<'_>, what: &str) -> Told<Plan> {
    let mut home = Home::open_in(&config.data_dir, store(config)?).map_err(|error| match error {
        HomeError::Locked { .. } => {
            let because = format!("{error}, and facts are stated only while none runs");
            let hint = "stop it (systemctl stop rollcall-collector), do this again, and start it: \
                        terminals keep their records meanwhile";
            (Exit::Environment, Report::new(what, because, hint))
        }
        HomeError::Exists { .. }
        | HomeError::Key(_)
        | HomeError::Folder { .. }
        | HomeError::Ledger(_) => home_failed(error),
    })?;
    // Whether a claim may be granted hangs on who its people are, where anybody knows.
    let granting = order.kind == Kind::Status && People::are_in(&config.data_dir);
    let mut people = match order.kind.names_people() || granting {
        true => Some(People::open(&config.data_dir).map_err(|error| people_failed(&error))?),
        false => None,
    };
    let now = SystemClock::start().now();
    let done = clerk::enter(&mut home, people.as_mut(), order, random_bytes, now);
    done.map_err(|error| clerk_failed(&error))?.map_err(|problems| {
        let hint = match order.grid.rows.first() {
            Some((0, _)) => "correct it and add it again; --help shows what each option takes",
            _ => "correct these and import the whole file again; `import --template` shows the columns",
        };
        wrong(what, "nothing was stated", hint, &problems)
    })
}

/// How the mistakes of a table are told: all of them, by row and column.
pub(super) fn wrong(what: &str, nothing: &str, hint: &str, problems: &Problems) -> (Exit, Report) {
    let count = problems.all.len() + problems.more;
    let things = if count == 1 { "1 thing is wrong" } else { &format!("{count} things are wrong") };
    let because = format!("{things}, and {nothing}\n{}", problems.told(usize::MAX));
    (Exit::Usage, Report::new(what, because, hint))
}

fn tell(kind: Kind, plan: &Plan, only_checked: bool) -> Told {
    for remark in &plan.remarks {
        say!("note: {remark}");
    }
    let Plan { facts, new, changed, same, .. } = plan;
    let rows = if *same == 1 { "1 row stands".to_owned() } else { format!("{same} rows stand") };
    if facts.is_empty() {
        say!("nothing to state: the ledger has it all already ({rows} as before)");
    } else {
        let did = if only_checked { "would be stated" } else { "stated" };
        say!("{}: {did}: {new} new, {changed} changed, {same} as before", kind.plural());
    }
    Ok(())
}

fn list(config: &Config, kind: Kind, names: bool) -> Told<Vec<Shown>> {
    let ledger = store(config)?.read_ledger();
    let ledger = ledger.map_err(|error| home_failed(HomeError::Ledger(error)))?;
    let people = match names && kind.names_people() {
        true => Some(People::open(&config.data_dir).map_err(|error| people_failed(&error))?),
        false => None,
    };
    clerk::list(&*ledger, kind, people.as_ref()).map_err(|error| clerk_failed(&error))
}

fn tell_json(kind: Kind, shown: &[Shown]) {
    let object = |row: &Shown| {
        let cells = kind.columns().iter().zip(&row.cells);
        let cells = cells.filter(|(_, cell)| !cell.is_empty());
        let mut object: Map<String, Value> =
            cells.map(|(column, cell)| (column.name.to_owned(), cell.as_str().into())).collect();
        object.insert("first_stated".into(), row.first_stated.to_string().into());
        object.insert("stated".into(), row.stated.to_string().into());
        Value::Object(object)
    };
    let all = Value::Array(shown.iter().map(object).collect());
    say!("{all:#}");
}

/// Columns in which nothing stands are left out.
fn tell_table(kind: Kind, shown: Vec<Shown>) {
    if shown.is_empty() {
        say!("no {} yet; `import --template` prints a table to fill in", kind.plural());
        return;
    }
    let count = shown.len();
    let mut header: Vec<String> = kind.columns().iter().map(|it| it.name.to_owned()).collect();
    header.push("stated".into());
    let mut rows = vec![header];
    for Shown { mut cells, stated, .. } in shown {
        cells.push(stated.to_string());
        rows.push(cells);
    }
    let widest = |at: usize| {
        let filled = rows.iter().skip(1).any(|row| !row[at].is_empty());
        filled.then(|| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0))
    };
    let widths: Vec<Option<usize>> = (0..rows[0].len()).map(widest).collect();
    for row in &rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            if let Some(wide) = wide {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', wide - width(cell) + 2));
            }
        }
        say!("{}", line.trim_end());
    }
    say!("{count} in all");
}

/// Columns of a terminal that a text takes: Chinese characters and full-width signs take two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x20000..=0x3fffd);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// `rollcall collector people …`
#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// Makes the key of identity numbers and the empty file of people, for a centre that was made
    /// before there was one.
    Init(ConfigArg),
    /// Erases a person: name, number, and what opens her commitments. The ledger stays whole.
    Erase {
        #[command(flatten)]
        config: ConfigArg,
        /// Her id at this centre, of `roster list --names`.
        #[arg(long)]
        person: PersonId,
    },
}

impl PeopleCommand {
    pub(super) fn run(&self) -> Told {
        match self {
            Self::Init(config) => {
                let config = load(config)?;
                // Nobody else makes or fills the folder meanwhile.
                let _home =
                    Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
                make_people(&config)
            }
            Self::Erase { config, person } => {
                let config = load(config)?;
                let failed = |error: PeopleError| people_failed(&error);
                let mut people = People::open(&config.data_dir).map_err(failed)?;
                let erased = people.erase(*person).map_err(failed)?;
                if erased == 0 {
                    let hint = "`rollcall collector roster list --names` shows all";
                    let because = format!("the centre knows no person {person}");
                    return Err((Exit::Found, Report::new("could not erase", because, hint)));
                }
                say!("erased {person}: what stands in the ledger names nobody any more");
                Ok(())
            }
        }
    }
}

/// Makes key and file of people, once.
pub(super) fn make_people(config: &Config) -> Told {
    People::create(&config.data_dir).map_err(|error| people_failed(&error))?;
    say!("# Made the key of identity numbers and the file of people: keep a copy of both, apart.");
    Ok(())
}

pub(super) fn people_failed(error: &PeopleError) -> (Exit, Report) {
    let (exit, hint) = match error {
        PeopleError::Missing { .. } => (
            Exit::Environment,
            "put identity.key and people.sqlite back from their copy; where there never were any, \
             `rollcall collector people init` makes them, once",
        ),
        PeopleError::Exists { .. } => (Exit::Usage, "use it; nothing was changed"),
        PeopleError::Foreign { .. } => (Exit::Environment, "put it back from its copy"),
        PeopleError::Key(error) => return secret_failed(error),
        PeopleError::Make { .. } | PeopleError::Storage(_) => {
            (Exit::Environment, "look at the folder's rights and free space")
        }
    };
    (exit, Report::of(error, hint))
}

fn clerk_failed(error: &ClerkError) -> (Exit, Report) {
    let (exit, hint) = match error {
        ClerkError::People(error) => return people_failed(error),
        ClerkError::Read(_) => (Exit::Environment, "look at the disk, or restore a backup"),
        ClerkError::State(StateError::Key { .. } | StateError::TooLong { .. }) => {
            (Exit::Usage, "nothing was stated; shorten the texts")
        }
        ClerkError::State(StateError::Commit(_) | StateError::Ended) => {
            (Exit::Environment, "nothing was stated; mend the cause and do it again")
        }
    };
    (exit, Report::of(error, hint))
}
