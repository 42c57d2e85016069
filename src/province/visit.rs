//! One person in one lesson: what she means to do, and the acts that come of it at the terminal. Honest
//! life and fraud are both told as visits; a fraud bends the visits of those whom it is about.

use super::act::Act;
use super::calendar::{MINUTE_MS, SECOND_MS};
use super::customs;
use super::dice::Dice;
use super::people::{Habit, Person, best_stranger, score};
use super::school::{Class, Planned};
use crate::domain::{Challenged, Event, OtherPerson, Outcome, PersonId, Policy, Timestamp, Way};

/// What stands before the camera, or in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// She herself.
    Own,
    /// Nobody: software writes a record with this score.
    Software(i64),
    /// Nobody: her card and PIN are used.
    Card,
    /// Nobody: the staff confirms her.
    Staff,
    /// Another one of the roster under her name, so much alike to the other's template.
    Other(PersonId, i64),
    /// Somebody whom no terminal knows, under her name.
    Stranger,
    /// A photograph or screen; tried so often, and then taken for her or not.
    Picture(usize, bool),
    /// The face of this person, who is enrolled under both names, so much alike to her own record.
    Shared(PersonId, i64),
}

/// See the file's head.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Her place on the roster.
    pub(super) who: usize,
    pub(super) comes: Timestamp,
    /// `None`: forgets the check-out.
    pub(super) leaves: Option<Timestamp>,
    pub(super) terminal: usize,
    pub(super) face: Face,
    /// Chance to answer a roll call, in hundred thousandths.
    pub(super) answers: u32,
    /// Comes through the door like others.
    pub(super) queues: bool,
}

/// What the acts of a visit need to know.
pub(super) struct Room<'r> {
    pub(super) class: &'r Class,
    pub(super) planned: &'r Planned,
    pub(super) policy: &'r Policy,
    pub(super) staff: PersonId,
}

impl Room<'_> {
    fn person(&self, visit: &Visit) -> &Person {
        &self.class.roster[visit.who]
    }

    /// From when on the terminal knows the lesson.
    fn known(&self) -> Timestamp {
        let told = self.planned.registered.first().map(|(at, _)| *at);
        told.unwrap_or(self.planned.lesson.starts).plus_ms(30 * SECOND_MS)
    }

    fn door(&self) -> (Timestamp, Timestamp) {
        let starts = self.planned.lesson.starts;
        let before = i64::from(self.policy.door_opens_minutes_before()) * MINUTE_MS;
        let after = i64::from(self.policy.door_closes_minutes_after()) * MINUTE_MS;
        (starts.plus_ms(-before), starts.plus_ms(after))
    }
}

/// The acts of a visit, without roll calls; the second is the time of the accepted check-in.
pub(super) fn acts(
    visit: &Visit,
    room: &Room<'_>,
    dice: &mut Dice,
) -> (Vec<Act>, Option<Timestamp>) {
    let mut acts = Vec::new();
    let came = comes(visit, room, &mut acts, dice);
    let known = room.known();
    match visit.leaves {
        // The lesson is still unknown to the terminal, or she was never let in.
        Some(leaves) if known > leaves => acts.push(unknown(leaves, visit, room, dice)),
        Some(leaves) if came.is_some_and(|came| came < leaves) => {
            look(leaves, Event::CheckOut, visit, room, &mut acts, dice);
        }
        Some(_) | None => {}
    }
    for act in &mut acts {
        act.queues &= visit.queues;
    }
    (acts, came)
}

/// Recognised, but the terminal knows of no lesson.
fn unknown(at: Timestamp, visit: &Visit, room: &Room<'_>, dice: &mut Dice) -> Act {
    let person = room.person(visit);
    let act = Act::new(at, visit.terminal, Event::Attempt, Outcome::NoLesson).of(person.id, None);
    act.face(Way::Open, dice.around(person.face, customs::VISIT_SPREAD).max(4_600), 20, dice)
}

