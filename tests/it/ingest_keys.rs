//! Keys that follow each other, and terminals that are revoked: what is still admitted.

use rollcall::domain::{Fact, Refusal};
use rollcall::ingest::Step;
use rollcall::record::SigningKey;
use rollcall::record::enrolment::seal_succession;

use crate::support::intake::{Centre, admitted, refusal};
use crate::support::pen::Pen;

/// The same terminal at the same place of its chain, with another key.
fn following(pen: &Pen, key: u8) -> Pen {
    Pen { key: SigningKey::from_secret(&[key; 32]), ..pen.clone() }
}

#[test]
fn a_registration_with_another_key_changes_nothing_without_the_word_of_the_old_one() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    centre.offer(&pen.write());
    centre.intake.learn(&Pen::new("t-1", 2).registration());
    assert_eq!(refusal(&centre.offer(&following(&pen, 2).write())), Refusal::ForeignKey);
    assert_eq!(admitted(&centre.offer(&pen.write())), [2]);
}

#[test]
fn a_key_that_follows_takes_over_the_chain_and_the_old_one_seals_nothing_after_it() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    centre.offer(&pen.write());
    let mut next = following(&pen, 2);
    let proof = seal_succession(&pen.terminal, &pen.key, &next.key);
    let (id, key) = (pen.terminal.clone(), next.public().to_bytes());
    centre.intake.learn(&Fact::TerminalKey { id, key, proof });
    // What was made before the change comes after it.
    let waiting = pen.write();
    assert_eq!(admitted(&centre.offer(&waiting)), [2]);
    (next.next, next.prev) = (pen.next, pen.prev);
    assert_eq!(admitted(&centre.offer(&next.write())), [3]);
    // A copy of the old key goes on behind the new one, or beside it.
    let mut copy = following(&next, 1);
    assert_eq!(refusal(&centre.offer(&copy.write())), Refusal::ForeignKey);
    assert_eq!(refusal(&centre.offer(&pen.write())), Refusal::Forked);
    assert_eq!(admitted(&centre.offer(&next.write())), [4]);
    // And what was committed with the old key is answered as before.
    assert!(matches!(&centre.offer(&waiting)[..], [Step::Again(_)]));
}

#[test]
fn a_revoked_terminals_new_records_are_refused_and_its_old_ones_answered() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let first = pen.write();
    centre.offer(&first);
    let (id, reason) = (pen.terminal.clone(), "stolen".to_owned());
    centre.intake.learn(&Fact::Revocation { id, reason });
    assert_eq!(refusal(&centre.offer(&pen.write())), Refusal::Revoked);
    assert!(matches!(&centre.offer(&first)[..], [Step::Again(_)]));
}
