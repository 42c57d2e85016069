//! Plans what is planted at one institution: which kinds, at which class, about whom, on which days. What
//! a fraud needs of its own, a class that exists for the claim only or a branch in another town, is put
//! on paper here as well; how it is done on its days stands in `fraud.rs` and `hostile.rs`.
//!
//! Two incidents of one class never touch in time: where no room is left, the later one is not planted,
//! so that nobody is found for what somebody else did.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::calendar::{DAY_MS, MINUTE_MS, at, plus_days};
use super::dice::Dice;
use super::kind::{Care, Kind};
use super::label::Label;
use super::mix::Mix;
use super::people::Person;
use super::school::{Class, Pattern, Planned, School, hours, id, lesson_id};
use crate::domain::{ClassId, Lesson, TerminalId, Timestamp};

/// One planted incident, as its days need it.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub(super) label: Label,
    /// Whose people, by the class's place in the list.
    pub(super) class: usize,
    /// Who of its roster.
    pub(super) who: Vec<usize>,
    /// Who of the roster lends her face.
    pub(super) helper: usize,
    /// The terminal that matters.
    pub(super) terminal: usize,
    /// On which days.
    pub(super) days: Vec<Date>,
}

impl Incident {
    /// Whether it is done on this day.
    pub(super) fn is_on(&self, day: Date) -> bool {
        self.days.binary_search(&day).is_ok()
    }
}

/// On how many lesson days, by care.
fn days_of(kind: Kind) -> [usize; 3] {
    match kind {
        Kind::StandIn | Kind::TwoPlaces => [8, 5, 4],
        Kind::Spoof => [4, 4, 6],
        Kind::SharedFace | Kind::MovedCohort | Kind::TeacherLeaves | Kind::Asleep => [12, 10, 10],
        Kind::PaperTrainees | Kind::Relatives => [14, 14, 14],
        Kind::NightHours => [4, 3, 2],
        Kind::StretchedCheckouts | Kind::StaffConfirms | Kind::CardBurst => [8, 8, 10],
        Kind::BackfilledLessons | Kind::ClockSetBack => [3, 2, 2],
        Kind::ForgedRecords | Kind::AlteredRecords | Kind::ReplayedRecords => [2, 1, 1],
        Kind::UnregisteredBox => [3, 2, 1],
        Kind::ClonedTerminal => [4, 2, 3],
        Kind::MovedTerminal => [5, 4, 4],
        Kind::SilentTerminal => [15, 10, 6],
        Kind::ClassLeaves | Kind::Burst => [8, 6, 5],
        Kind::TwoClasses => [10, 8, 6],
        Kind::TooManyHours => [6, 5, 5],
    }
}

/// About how many people, by care; 0 stands for the whole class.
fn people_of(kind: Kind) -> [usize; 3] {
    match kind {
        Kind::StandIn => [2, 1, 1],
        Kind::Spoof | Kind::SharedFace => [4, 2, 1],
        Kind::PaperTrainees | Kind::TooManyHours => [8, 5, 3],
        Kind::TwoPlaces => [6, 3, 1],
        Kind::NightHours => [12, 6, 3],
        Kind::StretchedCheckouts => [14, 8, 4],
        Kind::TwoClasses => [8, 4, 2],
        Kind::StaffConfirms | Kind::CardBurst => [14, 6, 2],
        Kind::Asleep => [3, 2, 1],
        Kind::Relatives => [6, 4, 3],
        Kind::BackfilledLessons
        | Kind::ClockSetBack
        | Kind::ForgedRecords
        | Kind::AlteredRecords
        | Kind::ReplayedRecords
        | Kind::UnregisteredBox
        | Kind::ClonedTerminal
        | Kind::MovedTerminal
        | Kind::SilentTerminal
        | Kind::ClassLeaves
        | Kind::Burst
        | Kind::MovedCohort
        | Kind::TeacherLeaves => [0, 0, 0],
    }
}

/// Whether the terminal, and nobody in particular, is the matter.
pub(super) fn is_of_a_terminal(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ForgedRecords
            | Kind::AlteredRecords
            | Kind::ReplayedRecords
            | Kind::UnregisteredBox
            | Kind::ClonedTerminal
            | Kind::SilentTerminal
    )
}

