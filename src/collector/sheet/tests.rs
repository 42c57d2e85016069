//! Tables in memory: numbers of rows, bounds, and what has to be stated.

use super::plan::{Group, Standing};
use super::rows::Wish;
use super::{Grid, GridError, Kind, Plan, Problems, ROWS_MAX, from_bytes, parse, plan};
use crate::domain::{Claim, ClaimLine, Fact, Timestamp};

const NOW: Timestamp = Timestamp::from_ms(1_772_411_405_000);

fn grid(text: &str) -> Grid {
    from_bytes(text.as_bytes()).unwrap()
}

/// Lessons as a table states them.
fn lessons(rows: &str) -> Vec<Group> {
    let grid = grid(&format!("id,class,site,starts,ends\n{rows}"));
    let rows = parse(Kind::Lesson, &grid).unwrap().into_iter();
    rows.map(|row| match row.wish {
        Wish::Facts(facts) => Group { row: row.row, key: row.key, refers: Vec::new(), facts },
        other @ (Wish::Member(..) | Wish::Teacher(..) | Wish::Line(..) | Wish::Held(..)) => {
            panic!("{other:?}")
        }
    })
    .collect()
}

fn planned(standing: &Standing, groups: Vec<Group>) -> Result<Plan, Problems> {
    plan(standing, groups, false, NOW)
}

#[test]
fn rows_have_the_numbers_that_a_person_counts() {
    let table = grid("id,name\r\n\r\na,\"two\r\nlines\"\r\n,\r\nb,x\r\n\r\n\r\nc,y");
    let numbers: Vec<_> = table.rows.iter().map(|(row, cells)| (*row, cells[0].as_str())).collect();
    assert_eq!(numbers, [(3, "a"), (6, "b"), (9, "c")]);
}

#[test]
fn a_mark_inside_a_table_is_no_text() {
    let table = grid("\n\u{feff}id,\u{feff}name\n\u{feff}a,b\n");
    assert_eq!((table.header.concat(), table.rows[0].1.concat()), ("idname".into(), "ab".into()));
}

#[test]
fn a_table_is_bounded_in_rows_and_cells() {
    let row = |cells: usize| format!("{}\n", vec!["x"; cells].join(","));
    let most = row(2).repeat(ROWS_MAX + 1);
    assert_eq!(grid(&most).rows.len(), ROWS_MAX);
    assert!(matches!(from_bytes(row(2).repeat(ROWS_MAX + 2).as_bytes()), Err(GridError::TooLarge)));
    assert!(grid(&row(100_000)).header.len() <= 100);
}

#[test]
fn a_lesson_that_touches_the_end_of_another_is_none_too_many() {
    let day = "a,c,s,2030-03-04 08:30,10:00\nb,c,s,2030-03-04 10:00,11:30\n";
    let fine = planned(&Standing::default(), lessons(day)).unwrap();
    assert_eq!((fine.new, fine.facts.len()), (2, 2));
    let within = "a,c,s,2030-03-04 08:00,18:00\nb,c,s,2030-03-04 09:00,10:00\n\
                  d,c,s,2030-03-04 11:00,12:00\n";
    let problems = planned(&Standing::default(), lessons(within)).unwrap_err();
    let rows: Vec<_> = problems.all.iter().map(|problem| problem.row).collect();
    assert_eq!(rows, [3, 4], "both lie in the long one");
}

#[test]
fn lessons_of_the_ledger_count_as_those_of_the_table() {
    let stands = lessons("a,c,s,2030-03-04 08:30,11:30\n").remove(0).facts;
    let standing = Standing::of(stands);
    let other = "b,c,s,2030-03-04 11:00,12:00\n";
    assert!(planned(&standing, lessons(other)).is_err());
    let moved = "a,c,s,2030-03-04 13:00,14:00\nb,c,s,2030-03-04 11:00,12:00\n";
    assert!(planned(&standing, lessons(moved)).is_err(), "what stands is not moved in silence");
    let plan = plan(&standing, lessons(moved), true, NOW).unwrap();
    assert_eq!((plan.changed, plan.new), (1, 1));
}

#[test]
fn a_claim_with_other_lines_is_stated_as_a_whole_and_only_when_it_is_meant() {
    let claim = |lines: &[u8]| {
        let hours = 10 * u32::try_from(lines.len()).unwrap();
        let head = Claim {
            id: "k".parse().unwrap(),
            institution: "i".parse().unwrap(),
            class: "c".parse().unwrap(),
            persons: u32::try_from(lines.len()).unwrap(),
            hours,
            amount_fen: 0,
            basis: "b".into(),
        };
        let line = |who: &u8| {
            Fact::ClaimLine(ClaimLine {
                claim: head.id.clone(),
                member: [*who; 32],
                hours: 10,
                amount_fen: 0,
            })
        };
        let facts = [Fact::Claim(head.clone())].into_iter().chain(lines.iter().map(line)).collect();
        Group { row: 2, key: "id".into(), refers: Vec::new(), facts }
    };
    let standing = Standing::of(claim(&[1, 2]).facts);
    let same = planned(&standing, vec![claim(&[1, 2])]).unwrap();
    assert_eq!((same.same, same.facts.len()), (1, 0));
    assert!(planned(&standing, vec![claim(&[1])]).is_err());
    let fewer = plan(&standing, vec![claim(&[1])], true, NOW).unwrap();
    assert_eq!((fewer.changed, fewer.facts.len()), (1, 2));
    // Stated anew, it has lost the line that it had before.
    let standing = Standing::of([claim(&[1, 2]).facts, claim(&[1]).facts].concat());
    assert_eq!(planned(&standing, vec![claim(&[1])]).unwrap().same, 1);
}
