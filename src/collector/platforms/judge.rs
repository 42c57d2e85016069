//! Takes in what online platforms report (docs/spec/platform-v1.md): who signed it, whether it is the next one, and
//! whether it says what a report may say. Pure: bytes in, facts out; whoever runs it commits them and only then
//! answers.
//!
//! - A report that is there already is answered again and stated once: a broker delivers twice.
//! - One that is ahead is not taken: its platform hears up to which number all is there, and goes on from it. So
//!   nothing waits in memory.
//! - What a platform may send in an hour has a bound: a key that was stolen cannot fill the disk unseen.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::domain::{Activity, Fact, PlatformId, Timestamp};
use crate::record::report::{Flaw, REPORT_BYTES_MAX, Report, ReportTaken};
use crate::record::{SigningKey, VerifyingKey, open_statement, seal_statement};

/// Most stretches of one platform in an hour: fifty thousand people at once, with two each.
const STRETCHES_PER_HOUR_MAX: usize = 100_000;

const HOUR_MS: i64 = 3_600_000;

/// How far a report may be made ahead of the centre's clock.
const AHEAD_MS_MAX: i64 = 10 * 60_000;

/// Why a report is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody registered the platform.
    Unknown,
    /// No report, or not signed with the platform's key.
    Unsigned,
    /// It names another platform than its topic.
    Foreign,
    /// It says something that no report may say.
    Flawed(Flaw),
    /// It was made too far in the future.
    Ahead,
    /// One before it is missing.
    Gap,
    /// More than a platform may send in an hour.
    Flood,
}

impl Reason {
    /// Stable word for the log and for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Unknown => "report_unknown_platform",
            Reason::Unsigned => "report_unsigned",
            Reason::Foreign => "report_foreign",
            Reason::Flawed(_) => "report_flawed",
            Reason::Ahead => "report_ahead",
            Reason::Gap => "report_gap",
            Reason::Flood => "report_flood",
        }
    }
}

/// What became of a report, for whoever waits to hear it. It is told after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// All of it is in the ledger. The sealed answer.
    Taken(Vec<u8>),
    /// One before it is missing. The sealed answer, which says up to which number all are there.
    Missing(Vec<u8>),
    /// It is not taken.
    Refused(Reason),
}

/// A platform as it is known.
#[derive(Debug, Clone)]
struct Seat {
    key: Option<VerifyingKey>,
    upto: u64,
    hour: i64,
    stretches: usize,
}

/// See the file's head.
#[derive(Debug, Clone, Default)]
pub struct Platforms {
    seats: BTreeMap<PlatformId, Seat>,
}

impl Platforms {
    /// Takes note of a fact that the ledger holds, or is about to.
    pub fn learn(&mut self, fact: &Fact) {
        if let Fact::Platform(platform) = fact {
            let key = VerifyingKey::from_bytes(&platform.key).ok();
            let seat = self.seats.entry(platform.id.clone());
            seat.or_insert(Seat { key: None, upto: 0, hour: 0, stretches: 0 }).key = key;
        } else if let Fact::Activity(Activity { platform, report, .. }) = fact
            && let Some(seat) = self.seats.get_mut(platform)
        {
            seat.upto = seat.upto.max(*report);
        }
    }

