//! Public holidays, as data (`firmware-config/calendars/china.toml`). A lesson on a holiday is welcome when
//! the timetable has it (Sichuan 八: 假日班); attendance without one is graver there.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::Date;
use serde::Deserialize;

use super::Timestamp;

const CHINA: &str = include_str!("../../firmware-config/calendars/china.toml");

/// The holidays of some years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holidays(Vec<(Date, Date)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    /// Who announced it: for the reader of the file.
    #[serde(rename = "source")]
    _source: String,
    holidays: Vec<[String; 2]>,
}

impl Holidays {
    /// Those that travel in the program.
    pub fn china() -> &'static Self {
        static SHIPPED: OnceLock<Holidays> = OnceLock::new();
        SHIPPED.get_or_init(|| {
            let years: BTreeMap<String, Year> =
                toml::from_str(CHINA).expect("a test reads the embedded calendar");
            let day = |text: String| text.parse().expect("a test reads the embedded calendar");
            let all = years.into_values().flat_map(|year| year.holidays);
            Self(all.map(|[first, last]| (day(first), day(last))).collect())
        })
    }

    /// Whether a moment lies in a public holiday, China standard time.
    pub fn contain(&self, at: Timestamp) -> bool {
        let day = at.shanghai().date();
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_calendar_knows_the_first_and_last_day_of_a_festival() {
        let holiday = |time: &str| {
            Holidays::china().contain(Timestamp::parse_shanghai(time).expect("a time of the test"))
        };
        assert!(holiday("2026-04-04 00:00") && holiday("2026-04-06 23:59"));
        assert!(!holiday("2026-04-03 23:59") && !holiday("2026-04-07 00:00"));
        assert!(holiday("2025-10-08 12:00") && !holiday("2025-10-09 12:00"));
        assert!(!holiday("2031-10-01 12:00"), "nobody has announced it yet");
        let ordered = Holidays::china().0.windows(2).all(|pair| pair[0].1 < pair[1].0);
        assert!(ordered && Holidays::china().0.iter().all(|(first, last)| first <= last));
    }
}
