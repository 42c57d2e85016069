//! Where the journal stands: which records it holds, which of them are released, what comes next.
//! Pure arithmetic; the journal makes each change durable first and applies it here afterwards.

use std::collections::{BTreeMap, VecDeque};

use super::{AppendError, ReleaseError};
use crate::domain::Timestamp;
use crate::record::{Gap, Receipt, SealedHash, Verdict};

const DAY_MS: i64 = 86_400_000;

/// Most records pruned with one release, so that one durable write stays small. Receipts cover a
/// batch (64 records) each, so pruning at four times that pace keeps up.
const PRUNE_RECORDS_MAX: usize = 256;

/// What the journal may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most records that are not released. At the bound the terminal shows red.
    pub records_max: u64,
    /// Most bytes of stored records that are not released.
    pub bytes_max: u64,
    /// How long released records stay re-sendable, in days of the centre's signed time.
    pub kept_days: u32,
    /// Most bytes of released records; beyond it the oldest go before their days are over. May be
    /// passed by what one receipt releases.
    pub kept_bytes_max: u64,
}

impl Default for Bounds {
    /// Room for a door of a large school with 6,600 records a day that is cut off for 30 days, and
    /// for as much that is released and kept: a stored record has about 450 bytes, 1,200 at most, and
    /// lies on the disk twice.
    fn default() -> Self {
        Self {
            records_max: 200_000,
            bytes_max: 240 * 1024 * 1024,
            kept_days: 30,
            kept_bytes_max: 240 * 1024 * 1024,
        }
    }
}

/// What the next record must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its sequence number.
    pub seq: u64,
    /// Hash of the record before it.
    pub prev: SealedHash,
    /// Numbers before it whose records are lost: then the next record must be the statement of it.
    pub gap: Option<Gap>,
}

/// Where the journal stands. `kept_from - 1 ≤ released ≤ appended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// First sequence number that is still stored.
    pub kept_from: u64,
    /// All records up to this one are released.
    pub released: u64,
    /// Newest record; 0 when there is none yet.
    pub appended: u64,
    /// Records that are not released.
    pub waiting: u64,
}

/// What a receipt freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freed {
    /// Records that were waiting and are released now.
    pub records: u64,
    /// Where the journal stands after it.
    pub standing: Standing,
}

/// One stored record, as far as decisions need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) hash: SealedHash,
    /// Size of the stored value.
    pub(super) bytes: u64,
}

/// A run of records that one receipt released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
    /// The centre's time of the receipt.
    pub(super) at: Timestamp,
}

/// What may be forgotten now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prunable {
    /// Sequence numbers, ascending from the oldest kept.
    pub(super) records: Vec<u64>,
    /// First numbers of the spans that speak of pruned records only.
    pub(super) spans: Vec<u64>,
}

#[derive(Debug)]
struct Kept {
    place: Place,
    freed: Option<Timestamp>,
}

// kept_from - 1 ≤ released ≤ appended, where appended = kept_from + kept.len() - 1.
// A crash takes none of them back: each is changed only after the disk has it.
#[derive(Debug)]
pub(super) struct Positions {
    kept_from: u64,
    /// `kept[i]` is record `kept_from + i`.
    kept: VecDeque<Kept>,
    released: u64,
    /// First → last number of the spans that are stored.
    spans: BTreeMap<u64, u64>,
    waiting: u64,
    waiting_bytes: u64,
    freed_bytes: u64,
    /// Numbers behind the newest record that a repair has set aside: they may have been used.
    lost: Option<Gap>,
}

impl Positions {
    /// Empty, with `kept_from` as the first number to come.
    pub(super) fn starting_at(kept_from: u64) -> Self {
        Self {
            kept_from,
            kept: VecDeque::new(),
            released: kept_from - 1,
            spans: BTreeMap::new(),
            waiting: 0,
            waiting_bytes: 0,
            freed_bytes: 0,
            lost: None,
        }
    }

    /// Sets aside numbers behind the newest record.
    pub(super) fn set_aside(&mut self, gap: Gap) {
        self.lost = Some(gap);
    }

    /// Takes note that lost numbers are stated: they count as released, and hold nothing.
    pub(super) fn pass_over(&mut self, gap: Gap) {
        self.lost = None;
        let nothing = Place { hash: SealedHash::GENESIS, bytes: 0 };
        for _ in gap.first..=gap.last {
            self.kept.push_back(Kept { place: nothing, freed: Some(Timestamp::from_ms(0)) });
        }
    }

    fn appended(&self) -> u64 {
        self.kept_from + self.kept.len() as u64 - 1
    }

