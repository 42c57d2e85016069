//! How much of a class may be online, by its plan; and what is said of a class as a whole.

use super::{Limits, Objection};
use crate::domain::{ClassId, ClassPlan, LessonKind, LessonMode, Limit, Modality, Subject, Target};

/// Mostly practice: more than half of its hours. No text says where "led by practice" begins.
pub(super) fn is_practice_led(plan: &ClassPlan) -> bool {
    plan.hours_practice.is_some_and(|practice| practice.saturating_mul(2) > plan.hours)
}

impl Limits<'_> {
    /// All that speaks against a class: the shares of its plan, practice online, its project, and certificates
    /// without an examination.
    pub fn class(&self, id: &ClassId) -> Vec<Objection> {
        let mut all = Vec::new();
        if let Some(plan) = self.hours.registry().class_plan(id) {
            all.extend(self.plan(plan));
            all.extend(self.project(&Subject::Class(id.clone()), plan));
        }
        all.extend(self.unexamined(id));
        all
    }

    fn plan(&self, plan: &ClassPlan) -> Vec<Objection> {
        let policy = self.policy();
        let (hours, online) = (plan.hours, plan.hours_online.unwrap_or(0).min(plan.hours));
        let percent = |part: u32| u64::from(part) * 100;
        let whole = |share: u32| u64::from(share) * u64::from(hours);
        let mut all = Vec::new();
        let mut object = |limit, number, silent, found: u64, allowed| {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            let of = Subject::Class(plan.class.clone());
            all.push(Objection::of(of, limit, self.ground(number, silent), [found, allowed]));
        };
        if let Some(least) = policy.offline_share_min_percent()
            && is_practice_led(plan)
            && percent(hours - online) < whole(least)
        {
            let found = percent(hours - online) / u64::from(hours.max(1));
            let number = "offline_share_min_percent";
            object(Limit::OfflineShare, number, Modality::Hard, found, least);
        }
        let (number, most) = match plan.target {
            Target::Entrepreneurship => (
                "online_share_entrepreneurship_max_percent",
                policy.online_share_entrepreneurship_max_percent(),
            ),
            Target::Employment | Target::Employees | Target::OnTheJob => {
                ("online_share_max_percent", policy.online_share_max_percent())
            }
        };
        if let Some(most) = most {
            if percent(online) > whole(most) {
                let found = percent(online).div_ceil(u64::from(hours.max(1)));
                object(Limit::OnlineShare, number, Modality::Soft, found, most);
            }
            // What may be online is theory; where all may be online, practice may.
            let planned = (online + plan.hours_practice.unwrap_or(0)).saturating_sub(hours);
            let practised = u64::from(planned).max(self.practice_online(&plan.class));
            if most < 100 && practised > 0 {
                object(Limit::OnlinePractice, number, Modality::Soft, practised, 0);
            }
        }
        all
    }

    /// Lessons of a class that are practice and online.
    fn practice_online(&self, class: &ClassId) -> u64 {
        let registry = self.hours.registry();
        let lessons = self.hours.lessons().into_iter();
        let found = lessons.filter(|it| it.lesson.class == *class).filter(|it| {
            registry.lesson_details(&it.lesson.id).is_some_and(|details| {
                details.kind == Some(LessonKind::Practice)
                    && details.mode == Some(LessonMode::Online)
            })
        });
        u64::try_from(found.count()).unwrap_or(u64::MAX)
    }
}
