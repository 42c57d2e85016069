//! A session played on without anybody before it (挂课刷课). Page: docs/rules/background_play.md.
//!
//! ## What it sees
//! By what a platform reports of one session: it played in the background for long, and for a large share of
//! what it played; several pages of the course were open at once for long; somebody "did something" in exactly
//! equal intervals, as a script does; or it played on and on without anybody doing anything.
//!
//! ## Why it matters
//! Hours that a player had and nobody else are paid like taught ones (Hebei 七: 刷课、挂课、多页面非前台播放).
//!
//! ## Example
//! A course of 90 minutes plays behind other windows for 80 of them.
//!
//! ## What it cannot know
//! Whether somebody listens without touching anything, or writes notes in another window. It judges by what the
//! platform says; a platform that reports falsely is not seen.
//!
//! ## What to do
//! Ask the platform for its own record of the session; ask the person about the course.

use std::collections::BTreeMap;

use crate::domain::{
    Activity, AnomalyId, AnomalyKind, Bilingual, Fact, Finding, Policy, Severity, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::rules::{Ground, Rule, online, words};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Most sessions that are remembered: a province's day online. Beyond it nothing new is looked at until old
/// ones are forgotten.
const SESSIONS_MAX: usize = 500_000;

/// So many touches in a row tell a script from a person.
const TOUCHES: usize = 12;

/// Touches that follow each other faster say nothing: people click in a row, too.
const TOUCH_MS_MIN: i64 = 5_000;

/// By how much the intervals of a script differ at most.
const TOUCH_SPREAD_MS_MAX: i64 = 1_000;

/// Remembers what each session did so far.
#[derive(Default)]
pub(super) struct BackgroundPlay {
    sessions: BTreeMap<[u8; 16], Session>,
    swept_at: Timestamp,
}

#[derive(Default)]
struct Session {
    newest: Timestamp,
    played_ms: i64,
    background_ms: i64,
    many_pages_ms: i64,
    /// Played at the front since somebody did something.
    untouched_ms: i64,
    longest_untouched_ms: i64,
    /// The newest touches.
    touches: Vec<Timestamp>,
    /// The interval of so many touches in a row that no person would keep, in seconds.
    script: Option<i64>,
    first: Option<u64>,
    raised: [bool; 4],
}

/// What is wrong with a session.
#[derive(Clone, Copy)]
enum Pattern {
    Background { minutes: i64, percent: i64 },
    ManyPages { minutes: i64 },
    Script { interval_s: i64 },
    Untouched { minutes: i64 },
}

impl Pattern {
    fn place(self) -> usize {
        match self {
            Pattern::Background { .. } => 0,
            Pattern::ManyPages { .. } => 1,
            Pattern::Script { .. } => 2,
            Pattern::Untouched { .. } => 3,
        }
    }

    /// What was seen, and what looks the same, each in Chinese and English.
    fn words(self) -> [String; 4] {
        match self {
            Pattern::Background { minutes, percent } => [
                format!("后台播放 {minutes} 分钟，占 {percent}%"),
                "在其他窗口记笔记".to_owned(),
                format!("{minutes} min of it, {percent} %, were played in the background"),
                "whoever takes notes in another window".to_owned(),
            ],
            Pattern::ManyPages { minutes } => [
                format!("同时打开多个课程页面 {minutes} 分钟"),
                "对照前后两节".to_owned(),
                format!("several pages of the course were open for {minutes} min"),
                "whoever compares two units".to_owned(),
            ],
            Pattern::Script { interval_s } => [
                format!("连续 {TOUCHES} 次操作的间隔都是 {interval_s} 秒"),
                "按拍练习".to_owned(),
                format!("{TOUCHES} touches in a row came every {interval_s} s"),
                "an exercise in time".to_owned(),
            ],
            Pattern::Untouched { minutes } => [
                format!("连续播放 {minutes} 分钟无任何操作"),
                "静听".to_owned(),
                format!("it played for {minutes} min without anybody doing anything"),
                "whoever listens quietly".to_owned(),
            ],
        }
    }
}

impl Session {
    fn take(&mut self, activity: &Activity, index: u64) {
        self.newest = self.newest.max(activity.until());
        self.first = self.first.or(Some(index));
        let mut touches = online::touches(activity).peekable();
        for played in online::played(activity) {
            while let Some(at) = touches.next_if(|at| *at <= played.at) {
                self.touch(at);
            }
            self.played_ms += played.ms;
            match played.front {
                true => self.untouched_ms += played.ms,
                false => self.background_ms += played.ms,
            }
            if played.pages > 1 {
                self.many_pages_ms += played.ms;
            }
            self.longest_untouched_ms = self.longest_untouched_ms.max(self.untouched_ms);
        }
        touches.for_each(|at| self.touch(at));
    }

    fn touch(&mut self, at: Timestamp) {
        self.untouched_ms = 0;
        self.touches.push(at);
        if self.touches.len() > TOUCHES {
            self.touches.remove(0);
        }
        self.script = self.script.or_else(|| self.script_interval());
    }

    /// The interval of the newest touches, if a person would not keep it.
    fn script_interval(&self) -> Option<i64> {
        if self.touches.len() < TOUCHES {
            return None;
        }
        let intervals = self.touches.windows(2).map(|pair| pair[1].ms_since(pair[0]));
        let (least, most) = (intervals.clone().min()?, intervals.max()?);
        (least >= TOUCH_MS_MIN && most - least <= TOUCH_SPREAD_MS_MAX).then_some(least / 1000)
    }

    fn patterns(&self, policy: &Policy) -> Vec<Pattern> {
        let minutes = |ms: i64| ms / MINUTE_MS;
        let percent = self.background_ms * 100 / self.played_ms.max(1);
        let mut all = Vec::new();
        if minutes(self.background_ms) > i64::from(policy.background_play_minutes_max())
            && percent > i64::from(policy.background_play_percent_max())
        {
            all.push(Pattern::Background { minutes: minutes(self.background_ms), percent });
        }
        if minutes(self.many_pages_ms) > i64::from(policy.many_pages_minutes_max()) {
            all.push(Pattern::ManyPages { minutes: minutes(self.many_pages_ms) });
        }
        all.extend(self.script.map(|interval_s| Pattern::Script { interval_s }));
        if minutes(self.longest_untouched_ms) > i64::from(policy.untouched_play_minutes_max()) {
            all.push(Pattern::Untouched { minutes: minutes(self.longest_untouched_ms) });
        }
        all
    }
}

fn told(patterns: &[Pattern], (activity, index, first): (&Activity, u64, u64)) -> Finding {
    let (when, platform) = (words::clock(activity.from), &activity.platform);
    let lesson = activity.lesson.as_ref();
    let (zh, en) = lesson.map_or_else(Default::default, |lesson| {
        (format!("（课次 {lesson}）"), format!(" (lesson {lesson})"))
    });
    let all = |place: usize, between: &str| {
        let words = patterns.iter().map(|it| it.words()[place].clone());
        words.collect::<Vec<_>>().join(between)
    };
    let mut evidence = vec![first, index];
    evidence.dedup();
    Finding {
        id: AnomalyId::of(AnomalyKind::BackgroundPlay, &evidence),
        kind: AnomalyKind::BackgroundPlay,
        severity: Severity::Warning,
        at: activity.from,
        who: activity.who().into_iter().collect(),
        terminals: Vec::new(),
        site: None,
        why: Bilingual::new(
            format!(
                "{when} 前后，平台 {platform} 的一次学习{zh}：{}。可能挂课或刷课；{}也会如此。",
                all(0, "；"),
                all(1, "、")
            ),
            format!(
                "About {when}, a session on platform {platform}{en}: {}. Nobody may have learnt; {} looks the \
                 same.",
                all(2, "; "),
                all(3, ", or ")
            ),
        ),
        evidence,
    }
}

impl BackgroundPlay {
    fn sweep(&mut self, now: Timestamp, policy: &Policy) {
        if now.ms_since(self.swept_at) >= DAY_MS {
            self.swept_at = now;
            let horizon = now.plus_ms(-i64::from(policy.time_bound_hours_max()) * HOUR_MS);
            self.sessions.retain(|_, session| session.newest >= horizon);
        }
    }
}

impl Rule for BackgroundPlay {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::BackgroundPlay
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "background_play_percent_max",
            "background_play_minutes_max",
            "many_pages_minutes_max",
            "untouched_play_minutes_max",
            "clock_tolerance_s",
            "time_bound_hours_max",
        ]
    }

    /// A platform's reports come in their order, so a session is judged as it goes; each pattern of it once.
    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { policy, .. } = *ground;
        let Body::Fact(Fact::Activity(activity)) = &entry.body else { return Vec::new() };
        let now = entry.committed_at;
        if !online::is_proven(activity, now, policy) {
            return Vec::new();
        }
        self.sweep(now, policy);
        let known = self.sessions.contains_key(&activity.session);
        if !known && self.sessions.len() >= SESSIONS_MAX {
            return Vec::new();
        }
        let session = self.sessions.entry(activity.session).or_default();
        session.take(activity, entry.index);
        let mut patterns = session.patterns(policy);
        patterns.retain(|it| !std::mem::replace(&mut session.raised[it.place()], true));
        if patterns.is_empty() {
            return Vec::new();
        }
        let first = session.first.unwrap_or(entry.index);
        vec![told(&patterns, (activity, entry.index, first))]
    }
}
