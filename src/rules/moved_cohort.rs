//! A group that comes to two institutions (成批流动). Page: docs/rules/moved_cohort.md.
//!
//! ## What it sees
//! So many persons, and such a share of the smaller of two rosters, who come to classes of two institutions
//! within so many days; or a terminal of one institution that serves another one's class. Neither is raised
//! when class, lesson or site was declared as shared before the lesson began. Told when the lesson is over.
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

use std::collections::{BTreeMap, HashMap};

use crate::domain::{
    AnomalyId, AnomalyKind, Aspect, Bilingual, ClassId, Finding, InstitutionId, Lesson, PersonId,
    Severity, State, Subject, TerminalId, Timestamp,
};
use crate::registry::{Class, Registry};
use crate::rules::lessons::{Held, Mark};
use crate::rules::names::Names;
use crate::rules::recent::Recent;
use crate::rules::{Ground, Rule, words};

const DAY_MS: i64 = 86_400_000;

/// Entries of so many persons are named as evidence: enough to look at, and no list of a province.
const EVIDENCE_PERSONS_MAX: usize = 20;

/// Remembers to which classes each person came last, and which two classes were told of.
#[derive(Default)]
pub(super) struct MovedCohort {
    came: Recent<Vec<Came>>,
    classes: Names<ClassId>,
    told: HashMap<[u32; 2], Timestamp>,
}

/// To which lesson of a class somebody came last.
#[derive(Debug, Clone, Copy)]
struct Came {
    class: u32,
    starts: Timestamp,
    index: u64,
}

/// Who of a lesson also comes to another class.
#[derive(Debug, Default)]
struct Cohort {
    /// With the entries here and there.
    people: Vec<(PersonId, u64, u64)>,
    /// When the newest lesson there began: whichever terminal tells first, before it nobody had moved.
    newest: Timestamp,
}

impl Cohort {
    /// Since when its people come to both.
    fn since(&self, lesson: &Lesson) -> Timestamp {
        lesson.starts.max(self.newest)
    }
}

impl MovedCohort {
    /// Who of a lesson came to which other class within so many days.
    fn cohorts(&mut self, held: &Held, class: u32, days_ms: i64) -> BTreeMap<u32, Cohort> {
        let mut cohorts: BTreeMap<u32, Cohort> = BTreeMap::new();
        let starts = held.announced.lesson.starts;
        for (person, stay) in &held.stays {
            let Some(came) = &stay.came else { continue };
            let known = self.came.within(*person, came.at, days_ms);
            for other in known.iter().filter(|other| other.class != class) {
                if starts.ms_since(other.starts).abs() <= days_ms {
                    let cohort = cohorts.entry(other.class).or_default();
                    cohort.people.push((*person, came.index, other.index));
                    cohort.newest = cohort.newest.max(other.starts);
                }
            }
            known.retain(|it| starts.ms_since(it.starts) <= days_ms);
            let new = Came { class, starts, index: came.index };
            match known.iter_mut().find(|it| it.class == class) {
                Some(own) if own.starts < new.starts => *own = new,
                Some(_) => {}
                None => known.push(new),
            }
        }
        cohorts
    }

    /// A cohort of a lesson that nobody declared.
    fn moved(&mut self, held: &Held, here: &Class, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let lesson = &held.announced.lesson;
        let class = self.classes.number(&lesson.class);
        let days_ms = i64::from(policy.cohort_days()) * DAY_MS;
        let mut raised = Vec::new();
        for (other, cohort) in self.cohorts(held, class, days_ms) {
            let name = self.classes.name(other).clone();
            let Some(there) = registry.class(&name) else { continue };
            let smaller = usize::try_from(here.persons.min(there.persons)).unwrap_or(usize::MAX);
            let least = usize::try_from(policy.cohort_persons_min()).unwrap_or(usize::MAX);
            let percent = usize::try_from(policy.cohort_percent_min()).unwrap_or(100);
            let count = cohort.people.len();
            let is_cohort = count >= least && count * 100 >= percent * smaller.max(1);
            let pair = [class.min(other), class.max(other)];
            if here.institution == there.institution
                || !is_cohort
                || is_declared(registry, lesson)
                || is_shared(registry, &Subject::Class(name.clone()), lesson.starts)
            {
                continue;
            }
            // As long as it goes on it is one: told once.
            let at = cohort.since(lesson);
            let before = self.told.get(&pair).copied();
            self.told.retain(|_, before| at.ms_since(*before) <= days_ms);
            self.told.insert(pair, before.map_or(at, |before| before.max(at)));
            if before.is_some_and(|before| at.ms_since(before) <= days_ms) {
                continue;
            }
            raised.extend(cohort_told(held, (&name, &cohort, smaller), ground));
        }
        raised
    }
}

