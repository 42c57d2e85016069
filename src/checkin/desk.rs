//! The desk at the classroom door: lessons, rosters, and who is in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Numbers;
use super::identify::{Identity, identify};
use super::roll::{RollCall, Standing};
use crate::domain::{
    CheckIn, Event, Lesson, LessonId, Outcome, PersonId, Score, SeenFace, Timestamp, Way,
};
use crate::record::dispatch::Ordered;

const MINUTE_MS: i64 = 60_000;

/// By how much a terminal's clock may be behind the centre's when an order comes, in milliseconds.
const ORDER_SKEW_MS: i64 = 10 * MINUTE_MS;

/// A lesson with the persons who may attend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When and where.
    pub lesson: Lesson,
    /// Who.
    pub roster: BTreeSet<PersonId>,
}

/// Somebody who comes without a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// Who she says to be.
    pub person: PersonId,
    /// Who of the staff confirms her; `None`: she has typed a PIN.
    pub staff: Option<PersonId>,
    /// Whether the PIN was hers. The staff needs none of her.
    pub right: bool,
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
    pub(super) plans: Vec<Plan>,
    /// Bounded by the rosters: one stay for each person of each lesson.
    stays: HashMap<(LessonId, PersonId), Stay>,
    /// The newest roll call.
    roll: Option<RollCall>,
    /// When the roll is to be called, and has been.
    spots: BTreeMap<LessonId, Vec<Timestamp>>,
    called: BTreeMap<LessonId, Vec<Timestamp>>,
    /// Roll calls that were ordered, and which of them have been called.
    orders: Vec<Ordered>,
    obeyed: BTreeSet<[u8; 32]>,
}

impl Desk {
    /// A desk with its timetable; nobody is in.
    pub fn new(numbers: Numbers, mut plans: Vec<Plan>) -> Self {
        plans.sort_by_key(|plan| plan.lesson.starts);
        Self {
            numbers,
            plans,
            stays: HashMap::new(),
            roll: None,
            spots: BTreeMap::new(),
            called: BTreeMap::new(),
            orders: Vec::new(),
            obeyed: BTreeSet::new(),
        }
    }

    /// Plans at what times the roll of each lesson is to be called ([`super::spot_checks`]).
    pub fn plan_spot_checks(&mut self, times: impl Fn(&Lesson) -> Vec<Timestamp>) {
        let lessons = self.plans.iter().map(|plan| &plan.lesson);
        self.spots = lessons.map(|lesson| (lesson.id.clone(), times(lesson))).collect();
    }

    /// The roll calls that were ordered here, as they stand now.
    pub fn set_orders(&mut self, orders: Vec<Ordered>) {
        self.orders = orders;
    }

    /// From now on a search is as strict as this.
    pub fn set_search_threshold(&mut self, threshold: Score) {
        self.numbers.search_threshold = threshold;
    }

    /// The same people at the same door, with other lessons, rosters or numbers: who is in stays in.
    pub(super) fn replan(&mut self, numbers: Numbers, plans: Vec<Plan>) {
        let before = std::mem::replace(self, Self::new(numbers, plans));
        let planned = |id: &LessonId| self.plans.iter().any(|plan| plan.lesson.id == *id);
        let (stays, called) = (before.stays.into_iter(), before.called.into_iter());
        self.stays = stays.filter(|((lesson, _), _)| planned(lesson)).collect();
        self.roll = before.roll.filter(|roll| planned(&roll.lesson));
        self.called = called.filter(|(lesson, _)| planned(lesson)).collect();
        (self.orders, self.obeyed) = (before.orders, before.obeyed);
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
        CheckIn { event, outcome, lesson, person, way, scores, other, same_face, staff: None }
    }

    /// Decides about somebody who comes without a face. Nothing changes by it either.
    pub fn decide_unseen(&self, unseen: &Unseen, now: Timestamp) -> CheckIn {
        let Unseen { person, staff, right } = *unseen;
        let (way, allowed) = match staff {
            Some(_) => (Way::Staff, self.numbers.by_staff),
            None => (Way::Credential, self.numbers.by_pin),
        };
        let shown = match (allowed, right || staff.is_some()) {
            (false, _) => Outcome::RefusedByPolicy,
            (true, false) => Outcome::NotRecognised,
            (true, true) => Outcome::Accepted,
        };
        let (event, outcome, lesson) = self.place(person, shown, now);
        CheckIn {
            event,
            outcome,
            lesson,
            person: Some(person),
            way: Some(way),
            scores: None,
            other: None,
            same_face: None,
            staff,
        }
    }

    /// Whether somebody who is in has still to show her face in the roll call that is on.
    pub fn is_asked(&self, person: &PersonId, now: Timestamp) -> bool {
        self.roll_call(now)
            .is_some_and(|roll| roll.asked.contains(person) && !roll.seen.contains(person))
    }

