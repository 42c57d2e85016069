//! What a dispatch means to this terminal: whether it is taken, and the plan that it becomes. Pure: keys,
//! time and the version that is held come as arguments (docs/spec/dispatch-v1.md, "Taking").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attendee, SitePlan};
use crate::checkin::Plan;
use crate::domain::{Lesson, Policy, PolicyError, TerminalId, Timestamp};
use crate::record::dispatch::{Dispatch, DispatchError, Known, Taught, open_dispatch};
use crate::record::{ReadingKey, VerifyingKey};

/// A dispatch is not taken; what the terminal had goes on.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be believed.
    #[error(transparent)]
    Unbelieved(#[from] DispatchError),
    /// A newer one was taken.
    #[error("it has version {version}, and this terminal has the newer {held}")]
    Older {
        /// Its version.
        version: u64,
        /// The version that is held.
        held: u64,
    },
    /// Its time is over.
    #[error("it expired at {at}, China standard time")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// Its policy profile is none that this program knows.
    #[error("its policy profile cannot be used")]
    Policy(#[source] PolicyError),
}

impl Refused {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Refused::Unbelieved(DispatchError::Other { .. }) => {
                "take the one that the centre made for this terminal: `rollcall collector terminal \
                 dispatch`"
            }
            Refused::Unbelieved(DispatchError::Unreadable) => {
                "tell the centre this terminal's reading key by `rollcall terminal renew`, and take \
                 the dispatch that it makes then"
            }
            Refused::Unbelieved(DispatchError::Seal(_)) => {
                "if the centre has exchanged its receipt key, connect the network once; else find out \
                 who made it"
            }
            Refused::Unbelieved(DispatchError::Shape(_) | DispatchError::Inside(_))
            | Refused::Policy(_) => "use the same version of Rollcall at both ends",
            Refused::Older { .. } => "nothing needs to be done: the newer one is in use",
            Refused::Expired { .. } => "get a new one from the centre",
        }
    }
}

/// Who reads dispatches, and whose.
#[derive(Debug)]
pub struct Reader {
    /// This terminal.
    pub terminal: TerminalId,
    /// Its reading key.
    pub reading: ReadingKey,
}

/// What came of a dispatch that is believed.
#[derive(Debug)]
pub enum Judged {
    /// It takes the place of what was held.
    Newer(Box<SitePlan>),
    /// It is the one that is held.
    Held,
}

impl Reader {
    /// Judges a dispatch that came in. `held`: the version of the one in use; `now`: the time, unless
    /// the clock is in doubt: a dead battery must not turn away what the centre sends.
    pub fn judge(
        &self,
        bytes: &[u8],
        centre: &[VerifyingKey],
        held: Option<u64>,
        now: Option<Timestamp>,
    ) -> Result<Judged, Refused> {
        let dispatch = open_dispatch(bytes, &self.terminal, &self.reading, centre)?;
        let (version, at) = (dispatch.version, dispatch.expires);
        match held {
            Some(held) if version < held => return Err(Refused::Older { version, held }),
            Some(held) if version == held => return Ok(Judged::Held),
            Some(_) | None => {}
        }
        if now.is_some_and(|now| at <= now) {
            return Err(Refused::Expired { at });
        }
        Ok(Judged::Newer(Box::new(plan_of(dispatch)?)))
    }

    /// Reads the one that was taken before: its time may be over by now.
    pub fn read_again(&self, bytes: &[u8], centre: &[VerifyingKey]) -> Result<SitePlan, Refused> {
        plan_of(open_dispatch(bytes, &self.terminal, &self.reading, centre)?)
    }
}

