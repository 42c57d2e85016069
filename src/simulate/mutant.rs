//! Broken promises, one at a time: each is a mistake that somebody could make in the real program,
//! made on purpose around it. The table test in `tests/it/voyage.rs` says which invariant notices.

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// The terminal frees a record when the broker has it.
    FreesOnPuback,
    /// The centre answers although its ledger has not stored the batch.
    AnswersBeforeCommit,
    /// The disk says that it has synced, and has not.
    SyncDoesNothing,
    /// The terminal shows green although the journal has failed.
    GreenBeforeSync,
    /// The full journal drops its oldest record to make room.
    DropsOldestWhenFull,
    /// The journal takes twice what it may.
    KnowsNoBound,
    /// A repaired journal does not state what is lost.
    StatesNoGap,
    /// The journal forgets a record as soon as it is freed.
    ForgetsTheFreed,
    /// The terminal seals another record under a number that it has used.
    Renumbers,
    /// The terminal passes over refusal receipts.
    IgnoresRefusals,
    /// The terminal takes anybody's receipt for the centre's.
    TrustsAnybody,
    /// What was offered once in a life of the program is not offered again.
    NeverOffersAgain,
    /// The terminal does not hear what the centre wants again.
    DeafToWanted,
    /// The centre does not say how far it has a chain when it is asked for the time.
    TellsNoHead,
    /// The centre takes whatever comes as the next record.
    TakesOutOfOrder,
    /// The centre takes a repetition for another record of the same number.
    FlagsDuplicates,
    /// What follows a refused record waits for ever.
    ParksForEver,
    /// Gap statements do not reach the centre.
    LosesGapStatements,
    /// A restarted centre goes on from another record than the last.
    ResumesWrongly,
    /// The terminal does not take note of what is answered.
    ForgetsAnswers,
    /// A restarted centre has lost the newest entries, and nobody has restored a backup.
    LedgerForgets,
    /// A new receipt key comes without the word of the one before.
    HandsNoKeyOver,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Mutant::FreesOnPuback,
        Mutant::AnswersBeforeCommit,
        Mutant::SyncDoesNothing,
        Mutant::GreenBeforeSync,
        Mutant::DropsOldestWhenFull,
        Mutant::KnowsNoBound,
        Mutant::StatesNoGap,
        Mutant::ForgetsTheFreed,
        Mutant::Renumbers,
        Mutant::IgnoresRefusals,
        Mutant::TrustsAnybody,
        Mutant::NeverOffersAgain,
        Mutant::DeafToWanted,
        Mutant::TellsNoHead,
        Mutant::TakesOutOfOrder,
        Mutant::FlagsDuplicates,
        Mutant::ParksForEver,
        Mutant::LosesGapStatements,
        Mutant::ResumesWrongly,
        Mutant::ForgetsAnswers,
        Mutant::LedgerForgets,
        Mutant::HandsNoKeyOver,
    ];

    /// Its name on a command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Mutant::FreesOnPuback => "frees-on-puback",
            Mutant::AnswersBeforeCommit => "answers-before-commit",
            Mutant::SyncDoesNothing => "sync-does-nothing",
            Mutant::GreenBeforeSync => "green-before-sync",
            Mutant::DropsOldestWhenFull => "drops-oldest-when-full",
            Mutant::KnowsNoBound => "knows-no-bound",
            Mutant::StatesNoGap => "states-no-gap",
            Mutant::ForgetsTheFreed => "forgets-the-freed",
            Mutant::Renumbers => "renumbers",
            Mutant::IgnoresRefusals => "ignores-refusals",
            Mutant::TrustsAnybody => "trusts-anybody",
            Mutant::NeverOffersAgain => "never-offers-again",
            Mutant::DeafToWanted => "deaf-to-wanted",
            Mutant::TellsNoHead => "tells-no-head",
            Mutant::TakesOutOfOrder => "takes-out-of-order",
            Mutant::FlagsDuplicates => "flags-duplicates",
            Mutant::ParksForEver => "parks-for-ever",
            Mutant::LosesGapStatements => "loses-gap-statements",
            Mutant::ResumesWrongly => "resumes-wrongly",
            Mutant::ForgetsAnswers => "forgets-answers",
            Mutant::LedgerForgets => "ledger-forgets",
            Mutant::HandsNoKeyOver => "hands-no-key-over",
        }
    }
}
