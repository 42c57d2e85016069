//! Every reason to refuse, and what looks like fraud but is innocent.

use std::collections::HashMap;

use proptest::prelude::*;
use rollcall::domain::{Event, Refusal};
use rollcall::ingest::{Answer, Evidence, Limits, Step, answers};
use rollcall::record::{Gap, Parcel, Record, Sealed, SealedHash, SigningKey, Verdict};

use crate::support::intake::{Centre, admitted, refusal};
use crate::support::pen::{MORNING, Pen, opening};

fn altered(parcel: &Parcel, change: impl FnOnce(&mut Vec<u8>)) -> Parcel {
    let mut bytes = parcel.sealed.bytes().to_vec();
    change(&mut bytes);
    Parcel { sealed: Sealed::from_stored(bytes), ..parcel.clone() }
}

#[test]
fn honest_records_are_admitted_in_order() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    for seq in 1..=5 {
        let parcel = pen.write();
        assert_eq!(admitted(&centre.offer(&parcel)), [seq]);
    }
}

#[test]
fn one_flipped_bit_is_refused_for_every_bit() {
    let mut pen = Pen::new("t-1", 1);
    let parcel = pen.write();
    for bit in 0..parcel.sealed.bytes().len() * 8 {
        let mut centre = Centre::knowing(&[&pen]);
        let flipped = altered(&parcel, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let why = refusal(&centre.offer(&flipped));
        let fits = matches!(
            why,
            Refusal::Malformed { .. }
                | Refusal::UnknownTerminal
                | Refusal::ForeignKey
                | Refusal::BadSignature { .. }
        );
        assert!(fits, "bit {bit}: {why:?}");
        assert_eq!(centre.head(&pen), 0, "bit {bit}");
        assert_eq!(admitted(&centre.offer(&parcel)), [1], "the genuine one after it");
    }
}

#[test]
fn garbage_is_malformed_and_says_what_it_stumbled_over() {
    let pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let garbage =
        Parcel { sealed: Sealed::from_stored(b"nothing".to_vec()), person: None, other: None };
    let Refusal::Malformed { detail } = refusal(&centre.offer(&garbage)) else { panic!() };
    assert!(detail.contains("not a sealed statement"), "{detail}");
}

#[test]
fn a_number_out_of_range_is_malformed_however_well_it_is_signed() {
    for seq in [0, u64::MAX, i64::MAX as u64 + 1] {
        let pen = Pen::new("t-1", 1);
        let mut centre = Centre::knowing(&[&pen]);
        let (mut record, opening) = pen.draft();
        record.seq = seq;
        let sealed = Sealed::seal(&record, &pen.key);
        let parcel = Parcel { sealed, person: Some(opening), other: None };
        assert_eq!(refusal(&centre.offer(&parcel)).code(), "malformed");
    }
}

#[test]
fn a_terminal_that_nobody_registered_is_unknown_and_gets_no_answer() {
    let mut stranger = Pen::new("t-9", 9);
    let mut centre = Centre::knowing(&[&Pen::new("t-1", 1)]);
    let steps = centre.offer(&stranger.write());
    assert_eq!(refusal(&steps), Refusal::UnknownTerminal);
    assert_eq!(answers(&steps, 1, MORNING), []);
}

#[test]
fn a_genuine_record_under_another_terminals_name_is_foreign() {
    let (mut one, two) = (Pen::new("t-1", 1), Pen::new("t-2", 2));
    let mut centre = Centre::knowing(&[&one, &two]);
    let parcel = one.write();
    centre.offer(&parcel);
    let steps = centre.offer_as(&two.terminal, &parcel);
    assert_eq!(refusal(&steps), Refusal::ForeignTerminal { named: one.terminal.clone() });
    let Answer::Receipt(receipt) = &answers(&steps, 2, MORNING)[0] else { panic!() };
    assert_eq!(receipt.terminal, two.terminal);
    assert_eq!(receipt.hash, parcel.sealed.hash());
    assert_eq!(receipt.verdict, Verdict::Refused { code: "foreign_terminal".into() });
}

#[test]
fn a_made_up_record_under_two_wrong_names_is_no_replay() {
    let (one, two) = (Pen::new("t-1", 1), Pen::new("t-2", 2));
    let mut forger = Pen { key: SigningKey::from_secret(&[66; 32]), ..Pen::new("t-1", 1) };
    let mut centre = Centre::knowing(&[&one, &two]);
    assert_eq!(refusal(&centre.offer_as(&two.terminal, &forger.write())), Refusal::ForeignKey);
}

#[test]
fn a_record_sealed_with_another_key_is_refused() {
    let pen = Pen::new("t-1", 1);
    let mut forger = Pen::new("t-1", 66);
    let mut centre = Centre::knowing(&[&pen]);
    assert_eq!(refusal(&centre.offer(&forger.write())), Refusal::ForeignKey);
}

#[test]
fn an_altered_record_fits_the_chain_before_and_after_the_genuine_one_came() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let first = pen.write();
    centre.offer(&first);
    let genuine = pen.write();
    let position = |bytes: &[u8]| bytes.windows(6).position(|w| w == b"test/1").unwrap();
    let alter = |bytes: &mut Vec<u8>| {
        let at = position(bytes);
        bytes[at] ^= 0x20;
    };
    let wrong = altered(&genuine, alter);
    assert_eq!(refusal(&centre.offer(&wrong)), Refusal::BadSignature { fits_chain: true });
    assert_eq!(admitted(&centre.offer(&genuine)), [2]);
    let wrong = altered(&genuine, |bytes| {
        let at = position(bytes) + 1;
        bytes[at] ^= 0x20;
    });
    assert_eq!(refusal(&centre.offer(&wrong)), Refusal::BadSignature { fits_chain: true });
    let wrong = altered(&first, alter);
    assert_eq!(refusal(&centre.offer(&wrong)), Refusal::BadSignature { fits_chain: true });
}

