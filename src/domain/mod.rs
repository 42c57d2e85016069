//! The words and values of the trade. No I/O, no clock, no chance: everything here is plain data
//! that both sides, terminal and centre, mean the same thing by. docs/glossary.md defines each
//! word in Chinese and English.

mod anomaly;
mod case;
mod centre;
mod checkin;
mod fact;
mod holidays;
mod identity;
mod ids;
mod notice;
mod platform;
mod policy;
mod project;
mod refusal;
mod score;
mod share;
mod sighting;
mod terms;
mod text;
mod time;
mod timetable;

pub use anomaly::{Anomaly, AnomalyId, AnomalyKind, Finding, LedgerRange, Severity};
pub use case::{CaseId, CaseStep, Party, Step, Verdict, VerdictReason};
pub use centre::{
    Claim, ClaimLine, ClassPlan, Committed, Held, InstitutionDetails, Joined, Left, LessonDetails,
    Objected, ROSTER_BY_MEMBERS, RollOrder, Status, Subject, Teacher, Trial,
};
pub use checkin::{Challenged, CheckIn, Event, OtherPerson, Outcome, SameFace, Scores, Way};
pub use fact::{Fact, GeoPoint};
pub use holidays::Holidays;
pub use identity::{IdNumber, IdNumberError, without_numbers};
pub use ids::{
    ClaimId, ClassId, HeldId, IdError, InstitutionId, LessonId, PersonId, PlatformId, SiteId,
    TeacherId, TerminalId,
};
pub use notice::{Note, Notice, NoticeKind};
pub use platform::{Activity, Evidenced, HAPPENINGS_MAX, Happened, Platform};
pub use policy::{Basis, Fraction, Modality, NumberLine, Policy, PolicyError};
pub use project::Project;
pub use refusal::Refusal;
pub use score::Score;
pub use share::{Share, float};
pub use sighting::{Candidate, FacePlace, Landmarks, Quality, SeenFace, Sighting};
pub use terms::{
    Aspect, Employment, Fund, Happening, HeldKind, LeaveReason, LessonKind, LessonMode, Level,
    Limit, Ownership, PlatformFunction, Qualification, State, SubjectKind, Target, TrialStep, Word,
};
pub use text::{Bilingual, masked_name};
pub use time::{ClockDoubt, ClockEvidence, ClockQuality, TimeError, Timestamp, Uptime};
pub use timetable::Lesson;
