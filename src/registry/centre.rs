//! The registry's view of plans, rosters, teachers, statuses and claims.

use super::Registry;
use super::claims::Filed;
use super::roster::Membership;
use super::status::Stated;
use crate::domain::{
    Aspect, ClaimId, ClassId, ClassPlan, Committed, InstitutionDetails, InstitutionId,
    LessonDetails, LessonId, Subject, Teacher, TeacherId, Timestamp,
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
        self.teachers.get(id)
    }

    /// All teachers, by number.
    pub fn teachers(&self) -> impl Iterator<Item = &Teacher> {
        self.teachers.values()
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
}
