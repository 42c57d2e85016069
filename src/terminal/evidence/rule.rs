//! Of what a picture is kept, and for how long. Pure: policy and times come as arguments.

use crate::domain::{CheckIn, Event, Outcome, Policy, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// What the policy in force says about evidence pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Whether any is kept.
    pub pictures: bool,
    /// How long.
    pub days: u32,
}

impl Rule {
    /// The rule of a policy profile.
    pub fn of(policy: &Policy) -> Self {
        Self { pictures: policy.evidence_pictures(), days: policy.evidence_days_max() }
    }

    /// Whether the picture of this decision is kept: of an attempt as somebody else, or by something
    /// that is not alive. Nobody has to look at the picture of an ordinary check-in, and of a stranger
    /// it would only say that she was there.
    pub fn wants(&self, checkin: &CheckIn) -> bool {
        let suspect = match checkin.outcome {
            Outcome::LooksLikeOther | Outcome::NotLive => true,
            Outcome::Accepted
            | Outcome::AlreadyIn
            | Outcome::NotRecognised
            | Outcome::Ambiguous
            | Outcome::NotOnRoster
            | Outcome::TooEarly
            | Outcome::TooLate
            | Outcome::NoLesson
            | Outcome::RefusedByPolicy => false,
        };
        self.pictures && suspect && checkin.event == Event::Attempt
    }

    /// When a picture of this moment expires.
    pub fn until(&self, taken: Timestamp) -> Timestamp {
        taken.plus_ms(i64::from(self.days) * DAY_MS)
    }
}

/// What a terminal knows for certain of the present. Neither is later than it; the wall clock, which
/// anybody can set, is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// The centre's answer of this boot, and what the monotonic clock says has passed since.
    pub proven: Option<Timestamp>,
    /// The newest time that the centre has signed, ever.
    pub signed: Option<Timestamp>,
}

/// What becomes of a kept picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays.
    Stays,
    /// It had no date and gets this one.
    Dated(Timestamp),
    /// Its time is over.
    Expired,
}

/// Judges a picture that is kept until then. One without a date was taken while no time was proven: its
/// days begin with the first that is, so that neither a clock that ran ahead keeps it for ever nor one
/// that lagged, or a long way without a network, deletes it before anybody could ask for it.
pub(super) fn fate(until: Option<Timestamp>, rule: &Rule, times: &Times) -> Fate {
    match (until, times.proven) {
        (Some(until), proven) if proven.max(times.signed) >= Some(until) => Fate::Expired,
        (None, Some(now)) => Fate::Dated(rule.until(now)),
        (Some(_) | None, _) => Fate::Stays,
    }
}
