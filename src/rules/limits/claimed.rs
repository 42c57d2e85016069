//! Claimed hours against the hours that the ledger proves, and the share of them that was offline.
//! What a terminal may still report is no contradiction: it is not proven yet.

use std::collections::BTreeMap;

use super::{Limits, Objection, Rest, plan::is_practice_led};
use crate::domain::{
    ClassId, ClassPlan, Committed, Held, HeldKind, LessonId, LessonKind, LessonMode, Limit,
    Modality, PersonId, Subject,
};
use crate::registry::Filed;
use crate::rules::hours::{Attended, Unseen};

const MINUTE_MS: i64 = 60_000;

/// What the ledger says of a class's hours.
struct Class {
    attended: BTreeMap<PersonId, Vec<Attended>>,
    /// Lessons of which a terminal may still have something to tell, with their minutes.
    unknown: Vec<(LessonId, u64)>,
}

/// Minutes of somebody that count, and that may still come to count.
#[derive(Clone, Copy)]
struct Minutes {
    counted: u64,
    possible: u64,
}

impl Class {
    fn of(limits: &Limits<'_>, class: &ClassId) -> Self {
        let registry = limits.hours.registry();
        let is_its = |lesson: &LessonId| {
            registry.lesson(lesson).is_some_and(|announced| announced.lesson.class == *class)
        };
        let mut attended: BTreeMap<PersonId, Vec<Attended>> = BTreeMap::new();
        for stay in limits.hours.attended() {
            if is_its(&stay.lesson) {
                attended.entry(stay.person).or_default().push(stay);
            }
        }
        let lessons = limits.hours.lessons().into_iter().map(|announced| &announced.lesson);
        let unknown = lessons
            .filter(|it| it.class == *class && limits.hours.unseen(it) == Unseen::Unknown)
            .map(|it| {
                let minutes = it.ends.ms_since(it.starts).max(0) / MINUTE_MS;
                (it.id.clone(), u64::try_from(minutes).unwrap_or(0))
            });
        Self { attended, unknown: unknown.collect() }
    }

    fn stays(&self, person: &PersonId) -> &[Attended] {
        self.attended.get(person).map_or(&[], Vec::as_slice)
    }

    fn minutes(&self, person: &PersonId) -> Minutes {
        let stays = self.stays(person);
        let counted: u64 = stays.iter().map(|stay| u64::from(stay.counted())).sum();
        let counts =
            |lesson: &LessonId| stays.iter().any(|it| it.lesson == *lesson && it.counted() > 0);
        let open = self.unknown.iter().filter(|(lesson, _)| !counts(lesson));
        let open: u64 = open.map(|(_, minutes)| minutes).sum();
        Minutes { counted, possible: counted + open }
    }
}

