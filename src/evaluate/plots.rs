//! Two drawings as SVG: recall by kind and care with its intervals, and how long it took.

use std::fmt::Write;

use super::Evaluation;
use super::figures::{Cell, place};
use crate::domain::float;
use crate::province::{Care, Kind};

/// Colours of the three levels of care, told apart in grey as well.
const COLOURS: [&str; 3] = ["#1b4f8a", "#5b9bd5", "#c9ddf2"];
/// Upper bounds of the columns of delays, in hours, with their names.
const DELAYS: [(f64, &str); 8] = [
    (6.0, "≤ 6 h"),
    (12.0, "≤ 12 h"),
    (24.0, "≤ 1 d"),
    (48.0, "≤ 2 d"),
    (72.0, "≤ 3 d"),
    (168.0, "≤ 7 d"),
    (336.0, "≤ 14 d"),
    (f64::INFINITY, "> 14 d"),
];

/// Colour of a care.
pub(super) fn colour(care: Care) -> &'static str {
    COLOURS[place(care)]
}

/// Bars of recall: one row for each kind, one bar for each care, a line for the interval.
pub(super) fn recall(evaluation: &Evaluation) -> String {
    const LEFT: f64 = 370.0;
    const WIDE: f64 = 470.0;
    const ROW: f64 = 40.0;
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| evaluation.cells.iter().any(|cell| cell.kind == *kind))
        .collect();
    let height = ROW * float(kinds.len() as u64) + 46.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 980 {height:.0}\" role=\"img\" aria-label=\"recall by kind and care\">\n"
    );
    for percent in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = LEFT + WIDE * percent;
        let bottom = height - 28.0;
        let label = percent * 100.0;
        push(
            &mut svg,
            format_args!("<line x1=\"{x}\" y1=\"8\" x2=\"{x}\" y2=\"{bottom}\" class=\"grid\"/>"),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{x}\" y=\"{}\" class=\"axis\">{label:.0} %</text>",
                bottom + 18.0
            ),
        );
    }
    for (n, kind) in kinds.into_iter().enumerate() {
        let y = 10.0 + ROW * float(n as u64);
        let (zh, en) = kind.words();
        push(
            &mut svg,
            format_args!(
                "<text x=\"{}\" y=\"{}\" class=\"name\">{zh} · {en}</text>",
                LEFT - 10.0,
                y + 21.0
            ),
        );
        for cell in evaluation.cells.iter().filter(|cell| cell.kind == kind) {
            bar(&mut svg, cell, LEFT, WIDE, y + 10.0 * float(place(cell.care) as u64));
        }
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, cell: &Cell, left: f64, wide: f64, y: f64) {
    let rate = cell.found.rate().unwrap_or(0.0);
    let (low, high) = cell.found.interval();
    let (x1, x2, middle) = (left + wide * low, left + wide * high, y + 4.5);
    let (width, fill) = ((wide * rate).max(1.0), colour(cell.care));
    push(
        svg,
        format_args!(
            "<rect x=\"{left}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"9\" fill=\"{fill}\"/>"
        ),
    );
    push(
        svg,
        format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{middle:.1}\" x2=\"{x2:.1}\" y2=\"{middle:.1}\" class=\"sure\"/>"
        ),
    );
    let (hits, of) = (cell.found.hits, cell.found.of);
    let chance = match hits - cell.aimed.hits {
        0 => String::new(),
        others => format!(" ({others} by others)"),
    };
    push(
        svg,
        format_args!(
            "<text x=\"{}\" y=\"{:.1}\" class=\"count\">{hits}/{of}{chance}</text>",
            left + wide + 12.0,
            y + 8.5
        ),
    );
}

/// Columns of delays.
pub(super) fn delays(evaluation: &Evaluation) -> String {
    let mut counts = [0_u64; DELAYS.len()];
    for delay in &evaluation.overall.delays_h {
        let column = DELAYS.iter().position(|(bound, _)| delay <= bound);
        counts[column.unwrap_or(DELAYS.len() - 1)] += 1;
    }
    let most = float(counts.iter().copied().max().unwrap_or(0).max(1));
    let mut svg =
        "<svg viewBox=\"0 0 980 230\" role=\"img\" aria-label=\"delay until detection\">\n"
            .to_owned();
    for (n, (count, (_, name))) in counts.iter().zip(DELAYS).enumerate() {
        let x = 60.0 + 110.0 * float(n as u64);
        let tall = 160.0 * float(*count) / most;
        let y = 185.0 - tall;
        push(
            &mut svg,
            format_args!(
                "<rect x=\"{x}\" y=\"{y:.1}\" width=\"80\" height=\"{tall:.1}\" fill=\"#1b4f8a\"/>"
            ),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{}\" y=\"{:.1}\" class=\"axis\">{count}</text>",
                x + 40.0,
                y - 6.0
            ),
        );
        push(
            &mut svg,
            format_args!("<text x=\"{}\" y=\"206\" class=\"axis\">{name}</text>", x + 40.0),
        );
    }
    svg + "</svg>\n"
}

fn push(svg: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(svg, "{line}").expect("writing to a text cannot fail");
}
