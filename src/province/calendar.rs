//! Days and hours in China standard time, and the public holidays of 2026 with the working days that
//! make up for them: 国务院办公厅关于2026年部分节假日安排的通知, 4 November 2025.

use jiff::civil::{Date, Weekday, date};

use crate::domain::Timestamp;

/// A minute.
pub(super) const MINUTE_MS: i64 = 60_000;
/// A second.
pub(super) const SECOND_MS: i64 = 1_000;
/// A day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// First and last day of each holiday.
const HOLIDAYS: [(Date, Date); 7] = [
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
];

/// Saturdays and Sundays that are worked.
const WORKED: [Date; 6] = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
];

/// Whether the day lies in a public holiday.
pub(super) fn is_holiday(day: Date) -> bool {
    HOLIDAYS.iter().any(|(first, last)| (*first..=*last).contains(&day))
}

/// Whether people work on it.
pub(super) fn is_working_day(day: Date) -> bool {
    WORKED.contains(&day) || !is_weekend(day) && !is_holiday(day)
}

/// Whether it is a Saturday or Sunday.
pub(super) fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// A day and so many minutes after its midnight.
pub(super) fn at(day: Date, minutes: i64) -> Timestamp {
    let midnight =
        Timestamp::parse_shanghai(&format!("{day} 00:00")).expect("a day has a midnight");
    midnight.plus_ms(minutes * MINUTE_MS)
}

/// The day so many days later (or earlier).
pub(super) fn plus_days(day: Date, days: i64) -> Date {
    at(day, 12 * 60).plus_ms(days * DAY_MS).shanghai().date()
}

/// So many days from the first on.
pub(super) fn days_from(first: Date, days: u32) -> Vec<Date> {
    (0..i64::from(days)).map(|n| plus_days(first, n)).collect()
}
