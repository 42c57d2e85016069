//! What can be made of a damaged journal: from the pairs that still stand to a journal that goes on
//! without ever using a number twice. Pure; `inspect.rs` brings the pairs and writes the result.
//!
//! A terminal's records are one chain, and the centre commits them in sequence. So records behind
//! unreleased ones that are lost cannot be committed any more: the chain goes on from the last record
//! before the hole with a gap statement (docs/spec/record-v1.md, "Gap"), under a number that was
//! never used. What stands behind the hole is exported, as evidence for people.

use std::collections::BTreeMap;

use super::frame::OVERHEAD;
use super::storage::{self, Damage, Identity, Key, Span, Write};
use super::survey::Loss;
use crate::domain::Timestamp;
use crate::record::{Gap, Parcel, Record, SealedHash, peek_kid};

/// Numbers that are passed over where the end of the log is lost, beyond those that the unreadable
/// bytes could have held: bytes may be gone as well. A busy terminal's week.
const NUMBERS_SPARED: u64 = 1_000;

/// A pair that stands: in which write it was made, and its value.
pub(super) type Pairs = BTreeMap<Vec<u8>, (u64, Vec<u8>)>;

/// One record that stands.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) parcel: Parcel,
    pub(super) record: Record,
    pub(super) hash: SealedHash,
    pub(super) value: Vec<u8>,
    pub(super) released: bool,
    /// The write that it came with.
    write: u64,
}

/// All that stands.
#[derive(Debug, Default)]
pub(super) struct Salvage {
    pub(super) identity: Option<Identity>,
    pub(super) records: BTreeMap<u64, Stored>,
    /// What is wrong with single values, for people.
    pub(super) damaged: Vec<String>,
    boots: u64,
    pub(super) signed: Option<Timestamp>,
    spans: Vec<Span>,
    gap: Option<Gap>,
    /// The largest number that may have been used.
    used: u64,
    /// The first write that is lost.
    lost_from: Option<u64>,
}

/// How the journal goes on.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) writes: Vec<Write>,
    /// The records of the new journal; `None` when it has none.
    pub(super) kept: Option<(u64, u64)>,
    pub(super) gap: Option<Gap>,
    /// Records that stand and cannot go on in the chain.
    pub(super) aside: Vec<u64>,
}

