//! A group that comes to two institutions (成批流动). Page: docs/rules/moved_cohort.md.
//!
//! ## What it sees
//! So many persons, and such a share of the smaller of two rosters, who come to classes of two institutions
//! within so many days; or a terminal of one institution that serves another one's class. Neither is raised
//! when class, lesson or site was declared as shared before the lesson began.
//!
//! ## Why it matters
//! Trainees are bought and lent, or a class is passed on to somebody who was not chosen for it (Sichuan 十:
//! 严禁买卖生源、违规转包). Joint classes and shared sites are encouraged (五, 十四), and declared.
//!
//! ## Example
//! 18 of the 20 of a new class in the evening sit in another school's class in the daytime.
//!
//! ## What it cannot know
//! Why they come to both: a company may send its people to two schools. Whoever comes by another name, or
//! whose name was erased, is not seen to come twice.
//!
//! ## What to do
//! Ask both institutions for enrolment and payment of these people; go to the next lesson of either class.

use std::collections::BTreeMap;

use crate::domain::{
    AnomalyId, AnomalyKind, Aspect, Bilingual, ClassId, Event, Finding, InstitutionId, Lesson,
    LessonId, Outcome, PersonId, Policy, Severity, State, Subject, TerminalId, Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::window::{Seen, Window};
use crate::rules::{Rule, moment, words};

const DAY_MS: i64 = 86_400_000;

/// Entries of so many persons are named as evidence: enough to look at, and no list of a province.
const EVIDENCE_PERSONS_MAX: usize = 20;

/// Remembers to which classes each person came last, who is in lessons that are not over, and what was raised.
#[derive(Default)]
pub(super) struct MovedCohort {
    came: Window<ClassId>,
    rooms: BTreeMap<TerminalId, BTreeMap<LessonId, Room>>,
    raised: BTreeMap<(ClassId, ClassId), Timestamp>,
    served: BTreeMap<LessonId, Timestamp>,
    swept_at: Timestamp,
}

/// A lesson as one terminal tells of it.
struct Room {
    lesson: Lesson,
    people: BTreeMap<PersonId, (Timestamp, u64)>,
}

/// Who of a lesson also comes to another class: with the entries here and there.
type Cohort = Vec<(PersonId, u64, u64)>;

/// How far back it looks: days between the two, and what may arrive late.
fn span_ms(policy: &Policy) -> i64 {
    let late_ms = i64::from(policy.time_bound_hours_max()) * DAY_MS / 24;
    i64::from(policy.cohort_days()) * DAY_MS + late_ms
}

impl MovedCohort {
    /// What is over for longer than anybody may still report.
    fn sweep(&mut self, now: Timestamp, policy: &Policy) {
        if now.ms_since(self.swept_at) < DAY_MS {
            return;
        }
        self.swept_at = now;
        let horizon = now.plus_ms(-span_ms(policy));
        self.raised.retain(|_, at| *at >= horizon);
        self.served.retain(|_, at| *at >= horizon);
        for rooms in self.rooms.values_mut() {
            rooms.retain(|_, room| room.lesson.ends >= horizon);
        }
    }

    /// A terminal's records come in their order: once it tells of something after a lesson, it has told all of
    /// the lesson. So a cohort is whole when it is raised, in whatever order terminals deliver.
    fn over(&mut self, terminal: &TerminalId, at: Timestamp) -> Vec<Room> {
        let Some(rooms) = self.rooms.get_mut(terminal) else { return Vec::new() };
        rooms.extract_if(.., |_, room| at > room.lesson.ends).map(|(_, room)| room).collect()
    }

    fn conclude(
        &mut self,
        terminal: &TerminalId,
        room: &Room,
        registry: &Registry,
        policy: &Policy,
    ) -> Vec<Finding> {
        let class = &room.lesson.class;
        let Some(here) = registry.class(class) else { return Vec::new() };
        let days_ms = i64::from(policy.cohort_days()) * DAY_MS;
        let mut cohorts: BTreeMap<ClassId, Cohort> = BTreeMap::new();
        for (person, (at, index)) in &room.people {
            for seen in self.came.of(person) {
                let near = at.ms_since(seen.at).abs() <= days_ms;
                let other = registry.class(&seen.what);
                if near && other.is_some_and(|it| it.institution != here.institution) {
                    let cohort = cohorts.entry(seen.what.clone()).or_default();
                    cohort.push((*person, *index, seen.index));
                }
            }
        }
        let mut all = Vec::new();
        for (other, cohort) in cohorts {
            let there = registry.class(&other).map_or(0, |it| it.persons);
            let smaller = usize::try_from(here.persons.min(there)).unwrap_or(usize::MAX).max(1);
            let least = usize::try_from(policy.cohort_persons_min()).unwrap_or(usize::MAX);
            let percent = usize::try_from(policy.cohort_percent_min()).unwrap_or(100);
            let is_cohort = cohort.len() >= least && cohort.len() * 100 >= percent * smaller;
            let pair = if *class < other {
                (class.clone(), other.clone())
            } else {
                (other.clone(), class.clone())
            };
            let joint = Subject::Class(other.clone());
            if !is_cohort
                || self.raised.contains_key(&pair)
                || is_declared(registry, &room.lesson)
                || is_shared(registry, &joint, room.lesson.starts)
            {
                continue;
            }
            self.raised.insert(pair, room.lesson.starts);
            all.extend(cohort_told(terminal, room, (&other, &cohort, smaller), registry, policy));
        }
        all
    }

    /// A terminal of one institution takes in for another one's class.
    fn serves(
        &mut self,
        record: &Record,
        lesson: &Lesson,
        index: u64,
        registry: &Registry,
    ) -> Option<Finding> {
        let owner = registry.institution_of(&record.terminal)?;
        let institution = &registry.class(&lesson.class)?.institution;
        if owner == institution
            || self.served.contains_key(&lesson.id)
            || is_declared(registry, lesson)
            || terminals_site_is_shared(registry, &record.terminal, lesson.starts)
        {
            return None;
        }
        self.served.insert(lesson.id.clone(), lesson.starts);
        let place = words::place(registry, &record.terminal);
        let (whose, other) = (name(registry, owner), name(registry, institution));
        let when = words::stretch(lesson.starts, lesson.ends);
        let evidence = vec![index];
        Some(Finding {
            id: AnomalyId::of(AnomalyKind::MovedCohort, &evidence),
            kind: AnomalyKind::MovedCohort,
            severity: Severity::Warning,
            at: record.clock.wall,
            who: Vec::new(),
            terminals: vec![record.terminal.clone()],
            site: registry.site_of(&record.terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{}：{}的终端为{}的班级考勤（课次 {}，{when}），事先未申报联合办班或共用场地。可能违规转包；\
                     漏报联合办班也会如此。",
                    place.zh, whose.zh, other.zh, lesson.id
                ),
                format!(
                    "{}: a terminal of {} took the attendance of a class of {} (lesson {}, {when}), and no joint \
                     class or shared site was declared before. The class may have been passed on; a joint class \
                     that nobody declared looks the same.",
                    place.en, whose.en, other.en, lesson.id
                ),
            ),
            evidence,
        })
    }
}

