//! Reports of platforms over HTTP, on real sockets: in the ledger before the answer, once, also beside the broker;
//! every refusal; slow, long and senseless senders; TLS by the real program, and plain HTTP that it refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rollcall::collector::platforms::{Bounds, Listening, Serving};
use rollcall::collector::{Broker, Collector, Home, Hooks, Setup};
use rollcall::domain::{Fact, Timestamp};
use rollcall::ingest::Limits;
use rollcall::ledger::{Body, Ledger, Sqlite};
use rollcall::platform::clock::StepClock;
use rollcall::platform::tls::certificates;
use rollcall::record::report::{REPORT_BYTES_MAX, Report, ReportTaken};
use rollcall::record::topic::{reports_of, taken_of};
use rollcall::record::{SigningKey, VerifyingKey, open_statement, seal_statement};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::platforms::{key, registration, report, sealed};
use crate::support::broker::{eventually, free_port};
use crate::support::caller::Caller;
use crate::support::day::{Day, rollcall, write};
use crate::support::mosquitto::Mosquitto;
use crate::support::pen::{MORNING, opening};
use crate::support::{fine, refused};

const COSE: &str = "application/cose";

// ---- a caller ---------------------------------------------------------------------------------

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Reads to the end of the connection.
    fn read(stream: &mut impl Read) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end..].to_vec() }
    }

    /// Up to which number all is there: the sealed answer, opened.
    #[track_caller]
    fn upto(&self, receipt: &VerifyingKey) -> u64 {
        assert!(self.head.contains("content-type: application/cose\r\n"), "{}", self.head);
        let taken: ReportTaken = open_statement(&self.body, receipt).unwrap();
        assert_eq!(taken.platform.as_str(), "xuexi");
        taken.upto
    }

    /// Its code, once everything about it is as RFC 9457 has it.
    #[track_caller]
    fn problem(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json\r\n"), "{}", self.head);
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["status"], self.status);
        let detail = body["detail"].as_str().unwrap();
        let is_chinese = |c: char| ('一'..='鿿').contains(&c);
        assert!(detail.contains(is_chinese) && detail.contains(|c: char| c.is_ascii_alphabetic()));
        assert!(!body["title"].as_str().unwrap().is_empty());
        body["code"].as_str().unwrap().to_owned()
    }
}

