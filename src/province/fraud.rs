//! How each fraud is done on its days, by bending the visits of those whom it is about. Frauds that need
//! the terminal's key, or none, stand in `hostile.rs`; those that are done on paper alone in
//! `incident.rs`. What a careful fraudster does was thought out from what honest life looks like, not
//! from what any rule computes.

use jiff::civil::Date;

use super::act::{Act, Shown};
use super::calendar::{MINUTE_MS, SECOND_MS, at};
use super::dice::Dice;
use super::incident::Incident;
use super::kind::{Care, Kind};
use super::school::{Class, Planned};
use super::visit::{Face, Visit};
use crate::domain::{ClockQuality, Event, NoticeKind, Outcome, Timestamp, Way};

fn ms(n: usize, each: i64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX / each.max(1)) * each
}

/// A visit of somebody who is not there: in time, out in time, and she answers no roll call.
fn on_paper(who: usize, lesson: &crate::domain::Lesson, terminal: usize, face: Face) -> Visit {
    let comes = lesson.starts.plus_ms(-6 * MINUTE_MS);
    let leaves = Some(lesson.ends.plus_ms(2 * MINUTE_MS));
    Visit { who, comes, leaves, terminal, face, answers: 0, queues: false }
}

/// Bends a lesson's visits. `on_day`: how many days the incident has gone on.
pub(super) fn bend(
    visits: &mut Vec<Visit>,
    incident: &Incident,
    class: &Class,
    planned: &Planned,
    (terminal, other): (usize, usize),
    on_day: usize,
    dice: &mut Dice,
) {
    let lesson = &planned.lesson;
    let care = incident.label.care;
    let absent = |visits: &mut Vec<Visit>, face: &mut dyn FnMut(usize) -> Face| {
        visits.retain(|visit| !incident.who.contains(&visit.who));
        let from = visits.len();
        for (n, &who) in incident.who.iter().enumerate() {
            visits.push(on_paper(who, lesson, terminal, face(n)));
        }
        from
    };
    match incident.label.kind {
        Kind::StandIn => {
            let helper = class.roster[incident.helper].id;
            let e4 = dice.around(care.of([7_400, 6_000, 0]), 500);
            let face = care.of([Face::Other(helper, e4), Face::Other(helper, e4), Face::Stranger]);
            let from = absent(visits, &mut |_| face);
            for (n, visit) in visits[from..].iter_mut().enumerate() {
                visit.answers = care.of([70_000, 80_000, 90_000]);
                visit.queues = true;
                visit.comes = visit.comes.plus_ms(ms(n, 50 * SECOND_MS) - dice.tail(4 * MINUTE_MS));
            }
        }
        Kind::Spoof => {
            let from = absent(visits, &mut |_| Face::Own);
            for visit in &mut visits[from..] {
                let tries = care.of([4, 1 + on_day % 2, usize::from(on_day % 3 == 2)]);
                visit.face = Face::Picture(tries, care != Care::Clumsy);
                visit.queues = true;
                visit.comes = visit.comes.plus_ms(-dice.tail(5 * MINUTE_MS));
            }
        }
        Kind::SharedFace => shared_face(visits, incident, class, lesson, (terminal, other), dice),
        Kind::PaperTrainees => {
            let from = absent(visits, &mut |_| Face::Own);
            for (n, visit) in visits[from..].iter_mut().enumerate() {
                let (score, comes, leaves) = match care {
                    Care::Clumsy => (8_123, ms(n, 7 * SECOND_MS), ms(n, 7 * SECOND_MS)),
                    Care::Middling => {
                        let mut off = || ms(n, 20 * SECOND_MS) + dice.around(0, 6 * SECOND_MS);
                        let (comes, leaves) = (off(), off());
                        (dice.around(8_000, 90), comes, leaves)
                    }
                    Care::Careful => {
                        let comes = dice.around(-4 * MINUTE_MS, 5 * MINUTE_MS);
                        let leaves = dice.around(0, 2 * MINUTE_MS);
                        (dice.around(7_100, 600), comes, leaves)
                    }
                };
                visit.face = Face::Software(score.clamp(4_600, 9_500));
                visit.comes = lesson.starts.plus_ms(-9 * MINUTE_MS + comes);
                visit.leaves = Some(lesson.ends.plus_ms(MINUTE_MS + leaves));
                visit.answers = care.of([0, 0, 55_000]);
            }
        }
        Kind::StretchedCheckouts => {
            let (least, most) = care.of([(150, 200), (70, 100), (42, 57)]);
            for visit in visits.iter_mut().filter(|visit| incident.who.contains(&visit.who)) {
                let over = dice.between(least * 60, most * 60) * SECOND_MS;
                visit.leaves = Some(lesson.ends.plus_ms(over));
            }
        }
        Kind::ClassLeaves => {
            for visit in visits.iter_mut() {
                visit.answers = care.of([0, 20_000, 55_000]);
                let back = dice.around(MINUTE_MS, MINUTE_MS);
                visit.leaves = Some(lesson.ends.plus_ms(back));
            }
        }
        Kind::Burst => {
            let each = care.of([900, 1_900, 3_000]);
            for (n, visit) in visits.iter_mut().enumerate() {
                visit.comes =
                    lesson.starts.plus_ms(-4 * MINUTE_MS + ms(n, each) + dice.between(0, 200));
                visit.leaves = Some(lesson.ends.plus_ms(MINUTE_MS + ms(n, each)));
                visit.queues = false;
            }
        }
        Kind::StaffConfirms | Kind::CardBurst => {
            let staff = incident.label.kind == Kind::StaffConfirms;
            let face = if staff { Face::Staff } else { Face::Card };
            let from = absent(visits, &mut |_| face);
            let each = care.of([6, 25, 140]) * SECOND_MS;
            for (n, visit) in visits[from..].iter_mut().enumerate() {
                let early = if care == Care::Careful { dice.tail(8 * MINUTE_MS) } else { 0 };
                visit.comes = visit.comes.plus_ms(ms(n, each) + dice.between(0, 900) - early);
                visit.leaves = Some(lesson.ends.plus_ms(MINUTE_MS + ms(n, each)));
            }
        }
        Kind::Asleep => {
            for visit in visits.iter_mut().filter(|visit| incident.who.contains(&visit.who)) {
                visit.answers = 85_000;
            }
        }
        Kind::TwoPlaces
        | Kind::NightHours
        | Kind::BackfilledLessons
        | Kind::ClockSetBack
        | Kind::ForgedRecords
        | Kind::AlteredRecords
        | Kind::ReplayedRecords
        | Kind::UnregisteredBox
        | Kind::ClonedTerminal
        | Kind::MovedTerminal
        | Kind::SilentTerminal
        | Kind::TwoClasses
        | Kind::MovedCohort
        | Kind::TooManyHours
        | Kind::TeacherLeaves
        | Kind::Relatives => {}
    }
}

