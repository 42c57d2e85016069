//! Which planted kinds each detector aims at. Only `evaluate` knows it: rules know nothing of what is
//! planted, and whoever plants knows nothing of rules. A new kind of anomaly does not compile before
//! it stands here.

use crate::domain::AnomalyKind;
use crate::province::Kind;

/// What a detector is meant to find.
pub fn aims(detector: AnomalyKind) -> &'static [Kind] {
    match detector {
        AnomalyKind::ProxyStandIn => &[Kind::StandIn],
        AnomalyKind::ProxySharedFace => &[Kind::SharedFace],
        AnomalyKind::MultiDevice => &[Kind::TwoPlaces, Kind::MovedCohort],
        AnomalyKind::OffTimetable => &[Kind::NightHours],
        AnomalyKind::ExcessHours => &[Kind::StretchedCheckouts, Kind::TooManyHours],
        AnomalyKind::Forged => &[Kind::ForgedRecords],
        AnomalyKind::Altered => &[Kind::AlteredRecords],
        AnomalyKind::Replayed => &[Kind::ReplayedRecords],
        AnomalyKind::UnregisteredTerminal => &[Kind::UnregisteredBox],
        AnomalyKind::ForkedChain => &[Kind::ClonedTerminal],
        AnomalyKind::MadeAfterwards | AnomalyKind::TimeRefuted => &[Kind::ClockSetBack],
        AnomalyKind::MachinePace => &[Kind::PaperTrainees, Kind::Burst, Kind::CardBurst],
        AnomalyKind::SpoofAttempts => &[Kind::Spoof],
        AnomalyKind::MissedRollCall => &[Kind::ClassLeaves],
        // Nobody claims anything in a made province.
        AnomalyKind::OverLimit => &[],
        AnomalyKind::MovedCohort => &[Kind::MovedCohort],
        // Nor is anybody taught on a platform there.
        AnomalyKind::PlatformSessions | AnomalyKind::BackgroundPlay => &[],
        AnomalyKind::LateRegistration => &[Kind::BackfilledLessons],
        AnomalyKind::TwoClasses => &[Kind::TwoClasses, Kind::TwoPlaces],
        AnomalyKind::LateCheckouts => &[Kind::StretchedCheckouts],
        AnomalyKind::LongWeek => &[Kind::TooManyHours],
        AnomalyKind::WithoutFace => &[Kind::StaffConfirms, Kind::CardBurst, Kind::StandIn],
        AnomalyKind::SteadyScores => &[Kind::PaperTrainees],
        AnomalyKind::Pairs => &[Kind::SharedFace],
        AnomalyKind::SilentTerminal => &[Kind::SilentTerminal],
        AnomalyKind::DeviceChanged => &[Kind::MovedTerminal],
        AnomalyKind::OftenUnseen => &[Kind::PaperTrainees],
        // Nothing is planted that these alone would find: they are measured by their silence.
        AnomalyKind::ShortLesson
        | AnomalyKind::ScoreDrift
        | AnomalyKind::ThinMargins
        | AnomalyKind::PerfectAttendance => &[],
    }
}

/// Those of these detectors that aim at a kind.
pub fn aimed_by(kind: Kind, detectors: &[AnomalyKind]) -> Vec<AnomalyKind> {
    detectors.iter().copied().filter(|it| aims(*it).contains(&kind)).collect()
}