/// The name under which a box that nobody registered sends; a careful one imitates a true one.
fn stranger(school: &School, care: Care) -> TerminalId {
    let end = care.of(["box", "t9", "t01"]);
    id(&format!("{}-{end}", school.id))
}

/// Plans all incidents of an institution, and puts on paper what they need.
pub(super) fn plan(seed: u64, school: &mut School, days: &[Date], mix: &Mix) -> Vec<Incident> {
    let dice = &mut Dice::of(seed, &format!("incidents {}", school.no));
    let mut incidents: Vec<Incident> = Vec::new();
    if dice.happens(mix.honest_chance()) {
        return incidents;
    }
    let span = u32::try_from(days.len()).unwrap_or(u32::MAX);
    let mut wanted: Vec<(Kind, Care)> = Vec::new();
    for &kind in Kind::ALL {
        for care in Care::ALL {
            if dice.happens(mix.chance(kind, care, span)) {
                wanted.push((kind, care));
            }
        }
    }
    // The longest find room first, those of one length in an order of their own at each institution.
    let mut order: Vec<_> = wanted
        .into_iter()
        .map(|(kind, care)| (usize::MAX - care.of(days_of(kind)), dice.bytes::<8>(), kind, care))
        .collect();
    order.sort_unstable();
    for (_, _, kind, care) in order {
        incidents.extend(one(seed, school, days, (kind, care), &incidents, dice));
    }
    incidents.sort_by_key(|incident| incident.label.from);
    for (n, incident) in incidents.iter_mut().enumerate() {
        incident.label.id = format!("{}-{}", school.id, n + 1);
    }
    incidents
}

/// One incident, if it finds a class and days.
fn one(
    seed: u64,
    school: &mut School,
    days: &[Date],
    (kind, care): (Kind, Care),
    others: &[Incident],
    dice: &mut Dice,
) -> Option<Incident> {
    let (class, when) = place(school, days, (kind, care), others, dice)?;
    let taught = &school.classes[class];
    let terminal = taught.terminal;
    let (first, last) = (*when.first()?, *when.last()?);
    let fit: Vec<usize> = (0..taught.roster.len())
        .filter(|n| taught.roster[*n].leaves.is_none() && taught.roster[*n].alike.is_none())
        .collect();
    let many = care.of(people_of(kind));
    let helper = fit.first().copied()?;
    let who: Vec<usize> = match many {
        0 => (0..taught.roster.len()).collect(),
        many => dice.some_of(fit.len() - 1, many).into_iter().map(|n| fit[n + 1]).collect(),
    };
    let persons = |who: &[usize]| who.iter().map(|n| taught.roster[*n].id).collect::<Vec<_>>();
    let mut label = Label {
        id: String::new(),
        kind,
        care,
        institution: school.id.clone(),
        persons: if is_of_a_terminal(kind) { Vec::new() } else { persons(&who) },
        terminals: Vec::new(),
        class: taught.id.clone(),
        from: at(first, 0),
        until: at(last, 24 * 60),
    };
    if matches!(kind, Kind::StandIn | Kind::SharedFace) {
        label.persons.push(taught.roster[helper].id);
    }
    if is_of_a_terminal(kind) || kind == Kind::MovedTerminal {
        label.terminals.push(school.boxes[terminal].id.clone());
    }
    if kind == Kind::UnregisteredBox {
        label.terminals = vec![stranger(school, care)];
    }
    if kind == Kind::SilentTerminal && care == Care::Clumsy {
        label.until = label.until.plus_ms(60 * DAY_MS);
    }
    let mut incident = Incident { label, class, who, helper, terminal, days: when };
    on_paper((seed, days), school, &mut incident, dice)?;
    Some(incident)
}