#[test]
fn a_made_up_record_with_a_borrowed_key_id_does_not_fit_the_chain() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    centre.offer(&pen.write());
    let (mut record, _) = pen.draft();
    record.prev = SealedHash([7; 32]);
    record.seq = 2;
    let mut parcel = pen.seal(&record, None);
    parcel = altered(&parcel, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(refusal(&centre.offer(&parcel)), Refusal::BadSignature { fits_chain: false });
}

#[test]
fn exact_redelivery_is_answered_again_and_never_stored_twice() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let parcels = pen.write_many(3);
    for parcel in &parcels {
        centre.offer(parcel);
    }
    for parcel in &parcels {
        let steps = centre.offer(parcel);
        assert!(matches!(&steps[..], [Step::Again(_)]), "{steps:?}");
        let Answer::Receipt(receipt) = &answers(&steps, 3, MORNING)[0] else { panic!() };
        assert_eq!(receipt.verdict, Verdict::Committed);
        assert_eq!(receipt.hash, parcel.sealed.hash());
    }
}

#[test]
fn two_histories_under_one_key_are_a_fork() {
    let pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    centre.offer(&pen.clone().write());
    let (mut record, opening) = pen.draft();
    record.policy = "other/1".into();
    let other = pen.clone().seal(&record, Some(opening));
    assert_eq!(refusal(&centre.offer(&other)), Refusal::Forked);
}

#[test]
fn a_record_that_does_not_name_the_one_before_it_breaks_the_chain() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let first = pen.write();
    centre.offer(&first);
    pen.prev = SealedHash([7; 32]);
    assert_eq!(refusal(&centre.offer(&pen.write())), Refusal::BrokenChain);
}

#[test]
fn an_opening_that_was_spoilt_on_the_way_costs_no_record() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let genuine = pen.write();
    let spoilt = Parcel { person: None, ..genuine.clone() };
    for _ in 0..2 {
        let steps = centre.offer(&spoilt);
        assert!(matches!(&steps[..], [Step::Want { from: 1, .. }]), "no receipt: {steps:?}");
    }
    assert_eq!(admitted(&centre.offer(&genuine)), [1]);
    assert_eq!(admitted(&centre.offer(&pen.write())), [2]);
}

