//! What a terminal's dispatch says, as the ledger has it: people stand in it as commitments. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::{
    Aspect, ClassId, Committed, Lesson, SiteId, State, Subject, TerminalId, Timestamp,
};
use crate::record::dispatch::{Ordered, Suspension};
use crate::registry::{Registry, Stated};

/// Roll calls that a terminal is told: more than anybody orders there in two days.
const ORDERS_MAX: usize = 100;

/// Which lessons a dispatch holds, and how long it is to be believed. Whole days, so that it says the
/// same all day long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Lessons that end before are over.
    pub from: Timestamp,
    /// Lessons that begin from then on are not sent yet.
    pub to: Timestamp,
    /// Until when it is to be believed.
    pub expires: Timestamp,
}

impl Window {
    /// The window of a dispatch that is made at `now`: yesterday's lessons, which somebody may still be
    /// checked in to, and those of twice the time that it is believed, so that a terminal that is cut
    /// off for longer has lessons to go on with.
    pub fn on(now: Timestamp, valid_days: u16) -> Self {
        let today = now.shanghai().date();
        let days = i64::from(valid_days);
        Self {
            from: midnight(today, -1),
            to: midnight(today, 2 * days + 1),
            expires: midnight(today, days + 1),
        }
    }
}

/// The beginning of a day, counted from another one, in China standard time.
fn midnight(day: Date, days: i64) -> Timestamp {
    let date = day.saturating_add(jiff::Span::new().days(days));
    Timestamp::parse_shanghai(&date.to_string()).expect("a date is the beginning of its day")
}

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where the terminal stands.
    pub site: SiteId,
    /// Its lessons, by their start, each with its teacher.
    pub lessons: Vec<(Lesson, Option<Committed>)>,
    /// Who is on the rosters of their classes.
    pub rosters: BTreeMap<ClassId, Vec<Committed>>,
    /// When lessons are forbidden.
    pub suspensions: Vec<Suspension>,
    /// Roll calls that were ordered here since the window began.
    pub orders: Vec<Ordered>,
}

/// What a terminal shall work by; nothing for a terminal that nobody registered. Lessons of a class
/// whose members the ledger does not name are left out: nobody could check in to them.
pub fn draft(registry: &Registry, terminal: &TerminalId, window: Window) -> Option<Draft> {
    let site = registry.site_of(terminal)?.clone();
    let mut lessons = Vec::new();
    let mut rosters: BTreeMap<ClassId, Vec<Committed>> = BTreeMap::new();
    let mut suspensions = Vec::new();
    let mut suspend = |of: &Subject, class: Option<&ClassId>, lesson: Option<&Lesson>| {
        let lesson = lesson.map(|lesson| &lesson.id);
        let spans = suspended(registry.statuses_of(of)).filter(|(_, until)| {
            // What is over is nobody's business any more.
            until.is_none_or(|until| until > window.from)
        });
        suspensions.extend(spans.map(|(from, until)| Suspension {
            from,
            until,
            class: class.cloned(),
            lesson: lesson.cloned(),
        }));
    };
    for announced in registry.lessons_between(&site, window.from, window.to.plus_ms(-1)) {
        let lesson = &announced.lesson;
        // Each announced time is kept there; only the latest one will be taught.
        if registry.lesson(&lesson.id) != Some(announced) || is_cancelled(registry, lesson) {
            continue;
        }
        let roster = rosters.entry(lesson.class.clone()).or_insert_with(|| {
            let members = registry.roster(&lesson.class);
            members.filter(|(_, member)| member.left.is_none()).map(|(who, _)| *who).collect()
        });
        if roster.is_empty() {
            continue;
        }
        let details = registry.lesson_details(&lesson.id);
        let teacher = details.and_then(|details| details.teacher.as_ref());
        suspend(&Subject::Lesson(lesson.id.clone()), None, Some(lesson));
        if let Some(teacher) = teacher {
            suspend(&Subject::Teacher(teacher.clone()), None, Some(lesson));
        }
        let teacher = teacher.and_then(|teacher| registry.teacher(teacher));
        lessons.push((lesson.clone(), teacher.map(|teacher| teacher.person)));
    }
    rosters.retain(|_, members| !members.is_empty());
    for class in rosters.keys() {
        suspend(&Subject::Class(class.clone()), Some(class), None);
    }
    suspend(&Subject::Site(site.clone()), None, None);
    if let Some(institution) = registry.institution_of(terminal) {
        suspend(&Subject::Institution(institution.clone()), None, None);
    }
    suspensions.sort();
    lessons.sort_by(|(one, _), (other, _)| (one.starts, &one.id).cmp(&(other.starts, &other.id)));
    let orders = registry.roll_orders(terminal).iter().rev().take_while(|it| it.at >= window.from);
    let orders = orders.take(ORDERS_MAX).map(|it| Ordered {
        order: it.order.order,
        lesson: it.order.lesson.clone(),
        at: it.at,
        minutes: it.order.minutes,
    });
    Some(Draft { site, lessons, rosters, suspensions, orders: orders.collect() })
}

fn is_cancelled(registry: &Registry, lesson: &Lesson) -> bool {
    let of = Subject::Lesson(lesson.id.clone());
    let running = registry.status_at(&of, Aspect::Running, lesson.starts);
    running.is_some_and(|stated| stated.status.state == State::Cancelled)
}

/// The times in which a row of statuses, by the moment from which they hold, says "suspended": each until
/// its own term, or until the next state.
fn suspended(stated: &[Stated]) -> impl Iterator<Item = (Timestamp, Option<Timestamp>)> {
    let running: Vec<_> = stated
        .iter()
        .map(|stated| &stated.status)
        .filter(|status| status.aspect() == Aspect::Running)
        .collect();
    let next: Vec<_> = running.iter().skip(1).map(|status| Some(status.from)).collect();
    running.into_iter().zip(next.into_iter().chain([None])).filter_map(|(status, next)| {
        let until = [status.until, next].into_iter().flatten().min();
        (status.state == State::Suspended).then_some((status.from, until))
    })
}
