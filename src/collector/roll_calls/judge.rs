//! Whether a roll call may be ordered, and in which lesson. Pure.

use super::Wish;
use crate::domain::{IdNumber, LessonId, RollOrder, SiteId, TerminalId, Timestamp};
use crate::registry::Registry;

/// An order that a collector finds later than this is none any more, in milliseconds: whoever ordered has
/// seen that nothing came of it.
const WISH_MS_MAX: i64 = 60_000;

/// Longest roll call, in minutes: as in a policy profile.
const MINUTES_MAX: u32 = 120;

/// Longest name of whoever orders, in bytes: the whole fact must fit.
const BY_BYTES_MAX: usize = 200;

/// No roll call is ordered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody registered it.
    #[error("there is no terminal {0}")]
    Terminal(TerminalId),
    /// Nobody is taught.
    #[error("no lesson is under way at site {0} now")]
    NoLesson(SiteId),
    /// More than one is.
    #[error("more than one lesson is under way there: {}", names(.0))]
    Several(Vec<LessonId>),
    /// The one that was named is not.
    #[error("lesson {0} is not under way there now")]
    NotNow(LessonId),
    /// Too long, or none.
    #[error("a roll call lasts 1 to {MINUTES_MAX} minutes, not {0}")]
    Minutes(u32),
    /// Nobody answers for it.
    #[error("who orders it must be said in 1 to {BY_BYTES_MAX} bytes, without an identity number")]
    By,
    /// Nobody found it in time.
    #[error("it was ordered {0} seconds ago, and no collector was there to state it")]
    Late(i64),
}

fn names(lessons: &[LessonId]) -> String {
    lessons.iter().map(LessonId::as_str).collect::<Vec<_>>().join(", ")
}

impl Denied {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Denied::Terminal(_) => "`rollcall collector terminal list` shows all",
            Denied::NoLesson(_) | Denied::NotNow(_) => {
                "`rollcall collector lesson list` shows the timetable; a roll is called only within a lesson"
            }
            Denied::Several(_) => "choose one: --lesson",
            Denied::Minutes(_) => "choose other --minutes",
            Denied::By => "say who or which office orders it: --by",
            Denied::Late(_) => "order it again while a collector runs",
        }
    }
}

/// Judges a wish. `minutes`: how long a roll call lasts where the wish does not say it.
pub fn judge(
    registry: &Registry,
    wish: &Wish,
    minutes: u32,
    now: Timestamp,
) -> Result<RollOrder, Denied> {
    let late_ms = now.ms_since(wish.at);
    if late_ms > WISH_MS_MAX {
        return Err(Denied::Late(late_ms / 1_000));
    }
    let by = wish.by.trim();
    if !(1..=BY_BYTES_MAX).contains(&by.len()) || IdNumber::stands_in(by) {
        return Err(Denied::By);
    }
    let minutes = wish.minutes.unwrap_or(minutes);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        return Err(Denied::Minutes(minutes));
    }
    let site = registry.site_of(&wish.terminal);
    let site = site.ok_or_else(|| Denied::Terminal(wish.terminal.clone()))?;
    let mut under_way: Vec<LessonId> = registry
        .lessons_between(site, now, now)
        // Each announced time is kept there; only the latest one is taught.
        .filter(|announced| registry.lesson(&announced.lesson.id) == Some(announced))
        .map(|announced| &announced.lesson)
        .filter(|lesson| lesson.starts <= now && now < lesson.ends)
        .map(|lesson| lesson.id.clone())
        .collect();
    let lesson = match &wish.lesson {
        Some(lesson) if under_way.contains(lesson) => lesson.clone(),
        Some(lesson) => return Err(Denied::NotNow(lesson.clone())),
        None if under_way.len() > 1 => return Err(Denied::Several(under_way)),
        None => under_way.pop().ok_or_else(|| Denied::NoLesson(site.clone()))?,
    };
    let (order, terminal) = (wish.order, wish.terminal.clone());
    Ok(RollOrder { order, terminal, lesson, minutes, by: by.to_owned() })
}
