//! Reports: what an online platform tells the centre of its sessions (docs/spec/platform-v1.md).
//!
//! ```text
//! platform ══ Report: COSE_Sign1 by its own key, stretches of sessions ══► centre
//! platform ◄═ ReportTaken: COSE_Sign1 by the receipt key, after the commit ══ centre
//! ```
//!
//! Each stretch carries what opens its person's commitment; the centre keeps that beside the entry, where it
//! can be erased.

use minicbor::{Decode, Encode};

use super::commitment::Opening;
use super::cose::Typ;
use super::statement::Stated;
use crate::domain::{
    Activity, HAPPENINGS_MAX, Happened, Happening, LessonId, PlatformId, Timestamp,
};

/// Most stretches of one report.
pub const STRETCHES_MAX: usize = 64;

/// Longest report, in bytes: so many of the longest stretches, and a frame.
pub const REPORT_BYTES_MAX: usize = 80 * 1024;

/// How many pages a beat can tell of.
const PAGES_MAX: u32 = 1_000;

/// A stretch of a session, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Stretch {
    /// Names the session: random.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub session: [u8; 16],
    /// Stands for the account, for one day.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub account: [u8; 32],
    /// Stands for the device, for one day.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub device: [u8; 32],
    /// Whose account it is.
    #[n(4)]
    pub person: Opening,
    /// The lesson that it is part of.
    #[n(5)]
    pub lesson: Option<LessonId>,
    /// When it begins.
    #[n(6)]
    pub from: Timestamp,
    /// What happened in it.
    #[n(7)]
    pub happenings: Vec<Happened>,
}

/// What a platform tells.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Report {
    /// Who tells it.
    #[n(1)]
    pub platform: PlatformId,
    /// Counts its reports, from 1 without a hole.
    #[n(2)]
    pub number: u64,
    /// When it was made.
    #[n(3)]
    pub made: Timestamp,
    /// What it tells.
    #[n(4)]
    pub stretches: Vec<Stretch>,
}

impl Stated for Report {
    const TYP: Typ = Typ::Report;
    const BYTES_MAX: usize = REPORT_BYTES_MAX;
}

/// What is wrong with what a report says, in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Report {
    /// What is wrong with what it says, apart from who says it.
    pub fn flaw(&self) -> Option<Flaw> {
        let flaw = |zh, en| Some(Flaw { zh, en });
        if self.stretches.is_empty() || self.stretches.len() > STRETCHES_MAX {
            return flaw("没有学习时段，或学习时段过多", "it has no stretches, or too many");
        }
        self.stretches.iter().find_map(|stretch| {
            let all = &stretch.happenings;
            let is_told = |it: &Happened| (it.what == Happening::Beat) == it.pages.is_some();
            if all.is_empty() || all.len() > HAPPENINGS_MAX {
                flaw("某学习时段没有事件，或事件过多", "a stretch has no happenings, or too many")
            } else if !all.is_sorted_by_key(|it| it.after_ms) {
                flaw("某学习时段的事件时间倒序", "the happenings of a stretch run backwards")
            } else if !all.iter().all(is_told) {
                flaw(
                    "播放心跳须说明打开的课程页面数，其他事件不得说明",
                    "a beat tells how many pages are open, and nothing else does",
                )
            } else if all.iter().any(|it| it.pages.is_some_and(|it| it == 0 || it > PAGES_MAX)) {
                flaw("播放心跳的页面数为零或过多", "a beat tells of no page, or of too many")
            } else {
                None
            }
        })
    }

    /// Its stretches as the centre states them; `digest` is that of the sealed report.
    pub fn into_activities(self, digest: [u8; 32]) -> Vec<Activity> {
        let Self { platform, number, stretches, .. } = self;
        let activity = |it: Stretch| Activity {
            platform: platform.clone(),
            report: number,
            digest,
            session: it.session,
            account: it.account,
            device: it.device,
            person: it.person.commitment().0,
            lesson: it.lesson,
            from: it.from,
            happenings: it.happenings,
            opened: Some((it.person.salt, it.person.person)),
        };
        stretches.into_iter().map(activity).collect()
    }
}

