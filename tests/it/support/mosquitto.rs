//! A real Mosquitto on a port of its own, to be stopped, killed and started again.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

pub(crate) struct Mosquitto {
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

/// A port that nothing listens on, outside the range that the kernel hands to outgoing
/// connections, so that it is still free when a broker starts on it again.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 997).unwrap() * 10;
    loop {
        let port = 20_000 + (spread + NEXT.fetch_add(1, Ordering::SeqCst)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

pub(crate) fn program() -> PathBuf {
    ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .expect(
            "these tests need Mosquitto: `apt-get install mosquitto`, or run ./test, which does",
        )
}

impl Mosquitto {
    /// Starts a broker and waits until it listens.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut broker = Self { dir, port: free_port(), child: None };
        broker.start_again();
        broker
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts the broker again, on the same port and with what it saved.
    pub(crate) fn start_again(&mut self) {
        let config = self.dir.path().join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             max_queued_messages 100000\nlog_dest stderr\nlog_type all\nuser root\n",
            self.port,
            self.dir.path().display()
        );
        #[expect(clippy::disallowed_methods, reason = "a test's scratch file need not be durable")]
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(program())
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("mosquitto ended: {said}")).unwrap();
            if line.contains("running") {
                break;
            }
            said += &line;
        }
        // Mosquitto blocks when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    /// Asks it to end, so that it saves its sessions.
    pub(crate) fn stop(&mut self) {
        let child = self.child.as_mut().unwrap();
        let asked = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.take().unwrap().wait().unwrap();
    }

    /// `kill -9`: what it had in memory is gone.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}
