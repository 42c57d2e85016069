//! One row, cell by cell: each reader takes what people and Excel write, or notes what is wrong and
//! goes on, so that one run tells all mistakes.

use std::fmt::Display;
use std::str::FromStr;

use super::columns::words;
use super::grid::{Header, Problem, Problems};
use crate::domain::{IdNumber, PersonId, Timestamp, Word, without_numbers};

/// Longest free text, in bytes: several of them fit a sealed fact.
pub(super) const TEXT_BYTES_MAX: usize = 200;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A row that is being read.
pub(super) struct Cells<'g> {
    pub(super) row: u64,
    pub(super) header: &'g Header<'g>,
    pub(super) cells: &'g [String],
    pub(super) problems: &'g mut Problems,
}

impl Cells<'_> {
    fn text_of(&self, name: &str) -> &str {
        self.header.cell(self.cells, name).0
    }

    /// The column's name as the file has it.
    pub(super) fn column(&self, name: &str) -> String {
        self.header.cell(self.cells, name).2
    }

    /// Notes a problem with a cell.
    pub(super) fn wrong(&mut self, name: &str, what: impl Into<String>, hint: impl Into<String>) {
        let column = Some(self.column(name));
        self.problems.push(Problem { row: self.row, column, what: what.into(), hint: hint.into() });
    }

    fn shown(&self, name: &str) -> String {
        let (text, column, _) = self.header.cell(self.cells, name);
        match column.private {
            true => "what stands here".to_owned(),
            false => format!("{:?}", without_numbers(text)),
        }
    }

    fn example(&self, name: &str) -> &'static str {
        self.header.cell(self.cells, name).1.example
    }

    /// Whether there is anything in a cell; a problem where there must be.
    fn given(&mut self, name: &str) -> bool {
        let (text, column, _) = self.header.cell(self.cells, name);
        if text.is_empty() && column.must {
            let hint = format!("write something like {}", column.example);
            self.wrong(name, "it is empty", hint);
        }
        !text.is_empty()
    }

    fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
        no: &str,
        hint: impl FnOnce(&Self) -> String,
    ) -> Option<T> {
        if !self.given(name) {
            return None;
        }
        let value = read(self.text_of(name));
        if value.is_none() {
            let (what, hint) = (format!("{} is no {no}", self.shown(name)), hint(self));
            self.wrong(name, what, hint);
        }
        value
    }

    /// An id; never one that looks like an identification number.
    pub(super) fn id<T: FromStr>(&mut self, name: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let read = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.parse().ok().filter(|_| !IdNumber::stands_in(&text))
        };
        let hint = |_: &Self| "use 1 to 40 of a-z, 0-9 and '-', not an identity number".to_owned();
        self.read(name, read, "id", hint)
    }

    /// A short text: no line breaks, nothing that Excel takes for a formula, no identification
    /// number.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        if !self.given(name) {
            return None;
        }
        let text = self.text_of(name).to_owned();
        let formula = text.starts_with(['=', '+', '-', '@']).then(|| {
            let what = format!("{} begins like a formula", self.shown(name));
            (what, "begin with a letter or digit".to_owned())
        });
        match flaw_of(&text).or(formula) {
            None => Some(text),
            Some((what, hint)) => {
                self.wrong(name, what, hint);
                None
            }
        }
    }

    /// One of a closed list of words.
    pub(super) fn word<W: Word>(&mut self, name: &str) -> Option<W> {
        self.read(name, W::read, "word of this column", |_| {
            format!("write one of {}", words::<W>())
        })
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        let read = |text: &str| text.parse().ok().filter(|it| (least..=most).contains(it));
        self.read(name, read, "number of this column", |_| {
            format!("write a whole number from {least} to {most}")
        })
    }

    /// Yuan with at most two decimals, in fen.
    pub(super) fn yuan(&mut self, name: &str) -> Option<u64> {
        let read = |text: &str| {
            let fen = decimal(text, 2)?;
            u64::try_from(fen).ok().filter(|fen| *fen <= 100_000_000)
        };
        self.read(name, read, "amount", |cells| {
            format!("write yuan like {}, at most 1000000", cells.example(name))
        })
    }

    /// Degrees with at most six decimals, in millionths.
    pub(super) fn degrees(&mut self, name: &str, most: i32) -> Option<i32> {
        let read = |text: &str| {
            let e6 = i32::try_from(decimal(text, 6)?).ok()?;
            (e6.unsigned_abs() <= most.unsigned_abs() * 1_000_000).then_some(e6)
        };
        self.read(name, read, "place on earth", |cells| {
            format!("write degrees (WGS 84) like {}", cells.example(name))
        })
    }

    /// A day, as midnight in China standard time.
    pub(super) fn day(&mut self, name: &str) -> Option<Timestamp> {
        let hint = |_: &Self| "write it like 2026-03-02".to_owned();
        self.read(name, |text| moment(text, false), "date", hint)
    }

    /// A moment in China standard time.
    pub(super) fn time(&mut self, name: &str) -> Option<Timestamp> {
        let hint = |_: &Self| "write it like 2026-03-02 08:30, in China standard time".to_owned();
        self.read(name, |text| moment(text, true), "date with a time", hint)
    }

    /// A moment; a time of day alone is the first such moment after `starts`, so that `00:30` ends a
    /// lesson that crosses midnight.
    pub(super) fn end(&mut self, name: &str, starts: Option<Timestamp>) -> Option<Timestamp> {
        let bare = self.text_of(name).replace('：', ":");
        if !bare.contains(['-', '/', '年']) && bare.contains(':') {
            let starts = starts?;
            let day = starts.shanghai().strftime("%Y-%m-%d");
            if let Some(end) = moment(&format!("{day} {bare}"), true) {
                return Some(if end > starts { end } else { end.plus_ms(DAY_MS) });
            }
        }
        self.time(name)
    }

    /// An identification number whose check digit is right. What is wrong is said without it.
    pub(super) fn id_number(&mut self, name: &str) -> Option<IdNumber> {
        if !self.given(name) {
            return None;
        }
        let text = self.text_of(name);
        let by_excel = text.contains("E+") || text.ends_with("000") && text.len() == 18;
        match IdNumber::parse(text) {
            Ok(number) => Some(number),
            Err(error) => {
                let hint = match by_excel {
                    true => "Excel made it a number: format the column as text, then type it again",
                    false => "compare it with the identity card",
                };
                self.wrong(name, format!("this is no identity number: {error}"), hint);
                None
            }
        }
    }

    /// A person's id at this centre.
    pub(super) fn person(&mut self, name: &str) -> Option<PersonId> {
        let hint = |_: &Self| "take it from `roster list`: 32 hexadecimal digits".to_owned();
        self.read(
            name,
            |text| text.to_ascii_lowercase().parse().ok(),
            "person of this centre",
            hint,
        )
    }
}

