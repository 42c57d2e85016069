//! How long after its commit does somebody who follows the feed learn of a record? At 1,000 records a second
//! 99 of 100 within a second, with all rules, cases and feed on SQLite on the disk of the temporary folder
//! (`TMPDIR=…` chooses another).
//!
//! `cargo bench --bench feed`
//!
//! The collector's own watch is handed entries as the core hands them over after a commit, twenty times a
//! second; a subscriber of the feed notes when it has read what each of them became. *Busy* is how much of
//! its time the thread that commits spends in the watch: beyond that it has for committing.

mod made;

use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rollcall::collector::{Judging, Names, Store, Watch};
use rollcall::domain::Policy;
use rollcall::feed::{Body, Subscription};
use rollcall::ledger::{self, Entry};
use rollcall::platform::clock::Stopwatch;

use made::Province;

/// How many entries a second are handed over.
const PER_SECOND: usize = 1_000;
/// How often.
const BATCHES_PER_SECOND: usize = 20;
/// For how long.
const SECONDS: usize = 30;

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the bench");
    let judging = Judging::by(Policy::sichuan_2025());
    let watch = Watch::open(&Store::files(folder.path()), judging, Names::Numbers);
    let watch = watch.expect("a new store");
    let mut take = watch.hooks().on_committed;
    let mut province = Province::new();
    // Half a day of history, so that rules and registry know something.
    take(&province.next_entries(40_000));

    let mut entries = Vec::new();
    while entries.len() < PER_SECOND * SECONDS {
        let records = province.next_entries(PER_SECOND).into_iter();
        entries.extend(records.filter(|entry| matches!(entry.body, ledger::Body::Record { .. })));
    }
    entries.truncate(PER_SECOND * SECONDS);

    let clock = Stopwatch::start();
    let (feed, awaited) = (watch.feed(), awaited(&entries));
    let (ready, is_ready) = sync_channel(1);
    let reader = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (_, subscription) = feed.subscribe(Some(feed.head())).await.expect("it reads");
            follow(subscription, &ready, awaited, clock).await
        })
    });
    is_ready.recv().expect("the reader has subscribed");
    let mut committed = HashMap::new();
    let (start, mut busy) = (clock.elapsed(), Duration::ZERO);
    let every = Duration::from_secs(1) / u32::try_from(BATCHES_PER_SECOND).expect("few");
    for (number, batch) in entries.chunks(PER_SECOND / BATCHES_PER_SECOND).enumerate() {
        let due = start + every * u32::try_from(number).expect("few");
        thread::sleep(due.saturating_sub(clock.elapsed()));
        let at = clock.elapsed();
        committed.extend(batch.iter().map(|entry| (entry.index, at)));
        take(batch);
        busy += clock.elapsed() - at;
    }
    let elapsed = clock.elapsed() - start;
    let heard = reader.join().expect("the reader does not panic");

    let waits = heard.into_iter().filter_map(|(index, at)| Some(at - *committed.get(&index)?));
    let mut waits: Vec<Duration> = waits.collect();
    waits.sort();
    let of = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    println!(
        "{} entries in {elapsed:.1?}, {} told; from commit to feed: median {:.1?}, p95 {:.1?}, \
         p99 {:.1?}, longest {:.1?}; busy {:.0} %",
        entries.len(),
        waits.len(),
        of(50),
        of(95),
        of(99),
        of(100),
        busy.as_secs_f64() / elapsed.as_secs_f64() * 100.0
    );
    assert!(of(99) <= Duration::from_secs(1), "99 of 100 within a second");
}

/// Entries that become an event of their own.
fn awaited(entries: &[Entry]) -> usize {
    let told = entries.iter().filter(|entry| match &entry.body {
        ledger::Body::Record { record, .. } => record.notice.is_none(),
        ledger::Body::Refused { .. } | ledger::Body::Fact(_) => false,
    });
    told.count()
}

/// Reads until every record was told, and says when each was.
async fn follow(
    mut subscription: Subscription,
    ready: &SyncSender<()>,
    mut awaited: usize,
    clock: Stopwatch,
) -> Vec<(u64, Duration)> {
    ready.send(()).expect("the bench waits");
    let mut heard = Vec::new();
    while awaited > 0 {
        let event = subscription.next().await.expect("it reads").expect("it is open");
        let index = match event.body {
            Body::Attendance(attendance) => {
                awaited -= 1;
                Some(attendance.index)
            }
            // What a rule says of a whole lesson is told when the lesson is over, not when somebody came.
            Body::Anomaly(_) | Body::Terminal(_) => None,
        };
        heard.extend(index.map(|index| (index, clock.elapsed())));
    }
    heard
}
