//! A record that contradicts its own clock (事后补造). Page: docs/rules/made_afterwards.md.
//!
//! ## What it sees
//! A record whose terminal says that its clock is right, and whose time contradicts what the terminal knew
//! when it made it: a time that the centre had signed for it, how long it had been running since, its own
//! record before, or a clock that moved otherwise than the running time. Once for each terminal and day of the
//! centre's time.
//!
//! ## Why it matters
//! A terminal of ours calls its clock doubtful in each of these cases (docs/decisions/0034). The record was
//! made at another time than it says, mostly later, with a clock that was set back (Hubei 二(一): 不得事后补录).
//!
//! ## Example
//! A check-in of 08:25, in a record that carries the centre's time of 19:00 of the same day, with the clock
//! called in step.
//!
//! ## What it cannot know
//! Who did it, and whether with intent; a program that is not ours, or broken hardware, does it too. Whoever
//! controls the program can let the running time fit as well, and then nothing is seen here.
//!
//! ## What to do
//! Hold the terminal's firmware against the registered one; ask who has access to it; look at all its
//! records since its last undoubted time.

use crate::domain::{AnomalyId, AnomalyKind, Bilingual, Finding, Severity, Timestamp};
use crate::ledger::{Body, Entry};
use crate::rules::clocks::{Against, Daily, Heard};
use crate::rules::time_refuted::Claim;
use crate::rules::{Ground, Rule, words};

/// Remembers on which day each terminal was last told of: no more than are registered.
#[derive(Default)]
pub(super) struct MadeAfterwards {
    told: Daily,
}

impl Rule for MadeAfterwards {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MadeAfterwards
    }

    fn version(&self) -> u16 {
        2
    }

    fn numbers(&self) -> &'static [&'static str] {
        &["clock_tolerance_s", "holding_clock_uncertainty_s"]
    }

    fn clock_heard(
        &mut self,
        entry: &Entry,
        heard: &Heard<Claim>,
        Ground { registry, site, .. }: &Ground<'_>,
    ) -> Vec<Finding> {
        let (Body::Record { record, person, .. }, Some((against, witness))) =
            (&entry.body, heard.against)
        else {
            return Vec::new();
        };
        let terminal = &record.terminal;
        if !self.told.is_first(terminal, heard.signed) {
            return Vec::new();
        }
        let place = words::place(registry, terminal);
        let said = words::clock(record.clock.wall);
        let how = words_of(against, record.clock.wall);
        let mut evidence = vec![witness, entry.index];
        evidence.dedup();
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[entry.index]),
            kind: self.kind(),
            severity: Severity::Alarm,
            at: entry.committed_at,
            who: person.iter().copied().collect(),
            terminals: vec![terminal.clone()],
            site: site.cloned(),
            why: Bilingual::new(
                format!(
                    "{}：终端 {terminal} 的一条记录自称作于 {said}，{}，而终端称其时钟无误。时钟被改动后补造记录即\
                     如此；正规终端此时会声明时钟可疑。同一终端按中心时间每日只提示一次。",
                    place.zh, how.zh
                ),
                format!(
                    "{}: a record of terminal {terminal} says that it was made at {said}, {}, while the \
                     terminal calls its clock right. Records made afterwards with a clock that was set look so; \
                     a genuine terminal would doubt its clock. Said once for a terminal and day of the centre's \
                     time.",
                    place.en, how.en
                ),
            ),
            evidence,
        }]
    }
}

/// What the time `wall` contradicts.
fn words_of(against: Against, wall: Timestamp) -> Bilingual {
    let earlier = |than: Timestamp| words::length(than.ms_since(wall));
    let (zh, en) = match against {
        Against::Signed(signed) => {
            let (known, by) = (words::clock(signed), earlier(signed));
            (
                format!("却载有中心 {known} 签发的时间，即作于其后，早了 {}", by.zh),
                format!(
                    "and carries the centre's signed time of {known}, after which it was made: {} earlier",
                    by.en
                ),
            )
        }
        Against::Running(least) => {
            let (least, by) = (words::clock(least), earlier(least));
            (
                format!(
                    "而按此前所载的中心时间与开机以来的运行时间，不早于 {least}，早了 {}",
                    by.zh
                ),
                format!(
                    "and by the centre's time of before and its running time since it was made at {least} or \
                     later: {} earlier",
                    by.en
                ),
            )
        }
        Against::OwnRecord(own) => {
            let (own, by) = (words::clock(own), earlier(own));
            (
                format!("却作于本机自称 {own} 的上一条记录之后，早了 {}", by.zh),
                format!(
                    "and was made after the terminal's own record of {own}: {} earlier",
                    by.en
                ),
            )
        }
        Against::Moved(other, by_ms) => {
            let (other, by) = (words::clock(other), words::length(by_ms));
            (
                format!(
                    "而与同一次开机内自称 {other} 的记录相比，时钟所走与运行时间相差 {}",
                    by.zh
                ),
                format!(
                    "and since the record of {other} in the same boot its clock has moved by {} otherwise than \
                     its running time",
                    by.en
                ),
            )
        }
        Against::Backwards => (
            "而其开机次数、运行时间或所载的中心时间小于上一条记录".to_owned(),
            "and its boot, its running time or the centre's time in it is less than in the record before"
                .to_owned(),
        ),
        Against::Forgotten => (
            "而本次开机内已与中心对时，此后却称尚未对时".to_owned(),
            "and says that the centre was not heard in this boot, while an earlier record of it had heard it"
                .to_owned(),
        ),
    };
    Bilingual::new(zh, en)
}
