//! What the centre's signed time says about the terminal's own clock. Pure: all times come as
//! arguments.

use crate::domain::{ClockQuality, Timestamp, Uptime};

/// An answer to the question for the time, received in this boot. The centre signed `at` at some
/// moment between question and answer, which are known on the monotonic clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedTime {
    /// The centre's time.
    pub at: Timestamp,
    /// When the terminal asked.
    pub asked: Uptime,
    /// When the answer came.
    pub answered: Uptime,
}

/// How far a wall clock that shows `wall` at `uptime` can be believed.
///
/// - *Doubtful* when it is earlier than the newest signed time, or off from where an answer of
///   this boot says that it must be; both by more than `tolerance_ms`.
/// - *Synced* when an answer of this boot agrees.
/// - *Holding* when there is none and nothing contradicts.
pub fn quality(
    wall: Timestamp,
    uptime: Uptime,
    newest_signed: Option<Timestamp>,
    synced: Option<SignedTime>,
    tolerance_ms: i64,
) -> ClockQuality {
    if newest_signed.is_some_and(|signed| wall < signed.plus_ms(-tolerance_ms)) {
        return ClockQuality::Doubtful;
    }
    let Some(SignedTime { at, asked, answered }) = synced else { return ClockQuality::Holding };
    let since = |then: Uptime| {
        i64::try_from(uptime.as_ms().saturating_sub(then.as_ms())).unwrap_or(i64::MAX)
    };
    let earliest = at.plus_ms(since(answered)).plus_ms(-tolerance_ms);
    let latest = at.plus_ms(since(asked)).plus_ms(tolerance_ms);
    if (earliest..=latest).contains(&wall) { ClockQuality::Synced } else { ClockQuality::Doubtful }
}
