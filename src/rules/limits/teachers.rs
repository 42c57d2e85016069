//! Who teaches at an institution: part-time at how many, how many full-time, and fit to teach.

use std::collections::BTreeSet;

use super::{Limits, Objection, Rest};
use crate::domain::{
    Employment, InstitutionId, Limit, Modality, Ownership, Qualification, Subject, Teacher,
    TeacherId,
};

impl Limits<'_> {
    /// All that speaks against an institution's teachers.
    pub fn institution(&self, id: &InstitutionId) -> Vec<Objection> {
        let registry = self.hours.registry();
        let own: Vec<&Teacher> = registry.teachers().filter(|it| it.institution == *id).collect();
        let mut all: Vec<Objection> =
            own.iter().filter_map(|teacher| self.institutions_of(teacher)).collect();
        all.extend(self.fulltime_share(id, &own));
        let unqualified = own.iter().filter(|it| it.qualification == Qualification::None);
        all.extend(unqualified.map(|teacher| Objection {
            of: Subject::Teacher(teacher.id.clone()),
            limit: Limit::Unqualified,
            clause: None,
            modality: Modality::Soft,
            member: Some(teacher.person),
            found: 0,
            allowed: 1,
            words: None,
            rests_on: vec![Rest::Teacher(teacher.id.clone())],
        }));
        all
    }

    /// At how many institutions she taught part-time within the year: engaged in it, or with a lesson in it.
    fn institutions_of(&self, teacher: &Teacher) -> Option<Objection> {
        let most = self.policy().teacher_institutions_per_year_max()?;
        let is_part_time = |it: &Teacher| it.employment == Employment::PartTime;
        if !is_part_time(teacher) {
            return None;
        }
        let registry = self.hours.registry();
        let who = self.who(&teacher.person);
        let hers: Vec<&Teacher> = registry
            .teachers()
            .filter(|it| is_part_time(it) && self.who(&it.person) == who && self.is_active(&it.id))
            .collect();
        let institutions: BTreeSet<_> = hers.iter().map(|it| &it.institution).collect();
        let found = u32::try_from(institutions.len()).unwrap_or(u32::MAX);
        let (clause, modality) = self.ground("teacher_institutions_per_year_max", Modality::Hard);
        (found > most).then(|| Objection {
            of: Subject::Teacher(teacher.id.clone()),
            limit: Limit::TeacherInstitutions,
            clause,
            modality,
            member: Some(teacher.person),
            found,
            allowed: most,
            words: None,
            rests_on: hers.iter().map(|it| Rest::Teacher(it.id.clone())).collect(),
        })
    }

    fn is_active(&self, teacher: &TeacherId) -> bool {
        let registry = self.hours.registry();
        let now = self.hours.now();
        let engaged = registry.teacher_stated_at(teacher);
        engaged.is_some_and(|at| self.same_year(at, now))
            || registry.lessons_of_teacher(teacher).any(|at| self.same_year(at, now))
    }

    fn fulltime_share(&self, id: &InstitutionId, own: &[&Teacher]) -> Option<Objection> {
        let least = self.policy().private_fulltime_share_min()?;
        let ownership = self.hours.registry().institution_details(id)?.ownership?;
        if ownership != Ownership::Private {
            return None;
        }
        let is_full_time = |it: &&&Teacher| it.employment == Employment::FullTime;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (full, whole) = (count(own.iter().filter(is_full_time).count()), count(own.len()));
        if least.is_reached_by(full.into(), whole.into()) {
            return None;
        }
        let (clause, modality) = self.ground("private_fulltime_share_min", Modality::Hard);
        let needed =
            (u64::from(whole) * u64::from(least.numerator)).div_ceil(u64::from(least.denominator));
        Some(Objection {
            of: Subject::Institution(id.clone()),
            limit: Limit::FulltimeShare,
            clause,
            modality,
            member: None,
            found: full,
            allowed: u32::try_from(needed).unwrap_or(u32::MAX),
            words: None,
            rests_on: own.iter().map(|it| Rest::Teacher(it.id.clone())).collect(),
        })
    }
}