#[test]
fn a_wrong_or_missing_opening_is_refused_but_the_chain_goes_on() {
    for wrong in [Some(opening(200)), None] {
        let mut pen = Pen::new("t-1", 1);
        let mut centre = Centre::knowing(&[&pen]);
        let parcel = Parcel { person: wrong, ..pen.write() };
        for _ in 0..3 {
            let steps = centre.offer(&parcel);
            assert!(matches!(&steps[..], [Step::Want { from: 1, .. }]), "{steps:?}");
        }
        let steps = centre.offer(&parcel);
        assert_eq!(refusal(&steps), Refusal::BadOpening);
        assert_eq!(admitted(&centre.offer(&pen.write())), [2]);
        let steps = centre.offer(&parcel);
        let Answer::Receipt(receipt) = &answers(&steps, 2, MORNING)[0] else { panic!() };
        assert_eq!(receipt.verdict, Verdict::Refused { code: "bad_opening".into() });
    }
}

#[test]
fn a_record_that_contradicts_itself_is_refused_but_the_chain_goes_on() {
    let breaks: [fn(&mut Record); 4] = [
        |record| record.outcome = None,
        |record| record.gap = Some(Gap { first: 1, last: 1 }),
        |record| record.event = Event::Gap,
        |record| {
            record.event = Event::Gap;
            (record.outcome, record.way) = (None, None);
            record.gap = Some(Gap { first: 7, last: 0 });
        },
    ];
    for contradict in breaks {
        let mut pen = Pen::new("t-1", 1);
        let mut centre = Centre::knowing(&[&pen]);
        let (mut record, opening) = pen.draft();
        contradict(&mut record);
        let parcel = pen.seal(&record, Some(opening));
        assert_eq!(refusal(&centre.offer(&parcel)).code(), "malformed");
        assert_eq!(admitted(&centre.offer(&pen.write())), [2]);
    }
}

#[test]
fn records_in_any_order_are_committed_in_sequence() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let parcels = pen.write_many(4);
    for early in [3, 1, 2] {
        let steps = centre.offer(&parcels[early]);
        assert!(matches!(&steps[..], [Step::Want { from: 1, .. }]), "{steps:?}");
    }
    assert_eq!(admitted(&centre.offer(&parcels[0])), [1, 2, 3, 4]);
    assert_eq!(centre.intake.parked(), 0);
}

#[test]
fn what_waits_is_bounded_and_the_nearest_stay() {
    let mut pen = Pen::new("t-1", 1);
    let limits = Limits { parked_max: 3, ..Limits::default() };
    let mut centre = Centre::with(&[&pen], limits);
    let parcels = pen.write_many(10);
    for parcel in parcels[1..].iter().rev() {
        centre.offer(parcel);
    }
    assert_eq!(centre.intake.parked(), 3);
    assert_eq!(admitted(&centre.offer(&parcels[0])), [1, 2, 3, 4]);
}

#[test]
fn only_well_signed_records_may_wait() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let parcels = pen.write_many(2);
    let wrong = altered(&parcels[1], |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert_eq!(refusal(&centre.offer(&wrong)), Refusal::BadSignature { fits_chain: false });
    assert_eq!(centre.intake.parked(), 0);
}

#[test]
fn a_gap_statement_bridges_what_will_never_come() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let first = pen.write();
    centre.offer(&first);
    let gap = pen.write_gap(5);
    let after = pen.write();
    centre.offer(&after);
    assert_eq!(admitted(&centre.offer(&gap)), [7, 8]);
}

#[test]
fn a_gap_statement_that_does_not_meet_the_head_waits() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    pen.write();
    let steps = centre.offer(&pen.write_gap(5));
    assert!(matches!(&steps[..], [Step::Want { from: 1, .. }]), "{steps:?}");
    let (mut record, _) = pen.draft();
    record.seq = 5;
    record.gap = Some(Gap { first: 1, last: 4 });
    let steps = centre.offer(&pen.seal(&record, None));
    assert!(matches!(&steps[..], [Step::Want { .. }]), "only an event of kind gap bridges");
}