/// The centre's answer to a report: all up to this one is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReportTaken {
    /// Whose.
    #[n(1)]
    pub platform: PlatformId,
    /// The last number that is in the ledger.
    #[n(2)]
    pub upto: u64,
    /// When it was said.
    #[n(3)]
    pub at: Timestamp,
}

impl Stated for ReportTaken {
    const TYP: Typ = Typ::ReportTaken;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PersonId;
    use crate::record::{SigningKey, open_statement, seal_statement};

    fn happened(after_ms: u32, what: Happening, pages: Option<u32>) -> Happened {
        Happened { after_ms, what, pages }
    }

    fn stretch(happenings: Vec<Happened>) -> Stretch {
        Stretch {
            session: [1; 16],
            account: [2; 32],
            device: [3; 32],
            person: Opening { salt: [4; 32], person: PersonId([5; 16]) },
            lesson: Some("a".repeat(40).parse().unwrap()),
            from: Timestamp::from_ms(i64::MAX / 2),
            happenings,
        }
    }

    fn report(stretches: Vec<Stretch>) -> Report {
        let platform = "p".repeat(40).parse().unwrap();
        Report { platform, number: u64::MAX, made: Timestamp::from_ms(i64::MAX / 2), stretches }
    }

    #[test]
    fn the_longest_report_keeps_its_bound_and_comes_back_from_its_bytes() {
        let longest = vec![happened(u32::MAX, Happening::Beat, Some(PAGES_MAX)); HAPPENINGS_MAX];
        let longest = report(vec![stretch(longest); STRETCHES_MAX]);
        assert_eq!(longest.flaw(), None);
        let key = SigningKey::from_secret(&[7; 32]);
        let sealed = seal_statement(&longest, &key);
        assert!(sealed.len() <= REPORT_BYTES_MAX, "{} bytes", sealed.len());
        assert_eq!(open_statement::<Report>(&sealed, &key.verifying_key()), Ok(longest));
    }

    /// Each stretch becomes a fact of its own, which has a bound of its own.
    #[test]
    fn the_longest_stretch_fits_a_sealed_fact() {
        use crate::domain::Fact;
        use crate::record::{SEALED_BYTES_MAX, SealedFact};
        let longest = vec![happened(u32::MAX, Happening::Beat, Some(PAGES_MAX)); HAPPENINGS_MAX];
        let activity = report(vec![stretch(longest)]).into_activities([6; 32]).remove(0);
        let fact =
            SealedFact { at: Timestamp::from_ms(i64::MAX / 2), fact: Fact::Activity(activity) };
        let sealed = seal_statement(&fact, &SigningKey::from_secret(&[7; 32]));
        assert!(sealed.len() <= SEALED_BYTES_MAX, "{} bytes", sealed.len());
    }

    #[test]
    fn what_a_report_must_not_say_is_told() {
        let beat = happened(1_000, Happening::Beat, Some(1));
        let touch = happened(2_000, Happening::Touch, None);
        assert_eq!(report(vec![stretch(vec![beat, touch])]).flaw(), None);
        for happenings in [
            vec![],
            vec![touch, beat],
            vec![happened(0, Happening::Touch, Some(1))],
            vec![happened(0, Happening::Beat, None)],
            vec![happened(0, Happening::Beat, Some(0))],
            vec![beat; HAPPENINGS_MAX + 1],
        ] {
            assert!(report(vec![stretch(happenings.clone())]).flaw().is_some(), "{happenings:?}");
        }
        assert!(report(vec![]).flaw().is_some());
        assert!(report(vec![stretch(vec![beat]); STRETCHES_MAX + 1]).flaw().is_some());
    }
}
