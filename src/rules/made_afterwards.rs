//! A record that contradicts its own clock (事后补造). Page: docs/rules/made_afterwards.md.
//!
//! ## What it sees
//! A record whose terminal says that its clock is right, and whose time lies before a time that the centre
//! had signed for this terminal earlier. Once for each terminal and day.
//!
//! ## Why it matters
//! The chain says that it was made after that signed time: it was made later than it says, with a clock
//! that was set back (Hubei 二(一): 不得事后补录).
//!
//! ## Example
//! A check-in of 08:25, in a record that carries the centre's time of 19:00 of the same day, with the clock
//! called in step.
//!
//! ## What it cannot know
//! Who did it, and whether with intent. A terminal of ours calls its clock doubtful in this case, and is not
//! flagged; one that does not is not our program, or a broken one.
//!
//! ## What to do
//! Hold the terminal's firmware against the registered one; ask who has access to it; look at all its
//! records since its last undoubted time.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, ClockQuality, Finding, Severity, TerminalId,
};
use crate::ledger::{Body, Entry};
use crate::rules::{Ground, Rule, words};

/// Remembers on which day each terminal was last told of: no more than are registered.
#[derive(Default)]
pub(super) struct MadeAfterwards {
    told: BTreeMap<TerminalId, Date>,
}

impl Rule for MadeAfterwards {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::MadeAfterwards
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &["clock_tolerance_s"]
    }

    fn judge(&mut self, entry: &Entry, ground: &Ground<'_>) -> Vec<Finding> {
        let Ground { registry, policy, .. } = *ground;
        let Body::Record { record, person, .. } = &entry.body else { return Vec::new() };
        let sure = match record.clock.quality {
            ClockQuality::Synced | ClockQuality::Holding => true,
            ClockQuality::Doubtful => false,
        };
        let tolerance_ms = i64::from(policy.clock_tolerance_s()) * 1000;
        let wall = record.clock.wall;
        let Some(signed) = record.clock.signed.filter(|_| sure) else { return Vec::new() };
        if wall.plus_ms(tolerance_ms) >= signed {
            return Vec::new();
        }
        let date = entry.committed_at.shanghai().date();
        if self.told.insert(record.terminal.clone(), date) == Some(date) {
            return Vec::new();
        }
        let place = words::place(registry, &record.terminal);
        let (said, known) = (words::clock(wall), words::clock(signed));
        let earlier = words::length(signed.ms_since(wall));
        let terminal = &record.terminal;
        vec![Finding {
            id: AnomalyId::of(self.kind(), &[entry.index]),
            kind: self.kind(),
            severity: Severity::Alarm,
            at: entry.committed_at,
            who: person.iter().copied().collect(),
            terminals: vec![terminal.clone()],
            site: registry.site_of(terminal).cloned(),
            why: Bilingual::new(
                format!(
                    "{}：终端 {terminal} 的一条记录自称作于 {said}，却载有中心 {known} 签发的时间，即作于其后；\
                     早了 {}，而终端称其时钟无误。时钟被回拨后补造记录即如此；正规终端此时会声明时钟可疑。\
                     同一终端当日不再重复提示。",
                    place.zh, earlier.zh
                ),
                format!(
                    "{}: a record of terminal {terminal} says that it was made at {said}, and carries the \
                     centre's signed time of {known}, after which it was made: {} earlier, while the \
                     terminal calls its clock right. Records made afterwards with a clock set back look so; \
                     a genuine terminal would doubt its clock. Said once a day for a terminal.",
                    place.en, earlier.en
                ),
            ),
            evidence: vec![entry.index],
        }]
    }
}