/// Terminals of other institutions that took in for a class.
fn served(held: &Held, here: &Class, ground: &Ground<'_>) -> Option<Finding> {
    let lesson = &held.announced.lesson;
    let is_foreign = |mark: &&Mark| {
        let owner = ground.registry.institution_of(&mark.terminal);
        owner.is_some_and(|owner| *owner != here.institution)
            && !terminals_site_is_shared(ground.registry, &mark.terminal, lesson.starts)
    };
    let came = held.stays.values().filter_map(|stay| stay.came.as_ref());
    let first = came.filter(is_foreign).min_by_key(|mark| (mark.at, mark.index))?;
    if is_declared(ground.registry, lesson) {
        return None;
    }
    served_told(lesson, here, first, ground)
}

fn cohort_told(
    held: &Held,
    (other, cohort, smaller): (&ClassId, &Cohort, usize),
    ground: &Ground<'_>,
) -> Option<Finding> {
    let Ground { registry, policy, .. } = *ground;
    let lesson = &held.announced.lesson;
    let (one, two) = (registry.class(&lesson.class)?, registry.class(other)?);
    let (here, there) = (name(registry, &one.institution), name(registry, &two.institution));
    let (count, days, class) = (cohort.people.len(), policy.cohort_days(), &lesson.class);
    let came = held.stays.values().filter_map(|stay| stay.came.as_ref());
    let mut terminals: Vec<TerminalId> = came.map(|mark| mark.terminal.clone()).collect();
    terminals.sort();
    terminals.dedup();
    let named = cohort.people.iter().take(EVIDENCE_PERSONS_MAX);
    let mut evidence: Vec<u64> = named.flat_map(|(_, one, other)| [*one, *other]).collect();
    evidence.sort_unstable();
    evidence.dedup();
    Some(Finding {
        id: AnomalyId::of(AnomalyKind::MovedCohort, &evidence),
        kind: AnomalyKind::MovedCohort,
        severity: Severity::Alarm,
        at: cohort.since(lesson),
        who: cohort.people.iter().map(|(person, ..)| *person).collect(),
        terminals,
        site: Some(lesson.site.clone()),
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

fn served_told(
    lesson: &Lesson,
    here: &Class,
    first: &Mark,
    ground: &Ground<'_>,
) -> Option<Finding> {
    let registry = ground.registry;
    let place = words::place(registry, &first.terminal);
    let owner = registry.institution_of(&first.terminal)?;
    let (whose, other) = (name(registry, owner), name(registry, &here.institution));
    let when = words::stretch(lesson.starts, lesson.ends);
    let evidence = vec![first.index];
    Some(Finding {
        id: AnomalyId::of(AnomalyKind::MovedCohort, &evidence),
        kind: AnomalyKind::MovedCohort,
        severity: Severity::Warning,
        at: first.at,
        who: Vec::new(),
        terminals: vec![first.terminal.clone()],
        site: registry.site_of(&first.terminal).cloned(),
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

impl Rule for MovedCohort {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MovedCohort
    }

    fn version(&self) -> u16 {
        2
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "cohort_persons_min",
            "cohort_percent_min",
            "cohort_days",
            "report_grace_hours",
            "door_opens_minutes_before",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Some(here) = ground.registry.class(&held.announced.lesson.class) else {
            return Vec::new();
        };
        let mut raised = self.moved(held, here, ground);
        raised.extend(served(held, here, ground));
        raised
    }
}
