//! The pieces of which `why` is made. Investigators read them: times in China standard time,
//! places by name, no person.

use crate::domain::{Bilingual, Score, SiteId, TerminalId, Timestamp};
use crate::registry::Registry;

const MINUTE_MS: i64 = 60_000;

/// `2026-03-02 08:30`.
pub(super) fn clock(at: Timestamp) -> String {
    at.shanghai().strftime("%Y-%m-%d %H:%M").to_string()
}

/// A stretch from one time to another, with the second date only where it differs.
pub(super) fn stretch(from: Timestamp, to: Timestamp) -> String {
    let end = to.shanghai();
    if from.shanghai().date() == end.date() {
        format!("{}–{}", clock(from), end.strftime("%H:%M"))
    } else {
        format!("{}–{}", clock(from), clock(to))
    }
}

/// A length of time in hours and whole minutes, rounded down.
pub(super) fn length(ms: i64) -> Bilingual {
    let minutes = ms.max(0) / MINUTE_MS;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => Bilingual::new(format!("{minutes} 分钟"), format!("{minutes} min")),
        (hours, 0) => Bilingual::new(format!("{hours} 小时"), format!("{hours} h")),
        (hours, minutes) => Bilingual::new(
            format!("{hours} 小时 {minutes} 分钟"),
            format!("{hours} h {minutes} min"),
        ),
    }
}

/// A cosine in ten-thousandths.
pub(super) fn cosine(e4: i64) -> Score {
    Score::from_e4(i32::try_from(e4).unwrap_or(i32::MAX))
}

/// A site by name and town, else by its id.
pub(super) fn site(registry: &Registry, id: &SiteId) -> Bilingual {
    match registry.site(id) {
        Some(site) => Bilingual::new(
            format!("{}·{}", site.town.zh, site.name.zh),
            format!("{}, {}", site.name.en, site.town.en),
        ),
        None => Bilingual::new(id.as_str(), id.as_str()),
    }
}

/// Where a terminal stands, else the terminal.
pub(super) fn place(registry: &Registry, terminal: &TerminalId) -> Bilingual {
    match registry.site_of(terminal) {
        Some(id) => site(registry, id),
        None => Bilingual::new(format!("终端 {terminal}"), format!("terminal {terminal}")),
    }
}