    /// The roll call that is on.
    pub fn roll_call(&self, now: Timestamp) -> Option<&RollCall> {
        self.roll.as_ref().filter(|roll| roll.is_on(now))
    }

    /// The lesson whose roll is to be called now, because its time has come.
    pub fn roll_is_due(&self, now: Timestamp) -> Option<LessonId> {
        let lesson = self.lesson_under_way(now)?;
        let times = self.spots.get(&lesson.id)?;
        let called = self.called.get(&lesson.id).map_or(&[][..], Vec::as_slice);
        let due = times.iter().any(|time| {
            // A terminal that was switched off then does not make up for it.
            (0..self.numbers.roll_ms).contains(&now.ms_since(*time))
                && !called.iter().any(|at| at >= time)
        });
        (due && self.roll_call(now).is_none()).then(|| lesson.id.clone())
    }

    /// The roll call that was ordered and is to begin now. It does not wait for one that is on: whoever
    /// ordered it wants to see now who is there.
    pub fn order_is_due(&self, now: Timestamp) -> Option<&Ordered> {
        self.orders.iter().find(|ordered| {
            let lesson = self.plans.iter().find(|plan| plan.lesson.id == ordered.lesson);
            let under_way =
                lesson.is_some_and(|Plan { lesson, .. }| now >= lesson.starts && now < lesson.ends);
            // An order that comes too late is none: nobody knows any more who was there.
            let fresh = (-ORDER_SKEW_MS..i64::from(ordered.minutes) * MINUTE_MS)
                .contains(&now.ms_since(ordered.at));
            under_way && fresh && !self.obeyed.contains(&ordered.order)
        })
    }

    /// The lesson whose roll somebody may call now: one is under way, and no roll call is on.
    pub fn roll_can_be_called(&self, now: Timestamp) -> Option<LessonId> {
        let lesson = self.lesson_under_way(now).filter(|_| self.roll_call(now).is_none());
        lesson.map(|lesson| lesson.id.clone())
    }

    /// Takes note that a roll call has begun, and is on record; `order` names the order that it follows.
    pub fn begin_roll_call(&mut self, lesson: &LessonId, order: Option<[u8; 32]>, at: Timestamp) {
        let ordered = order.and_then(|order| self.orders.iter().find(|it| it.order == order));
        let lasts_ms = ordered.map_or(self.numbers.roll_ms, |it| i64::from(it.minutes) * MINUTE_MS);
        self.obeyed.extend(order);
        let is_in = |person: &PersonId| {
            let stay = self.stays.get(&(lesson.clone(), *person));
            stay.is_some_and(|stay| stay.left.is_none())
        };
        let Some(plan) = self.plans.iter().find(|plan| plan.lesson.id == *lesson) else { return };
        self.roll = Some(RollCall {
            lesson: lesson.clone(),
            until: at.plus_ms(lasts_ms),
            asked: plan.roster.iter().filter(|person| is_in(person)).copied().collect(),
            seen: BTreeSet::new(),
        });
        self.called.entry(lesson.clone()).or_default().push(at);
    }

    /// Who is in the lesson that is under way or whose door is open, and who is missing.
    pub fn room(&self, now: Timestamp) -> Vec<(PersonId, Standing)> {
        let Some(plan) = self.plans.iter().find(|plan| self.runs(&plan.lesson, now)) else {
            return Vec::new();
        };
        let standing = |person: &PersonId| match self.stays.get(&(plan.lesson.id.clone(), *person))
        {
            None => Standing::Missing,
            Some(Stay { left: Some(_), .. }) => Standing::Left,
            Some(_) if self.is_asked(person, now) => Standing::Unseen,
            Some(_) => Standing::In,
        };
        plan.roster.iter().map(|person| (*person, standing(person))).collect()
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
            Event::Presence => {
                if let Some(roll) = self.roll.as_mut().filter(|roll| roll.lesson == *lesson) {
                    roll.seen.insert(person);
                }
            }
            Event::Attempt | Event::Gap | Event::Notice => {}
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
        if let Some(roll) = self.roll_call(now).filter(|roll| roll.lesson == lesson.id)
            && roll.asked.contains(&person)
        {
            return match roll.seen.contains(&person) {
                true => (Event::Attempt, Outcome::AlreadyIn, id),
                false => (Event::Presence, Outcome::Accepted, id),
            };
        }
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

    /// The lesson that has begun and not ended.
    fn lesson_under_way(&self, now: Timestamp) -> Option<&Lesson> {
        let lessons = self.plans.iter().map(|plan| &plan.lesson);
        lessons.into_iter().find(|lesson| now >= lesson.starts && now < lesson.ends)
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
