//! When something happened, as far as it is proven (docs/decisions: time).
//!
//! The chain bounds a record's making: not before the last signed time of the centre that it
//! carries, not after its commit. A terminal's own clock is believed within these bounds, and only
//! while the terminal itself does not doubt it. A time that is not proven is no guilt: rules on
//! times stay silent, and other rules use the time of commit and say so.

use crate::domain::{Bilingual, ClockQuality, Policy, Timestamp};
use crate::record::Record;
use crate::rules::words;

const HOUR_MS: i64 = 3_600_000;

/// A proven time of making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The terminal's time.
    pub(super) at: Timestamp,
    /// How far off it may be, either way.
    pub(super) uncertainty_ms: i64,
}

/// When `record`, committed at `committed_at`, was made; `None` when that is not proven.
///
/// A terminal that never heard the centre carries no signed time. Its clock was set by whoever put
/// it up, and its own word stands in for the lower bound. In any case what is older than the
/// profile allows is not proven, so no rule has to remember more.
pub(super) fn proven(record: &Record, committed_at: Timestamp, policy: &Policy) -> Option<Moment> {
    let clock = &record.clock;
    let tolerance_ms = i64::from(policy.clock_tolerance_s()) * 1000;
    let uncertainty_ms = match clock.quality {
        ClockQuality::Synced => 0,
        ClockQuality::Holding => i64::from(policy.holding_clock_uncertainty_s()) * 1000,
        ClockQuality::Doubtful => return None,
    };
    let allowed_ms = i64::from(policy.time_bound_hours_max()) * HOUR_MS;
    let within = clock.wall <= committed_at.plus_ms(tolerance_ms)
        && committed_at.ms_since(clock.wall) <= allowed_ms
        && clock.signed.is_none_or(|signed| {
            clock.wall.plus_ms(tolerance_ms) >= signed
                && committed_at.ms_since(signed) <= allowed_ms
        });
    within.then_some(Moment { at: clock.wall, uncertainty_ms })
}

/// The time for an anomaly that does not hang on it, and how to say it.
pub(super) fn told(
    record: &Record,
    committed_at: Timestamp,
    policy: &Policy,
) -> (Timestamp, Bilingual) {
    match proven(record, committed_at, policy) {
        Some(moment) => {
            let text = words::clock(moment.at);
            (moment.at, Bilingual::new(text.clone(), text))
        }
        None => {
            let text = words::clock(committed_at);
            let zh = format!("时间未经证明（中心 {text} 收到）");
            (committed_at, Bilingual::new(zh, format!("At an unproven time (committed {text})")))
        }
    }
}
