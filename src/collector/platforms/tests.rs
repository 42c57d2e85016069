use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use super::{Bounds, Heard, Listening, Reason, Serving};
use crate::collector::Postbox;
use crate::collector::core::{Inbound, Way};
use crate::domain::Timestamp;
use crate::platform::clock::StepClock;

/// Half past some hour.
const HALF_PAST: Timestamp = Timestamp::from_ms(1_772_411_400_000);

/// A server before a core that the test plays.
fn served(answer: Duration) -> (Serving, std::net::SocketAddr, Receiver<Inbound>) {
    let (inbound, core) = sync_channel(1);
    let listening = Listening::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let address = listening.address;
    let clock = Arc::new(StepClock::at(HALF_PAST));
    let bounds = Bounds { answer, ..Bounds::default() };
    (listening.serve(Postbox(inbound), clock, bounds).unwrap(), address, core)
}

fn post(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        "POST /platform/v1/xuexi/reports HTTP/1.1\r\nhost: x\r\ncontent-type: application/cose\r\n";
    write!(stream, "{head}content-length: 3\r\n\r\none").unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    told
}

#[test]
fn a_flood_is_told_when_to_come_again() {
    let (serving, address, core) = served(Duration::from_secs(60));
    let core = thread::spawn(move || {
        let Ok(Inbound::Report { way: Way::Waiting(reply), .. }) = core.recv() else { panic!() };
        reply.send(Heard::Refused(Reason::Flood)).unwrap();
    });
    let told = post(address);
    assert!(told.starts_with("HTTP/1.1 429 "), "{told}");
    assert!(told.contains("\r\nretry-after: 1800\r\n") && told.contains("report_flood"), "{told}");
    core.join().unwrap();
    serving.stop();
}

#[test]
fn whoever_meets_a_core_that_is_busy_or_gone_is_told_to_come_again_and_nothing_piles_up() {
    let (serving, address, core) = served(Duration::from_millis(200));
    // One lies in the queue of the core, one in the porter's hands, the others before him.
    for _ in 0..4 {
        let told = post(address);
        assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\"busy\""), "{told}");
        assert!(told.contains("\r\nretry-after: 10\r\n"), "{told}");
    }
    // Nobody waits for what lies there any more.
    let Ok(Inbound::Report { way: Way::Waiting(reply), .. }) = core.recv() else { panic!() };
    assert!(reply.send(Heard::Taken(Vec::new())).is_err());
    drop(core);
    let told = post(address);
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("\"ending\""), "{told}");
    serving.stop();
}
