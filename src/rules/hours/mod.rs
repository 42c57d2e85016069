//! Which hours of attendance count, and why others do not (docs/rules/hours.md; Sichuan 九, Hubei 二(一)).
//!
//! A fold over the ledger, like a rule, and no rule: it accuses nobody. Attendance is recorded all the
//! same; what does not count is kept and shown with its reason. Who was not seen is *unknown* as long as
//! a terminal of the site may still have something to tell, and absent by no more than that afterwards.

mod reason;

use std::collections::{BTreeMap, BTreeSet};

pub use reason::Reason;

use super::clocks::Clocks;
use super::moment;
use super::names::Names;
use super::online::{self, Spans};
use crate::domain::{
    Activity, ClassId, Event, Fact, Lesson, LessonId, LessonMode, Outcome, PersonId, Platform,
    Policy, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::{Announced, Registry};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The hours of some classes.
pub struct Hours {
    classes: BTreeSet<ClassId>,
    policy: Policy,
    registry: Registry,
    /// Bounded by the class's lessons and the people who came to them.
    stays: BTreeMap<(LessonId, PersonId), Stay>,
    clocks: Clocks<u64>,
    terminals: Names<TerminalId>,
    /// Marks whose time the chain refutes, by their index.
    refuted: BTreeSet<u64>,
    /// Up to which moment each terminal has told all.
    told: BTreeMap<TerminalId, Timestamp>,
    /// The centre's newest time.
    now: Timestamp,
}

/// A coming or a going.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Timestamp,
    index: u64,
    /// Whether the time is proven, and the terminal was the site's.
    proven: bool,
    here: bool,
}

/// What is known of somebody in a lesson: the first coming, and the last going; and what platforms reported.
#[derive(Debug, Clone, Default)]
struct Stay {
    came: Option<Mark>,
    left: Option<Mark>,
    online: Option<Online>,
}

/// Somebody's sessions in a lesson that is held online.
#[derive(Debug, Clone)]
struct Online {
    /// When she was at the front of a page, within the lesson: two devices at once are no two hours.
    front: Spans,
    first: Timestamp,
    proven: bool,
    /// Whether every platform was listed, with all its functions evidenced, when it reported.
    listed: bool,
    indexes: Vec<u64>,
}

impl Stay {
    fn marks(&self) -> impl Iterator<Item = Mark> {
        [self.came, self.left].into_iter().flatten()
    }

    /// The sessions, unless she was also there in person.
    fn online(&self) -> Option<&Online> {
        self.online.as_ref().filter(|_| self.came.is_none() || self.left.is_none())
    }
}

/// What somebody's stay in a lesson is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attended {
    /// In which lesson.
    pub lesson: LessonId,
    /// Who.
    pub person: PersonId,
    /// Minutes between coming and going, within the lesson; `None` without one of the two.
    pub minutes: Option<u32>,
    /// Why they do not count; none: they do.
    pub reasons: Vec<Reason>,
    /// The entries that say so.
    pub evidence: Vec<u64>,
}

impl Attended {
    /// Minutes that count.
    pub fn counted(&self) -> u32 {
        if self.reasons.is_empty() { self.minutes.unwrap_or(0) } else { 0 }
    }
}

/// What it means that somebody of the roster was not seen in a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// Nothing yet: the lesson is not over, or a terminal of the site may still have records of it.
    Unknown,
    /// She was not seen, and nothing more can come that would prove otherwise.
    Absent,
}

impl Hours {
    /// Of this class, by the numbers of this profile.
    pub fn of(class: ClassId, policy: Policy) -> Self {
        Self::of_all([class], policy)
    }

    /// Of these classes, by the numbers of this profile.
    pub fn of_all(classes: impl IntoIterator<Item = ClassId>, policy: Policy) -> Self {
        Self {
            classes: classes.into_iter().collect(),
            policy,
            registry: Registry::default(),
            stays: BTreeMap::new(),
            clocks: Clocks::default(),
            terminals: Names::default(),
            refuted: BTreeSet::new(),
            told: BTreeMap::new(),
            now: Timestamp::default(),
        }
    }

    /// Takes in the next entry of the ledger.
    pub fn take(&mut self, entry: &Entry) {
        self.registry.apply(entry);
        self.now = self.now.max(entry.committed_at);
        if let Body::Fact(Fact::Activity(activity)) = &entry.body {
            self.session(activity, entry);
        }
        let Body::Record { record, person, .. } = &entry.body else { return };
        let proven = moment::proven(record, entry.committed_at, &self.policy);
        if let Some(moment) = proven {
            let told = self.told.entry(record.terminal.clone()).or_insert(moment.at);
            *told = (*told).max(moment.at);
        }
        let announced = record.lesson.as_ref().and_then(|id| self.registry.lesson(id));
        let announced = announced.filter(|announced| {
            self.classes.contains(&announced.lesson.class)
                && record.outcome == Some(Outcome::Accepted)
        });
        let (place, of) = (
            (entry.index, entry.committed_at),
            (&**record, self.terminals.number(&record.terminal)),
        );
        let heard = self.clocks.take(of, place, &self.policy, || announced.map(|_| entry.index));
        self.refuted.extend(heard.refuted.into_iter().map(|refuted| refuted.what));
        let (Some(person), Some(announced)) = (person, announced) else { return };
        let mark = Mark {
            at: record.clock.wall,
            index: entry.index,
            proven: proven.is_some() && heard.against.is_none(),
            here: self.registry.site_of(&record.terminal) == Some(&announced.lesson.site),
        };
        let key = (announced.lesson.id.clone(), *person);
        self.mark(key, record, mark);
    }