fn request(path: &str, media: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: centre\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A connection; nobody waits on it for ever.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn ask(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    Answer::read(&mut stream)
}

fn post(address: SocketAddr, sealed: &[u8]) -> Answer {
    ask(address, &request("/platform/v1/xuexi/reports", COSE, sealed))
}

/// Until the other side hangs up, however it does.
fn until_hung_up(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    // A reset is an end, too.
    drop(stream.read_to_end(&mut heard));
    heard
}

// ---- a centre in this process -----------------------------------------------------------------

struct Centre {
    folder: TempDir,
    collector: Collector,
    serving: Serving,
    address: SocketAddr,
    receipt: VerifyingKey,
}

impl Centre {
    /// One that knows the platform, on loopback and without TLS; nobody need listen on the broker's port.
    fn with(bounds: Bounds, broker_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let receipt = home.receipt_key();
        let broker = Broker {
            host: "127.0.0.1".into(),
            port: broker_port,
            client_id: "centre".into(),
            login: None,
            tls: None,
        };
        let (origin, limits) = ("test".into(), Limits::default());
        let setup = Setup { broker, origin, limits, tick_ms: None };
        let clock = Arc::new(StepClock::at(MORNING.plus_ms(90_000)));
        let collector =
            Collector::start(home, setup, Arc::clone(&clock) as _, Hooks::none()).unwrap();
        collector.state(vec![registration()]).unwrap();
        let listening = Listening::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
        let address = listening.address;
        let serving = listening.serve(collector.postbox(), clock, bounds).unwrap();
        Self { folder, collector, serving, address, receipt }
    }

    fn start() -> Self {
        Self::with(Bounds::default(), free_port())
    }

    /// Ends it, and gives the numbers of the reports whose stretches are in its ledger.
    fn end(self) -> Vec<u64> {
        self.collector.stop().unwrap();
        self.serving.stop();
        numbers(&self.folder.path().join("ledger.sqlite"))
    }
}

/// The numbers of the reports that a ledger holds a stretch of, in its order.
fn numbers(ledger: &Path) -> Vec<u64> {
    let entries = Sqlite::open_read_only(ledger).unwrap().entries_since(0, 1_000).unwrap();
    let activities = entries.into_iter().filter_map(|entry| match entry.body {
        Body::Fact(Fact::Activity(activity)) => Some(activity.report),
        Body::Fact(_) | Body::Record { .. } | Body::Refused { .. } => None,
    });
    activities.collect()
}

// ---- what it promises -------------------------------------------------------------------------

#[test]
fn a_report_is_in_the_ledger_before_its_answer_comes_once_and_a_gap_is_told() {
    let centre = Centre::start();
    let ledger = centre.folder.path().join("ledger.sqlite");
    let gap = post(centre.address, &sealed(2));
    assert_eq!((gap.status, gap.upto(&centre.receipt)), (409, 0));
    // While somebody keeps the ledger from being written, there is no answer.
    let lock = rusqlite::Connection::open(&ledger).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut stream = connect(centre.address);
    stream.write_all(&request("/platform/v1/xuexi/reports", COSE, &sealed(1))).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "an answer before the commit");
    lock.execute_batch("ROLLBACK").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let taken = Answer::read(&mut stream);
    assert_eq!(numbers(&ledger), [1], "it is there before it is answered");
    assert_eq!((taken.status, taken.upto(&centre.receipt)), (200, 1));
    assert!(taken.head.contains("connection: close\r\n") && taken.head.contains("no-store"));
    let again = post(centre.address, &sealed(1));
    assert_eq!((again.status, again.upto(&centre.receipt)), (200, 1));
    let typed = request(
        "/platform/v1/xuexi/reports",
        "Application/COSE; cose-type=\"cose-sign1\"",
        &sealed(2),
    );
    let next = ask(centre.address, &typed);
    assert_eq!((next.status, next.upto(&centre.receipt)), (200, 2));
    assert_eq!(centre.end(), [1, 2]);
}

