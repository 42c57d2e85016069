//! Check-ins at the pace of a machine (机器节奏). Page: docs/rules/machine_pace.md.
//!
//! ## What it sees
//! Twelve accepted comings or goings in a row at one terminal, faster than people pass a door, or at
//! intervals that are all the same: to the second, or to a tenth of their length. Once for each terminal and
//! day.
//!
//! ## Why it matters
//! People come in clumps and stop to talk; software does not. Hours that a program makes look so (Hebei
//! 七: 学习记录造假).
//!
//! ## Example
//! Twelve check-ins at 08:20:00, 08:20:30, 08:21:00 and so on.
//!
//! ## What it cannot know
//! Whether a terminal was tried out with a list of names. A careful program scatters its times and is not
//! seen here. Confirmations in one picture of a roll call are no comings and do not count.
//!
//! ## What to do
//! Look at the same minutes of other days; ask the site how people queue; see whether scores were measured.

use std::collections::VecDeque;

use jiff::civil::Date;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Finding, PersonId, Policy, Severity, Timestamp,
};
use crate::rules::names::Numbered;
use crate::rules::passages::Passage;
use crate::rules::{Ground, Rule, words};

/// So many in a row: fewer happen by chance among the thousands of a day, more would miss a small class.
const RUN: usize = 12;

/// Intervals that differ by no more than this are the same, in milliseconds.
const SAME_MS: i64 = 1_000;

/// So are those whose spread (standard deviation) is less than their mean divided by this.
const SAME_PART: i64 = 10;

/// A run that takes longer is none, in milliseconds: beyond an hour between two nobody sees a rhythm.
const INTERVAL_MS_MAX: i64 = 3_600_000;

/// Remembers the newest of each terminal: no more terminals than are registered.
#[derive(Default)]
pub(super) struct MachinePace {
    rows: Numbered<Row>,
}

#[derive(Default)]
struct Row {
    newest: VecDeque<Passed>,
    told: Option<Date>,
}

#[derive(Clone, Copy)]
struct Passed {
    at: Timestamp,
    index: u64,
    person: PersonId,
}

/// What is inhuman about a run.
enum Pace {
    /// All within so long.
    Fast { span_ms: i64 },
    /// One every so often.
    Even { interval_ms: i64 },
}

/// Whether the spread of some intervals is small beside their mean; in whole numbers, so that every machine
/// judges alike.
fn is_even(count: i64, squares: i64, span_ms: i64) -> bool {
    let scatter = count.saturating_mul(squares).saturating_sub(span_ms.saturating_mul(span_ms));
    scatter.saturating_mul(SAME_PART * SAME_PART) < span_ms.saturating_mul(span_ms)
}

impl Row {
    fn pace(&self, policy: &Policy) -> Option<Pace> {
        if self.newest.len() < RUN {
            return None;
        }
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        let (mut span_ms, mut squares, mut passages) = (0, 0_i64, 0);
        for (earlier, later) in self.newest.iter().zip(self.newest.iter().skip(1)) {
            let interval_ms = later.at.ms_since(earlier.at);
            (least, most) = (least.min(interval_ms), most.max(interval_ms));
            span_ms += interval_ms;
            squares = squares.saturating_add(interval_ms.saturating_mul(interval_ms));
            passages += 1;
        }
        if least < 0 || most > INTERVAL_MS_MAX {
            return None;
        }
        let needed_ms = passages * i64::from(policy.seconds_per_checkin_min()) * 1_000;
        if span_ms < needed_ms {
            return Some(Pace::Fast { span_ms });
        }
        let even = most - least <= SAME_MS || is_even(passages, squares, span_ms);
        even.then_some(Pace::Even { interval_ms: span_ms / passages })
    }
}

impl Rule for MachinePace {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MachinePace
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "seconds_per_checkin_min",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    /// A clock that jumps makes intervals that nobody had: only proven times count.
    fn passed(&mut self, passage: &Passage<'_>, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, book, .. } = *ground;
        let Passage { person, new, .. } = *passage;
        let row = self.rows.of(new.what.terminal);
        if row.newest.len() == RUN {
            row.newest.pop_front();
        }
        row.newest.push_back(Passed { at: new.at, index: new.index, person });
        let Some(pace) = row.pace(policy) else { return Vec::new() };
        let date = new.at.shanghai().date();
        if row.told == Some(date) {
            return Vec::new();
        }
        row.told = Some(date);
        let evidence: Vec<u64> = row.newest.iter().map(|passed| passed.index).collect();
        let mut who: Vec<PersonId> = row.newest.iter().map(|passed| passed.person).collect();
        who.sort();
        who.dedup();
        let terminal = book.terminal(new.what.terminal);
        let place = words::place(registry, terminal);
        let since = row.newest.front().map_or(new.at, |passed| passed.at);
        let stretch = words::stretch(since, new.at);
        let (zh, en) = match pace {
            Pace::Fast { span_ms } => {
                let seconds = span_ms / 1_000;
                let least = policy.seconds_per_checkin_min();
                (
                    format!("连续 {RUN} 次签到或签退共用 {seconds} 秒，快于每人 {least} 秒"),
                    format!("{RUN} comings or goings in {seconds} s, faster than one in {least} s"),
                )
            }
            Pace::Even { interval_ms } => {
                let seconds = interval_ms / 1_000;
                (
                    format!("连续 {RUN} 次签到或签退间隔均为约 {seconds} 秒，几乎没有差别"),
                    format!("{RUN} comings or goings, one every {seconds} s, hardly varying"),
                )
            }
        };
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Warning,
            at: new.at,
            who,
            terminals: vec![terminal.clone()],
            site: registry.site_of(terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{stretch}，{}：{zh}。可能由程序生成；照名单试机也会如此。当日不再重复提示。",
                    place.zh
                ),
                format!(
                    "{stretch}, {}: {en}. A program may have made them; a terminal that is tried out with a \
                     list of names looks the same. Said once a day for a terminal.",
                    place.en
                ),
            ),
            evidence,
        }]
    }
}
