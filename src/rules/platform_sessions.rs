//! One person at two devices at once, or in a room and on a platform (多端登录). Page:
//! docs/rules/platform_sessions.md.
//!
//! ## What it sees
//! By what platforms report: pages of one person at the front of two devices at the same time, for longer than
//! granted; or a page at the front for one lesson while the same person, by a terminal's records, was in another.
//!
//! ## Why it matters
//! Nobody is at two places: one of the two is somebody else, or nobody (Hebei 七: 同一账号同时多端口登录).
//!
//! ## Example
//! From 09:00 to 09:40 a course plays at the front of a phone, and another one at the front of a computer, both
//! under one name.
//!
//! ## What it cannot know
//! Whether somebody walked from one device to the other and left the first page open: only pages at the front
//! count, and a short overlap is granted. What a platform does not report, or reports falsely, is not seen.
//!
//! ## What to do
//! Ask the platform for the two sessions; ask the person whether somebody else knows the password.

use std::collections::BTreeMap;

use crate::domain::{
    Activity, AnomalyId, AnomalyKind, Bilingual, Fact, Finding, LessonId, PersonId, PlatformId,
    Policy, Severity, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::registry::Registry;
use crate::rules::names::Book;
use crate::rules::passages::{Mark, Passage, Passages};
use crate::rules::window::{Seen, Window};
use crate::rules::{Ground, Rule, online, words};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Remembers when each person was at the front of which device.
#[derive(Default)]
pub(super) struct PlatformSessions {
    fronts: Window<Front>,
    /// What was raised, by the sessions or the session and the lesson.
    raised: BTreeMap<(String, String), Timestamp>,
    swept_at: Timestamp,
}

/// A page at the front.
#[derive(Debug, Clone)]
struct Front {
    until: Timestamp,
    platform: PlatformId,
    session: [u8; 16],
    device: [u8; 32],
    lesson: Option<LessonId>,
}

/// A stay in a room.
struct Stay {
    from: Timestamp,
    until: Timestamp,
    lesson: LessonId,
    terminal: TerminalId,
    uncertainty_ms: i64,
    indexes: [u64; 2],
}

/// The stays of a person in rooms, by what her comings and goings say.
fn stays(person: &PersonId, passages: &Passages, book: &Book) -> Vec<Stay> {
    let mut lessons: BTreeMap<u32, [Option<&Seen<Mark>>; 2]> = BTreeMap::new();
    for seen in passages.of(person) {
        let Some(lesson) = seen.what.lesson else { continue };
        let [came, left] = lessons.entry(lesson).or_default();
        // Earliest first: the first coming and the last going stand.
        if seen.what.leaves {
            *left = Some(seen);
        } else {
            *came = came.or(Some(seen));
        }
    }
    let stay = |(lesson, [came, left]): (u32, [Option<&Seen<Mark>>; 2])| {
        let (came, left) = came.zip(left)?;
        Some(Stay {
            from: came.at,
            until: left.at,
            lesson: book.lesson(lesson).clone(),
            terminal: book.terminal(left.what.terminal).clone(),
            uncertainty_ms: came.what.uncertainty_ms() + left.what.uncertainty_ms(),
            indexes: [came.index, left.index],
        })
    };
    let mut stays: Vec<Stay> = lessons.into_iter().filter_map(stay).collect();
    stays.sort_by(|one, other| one.lesson.cmp(&other.lesson));
    stays
}

/// What two stretches of time have in common.
fn overlap(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> (Timestamp, i64) {
    let from = one.0.max(other.0);
    (from, one.1.min(other.1).ms_since(from))
}

impl PlatformSessions {
    /// Notes that two things were raised; `false` if they were before.
    fn first(&mut self, one: String, other: String, at: Timestamp) -> bool {
        let pair = if one < other { (one, other) } else { (other, one) };
        self.raised.insert(pair, at).is_none()
    }

    /// A new page at the front against all others of the person.
    fn devices(&mut self, person: PersonId, new: &Seen<Front>, policy: &Policy) -> Option<Finding> {
        let granted_ms = i64::from(policy.platform_overlap_s()) * 1000;
        let two_clocks_ms = 2 * i64::from(policy.clock_tolerance_s()) * 1000;
        let found = self.fronts.of(&person).iter().find_map(|old| {
            let (from, ms) = overlap((old.at, old.what.until), (new.at, new.what.until));
            let same_clock = old.what.platform == new.what.platform;
            let granted_ms = granted_ms + if same_clock { 0 } else { two_clocks_ms };
            let two = old.what.device != new.what.device || !same_clock;
            let is_another = old.what.session != new.what.session;
            (two && is_another && ms > granted_ms).then(|| (old.clone(), from, ms))
        });
        let (old, from, ms) = found?;
        let name = |front: &Front| data_encoding::HEXLOWER.encode(&front.session);
        if !self.first(name(&old.what), name(&new.what), from) {
            return None;
        }
        let (one, other) = (&old.what.platform, &new.what.platform);
        let (when, length) = (words::clock(from), words::length(ms));
        let mut evidence = vec![old.index, new.index];
        evidence.sort_unstable();
        evidence.dedup();
        Some(Finding {
            id: AnomalyId::of(AnomalyKind::PlatformSessions, &evidence),
            kind: AnomalyKind::PlatformSessions,
            severity: Severity::Alarm,
            at: from,
            who: vec![person],
            terminals: Vec::new(),
            site: None,
            why: Bilingual::new(
                format!(
                    "{when} 起的 {}，同一学员在两台设备的前台同时学习（平台 {one} 与 {other}）。可能有人代学或刷课；\
                     换设备而未退出也会如此。",
                    length.zh
                ),
                format!(
                    "For {} from {when} on, one person was at the front of two devices (platforms {one} and \
                     {other}). Somebody may learn for her, or nobody does; a page left open at the front looks \
                     the same.",
                    length.en
                ),
            ),
            evidence,
        })
    }

    /// A page at the front for one lesson against a stay in another.
    fn room(
        &mut self,
        person: PersonId,
        front: &Seen<Front>,
        stay: &Stay,
        registry: &Registry,
        policy: &Policy,
    ) -> Option<Finding> {
        let lesson = front.what.lesson.as_ref().filter(|lesson| **lesson != stay.lesson)?;
        let granted_ms = i64::from(policy.platform_overlap_s()) * 1000
            + i64::from(policy.clock_tolerance_s()) * 1000
            + stay.uncertainty_ms;
        let (from, ms) = overlap((front.at, front.what.until), (stay.from, stay.until));
        if ms <= granted_ms {
            return None;
        }
        let session = data_encoding::HEXLOWER.encode(&front.what.session);
        if !self.first(session, stay.lesson.to_string(), from) {
            return None;
        }
        let place = words::place(registry, &stay.terminal);
        let (when, length) = (words::clock(from), words::length(ms));
        let (platform, other) = (&front.what.platform, &stay.lesson);
        let mut evidence = vec![front.index, stay.indexes[0], stay.indexes[1]];
        evidence.sort_unstable();
        Some(Finding {
            id: AnomalyId::of(AnomalyKind::PlatformSessions, &evidence),
            kind: AnomalyKind::PlatformSessions,
            severity: Severity::Alarm,
            at: from,
            who: vec![person],
            terminals: vec![stay.terminal.clone()],
            site: registry.site_of(&stay.terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{when} 起的 {}，同一学员既在{}上课（课次 {other}），又在平台 {platform} 的前台学习（课次 {lesson}）。\
                     可能有人代学或代打卡；时钟有误也会如此。",
                    length.zh, place.zh
                ),
                format!(
                    "For {} from {when} on, one person was at {} (lesson {other}) and at the front of platform \
                     {platform} (lesson {lesson}). Somebody may learn, or check in, for her; a wrong clock looks \
                     the same.",
                    length.en, place.en
                ),
            ),
            evidence,
        })
    }

    fn session(&mut self, activity: &Activity, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, passages, book, .. } = *ground;
        let Some(person) = activity.who() else { return Vec::new() };
        let mut all = Vec::new();
        for (from, until) in online::front(activity) {
            let what = Front {
                until,
                platform: activity.platform.clone(),
                session: activity.session,
                device: activity.device,
                lesson: activity.lesson.clone(),
            };
            let new = Seen { at: from, index: entry.index, what };
            all.extend(self.devices(person, &new, policy));
            for stay in stays(&person, passages, book) {
                all.extend(self.room(person, &new, &stay, registry, policy));
            }
            self.fronts.add(person, new, entry.committed_at, policy);
        }
        all
    }
}

impl Rule for PlatformSessions {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::PlatformSessions
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "platform_overlap_s",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let policy = ground.policy;
        let now = entry.committed_at;
        if now.ms_since(self.swept_at) >= DAY_MS {
            self.swept_at = now;
            let horizon = now.plus_ms(-i64::from(policy.time_bound_hours_max()) * HOUR_MS);
            self.raised.retain(|_, at| *at >= horizon);
        }
        match &entry.body {
            Body::Fact(Fact::Activity(it)) if online::is_proven(it, now, policy) => {
                self.session(it, entry, ground)
            }
            Body::Fact(_) | Body::Record { .. } | Body::Refused { .. } => Vec::new(),
        }
    }

    /// What comes later is compared with all that came before, whichever of the two it is: a terminal that was
    /// offline, or a platform, may be the late one.
    fn passed(&mut self, passage: &Passage<'_>, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, passages, book, .. } = *ground;
        let person = passage.person;
        let fronts = self.fronts.of(&person).to_vec();
        if fronts.is_empty() {
            return Vec::new();
        }
        let mut all = Vec::new();
        for stay in stays(&person, passages, book) {
            for front in &fronts {
                all.extend(self.room(person, front, &stay, registry, policy));
            }
        }
        all
    }
}