#[test]
fn every_refusal_has_its_status_and_its_code_and_nothing_is_stated() {
    let centre = Centre::start();
    let told = |request: &[u8]| {
        let answer = ask(centre.address, request);
        (answer.status, answer.problem())
    };
    let own = "/platform/v1/xuexi/reports";
    let say = |path: &str, report: &Report| request(path, COSE, &seal_statement(report, &key()));
    let is = |status, code: &str| (status, code.to_owned());
    let good = report(1, opening(1));
    let other = Report { platform: "other".parse().unwrap(), ..good.clone() };
    let empty = Report { stretches: Vec::new(), ..good.clone() };
    let ahead = Report { made: Timestamp::from_ms(MORNING.as_ms() + 3_600_000), ..good.clone() };
    let forged = seal_statement(&good, &SigningKey::from_secret(&[1; 32]));
    assert_eq!(
        told(&say("/platform/v1/other/reports", &other)),
        is(404, "report_unknown_platform")
    );
    for nobody in ["%ff", "..", "a%2Fb", "%20", "%E5%AD%A6", &"x".repeat(5_000)] {
        let path = format!("/platform/v1/{nobody}/reports");
        assert_eq!(told(&say(&path, &good)), is(404, "report_unknown_platform"), "{nobody}");
    }
    assert_eq!(told(&say(own, &other)), is(403, "report_foreign"));
    assert_eq!(told(&request(own, COSE, &forged)), is(403, "report_unsigned"));
    assert_eq!(told(&request(own, COSE, b"")), is(403, "report_unsigned"));
    assert_eq!(told(&request(own, COSE, &[0x9f; 80_000])), is(403, "report_unsigned"));
    assert_eq!(told(&say(own, &empty)), is(422, "report_flawed"));
    assert_eq!(told(&say(own, &ahead)), is(422, "report_ahead"));
    for media in ["application/octet-stream", "application/cose-key", ""] {
        let typed = request(own, media, &sealed(1));
        assert_eq!(told(&typed), is(415, "wrong_media_type"), "{media}");
    }
    let longest = vec![0; REPORT_BYTES_MAX];
    assert_eq!(told(&request(own, COSE, &longest)), is(403, "report_unsigned"));
    let longer = vec![0; REPORT_BYTES_MAX + 1];
    assert_eq!(told(&request(own, COSE, &longer)), is(413, "report_too_long"));
    let elsewhere = format!("{own}/1");
    for path in ["/", "/platform/v1/xuexi", "/platform/v2/xuexi/reports", &elsewhere] {
        assert_eq!(told(&request(path, COSE, &sealed(1))), is(404, "not_found"), "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let asked = format!("{method} {own} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = ask(centre.address, asked.as_bytes());
        assert_eq!((answer.status, answer.problem()), is(405, "method_not_allowed"));
        assert!(answer.head.contains("allow: post\r\n"), "{}", answer.head);
    }
    let broken =
        format!("POST {own} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
    assert_eq!(told(broken.as_bytes()), is(400, "cut_off"));
    assert!(centre.end().is_empty(), "nothing of all this is stated");
}

#[test]
fn a_report_that_comes_on_both_ways_is_stated_once_and_answered_on_each() {
    let broker = Mosquitto::start();
    let centre = Centre::with(Bounds::default(), broker.port());
    let xuexi = "xuexi".parse().unwrap();
    let (topic, name) = (reports_of(&xuexi), "platform-xuexi".parse().unwrap());
    let mut caller = Caller::listening(broker.port(), &name, &taken_of(&xuexi));
    eventually("the collector is connected", || centre.collector.is_connected());
    let receipt = centre.receipt;
    let upto = move |heard: &[u8]| open_statement::<ReportTaken>(heard, &receipt).unwrap().upto;
    let over_http = |number| {
        let answer = post(centre.address, &sealed(number));
        (answer.status, answer.upto(&receipt))
    };
    assert_eq!(over_http(1), (200, 1));
    assert_eq!(over_http(2), (200, 2));
    caller.shout(&topic, sealed(2));
    caller.until("the broker's is answered, too", |heard| !heard.is_empty());
    assert_eq!(upto(&caller.heard[0]), 2, "what came over HTTP was not answered here");
    caller.shout(&topic, sealed(3));
    caller.until("and goes on", |heard| heard.last().is_some_and(|it| upto(it) == 3));
    assert_eq!(over_http(3), (200, 3));
    assert_eq!(over_http(5), (409, 3));
    // All at once, on both, three times each.
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for number in 4..=20 {
                    // Whoever meets a gap was overtaken by nobody: the numbers go up on each way.
                    assert_eq!(over_http(number).0, 200);
                }
            });
        }
        for number in (4..=20).flat_map(|number| [number; 3]) {
            caller.shout(&topic, sealed(number));
        }
        caller.until("all are there", |heard| heard.last().is_some_and(|it| upto(it) == 20));
    });
    assert_eq!(centre.end(), (1..=20).collect::<Vec<_>>(), "each number once, in order");
}

