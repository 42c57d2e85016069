//! A class against the published project that its plan names (Sichuan 三, 九): published on the day when the class
//! opens, for so many persons in all its classes, with so many hours, for this occupation and level.
//!
//! A class is judged by the list of the day when it opens, so that a list that changes later changes nothing for it.

use std::collections::BTreeMap;

use super::{Limits, Objection, Rest, is_same_occupation, words};
use crate::domain::{
    Aspect, ClassId, ClassPlan, Limit, Modality, Project, State, Subject, Timestamp,
};

const NUMBER: &str = "published_projects_only";

/// When each class opens.
type Openings<'l> = BTreeMap<&'l ClassId, Timestamp>;

impl Limits<'_> {
    /// What a class has otherwise than its published project; `of` is the class, or a claim for it.
    pub(super) fn project(&self, of: &Subject, plan: &ClassPlan) -> Vec<Objection> {
        self.compared(of, plan, &self.openings())
    }

    /// The same of every class that is still to open: what to look at when the list has changed.
    pub fn opening(&self) -> Vec<Objection> {
        let openings = self.openings();
        let plans = self.hours.registry().class_plans();
        let coming = plans.filter(|plan| openings[&plan.class] > self.hours.now());
        let of = |plan: &ClassPlan| Subject::Class(plan.class.clone());
        coming.flat_map(|plan| self.compared(&of(plan), plan, &openings)).collect()
    }

    /// A class opens on the first day of its plan, or with its first lesson where that is earlier.
    fn openings(&self) -> Openings<'_> {
        let registry = self.hours.registry();
        let of_plans = registry.class_plans().map(|plan| (&plan.class, plan.starts));
        let mut openings: Openings<'_> = of_plans.collect();
        for announced in registry.lessons() {
            let lesson = &announced.lesson;
            let of = Subject::Lesson(lesson.id.clone());
            let stated = registry.status_at(&of, Aspect::Running, lesson.starts);
            let is_cancelled = stated.is_some_and(|it| it.status.state == State::Cancelled);
            if let Some(opens) = openings.get_mut(&lesson.class).filter(|_| !is_cancelled) {
                *opens = lesson.starts.min(*opens);
            }
        }
        openings
    }

    fn compared(&self, of: &Subject, plan: &ClassPlan, openings: &Openings<'_>) -> Vec<Objection> {
        let registry = self.hours.registry();
        let (name, opens) = (plan.project.trim(), openings[&plan.class]);
        // Without a list, and of the days before it begins, nobody said what was published.
        let is_told = registry.projects().any(|project| project.from <= opens);
        if self.policy().published_projects_only() != Some(true) || !is_told {
            return Vec::new();
        }
        let ground = self.ground(NUMBER, Modality::Soft);
        let object = |limit, numbers, words, rests_on| {
            let plain = Objection::of(of.clone(), limit, ground.clone(), numbers);
            Objection { words, rests_on, ..plain }
        };
        let Some(project) = registry.project_at(name, opens) else {
            let words = Some(words::unpublished(name, opens));
            return vec![object(Limit::UnpublishedProject, [0, 1], words, Vec::new())];
        };
        let notice = || Rest::Notice(project.notice.clone());
        let mut all = Vec::new();
        if let Some(most) = project.persons_max {
            let (persons, others) = self.persons(plan, project, openings);
            if persons > most {
                let rests_on = [notice()].into_iter().chain(others).collect();
                all.push(object(Limit::ProjectPersons, [persons, most], None, rests_on));
            }
        }
        let hours = plan.hours;
        let least = project.hours_min.filter(|least| hours < *least);
        if let Some(bound) = least.or(project.hours_max.filter(|most| hours > *most)) {
            all.push(object(Limit::ProjectHours, [hours, bound], None, vec![notice()]));
        }
        let is_other = !is_same_occupation(
            (&project.occupation, project.occupation_code.as_deref()),
            (&plan.occupation, plan.occupation_code.as_deref()),
        );
        if is_other || project.level.is_some_and(|level| level != plan.level) {
            let words = Some(words::other_occupation(plan, project));
            all.push(object(Limit::ProjectOccupation, [0, 1], words, vec![notice()]));
        }
        all
    }

    /// How many persons the class and those before it have, of what one publication is for; and those classes.
    fn persons(
        &self,
        plan: &ClassPlan,
        project: &Project,
        openings: &Openings<'_>,
    ) -> (u32, Vec<Rest>) {
        let registry = self.hours.registry();
        let rank =
            |class: &ClassId| (registry.class(class).map(|it| it.registered_at), class.clone());
        let own = rank(&plan.class);
        let mut persons = self.persons_of(&plan.class);
        let mut others = Vec::new();
        for other in registry.class_plans().filter(|it| it.project.trim() == project.name.trim()) {
            let its = registry.project_at(&other.project, openings[&other.class]);
            if its == Some(project) && rank(&other.class) < own {
                persons = persons.saturating_add(self.persons_of(&other.class));
                others.push(Rest::Class(other.class.clone()));
            }
        }
        (persons, others)
    }

    /// As many as are planned or, where more are on the roster, as many as are there.
    fn persons_of(&self, class: &ClassId) -> u32 {
        let registry = self.hours.registry();
        let there = registry.roster(class).filter(|(_, place)| place.left.is_none()).count();
        let planned = registry.class(class).map_or(0, |it| it.persons);
        planned.max(u32::try_from(there).unwrap_or(u32::MAX))
    }
}