fn cohort_told(
    terminal: &TerminalId,
    room: &Room,
    (other, cohort, smaller): (&ClassId, &Cohort, usize),
    registry: &Registry,
    policy: &Policy,
) -> Option<Finding> {
    let (one, two) = (registry.class(&room.lesson.class)?, registry.class(other)?);
    let (here, there) = (name(registry, &one.institution), name(registry, &two.institution));
    let (count, days, class) = (cohort.len(), policy.cohort_days(), &room.lesson.class);
    let named = cohort.iter().take(EVIDENCE_PERSONS_MAX);
    let mut evidence: Vec<u64> = named.flat_map(|(_, one, other)| [*one, *other]).collect();
    evidence.sort_unstable();
    evidence.dedup();
    Some(Finding {
        id: AnomalyId::of(AnomalyKind::MovedCohort, &evidence),
        kind: AnomalyKind::MovedCohort,
        severity: Severity::Alarm,
        at: room.lesson.starts,
        who: cohort.iter().map(|(person, ..)| *person).collect(),
        terminals: vec![terminal.clone()],
        site: registry.site_of(terminal).cloned(),
        why: Bilingual::new(
            format!(
                "{} 天内，{}班级 {class} 的 {count} 名学员也到{}班级 {other} 上课（较小名册 {smaller} 人），事先未申报联合办班。\
                 可能买卖或借用生源；同一单位委托两家培训也会如此。",
                days, here.zh, there.zh
            ),
            format!(
                "Within {days} days {count} people of class {class} of {} also came to class {other} of {} (the \
                 smaller roster has {smaller}), and no joint class was declared before. Trainees may have been bought \
                 or lent; a company that sends its people to both looks the same.",
                here.en, there.en
            ),
        ),
        evidence,
    })
}

