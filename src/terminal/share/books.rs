//! What becomes of the register's knowledge of shares when something happens to the terminal itself:
//! another key, another institution, another file at the centre. Pure.

use super::merge::{Newest, Standing, What};
use crate::domain::{InstitutionId, PersonId, TerminalId, Timestamp};
use crate::record::share::Have;
use crate::terminal::register::Register;

/// Whether a template of somebody is here.
pub(super) type Has<'h> = &'h dyn Fn(&PersonId) -> bool;

/// At a start: under another key everything is said again; for another model, or where templates were lost,
/// everything is asked for again.
pub(super) fn begin(register: &mut Register, key: [u8; 8], model: [u8; 32], has: Has<'_>) {
    let Some(standing) = &mut register.share else { return };
    let lost = |(person, known): (&PersonId, &Newest)| known.what == What::Held && !has(person);
    let mut knows =
        register.trainees.iter().filter_map(|(who, it)| Some((who, it.share.as_ref()?)));
    let lost = knows.any(lost);
    let other_key = standing.key != key;
    if lost || other_key || standing.model != model {
        standing.have.upto = 0;
    }
    (standing.key, standing.model) = (key, model);
    if other_key {
        say_again(register);
    }
}

/// What an answer of the centre says of the place: a terminal that was moved keeps what it has to itself, and a
/// file that was lost at the centre is filled again. Whether it is another place than before.
pub(super) fn place(
    register: &mut Register,
    key: [u8; 8],
    model: [u8; 32],
    institution: &InstitutionId,
    epoch: [u8; 16],
) -> bool {
    let moved = match &register.share {
        Some(Standing { have, .. }) if have.institution != *institution => true,
        Some(Standing { have, .. }) if have.epoch == epoch => return false,
        Some(_) => {
            say_again(register);
            false
        }
        None => false,
    };
    if moved {
        // Its people agreed that their templates go to the terminals of the institution before.
        for trainee in register.trainees.values_mut() {
            let before = trainee.share.take();
            trainee.share = before.map(|it| Newest { what: What::Local, unsaid: false, ..it });
            if let (None, Some(changed)) = (&trainee.share, trainee.template_made) {
                trainee.share = local(changed);
            }
        }
    }
    let have = Have { institution: institution.clone(), epoch, upto: 0 };
    register.share = Some(Standing { key, model, have });
    true
}

fn local(changed: Timestamp) -> Option<Newest> {
    let origin = "before".parse().ok()?;
    Some(Newest { changed, origin, what: What::Local, unsaid: false })
}

fn say_again(register: &mut Register) {
    for known in register.trainees.values_mut().filter_map(|it| it.share.as_mut()) {
        known.unsaid |= matches!(known.what, What::Held | What::Deleted);
    }
}

/// Offers whoever was enrolled here without it, if she agreed to the text in force, which says that templates
/// are shared.
pub(super) fn offer(register: &mut Register, here: &TerminalId, text: [u8; 32], has: Has<'_>) {
    for (person, trainee) in &mut register.trainees {
        let Some(made) = trainee.template_made.filter(|_| has(person)) else { continue };
        let fresh = match &trainee.share {
            None => true,
            Some(known) => known.what == What::Held && known.changed < made,
        };
        if fresh && trainee.consent.is_some_and(|consent| consent.text == text) {
            let (origin, what) = (here.clone(), What::Held);
            trainee.share = Some(Newest { changed: made, origin, what, unsaid: true });
        }
    }
}

/// Somebody was deleted here: whoever was refused for her face is looked at again.
pub(in crate::terminal) fn look_again(register: &mut Register) {
    let mut refused = false;
    for trainee in register.trainees.values_mut() {
        if trainee.share.as_ref().is_some_and(|known| known.what == What::Refused) {
            trainee.share = None;
            refused = true;
        }
    }
    if let (true, Some(standing)) = (refused, &mut register.share) {
        standing.have.upto = 0;
    }
}

/// Forgets deletions that no template is as old as any more, and whoever has nothing here.
pub(super) fn forget(register: &mut Register, oldest: Timestamp) {
    for trainee in register.trainees.values_mut() {
        let old = |known: &Newest| known.what == What::Deleted && known.changed < oldest;
        if trainee.template_made.is_none() && trainee.share.as_ref().is_some_and(old) {
            trainee.share = None;
        }
    }
    register.trainees.retain(|_, trainee| *trainee != Default::default());
}

/// Whose deletion is known and not done.
pub(super) fn undone(register: &Register, has: Has<'_>) -> Vec<PersonId> {
    let deleted = register.trainees.iter().filter(|(person, trainee)| {
        let deleted = trainee.share.as_ref().is_some_and(|known| known.what == What::Deleted);
        deleted && (has(person) || trainee.template_made.is_some())
    });
    deleted.map(|(person, _)| *person).collect()
}