#[test]
fn who_sends_slowly_or_without_end_is_cut_off_and_keeps_nobody_else_from_being_heard() {
    let bounds = Bounds {
        connections: 2,
        body: Duration::from_millis(300),
        whole: Duration::from_millis(900),
        ..Bounds::default()
    };
    let centre = Centre::with(bounds, free_port());
    let open = |bytes: &[u8]| {
        let mut stream = connect(centre.address);
        stream.write_all(bytes).unwrap();
        stream
    };
    let whole = request("/platform/v1/xuexi/reports", COSE, &sealed(1));
    // Half a body holds one of the two places.
    let mut half = open(&whole[..whole.len() - 10]);
    assert_eq!(post(centre.address, &sealed(1)).status, 200);
    let slow = Answer::read(&mut half);
    assert_eq!((slow.status, slow.problem()), (408, "too_slow".into()));
    // Half a head, and nothing at all, hold both; who comes then waits until their time is over.
    let (head, nothing) = (open(&whole[..30]), open(b""));
    assert_eq!(post(centre.address, &sealed(2)).status, 200);
    assert_eq!(until_hung_up(head), b"");
    assert_eq!(until_hung_up(nothing), b"");
    // A body without an end, which nobody keeps.
    let mut endless = open(
        b"POST /platform/v1/xuexi/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    let chunk = [b"10000\r\n".as_slice(), &[7; 0x10000], b"\r\n"].concat();
    let sent = (0..10_000).take_while(|_| endless.write_all(&chunk).is_ok()).count();
    assert!(sent < 10_000, "somebody hangs up on {sent} chunks of 64 KiB");
    // What is no HTTP.
    for senseless in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\r\n\r\n\0\0\0", &[b'A'; 70_000]]
    {
        let mut stream = connect(centre.address);
        // It may hang up before all is said.
        drop(stream.write_all(senseless));
        until_hung_up(stream);
    }
    let answer = post(centre.address, &sealed(3));
    assert_eq!((answer.status, answer.upto(&centre.receipt)), (200, 3));
    assert_eq!(centre.end(), [1, 2, 3]);
}

// ---- TLS, by the real program -----------------------------------------------------------------

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then the test has failed for that.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The real program, and the address at which it says that platforms report.
fn running(day: &Day) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.args(["collector", "run", "--config"]).arg(&day.config).stdout(Stdio::piped());
    let mut child = Running(command.spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let word = "platforms report at ";
    let url = lines.find_map(|line| Some(line.unwrap().split_once(word)?.1.to_owned()));
    // A program blocks when nobody reads what it says.
    thread::spawn(move || lines.for_each(drop));
    (child, url.expect("it ended before it said where platforms report"))
}

/// What `[platforms]` says, in place of whatever it said before.
fn configure(day: &Day, section: &str) {
    let text = std::fs::read_to_string(&day.config).unwrap();
    let text = text.split("\n[platforms]").next().unwrap().trim_end().to_owned();
    write(&day.config, format!("{text}\n\n[platforms]\n{section}\n"));
}

/// A centre with an authority, that has certified the address of platforms in the folder `own`.
fn certified() -> Day {
    let day = Day::configured(free_port());
    fine(&day.collector("init", &[]));
    let own = day.file("own");
    let own = ["--out", own.to_str().unwrap()];
    let words = [&["--for", "platforms", "--host", "127.0.0.1"][..], &own].concat();
    fine(&day.collector("certificate", &words));
    day
}

fn tls_to(address: SocketAddr, ca: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    certificates(ca).unwrap().into_iter().for_each(|ca| roots.add(ca).unwrap());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::from(address.ip());
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, connect(address))
}

