//! What a voyage meets: drawn from the seed once, before it begins. Each kind of fault is there or
//! not, so that some voyages are all of one kind and each pair of kinds meets somewhere (Groce et al.,
//! "Swarm testing", ISSTA 2012).

use super::dice::Dice;
use crate::journal::Bounds;
use crate::uplink::Pace;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Something that befalls the whole or one station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    BrokerDown,
    BrokerForgets,
    HalfOpen,
    CentreKilled,
    CentreRestored,
    ReceiptKeyChanged,
    PowerCut,
    ProcessKilled,
    ClockJumps,
    Offline,
    Liar,
    Cloned,
    OlderCopy,
    Damaged,
}

const FAULTS: [(Fault, u64); 14] = [
    (Fault::BrokerDown, 500),
    (Fault::BrokerForgets, 500),
    (Fault::HalfOpen, 500),
    (Fault::CentreKilled, 500),
    (Fault::CentreRestored, 400),
    (Fault::ReceiptKeyChanged, 200),
    (Fault::PowerCut, 500),
    (Fault::ProcessKilled, 400),
    (Fault::ClockJumps, 300),
    (Fault::Offline, 400),
    (Fault::Liar, 300),
    (Fault::Cloned, 150),
    (Fault::OlderCopy, 150),
    (Fault::Damaged, 200),
];

/// The weather of one voyage. Shares are in thousandths.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    pub(super) stations: usize,
    pub(super) checkins: u64,
    pub(super) checkin_ms_max: u64,
    pub(super) segment_bytes: u64,
    pub(super) bounds: Bounds,
    pub(super) pace: Pace,
    pub(super) faults: Vec<Fault>,
    pub(super) fault_ms_max: u64,
    /// Then all faults end.
    pub(super) fair_at_ms: u64,
    /// Then everybody must have his answer.
    pub(super) end_at_ms: u64,
    pub(super) offline_ms_max: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) corrupted: u64,
    pub(super) truncated: u64,
    pub(super) late: u64,
    pub(super) late_ms_max: u64,
    pub(super) commit_fails: u64,
    pub(super) dies_before_answer: u64,
}

impl Weather {
    pub(super) fn forecast(dice: &mut Dice) -> Self {
        let faults = FAULTS.into_iter().filter(|(_, share)| dice.happens(*share));
        let mut faults: Vec<Fault> = faults.map(|(fault, _)| fault).collect();
        // One voyage in ten is a month at sea. Two terminals of one name would throw each other out
        // all the time.
        let long = dice.happens(100);
        faults.retain(|fault| !long || *fault != Fault::Cloned);
        let (ask_ms, offline_ms_max, storm_ms) = if long {
            (12 * HOUR_MS, 40 * DAY_MS, dice.between(10, 40) * DAY_MS)
        } else {
            (10 * MINUTE_MS, 10 * MINUTE_MS, dice.between(3, 15) * MINUTE_MS)
        };
        let records_max = dice.pick(&[8, 20, 100, 100]);
        let bounds =
            Bounds { records_max, bytes_max: 1 << 20, kept_days: 30, kept_bytes_max: 1 << 20 };
        let pace = Pace {
            retry_ms_min: 500,
            retry_ms_max: 30_000,
            answer_ms_min: 5_000,
            answer_ms_max: MINUTE_MS,
            unanswered_batches_max: dice.pick(&[1, 2, 8]),
            ask_ms,
            status_ms_min: 2_000,
        };
        let mut share = |most: u64| if dice.happens(500) { dice.below(most) } else { 0 };
        let (lost, doubled) = (share(200), share(200));
        let (corrupted, truncated) = (share(60), share(60));
        let (late, commit_fails, dies_before_answer) = (share(200), share(80), share(80));
        let (stations, checkins) = (dice.index(3) + 1, dice.between(4, 40));
        let checkin_ms_max = if long { storm_ms / 20 } else { dice.between(1, 30) * 1_000 };
        Self {
            stations,
            checkins,
            checkin_ms_max,
            segment_bytes: dice.between(600, 6_000),
            bounds,
            pace,
            faults,
            fault_ms_max: if long { storm_ms / 6 } else { dice.between(10, 90) * 1_000 },
            fair_at_ms: storm_ms,
            // Whoever was already on the way in the storm comes as late as that.
            end_at_ms: storm_ms + checkin_ms_max + 3 * ask_ms + 4 * HOUR_MS,
            offline_ms_max,
            lost,
            doubled,
            corrupted,
            truncated,
            late,
            late_ms_max: dice.pick(&[1_000, 20_000, 300_000]),
            commit_fails,
            dies_before_answer,
        }
    }

    /// From now on nothing goes wrong.
    pub(super) fn clear(&mut self) {
        self.faults.clear();
        (self.lost, self.doubled, self.corrupted, self.truncated) = (0, 0, 0, 0);
        (self.late, self.commit_fails, self.dies_before_answer) = (0, 0, 0);
    }
}