/// A class and days of it that are free for an incident: one class after the other, one day after the
/// other, from where the dice say.
fn place(
    school: &School,
    days: &[Date],
    (kind, care): (Kind, Care),
    others: &[Incident],
    dice: &mut Dice,
) -> Option<(usize, Vec<Date>)> {
    // Classes that an incident made for itself are its own.
    let classes = school.classes.iter().filter(|class| !class.made_up).count();
    let (first, length) = (dice.index(classes), care.of(days_of(kind)));
    for class in (0..classes).map(|n| (first + n) % classes) {
        let taught = &school.classes[class];
        let tiring =
            matches!(taught.pattern, Pattern::FullDay | Pattern::Mornings | Pattern::Weekends);
        if kind == Kind::TooManyHours && !tiring {
            continue;
        }
        let taught_on = || taught.lessons.iter().map(|it| it.day).collect::<BTreeSet<_>>();
        let candidates: Vec<Date> = if kind == Kind::BackfilledLessons {
            free_days(school, class, days)
        } else {
            taught_on().into_iter().collect()
        };
        let starts = candidates.len().saturating_sub(length) + 1;
        let begin = dice.index(starts);
        let found = (0..starts).find_map(|n| {
            let start = (begin + n) % starts;
            let days = candidates.get(start..start + length)?.to_vec();
            let near = |it: &&Incident| it.class == class || it.terminal == taught.terminal;
            apart(&days, others.iter().filter(near)).then_some(days)
        });
        if let Some(days) = found {
            return Some((class, days));
        }
    }
    None
}

/// Whether these days keep two days away from those of the others.
fn apart<'i>(days: &[Date], mut others: impl Iterator<Item = &'i Incident>) -> bool {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return false };
    let (from, until) =
        (at(*first, 0).plus_ms(-2 * DAY_MS), at(*last, 24 * 60).plus_ms(2 * DAY_MS));
    others.all(|other| other.label.until <= from || until <= other.label.from)
}

/// Days of a class's time on which nothing is taught at its site.
fn free_days(school: &School, class: usize, days: &[Date]) -> Vec<Date> {
    let own = &school.classes[class];
    let here = school.classes.iter().filter(|other| other.site == own.site);
    let busy: BTreeSet<Date> = here.flat_map(|class| &class.lessons).map(|it| it.day).collect();
    let free = days.iter().copied().filter(|day| (own.first..=own.last).contains(day));
    free.filter(|day| !busy.contains(day)).collect()
}