impl Limits<'_> {
    fn lesson_hours(&self, minutes: u64) -> u32 {
        let hours = minutes / u64::from(self.policy().lesson_hour_minutes());
        u32::try_from(hours).unwrap_or(u32::MAX)
    }

    /// Hours of a person in earlier claims for the same class, which still stand.
    fn claimed_before(&self, filed: &Filed, member: &Committed) -> u32 {
        let earlier = self.hours.registry().claims().filter(|other| {
            let key = |it: &Filed| (it.filed_at, it.claim.id.clone());
            other.claim.class == filed.claim.class
                && key(other) < key(filed)
                && self.hours.stands(&other.claim.id)
        });
        earlier.filter_map(|other| other.lines.get(member)).map(|line| line.hours).sum()
    }

    /// Each line against its person's hours; and, since somebody's person may be unknown, all of them
    /// against all hours of the class.
    pub(super) fn claimed(&self, filed: &Filed) -> Vec<Objection> {
        let class = Class::of(self, &filed.claim.class);
        let mut all = Vec::new();
        for (member, line) in &filed.lines {
            let Some(person) = self.people.get(member) else { continue };
            let minutes = class.minutes(person);
            let claimed = line.hours.saturating_add(self.claimed_before(filed, member));
            let rests_on = class.stays(person).iter().flat_map(|stay| stay.evidence.clone());
            let rests_on = rests_on.map(Rest::Entry).collect();
            all.extend(self.contradicted(filed, Some(*member), claimed, minutes, rests_on));
        }
        if all.is_empty() {
            let everybody = class.attended.keys().map(|person| class.minutes(person));
            let counted = everybody.map(|it| it.counted).sum();
            let open: u64 = class.unknown.iter().map(|(_, minutes)| minutes).sum();
            let possible = counted + open * u64::from(filed.claim.persons);
            let minutes = Minutes { counted, possible };
            all.extend(self.contradicted(filed, None, filed.claim.hours, minutes, Vec::new()));
        }
        all
    }

    fn contradicted(
        &self,
        filed: &Filed,
        member: Option<Committed>,
        claimed: u32,
        minutes: Minutes,
        rests_on: Vec<Rest>,
    ) -> Option<Objection> {
        let (counted, possible) =
            (self.lesson_hours(minutes.counted), self.lesson_hours(minutes.possible));
        if claimed <= counted {
            return None;
        }
        // What did not go through the system is not paid for, in whatever words a text says so.
        let (clause, hard) = self.ground("backfill_counts", Modality::Hard);
        let (limit, modality, allowed) = match claimed > possible {
            true => (Limit::HoursBeyondLedger, hard, possible),
            false => (Limit::HoursUnproven, Modality::Soft, counted),
        };
        let of = Subject::Claim(filed.claim.id.clone());
        let plain = Objection::of(of, limit, (clause, modality), [claimed, allowed]);
        Some(Objection { member, rests_on, ..plain })
    }

    /// The share of offline hours among those that count, of the claim's persons together. A lesson whose
    /// mode nobody stated was held before a terminal.
    pub(super) fn offline_share(&self, filed: &Filed, plan: &ClassPlan) -> Option<Objection> {
        let least = self.policy().offline_share_min_percent()?;
        if !is_practice_led(plan) {
            return None;
        }
        let class = Class::of(self, &filed.claim.class);
        let (mut offline, mut all) = (0_u64, 0_u64);
        for person in filed.lines.keys().filter_map(|member| self.people.get(member)) {
            for stay in class.stays(person) {
                let minutes = u64::from(stay.counted());
                let details = self.hours.registry().lesson_details(&stay.lesson);
                let online = details.and_then(|it| it.mode) == Some(LessonMode::Online);
                all += minutes;
                offline += if online { 0 } else { minutes };
            }
        }
        if all == 0 || offline * 100 >= u64::from(least) * all {
            return None;
        }
        let ground = self.ground("offline_share_min_percent", Modality::Hard);
        let found = u32::try_from(offline * 100 / all).unwrap_or(100);
        let of = Subject::Claim(filed.claim.id.clone());
        Some(Objection::of(of, Limit::OfflineShare, ground, [found, least]))
    }

    /// Holders of a certificate of this class who were in none of its examinations. Silent as long as a
    /// terminal may still report one.
    pub(super) fn unexamined(&self, class: &ClassId) -> Vec<Objection> {
        let told = Class::of(self, class);
        let registry = self.hours.registry();
        let is_exam = |lesson: &LessonId| {
            let details = registry.lesson_details(lesson);
            details.and_then(|it| it.kind) == Some(LessonKind::Exam)
        };
        if told.unknown.iter().any(|(lesson, _)| is_exam(lesson)) {
            return Vec::new();
        }
        let of_class = registry.held().filter(|held| {
            held.class.as_ref() == Some(class) && held.kind == HeldKind::Certificate
        });
        let unseen = of_class.filter(|held| {
            self.people.get(&held.person).is_some_and(|person| {
                let mut stays = told.stays(person).iter();
                !stays.any(|stay| is_exam(&stay.lesson) && stay.counted() > 0)
            })
        });
        let objection = |held: &Held| {
            let of = Subject::Class(class.clone());
            let plain = Objection::of(of, Limit::ExamUnseen, (None, Modality::Hard), [0, 1]);
            let rests_on = vec![Rest::Held(held.id.clone())];
            Objection { member: Some(held.person), rests_on, ..plain }
        };
        unseen.map(objection).collect()
    }
}