/// Why a text must not enter the ledger, and what to write instead.
pub(crate) fn flaw_of(text: &str) -> Option<(String, String)> {
    let (what, hint) = if text.len() > TEXT_BYTES_MAX {
        let hint = format!("use at most {TEXT_BYTES_MAX} bytes (a Chinese character has 3)");
        ("it is too long", hint)
    } else if text.chars().any(|c| c.is_control() || is_turning(c)) {
        ("it holds a line break or another control character", "write it on one line".into())
    } else if IdNumber::stands_in(text) {
        ("an identity number stands in it", "it would be public for ever; leave it out".into())
    } else {
        return None;
    };
    Some((what.to_owned(), hint))
}

/// Characters that turn the direction of writing: what is shown would not be what is stored.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `31.4675` in units of ten to the minus `places`.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > places {
        return None;
    }
    let scale = 10_i64.checked_pow(u32::try_from(places).ok()?)?;
    let part = format!("{part:0<places$}").parse::<i64>().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(scale)?.checked_add(part)?.checked_mul(sign)
}

/// `2026-03-02 08:30`, also as Excel saves it in China: `2026/3/2 8:30`, `2026年3月2日`.
fn moment(text: &str, with_time: bool) -> Option<Timestamp> {
    let plain = text.replace(['/', '年', '月'], "-").replace('日', " ").replace('：', ":");
    let mut parts = plain.split_whitespace();
    let (day, time, rest) = (parts.next()?, parts.next(), parts.next());
    if rest.is_some() || time.is_some() != with_time {
        return None;
    }
    let mut numbers = day.split('-').map(|part| part.parse::<u16>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() || !(1950..2200).contains(&year) {
        return None;
    }
    let mut clock = [0_u16; 3];
    if let Some(time) = time {
        let fields: Vec<_> = time.split(':').collect();
        if !(2..=3).contains(&fields.len()) {
            return None;
        }
        for (slot, field) in clock.iter_mut().zip(fields) {
            *slot = field.parse().ok()?;
        }
    }
    let [hour, minute, second] = clock;
    let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    Timestamp::parse_shanghai(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_people_and_spreadsheets_write_them() {
        let at = |text: &str| moment(text, true).map(|at| at.to_string());
        for text in
            ["2026-03-02 08:30", "2026/3/2 8:30", "2026年3月2日 8：30", "2026-03-02 08:30:00"]
        {
            assert_eq!(at(text).as_deref(), Some("2026-03-02 08:30:00"), "{text}");
        }
        for text in [
            "2026-13-02 08:30",
            "2026-02-30 08:30",
            "08:30",
            "2026-03-02",
            "2026-03-02 24:00",
            "",
            "x",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        assert!(moment("2026/3/2", false).is_some() && moment("2026/3/2 8:30", false).is_none());
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal("31.4675", 6), Some(31_467_500));
        assert_eq!(decimal("-0.5", 6), Some(-500_000));
        assert_eq!(decimal("1500", 2), Some(150_000));
        for text in ["", ".", "1.234", "1e3", "--1", "9999999999999", "1,5"] {
            assert_eq!(decimal(text, 2), None, "{text}");
        }
    }
}