/// Puts on paper what a kind needs; `None` where it cannot be had.
fn on_paper(
    (seed, days): (u64, &[Date]),
    school: &mut School,
    incident: &mut Incident,
    dice: &mut Dice,
) -> Option<()> {
    let care = incident.label.care;
    let class = school.classes[incident.class].clone();
    let some = |who: &[usize]| who.iter().map(|n| class.roster[*n].clone()).collect::<Vec<_>>();
    match incident.label.kind {
        Kind::BackfilledLessons => {
            for day in incident.days.clone() {
                let (starts, ends) = (at(day, 9 * 60), at(day, 11 * 60 + 30));
                let told = care.of([
                    at(plus_days(day, 1), 10 * 60),
                    ends.plus_ms(60 * MINUTE_MS),
                    starts.plus_ms(15 * MINUTE_MS),
                ]);
                let site = school.sites[class.site].id.clone();
                let lesson = Lesson {
                    id: lesson_id(&class.id, day, 8),
                    class: class.id.clone(),
                    site,
                    starts,
                    ends,
                };
                let registered = vec![(told, lesson.clone())];
                let lessons = &mut school.classes[incident.class].lessons;
                lessons.push(Planned { lesson, day, registered });
            }
        }
        Kind::TwoPlaces => {
            let town = dice.index(10);
            let home = school.sites[class.site].place;
            let near = care.of([None, Some(350_000), Some(50_000)]);
            let site = school.add_site(town, (dice.between(-40_000, 40_000).try_into().ok()?, 0));
            let place = &mut school.sites[site].place;
            let far = (place.latitude_e6 - home.latitude_e6).abs() > 400_000;
            if near.is_some() || !far {
                // A branch so far north of the first site, or in the next town.
                place.latitude_e6 = home.latitude_e6 + near.unwrap_or(900_000);
                place.longitude_e6 = home.longitude_e6;
            }
            let terminal = school.add_box(site);
            made_up(school, incident, some(&incident.who), (site, terminal), |_, lesson| {
                Some((lesson.starts, lesson.ends))
            });
        }
        Kind::TwoClasses => {
            let late_ms = care.of([0, 0, 135 * MINUTE_MS]);
            let place = (class.site, class.terminal);
            made_up(school, incident, some(&incident.who), place, |_, lesson| {
                let starts = lesson.starts.plus_ms(late_ms);
                Some((starts, starts.plus_ms(150 * MINUTE_MS)))
            });
        }
        Kind::TooManyHours => {
            let wanted = care.of([13 * 60, 11 * 60, 9 * 60 + 15]) * MINUTE_MS;
            let place = (class.site, class.terminal);
            made_up(school, incident, some(&incident.who), place, |lessons, last| {
                let has: i64 = lessons.iter().map(|it| it.ends.ms_since(it.starts)).sum();
                let day = last.ends.shanghai().date();
                let starts = last.ends.plus_ms(25 * MINUTE_MS);
                let ends = starts.plus_ms(wanted - has).min(at(day, 23 * 60 + 40));
                Some((starts, ends)).filter(|_| lessons.last().is_some_and(|it| it.id == last.id))
            });
        }
        Kind::MovedCohort => {
            let lender = school.no.checked_sub(1)?;
            let from = School::new(seed, lender, days);
            let roster: Vec<Person> = from.classes[0].roster.iter().take(20).cloned().collect();
            let place = (class.site, class.terminal);
            incident.label.persons = roster.iter().map(|person| person.id).collect();
            let pattern = care.of([from.classes[0].pattern, Pattern::Evenings, Pattern::Evenings]);
            let evening = care.of([None, Some((18 * 60, 20 * 60)), Some((19 * 60, 21 * 60))]);
            made_up(school, incident, roster, place, |_, lesson| {
                let day = lesson.starts.shanghai().date();
                let first = hours(pattern, day).first().copied();
                let (starts, ends) = evening.or(first).unwrap_or((9 * 60, 11 * 60 + 30));
                Some((at(day, starts), at(day, ends)))
            });
        }
        Kind::StandIn
        | Kind::Spoof
        | Kind::SharedFace
        | Kind::PaperTrainees
        | Kind::NightHours
        | Kind::StretchedCheckouts
        | Kind::ClockSetBack
        | Kind::ForgedRecords
        | Kind::AlteredRecords
        | Kind::ReplayedRecords
        | Kind::UnregisteredBox
        | Kind::ClonedTerminal
        | Kind::MovedTerminal
        | Kind::SilentTerminal
        | Kind::ClassLeaves
        | Kind::Burst
        | Kind::StaffConfirms
        | Kind::CardBurst
        | Kind::TeacherLeaves
        | Kind::Asleep
        | Kind::Relatives => {}
    }
    Some(())
}

/// A class that exists for a claim only. `when` gives the hours of its lesson from those of the true
/// class's day and one of them; two lessons of the same hours are one.
fn made_up(
    school: &mut School,
    incident: &Incident,
    roster: Vec<Person>,
    (site, terminal): (usize, usize),
    when: impl Fn(&[Lesson], &Lesson) -> Option<(Timestamp, Timestamp)>,
) {
    let n = school.classes.len() + 1;
    let class: ClassId = id(&format!("{}-c{n}", school.id));
    let base = &school.classes[incident.class];
    let mut lessons: Vec<Planned> = Vec::new();
    for &day in &incident.days {
        let today: Vec<Lesson> =
            base.lessons.iter().filter(|it| it.day == day).map(|it| it.lesson.clone()).collect();
        for (n, held) in today.iter().enumerate() {
            let Some((starts, ends)) = when(&today, held) else { continue };
            if lessons.iter().any(|it| it.lesson.starts == starts) {
                continue;
            }
            let lesson = Lesson {
                id: lesson_id(&class, day, n),
                class: class.clone(),
                site: school.sites[site].id.clone(),
                starts,
                ends,
            };
            let registered = vec![(base.opened.plus_ms(30 * MINUTE_MS), lesson.clone())];
            lessons.push(Planned { lesson, day, registered });
        }
    }
    let roster: Vec<Person> = roster.into_iter().map(|it| Person { alike: None, ..it }).collect();
    school.classes.push(Class {
        id: class,
        trade: base.trade,
        site,
        terminal,
        pattern: base.pattern,
        roster,
        first: base.first,
        last: base.last,
        opened: base.opened.plus_ms(20 * MINUTE_MS),
        lessons,
        made_up: true,
    });
}
