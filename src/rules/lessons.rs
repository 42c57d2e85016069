//! Lessons that are over and told of: what rules read that look at a whole lesson, or at many of them.
//!
//! A lesson is handed on once, when every terminal of its site has told of something twelve hours later, or when the profile's grace has run past by the centre's own time; what comes later
//! still is recorded and counted, and judged by no such rule. At one site lessons are handed on in the order
//! of their ends, so whatever order the terminals' records arrive in, a class's rules see the same.
//!
//! Bounded by the lessons of the grace and the people who came to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::domain::{
    Event, Fact, LessonId, Outcome, PersonId, Policy, Score, SiteId, TerminalId, Timestamp, Way,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::{Announced, Registry};
use crate::rules::Ground;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// So long after a lesson's end a check-out may come at the latest, to be looked at with the lesson: until
/// every terminal has told of something later, all may still have one.
const LATEST_MS: i64 = 12 * HOUR_MS;

/// Most attempts without a lesson that one site is remembered for: a hundred classes that find none.
const UNPLACED_MAX: usize = 4_096;

/// A coming or a going, at a proven time.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    /// Ledger index.
    pub(super) index: u64,
    pub(super) terminal: TerminalId,
    pub(super) way: Option<Way>,
    /// How alike the face was to the person's own template.
    pub(super) score: Option<Score>,
    /// From which score on it was accepted.
    pub(super) threshold: Option<Score>,
}

impl Mark {
    /// Whether a face was compared for it.
    pub(super) fn is_by_face(&self) -> bool {
        matches!(self.way, Some(Way::Open | Way::Claimed))
    }

    /// By how much the face passed, in ten-thousandths.
    pub(super) fn margin_e4(&self) -> Option<i32> {
        Some(self.score?.as_e4() - self.threshold?.as_e4())
    }
}

/// The first coming and the last going of a person in a lesson.
#[derive(Debug, Clone, Default)]
pub(super) struct Stay {
    pub(super) came: Option<Mark>,
    pub(super) left: Option<Mark>,
}

impl Stay {
    /// Both, where there are both.
    pub(super) fn whole(&self) -> Option<(&Mark, &Mark)> {
        self.came.as_ref().zip(self.left.as_ref())
    }

    /// What there is.
    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.came.iter().chain(&self.left)
    }
}

/// Somebody was recognised where her terminal knew of no lesson.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unplaced {
    pub(super) at: Timestamp,
    pub(super) index: u64,
    pub(super) person: PersonId,
}

/// A lesson that is over.
#[derive(Debug)]
pub(super) struct Held {
    /// As it was announced last.
    pub(super) announced: Announced,
    /// Ledger index of that announcement.
    pub(super) index: u64,
    pub(super) stays: BTreeMap<PersonId, Stay>,
    /// Who came or left at a time that is not proven: no rule on times reads it, but it was told.
    pub(super) doubted: BTreeSet<PersonId>,
    /// Who was at the site in its time, and was told that there is no lesson.
    pub(super) unplaced: Vec<Unplaced>,
    /// Terminals of the site that have told of nothing since it ended; none: the lesson is complete.
    pub(super) silent: Vec<TerminalId>,
    /// Whether some terminal of the site has told of something later.
    pub(super) heard: bool,
}

/// A lesson that is not over yet.
#[derive(Debug)]
struct Open {
    announced: Announced,
    index: u64,
    /// The end of its grace, by the profile that was in force when it was announced.
    due: Timestamp,
    stays: BTreeMap<PersonId, Stay>,
    doubted: BTreeSet<PersonId>,
}

