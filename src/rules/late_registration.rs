//! Lessons that were registered once they had begun, or were over (补登课次). Page:
//! docs/rules/late_registration.md.
//!
//! ## What it sees
//! A lesson to which people came, and which was registered only after its end; or more lessons of one class
//! within two weeks than the profile allows that were registered after their first minute.
//!
//! ## Why it matters
//! What did not go through the system beforehand may not be added afterwards (Hubei 二(一): 不得事后补录;
//! Sichuan 九: 开班备案). Such hours do not count in any case; who does it often tries to make some.
//!
//! ## Example
//! A lesson of 5 March, 09:00–11:30, registered on 6 March at 10:00; twenty-three people had been there.
//!
//! ## What it cannot know
//! Whether somebody merely forgot. One lesson that is registered a quarter of an hour late is everybody's
//! morning and is not said.
//!
//! ## What to do
//! Ask the institution what came between; compare with the plan of the class.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, ClassId, Finding, PersonId, Severity, TerminalId,
};
use crate::rules::lessons::Held;
use crate::rules::recent::Days;
use crate::rules::{Ground, Rule, words};

/// Late lessons are counted over so many days.
const DAYS: i64 = 14;

/// Remembers each class's late lessons of two weeks.
#[derive(Default)]
pub(super) struct LateRegistration {
    late: BTreeMap<ClassId, Days<Late>>,
}

/// Who came to a late lesson, and what says so.
#[derive(Debug, Clone)]
struct Late {
    who: BTreeSet<PersonId>,
    evidence: Vec<u64>,
}

impl Late {
    fn of(held: &Held) -> Self {
        let marks = held.stays.values().flat_map(|stay| stay.marks()).map(|mark| mark.index);
        let unplaced = held.unplaced.iter().map(|it| it.index);
        Self {
            who: held
                .stays
                .keys()
                .copied()
                .chain(held.unplaced.iter().map(|it| it.person))
                .collect(),
            evidence: std::iter::once(held.index).chain(marks).chain(unplaced).collect(),
        }
    }
}

impl Rule for LateRegistration {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::LateRegistration
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "late_registrations_max",
            "report_grace_hours",
            "door_opens_minutes_before",
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "time_bound_hours_max",
        ]
    }

    fn lesson_over(&mut self, held: &Held, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let (announced, lesson) = (&held.announced, &held.announced.lesson);
        let late = Late::of(held);
        if !announced.is_late() || late.who.is_empty() {
            return Vec::new();
        }
        let place = words::site(registry, &lesson.site);
        let span = words::stretch(lesson.starts, lesson.ends);
        let registered = words::clock(announced.registered_at);
        let allowed = policy.late_registrations_max();
        let (found, why) = if announced.is_backfilled() {
            let people = late.who.len();
            let why = Bilingual::new(
                format!(
                    "{}：课次 {}（{span}）在结束之后，于 {registered} 才登记，而当时有 {people} 人到场。\
                     可能事后补录；忘记登记也会如此。这些学时不计。",
                    place.zh, lesson.id
                ),
                format!(
                    "{}: lesson {} ({span}) was registered only after its end, at {registered}; {people} people \
                     had been there. It may have been made up afterwards; forgetting it looks the same. These \
                     hours do not count.",
                    place.en, lesson.id
                ),
            );
            (late, why)
        } else {
            let of_class = self.late.entry(lesson.class.clone()).or_default();
            of_class.add(lesson.starts, late, DAYS);
            let count = of_class.len();
            if u32::try_from(count).unwrap_or(u32::MAX) <= allowed {
                return Vec::new();
            }
            let all = Late {
                who: of_class.iter().flat_map(|(_, late)| late.who.iter().copied()).collect(),
                evidence: of_class
                    .iter()
                    .flat_map(|(_, late)| late.evidence.iter().copied())
                    .collect(),
            };
            of_class.clear();
            let why = Bilingual::new(
                format!(
                    "{}：班级 {} 两周内有 {count} 个课次在开课之后才登记（允许 {allowed} 个），最近一次（{span}）于 \
                     {registered} 登记。可能边开课边补录；管理疏忽也会如此。这些学时不计。",
                    place.zh, lesson.class
                ),
                format!(
                    "{}: {count} lessons of class {} within two weeks were registered once they had begun \
                     ({allowed} are allowed), the last ({span}) at {registered}. They may be made up as they go; \
                     a careless office looks the same. These hours do not count.",
                    place.en, lesson.class
                ),
            );
            (all, why)
        };
        let mut evidence = found.evidence;
        evidence.sort_unstable();
        let site = Some(lesson.site.clone());
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Warning,
            at: lesson.starts,
            who: found.who.into_iter().collect(),
            terminals: Vec::<TerminalId>::new(),
            site,
            why,
            evidence,
        }]
    }
}