#[test]
fn a_gap_statement_may_cover_what_has_come_for_a_lost_disk_cannot_know_it() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let kept = pen.write_many(2);
    let mut repaired = pen.clone();
    let lost = pen.write_many(3);
    for parcel in kept.iter().chain(&lost) {
        centre.offer(parcel);
    }
    // Its disk has records 1 and 2 only; it may have used up to 9.
    let gap = repaired.write_gap(7);
    assert_eq!(admitted(&centre.offer(&gap)), [10]);
    assert_eq!(admitted(&centre.offer(&repaired.write())), [11]);
    // A gap behind which another record stands than the ledger has is no bridge.
    let mut other = Pen::new("t-1", 1);
    other.prev = SealedHash([5; 32]);
    other.next = 3;
    let steps = centre.offer(&other.write_gap(12));
    assert_eq!(refusal(&steps), Refusal::BrokenChain);
}

#[test]
fn what_follows_a_refused_record_is_refused_and_waits_for_nothing() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let mut copied = pen.clone();
    for parcel in pen.write_many(3) {
        centre.offer(&parcel);
    }
    // The copy begins its own history with number 1: it goes past the true chain's end.
    copied.prev = SealedHash([9; 32]);
    let mut second = copied.write_many(7);
    let last = second.pop().unwrap();
    for parcel in &second[..5] {
        let code = refusal(&centre.offer(parcel)).code();
        assert!(["forked", "broken_chain"].contains(&code), "{code}");
    }
    // Even where it comes too early: it is judged when its predecessor is.
    let steps = centre.offer(&last);
    assert!(matches!(&steps[..], [Step::Want { .. }]), "{steps:?}");
    let steps = centre.offer(&second[5]);
    assert_eq!(
        steps.iter().filter(|step| matches!(step, Step::Keep { .. })).count(),
        2,
        "{steps:?}"
    );
    assert_eq!(centre.intake.parked(), 0);
    assert_eq!(admitted(&centre.offer(&pen.write())), [4], "the first history goes on");
}

#[test]
fn a_record_that_was_refused_before_its_terminal_was_registered_leads_nobody_astray() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::with(&[], Limits::default());
    let parcels = pen.write_many(2);
    assert_eq!(refusal(&centre.offer(&parcels[0])), Refusal::UnknownTerminal);
    centre.intake.learn(&pen.registration());
    let steps = centre.offer(&parcels[1]);
    assert!(matches!(&steps[..], [Step::Want { from: 1, .. }]), "{steps:?}");
    assert_eq!(admitted(&centre.offer(&parcels[0])), [1, 2]);
}

#[test]
fn a_record_from_inside_a_stated_gap_contradicts_it() {
    let pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let lost = pen.clone().write();
    centre.offer(&pen.clone().write_gap(3));
    assert_eq!(refusal(&centre.offer(&lost)), Refusal::Forked);
}

#[test]
fn a_stranger_leaves_behind_only_so_much() {
    let limits = Limits { evidence_per_stranger_max: 3, strangers_max: 2, ..Limits::default() };
    let mut centre = Centre::with(&[], limits);
    let mut kept = HashMap::new();
    for name in ["x-1", "x-2", "x-3"] {
        let mut stranger = Pen::new(name, 9);
        for parcel in stranger.write_many(10) {
            let steps = centre.offer_as(&stranger.terminal, &parcel);
            let stored = steps.iter().filter(|step| matches!(step, Step::Keep { .. })).count();
            *kept.entry(name).or_insert(0) += stored;
        }
    }
    assert_eq!(kept, HashMap::from([("x-1", 3), ("x-2", 3), ("x-3", 0)]));
}

#[test]
fn the_same_refused_bytes_are_kept_once_and_answered_each_time() {
    let pen = Pen::new("t-1", 1);
    let mut forger = Pen::new("t-1", 66);
    let mut centre = Centre::knowing(&[&pen]);
    let parcel = forger.write();
    assert_eq!(refusal(&centre.offer(&parcel)), Refusal::ForeignKey);
    let steps = centre.offer(&parcel);
    assert!(matches!(&steps[..], [Step::Again(_)]), "{steps:?}");
    let Answer::Receipt(receipt) = &answers(&steps, 1, MORNING)[0] else { panic!() };
    assert_eq!(receipt.verdict, Verdict::Refused { code: "foreign_key".into() });
}