/// The plan that a dispatch says. A lesson's teacher is expected in it as its trainees are.
fn plan_of(dispatch: Dispatch) -> Result<SitePlan, Refused> {
    let Dispatch { version, expires, site, lessons, rosters, people, .. } = dispatch;
    let Dispatch { suspensions, policy, spot_seed, orders, .. } = dispatch;
    let policy = Policy::parse(&policy, "in the dispatch").map_err(Refused::Policy)?;
    let rosters: BTreeMap<_, BTreeSet<_>> =
        rosters.into_iter().map(|it| (it.class, it.people.into_iter().collect())).collect();
    let mut teachers = BTreeSet::new();
    let plans = lessons.into_iter().map(|Taught { id, class, starts, ends, teacher }| {
        let mut roster = rosters.get(&class).cloned().unwrap_or_default();
        roster.extend(teacher);
        teachers.extend(teacher);
        Plan { lesson: Lesson { id, class, site: site.clone(), starts, ends }, roster }
    });
    let plans = plans.collect();
    let attendee = |Known { id, name, number, pin }: Known| {
        (id, Attendee { name, number: number.unwrap_or_default(), pin })
    };
    Ok(SitePlan {
        spot_seed,
        orders: orders.unwrap_or_default(),
        plans,
        people: people.into_iter().map(attendee).collect(),
        teachers,
        suspensions,
        version: Some(version),
        expires: Some(expires),
        policy: Some(Arc::new(policy)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PersonId;
    use crate::record::SigningKey;
    use crate::record::dispatch::{Roster, seal_dispatch};

    const DAY_MS: i64 = 86_400_000;
    const POLICY: &str = include_str!("../../firmware-config/policies/sichuan-2025.toml");

    fn at(days: i64) -> Timestamp {
        Timestamp::from_ms(days * DAY_MS)
    }

    fn person(n: u8) -> PersonId {
        PersonId([n; 16])
    }

    fn centre() -> SigningKey {
        SigningKey::from_secret(&[2; 32])
    }

    fn reader() -> Reader {
        let terminal = "t-101".parse().unwrap();
        Reader { terminal, reading: ReadingKey::from_secret(&[3; 32]) }
    }

    fn dispatch(version: u64, policy: &str) -> Vec<u8> {
        let class: crate::domain::ClassId = "cook-a".parse().unwrap();
        let name = |n: u8, name: &str| Known {
            id: person(n),
            name: name.into(),
            number: None,
            pin: Some([n; 32]),
        };
        let dispatch = Dispatch {
            terminal: "t-101".parse().unwrap(),
            version,
            issued: at(10),
            expires: at(24),
            site: "huaxin-1".parse().unwrap(),
            lessons: vec![Taught {
                id: "cook-a-1".parse().unwrap(),
                class: class.clone(),
                starts: at(11),
                ends: at(11).plus_ms(3_600_000),
                teacher: Some(person(9)),
            }],
            rosters: vec![Roster { class, people: vec![person(1)] }],
            people: vec![name(1, "李娜"), name(9, "王老师")],
            suspensions: vec![],
            policy: policy.into(),
            spot_seed: Some([5; 32]),
            orders: None,
        };
        seal_dispatch(&dispatch, &centre(), &reader().reading.public(), [7; 32]).unwrap()
    }

    fn judged(bytes: &[u8], held: Option<u64>, now: Option<Timestamp>) -> Result<Judged, Refused> {
        reader().judge(bytes, &[centre().verifying_key()], held, now)
    }

    #[test]
    fn a_newer_one_becomes_the_plan_in_which_the_teacher_is_expected_too() {
        let taken = judged(&dispatch(7, POLICY), Some(6), Some(at(10))).unwrap();
        let Judged::Newer(plan) = taken else { panic!("{taken:?}") };
        assert_eq!(plan.plans[0].roster, [person(1), person(9)].into());
        assert_eq!(plan.teachers, [person(9)].into());
        assert_eq!(plan.masked_name(&person(1)).as_deref(), Some("李*"));
        assert_eq!(plan.people[&person(1)].pin, Some([1; 32]));
        assert_eq!(plan.policy.as_ref().unwrap().profile(), "sichuan-2025/2");
        assert_eq!((plan.version, plan.expires), (Some(7), Some(at(24))));
    }

    #[test]
    fn the_way_back_is_closed_and_the_same_again_changes_nothing() {
        let bytes = dispatch(7, POLICY);
        assert!(matches!(judged(&bytes, Some(7), Some(at(10))), Ok(Judged::Held)));
        let told = judged(&bytes, Some(8), Some(at(10))).unwrap_err().to_string();
        assert_eq!(told, "it has version 7, and this terminal has the newer 8");
    }

    #[test]
    fn an_expired_one_is_refused_unless_the_clock_is_in_doubt_and_stays_once_it_was_taken() {
        let bytes = dispatch(7, POLICY);
        assert!(judged(&bytes, None, Some(at(24).plus_ms(-1))).is_ok());
        let told = judged(&bytes, None, Some(at(24))).unwrap_err();
        assert!(told.to_string().starts_with("it expired at"), "{told}");
        assert!(judged(&bytes, None, None).is_ok());
        let plan = reader().read_again(&bytes, &[centre().verifying_key()]).unwrap();
        assert!(plan.has_expired(at(24)) && !plan.has_expired(at(24).plus_ms(-1)));
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_told_and_nothing_is_taken() {
        let refused = judged(&dispatch(7, "name = 1"), None, None).unwrap_err();
        assert!(matches!(refused, Refused::Policy(_)), "{refused}");
    }
}
