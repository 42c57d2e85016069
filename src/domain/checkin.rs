//! What the terminal decides about a person who stands before it, and what a record says of it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{LessonId, PersonId, Score};

/// What kind of happening a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Event {
    /// A person came (签到).
    #[n(1)]
    CheckIn,
    /// A person left (签退).
    #[n(2)]
    CheckOut,
    /// Somebody tried and was not accepted. Never by itself an absence or a fraud.
    #[n(3)]
    Attempt,
    /// Sequence numbers that will never come, stated by the terminal itself.
    #[n(4)]
    Gap,
    /// A person was seen in the room within her lesson (在场): a spot check.
    #[n(5)]
    Presence,
    /// The terminal states something about itself or about a consent: no attendance.
    #[n(6)]
    Notice,
}

impl Event {
    /// Its stable word, and what people call it in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Event::CheckIn => ("check_in", "签到", "check-in"),
            Event::CheckOut => ("check_out", "签退", "check-out"),
            Event::Attempt => ("attempt", "尝试未通过", "attempt"),
            Event::Gap => ("gap", "缺号声明", "gap statement"),
            Event::Presence => ("presence", "在场确认", "presence"),
            Event::Notice => ("notice", "终端通告", "notice"),
        }
    }
}

/// How a person was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Way {
    /// She said who she is (card, number, choice from the list); the face was compared 1:1.
    #[n(1)]
    Claimed,
    /// She just stood there; the face was searched among the roster, 1:N.
    #[n(2)]
    Open,
    /// Without a face: by card or number and the PIN that goes with it.
    #[n(3)]
    Credential,
    /// Without a face: a member of the staff confirmed her.
    #[n(4)]
    Staff,
}

/// The terminal's answers: few and fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Outcome {
    /// Accepted.
    #[n(1)]
    Accepted,
    /// Already checked in; nothing changes.
    #[n(2)]
    AlreadyIn,
    /// The face is nobody's on this roster, or not like enough to the claimed person's.
    #[n(3)]
    NotRecognised,
    /// A claim, and the face is confidently somebody else's.
    #[n(4)]
    LooksLikeOther,
    /// Two people of the roster are too alike to tell apart here: a second factor is needed.
    #[n(5)]
    Ambiguous,
    /// The claimed person is not on the roster of this lesson.
    #[n(6)]
    NotOnRoster,
    /// A lesson comes, but its door is not open yet.
    #[n(7)]
    TooEarly,
    /// The lesson's door has closed.
    #[n(8)]
    TooLate,
    /// Not shown to be a living person before the camera.
    #[n(9)]
    NotLive,
    /// Recognised, but no lesson is near: kept as a fact, it does not count as hours.
    #[n(10)]
    NoLesson,
    /// A policy forbids it.
    #[n(11)]
    RefusedByPolicy,
}

impl Outcome {
    /// Its stable word, and what people call it in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Outcome::Accepted => ("accepted", "已接受", "accepted"),
            Outcome::AlreadyIn => ("already_in", "已签到", "already in"),
            Outcome::NotRecognised => ("not_recognised", "未识别", "not recognised"),
            Outcome::LooksLikeOther => ("looks_like_other", "像另一人", "looks like somebody else"),
            Outcome::Ambiguous => ("ambiguous", "难以区分", "two people too alike"),
            Outcome::NotOnRoster => ("not_on_roster", "不在名册", "not on the roster"),
            Outcome::TooEarly => ("too_early", "未到时间", "too early"),
            Outcome::TooLate => ("too_late", "已过时间", "too late"),
            Outcome::NotLive => ("not_live", "活体未通过", "not shown to be alive"),
            Outcome::NoLesson => ("no_lesson", "无课", "no lesson near"),
            Outcome::RefusedByPolicy => ("refused_by_policy", "规则不允许", "refused by policy"),
        }
    }
}

/// The numbers that a decision rested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Scores {
    /// Similarity to the person named by the record.
    #[n(1)]
    pub match_score: Option<Score>,
    /// Similarity to the most similar other person of the gallery.
    #[n(2)]
    pub second_score: Option<Score>,
    /// The threshold that was in force.
    #[n(3)]
    pub threshold: Score,
    /// Detector's confidence.
    #[n(4)]
    pub detection: Score,
    /// Passive liveness, where the model pack has it.
    #[n(5)]
    pub liveness: Option<Score>,
    /// On how many pictures the scores rest; absent where it was one.
    #[n(6)]
    pub pictures: Option<u32>,
    /// What came of the movements that were asked for, to show that the person is alive.
    #[n(7)]
    pub challenge: Option<Challenged>,
}

/// What came of an active challenge: movements of the head in a random order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Challenged {
    /// The head moved as asked, and as a solid head moves.
    #[n(1)]
    Passed,
    /// It moved as a flat picture does.
    #[n(2)]
    Flat,
    /// Not in time, or not as asked.
    #[n(3)]
    NotFollowed,
    /// The same pictures came again.
    #[n(4)]
    Repeated,
}

impl Challenged {
    /// Its stable word, and what people call it in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Challenged::Passed => ("passed", "动作通过", "passed"),
            Challenged::Flat => ("flat", "像平面图片", "moved like a flat picture"),
            Challenged::NotFollowed => ("not_followed", "未按提示动作", "not as asked"),
            Challenged::Repeated => ("repeated", "画面重复", "pictures repeated"),
        }
    }
}

/// A confident match to somebody other than the person claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherPerson {
    /// Whom the face belongs to, by this terminal's gallery.
    pub person: PersonId,
    /// How similar.
    pub score: Score,
}

/// The face of this record is the face of an earlier accepted record, under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct SameFace {
    /// Sequence number of the earlier record of the same terminal.
    #[n(1)]
    pub seq: u64,
    /// How similar.
    #[n(2)]
    pub score: Score,
}

/// One decision about one person, before it is sealed. Holds the readable person id, so it
/// never leaves the terminal as it is: `record::Record` carries only commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIn {
    /// What happened.
    pub event: Event,
    /// The terminal's answer.
    pub outcome: Outcome,
    /// The lesson it belongs to, by the terminal's timetable.
    pub lesson: Option<LessonId>,
    /// The person claimed (1:1) or found (1:N).
    pub person: Option<PersonId>,
    /// How she was identified; `None` when nobody was.
    pub way: Option<Way>,
    /// The numbers behind it.
    pub scores: Option<Scores>,
    /// With a claim that fails: whom the face belongs to instead.
    pub other: Option<OtherPerson>,
    /// The same face under another name, earlier at this terminal.
    pub same_face: Option<SameFace>,
    /// With [`Way::Staff`]: who confirmed her.
    pub staff: Option<PersonId>,
}