#[test]
fn the_real_program_takes_reports_over_tls_and_ends_with_open_connections() {
    let day = certified();
    let own = |name: &str| day.file("own").join(name);
    let public = key().verifying_key().to_string();
    let config = day.config.to_str().unwrap();
    let add = ["collector", "platform", "add", "--config", config, "--id", "xuexi", "--name", "学"];
    fine(&rollcall(&[&add[..], &["--key", &public]].concat()));
    configure(
        &day,
        &format!(
            "listen = \"127.0.0.1:0\"\ncert_file = {:?}\nkey_file = {:?}",
            own("platforms.pem"),
            own("platforms.key")
        ),
    );
    assert!(fine(&day.collector("check-config", &[])).contains("fine"));
    let (mut child, url) = running(&day);
    let address: SocketAddr = url.strip_prefix("https://").expect(&url).parse().unwrap();
    let receipt = Home::peek_receipt(&day.data()).unwrap();
    for number in [1, 1, 2] {
        let mut stream = tls_to(address, &own("ca.pem"));
        stream.write_all(&request("/platform/v1/xuexi/reports", COSE, &sealed(number))).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!((answer.status, answer.upto(&receipt)), (200, number));
        let there: Vec<_> = (1..=number).collect();
        assert_eq!(numbers(&day.data().join("ledger.sqlite")), there);
    }
    // Another authority's certificate is not believed by who asks, and plain HTTP is not answered.
    let other = certified();
    let mut stream = tls_to(address, &other.file("own").join("ca.pem"));
    assert!(stream.write_all(b"POST ").and_then(|()| stream.flush()).is_err());
    let mut plain = connect(address);
    plain.write_all(&request("/platform/v1/xuexi/reports", COSE, &sealed(3))).unwrap();
    assert!(!until_hung_up(plain).starts_with(b"HTTP/"));
    // Somebody who says nothing keeps it from nothing.
    let _silent = connect(address);
    let id = child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(child.0.wait().unwrap().success());
    assert_eq!(numbers(&day.data().join("ledger.sqlite")), [1, 2]);
}

#[test]
fn plain_http_that_others_reach_and_every_mistake_about_the_certificate_is_refused_with_what_to_do()
{
    let day = certified();
    let own = |name: &str| format!("{:?}", day.file("own").join(name));
    let (cert, private) = (own("platforms.pem"), own("platforms.key"));
    let both = |cert: &str, key: &str| {
        format!("listen = \"0.0.0.0:0\"\ncert_file = {cert}\nkey_file = {key}")
    };
    for plain in ["0.0.0.0:8443", "[::]:8443", "192.0.2.7:8443"] {
        configure(&day, &format!("listen = \"{plain}\""));
        for command in ["check-config", "run"] {
            let words = ["without TLS others would read", "--for platforms", "127.0.0.1"];
            refused(&day.collector(command, &[]), 2, &words);
        }
    }
    let nonsense = day.file("nonsense.key");
    write(&nonsense, "no key");
    std::fs::set_permissions(&nonsense, std::fs::Permissions::from_mode(0o600)).unwrap();
    for (section, words) in [
        ("listen = \"8443\"".to_owned(), "platforms.listen must be empty, or an address and port"),
        ("listn = \"\"".to_owned(), "unknown field `listn`"),
        (format!("listen = \"127.0.0.1:0\"\nkey_file = {private}"), "given together"),
        (format!("cert_file = {cert}\nkey_file = {private}"), "unless platforms.listen is given"),
        (both("\"/no/such\"", &private), "could not read the certificates in /no/such"),
        (both(&cert, "\"/no/such\""), "could not read the key /no/such: there is none"),
        (both(&private, &private), "there is none in it"),
        (both(&cert, &format!("{nonsense:?}")), "could not use the key in"),
    ] {
        configure(&day, &section);
        let told = day.collector("check-config", &[]);
        let said = String::from_utf8_lossy(&told.stderr);
        assert_eq!(told.status.code(), Some(2), "{section}: {said}");
        assert!(said.contains(words) && said.contains("hint: "), "{section}: {said}");
    }
    // Another key, and one that everybody may read.
    let twin = certified();
    let foreign = format!("{:?}", twin.file("own").join("platforms.key"));
    configure(&day, &both(&cert, &foreign));
    let words = ["could not use the certificate in [platforms]", "it is not for the key in"];
    refused(&day.collector("check-config", &[]), 2, &words);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(day.file("own").join("platforms.key"), open).unwrap();
    configure(&day, &both(&cert, &private));
    let words = ["every user of this machine may read the file", "chmod 600"];
    refused(&day.collector("run", &[]), 2, &words);
    // On this machine it may be plain.
    configure(&day, "listen = \"[::1]:0\"");
    fine(&day.collector("check-config", &[]));
}
