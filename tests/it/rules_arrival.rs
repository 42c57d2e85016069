//! Late data is not guilt: a made province, whose terminals lose the network for days, is judged again with
//! other losses. Whatever arrives within the grace, in whatever order and however often, leads to the same
//! standing anomalies; and a judge that is started over in the middle loses and repeats nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use proptest::prelude::*;
use rollcall::collector::Store;
use rollcall::domain::{AnomalyKind, Fact, PersonId, Policy, TerminalId, Timestamp};
use rollcall::ledger::{Body, Entry};
use rollcall::province::{Mix, Plan, make};
use rollcall::rules::Judge;

const HOUR_MS: i64 = 3_600_000;

/// The profile's `time_bound_hours_max`, less a day and a half: whoever sets a clock back carries a signed time
/// of the morning in the evening.
const PROVABLE_MS: i64 = 130 * HOUR_MS;

/// A small province in which much is planted.
fn world() -> &'static Vec<Entry> {
    static WORLD: OnceLock<Vec<Entry>> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("world");
        let (mix, policy) = (Mix::of_evaluation(), Policy::sichuan_2025());
        make(&Plan { seed: 21, institutions: 8, days: 24, mix, policy }, &out, None).unwrap();
        Store::files(&out).read_ledger().unwrap().entries_since(0, usize::MAX).unwrap()
    })
}

/// What stands after the grace: kinds, and about whom.
type Standing = BTreeSet<(AnomalyKind, Vec<PersonId>, Vec<TerminalId>)>;

fn standing(entries: &[Entry]) -> Standing {
    let mut judge = Judge::new(Policy::sichuan_2025());
    let last = entries.last().unwrap();
    // The grace of everything runs out.
    let tick = Entry {
        index: last.index + 1,
        committed_at: last.committed_at.plus_ms(40 * 24 * HOUR_MS),
        body: Body::Fact(Fact::Tick),
    };
    let judged = entries.iter().chain([&tick]).flat_map(|entry| judge.judge(entry));
    judged
        .map(|anomaly| {
            let (mut who, mut terminals) = (anomaly.who, anomaly.terminals);
            who.sort();
            terminals.sort();
            (anomaly.kind, who, terminals)
        })
        .collect()
}

/// The same records and facts, where each terminal is cut off now and then: what it has waits, and comes
/// in its own order. Facts and refused bytes keep their time.
fn delayed(
    entries: &[Entry],
    outages: &HashMap<TerminalId, Vec<(Timestamp, Timestamp)>>,
) -> Vec<Entry> {
    let mut free: HashMap<&TerminalId, Timestamp> = HashMap::new();
    let mut moved: BTreeMap<(Timestamp, u64), &Entry> = BTreeMap::new();
    for entry in entries {
        let mut at = entry.committed_at;
        if let Body::Record { record, .. } = &entry.body {
            for (from, until) in outages.get(&record.terminal).into_iter().flatten() {
                if (*from..*until).contains(&at) {
                    at = *until;
                }
            }
            // Beyond that its time would no longer be proven, which is another story.
            let clock = &record.clock;
            let since = clock.signed.map_or(clock.wall, |signed| signed.min(clock.wall));
            let latest = since.plus_ms(PROVABLE_MS).max(entry.committed_at);
            at = at.min(latest);
            let own = free.entry(&record.terminal).or_default();
            at = at.max(*own);
            *own = at;
        }
        moved.insert((at, entry.index), entry);
    }
    let entries = (0..).zip(moved);
    entries
        .map(|(index, ((committed_at, _), entry))| Entry {
            index,
            committed_at,
            body: entry.body.clone(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_order_records_arrive_in_the_same_stands_after_the_grace(
        draws in prop::collection::vec((0_i64..24 * 24, 1_i64..72), 40)
    ) {
        let entries = world();
        let terminals: BTreeSet<&TerminalId> = entries
            .iter()
            .filter_map(|entry| match &entry.body {
                Body::Record { record, .. } => Some(&record.terminal),
                Body::Fact(_) | Body::Refused { .. } => None,
            })
            .collect();
        let begin = entries[0].committed_at;
        let mut outages: HashMap<TerminalId, Vec<(Timestamp, Timestamp)>> = HashMap::new();
        for (terminal, (from, lasts)) in terminals.iter().cycle().zip(draws) {
            let from = begin.plus_ms((from + 7 * 24) * HOUR_MS);
            let outage = (from, from.plus_ms(lasts * HOUR_MS));
            outages.entry((*terminal).clone()).or_default().push(outage);
        }
        for own in outages.values_mut() {
            own.sort();
        }
        let orderly = standing(entries);
        let late = standing(&delayed(entries, &outages));
        let only_orderly: Vec<_> = orderly.difference(&late).collect();
        let only_late: Vec<_> = late.difference(&orderly).collect();
        prop_assert!(only_orderly.is_empty() && only_late.is_empty(), "{only_orderly:#?}\n{only_late:#?}");
    }
}

/// A collector that starts over judges from the beginning, and stores what it has not.
#[test]
fn a_start_in_the_middle_gives_neither_loss_nor_repetition() {
    let entries = world();
    let judged = |entries: &[Entry]| {
        let mut judge = Judge::new(Policy::sichuan_2025());
        entries.iter().flat_map(|entry| judge.judge(entry)).collect::<Vec<_>>()
    };
    let whole = judged(entries);
    assert!(whole.len() > 100, "a province in which much is planted: {}", whole.len());
    for part in [1, 3, 7, 9] {
        let before = judged(&entries[..entries.len() * part / 10]);
        assert_eq!(whole[..before.len()], before[..], "what was raised is raised again, alike");
    }
    let ids: BTreeSet<_> = whole.iter().map(|anomaly| anomaly.id).collect();
    assert_eq!(ids.len(), whole.len(), "each has an id of its own");
}
