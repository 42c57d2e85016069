//! What the facts of the centre say, piece by piece: plans, rosters, teachers, statuses, claims.
//! A person stands in none of them: only a commitment, fresh for each roster, whose opening lies
//! beside the ledger and can be erased (docs/spec/facts-v1.md).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::terms::{
    Aspect, Employment, Fund, HeldKind, LeaveReason, LessonKind, LessonMode, Level, Limit,
    Ownership, Qualification, State, SubjectKind, Target, TrialStep,
};
use super::{
    ClaimId, ClassId, HeldId, InstitutionId, LessonId, SiteId, TeacherId, TerminalId, Timestamp,
};

/// SHA-256(salt ‖ person id), as `record::Opening` makes it.
pub type Committed = [u8; 32];

/// What a class states as its roster when the members follow one by one.
pub const ROSTER_BY_MEMBERS: [u8; 32] = [0; 32];

/// More about an institution than its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct InstitutionDetails {
    /// Which one.
    #[n(1)]
    pub institution: InstitutionId,
    /// Its unified social credit code (GB 32100-2015).
    #[n(2)]
    pub credit_code: Option<String>,
    /// Whose it is.
    #[n(3)]
    pub ownership: Option<Ownership>,
    /// The area that supervises it: six digits (GB/T 2260).
    #[n(4)]
    pub area: Option<String>,
}

/// What a class teaches, when, and for which system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ClassPlan {
    /// Which class.
    #[n(1)]
    pub class: ClassId,
    /// The published project that pays for it.
    #[n(2)]
    pub project: String,
    /// The occupation's name.
    #[n(3)]
    pub occupation: String,
    /// The occupation's code in the national classification: `4-03-02-01`.
    #[n(4)]
    pub occupation_code: Option<String>,
    /// The level that it leads to.
    #[n(5)]
    pub level: Level,
    /// First day, at midnight China standard time.
    #[n(6)]
    pub starts: Timestamp,
    /// Last day, at midnight China standard time.
    #[n(7)]
    pub ends: Timestamp,
    /// Lesson hours (学时) in all; how long one is, the policy profile says.
    #[n(8)]
    pub hours: u32,
    /// Lesson hours of practice, among all.
    #[n(9)]
    pub hours_practice: Option<u32>,
    /// Lesson hours online, among all.
    #[n(10)]
    pub hours_online: Option<u32>,
    /// The one system that it belongs to.
    #[n(11)]
    pub target: Target,
}

/// More about a lesson than its time and place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct LessonDetails {
    /// Which lesson.
    #[n(1)]
    pub lesson: LessonId,
    /// Who teaches.
    #[n(2)]
    pub teacher: Option<TeacherId>,
    /// What it is for.
    #[n(3)]
    pub kind: Option<LessonKind>,
    /// Where it is held.
    #[n(4)]
    pub mode: Option<LessonMode>,
}

/// Somebody is on a class's roster from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Joined {
    /// Whose roster.
    #[n(1)]
    pub class: ClassId,
    /// Who, by a commitment of this roster alone.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub member: Committed,
}

/// Somebody is no longer on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Left {
    /// Whose roster.
    #[n(1)]
    pub class: ClassId,
    /// Who.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub member: Committed,
    /// Why.
    #[n(3)]
    pub reason: LeaveReason,
}

/// Somebody teaches at an institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Teacher {
    /// A number that the institution gives; it should say nothing about the person.
    #[n(1)]
    pub id: TeacherId,
    /// Where.
    #[n(2)]
    pub institution: InstitutionId,
    /// Who, by a commitment of this engagement alone.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub person: Committed,
    /// How employed.
    #[n(4)]
    pub employment: Employment,
    /// What makes her fit to teach.
    #[n(5)]
    pub qualification: Qualification,
}