/// The helper checks in under her own name and then, a minute later each, under those that carry her face;
/// a careful one goes to the other terminal for that.
fn shared_face(
    visits: &mut Vec<Visit>,
    incident: &Incident,
    class: &Class,
    lesson: &crate::domain::Lesson,
    (terminal, other): (usize, usize),
    dice: &mut Dice,
) {
    let care = incident.label.care;
    let helper = class.roster[incident.helper].id;
    let own = visits.iter_mut().find(|visit| visit.who == incident.helper);
    let (comes, leaves) = match own {
        Some(own) => {
            own.terminal = terminal;
            (own.comes, own.leaves.unwrap_or(lesson.ends))
        }
        None => (lesson.starts.plus_ms(-8 * MINUTE_MS), lesson.ends),
    };
    visits.retain(|visit| !incident.who.contains(&visit.who));
    for (n, &who) in incident.who.iter().enumerate() {
        let e4 = dice.around(care.of([7_900, 6_050, 0]), care.of([400, 350, 0]));
        let after = ms(n + 1, 70 * SECOND_MS) + dice.between(0, 20) * SECOND_MS;
        visits.push(Visit {
            who,
            comes: comes.plus_ms(after),
            leaves: Some(leaves.plus_ms(after)),
            terminal: care.of([terminal, terminal, other]),
            face: Face::Shared(helper, e4),
            answers: 0,
            queues: true,
        });
    }
}

