//! What a person has drawn and holds, here and elsewhere, and what one more subsidy would go beyond:
//! so many in a year, the same occupation and level once, no lower level after a higher one.

use std::collections::{BTreeMap, HashMap};

use super::{Limits, Objection, Rest, is_same_occupation};
use crate::domain::{
    Aspect, ClaimId, ClassPlan, Committed, Fund, HeldKind, Level, Limit, Modality, PersonId, State,
    Subject, Target, Timestamp,
};
use crate::rules::hours::Hours;

/// A person, or a commitment of whose person nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Person(PersonId),
    Member(Committed),
}

impl Who {
    pub(super) fn of(people: &HashMap<Committed, PersonId>, member: &Committed) -> Self {
        people.get(member).map_or(Self::Member(*member), |person| Self::Person(*person))
    }
}

/// One subsidy or certificate.
#[derive(Debug, Clone)]
pub(super) struct Drawn<'h> {
    at: Timestamp,
    claim: Option<&'h ClaimId>,
    kind: HeldKind,
    occupation: &'h str,
    code: Option<&'h str>,
    level: Level,
    fund: Option<Fund>,
    rest: Rest,
}

/// Which purse pays for a class. The texts name purses and no claim does: training for a job and to found a
/// business is paid from the employment fund, that of people in work from the account for their skills.
fn fund_of(target: Target) -> Fund {
    match target {
        Target::Employment | Target::Entrepreneurship => Fund::EmploymentFund,
        Target::Employees | Target::OnTheJob => Fund::SkillAccount,
    }
}

/// Everything by person. A claim that was rejected or taken back draws nothing.
pub(super) fn index<'h>(
    hours: &'h Hours,
    people: &HashMap<Committed, PersonId>,
) -> BTreeMap<Who, Vec<Drawn<'h>>> {
    let registry = hours.registry();
    let mut all: BTreeMap<Who, Vec<Drawn<'h>>> = BTreeMap::new();
    for held in registry.held() {
        all.entry(Who::of(people, &held.person)).or_default().push(Drawn {
            at: held.on,
            claim: None,
            kind: held.kind,
            occupation: &held.occupation,
            code: held.occupation_code.as_deref(),
            level: held.level,
            fund: held.fund,
            rest: Rest::Held(held.id.clone()),
        });
    }
    for filed in registry.claims() {
        let Some(plan) = registry.class_plan(&filed.claim.class) else { continue };
        if !hours.stands(&filed.claim.id) {
            continue;
        }
        for member in filed.lines.keys() {
            all.entry(Who::of(people, member)).or_default().push(Drawn {
                at: filed.filed_at,
                claim: Some(&filed.claim.id),
                kind: HeldKind::Subsidy,
                occupation: &plan.occupation,
                code: plan.occupation_code.as_deref(),
                level: plan.level,
                fund: Some(fund_of(plan.target)),
                rest: Rest::Claim(filed.claim.id.clone()),
            });
        }
    }
    all
}

impl Hours {
    /// Whether a claim still asks for something.
    pub(super) fn stands(&self, claim: &ClaimId) -> bool {
        let of = Subject::Claim(claim.clone());
        let decided = self.registry().status_at(&of, Aspect::Decision, self.now());
        !decided.is_some_and(|it| matches!(it.status.state, State::Rejected | State::TakenBack))
    }
}

impl Limits<'_> {
    /// What one more subsidy, at this moment, would go beyond. Of two claims the earlier one stands; the
    /// later one is objected to.
    pub(super) fn drawn(
        &self,
        of: &Subject,
        member: Committed,
        plan: &ClassPlan,
        (at, claim): (Timestamp, Option<&ClaimId>),
    ) -> Vec<Objection> {
        let known = self.drawn.get(&self.who(&member)).map_or(&[][..], Vec::as_slice);
        let before: Vec<_> = known.iter().filter(|it| (it.at, it.claim) < (at, claim)).collect();
        let policy = self.policy();
        let mut all = Vec::new();
        let mut object = |limit, number, allowed: u32, one_more: u32, rest: Vec<&&Drawn<'_>>| {
            let found = u32::try_from(rest.len()).unwrap_or(u32::MAX).saturating_add(one_more);
            if found <= allowed {
                return;
            }
            let ground = self.ground(number, Modality::Hard);
            let rests_on = rest.into_iter().map(|it| it.rest.clone()).collect();
            let plain = Objection::of(of.clone(), limit, ground, [found, allowed]);
            all.push(Objection { member: Some(member), rests_on, ..plain });
        };
        let subsidies = before
            .iter()
            .filter(|it| it.kind == HeldKind::Subsidy && self.same_year(it.at, at))
            .collect::<Vec<_>>();
        if let Some(max) = policy.subsidies_per_year_max() {
            let number = "subsidies_per_year_max";
            object(Limit::SubsidiesPerYear, number, max, 1, subsidies.clone());
        }
        if let Some(max) = policy.subsidies_per_year_employment_fund_max()
            && fund_of(plan.target) == Fund::EmploymentFund
        {
            let number = "subsidies_per_year_employment_fund_max";
            let rest = subsidies.into_iter().filter(|it| it.fund == Some(Fund::EmploymentFund));
            object(Limit::EmploymentFundPerYear, number, max, 1, rest.collect());
        }
        // A class without a level is a skill of its own: the same occupation says nothing.
        let occupation = (plan.occupation.as_str(), plan.occupation_code.as_deref());
        let is_same = |it: &Drawn<'_>| is_same_occupation((it.occupation, it.code), occupation);
        let of_occupation = || before.iter().filter(|it| is_same(it) && plan.level != Level::None);
        if let Some(max) = policy.subsidies_per_occupation_level_max() {
            let rest = of_occupation()
                .filter(|it| it.kind != HeldKind::Certificate && it.level == plan.level);
            let number = "subsidies_per_occupation_level_max";
            object(Limit::OccupationLevel, number, max, 1, rest.collect());
        }
        if policy.lower_level_after_higher() == Some(false) {
            let rest = of_occupation().filter(|it| it.level > plan.level);
            object(Limit::LowerLevel, "lower_level_after_higher", 0, 0, rest.collect());
        }
        all
    }
}
