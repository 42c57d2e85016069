//! Why hours do not count.

use crate::domain::{Aspect, Bilingual, Lesson, State, Subject, Timestamp};
use crate::registry::Registry;

/// One reason. None of them is by itself a fraud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The class was registered only when the lesson had begun, or never.
    ClassLate,
    /// The lesson was registered only when it had begun.
    LessonLate,
    /// The terminal is not registered for the site of the lesson.
    OtherSite,
    /// When it was made is not proven.
    TimeNotProven,
    /// A coming without a going, or a going without a coming.
    OneMark,
    /// Teaching was suspended, or the lesson cancelled.
    Suspended,
    /// The institution was not in the directory any more, or its agreement had ended.
    Delisted,
    /// The institution was on the black list.
    BlackListed,
    /// The institution's licence was revoked.
    Unlicensed,
    /// A platform that reported it was not listed, or not all its functions were evidenced.
    UnlistedPlatform,
}

impl Reason {
    /// Its stable word.
    pub fn code(self) -> &'static str {
        match self {
            Self::ClassLate => "class_late",
            Self::LessonLate => "lesson_late",
            Self::OtherSite => "other_site",
            Self::TimeNotProven => "time_not_proven",
            Self::OneMark => "one_mark",
            Self::Suspended => "suspended",
            Self::Delisted => "delisted",
            Self::BlackListed => "black_listed",
            Self::Unlicensed => "unlicensed",
            Self::UnlistedPlatform => "unlisted_platform",
        }
    }

    /// For people to read.
    pub fn text(self) -> Bilingual {
        let (zh, en) = match self {
            Self::ClassLate => {
                ("班级在开课后才登记", "the class was registered after the lesson began")
            }
            Self::LessonLate => ("课次在开始后才登记", "the lesson was registered after it began"),
            Self::OtherSite => ("终端不属于本教学点", "the terminal is not the site's"),
            Self::TimeNotProven => {
                ("时间未经证明，待核实", "its time is not proven, to be confirmed")
            }
            Self::OneMark => ("只有签到或只有签退", "a coming without a going, or a going alone"),
            Self::Suspended => ("当时已暂停或取消", "suspended or cancelled at that time"),
            Self::Delisted => (
                "当时不在目录内或协议已终止",
                "not in the directory, or without an agreement, at that time",
            ),
            Self::BlackListed => ("当时在黑名单内", "on the black list at that time"),
            Self::Unlicensed => ("当时许可已吊销", "without a licence at that time"),
            Self::UnlistedPlatform => (
                "线上平台不在公布名单或功能未全部证明",
                "the platform was not listed, or not all its functions were evidenced",
            ),
        };
        Bilingual::new(zh, en)
    }
}

/// What a state means for hours; `None`: nothing.
fn forbids(state: State) -> Option<Reason> {
    match state {
        State::Suspended | State::Cancelled => Some(Reason::Suspended),
        State::Delisted | State::AgreementEnded => Some(Reason::Delisted),
        State::BlackListed => Some(Reason::BlackListed),
        State::LicenceRevoked => Some(Reason::Unlicensed),
        State::Applied
        | State::Opened
        | State::Closed
        | State::Resumed
        | State::EnrolmentStopped
        | State::EnrolmentResumed
        | State::RectificationOrdered
        | State::Rectified
        | State::Listed
        | State::WhiteListed
        | State::Unlisted
        | State::Agreement
        | State::Licensed
        | State::Inspected
        | State::SiteVerified
        | State::Submitted
        | State::Approved
        | State::Rejected
        | State::Paid
        | State::TakenBack
        | State::Shared => None,
    }
}

/// Aspects whose states bear on hours.
const ASPECTS: [Aspect; 5] =
    [Aspect::Running, Aspect::Directory, Aspect::Colour, Aspect::Agreement, Aspect::Licence];

/// What forbade this lesson at a moment, by the states that held then, whenever they were stated: a record
/// that was made offline after a measure took effect does not count on arrival.
pub(super) fn forbidden(registry: &Registry, lesson: &Lesson, at: Timestamp) -> Vec<Reason> {
    let mut subjects = vec![
        Subject::Lesson(lesson.id.clone()),
        Subject::Class(lesson.class.clone()),
        Subject::Site(lesson.site.clone()),
    ];
    let institution = registry.class(&lesson.class).map(|class| class.institution.clone());
    subjects.extend(institution.map(Subject::Institution));
    let states = subjects.iter().flat_map(|of| {
        ASPECTS.into_iter().filter_map(|aspect| {
            let stated = registry.status_at(of, aspect, at)?;
            let holds = stated.status.until.is_none_or(|until| at < until);
            holds.then_some(stated.status.state)
        })
    });
    states.filter_map(forbids).collect()
}
