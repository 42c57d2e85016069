//! Trainees: who they are, how alike their faces are to their templates, and their habits. Nobody of
//! them exists.

use jiff::civil::Date;

use super::calendar::plus_days;
use super::customs;
use super::dice::{Dice, named};
use crate::domain::{PersonId, Score};

/// How a trainee is used to check in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// Stands there; the face is searched among the roster.
    Stands,
    /// Says who she is.
    Says,
    /// Card and PIN.
    Card,
}

/// Somebody on a roster.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: PersonId,
    pub(super) habit: Habit,
    /// Mean cosine with her own template, ten-thousandths.
    pub(super) face: i64,
    /// Who of the class has nearly the same face, and the middle and spread of how alike.
    pub(super) alike: Option<(usize, (i64, i64))>,
    pub(super) away: u32,
    pub(super) late: u32,
    pub(super) forgets: u32,
    /// First and last day in bed.
    pub(super) ill: Vec<(Date, Date)>,
    /// Leaves the class for good on this day.
    pub(super) leaves: Option<Date>,
}

impl Person {
    fn new(id: PersonId, days: &[Date], dice: &mut Dice) -> Self {
        let elderly = dice.happens(customs::ELDERLY);
        let (middle, spread) = customs::OWN_FACE;
        let habit = match () {
            () if dice.happens(customs::BY_CARD) => Habit::Card,
            () if dice.happens(customs::SAYS_WHO) => Habit::Says,
            () => Habit::Stands,
        };
        let face = dice.around(middle, spread) - if elderly { customs::ELDERLY_LESS } else { 0 };
        let mut ill = Vec::new();
        for day in days {
            if dice.happens(customs::FALLS_ILL) {
                ill.push((*day, plus_days(*day, dice.between(2, 6))));
            }
        }
        let drops_out = dice.happens(customs::DROPS_OUT);
        let leaves = days.get(dice.index(days.len())).copied().filter(|_| drops_out);
        let mut chance = |(least, most): (i64, i64)| {
            u32::try_from(dice.between(least, most)).expect("chances are not negative")
        };
        let (away, late) = (chance(customs::AWAY), chance(customs::LATE));
        let forgets = chance(customs::FORGETS);
        Self {
            id,
            habit,
            face: face.clamp(5_200, 9_000),
            alike: None,
            away,
            late,
            forgets,
            ill,
            leaves,
        }
    }

    /// Whether she is still on the roster.
    pub(super) fn belongs(&self, day: Date) -> bool {
        self.leaves.is_none_or(|leaves| day < leaves)
    }

    pub(super) fn is_ill(&self, day: Date) -> bool {
        self.ill.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }
}

/// The id of a made person: a real centre draws it at random.
pub(super) fn person_id(seed: u64, name: &str) -> PersonId {
    let mut id = [0; 16];
    id.copy_from_slice(&named(seed, "person", name)[..16]);
    PersonId(id)
}

/// A class's roster; `name` names the class within the world.
pub(super) fn roster(
    seed: u64,
    name: &str,
    size: usize,
    days: &[Date],
    dice: &mut Dice,
) -> Vec<Person> {
    let mut roster: Vec<Person> = (0..size)
        .map(|n| Person::new(person_id(seed, &format!("{name} {n}")), days, dice))
        .collect();
    for n in 1..size {
        let alike = if dice.happens(customs::TWINS) {
            Some(customs::TWIN_FACE)
        } else {
            dice.happens(customs::SIBLINGS).then_some(customs::SIBLING_FACE)
        };
        if let Some(faces) = alike.filter(|_| roster[n - 1].alike.is_none()) {
            roster[n].alike = Some((n - 1, faces));
            roster[n - 1].alike = Some((n, faces));
        }
    }
    roster
}

/// A cosine as records carry it.
pub(super) fn score(e4: i64) -> Score {
    Score::from_e4(i32::try_from(e4.clamp(-10_000, 9_950)).expect("clamped"))
}

/// The most similar stranger among so many.
pub(super) fn best_stranger(among: usize, dice: &mut Dice) -> i64 {
    let (middle, spread) = customs::STRANGERS;
    (0..among.min(40)).map(|_| dice.around(middle, spread)).max().unwrap_or(middle)
}
