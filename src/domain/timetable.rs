//! The registered timetable: what was announced before it happened.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{ClassId, LessonId, SiteId, Timestamp};

/// One lesson: a class, a place, a stretch of time. It may cross midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Lesson {
    /// Its name, unique at the centre.
    #[n(1)]
    pub id: LessonId,
    /// Whose lesson.
    #[n(2)]
    pub class: ClassId,
    /// Where.
    #[n(3)]
    pub site: SiteId,
    /// First scheduled moment.
    #[n(4)]
    pub starts: Timestamp,
    /// First moment after it.
    #[n(5)]
    pub ends: Timestamp,
}