fn comes(
    visit: &Visit,
    room: &Room<'_>,
    acts: &mut Vec<Act>,
    dice: &mut Dice,
) -> Option<Timestamp> {
    let (opens, closes) = room.door();
    let lesson = Some(&room.planned.lesson.id);
    let person = room.person(visit);
    let mut at = visit.comes;
    if at < opens && visit.face == Face::Own {
        let act = Act::new(at, visit.terminal, Event::Attempt, Outcome::TooEarly);
        acts.push(act.of(person.id, lesson).face(Way::Open, person.face, 20, dice));
        at = opens.plus_ms(dice.between(5, 240) * SECOND_MS);
    }
    if room.known() > at {
        acts.push(unknown(at, visit, room, dice));
        at = room.known().plus_ms(dice.between(10, 300) * SECOND_MS);
        if at > closes {
            return None;
        }
    }
    if at > closes {
        let act = Act::new(at, visit.terminal, Event::Attempt, Outcome::TooLate);
        acts.push(act.of(person.id, lesson).face(Way::Open, person.face, 20, dice));
        return None;
    }
    Some(look(at, Event::CheckIn, visit, room, acts, dice))
}

/// Looks into the camera, or does what takes its place, until it is accepted; says when.
fn look(
    at: Timestamp,
    event: Event,
    visit: &Visit,
    room: &Room<'_>,
    acts: &mut Vec<Act>,
    dice: &mut Dice,
) -> Timestamp {
    let person = room.person(visit);
    let lesson = Some(&room.planned.lesson.id);
    let among = room.class.roster.len();
    let accepted =
        |at| Act::new(at, visit.terminal, event, Outcome::Accepted).of(person.id, lesson);
    let tried =
        |at, outcome| Act::new(at, visit.terminal, Event::Attempt, outcome).of(person.id, lesson);
    match visit.face {
        Face::Own => return own_face(at, event, visit, room, acts, dice),
        Face::Software(e4) => acts.push(accepted(at).face_of(Way::Claimed, e4, e4 - 6_000, dice)),
        Face::Card => acts.push(accepted(at).card()),
        Face::Staff => acts.push(accepted(at).by_staff(room.staff)),
        Face::Other(other, e4) => {
            let own = best_stranger_once(dice);
            let outcome = match e4 >= customs::CONFIDENT {
                true => Outcome::LooksLikeOther,
                false => Outcome::NotRecognised,
            };
            let mut act = tried(at, outcome).face_of(Way::Claimed, own, e4, dice);
            let alike = score(e4);
            act.other = (outcome == Outcome::LooksLikeOther)
                .then_some(OtherPerson { person: other, score: alike });
            acts.push(act);
            let at = at.plus_ms(dice.between(15, 60) * SECOND_MS);
            acts.push(accepted(at).card());
            return at;
        }
        Face::Stranger => {
            let own = best_stranger_once(dice);
            acts.push(tried(at, Outcome::NotRecognised).face(Way::Claimed, own, among, dice));
            let at = at.plus_ms(dice.between(20, 80) * SECOND_MS);
            acts.push(accepted(at).by_staff(room.staff));
            return at;
        }
        Face::Picture(tries, taken) => {
            let mut at = at;
            for n in 0..tries {
                let what = dice.pick(&[Challenged::Flat, Challenged::Flat, Challenged::Repeated]);
                let own = dice.around(person.face - 800, 500);
                let act = tried(at, Outcome::NotLive).face(Way::Claimed, own, among, dice);
                acts.push(act.challenged(what));
                at = at.plus_ms(dice.between(9, 25) * SECOND_MS + i64::try_from(n).unwrap_or(0));
            }
            let own = dice.around(person.face - 800, 300).max(customs::MATCH + 100);
            acts.push(match taken {
                true => accepted(at).face(Way::Claimed, own, among, dice),
                false => accepted(at).card(),
            });
            return at;
        }
        Face::Shared(with, e4) => {
            let mut act = accepted(at).face(Way::Claimed, dice.around(7_200, 400), among, dice);
            act.like = (e4 >= customs::CONFIDENT).then_some((with, score(e4)));
            acts.push(act);
        }
    }
    at
}

