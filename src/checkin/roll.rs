//! Roll calls: within a lesson, everybody who is in has some minutes to show her face again.
//!
//! They come at times that a seed gives, so that nobody in the room knows them before and whoever
//! has the seed can compute them afterwards; or when somebody orders one. Who is not seen is *not
//! seen*: no absence and no fraud by itself.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::domain::{Lesson, LessonId, PersonId, Timestamp};

/// No roll call in so many milliseconds after a lesson's start and before its end: people come and go.
const EDGE_MS: i64 = 600_000;

/// A roll call that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollCall {
    /// In which lesson.
    pub lesson: LessonId,
    /// Until when faces are taken.
    pub until: Timestamp,
    /// Who was in when it began.
    pub asked: BTreeSet<PersonId>,
    /// Who of them has been seen since.
    pub seen: BTreeSet<PersonId>,
}

impl RollCall {
    /// Whether it is still on.
    pub fn is_on(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// How many have not been seen yet.
    pub fn missing(&self) -> usize {
        self.asked.difference(&self.seen).count()
    }

    /// Begun minutes that are left.
    pub fn minutes_left(&self, now: Timestamp) -> i64 {
        (self.until.ms_since(now).max(0) + 59_999) / 60_000
    }
}

/// When the roll of a lesson is called: `count` times at most, in order. A lesson that is too short
/// has none.
pub fn spot_checks(seed: &[u8; 32], lesson: &Lesson, count: u32) -> Vec<Timestamp> {
    let span_ms = lesson.ends.ms_since(lesson.starts) - 2 * EDGE_MS;
    let Some(span_ms) = u64::try_from(span_ms).ok().filter(|span| *span > 0) else {
        return Vec::new();
    };
    let mut times: Vec<_> = (0..count)
        .map(|which| {
            let mut hash = Sha256::new();
            hash.update(b"rollcall-spot-v1");
            hash.update(seed);
            hash.update(lesson.id.as_str());
            hash.update([0]);
            hash.update(which.to_le_bytes());
            let digest: [u8; 32] = hash.finalize().into();
            let (first, _) = digest.split_first_chunk::<8>().expect("a digest has 32 bytes");
            let after_ms = u64::from_le_bytes(*first) % span_ms;
            lesson.starts.plus_ms(EDGE_MS + i64::try_from(after_ms).unwrap_or(0))
        })
        .collect();
    times.sort();
    times
}

/// How somebody of the roster stands in the lesson that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Has not come.
    Missing,
    /// Is in, and was not seen in the roll call that is under way.
    Unseen,
    /// Is in.
    In,
    /// Has left.
    Left,
}
