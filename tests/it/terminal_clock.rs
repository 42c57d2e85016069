//! A terminal whose clock is set back, set forward or reset by an empty battery: the record says
//! so, the screen explains it, nobody is turned away, and the history stays one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use rollcall::domain::{CheckIn, ClockDoubt, ClockQuality, Event, Outcome, Timestamp, Uptime, Way};
use rollcall::journal::{Bounds, Journal};
use rollcall::kiosk::{Light, Message};
use rollcall::platform::clock::Clock;
use rollcall::record::{Record, SealedHash};
use rollcall::terminal::{Setup, Taken, Terminal};
use rollcall::uplink::{self, NoWaypoints};

use crate::support::records::{receipt_verifying_key, terminal_id, terminal_key};

const MINUTE_MS: i64 = 60_000;

/// Both clocks of a machine: the wall clock can be set, the other only runs.
#[derive(Default)]
struct Clocks {
    wall_ms: AtomicI64,
    uptime_ms: AtomicU64,
}

impl Clocks {
    /// Two minutes go by.
    fn run(&self) {
        self.wall_ms.fetch_add(2 * MINUTE_MS, Ordering::SeqCst);
        self.uptime_ms.fetch_add(120_000, Ordering::SeqCst);
    }

    fn set_by(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.wall_ms.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Uptime {
        Uptime::from_ms(self.uptime_ms.load(Ordering::SeqCst))
    }
}

/// A machine without a network: one folder, one clock, one terminal after the other.
struct Machine {
    dir: tempfile::TempDir,
    clocks: Arc<Clocks>,
    runtime: tokio::runtime::Runtime,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = terminal_key().verifying_key().id();
        Journal::init(&dir.path().join("journal"), &terminal_id(), key).unwrap();
        let clocks = Clocks::default();
        let morning = Timestamp::parse_shanghai("2026-03-02 08:20").unwrap();
        clocks.set_by(morning.as_ms());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Self { dir, clocks: Arc::new(clocks), runtime }
    }

    fn journal(&self) -> std::path::PathBuf {
        self.dir.path().join("journal")
    }

    /// A boot: the monotonic clock begins anew.
    fn boot(&self) -> Terminal {
        self.clocks.uptime_ms.store(0, Ordering::SeqCst);
        let _inside = self.runtime.enter();
        Terminal::start(Setup {
            terminal: terminal_id(),
            key: terminal_key(),
            journal_dir: self.journal(),
            bounds: Bounds::default(),
            uplink: uplink::Config {
                tls: None,
                broker_host: "127.0.0.1".into(),
                broker_port: 1,
                receipt_key: receipt_verifying_key(),
                clock_tolerance_ms: MINUTE_MS,
                pace: uplink::Pace::default(),
                firmware: "test".into(),
            },
            policy: "sichuan-2025/1".into(),
            pack: None,
            plugged: false,
            clock: Arc::clone(&self.clocks) as Arc<dyn Clock>,
            waypoints: Arc::new(NoWaypoints),
        })
        .unwrap()
    }

    fn end(&self, terminal: Terminal) {
        self.runtime.block_on(terminal.shut_down()).unwrap();
    }

    /// Two minutes later somebody checks in.
    fn check_in(&self, terminal: &Terminal) -> Taken {
        self.clocks.run();
        terminal.take(&accepted()).unwrap()
    }
}

fn accepted() -> CheckIn {
    CheckIn {
        staff: None,
        event: Event::CheckIn,
        outcome: Outcome::Accepted,
        lesson: None,
        person: None,
        way: Some(Way::Claimed),
        scores: None,
        other: None,
        same_face: None,
    }
}

/// The records of a stopped machine, in order, each chained to the one before.
fn history(journal: &Path) -> Vec<Record> {
    let key = terminal_key().verifying_key();
    let journal = Journal::open(journal, &terminal_id(), key.id(), Bounds::default()).unwrap();
    let stored = journal.replay(1, usize::MAX).unwrap();
    let mut before = SealedHash::GENESIS;
    let mut records = Vec::new();
    for (place, (seq, parcel)) in stored.iter().enumerate() {
        let record = Record::open(parcel.sealed.bytes(), &key).unwrap();
        assert_eq!((*seq, record.prev), (place as u64 + 1, before), "one chain");
        before = parcel.sealed.hash();
        records.push(record);
    }
    records
}

#[test]
fn clock_set_while_running_is_doubted_until_it_is_set_right_and_nobody_is_turned_away() {
    let machine = Machine::new();
    let terminal = machine.boot();
    for (set_by_ms, doubt) in [
        (0, None),
        (5 * MINUTE_MS, Some(ClockDoubt::Moved)),
        (-5 * MINUTE_MS, None),
        (-30 * MINUTE_MS, Some(ClockDoubt::BeforeOwnRecord)),
        (30 * MINUTE_MS, None),
    ] {
        machine.clocks.set_by(set_by_ms);
        assert_eq!(machine.check_in(&terminal).clock_doubt, doubt, "set by {set_by_ms} ms");
    }
    machine.end(terminal);
    let qualities: Vec<_> =
        history(&machine.journal()).iter().map(|record| record.clock.quality).collect();
    use ClockQuality::{Doubtful, Holding};
    assert_eq!(qualities, [Holding, Doubtful, Holding, Doubtful, Holding]);
}

#[test]
fn battery_that_died_is_seen_at_the_next_boot_and_the_history_goes_on() {
    let machine = Machine::new();
    let terminal = machine.boot();
    assert_eq!(machine.check_in(&terminal).clock_doubt, None);
    machine.end(terminal);

    machine.clocks.wall_ms.store(0, Ordering::SeqCst);
    let terminal = machine.boot();
    for _ in 0..70 {
        let taken = machine.check_in(&terminal);
        assert_eq!(taken.clock_doubt, Some(ClockDoubt::BeforeOwnRecord));
    }
    machine.end(terminal);

    // What was doubted is no witness, however much of it there is.
    let terminal = machine.boot();
    let taken = machine.check_in(&terminal);
    assert_eq!((taken.seq, taken.clock_doubt), (72, Some(ClockDoubt::BeforeOwnRecord)));
    machine.end(terminal);
    let boots: Vec<u64> =
        history(&machine.journal()).iter().map(|record| record.clock.boot).collect();
    assert_eq!((boots[0], boots[1], boots[71]), (1, 2, 3));
}

#[test]
fn screen_shows_green_and_explains_the_doubt_in_both_languages() {
    let message = Message::stored(&accepted(), 7, Some(ClockDoubt::BeforeOwnRecord));
    assert_eq!(message.light, Light::Green);
    let line = message.line();
    assert_eq!(line.zh, "签到成功（7 号，终端时钟存疑：早于本机上一条记录）");
    let en = "Checked in (no. 7, clock in doubt: it is earlier than this terminal's last record)";
    assert_eq!(line.en, en);
}
