//! The desk at the classroom door: lessons, rosters, and who is in.

use std::collections::{BTreeSet, HashMap};

use super::Numbers;
use super::identify::{Identity, identify};
use crate::domain::{CheckIn, Event, Lesson, LessonId, Outcome, PersonId, SeenFace, Timestamp};

/// A lesson with the persons who may attend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When and where.
    pub lesson: Lesson,
    /// Who.
    pub roster: BTreeSet<PersonId>,
}

#[derive(Debug, Clone, Copy)]
struct Stay {
    since: Timestamp,
    left: Option<Timestamp>,
}

/// Decides about a face: whose it is, and whether she comes or goes.
#[derive(Debug)]
pub struct Desk {
    pub(super) numbers: Numbers,
    plans: Vec<Plan>,
    /// Bounded by the rosters: one stay for each person of each lesson.
    stays: HashMap<(LessonId, PersonId), Stay>,
}

impl Desk {
    /// A desk with its timetable; nobody is in.
    pub fn new(numbers: Numbers, mut plans: Vec<Plan>) -> Self {
        plans.sort_by_key(|plan| plan.lesson.starts);
        Self { numbers, plans, stays: HashMap::new() }
    }

    /// The same people at the same door, with other lessons, rosters or numbers: who is in stays in.
    pub(super) fn replan(&mut self, numbers: Numbers, plans: Vec<Plan>) {
        let stays = std::mem::take(&mut self.stays);
        *self = Self::new(numbers, plans);
        let planned = |id: &LessonId| self.plans.iter().any(|plan| plan.lesson.id == *id);
        self.stays = stays.into_iter().filter(|((lesson, _), _)| planned(lesson)).collect();
    }

    /// Decides about a face that is good enough to decide on. `claim` is whom the person says to be.
    /// Nothing changes by it: see [`Desk::confirm`].
    pub fn decide(&self, face: &SeenFace, claim: Option<PersonId>, now: Timestamp) -> CheckIn {
        let identity = identify(face, claim, &self.numbers);
        let (event, outcome, lesson) = match identity.person {
            Some(person) => self.place(person, identity.outcome, now),
            None => (Event::Attempt, identity.outcome, self.lesson_now(now)),
        };
        // Two names for one face matter only where the second name is accepted.
        let same_face = face.same_face.filter(|_| outcome == Outcome::Accepted);
        let Identity { person, way, scores, other, .. } = identity;
        let scores = Some(scores);
        CheckIn { event, outcome, lesson, person, way, scores, other, same_face }
    }

    /// Takes note that a decision is durable: only from then on the person is in, or out. A
    /// decision that could not be stored changes nothing here, so that she can simply try again.
    pub fn confirm(&mut self, checkin: &CheckIn, now: Timestamp) {
        if let (Some(lesson), Some(person)) = (&checkin.lesson, checkin.person) {
            self.recall(checkin.event, lesson, person, now);
        }
    }

    /// Takes note of a coming or going that was stored before, so that a restart forgets nobody.
    /// Lessons that are not on this desk's timetable are passed over.
    pub fn recall(&mut self, event: Event, lesson: &LessonId, person: PersonId, at: Timestamp) {
        if !self.plans.iter().any(|plan| plan.lesson.id == *lesson) {
            return;
        }
        let key = (lesson.clone(), person);
        match event {
            Event::CheckIn => {
                self.stays.entry(key).or_insert(Stay { since: at, left: None });
            }
            Event::CheckOut => {
                if let Some(stay) = self.stays.get_mut(&key) {
                    stay.left = Some(at);
                }
            }
            Event::Attempt | Event::Gap | Event::Presence | Event::Notice => {}
        }
    }

    /// Which lesson, and is this coming or going?
    fn place(
        &self,
        person: PersonId,
        identified: Outcome,
        now: Timestamp,
    ) -> (Event, Outcome, Option<LessonId>) {
        let lesson = self.lesson_for(person, now);
        let id = lesson.map(|lesson| lesson.id.clone());
        if identified != Outcome::Accepted {
            return (Event::Attempt, identified, id.or_else(|| self.lesson_now(now)));
        }
        let Some(lesson) = lesson else {
            let (outcome, lesson) = self.why_no_lesson(person, now);
            return (Event::Attempt, outcome, lesson);
        };
        let event = match self.stays.get(&(lesson.id.clone(), person)) {
            None if now.ms_since(lesson.starts) > self.numbers.door_closes_ms_after => {
                return (Event::Attempt, Outcome::TooLate, id);
            }
            None => Event::CheckIn,
            Some(stay) => {
                let newest = stay.left.unwrap_or(stay.since);
                if now.ms_since(newest) < self.numbers.checkout_ms_after {
                    return (Event::Attempt, Outcome::AlreadyIn, id);
                }
                Event::CheckOut
            }
        };
        (event, Outcome::Accepted, id)
    }

    /// The lesson of this person that is under way or about to begin; else the one that she is
    /// still checked in to.
    fn lesson_for(&self, person: PersonId, now: Timestamp) -> Option<&Lesson> {
        let hers = || self.plans.iter().filter(|plan| plan.roster.contains(&person));
        let running = hers().find(|plan| self.runs(&plan.lesson, now));
        let open = || {
            hers().rev().find(|plan| {
                let since_end = now.ms_since(plan.lesson.ends);
                let stay = self.stays.get(&(plan.lesson.id.clone(), person));
                (0..=self.numbers.open_stay_ms_max).contains(&since_end)
                    && stay.is_some_and(|stay| stay.left.is_none())
            })
        };
        running.or_else(open).map(|plan| &plan.lesson)
    }

    fn runs(&self, lesson: &Lesson, now: Timestamp) -> bool {
        now >= lesson.starts.plus_ms(-self.numbers.door_opens_ms_before) && now < lesson.ends
    }

    fn lesson_now(&self, now: Timestamp) -> Option<LessonId> {
        let running = self.plans.iter().find(|plan| self.runs(&plan.lesson, now));
        running.map(|plan| plan.lesson.id.clone())
    }

    fn why_no_lesson(&self, person: PersonId, now: Timestamp) -> (Outcome, Option<LessonId>) {
        if let Some(running) = self.lesson_now(now) {
            return (Outcome::NotOnRoster, Some(running));
        }
        let soon = self.plans.iter().find(|plan| {
            plan.roster.contains(&person)
                && (0..=self.numbers.early_ms_max).contains(&plan.lesson.starts.ms_since(now))
        });
        match soon {
            Some(plan) => (Outcome::TooEarly, Some(plan.lesson.id.clone())),
            None => (Outcome::NoLesson, None),
        }
    }
}
