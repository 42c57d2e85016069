//! A real Mosquitto on a free port, in a folder of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running broker; killed when dropped.
pub(crate) struct Broker {
    pub(crate) port: u16,
    folder: TempDir,
    child: Option<Child>,
}

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

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where Mosquitto is, or `None` with a line that says so.
pub(crate) fn mosquitto() -> Option<&'static str> {
    let found = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    if found.is_none() {
        println!("SKIPPED: no mosquitto on this machine (apt-get install mosquitto)");
    }
    found
}

impl Broker {
    /// Starts one; `None` where Mosquitto is not installed.
    pub(crate) fn start() -> Option<Self> {
        mosquitto()?;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n\
             persistence true\npersistence_location {}/\n",
            folder.path().display()
        );
        #[expect(clippy::disallowed_methods, reason = "a test's file need not be durable")]
        fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut broker = Self { port, folder, child: None };
        broker.run();
        Some(broker)
    }

    /// Starts it again after [`Self::kill`].
    pub(crate) fn run(&mut self) {
        let child = Command::new(mosquitto().unwrap())
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        eventually("the broker listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The broker that the demo embeds, on a free port; it lives as long as the test process.
pub(crate) fn embedded() -> u16 {
    let port = free_port();
    let config = format!(
        r#"
        id = 0
        [router]
        max_connections = 10
        max_outgoing_packet_count = 200
        max_segment_size = 10485760
        max_segment_count = 10
        [v4.1]
        name = "v4"
        listen = "127.0.0.1:{port}"
        next_connection_delay_ms = 1
        [v4.1.connections]
        connection_timeout_ms = 5000
        max_payload_size = 262144
        max_inflight_count = 100
        "#
    );
    let config = toml::from_str(&config).unwrap();
    std::thread::spawn(|| {
        rumqttd::Broker::new(config).start().unwrap();
    });
    eventually("the broker listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    port
}
