//! The only place that asks what time it is. Everything else is handed a [`Clock`] or a time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::{Timestamp, Uptime};

/// Wall time and monotonic time of one machine.
pub trait Clock: Send + Sync {
    /// Wall time: may jump.
    fn now(&self) -> Timestamp;
    /// Monotonic time since this clock began.
    fn uptime(&self) -> Uptime;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Duration,
}

impl SystemClock {
    /// Uptime counts from this call.
    pub fn start() -> Self {
        Self { started: running() }
    }
}

/// Which clock only runs. Linux has one that goes on while the machine is asleep; on another, a
/// sleep would look as if somebody had set the wall clock forward.
#[cfg(target_os = "linux")]
const RUNS: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const RUNS: ClockId = ClockId::Monotonic;

fn running() -> Duration {
    let now = clock_gettime(RUNS);
    let whole_s = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(whole_s, u32::try_from(now.tv_nsec).unwrap_or(0))
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may ask")]
    fn now(&self) -> Timestamp {
        let ms = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_ms(ms)
    }

    fn uptime(&self) -> Uptime {
        let since = running().saturating_sub(self.started);
        Uptime::from_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock that moves only when told: for the demo, which plays a day in a minute, and for tests.
#[derive(Debug)]
pub struct StepClock {
    started: Timestamp,
    now_ms: AtomicI64,
}

impl StepClock {
    /// Stands still at `now`; uptime counts from there.
    pub fn at(now: Timestamp) -> Self {
        Self { started: now, now_ms: AtomicI64::new(now.as_ms()) }
    }

    /// Sets the wall time; uptime follows and never runs back below zero.
    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.as_ms(), Ordering::SeqCst);
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Uptime {
        Uptime::from_ms(u64::try_from(self.now().ms_since(self.started)).unwrap_or(0))
    }
}

/// How long something took, for reports and benches only; decisions never see it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that may ask")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
