//! Who is on which roster, by commitments: the projection says how many and since when, not who.

use std::collections::BTreeMap;

use crate::domain::{ClassId, Committed, Joined, LeaveReason, Left, Timestamp};

/// One place on a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The centre's time when it was first stated.
    pub joined_at: Timestamp,
    /// When it was stated that it ended, and why.
    pub left: Option<(Timestamp, LeaveReason)>,
}

/// All rosters.
#[derive(Debug, Clone, Default)]
pub(super) struct Rosters(BTreeMap<ClassId, BTreeMap<Committed, Membership>>);

impl Rosters {
    /// Whoever comes back keeps the moment when she first came.
    pub(super) fn join(&mut self, joined: &Joined, at: Timestamp) {
        let members = self.0.entry(joined.class.clone()).or_default();
        let member = Membership { joined_at: at, left: None };
        members.entry(joined.member).or_insert(member).left = None;
    }

    /// Whoever was never there does not leave.
    pub(super) fn leave(&mut self, left: &Left, at: Timestamp) {
        let members = self.0.get_mut(&left.class);
        if let Some(member) = members.and_then(|members| members.get_mut(&left.member)) {
            member.left = Some((at, left.reason));
        }
    }

    pub(super) fn of(&self, class: &ClassId) -> impl Iterator<Item = (&Committed, &Membership)> {
        self.0.get(class).into_iter().flatten()
    }
}
