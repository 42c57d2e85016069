//! The table of published projects, read and listed. Pure.

use super::cells::Cells;
use super::list::{Listed, code, day};
use super::rows::Wish;
use crate::collector::facts::named;
use crate::domain::{Fact, Project};

/// One row. An empty cell limits nothing.
pub(super) fn read(cells: &mut Cells<'_>) -> Option<Wish> {
    let name = cells.text("name");
    let (occupation, occupation_code) = (cells.text("occupation"), cells.text("occupation_code"));
    let level = cells.word("level");
    let hours_min = cells.number("hours_min", 1, 10_000);
    let hours_max = cells.number("hours_max", 1, 10_000);
    if let (Some(least), Some(most)) = (hours_min, hours_max)
        && most < least
    {
        let hint = "correct one of the two; for one exact number write it in both";
        cells.wrong("hours_max", format!("at most {most} hours, and at least {least}"), hint);
    }
    let persons_max = cells.number("persons_max", 1, 10_000_000);
    let notice = cells.text("notice");
    let (from, until) = (cells.day("from"), cells.day("until"));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        cells.wrong("until", "it ends before it begins", "correct one of the two dates");
    }
    let project = Project {
        name: name?,
        occupation: occupation?,
        occupation_code,
        level,
        hours_min,
        hours_max,
        persons_max,
        notice: notice?,
        from: from?,
        until,
    };
    Some(Wish::Facts(vec![Fact::Project(project)]))
}

/// A publication as the row that states it.
pub(super) fn listed(it: &Project) -> Listed {
    let number = |it: Option<u32>| it.map(|it| it.to_string()).unwrap_or_default();
    let named = named(&Fact::Project(it.clone())).expect("a project has a name");
    let cells = vec![
        it.name.clone(),
        it.occupation.clone(),
        it.occupation_code.clone().unwrap_or_default(),
        code(it.level),
        number(it.hours_min),
        number(it.hours_max),
        number(it.persons_max),
        it.notice.clone(),
        day(it.from),
        it.until.map(day).unwrap_or_default(),
    ];
    Listed { named, cells }
}