    /// Judges a report that came under a platform's name: facts to state, none if it is there already.
    pub fn take(
        &mut self,
        topic: &PlatformId,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Fact>, Reason> {
        let seat = self.seats.get_mut(topic).ok_or(Reason::Unknown)?;
        let key = seat.key.as_ref().ok_or(Reason::Unknown)?;
        if sealed.len() > REPORT_BYTES_MAX {
            return Err(Reason::Unsigned);
        }
        let report: Report = open_statement(sealed, key).map_err(|_| Reason::Unsigned)?;
        if report.platform != *topic {
            return Err(Reason::Foreign);
        }
        if report.number <= seat.upto && report.number > 0 {
            return Ok(Vec::new());
        }
        if let Some(flaw) = report.flaw() {
            return Err(Reason::Flawed(flaw));
        }
        if report.number != seat.upto + 1 {
            return Err(Reason::Gap);
        }
        if report.made.ms_since(now) > AHEAD_MS_MAX {
            return Err(Reason::Ahead);
        }
        let hour = now.as_ms() / HOUR_MS;
        if seat.hour != hour {
            (seat.hour, seat.stretches) = (hour, 0);
        }
        seat.stretches += report.stretches.len();
        if seat.stretches > STRETCHES_PER_HOUR_MAX {
            return Err(Reason::Flood);
        }
        seat.upto = report.number;
        let digest = Sha256::digest(sealed).into();
        Ok(report.into_activities(digest).into_iter().map(Fact::Activity).collect())
    }

    /// What a platform is told after the commit; `None` for one that nobody registered.
    pub fn answer(
        &self,
        platform: &PlatformId,
        receipt: &SigningKey,
        at: Timestamp,
    ) -> Option<Vec<u8>> {
        let upto = self.seats.get(platform)?.upto;
        Some(seal_statement(&ReportTaken { platform: platform.clone(), upto, at }, receipt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bilingual, Happened, Happening, PersonId, Platform};
    use crate::record::Opening;
    use crate::record::report::Stretch;

    const NOW: Timestamp = Timestamp::from_ms(1_772_411_405_000);

    fn key(n: u8) -> SigningKey {
        SigningKey::from_secret(&[n; 32])
    }

    fn registered() -> Platforms {
        let mut platforms = Platforms::default();
        platforms.learn(&Fact::Platform(Platform {
            id: "xue".parse().unwrap(),
            name: Bilingual::new("学", "Xue"),
            key: key(1).verifying_key().to_bytes(),
            functions: Vec::new(),
            listed: None,
        }));
        platforms
    }

    fn report(number: u64) -> Report {
        let beat = Happened { after_ms: 0, what: Happening::Beat, pages: Some(1) };
        let stretch = Stretch {
            session: [1; 16],
            account: [2; 32],
            device: [3; 32],
            person: Opening { salt: [4; 32], person: PersonId([5; 16]) },
            lesson: None,
            from: NOW,
            happenings: vec![beat],
        };
        let (platform, stretches) = ("xue".parse().unwrap(), vec![stretch]);
        Report { platform, number, made: NOW, stretches }
    }

    #[test]
    fn reports_are_taken_in_their_order_once_and_a_gap_is_told() {
        let mut platforms = registered();
        let xue = "xue".parse().unwrap();
        let mut take = |number| {
            platforms.take(&xue, &seal_statement(&report(number), &key(1)), NOW).map(|it| it.len())
        };
        assert_eq!(take(2), Err(Reason::Gap));
        assert_eq!(take(1), Ok(1));
        assert_eq!(take(1), Ok(0), "delivered twice");
        assert_eq!((take(3), take(2), take(3)), (Err(Reason::Gap), Ok(1), Ok(1)));
        assert_eq!(take(0), Err(Reason::Gap));
        let answer = platforms.answer(&xue, &key(9), NOW).unwrap();
        let answer: ReportTaken = open_statement(&answer, &key(9).verifying_key()).unwrap();
        assert_eq!(answer.upto, 3);
        // A centre that starts anew goes on where its ledger ends.
        let mut again = registered();
        let activity = report(3).into_activities([0; 32]).remove(0);
        again.learn(&Fact::Activity(activity));
        let sealed = |number| seal_statement(&report(number), &key(1));
        assert_eq!(again.take(&xue, &sealed(3), NOW), Ok(vec![]));
        assert!(again.take(&xue, &sealed(4), NOW).is_ok());
    }

    #[test]
    fn what_is_not_the_platforms_word_is_not_taken() {
        let mut platforms = registered();
        let (xue, other) = ("xue".parse().unwrap(), "other".parse().unwrap());
        let sealed = seal_statement(&report(1), &key(1));
        assert_eq!(platforms.take(&other, &sealed, NOW), Err(Reason::Unknown));
        let forged = seal_statement(&report(1), &key(2));
        assert_eq!(platforms.take(&xue, &forged, NOW), Err(Reason::Unsigned));
        assert_eq!(platforms.take(&xue, b"not a report", NOW), Err(Reason::Unsigned));
        let foreign = Report { platform: "other".parse().unwrap(), ..report(1) };
        let foreign = seal_statement(&foreign, &key(1));
        assert_eq!(platforms.take(&xue, &foreign, NOW), Err(Reason::Foreign));
        let empty = seal_statement(&Report { stretches: vec![], ..report(1) }, &key(1));
        assert!(matches!(platforms.take(&xue, &empty, NOW), Err(Reason::Flawed(_))));
        let ahead = Report { made: NOW.plus_ms(HOUR_MS), ..report(1) };
        let ahead = seal_statement(&ahead, &key(1));
        assert_eq!(platforms.take(&xue, &ahead, NOW), Err(Reason::Ahead));
        let mut cut = sealed.clone();
        cut.truncate(cut.len() - 1);
        assert_eq!(platforms.take(&xue, &cut, NOW), Err(Reason::Unsigned));
        assert_eq!(platforms.take(&xue, &sealed, NOW).map(|it| it.len()), Ok(1));
    }

    #[test]
    fn a_flood_is_not_taken_and_the_next_hour_goes_on() {
        let mut platforms = registered();
        let xue = "xue".parse().unwrap();
        platforms.seats.get_mut(&xue).unwrap().stretches = STRETCHES_PER_HOUR_MAX;
        platforms.seats.get_mut(&xue).unwrap().hour = NOW.as_ms() / HOUR_MS;
        let sealed = seal_statement(&report(1), &key(1));
        assert_eq!(platforms.take(&xue, &sealed, NOW), Err(Reason::Flood));
        let later = NOW.plus_ms(HOUR_MS);
        assert_eq!(platforms.take(&xue, &sealed, later).map(|it| it.len()), Ok(1));
    }
}
