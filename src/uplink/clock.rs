//! How far a terminal believes its own clock. Pure: all times come as arguments.
//!
//! Whoever holds a terminal can set its wall clock; he cannot make the centre sign another time, nor
//! take back what the terminal has sealed, nor make the monotonic clock jump. So the wall clock is
//! held against these three. A doubt never stops a check-in: the record says it, the screen
//! explains it, and the centre bounds the time by the chain.

use crate::domain::{ClockDoubt, ClockQuality, Timestamp, Uptime};

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

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The monotonic clock.
    pub uptime: Uptime,
}

impl Reading {
    /// How much further the wall clock has gone since `earlier` than the monotonic one, in
    /// milliseconds.
    fn moved_since(self, earlier: Self) -> i64 {
        let wall_ms = self.wall.ms_since(earlier.wall);
        let (now, then) = (self.uptime.as_ms(), earlier.uptime.as_ms());
        let uptime_ms = i64::try_from(now.saturating_sub(then)).unwrap_or(i64::MAX);
        wall_ms.saturating_sub(uptime_ms)
    }
}

/// What a terminal holds against its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnesses {
    /// The newest time that the centre has signed, ever.
    pub newest_signed: Option<Timestamp>,
    /// The wall time of its newest record whose clock it believed.
    pub newest_own: Option<Timestamp>,
    /// Both clocks when this boot began.
    pub began: Reading,
    /// The newest answer of this boot.
    pub answer: Option<SignedTime>,
}

/// Whether the clock is synced or holding, or why it is in doubt.
///
/// An answer of this boot outweighs everything but a later signed time: it alone says *synced*, and a
/// clock that was wrong before may be right now. Without one the clock is *holding* as long as it
/// is not earlier than what is known to have been, and has run evenly since the boot. All of this
/// within `tolerance_ms`.
pub fn judge(
    now: Reading,
    known: &Witnesses,
    tolerance_ms: i64,
) -> Result<ClockQuality, ClockDoubt> {
    let before = |then: Option<Timestamp>| {
        then.is_some_and(|then| now.wall < then.plus_ms(tolerance_ms.saturating_neg()))
    };
    if before(known.newest_signed) {
        return Err(ClockDoubt::BeforeSigned);
    }
    if let Some(SignedTime { at, asked, answered }) = known.answer {
        let off_ms = |then| now.moved_since(Reading { wall: at, uptime: then });
        let agrees = off_ms(answered) >= -tolerance_ms && off_ms(asked) <= tolerance_ms;
        return if agrees { Ok(ClockQuality::Synced) } else { Err(ClockDoubt::OffSigned) };
    }
    if before(known.newest_own) {
        return Err(ClockDoubt::BeforeOwnRecord);
    }
    if now.moved_since(known.began).saturating_abs() > tolerance_ms {
        return Err(ClockDoubt::Moved);
    }
    Ok(ClockQuality::Holding)
}
