//! A table as it was read: text in cells, and what is wrong with it, by row and column.

use std::fmt;

use super::columns::{Column, Kind};
use crate::domain::without_numbers;

/// Problems that are kept: whoever mends these tries again.
const PROBLEMS_MAX: usize = 1_000;

/// A header and rows, each with its number in the file; 0 for a row of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The first row.
    pub header: Vec<String>,
    /// The others.
    pub rows: Vec<(u64, Vec<String>)>,
}

impl Grid {
    /// One row from `column=value` of the command line.
    pub fn of_pairs(pairs: &[(String, String)]) -> Self {
        let (header, row) = pairs.iter().cloned().unzip();
        Self { header, rows: vec![(0, row)] }
    }
}

/// What is wrong at one place, and what to do about it. Shows nothing that names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row of the file, the header being 1; 0 without a file.
    pub row: u64,
    /// The column, by the name in the header.
    pub column: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, &self.column) {
            (0, None) => {}
            (0, Some(column)) => write!(f, "--{}: ", column.replace('_', "-"))?,
            (row, None) => write!(f, "row {row}: ")?,
            (row, Some(column)) => write!(f, "row {row}, column {column}: ")?,
        }
        write!(f, "{}; {}", self.what, self.hint)
    }
}

impl Problem {
    /// With its column named as the header of its file names it.
    pub fn name_as_in(&mut self, kind: Kind, grid: &Grid) {
        let Some(name) = &mut self.column else { return };
        let Some(column) = kind.columns().iter().find(|it| it.name == name) else { return };
        let mut header = grid.header.iter().map(|it| it.trim());
        if let Some(shown) = header.find(|it| column.is_called(it)) {
            shown.clone_into(name);
        }
    }
}

/// Something to look at that hinders nothing.
pub type Remark = Problem;

/// All that is wrong with a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// By row.
    pub all: Vec<Problem>,
    /// How many more there were than are kept.
    pub more: usize,
}

impl Problems {
    /// One more.
    pub fn push(&mut self, problem: Problem) {
        if self.all.len() < PROBLEMS_MAX {
            self.all.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// `value`, or the problems if there are any; these by row.
    pub fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.all.is_empty() {
            return Ok(value);
        }
        self.all.sort_by_key(|problem| problem.row);
        Err(self)
    }

    /// With columns named as the header of their file names them.
    pub fn named_as_in(mut self, kind: Kind, grid: &Grid) -> Self {
        for problem in &mut self.all {
            problem.name_as_in(kind, grid);
        }
        self
    }

    /// The first `most` of them, one a line, and how many more there are.
    pub fn told(&self, most: usize) -> String {
        let mut lines: Vec<_> = self.all.iter().take(most).map(ToString::to_string).collect();
        let more = self.all.len().saturating_sub(most) + self.more;
        if more > 0 {
            lines.push(format!("… and {more} more"));
        }
        lines.join("\n")
    }
}

/// Which column of the file is which of the table.
#[derive(Debug)]
pub(super) struct Header<'g> {
    names: &'g [String],
    places: Vec<(&'static Column, Option<usize>)>,
}

impl<'g> Header<'g> {
    pub(super) fn read(
        columns: &'static [Column],
        names: &'g [String],
        problems: &mut Problems,
    ) -> Self {
        let row = 1;
        let mut places: Vec<(&'static Column, Option<usize>)> =
            columns.iter().map(|column| (column, None)).collect();
        let known = || {
            let all = columns.iter().map(|it| format!("{} {}", it.zh, it.name));
            all.collect::<Vec<_>>().join(", ")
        };
        for (at, name) in names.iter().enumerate() {
            let plain = name.trim();
            let found = places.iter_mut().find(|(it, _)| it.is_called(plain));
            let shown = without_numbers(plain);
            let wrong = match found {
                Some((_, place @ None)) => {
                    *place = Some(at);
                    continue;
                }
                Some((_, Some(_))) => (format!("{shown:?} stands twice"), "keep one".to_owned()),
                None if plain.is_empty() => continue,
                None => (
                    format!("there is no column {shown:?}"),
                    format!("the columns are {}, separated by commas", known()),
                ),
            };
            let column = Some(shown);
            problems.push(Problem { row, column, what: wrong.0, hint: wrong.1 });
        }
        for (column, place) in &places {
            if column.must && place.is_none() {
                problems.push(Problem {
                    row,
                    column: Some(format!("{} {}", column.zh, column.name)),
                    what: "it is missing".into(),
                    hint: format!("add it, with values like {}", column.example),
                });
            }
        }
        Self { names, places }
    }

    /// What stands in a column of a row, and the column's name in the file.
    pub(super) fn cell<'r>(
        &self,
        row: &'r [String],
        name: &str,
    ) -> (&'r str, &'static Column, String) {
        let found = self.places.iter().find(|(column, _)| column.name == name);
        let (column, place) = found.expect("rows ask for columns of their own table");
        let text = place.and_then(|at| row.get(at)).map_or("", |text| text.trim());
        let shown = match place.and_then(|at| self.names.get(at)) {
            Some(name) => name.trim().to_owned(),
            None => column.name.to_owned(),
        };
        (text, column, shown)
    }

    /// How many cells of a row stand under a name.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}