impl Salvage {
    /// Reads the pairs. `losses` and `tail_bytes` say how much may be gone.
    pub(super) fn of(pairs: &Pairs, losses: &[Loss], tail_bytes: u64) -> Self {
        let lost_from = losses.iter().map(|loss| loss.first).min();
        let mut salvage = Self { lost_from, ..Self::default() };
        let mut newest_write = 0;
        for (key, (write, value)) in pairs {
            let what = match salvage.take(key, value) {
                Ok(Some(Key::Record(seq))) => {
                    salvage.records.entry(seq).and_modify(|stored| stored.write = *write);
                    newest_write = newest_write.max(*write);
                    continue;
                }
                Ok(_) => continue,
                Err((what, damage)) => format!("{what}: {damage}"),
            };
            salvage.damaged.push(what);
        }
        for span in &salvage.spans {
            for (_, stored) in salvage.records.range_mut(span.first..=span.last.max(span.first)) {
                stored.released = true;
            }
        }
        let newest = salvage.records.keys().next_back().copied().unwrap_or(0);
        let told = salvage.spans.iter().map(|span| span.last).max().unwrap_or(0);
        let aside = salvage.gap.map_or(0, |gap| gap.last);
        // Each lost write behind the newest record may have been one record more.
        let lost: u64 = losses
            .iter()
            .map(|loss| match loss.last {
                Some(last) => last.saturating_sub(newest_write.max(loss.first - 1)),
                None => tail_bytes / OVERHEAD as u64 + 1 + NUMBERS_SPARED,
            })
            .sum();
        salvage.used = newest.max(told).max(aside).max(salvage.used) + lost;
        salvage
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Key>, (String, Damage)> {
        let named = |what: &str| {
            let what = what.to_owned();
            move |damage| (what, damage)
        };
        let Some(key) = Key::decode(key) else {
            return Err(named("a value")(Damage::Layout("an unknown key".into())));
        };
        match key {
            Key::Boots => {
                self.boots = storage::get_boots(value).map_err(named("the boot counter"))?;
            }
            Key::Freed(first) => {
                let span = storage::get_span(first, value);
                self.spans.push(span.map_err(named(&format!("the release of {first}")))?);
            }
            Key::Gap => {
                self.gap = Some(storage::get_gap(value).map_err(named("the gap to be stated"))?);
            }
            Key::Identity => {
                let identity = storage::get_identity(value).map_err(named("the identity"))?;
                self.identity = Some(identity);
            }
            Key::Used => {
                let used = storage::get_used(value);
                self.used = used.map_err(named("the numbers before the last repair"))?;
            }
            Key::Signed => {
                let signed = storage::get_signed(value);
                self.signed = Some(signed.map_err(named("the newest signed time"))?);
            }
            Key::Record(seq) => {
                let stored = read(seq, value).map_err(named(&format!("record {seq}")))?;
                self.records.insert(seq, stored);
            }
        }
        Ok(Some(key))
    }

    /// Whose it is: as it says itself, else as its records say.
    pub(super) fn owner(&self) -> Option<Identity> {
        self.identity.clone().or_else(|| {
            let terminal = self.records.values().next()?.record.terminal.clone();
            let keys = self.records.values().map(|stored| peek_kid(stored.parcel.sealed.bytes()));
            let mut keys: Vec<_> = keys.filter_map(Result::ok).collect();
            keys.dedup();
            let key = keys.pop()?;
            Some(Identity { terminal, key, former: keys })
        })
    }

    /// Whether the two records are neighbours in the chain.
    fn linked(&self, before: u64, after: u64) -> bool {
        let (Some(one), Some(two)) = (self.records.get(&before), self.records.get(&after)) else {
            return false;
        };
        let next = match two.record.gap {
            Some(gap) => gap.first,
            None => after,
        };
        next == before + 1 && two.record.prev == one.hash
    }

    /// The chain's unbroken runs, ascending: first and last number.
    pub(super) fn runs(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for seq in self.records.keys() {
            match runs.last_mut() {
                Some((_, last)) if self.linked(*last, *seq) => *last = *seq,
                Some(_) | None => runs.push((*seq, *seq)),
            }
        }
        runs
    }

    fn is_released(&self, seq: u64) -> bool {
        self.spans.iter().any(|span| (span.first..=span.last).contains(&seq))
    }

    /// Whether a lost record may stand before the first one, that nobody has released. Releases go in
    /// order, so a release behind it speaks for all before.
    fn begins_lost(&self, first: u64) -> bool {
        let Some(stored) = self.records.get(&first).filter(|_| first > 1) else { return false };
        let begins = stored.record.gap.map_or(first, |gap| gap.first);
        let lost = self.lost_from.is_some_and(|lost| lost < stored.write);
        lost && begins > 1 && !self.spans.iter().any(|span| span.last >= begins - 1)
    }

    /// How the journal goes on; `None` when it cannot: the record that the next one must name is
    /// lost, or nobody can say whose the journal is.
    pub(super) fn plan(&self) -> Option<Plan> {
        let owner = self.owner()?;
        let runs = self.runs();
        // A hole of released numbers, with nothing waiting before it, is as good as pruned.
        let mut from = 0;
        for (n, pair) in runs.windows(2).enumerate() {
            let [(first, last), (after, _)] = pair else { continue };
            if (*first..*after).all(|seq| self.is_released(seq)) && last < after {
                from = n + 1;
            } else {
                break;
            }
        }
        let kept = runs.get(from).copied().filter(|(first, _)| !self.begins_lost(*first));
        let end = match kept {
            Some((_, last)) => last,
            // Nothing stands to be chained to; before the first receipt that is no matter.
            None if self.spans.is_empty() => 0,
            None => return None,
        };
        let gap = (self.used > end).then_some(Gap { first: end + 1, last: self.used });
        let aside = from + usize::from(kept.is_some());
        let aside = runs.iter().skip(aside).flat_map(|(first, last)| *first..=*last);
        let aside = aside.filter(|seq| self.records.contains_key(seq)).collect();
        Some(Plan { writes: self.writes(&owner, kept, gap), kept, gap, aside })
    }

    fn writes(&self, owner: &Identity, kept: Option<(u64, u64)>, gap: Option<Gap>) -> Vec<Write> {
        let mut writes = vec![
            storage::put_identity(owner),
            // Boots only have to differ: more may be lost than are left.
            storage::put_boots(self.boots + NUMBERS_SPARED),
            // A repair writes many records at once: a later one could not count those of a lost write.
            storage::put_used(self.used),
        ];
        writes.extend(self.signed.map(storage::put_signed));
        writes.extend(gap.map(storage::put_gap));
        if let Some((first, last)) = kept {
            for (seq, stored) in self.records.range(first..=last) {
                let (key, value) = (Key::Record(*seq).encode(), Some(stored.value.clone()));
                writes.push(Write { key, value });
            }
            for span in &self.spans {
                let span = Span { last: span.last.min(last), ..*span };
                if span.first <= span.last && span.last >= first {
                    writes.push(storage::put_span(span));
                }
            }
        }
        writes
    }
}

fn read(seq: u64, value: &[u8]) -> Result<Stored, Damage> {
    let parcel = storage::get_parcel(seq, value)?;
    let (record, _) = Record::peek(parcel.sealed.bytes()).map_err(Damage::Record)?;
    if record.seq != seq {
        return Err(Damage::Chain);
    }
    let hash = parcel.sealed.hash();
    Ok(Stored { parcel, record, hash, value: value.to_vec(), released: false, write: 0 })
}
