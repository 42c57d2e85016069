//! What the enrolment folder knows and a ledger does not that was restored from an older backup:
//! terminals that came in since, keys that followed each other, revocations. And the other way round:
//! a folder that was lost is no reason to let a revoked terminal speak again.

use std::collections::BTreeSet;

use super::files::{Notes, NotesError, RevocationWish};
use super::judge::judge_succession;
use super::roll::Roll;
use crate::domain::{Fact, TerminalId};

/// What the ledger behind `roll` has to say again, in this order, each with the terminal that it is
/// about. Takes it into the roll.
pub fn forgotten(notes: &Notes, roll: &Roll) -> Result<Vec<(TerminalId, Fact)>, NotesError> {
    let mut facts = Vec::new();
    let mut say = |id: &TerminalId, fact: Fact| {
        roll.learn(&fact);
        facts.push((id.clone(), fact));
    };
    for id in notes.with_bound()? {
        if roll.standing(&id).is_none()
            && let Some(bound) = notes.bound(&id)?
        {
            bound.facts(&id).into_iter().for_each(|fact| say(&id, fact));
        }
    }
    for id in notes.with_followed()? {
        for word in notes.followed(&id)? {
            // Those that the ledger has already are about keys that are not the newest any more.
            if let Ok(Some(fact)) = judge_succession(&word, &id, roll.standing(&id).as_ref()) {
                say(&id, fact);
            }
        }
    }
    for (id, RevocationWish { reason, .. }) in notes.revocations()? {
        if roll.standing(&id).is_some_and(|standing| standing.revoked.is_none()) {
            say(&id, Fact::Revocation { id: id.clone(), reason });
        }
    }
    Ok(facts)
}

/// Who may not speak to the broker: whom somebody wishes to be revoked, and whom the ledger says to be.
pub fn shut_out(wishes: &[(TerminalId, RevocationWish)], roll: &Roll) -> BTreeSet<TerminalId> {
    let stated = roll.terminals().into_iter().filter(|(_, standing)| standing.revoked.is_some());
    wishes.iter().map(|(id, _)| id.clone()).chain(stated.map(|(id, _)| id)).collect()
}
