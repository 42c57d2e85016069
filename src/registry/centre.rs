//! The registry's view of plans, rosters, teachers, statuses and claims.

use super::Registry;
use super::claims::Filed;
use super::roster::Membership;
use super::status::Stated;
use crate::domain::{
    Aspect, ClaimId, ClassId, ClassPlan, Committed, Held, InstitutionDetails, InstitutionId,
    LessonDetails, LessonId, Platform, PlatformId, Project, Subject, Teacher, TeacherId, Timestamp,
};

impl Registry {
    /// More about an institution, where it was stated.
    pub fn institution_details(&self, id: &InstitutionId) -> Option<&InstitutionDetails> {
        self.institution_details.get(id)
    }

    /// What a class teaches, where it was stated.
    pub fn class_plan(&self, id: &ClassId) -> Option<&ClassPlan> {
        self.class_plans.get(id)
    }

    /// What each class teaches, by class.
    pub fn class_plans(&self) -> impl Iterator<Item = &ClassPlan> {
        self.class_plans.values()
    }

    /// More about a lesson, where it was stated.
    pub fn lesson_details(&self, id: &LessonId) -> Option<&LessonDetails> {
        self.lesson_details.get(id)
    }

    /// Everybody who was ever on a class's roster.
    pub fn roster(&self, class: &ClassId) -> impl Iterator<Item = (&Committed, &Membership)> {
        self.rosters.of(class)
    }

    /// A teacher by the institution's number.
    pub fn teacher(&self, id: &TeacherId) -> Option<&Teacher> {
        self.teachers.get(id).map(|(teacher, _)| teacher)
    }

    /// All teachers, by number.
    pub fn teachers(&self) -> impl Iterator<Item = &Teacher> {
        self.teachers.values().map(|(teacher, _)| teacher)
    }

    /// The centre's time when it was stated, as it stands, that she teaches there.
    pub fn teacher_stated_at(&self, id: &TeacherId) -> Option<Timestamp> {
        self.teachers.get(id).map(|(_, at)| *at)
    }

    /// When the lessons begin that a teacher holds.
    pub fn lessons_of_teacher(&self, id: &TeacherId) -> impl Iterator<Item = Timestamp> {
        let hers = self.lesson_details.values().filter(move |it| it.teacher.as_ref() == Some(id));
        hers.filter_map(|it| self.lesson(&it.lesson)).map(|it| it.lesson.starts)
    }

    /// All statuses, by subject and then by the moment from which they hold.
    pub fn statuses(&self) -> impl Iterator<Item = &Stated> {
        self.statuses.all()
    }

    /// All statuses of one subject, by the moment from which they hold.
    pub fn statuses_of(&self, of: &Subject) -> &[Stated] {
        self.statuses.of(of)
    }

    /// The state of one aspect that held at a moment; whether its term is over, `until` says.
    pub fn status_at(&self, of: &Subject, aspect: Aspect, at: Timestamp) -> Option<&Stated> {
        self.statuses.at(of, aspect, at)
    }

    /// A claim by its id.
    pub fn claim(&self, id: &ClaimId) -> Option<&Filed> {
        self.claims.get(id)
    }

    /// All claims, by id.
    pub fn claims(&self) -> impl Iterator<Item = &Filed> {
        self.claims.all()
    }

    /// What people hold from elsewhere, by id.
    pub fn held(&self) -> impl Iterator<Item = &Held> {
        self.held.values()
    }

    /// A platform by its id, as it stands.
    pub fn platform(&self, id: &PlatformId) -> Option<&Platform> {
        self.platforms.get(id)
    }

    /// All platforms, by id.
    pub fn platforms(&self) -> impl Iterator<Item = &Platform> {
        self.platforms.values()
    }

    /// What was published of a project at a moment, by the name that class plans have.
    pub fn project_at(&self, name: &str, at: Timestamp) -> Option<&Project> {
        self.projects.at(name, at)
    }

    /// All publications of projects, by name and first day.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.all()
    }
}