    fn index(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.kept_from)?).ok().filter(|i| *i < self.kept.len())
    }

    pub(super) fn next(&self) -> Slot {
        Slot {
            seq: self.lost.map_or_else(|| self.appended(), |gap| gap.last) + 1,
            prev: self.kept.back().map_or(SealedHash::GENESIS, |kept| kept.place.hash),
            gap: self.lost,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            kept_from: self.kept_from,
            released: self.released,
            appended: self.appended(),
            waiting: self.waiting,
        }
    }

    pub(super) fn freed_ahead(&self) -> Vec<u64> {
        let freed = |seq: &u64| self.index(*seq).is_some_and(|i| self.kept[i].freed.is_some());
        (self.released + 1..=self.appended()).filter(freed).collect()
    }

    /// What is taken of the bound that will be reached first, in percent; 100 only at the bound.
    pub(super) fn full_percent(&self, bounds: &Bounds) -> u8 {
        let share = |taken: u64, bound: u64| {
            let percent = u128::from(taken) * 100 / u128::from(bound.max(1));
            u8::try_from(percent.min(100)).expect("at most 100")
        };
        share(self.waiting, bounds.records_max).max(share(self.waiting_bytes, bounds.bytes_max))
    }

    /// Whether one more record of this size has room.
    pub(super) fn check_room(&self, bytes: u64, bounds: &Bounds) -> Result<(), AppendError> {
        if self.waiting >= bounds.records_max
            || self.waiting_bytes.saturating_add(bytes) > bounds.bytes_max
        {
            return Err(AppendError::Full { records: self.waiting, bytes: self.waiting_bytes });
        }
        Ok(())
    }

    pub(super) fn append(&mut self, place: Place) {
        self.waiting += 1;
        self.waiting_bytes += place.bytes;
        self.kept.push_back(Kept { place, freed: None });
    }

    /// What a receipt covers that is not released yet; `None` when that is nothing.
    pub(super) fn covered_by(&self, receipt: &Receipt) -> Result<Option<Span>, ReleaseError> {
        if let Verdict::Refused { .. } = receipt.verdict
            && receipt.first != receipt.last
        {
            return Err(ReleaseError::Mismatch { seq: receipt.last });
        }
        if receipt.last > self.appended() {
            return Err(ReleaseError::Ahead { seq: receipt.last, appended: self.appended() });
        }
        // Released and pruned long ago: the hash cannot be compared, and nothing hangs on it.
        let Some(index) = self.index(receipt.last) else { return Ok(None) };
        if self.kept[index].place.hash != receipt.hash {
            return Err(ReleaseError::Mismatch { seq: receipt.last });
        }
        let first = receipt.first.max(self.kept_from);
        let news = self.index(first).is_some_and(|from| {
            self.kept.range(from..=index.max(from)).any(|kept| kept.freed.is_none())
        });
        Ok((news && first <= receipt.last).then_some(Span {
            first,
            last: receipt.last,
            at: receipt.at,
        }))
    }

    /// Marks a span as released; gives how many records that frees.
    pub(super) fn release(&mut self, span: Span) -> u64 {
        self.spans.insert(span.first, span.last);
        let mut freed = 0;
        for seq in span.first.max(self.kept_from)..=span.last.min(self.appended()) {
            let Some(index) = self.index(seq) else { continue };
            let kept = &mut self.kept[index];
            if kept.freed.is_none() {
                kept.freed = Some(span.at);
                freed += 1;
                self.waiting -= 1;
                self.waiting_bytes -= kept.place.bytes;
                self.freed_bytes += kept.place.bytes;
            }
        }
        while self.index(self.released + 1).is_some_and(|i| self.kept[i].freed.is_some()) {
            self.released += 1;
        }
        freed
    }

    /// What may be forgotten, oldest first: released, and either released longer ago than the days
    /// allow (measured in the centre's signed time, which a wrong clock cannot move) or too many
    /// bytes. Never the newest record: the next one is chained to it.
    pub(super) fn prunable(&self, signed: Option<Timestamp>, bounds: &Bounds) -> Prunable {
        let kept_ms = i64::from(bounds.kept_days) * DAY_MS;
        let mut freed_bytes = self.freed_bytes;
        let mut prunable = Prunable::default();
        let all_but_newest = self.kept.len().saturating_sub(1);
        for (seq, kept) in
            (self.kept_from..).zip(self.kept.iter().take(all_but_newest.min(PRUNE_RECORDS_MAX)))
        {
            let Some(freed) = kept.freed else { break };
            let old = signed.is_some_and(|now| now.ms_since(freed) > kept_ms);
            if !old && freed_bytes <= bounds.kept_bytes_max {
                break;
            }
            freed_bytes -= kept.place.bytes;
            prunable.records.push(seq);
        }
        if let Some(newest) = prunable.records.last() {
            let over = |(first, last): (&u64, &u64)| (last <= newest).then_some(*first);
            prunable.spans = self.spans.range(..=newest).filter_map(over).collect();
        }
        prunable
    }

    pub(super) fn prune(&mut self, prunable: &Prunable) {
        for _ in &prunable.records {
            let Some(kept) = self.kept.pop_front() else { break };
            self.freed_bytes -= kept.place.bytes;
            self.kept_from += 1;
        }
        for first in &prunable.spans {
            self.spans.remove(first);
        }
    }
}