fn name(registry: &Registry, id: &InstitutionId) -> Bilingual {
    registry
        .institution(id)
        .map_or_else(|| Bilingual::new(id.as_str(), id.as_str()), |it| it.name.clone())
}

/// Whether something was declared as shared before this moment, for this moment.
fn is_shared(registry: &Registry, of: &Subject, starts: Timestamp) -> bool {
    registry.status_at(of, Aspect::Sharing, starts).is_some_and(|stated| {
        stated.status.state == State::Shared
            && stated.stated_at < starts
            && stated.status.until.is_none_or(|until| starts < until)
    })
}

fn is_declared(registry: &Registry, lesson: &Lesson) -> bool {
    let of = [
        Subject::Class(lesson.class.clone()),
        Subject::Lesson(lesson.id.clone()),
        Subject::Site(lesson.site.clone()),
    ];
    of.iter().any(|of| is_shared(registry, of, lesson.starts))
}

fn terminals_site_is_shared(registry: &Registry, terminal: &TerminalId, starts: Timestamp) -> bool {
    let site = registry.site_of(terminal).cloned().map(Subject::Site);
    site.is_some_and(|of| is_shared(registry, &of, starts))
}

impl Rule for MovedCohort {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MovedCohort
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "cohort_persons_min",
            "cohort_percent_min",
            "cohort_days",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn judge(&mut self, entry: &Entry, registry: &Registry, policy: &Policy) -> Vec<Finding> {
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        let Some(moment) = moment::proven(record, entry.committed_at, policy) else {
            return Vec::new();
        };
        self.sweep(entry.committed_at, policy);
        let mut all = Vec::new();
        for room in self.over(&record.terminal, moment.at) {
            all.extend(self.conclude(&record.terminal, &room, registry, policy));
        }
        let comes = record.event == Event::CheckIn && record.outcome == Some(Outcome::Accepted);
        let announced = record.lesson.as_ref().and_then(|id| registry.lesson(id));
        let (Some(person), Some(announced)) = (person.filter(|_| comes), announced) else {
            return all;
        };
        let lesson = &announced.lesson;
        all.extend(self.serves(record, lesson, entry.index, registry));
        let (at, index) = (moment.at, entry.index);
        let seen = Seen { at, index, what: lesson.class.clone() };
        self.came.renew(person, seen, entry.committed_at, span_ms(policy));
        let rooms = self.rooms.entry(record.terminal.clone()).or_default();
        let room = rooms
            .entry(lesson.id.clone())
            .or_insert_with(|| Room { lesson: lesson.clone(), people: BTreeMap::new() });
        room.people.insert(person, (at, index));
        all
    }
}
