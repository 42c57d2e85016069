//! A whole centre as people set it up: certificate authority, a real Mosquitto with the shipped
//! configuration and mutual TLS, the real collector with its desk; and terminals that come in by
//! token.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use rollcall::domain::{CheckIn, Event, Fact, Outcome, PersonId, Way};
use rollcall::ledger::{Body, Entry};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::platform::secret;
use rollcall::platform::tls::Files;
use rollcall::record::SigningKey;
use rollcall::record::dispatch::DISPATCH_BYTES_MAX;
use rollcall::terminal::{Config, Setup, Terminal};
use rollcall::uplink::{self, NoWaypoints, Pace};
use rumqttc::{Client, Connection, MqttOptions, TlsConfiguration, Transport};
use tempfile::TempDir;

use super::broker::eventually;
use super::day::{rollcall, write};
use super::fine;
use super::mosquitto::{free_port, program};

pub(crate) struct Town {
    folder: TempDir,
    pub(crate) broker_port: u16,
    pub(crate) desk_port: u16,
    broker: Option<Child>,
    collector: Option<Child>,
}

impl Town {
    /// Everything is made; nothing runs.
    pub(crate) fn founded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (broker_port, desk_port) = (free_port(), free_port());
        let town = Self { folder, broker_port, desk_port, broker: None, collector: None };
        let own = |name: &str| town.file("own").join(name);
        let text = format!(
            "data_dir = {data:?}\n\
             [broker]\nport = {broker_port}\nca_file = {ca:?}\ncert_file = {cert:?}\nkey_file = {key:?}\n\
             [web]\nlisten = \"127.0.0.1:0\"\n\
             [enrolment]\nlisten = \"127.0.0.1:{desk_port}\"\nurl = \"http://127.0.0.1:{desk_port}\"\n\
             broker_host = \"127.0.0.1\"\nbroker_port = {broker_port}\n",
            data = town.data(),
            ca = own("ca.pem"),
            cert = own("collector.pem"),
            key = own("collector.key"),
        );
        write(&town.config(), text);
        fine(&town.collector("init", &[]));
        let facts = town.file("facts.toml");
        write(
            &facts,
            "[[institution]]\nid = \"i-1\"\nname = { zh = \"华新\", en = \"Huaxin\" }\n\
             [[site]]\nid = \"s-1\"\ninstitution = \"i-1\"\nname = { zh = \"一号\", en = \"One\" }\n\
             town = { zh = \"绵阳\", en = \"Mianyang\" }\n\
             place = { latitude_e6 = 31467500, longitude_e6 = 104679600 }\n",
        );
        fine(&town.collector("register", &[facts.to_str().unwrap()]));
        let folder = town.file("own");
        fine(&town.collector("certificate", &["--for", "collector", "--out", text_of(&folder)]));
        town.certify_broker(&["127.0.0.1"]);
        town
    }

    /// The same, and it runs.
    pub(crate) fn running() -> Self {
        let mut town = Self::founded();
        town.start_broker();
        town.start_collector();
        town
    }

    pub(crate) fn certify_broker(&self, hosts: &[&str]) {
        let folder = self.file("broker");
        let mut more = vec!["--for", "broker", "--out", text_of(&folder)];
        hosts.iter().for_each(|host| more.extend(["--host", host]));
        fine(&self.collector("certificate", &more));
    }

    pub(crate) fn start_broker(&mut self) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware-config/mosquitto.conf");
        let shipped = std::fs::read_to_string(shipped).unwrap();
        let here = |name: &str| self.file("broker").join(name).display().to_string();
        let saved = self.file("saved");
        std::fs::create_dir_all(&saved).unwrap();
        let acl = self.data().join("enrolment/acl").display().to_string();
        let text = shipped
            .replace("listener 8883", &format!("listener {} 127.0.0.1", self.broker_port))
            .replace("/etc/mosquitto/rollcall/acl", &acl)
            .replace("/etc/mosquitto/rollcall/", &here(""))
            .replace("/var/lib/mosquitto/", &format!("{}/", saved.display()))
            // A test may run as root, and Mosquitto gives that up unless told.
            + "\nuser root\n";
        let config = self.file("mosquitto.conf");
        write(&config, text);
        let mut command = Command::new(program());
        command.arg("-c").arg(&config).stderr(Stdio::null()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        eventually("the broker listens", || {
            assert!(child.try_wait().unwrap().is_none(), "mosquitto did not take the file");
            TcpStream::connect(("127.0.0.1", self.broker_port)).is_ok()
        });
        self.broker = Some(child);
    }

    pub(crate) fn start_collector(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.args(["collector", "run", "--config"]).arg(self.config()).stdout(Stdio::piped());
        self.collector = Some(until_said(command, "enrolled at"));
    }

    pub(crate) fn stop_broker(&mut self) {
        end(&mut self.broker);
    }

    pub(crate) fn stop_collector(&mut self) {
        end(&mut self.collector);
    }

    /// What `systemctl reload mosquitto` does.
    pub(crate) fn reload_broker(&self) {
        let id = self.broker.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.file("collector.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.file("data")
    }

    /// `rollcall collector COMMAND --config … MORE`.
    pub(crate) fn collector(&self, command: &str, more: &[&str]) -> Output {
        let config = self.config();
        rollcall(&[&["collector", command, "--config", text_of(&config)], more].concat())
    }

    /// `rollcall collector terminal COMMAND --config … MORE`.
    pub(crate) fn terminal(&self, command: &str, more: &[&str]) -> Output {
        let config = self.config();
        rollcall(
            &[&["collector", "terminal", command, "--config", text_of(&config)], more].concat(),
        )
    }

    /// A new token for a terminal at the only site.
    pub(crate) fn token(&self, id: &str) -> String {
        let said = fine(&self.terminal("add", &["--id", id, "--site", "s-1"]));
        token_in(&said)
    }

    /// `rollcall terminal init --token …` on a device of its own.
    pub(crate) fn init(&self, device: &str, token: &str) -> Output {
        self.init_with(device, token, &[])
    }

    pub(crate) fn init_with(&self, device: &str, token: &str, more: &[&str]) -> Output {
        let (config, data) = (self.device(device), self.file(device));
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command
            .args(["terminal", "init", "--config", text_of(&config), "--token", "-"])
            .args(["--data-dir", text_of(&data)])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended before it read what it was told.
        child.stdin.take().unwrap().write_all(token.as_bytes()).ok();
        child.wait_with_output().unwrap()
    }

    /// A device's configuration.
    pub(crate) fn device(&self, device: &str) -> PathBuf {
        self.file(device).join("terminal.toml")
    }

    /// A terminal that was let in under a token, of the same name as its device.
    pub(crate) fn enrolled(&self, id: &str) -> Terminal {
        fine(&self.init(id, &self.token(id)));
        self.start(id)
    }

    /// Starts a device that was set up. Inside a tokio runtime.
    pub(crate) fn start(&self, device: &str) -> Terminal {
        self.start_by(device, Arc::new(SystemClock::start()), |_| {})
    }

    pub(crate) fn start_by(
        &self,
        device: &str,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut uplink::Config),
    ) -> Terminal {
        let config = Config::read(&self.device(device)).unwrap();
        let pace =
            Pace { retry_ms_min: 20, retry_ms_max: 200, answer_ms_min: 200, ..Pace::default() };
        let tls = Some(config.tls.clone().unwrap().read().unwrap());
        let mut uplink = uplink::Config { pace, tls, ..config.uplink };
        change(&mut uplink);
        Terminal::start(Setup {
            terminal: config.terminal,
            key: SigningKey::from_secret(&secret::read(&config.key_file).unwrap()),
            journal_dir: config.journal_dir,
            bounds: config.bounds,
            uplink,
            policy: "test/1".into(),
            pack: None,
            plugged: true,
            clock,
            waypoints: Arc::new(NoWaypoints),
        })
        .unwrap()
    }

    /// The files with which a device shows itself to the broker.
    pub(crate) fn files(&self, device: &str) -> Files {
        let file = |name| self.file(device).join(name);
        Files { ca: file("ca.pem"), cert: file("tls.pem"), key: file("tls.key") }
    }

    /// The files with which the collector does.
    pub(crate) fn own_files(&self) -> Files {
        let file = |name| self.file("own").join(name);
        Files { ca: file("ca.pem"), cert: file("collector.pem"), key: file("collector.key") }
    }

    /// An MQTT client that shows these.
    pub(crate) fn client(&self, id: &str, files: &Files) -> (Client, Connection) {
        let mut options = MqttOptions::new(id, "127.0.0.1", self.broker_port);
        // A dispatch holds a whole policy profile.
        options.set_max_packet_size(2 * DISPATCH_BYTES_MAX, 2 * DISPATCH_BYTES_MAX);
        let tls = files.read().unwrap().client(None);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.config())));
        Client::new(options, 100)
    }

    /// The whole ledger.
    pub(crate) fn ledger(&self) -> Vec<Entry> {
        let store = rollcall::collector::Config::load(&self.config()).unwrap().store().unwrap();
        // A client of PostgreSQL blocks, and may be called inside a runtime here.
        tokio::task::block_in_place(|| {
            store.read_ledger().unwrap().entries_since(0, 1_000_000).unwrap()
        })
    }

    /// The facts of the ledger without the ticks.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let facts = self.ledger().into_iter().filter_map(|entry| match entry.body {
            Body::Fact(fact) => Some(fact),
            Body::Record { .. } | Body::Refused { .. } => None,
        });
        facts.filter(|fact| *fact != Fact::Tick).collect()
    }

    /// How many records of a terminal are committed.
    pub(crate) fn records(&self, id: &str) -> usize {
        let of = |entry: &Entry| match &entry.body {
            Body::Record { record, .. } => record.terminal.as_str() == id,
            Body::Refused { .. } | Body::Fact(_) => false,
        };
        self.ledger().iter().filter(|entry| of(entry)).count()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop_collector();
        self.stop_broker();
    }
}

/// The token among what `terminal add` printed.
pub(crate) fn token_in(said: &str) -> String {
    let line =
        said.lines().find(|line| line.len() > 60 && line.is_ascii() && !line.starts_with('#'));
    line.unwrap_or_else(|| panic!("no token in {said}")).to_owned()
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Starts a program and waits until it has said so.
fn until_said(mut command: Command, word: &str) -> Child {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    loop {
        let line = lines.next().unwrap_or_else(|| panic!("it ended: {said}")).unwrap();
        if line.contains(word) {
            break;
        }
        said += &line;
        said += "\n";
    }
    // A program blocks when nobody reads what it says.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn end(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

pub(crate) fn checkin() -> CheckIn {
    CheckIn {
        staff: None,
        event: Event::CheckIn,
        outcome: Outcome::Accepted,
        lesson: None,
        person: Some(PersonId([3; 16])),
        way: Some(Way::Open),
        scores: None,
        other: None,
        same_face: None,
    }
}