/// What there is at a site.
#[derive(Debug, Default)]
struct Place {
    /// Up to when each terminal has told all.
    told: BTreeMap<TerminalId, Timestamp>,
    /// Its open lessons by their end.
    by_end: BTreeSet<(Timestamp, LessonId)>,
    unplaced: VecDeque<Unplaced>,
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Lessons {
    open: HashMap<LessonId, Open>,
    sites: HashMap<SiteId, Place>,
    /// At which site each terminal is waited for.
    homes: HashMap<TerminalId, SiteId>,
    /// All open lessons by the end of their grace.
    due: BTreeSet<(Timestamp, LessonId)>,
}

fn grace_ms(policy: &Policy) -> i64 {
    i64::from(policy.report_grace_hours()) * HOUR_MS
}

impl Lessons {
    /// Takes in an entry, after the registry, and hands on the lessons that are over by it.
    pub(super) fn take(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Held> {
        let Ground { registry, policy, .. } = *ground;
        let mut over = Vec::new();
        match &entry.body {
            Body::Fact(fact) => self.state(fact, entry, registry, policy),
            Body::Record { record, person, .. } => match (ground.site, ground.moment) {
                (Some(site), Some(moment)) => {
                    self.hear(record, *person, moment.at, entry.index, site);
                    over = self.complete(site, policy);
                }
                (Some(_), None) => self.doubt(record, *person),
                (None, _) => {}
            },
            Body::Refused { .. } => {}
        }
        while let Some((_, id)) =
            self.due.first().filter(|(due, _)| *due <= entry.committed_at).cloned()
        {
            over.extend(self.close(&id, policy));
        }
        over
    }

    fn state(&mut self, fact: &Fact, entry: &Entry, registry: &Registry, policy: &Policy) {
        if let Fact::Lesson(lesson) = fact {
            let Some(announced) = registry.lesson(&lesson.id) else { return };
            // A lesson that is announced again as it was, after it was handed on, stays over.
            if announced.registered_at == entry.committed_at || self.open.contains_key(&lesson.id) {
                self.announce(announced.clone(), entry.index, policy);
            }
        } else if let Fact::Terminal { id, site, .. } = fact {
            self.remove(id);
            self.homes.insert(id.clone(), site.clone());
            let place = self.sites.entry(site.clone()).or_default();
            place.told.insert(id.clone(), Timestamp::default());
        } else if let Fact::Revocation { id, .. } | Fact::Replacement { replaces: id, .. } = fact {
            // Nobody waits for what a terminal says that is let in no more.
            self.remove(id);
        }
    }

    fn remove(&mut self, terminal: &TerminalId) {
        if let Some(place) = self.homes.remove(terminal).and_then(|it| self.sites.get_mut(&it)) {
            place.told.remove(terminal);
        }
    }

    fn announce(&mut self, announced: Announced, index: u64, policy: &Policy) {
        let id = announced.lesson.id.clone();
        let (stays, doubted) = match self.open.remove(&id) {
            Some(before) => {
                self.unlist(&before);
                (before.stays, before.doubted)
            }
            None => Default::default(),
        };
        let ends = announced.lesson.ends;
        let due = ends.plus_ms(grace_ms(policy));
        self.due.insert((due, id.clone()));
        let place = self.sites.entry(announced.lesson.site.clone()).or_default();
        place.by_end.insert((ends, id.clone()));
        self.open.insert(id, Open { announced, index, due, stays, doubted });
    }

    fn unlist(&mut self, open: &Open) {
        let lesson = &open.announced.lesson;
        self.due.remove(&(open.due, lesson.id.clone()));
        if let Some(place) = self.sites.get_mut(&lesson.site) {
            place.by_end.remove(&(lesson.ends, lesson.id.clone()));
        }
    }

    /// Somebody came or left, nobody knows when.
    fn doubt(&mut self, record: &Record, person: Option<PersonId>) {
        let attends = record.outcome == Some(Outcome::Accepted)
            && matches!(record.event, Event::CheckIn | Event::CheckOut);
        let open = record.lesson.as_ref().and_then(|id| self.open.get_mut(id));
        if let Some((open, person)) = open.zip(person).filter(|_| attends) {
            open.doubted.insert(person);
        }
    }

    fn hear(
        &mut self,
        record: &Record,
        person: Option<PersonId>,
        at: Timestamp,
        index: u64,
        site: &SiteId,
    ) {
        if let Some(place) = self.sites.get_mut(site) {
            if let Some(told) = place.told.get_mut(&record.terminal) {
                *told = (*told).max(at);
            }
            if let Some(person) = person.filter(|_| record.outcome == Some(Outcome::NoLesson)) {
                place.unplaced.push_back(Unplaced { at, index, person });
                if place.unplaced.len() > UNPLACED_MAX {
                    place.unplaced.pop_front();
                }
            }
        }
        let Some(person) = person.filter(|_| record.outcome == Some(Outcome::Accepted)) else {
            return;
        };
        let Some(open) = record.lesson.as_ref().and_then(|id| self.open.get_mut(id)) else {
            return;
        };
        // Whether the lesson still waits for it would hang on the order of arrival.
        if at > open.announced.lesson.ends.plus_ms(LATEST_MS) {
            return;
        }
        let scores = record.scores.as_ref();
        let mark = || Mark {
            at,
            index,
            terminal: record.terminal.clone(),
            way: record.way,
            score: scores.and_then(|scores| scores.match_score),
            threshold: scores.map(|scores| scores.threshold),
        };
        match record.event {
            Event::CheckIn => {
                let came = &mut open.stays.entry(person).or_default().came;
                if came.as_ref().is_none_or(|came| at < came.at) {
                    *came = Some(mark());
                }
            }
            Event::CheckOut => {
                let left = &mut open.stays.entry(person).or_default().left;
                if left.as_ref().is_none_or(|left| left.at < at) {
                    *left = Some(mark());
                }
            }
            Event::Attempt | Event::Presence | Event::Gap | Event::Notice => {}
        }
    }

    /// The lessons of a site of which every terminal there has told all.
    fn complete(&mut self, site: &SiteId, policy: &Policy) -> Vec<Held> {
        let mut over = Vec::new();
        while let Some(place) = self.sites.get(site)
            && let Some((ends, id)) = place.by_end.first()
            && place.told.values().min().is_some_and(|told| *told > ends.plus_ms(LATEST_MS))
        {
            let id = id.clone();
            over.extend(self.close(&id, policy));
        }
        over
    }

    fn close(&mut self, id: &LessonId, policy: &Policy) -> Option<Held> {
        let open = self.open.remove(id)?;
        self.unlist(&open);
        let Open { announced, index, stays, doubted, .. } = open;
        let lesson = &announced.lesson;
        let opens_ms = i64::from(policy.door_opens_minutes_before()) * MINUTE_MS;
        let place = self.sites.get_mut(&lesson.site)?;
        let span = lesson.starts.plus_ms(-opens_ms)..=lesson.ends;
        let unplaced = place.unplaced.iter().filter(|it| span.contains(&it.at)).copied().collect();
        let told = place.told.iter().filter(|(_, told)| **told < lesson.ends);
        let silent: Vec<TerminalId> = told.map(|(id, _)| id.clone()).collect();
        let heard = silent.len() < place.told.len();
        let horizon = lesson.ends.plus_ms(-2 * grace_ms(policy));
        while place.unplaced.front().is_some_and(|it| it.at < horizon) {
            place.unplaced.pop_front();
        }
        Some(Held { announced, index, stays, doubted, unplaced, silent, heard })
    }
}
