//! The numbers of honest life: how often people are late, ill, forgetful, how a network and a clock
//! fail. None is shared with a rule or a policy profile, and none was fitted to one. Where nothing is
//! said, the number is the operator's guess; chances are counted in hundred thousandths.

use super::calendar::{MINUTE_MS, SECOND_MS};

// ---- institutions ---------------------------------------------------------------------------

/// Institutions with a second site.
pub(super) const SECOND_SITE: u32 = 35_000;
/// Institutions with a second class.
pub(super) const SECOND_CLASS: u32 = 40_000;
/// Fewest and most trainees of a class.
pub(super) const CLASS_PERSONS: (i64, i64) = (18, 42);
/// A class begins within so many days.
pub(super) const CLASS_BEGINS_DAYS: i64 = 16;
/// Fewest and most days from its first to its last.
pub(super) const CLASS_DAYS: (i64, i64) = (28, 58);
/// Classes whose timetable is registered as a whole; others each week before.
pub(super) const WHOLE_TIMETABLE: u32 = 70_000;
/// Lessons that are registered late on the same morning, though before they begin.
pub(super) const LATE_REGISTRATION: u32 = 2_000;
/// Lessons that somebody forgot, registered within their first minutes.
pub(super) const FORGOTTEN_REGISTRATION: u32 = 150;
/// Lessons that are moved by an hour or so, and registered again the day before.
pub(super) const MOVED_LESSON: u32 = 500;
/// Trainees of a second class who are in the first one as well.
pub(super) const SHARED_TRAINEES_MAX: i64 = 3;

// ---- people ---------------------------------------------------------------------------------

/// Identical twins, both in one class: one pair in 2,000 trainees. About 4 of 1,000 births are
/// identical twins; most do not learn the same trade in the same room.
pub(super) const TWINS: u32 = 50;
/// Brothers and sisters in one class.
pub(super) const SIBLINGS: u32 = 1_000;
/// Trainees of 55 and older, whose scores are lower.
pub(super) const ELDERLY: u32 = 12_000;
/// Trainees who did not consent to face comparison and use card and PIN.
pub(super) const BY_CARD: u32 = 2_000;
/// Trainees who say who they are (list or card), and are compared 1:1.
pub(super) const SAYS_WHO: u32 = 30_000;
/// Trainees who leave the class for good.
pub(super) const DROPS_OUT: u32 = 3_000;
/// Trainees whose entry on the roster is put right once (a name written otherwise).
pub(super) const ROSTER_CORRECTION: u32 = 500;
/// Chance of falling ill on a day, for three to seven days.
pub(super) const FALLS_ILL: u32 = 250;
/// Least and most chance of being away for a day, by person.
pub(super) const AWAY: (i64, i64) = (800, 7_000);
/// Least and most chance of being late, by person.
pub(super) const LATE: (i64, i64) = (1_000, 12_000);
/// Least and most chance of forgetting the check-out, by person.
pub(super) const FORGETS: (i64, i64) = (500, 7_000);
/// Going home early.
pub(super) const LEAVES_EARLY: u32 = 1_500;
/// Going home after the morning.
pub(super) const HALF_DAY: u32 = 1_000;
/// Staying on to practise or to talk.
pub(super) const STAYS_ON: u32 = 1_200;
/// For how long, mostly.
pub(super) const STAYS_ON_MS: i64 = 14 * MINUTE_MS;

// ---- faces: docs/accuracy.md ----------------------------------------------------------------

/// Threshold of the default models (`match`), ten-thousandths.
pub(super) const MATCH: i64 = 4_500;
/// Their `confident`.
pub(super) const CONFIDENT: i64 = 6_400;
/// Cosines of two strangers: mean and spread that give the table's cosines at FAR 1e-3 (0.3646),
/// 1e-4 (0.4403) and 1e-5 (0.5062).
pub(super) const STRANGERS: (i64, i64) = (-70, 1_200);
/// A person's mean cosine with her own template, over the pictures of a visit. The table's single
/// pictures have 0.62 with a spread of 0.15 (FRR 0.11 at 0.44, 0.55 at 0.64); a visit has several.
pub(super) const OWN_FACE: (i64, i64) = (7_000, 700);
/// How much lower it is for the elderly.
pub(super) const ELDERLY_LESS: i64 = 700;
/// How far one visit of hers lies from the next.
pub(super) const VISIT_SPREAD: i64 = 600;
/// Days of glasses, masks pulled down late, or poor light, for one person.
pub(super) const POOR_DAY: u32 = 3_000;
/// How much lower the score is then.
pub(super) const POOR_DAY_LESS: i64 = 1_100;
/// Cosines of identical twins.
pub(super) const TWIN_FACE: (i64, i64) = (5_900, 700);
/// Cosines of brothers and sisters.
pub(super) const SIBLING_FACE: (i64, i64) = (2_300, 1_200);
/// A slip of the finger on the list of names.
pub(super) const SLIP_ON_LIST: u32 = 15;
/// Check-ins for which movements are asked for.
pub(super) const CHALLENGED: u32 = 5_000;

// ---- days -----------------------------------------------------------------------------------

/// When people come, before the lesson: middle and spread.
pub(super) const COMES_BEFORE_MS: (i64, i64) = (-11 * MINUTE_MS, 6 * MINUTE_MS);
/// How late the late are, mostly.
pub(super) const LATE_MS: i64 = 8 * MINUTE_MS;
/// When people leave, after the lesson: middle and spread.
pub(super) const LEAVES_AFTER_MS: (i64, i64) = (3 * MINUTE_MS, 2 * MINUTE_MS);
/// The shortest time that one person takes at the door, and what comes on top, mostly.
pub(super) const DOOR_MS: (i64, i64) = (3_500, 3 * SECOND_MS);
/// Check-ins at the site's other terminal.
pub(super) const OTHER_TERMINAL: u32 = 3_000;
/// Days on which the whole class is in the other room.
pub(super) const OTHER_ROOM: u32 = 2_000;
/// Lessons in which the roll is called.
pub(super) const ROLL_CALLED: u32 = 50_000;
/// Answers to a roll call; the others are smoking, on the toilet, on the telephone.
pub(super) const ANSWERS: u32 = 93_000;
/// Roll calls while the class is in the yard or the workshop.
pub(super) const IN_THE_YARD: u32 = 700;
/// Answers then.
pub(super) const ANSWERS_IN_THE_YARD: u32 = 15_000;

// ---- terminals ------------------------------------------------------------------------------

/// Days on which a terminal's network fails for some hours.
pub(super) const OUTAGE_HOURS: u32 = 4_000;
/// Days on which it fails for some days.
pub(super) const OUTAGE_DAYS: u32 = 300;
/// Terminals whose clock's battery is empty.
pub(super) const DEAD_BATTERY: u32 = 3_000;
/// How far a clock that has not heard the centre since the start is off: spread.
pub(super) const CLOCK_DRIFT_MS: i64 = 25 * SECOND_MS;
/// Messages that the network delivers twice.
pub(super) const DELIVERED_TWICE: u32 = 200;