/// Whom a status is about.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An institution.
    #[n(1)]
    Institution(#[n(0)] InstitutionId),
    /// A site.
    #[n(2)]
    Site(#[n(0)] SiteId),
    /// A class.
    #[n(3)]
    Class(#[n(0)] ClassId),
    /// A lesson.
    #[n(4)]
    Lesson(#[n(0)] LessonId),
    /// A teacher.
    #[n(5)]
    Teacher(#[n(0)] TeacherId),
    /// A claim.
    #[n(6)]
    Claim(#[n(0)] ClaimId),
}

impl Subject {
    /// What kind of thing it is.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Subject::Institution(_) => SubjectKind::Institution,
            Subject::Site(_) => SubjectKind::Site,
            Subject::Class(_) => SubjectKind::Class,
            Subject::Lesson(_) => SubjectKind::Lesson,
            Subject::Teacher(_) => SubjectKind::Teacher,
            Subject::Claim(_) => SubjectKind::Claim,
        }
    }

    /// Its id as text.
    pub fn id(&self) -> &str {
        match self {
            Subject::Institution(id) => id.as_str(),
            Subject::Site(id) => id.as_str(),
            Subject::Class(id) => id.as_str(),
            Subject::Lesson(id) => id.as_str(),
            Subject::Teacher(id) => id.as_str(),
            Subject::Claim(id) => id.as_str(),
        }
    }
}

/// A dated state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Status {
    /// Whose.
    #[n(1)]
    pub of: Subject,
    /// Which.
    #[n(2)]
    pub state: State,
    /// Since when it holds, by whoever decided it; when the centre stated it, the entry says.
    #[n(3)]
    pub from: Timestamp,
    /// Until when: the deadline of an order, the end of an agreement.
    #[n(4)]
    pub until: Option<Timestamp>,
    /// The decision or document that it rests on. Names nobody.
    #[n(5)]
    pub basis: Option<String>,
}

impl Status {
    /// What it is a state of.
    pub fn aspect(&self) -> Aspect {
        self.state.place().0
    }
}

/// An institution asks for a subsidy. The lines that follow say for whom; a later claim of the same
/// id takes the place of it and of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// Its id.
    #[n(1)]
    pub id: ClaimId,
    /// Who asks.
    #[n(2)]
    pub institution: InstitutionId,
    /// For which class.
    #[n(3)]
    pub class: ClassId,
    /// For how many persons: as many lines follow.
    #[n(4)]
    pub persons: u32,
    /// Lesson hours in all, over all persons.
    #[n(5)]
    pub hours: u32,
    /// What is asked for in all, in fen.
    #[n(6)]
    pub amount_fen: u64,
    /// The standard that the amount rests on: document and rate.
    #[n(7)]
    pub basis: String,
}

/// One person of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct ClaimLine {
    /// Of which claim.
    #[n(1)]
    pub claim: ClaimId,
    /// For whom: her commitment on the class's roster.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub member: Committed,
    /// Lesson hours of this person.
    #[n(3)]
    pub hours: u32,
    /// What is asked for this person, in fen.
    #[n(4)]
    pub amount_fen: u64,
}

/// Somebody who supervises has the roll called, unannounced, in a lesson that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct RollOrder {
    /// 32 random bytes: the terminal's record of the roll call names them.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub order: [u8; 32],
    /// At which terminal.
    #[n(2)]
    pub terminal: TerminalId,
    /// In which lesson.
    #[n(3)]
    pub lesson: LessonId,
    /// How long each has to show the face, in minutes.
    #[n(4)]
    pub minutes: u32,
    /// Who ordered it: a name or an office.
    #[n(5)]
    pub by: String,
}

/// Somebody holds a certificate, or drew a subsidy, of which this ledger knows nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Held {
    /// Its id: a number of whoever told it, which says nothing about the person.
    #[n(1)]
    pub id: HeldId,
    /// Who, by a commitment of this fact alone.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub person: Committed,
    /// What.
    #[n(3)]
    pub kind: HeldKind,
    /// The occupation's name.
    #[n(4)]
    pub occupation: String,
    /// The occupation's code in the national classification.
    #[n(5)]
    pub occupation_code: Option<String>,
    /// Of which level.
    #[n(6)]
    pub level: Level,
    /// The day on which it was issued or drawn, at midnight China standard time.
    #[n(7)]
    pub on: Timestamp,
    /// From which purse, if it is a subsidy.
    #[n(8)]
    pub fund: Option<Fund>,
    /// The class of this centre that it was issued for.
    #[n(9)]
    pub class: Option<ClassId>,
    /// Who says so: a register or an office. Names nobody.
    #[n(10)]
    pub source: String,
}

/// What was claimed or engaged goes beyond a limit, by the people whom the centre knew then. Says how
/// far, and of no person who: that is said to whoever may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Objected {
    /// What it is about.
    #[n(1)]
    pub of: Subject,
    /// Which limit.
    #[n(2)]
    pub limit: Limit,
    /// How many persons of it go beyond.
    #[n(3)]
    pub persons: u32,
    /// What was found, of the worst of them.
    #[n(4)]
    pub found: u32,
    /// What is allowed.
    #[n(5)]
    pub allowed: u32,
    /// Name and version of the profile whose limit it is.
    #[n(6)]
    pub policy: String,
}

/// A policy profile beside the one in force, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Trial {
    /// Name and version, as in `sichuan-2025/2`.
    #[n(1)]
    pub profile: String,
    /// SHA-256 of the profile's file.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// What becomes of it.
    #[n(3)]
    pub step: TrialStep,
    /// Who says so: a named person.
    #[n(4)]
    pub by: String,
    /// Why.
    #[n(5)]
    pub reason: String,
}
