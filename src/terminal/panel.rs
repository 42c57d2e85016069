//! Keeps the screen's surroundings true: notices, the lesson, the time, whom one can choose from
//! the list. Looks once a second; nothing here turns anybody away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::{SitePlan, Terminal};
use crate::checkin::Plan;
use crate::domain::{Bilingual, PersonId, Policy, Timestamp};
use crate::kiosk::{Facts, Listed, Page, Unkept, notices};
use crate::platform::clock::Clock;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

/// What the camera is like, told by the loop that reads it.
#[derive(Debug, Default)]
pub struct CameraState {
    /// It gives no frames.
    pub lost: AtomicBool,
    /// It is another one than the one that was pinned.
    pub changed: AtomicBool,
    /// The roll call that is on: how many are still to show their face, and minutes that are left.
    pub roll: Mutex<Option<(usize, i64)>>,
    /// Why evidence pictures are not kept, where they should be.
    pub unkept: Mutex<Option<Unkept>>,
    /// The digest of the change that is on record.
    pub stated: Mutex<Option<[u8; 32]>>,
}

/// What a panel shows from.
pub struct Panel {
    /// The screen.
    pub page: Page,
    /// The terminal.
    pub terminal: Arc<Terminal>,
    /// Its lessons and people, as they stand now.
    pub site: watch::Receiver<Arc<SitePlan>>,
    /// From how long before its start a lesson takes check-ins, in milliseconds; a plan with a policy
    /// profile of its own says it anew.
    pub door_opens_ms_before: i64,
    /// Whether names can be chosen from a list.
    pub list: bool,
    /// The camera.
    pub camera: Arc<CameraState>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Panel {
    /// Keeps looking; ends only by being dropped.
    pub async fn keep(self) {
        let mut beat = tokio::time::interval(LOOK);
        loop {
            beat.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        let now = self.clock.now();
        let site = Arc::clone(&self.site.borrow());
        let own = || self.door_opens_ms_before;
        let opens = |policy: &Policy| i64::from(policy.door_opens_minutes_before()) * 60_000;
        let door_opens_ms_before = site.policy.as_deref().map_or_else(own, opens);
        let lesson = lesson_at(&site.plans, now, door_opens_ms_before);
        let doubt = self.terminal.clock_evidence().1;
        let facts = Facts {
            online: self.terminal.view().borrow().online,
            waiting: self.terminal.waiting(),
            full_percent: self.terminal.journal().full_percent(),
            doubt,
            lesson: lesson.is_some(),
            suspended: site.is_suspended(now, lesson.map(|plan| &plan.lesson)),
            // By a clock in doubt nothing has expired.
            plan_expired: doubt.is_none() && site.has_expired(now),
            camera_lost: self.camera.lost.load(Ordering::Relaxed),
            camera_changed: self.camera.changed.load(Ordering::Relaxed),
            unkept: *self.camera.unkept.lock().expect("no code under this lock panics"),
            roll: *self.camera.roll.lock().expect("no code under this lock panics"),
        };
        let time = now.shanghai().strftime("%H:%M").to_string();
        self.page.surroundings(notices(&facts), lesson.map(title), time);
        let people = lesson.filter(|_| self.list).map(|plan| listed(&site, plan));
        self.page.people(people.unwrap_or_default());
    }
}

/// The lesson that is under way, or whose door is open; else none.
fn lesson_at(plans: &[Plan], now: Timestamp, door_opens_ms_before: i64) -> Option<&Plan> {
    plans.iter().find(|plan| {
        now >= plan.lesson.starts.plus_ms(-door_opens_ms_before) && now < plan.lesson.ends
    })
}

fn title(plan: &Plan) -> Bilingual {
    let at = |time: Timestamp| time.shanghai().strftime("%H:%M").to_string();
    let (class, from, to) = (&plan.lesson.class, at(plan.lesson.starts), at(plan.lesson.ends));
    Bilingual::new(format!("{class} 班 {from}–{to}"), format!("class {class}, {from}–{to}"))
}

/// Those of the roster who have a name here, in the order of their numbers.
fn listed(site: &SitePlan, plan: &Plan) -> Vec<Listed> {
    let mut people: Vec<_> = (0..)
        .zip(&site.people)
        .filter(|(_, (person, _))| plan.roster.contains(person))
        .filter_map(|(key, (person, attendee))| {
            Some((&attendee.number, Listed { key, name: site.masked_name(person)? }))
        })
        .collect();
    people.sort_by_key(|(number, _)| *number);
    people.into_iter().map(|(_, listed)| listed).collect()
}

/// Whom a key of the list means.
pub fn chosen(site: &SitePlan, key: u32) -> Option<PersonId> {
    let place = usize::try_from(key).ok()?;
    site.people.keys().nth(place).copied()
}
