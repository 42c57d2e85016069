//! What this process has used of the machine, by Linux's `/proc`; `None` on another system.

use std::fs;
use std::time::Duration;

/// The most memory that the process has held so far (resident set), in bytes.
pub fn memory_peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Time that all its threads together have spent on processors.
pub fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let whole_s = u64::try_from(time.tv_sec).ok()?;
    Some(Duration::new(whole_s, u32::try_from(time.tv_nsec).ok()?))
}
