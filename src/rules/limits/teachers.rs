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
        all.extend(unqualified.map(|teacher| {
            let of = Subject::Teacher(teacher.id.clone());
            let plain = Objection::of(of, Limit::Unqualified, (None, Modality::Soft), [0, 1]);
            let rests_on = vec![Rest::Teacher(teacher.id.clone())];
            Objection { member: Some(teacher.person), rests_on, ..plain }
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
        (found > most).then(|| {
            let of = Subject::Teacher(teacher.id.clone());
            let ground = self.ground("teacher_institutions_per_year_max", Modality::Hard);
            let plain = Objection::of(of, Limit::TeacherInstitutions, ground, [found, most]);
            let rests_on = hers.iter().map(|it| Rest::Teacher(it.id.clone())).collect();
            Objection { member: Some(teacher.person), rests_on, ..plain }
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
        let ground = self.ground("private_fulltime_share_min", Modality::Hard);
        let needed =
            (u64::from(whole) * u64::from(least.numerator)).div_ceil(u64::from(least.denominator));
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        let of = Subject::Institution(id.clone());
        let plain = Objection::of(of, Limit::FulltimeShare, ground, [full, needed]);
        let rests_on = own.iter().map(|it| Rest::Teacher(it.id.clone())).collect();
        Some(Objection { rests_on, ..plain })
    }
}