fn best_stranger_once(dice: &mut Dice) -> i64 {
    let (middle, spread) = customs::STRANGERS;
    dice.around(middle, spread).min(customs::MATCH - 100)
}

fn own_face(
    at: Timestamp,
    event: Event,
    visit: &Visit,
    room: &Room<'_>,
    acts: &mut Vec<Act>,
    dice: &mut Dice,
) -> Timestamp {
    let person = room.person(visit);
    let lesson = Some(&room.planned.lesson.id);
    let among = room.class.roster.len();
    let mut at = at;
    let mut way = match person.habit {
        Habit::Card => {
            let act = Act::new(at, visit.terminal, event, Outcome::Accepted);
            acts.push(act.of(person.id, lesson).card());
            return at;
        }
        Habit::Says => Way::Claimed,
        Habit::Stands => Way::Open,
    };
    let poor = if dice.happens(customs::POOR_DAY) { customs::POOR_DAY_LESS } else { 0 };
    let alike = person
        .alike
        .map(|(who, (middle, spread))| (room.class.roster[who].id, dice.around(middle, spread)));
    if way == Way::Claimed && dice.happens(customs::SLIP_ON_LIST) {
        slip(at, visit, room, acts, dice);
        at = at.plus_ms(dice.between(8, 30) * SECOND_MS);
    }
    for tries in 0..3 {
        let own = dice.around(person.face - poor, customs::VISIT_SPREAD) + tries * 250;
        let stranger = best_stranger(among, dice);
        let second = alike.map_or(stranger, |(_, e4)| stranger.max(e4));
        let margin = way == Way::Open && own - second < 500;
        let outcome = match () {
            () if own < customs::MATCH => Outcome::NotRecognised,
            () if margin => Outcome::Ambiguous,
            () => Outcome::Accepted,
        };
        let kind = if outcome == Outcome::Accepted { event } else { Event::Attempt };
        let mut act = Act::new(at, visit.terminal, kind, outcome).of(person.id, lesson);
        act = act.face_of(way, own, second, dice);
        if outcome == Outcome::Accepted {
            let like = alike.filter(|(_, e4)| *e4 >= customs::CONFIDENT);
            act.like = like.map(|(who, e4)| (who, score(e4)));
            acts.push(act);
            return at;
        }
        if way == Way::Open {
            act.person = None;
        }
        acts.push(act);
        way = Way::Claimed;
        at = at.plus_ms(dice.between(8, 25) * SECOND_MS);
    }
    let act = Act::new(at, visit.terminal, event, Outcome::Accepted).of(person.id, lesson);
    acts.push(if dice.happens(60_000) { act.by_staff(room.staff) } else { act.card() });
    at
}

/// The finger slips on the list: she claims to be somebody else, and is told whom she looks like.
fn slip(at: Timestamp, visit: &Visit, room: &Room<'_>, acts: &mut Vec<Act>, dice: &mut Dice) {
    let person = room.person(visit);
    let neighbour = &room.class.roster[(visit.who + 1) % room.class.roster.len()];
    let own = dice.around(person.face, customs::VISIT_SPREAD);
    let confident = own >= customs::CONFIDENT;
    let outcome = if confident { Outcome::LooksLikeOther } else { Outcome::NotRecognised };
    let act = Act::new(at, visit.terminal, Event::Attempt, outcome);
    let claimed = best_stranger_once(dice);
    let mut act = act.of(neighbour.id, Some(&room.planned.lesson.id));
    act = act.face_of(Way::Claimed, claimed, own, dice);
    let alike = score(own);
    act.other = confident.then_some(OtherPerson { person: person.id, score: alike });
    acts.push(act);
}
