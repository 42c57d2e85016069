//! A table of terminals that shall come in, each by a token of its own. Pure.

use std::collections::HashMap;

use super::cells::Cells;
use super::columns::TERMINAL;
use super::grid::{Grid, Header, Problem, Problems};
use crate::domain::{SiteId, TerminalId};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRow {
    /// Its number in the file.
    pub row: u64,
    /// The new terminal's name.
    pub id: TerminalId,
    /// Where it will stand.
    pub site: SiteId,
}

/// Reads a table of terminals. `why_not` says for one of them which column is wrong, what is, and
/// what to do about it.
pub fn terminals(
    grid: &Grid,
    mut why_not: impl FnMut(&TerminalRow) -> Option<(&'static str, String, String)>,
) -> Result<Vec<TerminalRow>, Problems> {
    let mut problems = Problems::default();
    let header = Header::read(TERMINAL, &grid.header, &mut problems);
    problems.or(())?;
    let mut problems = Problems::default();
    let mut rows = Vec::new();
    let mut seen: HashMap<TerminalId, u64> = HashMap::new();
    for (row, cells) in &grid.rows {
        let mut cells = Cells { row: *row, header: &header, cells, problems: &mut problems };
        let (Some(id), Some(site)) = (cells.id::<TerminalId>("id"), cells.id("site")) else {
            continue;
        };
        let found = TerminalRow { row: *row, id, site };
        if let Some(first) = seen.insert(found.id.clone(), *row) {
            cells.wrong("id", format!("the same stands in row {first}"), "keep one of the two");
        } else if let Some((column, what, hint)) = why_not(&found) {
            cells.wrong(column, what, hint);
        }
        rows.push(found);
    }
    if grid.rows.is_empty() {
        let (what, hint) =
            ("there are no rows".to_owned(), "write some below the header".to_owned());
        problems.push(Problem { row: 0, column: None, what, hint });
    }
    problems.or(rows)
}

/// Header and one example row, to be filled in.
pub fn template() -> Vec<Vec<String>> {
    let cells = |of: fn(&super::Column) -> &'static str| {
        TERMINAL.iter().map(|column| of(column).to_owned()).collect()
    };
    vec![cells(|column| column.zh), cells(|column| column.example)]
}
