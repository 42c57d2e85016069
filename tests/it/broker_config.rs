//! firmware-config/mosquitto-trial.conf: a real Mosquitto takes it, and it lets through exactly what
//! docs/spec/transport.md allows.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rollcall::platform::durable::{self, Access};
use rollcall::record::dispatch::DISPATCH_BYTES_MAX;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

fn shipped() -> String {
    shipped_as("mosquitto-trial.conf")
}

fn shipped_as(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware-config").join(name);
    std::fs::read_to_string(path).expect("it is committed")
}

/// The value of one setting of the shipped file.
fn setting(name: &str) -> String {
    let file = shipped();
    let values: Vec<_> =
        file.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect();
    assert_eq!(values.len(), 1, "{name} stands once in the file");
    values[0].to_owned()
}

fn installed() -> Option<PathBuf> {
    let found = ["mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
        .into_iter()
        .find(|name| Command::new(name).arg("-h").stdout(Stdio::null()).status().is_ok());
    if found.is_none() {
        println!("SKIPPED: mosquitto is not installed (./test installs it)");
    }
    found.map(PathBuf::from)
}

/// Ends with the test.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already; then the test has failed for that.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Broker {
    /// Starts the program with the shipped file, on `port` and with its data in `folder`.
    fn start(program: &Path, folder: &Path, port: u16) -> Self {
        let config = shipped()
            .replace("listener 1883 ", &format!("listener {port} "))
            .replace("/var/lib/mosquitto/", &format!("{}/", folder.display()));
        assert_ne!(config, shipped(), "port and folder are exchanged");
        let path = folder.join("mosquitto.conf");
        durable::write(&path, config.as_bytes(), Access::Everyone).expect("a fresh folder");
        let mut command = Command::new(program);
        command.arg("-c").arg(&path).stderr(Stdio::piped());
        let mut broker = Self(command.spawn().expect("mosquitto starts"));
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = broker.0.try_wait().expect("it can be asked") {
                let mut told = String::new();
                let mut pipe = broker.0.stderr.take().expect("it is piped");
                pipe.read_to_string(&mut told).expect("it speaks UTF-8");
                panic!("mosquitto did not take the file: {status}: {told}");
            }
            std::thread::yield_now();
        }
        broker
    }
}

#[test]
fn the_trial_and_the_real_broker_differ_only_in_who_may_come_in() {
    let bounds = |name: &str| {
        let file = shipped_as(name);
        let (_, bounds) = file.split_once("# A centre, a page").expect("the bounds begin so");
        bounds.to_owned()
    };
    assert_eq!(bounds("mosquitto.conf"), bounds("mosquitto-trial.conf"));
}

#[test]
fn the_shipped_message_limit_is_the_largest_dispatch() {
    assert_eq!(setting("message_size_limit"), DISPATCH_BYTES_MAX.to_string());
}

#[test]
fn the_shipped_broker_without_passwords_listens_only_on_loopback() {
    assert_eq!(setting("allow_anonymous"), "true");
    assert!(setting("listener").ends_with(" 127.0.0.1"));
}

#[test]
fn a_real_mosquitto_with_the_shipped_file_passes_the_largest_dispatch_and_drops_a_larger_one() {
    let Some(program) = installed() else { return };
    let folder = tempfile::tempdir().expect("a fresh folder");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let _broker = Broker::start(&program, folder.path(), port);

    let mut options = MqttOptions::new("probe", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(5));
    options.set_max_packet_size(2 * DISPATCH_BYTES_MAX, 2 * DISPATCH_BYTES_MAX);
    let (client, mut connection) = Client::new(options, 10);
    let topic = "rollcall/v1/t-1/records";
    client.subscribe(topic, QoS::AtLeastOnce).expect("the queue has room");
    for bytes in [DISPATCH_BYTES_MAX + 1, DISPATCH_BYTES_MAX] {
        client.publish(topic, QoS::AtLeastOnce, false, vec![0; bytes]).expect("it has room");
    }
    let mut events = connection.iter().map(|event| event.expect("the broker stays"));
    let first = events.find_map(|event| match event {
        Event::Incoming(Packet::Publish(message)) => Some(message.payload.len()),
        // The client has had nothing to say for five seconds: nothing comes any more.
        Event::Incoming(Packet::PingResp) => Some(0),
        Event::Incoming(_) | Event::Outgoing(_) => None,
    });
    assert_eq!(first, Some(DISPATCH_BYTES_MAX));
}
