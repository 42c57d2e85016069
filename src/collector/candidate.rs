//! What somebody may do with a candidate: name it, withdraw it, promote it. Pure: the registry in, facts to
//! state out. Who does it, and why, stands in the ledger with the time of the commit.

use super::sheet::flaw_of;
use crate::domain::{Fact, Policy, Trial, TrialStep};
use crate::registry::Registry;

/// Who does it, and why: public for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    by: String,
    reason: String,
}

/// It cannot be done.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CandidateError {
    /// What is to be stated cannot be.
    #[error("could not state who does it and why: {field}: {what}")]
    Text {
        /// `by` or `reason`.
        field: &'static str,
        /// What is wrong with it.
        what: String,
        /// What to write instead.
        hint: String,
    },
    /// The name and version stand for another text.
    #[error("could not try out {profile}: the ledger has another text of this name and version")]
    Changed {
        /// Name and version.
        profile: String,
    },
    /// It is in force.
    #[error("could not try out {profile}: it is in force")]
    InForce {
        /// Name and version.
        profile: String,
    },
    /// It is being tried out.
    #[error("could not try out {profile}: that is being done")]
    Named {
        /// Name and version.
        profile: String,
    },
    /// There is no candidate, or another one.
    #[error("could not find the candidate: {}", named.as_ref().map_or_else(
        || "none is being tried out".to_owned(), |named| format!("{named} is being tried out")))]
    Other {
        /// Which one there is.
        named: Option<String>,
    },
}

impl CandidateError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Text { field, hint, .. } => format!("--{field}: {hint}"),
            Self::Changed { .. } => {
                "raise `version` in the profile: what was judged names the old one".into()
            }
            Self::InForce { .. } => "change a number and raise `version`".into(),
            Self::Named { .. } => "`rollcall rules shadow --status` shows what it raises".into(),
            Self::Other { .. } => {
                "name one first: `rollcall rules shadow --with FILE --by … --reason …`".into()
            }
        }
    }
}

impl Signed {
    /// Checks both texts.
    pub fn new(by: &str, reason: &str) -> Result<Self, CandidateError> {
        let text = |field, text: &str| {
            let text = text.trim();
            let empty = || ("it is empty".to_owned(), "say it in some words".to_owned());
            match flaw_of(text).or_else(|| text.is_empty().then(empty)) {
                None => Ok(text.to_owned()),
                Some((what, hint)) => Err(CandidateError::Text { field, what, hint }),
            }
        };
        Ok(Self { by: text("by", by)?, reason: text("reason", reason)? })
    }

    fn states(self, profile: String, digest: [u8; 32], step: TrialStep) -> Fact {
        let Self { by, reason } = self;
        Fact::Trial(Trial { profile, digest, step, by, reason })
    }
}

/// Tries a profile out from now on. Another candidate ends by it.
pub fn name(
    registry: &Registry,
    policy: &Policy,
    signed: Signed,
) -> Result<Vec<Fact>, CandidateError> {
    let (profile, digest) = (policy.profile(), policy.digest());
    if registry.policies().text_of(&profile).is_some_and(|known| *known != digest) {
        return Err(CandidateError::Changed { profile });
    }
    if registry.policy().is_some_and(|(_, known)| *known == digest) {
        return Err(CandidateError::InForce { profile });
    }
    if registry.policies().candidate().is_some_and(|known| known.digest == digest) {
        return Err(CandidateError::Named { profile });
    }
    Ok(vec![signed.states(profile, digest, TrialStep::Named)])
}

/// Tries it out no longer.
pub fn withdraw(registry: &Registry, signed: Signed) -> Result<Vec<Fact>, CandidateError> {
    let named = registry.policies().candidate();
    let Trial { profile, digest, .. } = named.ok_or(CandidateError::Other { named: None })?;
    Ok(vec![signed.states(profile.clone(), *digest, TrialStep::Withdrawn)])
}

/// Puts the candidate into force. Only what was tried out can be promoted.
pub fn promote(
    registry: &Registry,
    profile: &str,
    signed: Signed,
) -> Result<Vec<Fact>, CandidateError> {
    let candidate = registry.policies().candidate();
    let Some(Trial { digest, .. }) = candidate.filter(|known| known.profile == profile) else {
        let named = candidate.map(|known| known.profile.clone());
        return Err(CandidateError::Other { named });
    };
    let (profile, digest) = (profile.to_owned(), *digest);
    let promoted = signed.states(profile.clone(), digest, TrialStep::Promoted);
    Ok(vec![promoted, Fact::Policy { profile, digest }])
}
