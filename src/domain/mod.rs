//! The words and values of the trade. No I/O, no clock, no chance: everything here is plain data
//! that both sides, terminal and centre, mean the same thing by. docs/glossary.md defines each
//! word in Chinese and English.

mod anomaly;
mod checkin;
mod fact;
mod ids;
mod policy;
mod refusal;
mod score;
mod sighting;
mod text;
mod time;
mod timetable;

pub use anomaly::{Anomaly, AnomalyId, AnomalyKind, Severity};
pub use checkin::{CheckIn, Event, OtherPerson, Outcome, SameFace, Scores, Way};
pub use fact::{Fact, GeoPoint};
pub use ids::{ClassId, IdError, InstitutionId, LessonId, PersonId, SiteId, TerminalId};
pub use policy::{Basis, Modality, NumberLine, Policy, PolicyError};
pub use refusal::Refusal;
pub use score::Score;
pub use sighting::{Candidate, Quality, SeenFace, Sighting};
pub use text::Bilingual;
pub use time::{ClockDoubt, ClockEvidence, ClockQuality, TimeError, Timestamp, Uptime};
pub use timetable::Lesson;