    /// A stretch of a session counts for a lesson that is held online.
    fn session(&mut self, activity: &Activity, entry: &Entry) {
        let announced = activity.lesson.as_ref().and_then(|id| self.registry.lesson(id));
        let (Some(person), Some(announced)) = (activity.who(), announced) else { return };
        let lesson = &announced.lesson;
        let details = self.registry.lesson_details(&lesson.id);
        let is_online = details.and_then(|it| it.mode) == Some(LessonMode::Online);
        if !self.classes.contains(&lesson.class) || !is_online {
            return;
        }
        let platform = self.registry.platform(&activity.platform);
        let listed = platform.is_some_and(Platform::counts);
        let proven = online::is_proven(activity, entry.committed_at, &self.policy);
        let key = (lesson.id.clone(), person);
        let online = self.stays.entry(key).or_default().online.get_or_insert_with(|| Online {
            front: Spans::default(),
            first: activity.from,
            proven: true,
            listed: true,
            indexes: Vec::new(),
        });
        for (from, until) in online::front(activity) {
            online.front.add(from.max(lesson.starts), until.min(lesson.ends));
        }
        online.first = online.first.min(activity.from);
        online.proven &= proven;
        online.listed &= listed;
        online.indexes.push(entry.index);
    }

    /// The earliest coming and the latest going stand, in whatever order they arrive.
    fn mark(&mut self, key: (LessonId, PersonId), record: &Record, mark: Mark) {
        match record.event {
            Event::CheckIn => {
                let came = &mut self.stays.entry(key).or_default().came;
                if came.is_none_or(|came| mark.at < came.at) {
                    *came = Some(mark);
                }
            }
            Event::CheckOut => {
                let left = &mut self.stays.entry(key).or_default().left;
                if left.is_none_or(|left| left.at <= mark.at) {
                    *left = Some(mark);
                }
            }
            Event::Attempt | Event::Gap | Event::Presence | Event::Notice => {}
        }
    }

    /// What the centre knows of institutions, classes and lessons.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The profile whose numbers are used.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The centre's newest time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The lessons of the classes, by their start.
    pub fn lessons(&self) -> Vec<&Announced> {
        let mut lessons = self.registry.lessons();
        lessons.retain(|announced| self.classes.contains(&announced.lesson.class));
        lessons.sort_by_key(|announced| announced.lesson.starts);
        lessons
    }

    /// Everybody's stay in every lesson, by lesson and person.
    pub fn attended(&self) -> Vec<Attended> {
        let attended = |((lesson, person), stay): (&(LessonId, PersonId), &Stay)| {
            let announced = self.registry.lesson(lesson)?;
            let within = |at: Timestamp| at.max(announced.lesson.starts).min(announced.lesson.ends);
            let whole = |ms: i64| u32::try_from(ms.max(0) / MINUTE_MS).unwrap_or(u32::MAX);
            let minutes = match stay.online() {
                Some(online) => Some(whole(online.front.ms())),
                None => stay
                    .came
                    .zip(stay.left)
                    .map(|(came, left)| whole(within(left.at).ms_since(within(came.at)))),
            };
            let marks = stay.marks().map(|mark| mark.index);
            let reported = stay.online().into_iter().flat_map(|online| online.indexes.clone());
            Some(Attended {
                lesson: lesson.clone(),
                person: *person,
                minutes,
                reasons: self.reasons(announced, stay),
                evidence: marks.chain(reported).collect(),
            })
        };
        self.stays.iter().filter_map(attended).collect()
    }

    fn reasons(&self, announced: &Announced, stay: &Stay) -> Vec<Reason> {
        let lesson = &announced.lesson;
        let class = self.registry.class(&lesson.class);
        let mut reasons = Vec::new();
        if class.is_none_or(|class| class.registered_at >= lesson.starts) {
            reasons.push(Reason::ClassLate);
        }
        if announced.is_late() {
            reasons.push(Reason::LessonLate);
        }
        if let Some(online) = stay.online() {
            if !online.listed {
                reasons.push(Reason::UnlistedPlatform);
            }
            if !online.proven {
                reasons.push(Reason::TimeNotProven);
            }
            reasons.extend(reason::forbidden(&self.registry, lesson, online.first));
        } else {
            if stay.marks().any(|mark| !mark.here) {
                reasons.push(Reason::OtherSite);
            }
            let refuted = |mark: &Mark| self.refuted.contains(&mark.index);
            if stay.marks().any(|mark| !mark.proven || refuted(&mark)) {
                reasons.push(Reason::TimeNotProven);
            }
            if stay.marks().count() < 2 {
                reasons.push(Reason::OneMark);
            }
            for mark in stay.marks() {
                reasons.extend(reason::forbidden(&self.registry, lesson, mark.at));
            }
        }
        reasons.sort();
        reasons.dedup();
        reasons
    }

    /// What it means that somebody was not seen in a lesson.
    pub fn unseen(&self, lesson: &Lesson) -> Unseen {
        let grace_ms = i64::from(self.policy.report_grace_hours()) * HOUR_MS;
        if self.now < lesson.ends {
            return Unseen::Unknown;
        }
        let of_site = self.registry.terminals().filter(|(_, it)| it.site == lesson.site);
        let all_told = of_site
            .map(|(id, _)| self.told.get(id).is_some_and(|told| *told >= lesson.ends))
            .reduce(|one, other| one && other);
        if all_told == Some(true) || self.now.ms_since(lesson.ends) >= grace_ms {
            Unseen::Absent
        } else {
            Unseen::Unknown
        }
    }
}
