//! How fast is a ledger judged again, and how much memory does it take? One core should judge at least
//! 200,000 entries a second with all rules, and memory should follow the people who are active, not the
//! length of the history.
//!
//! `cargo bench --bench replay` (10⁴ to 10⁷ entries; `-- 1000000` one size)
//!
//! Each size runs in a process of its own, so that its peak is its own. The entries are those of a made
//! province (`made/mod.rs`) and are made while the clock stands: measured is the judge alone, in time on its
//! core, so that other programs of the machine do not count. *Before* is
//! the process's memory before the first entry, *peak* its highest (VmHWM), both with one stretch of
//! entries, which is as long in each size.

mod made;

use std::process::Command;
use std::time::Duration;

use rollcall::domain::Policy;
use rollcall::rules::Judge;
use rustix::time::{ClockId, clock_gettime};

use made::Province;

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Says to a child how many entries it shall judge.
const CHILD: &str = "ROLLCALL_REPLAY_ENTRIES";

fn main() {
    if let Some(entries) = std::env::var(CHILD).ok().and_then(|text| text.parse().ok()) {
        return judge(entries);
    }
    let asked: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    println!(
        "{:>10} {:>12} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "entries", "entries/s", "seconds", "lessons", "raised", "before", "peak"
    );
    for entries in if asked.is_empty() { SIZES.to_vec() } else { asked } {
        let program = std::env::current_exe().expect("a program knows where it is");
        let status = Command::new(program).env(CHILD, entries.to_string()).status();
        assert!(status.expect("it starts").success());
    }
}

fn judge(entries: u64) {
    let mut province = Province::new();
    let mut judge = Judge::new(Policy::sichuan_2025());
    let (mut left, mut spent, mut raised) = (entries, Duration::ZERO, 0);
    let mut stretch = province.next_stretch();
    let before = memory("VmRSS:");
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(stretch.len());
        let start = on_core();
        for entry in stretch.iter().take(count) {
            raised += judge.judge(entry).len();
        }
        spent += on_core() - start;
        left -= u64::try_from(count).expect("a stretch is short");
        stretch = province.next_stretch();
    }
    let seconds = spent.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_second = entries as f64 / seconds;
    println!(
        "{entries:>10} {per_second:>12.0} {seconds:>8.2} {:>8} {raised:>8} {before:>6} MB {:>6} MB",
        judge.registry().lessons().len(),
        memory("VmHWM:"),
    );
}

/// How long this thread has had a core.
fn on_core() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("this clock begins at 0");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("below a second"))
}

/// A line of this process's status, in MB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status.lines().find_map(|it| it.strip_prefix(line)?.trim().strip_suffix(" kB"));
    kb.and_then(|kb| kb.trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}
