//! Attendance whose time a later record refutes (时间被推翻). Page: docs/rules/time_refuted.md.
//!
//! ## What it sees
//! Attendance in a lesson by a clock that was not in doubt, of which the chain proves that it was made when
//! the lesson was over, or before its door opened: the centre's time came later in the same boot and says when
//! that began, or was held by the terminal before the time that the record gives, and the clock had to go back
//! for it. What one record refutes is told together, once for each terminal and day of the centre's time.
//!
//! ## Why it matters
//! A gap may have been filled later, or a lesson ahead of its time (Hubei 二(一): 不得事后补录). Such marks do
//! not count (docs/rules/hours.md).
//!
//! ## Example
//! In the evening a terminal without a network is switched on with its clock at 08:20, and a class checks in;
//! then it is plugged in, and hears 20:05 after 45 minutes of running.
//!
//! ## What it cannot know
//! Whether the clock was honestly wrong, and nobody set it: an old battery, a repair, a time zone. Records
//! that were made at another time in another boot, if no signed time came before that boot was over. Whoever
//! controls the program can let the running time fit.
//!
//! ## What to do
//! Ask when these people were there and who set the clock; compare with the room's cameras, the teacher and the
//! site's other terminal; have the battery looked at.

use crate::domain::{
    AnomalyId, AnomalyKind, Bilingual, Event, Finding, Outcome, PersonId, Policy, Severity,
    Timestamp,
};
use crate::ledger::{Body, Entry};
use crate::record::Record;
use crate::registry::Registry;
use crate::rules::clocks::{Bound, Clocks, Daily, Heard, Refuted};
use crate::rules::{Ground, Rule, words};

const MINUTE_MS: i64 = 60_000;

/// Most records that one anomaly names: a class of fifty, in and out. It says how many there are.
const NAMED_MAX: usize = 100;

/// What attendance claims: that the door of its lesson was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    index: u64,
    person: Option<PersonId>,
    opens: Timestamp,
    closes: Timestamp,
}

impl Claim {
    fn of(
        record: &Record,
        person: Option<PersonId>,
        index: u64,
        registry: &Registry,
        policy: &Policy,
    ) -> Option<Self> {
        let leaves = match record.event {
            Event::CheckIn | Event::Presence => false,
            Event::CheckOut => true,
            Event::Attempt | Event::Gap | Event::Notice => return None,
        };
        let id = record.lesson.as_ref().filter(|_| record.outcome == Some(Outcome::Accepted))?;
        let starts = registry.lesson(id)?.lesson.starts;
        // Nobody checks out before the end alone.
        let after = if leaves { policy.overrun_minutes_max() } else { 0 };
        let closes = registry.latest_end_of(id)?.plus_ms(i64::from(after) * MINUTE_MS);
        let opens = starts.plus_ms(-i64::from(policy.door_opens_minutes_before()) * MINUTE_MS);
        Some(Self { index, person, opens, closes })
    }
}

/// Lets the clocks take in an entry; what it says of them, if anything.
pub(super) fn hear(
    clocks: &mut Clocks<Claim>,
    entry: &Entry,
    ground: &Ground<'_>,
) -> Option<Heard<Claim>> {
    let Ground { registry, policy, .. } = *ground;
    let Body::Record { record, person, .. } = &entry.body else { return None };
    let terminal = ground.numbers?.terminal;
    let claim = || Claim::of(record, *person, entry.index, registry, policy);
    let heard = clocks.take((record, terminal), (entry.index, entry.committed_at), policy, claim);
    (!heard.is_plain()).then_some(heard)
}

/// Remembers on which day each terminal was last told of: no more than are registered.
#[derive(Default)]
pub(super) struct TimeRefuted {
    told: Daily,
}

impl Rule for TimeRefuted {
    fn kind(&self) -> AnomalyKind {
        AnomalyKind::TimeRefuted
    }

    fn version(&self) -> u16 {
        1
    }

    fn numbers(&self) -> &'static [&'static str] {
        &[
            "clock_tolerance_s",
            "holding_clock_uncertainty_s",
            "door_opens_minutes_before",
            "overrun_minutes_max",
        ]
    }

    fn clock_heard(
        &mut self,
        entry: &Entry,
        heard: &Heard<Claim>,
        Ground { registry, site, .. }: &Ground<'_>,
    ) -> Vec<Finding> {
        let Body::Record { record, .. } = &entry.body else { return Vec::new() };
        let outside: Vec<&Refuted<Claim>> =
            heard.refuted.iter().filter(|it| is_outside(it)).collect();
        let (Some(first), Some(last)) =
            (outside.iter().min_by_key(|it| it.wall), outside.iter().max_by_key(|it| it.wall))
        else {
            return Vec::new();
        };
        let terminal = &record.terminal;
        if !self.told.is_first(terminal, heard.signed) {
            return Vec::new();
        }
        let named = || outside.iter().take(NAMED_MAX);
        let mut who: Vec<PersonId> = named().filter_map(|it| it.what.person).collect();
        who.sort_unstable();
        who.dedup();
        let mut evidence: Vec<u64> =
            named().map(|it| it.what.index).chain([first.witness]).collect();
        evidence.sort_unstable();
        evidence.dedup();
        let (place, many) = (words::place(registry, terminal), outside.len());
        let said = match first.wall == last.wall {
            true => words::clock(first.wall),
            false => words::stretch(first.wall, last.wall),
        };
        let proven = proof(first);
        vec![Finding {
            id: AnomalyId::of(self.kind(), &evidence),
            kind: self.kind(),
            severity: Severity::Warning,
            at: entry.committed_at,
            who,
            terminals: vec![terminal.clone()],
            site: site.cloned(),
            why: Bilingual::new(
                format!(
                    "{}：终端 {terminal} 的考勤（{many} 条）自称作于 {said}，而按其记录链所载的中心时间，最早一条{}。\
                     可能事后补造或提前造好；时钟确实走错而无人改动也会如此。这些时间不计学时。同一终端按中心\
                     时间每日只提示一次。",
                    place.zh, proven.zh
                ),
                format!(
                    "{}: attendance at terminal {terminal} ({many} in all) says {said}, but by the centre's time in \
                     its chain the earliest {}. It may have been made up afterwards, or ahead; a \
                     clock that was honestly wrong looks the same. These times do not count. Said once for a \
                     terminal and day of the centre's time.",
                    place.en, proven.en
                ),
            ),
            evidence,
        }]
    }
}

/// Whether it was made when its lesson's door was not open.
fn is_outside(refuted: &Refuted<Claim>) -> bool {
    match refuted.bound {
        Bound::NotBefore(least) => refuted.what.closes < least,
        Bound::NotAfter(most) => most < refuted.what.opens,
    }
}

fn proof(refuted: &Refuted<Claim>) -> Bilingual {
    match refuted.bound {
        Bound::NotBefore(least) => {
            let least = words::clock(least);
            Bilingual::new(
                format!("不早于 {least}，其时课次已经结束"),
                format!("was made at {least} or later, when its lesson was over"),
            )
        }
        Bound::NotAfter(most) => {
            let most = words::clock(most);
            Bilingual::new(
                format!("不晚于 {most}，其时课次尚未开放签到"),
                format!("was made by {most}, before the door of its lesson opened"),
            )
        }
    }
}
