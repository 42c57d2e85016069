//! Waiting, ports, and the broker that the demo brings along.

use std::net::TcpStream;
use std::time::{Duration, Instant};

pub(crate) use super::mosquitto::free_port;

/// Waits until `done`, for as long as a slow machine may need.
#[expect(clippy::disallowed_methods, reason = "a test may ask what time it is")]
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < until, "waited in vain until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The broker that the demo embeds, on a free port; it lives as long as the test process.
pub(crate) fn embedded() -> u16 {
    let port = rollcall::demo::broker::start().unwrap().port();
    eventually("the broker listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    port
}
