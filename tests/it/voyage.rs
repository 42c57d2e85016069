//! Voyages of terminals, broker and centre in one thread (docs/decisions/0018). `./test voyage 10000`
//! sails many more; here are enough to notice a broken promise at once, and the proof that a broken
//! one would be noticed.

use std::collections::BTreeSet;

use rollcall::simulate::{Invariant, Mutant, sail};

/// Voyages of each run of the tests.
const VOYAGES: u64 = 300;

/// Voyages within which a broken promise must be noticed.
const NOTICED_WITHIN: u64 = 400;

/// Which invariant notices which broken promise.
const TABLE: [(Mutant, Invariant); 22] = [
    (Mutant::FreesOnPuback, Invariant::FreedMeansReceived),
    (Mutant::AnswersBeforeCommit, Invariant::ReceiptsAfterCommit),
    (Mutant::SyncDoesNothing, Invariant::GreenMeansDurable),
    (Mutant::GreenBeforeSync, Invariant::GreenMeansDurable),
    (Mutant::DropsOldestWhenFull, Invariant::FreedMeansReceived),
    (Mutant::KnowsNoBound, Invariant::FullMeansRed),
    (Mutant::StatesNoGap, Invariant::LossesAreStated),
    (Mutant::ForgetsTheFreed, Invariant::FreedIsNotForgotten),
    (Mutant::Renumbers, Invariant::NumbersAreUsedOnce),
    (Mutant::IgnoresRefusals, Invariant::EveryoneIsAnswered),
    (Mutant::TrustsAnybody, Invariant::FreedMeansReceived),
    (Mutant::NeverOffersAgain, Invariant::EveryoneIsAnswered),
    (Mutant::DeafToWanted, Invariant::TheLedgerHeals),
    (Mutant::TellsNoHead, Invariant::TheLedgerHeals),
    (Mutant::TakesOutOfOrder, Invariant::OneOrder),
    (Mutant::FlagsDuplicates, Invariant::DuplicatesAreInnocent),
    (Mutant::ParksForEver, Invariant::EveryoneIsAnswered),
    (Mutant::LosesGapStatements, Invariant::EveryoneIsAnswered),
    (Mutant::ResumesWrongly, Invariant::HonestAreNotAccused),
    (Mutant::ForgetsAnswers, Invariant::ItComesToRest),
    (Mutant::LedgerForgets, Invariant::LedgerNeverShrinks),
    (Mutant::HandsNoKeyOver, Invariant::EveryoneIsAnswered),
];

#[test]
fn every_voyage_keeps_every_promise_and_everyone_is_answered() {
    let (mut greens, mut entries) = (0, 0);
    for seed in 1..=VOYAGES {
        let voyage = sail(seed, None);
        if let Err(broken) = voyage.outcome {
            panic!("{broken}\nreplay: ./test voyage --seed {seed}");
        }
        greens += voyage.greens;
        entries += voyage.entries;
    }
    println!("{VOYAGES} voyages, {greens} check-ins shown green, {entries} entries");
    assert!(
        greens > 20 * VOYAGES && entries > greens / 2,
        "too little happens: {greens} {entries}"
    );
}

#[test]
fn the_same_seed_is_the_same_voyage() {
    let traces: Vec<_> = (1..=10).map(|seed| sail(seed, None).trace_hash()).collect();
    let again: Vec<_> = (1..=10).map(|seed| sail(seed, None).trace_hash()).collect();
    assert_eq!(traces, again);
    let different: BTreeSet<_> = traces.iter().collect();
    assert_eq!(different.len(), traces.len(), "another seed is another voyage");
}

#[test]
fn every_broken_promise_is_noticed_by_the_invariant_named_for_it() {
    let named: Vec<_> = TABLE.iter().map(|(mutant, _)| *mutant).collect();
    assert_eq!(named, Mutant::ALL, "the table names each");
    let tried: BTreeSet<_> = TABLE.iter().map(|(_, invariant)| *invariant).collect();
    assert_eq!(tried.len(), 14, "every invariant notices something: {tried:?}");
    for (mutant, invariant) in TABLE {
        let noticed = (1..=NOTICED_WITHIN).find(|seed| {
            let outcome = sail(*seed, Some(mutant)).outcome;
            outcome.is_err_and(|broken| broken.invariant == invariant)
        });
        let noticed = noticed.unwrap_or_else(|| {
            panic!("{}: {} has not noticed", mutant.as_str(), invariant.as_str())
        });
        println!("{}: {} notices at seed {noticed}", mutant.as_str(), invariant.as_str());
    }
}
