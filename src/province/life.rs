//! An honest day: who of a class comes when, who is ill, late or forgetful, and who is in the room when
//! the roll is called.

use jiff::civil::Date;

use super::act::Act;
use super::calendar::{MINUTE_MS, SECOND_MS};
use super::customs;
use super::dice::Dice;
use super::school::{Class, Planned};
use super::visit::{Face, Visit};
use crate::domain::{Event, NoticeKind, Outcome, Timestamp, Way};

/// Who comes on a day at all, by place on the roster.
pub(super) fn present(class: &Class, day: Date, dice: &mut Dice) -> Vec<usize> {
    let comes = |n: &usize| {
        let person = &class.roster[*n];
        !dice.happens(person.away) && person.belongs(day) && !person.is_ill(day)
    };
    (0..class.roster.len()).filter(comes).collect()
}

/// The visits of a lesson. `later`: it is not the first of the day, and some went home.
pub(super) fn visits(
    class: &Class,
    planned: &Planned,
    present: &[usize],
    (terminal, other): (usize, usize),
    later: bool,
    dice: &mut Dice,
) -> Vec<Visit> {
    let lesson = &planned.lesson;
    let mut visits = Vec::with_capacity(present.len());
    for &who in present {
        if later && dice.happens(customs::HALF_DAY) {
            continue;
        }
        let person = &class.roster[who];
        let (middle, spread) = customs::COMES_BEFORE_MS;
        let comes = match dice.happens(person.late) {
            true => lesson.starts.plus_ms(MINUTE_MS + dice.tail(customs::LATE_MS)),
            false => lesson.starts.plus_ms(dice.around(middle, spread)),
        };
        let (middle, spread) = customs::LEAVES_AFTER_MS;
        let leaves = match () {
            () if dice.happens(customs::LEAVES_EARLY) => {
                lesson.ends.plus_ms(-dice.between(10, 70) * MINUTE_MS)
            }
            () if dice.happens(customs::STAYS_ON) => {
                lesson.ends.plus_ms(2 * MINUTE_MS + dice.tail(customs::STAYS_ON_MS))
            }
            () => lesson.ends.plus_ms(dice.around(middle, spread)),
        };
        let elsewhere = dice.happens(customs::OTHER_TERMINAL);
        visits.push(Visit {
            who,
            comes,
            leaves: (!dice.happens(person.forgets)).then_some(leaves),
            terminal: if elsewhere { other } else { terminal },
            face: Face::Own,
            answers: customs::ANSWERS,
            queues: true,
        });
    }
    visits
}

/// The roll is called once in some lessons, at a time that nobody knows before: the call, and the
/// answers of those who are in. `inside` has each visit with the time of its check-in.
pub(super) fn roll_call(
    class: &Class,
    planned: &Planned,
    terminal: usize,
    inside: &[(Visit, Timestamp)],
    minutes: i64,
    dice: &mut Dice,
) -> Vec<Act> {
    let lesson = &planned.lesson;
    let length = lesson.ends.ms_since(lesson.starts) / MINUTE_MS;
    if !dice.happens(customs::ROLL_CALLED) || length < 60 {
        return Vec::new();
    }
    let called = lesson.starts.plus_ms(dice.between(25, length - 20) * MINUTE_MS);
    let mut call = Act::notice(called, terminal, NoticeKind::RollCalled, dice);
    call.lesson = Some(lesson.id.clone());
    let mut acts = vec![call];
    let in_the_yard = dice.happens(customs::IN_THE_YARD);
    for (visit, came) in inside {
        let gone = visit.leaves.is_some_and(|leaves| leaves < called);
        let chance = match in_the_yard {
            true => visit.answers.min(customs::ANSWERS_IN_THE_YARD),
            false => visit.answers,
        };
        let at = called.plus_ms(15 * SECOND_MS + dice.tail(100 * SECOND_MS));
        let in_time = at.ms_since(called) < minutes * MINUTE_MS;
        if *came < called && !gone && dice.happens(chance) && in_time {
            let person = &class.roster[visit.who];
            let act = Act::new(at, terminal, Event::Presence, Outcome::Accepted);
            let own = dice.around(person.face, customs::VISIT_SPREAD).max(customs::MATCH + 20);
            let act = act.of(person.id, Some(&lesson.id)).at_once();
            acts.push(act.face(Way::Open, own, class.roster.len(), dice));
        }
    }
    acts
}

/// On a class's first day faces are enrolled, each after a consent.
pub(super) fn enrolment(class: &Class, from: Timestamp, dice: &mut Dice) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut at = from;
    for person in &class.roster {
        if person.habit == super::people::Habit::Card {
            continue;
        }
        at = at.plus_ms(20 * SECOND_MS + dice.tail(15 * SECOND_MS));
        let consent = Act::notice(at, class.terminal, NoticeKind::ConsentGiven, dice);
        acts.push(consent.of(person.id, None));
        let made = at.plus_ms(6 * SECOND_MS);
        let made = Act::notice(made, class.terminal, NoticeKind::TemplateMade, dice);
        acts.push(made.of(person.id, None));
    }
    acts
}
