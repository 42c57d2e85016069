//! What a stretch of a session on a platform says: when its page was at the front, and what it played
//! (docs/spec/platform-v1.md).

use crate::domain::{Activity, Happening, Policy, Timestamp};

const HOUR_MS: i64 = 3_600_000;

/// Two beats that lie farther apart say nothing of the time between them.
const BEAT_GAP_MS_MAX: i64 = 3 * 60_000;

/// Whether a stretch's time is proven: not after the centre had it, and not too long before.
pub(super) fn is_proven(activity: &Activity, committed_at: Timestamp, policy: &Policy) -> bool {
    let tolerance_ms = i64::from(policy.clock_tolerance_s()) * 1000;
    let allowed_ms = i64::from(policy.time_bound_hours_max()) * HOUR_MS;
    activity.until() <= committed_at.plus_ms(tolerance_ms)
        && committed_at.ms_since(activity.from) <= allowed_ms
}

/// When the page was at the front.
pub(super) fn front(activity: &Activity) -> Vec<(Timestamp, Timestamp)> {
    let mut spans = Vec::new();
    let mut since = None;
    for it in &activity.happenings {
        let at = activity.from.plus_ms(i64::from(it.after_ms));
        match it.what {
            Happening::Foreground => since = since.or(Some(at)),
            Happening::Background | Happening::Closed => {
                spans.extend(since.take().map(|from| (from, at)));
            }
            Happening::Opened | Happening::Beat | Happening::Touch => {}
        }
    }
    spans.extend(since.map(|from| (from, activity.until())));
    spans.retain(|(from, until)| from < until);
    spans
}

/// What was played between two beats.
pub(super) struct Played {
    /// When the later one was.
    pub(super) at: Timestamp,
    /// For how long.
    pub(super) ms: i64,
    /// Whether the page was at the front then.
    pub(super) front: bool,
    /// How many pages were open.
    pub(super) pages: u32,
}

/// What was played, beat by beat.
pub(super) fn played(activity: &Activity) -> Vec<Played> {
    let mut all = Vec::new();
    let (mut front, mut last) = (false, None);
    for it in &activity.happenings {
        let at = activity.from.plus_ms(i64::from(it.after_ms));
        match it.what {
            Happening::Foreground => front = true,
            Happening::Background | Happening::Closed => front = false,
            Happening::Opened | Happening::Touch => {}
            Happening::Beat => {
                let ms = last.map_or(0, |last| at.ms_since(last));
                if (1..=BEAT_GAP_MS_MAX).contains(&ms) {
                    all.push(Played { at, ms, front, pages: it.pages.unwrap_or(1) });
                }
                last = Some(at);
            }
        }
    }
    all
}

/// When somebody did something.
pub(super) fn touches(activity: &Activity) -> impl Iterator<Item = Timestamp> {
    let touched = activity.happenings.iter().filter(|it| it.what == Happening::Touch);
    touched.map(|it| activity.from.plus_ms(i64::from(it.after_ms)))
}

/// Stretches of time, each moment counted once.
#[derive(Debug, Clone, Default)]
pub(super) struct Spans(Vec<(Timestamp, Timestamp)>);

impl Spans {
    /// One more; an empty one changes nothing.
    pub(super) fn add(&mut self, from: Timestamp, until: Timestamp) {
        if from >= until {
            return;
        }
        let (mut from, mut until) = (from, until);
        self.0.retain(|&(other_from, other_until)| {
            let touch = other_from <= until && from <= other_until;
            if touch {
                (from, until) = (from.min(other_from), until.max(other_until));
            }
            !touch
        });
        self.0.push((from, until));
    }

    /// How long they are together.
    pub(super) fn ms(&self) -> i64 {
        self.0.iter().map(|(from, until)| until.ms_since(*from)).sum()
    }
}