/// What is done besides the lessons of a day.
pub(super) fn beside(
    incident: &Incident,
    class: &Class,
    day: Date,
    on_day: usize,
    dice: &mut Dice,
) -> Vec<Act> {
    let care = incident.label.care;
    match incident.label.kind {
        Kind::NightHours => {
            let begins = at(day, care.of([3 * 60, 22 * 60 + 50, 12 * 60 + 40]));
            let mut acts = Vec::new();
            for (n, &who) in incident.who.iter().enumerate() {
                let person = &class.roster[who];
                let comes = begins.plus_ms(ms(n, 11 * SECOND_MS) + dice.tail(5 * SECOND_MS));
                let leaves = comes.plus_ms(care.of([120, 60, 50]) * MINUTE_MS);
                for (at, event) in [(comes, Event::CheckIn), (leaves, Event::CheckOut)] {
                    let act = Act::new(at, incident.terminal, event, Outcome::Accepted);
                    let own = dice.around(person.face, 500).max(4_600);
                    acts.push(act.of(person.id, None).at_once().face(Way::Open, own, 20, dice));
                }
            }
            acts
        }
        Kind::MovedTerminal if on_day == 0 && care == Care::Clumsy => {
            let at = at(day, 7 * 60 + 10);
            vec![Act::notice(at, incident.terminal, NoticeKind::CameraChanged, dice)]
        }
        Kind::MovedTerminal
        | Kind::StandIn
        | Kind::Spoof
        | Kind::SharedFace
        | Kind::PaperTrainees
        | Kind::TwoPlaces
        | Kind::StretchedCheckouts
        | Kind::BackfilledLessons
        | Kind::ClockSetBack
        | Kind::ForgedRecords
        | Kind::AlteredRecords
        | Kind::ReplayedRecords
        | Kind::UnregisteredBox
        | Kind::ClonedTerminal
        | Kind::SilentTerminal
        | Kind::ClassLeaves
        | Kind::Burst
        | Kind::TwoClasses
        | Kind::MovedCohort
        | Kind::TooManyHours
        | Kind::StaffConfirms
        | Kind::CardBurst
        | Kind::TeacherLeaves
        | Kind::Asleep
        | Kind::Relatives => Vec::new(),
    }
}

/// When the lesson of somebody who sets the clock back is made: so long after its end.
const EVENING_MS: i64 = 150 * MINUTE_MS;

/// For how long a careful hand keeps the terminal off the network on such a day: from before the first lesson
/// until the last is made.
pub(super) fn off_the_network(day: Date, ends: Timestamp) -> (Timestamp, Timestamp) {
    (at(day, 5 * 60), ends.plus_ms(EVENING_MS + 30 * MINUTE_MS))
}

/// The acts of a lesson that nobody came to are made in the evening, one after the other, while the clock
/// shows the hours of the lesson. A clumsy hand leaves a clock that doubts itself; a middling one a signed
/// time of the centre that is newer than what the clock shows; a careful one has kept the terminal off
/// the network since the morning, makes all of it there, and switches it off and on with the clock set back,
/// so that it has been running for as long as the clock says.
pub(super) fn made_in_the_evening(
    acts: Vec<Act>,
    care: Care,
    ends: Timestamp,
    terminal: usize,
) -> Vec<Act> {
    let mut makes = ends.plus_ms(EVENING_MS);
    let mut made = Vec::with_capacity(acts.len());
    for mut act in acts {
        let quality =
            care.of([ClockQuality::Doubtful, ClockQuality::Synced, ClockQuality::Holding]);
        let signed = care.of([Some(ends), Some(ends), None]);
        let fits = care == Care::Careful;
        if fits {
            act.terminal = terminal;
        }
        act.clock = Some(Shown { wall: act.at, quality, signed, fits });
        act.at = makes;
        act.queues = false;
        makes = makes.plus_ms(4 * SECOND_MS);
        made.push(act);
    }
    made
}