#[test]
fn a_message_that_is_no_batch_is_kept_within_bounds_and_not_answered() {
    let pen = Pen::new("t-1", 1);
    let limits = Limits { evidence_per_terminal_max: 2, ..Limits::default() };
    let mut centre = Centre::with(&[&pen], limits);
    let mut kept = 0;
    for n in 0..10_u8 {
        let evidence = Evidence::of(&vec![n; 100_000]);
        assert_eq!(evidence.kept().len(), 4_096);
        let step = centre.intake.garbage(&pen.terminal, evidence, "no batch", &centre.past);
        let step = step.unwrap();
        assert_eq!(answers([&step], 1, MORNING), []);
        kept += usize::from(matches!(step, Step::Keep { .. }));
    }
    assert_eq!(kept, 2);
}

#[test]
fn receipts_cover_unbroken_runs_and_stop_at_refused_records() {
    let mut pen = Pen::new("t-1", 1);
    let mut centre = Centre::knowing(&[&pen]);
    let mut parcels = pen.write_many(5);
    parcels[2].person = None;
    // The third is asked for again until the centre gives it up.
    let offered = [0, 1, 2, 2, 2, 2, 3, 4].into_iter().flat_map(|at| centre.offer(&parcels[at]));
    let steps: Vec<_> = offered.filter(|step| !matches!(step, Step::Want { .. })).collect();
    let covered: Vec<_> = answers(&steps, 5, MORNING)
        .into_iter()
        .map(|answer| match answer {
            Answer::Receipt(r) => (r.first, r.last, r.hash, r.verdict == Verdict::Committed),
            Answer::Wanted(wanted) => panic!("{wanted:?}"),
        })
        .collect();
    let hash = |seq: usize| parcels[seq - 1].sealed.hash();
    assert_eq!(covered, [(1, 2, hash(2), true), (4, 5, hash(5), true), (3, 3, hash(3), false)]);
}

#[test]
fn what_a_refused_record_claims_is_kept_readable() {
    let pen = Pen::new("t-1", 1);
    let mut forger = Pen::new("t-1", 66);
    let mut centre = Centre::knowing(&[&pen]);
    let parcel = forger.write();
    let steps = centre.offer(&parcel);
    let [Step::Keep { refused, .. }] = &steps[..] else { panic!() };
    assert_eq!(refused.claims(), Some(&Record::peek(parcel.sealed.bytes()).unwrap().0));
    assert_eq!(refused.evidence().kept(), parcel.sealed.bytes());
}

proptest! {
    /// Lost, doubled and reordered on the way, then offered again until all has an answer.
    #[test]
    fn whatever_the_order_of_arrival_each_record_is_committed_once_in_sequence(
        arrivals in prop::collection::vec(0_usize..12, 0..60),
    ) {
        let mut pen = Pen::new("t-1", 1);
        let mut centre = Centre::knowing(&[&pen]);
        let mut parcels = pen.write_many(5);
        parcels.push(pen.write_gap(3));
        parcels.push(Parcel { person: None, ..pen.write() });
        parcels.extend(pen.write_many(5));
        let mut kept = Vec::new();
        // Four rounds: a wrong opening is asked for again three times.
        let rounds = (0..parcels.len()).cycle().take(4 * parcels.len());
        for at in arrivals.into_iter().chain(rounds) {
            for step in centre.offer(&parcels[at]) {
                match step {
                    Step::Commit(admitted) => kept.push(admitted.head().seq),
                    Step::Keep { refused, .. } => kept.push(refused.takes().unwrap().seq),
                    Step::Again(_) | Step::Want { .. } => {}
                    Step::Count { code } => panic!("{code}"),
                }
            }
        }
        prop_assert_eq!(kept, [1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15]);
        prop_assert_eq!(centre.intake.parked(), 0);
    }

    #[test]
    fn no_bytes_are_admitted_or_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_200)) {
        let pen = Pen::new("t-1", 1);
        let mut centre = Centre::knowing(&[&pen]);
        let parcel = Parcel { sealed: Sealed::from_stored(bytes), person: None, other: None };
        prop_assert_eq!(refusal(&centre.offer(&parcel)).code(), "malformed");
    }
}
