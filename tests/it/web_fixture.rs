//! An invented province for the tests of feed and pages, its server, and the plainest HTTP client.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rollcall::domain::{
    self, AnomalyId, AnomalyKind, Bilingual, ClockEvidence, ClockQuality, LedgerRange, Outcome,
    Refusal, Score, Scores, Severity, TerminalId, Timestamp, Uptime, Way,
};
use rollcall::feed::{
    Anomaly, Attendance, Body, Evidence, Feed, Person, Place, Reported, SqliteLog, Terminal,
    TerminalState,
};
use rollcall::ledger::{self, Entry};
use rollcall::platform::clock::StepClock;
use rollcall::record::{Commitment, Other, Record, SealedHash};
use rollcall::web::{About, Entries, EntriesError, Listening, Site, WhenTaken};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// No answer of a test server takes this long; beyond it the test says what it waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_shanghai(text).unwrap()
}

fn text(zh: &str, en: &str) -> Bilingual {
    Bilingual::new(zh, en)
}

pub(crate) fn chengdu() -> Place {
    Place {
        institution: text("锦江职业培训学校", "Jinjiang Vocational School"),
        site: text("东门教学点", "East Gate site"),
        town: text("成都", "Chengdu"),
    }
}

pub(crate) fn mianyang() -> Place {
    Place {
        institution: text("涪城技工培训中心", "Fucheng Skills Centre"),
        site: text("实训楼", "Workshop building"),
        town: text("绵阳", "Mianyang"),
    }
}

fn jinjiang_second() -> Place {
    Place { site: text("南街教学点", "South Street site"), ..chengdu() }
}

pub(crate) fn terminal(
    id: &str,
    place: Place,
    state: TerminalState,
    waiting: u64,
    seq: u64,
) -> Body {
    Body::Terminal(Terminal {
        terminal: id.parse().unwrap(),
        place: Some(place),
        state,
        waiting: Some(waiting),
        last: Some(Reported { seq, at: at("2026-03-02 16:12") }),
    })
}

pub(crate) fn terminals() -> Vec<Body> {
    vec![
        terminal("cd-east-01", chengdu(), TerminalState::Online, 0, 48),
        terminal("cd-south-01", jinjiang_second(), TerminalState::Offline, 0, 31),
        terminal("my-shop-01", mianyang(), TerminalState::ClockDoubtful, 12, 27),
    ]
}

pub(crate) fn attendance(index: u64) -> Body {
    const NAMES: [&str; 10] = [
        "周晓梅",
        "陈志强",
        "吴桂芳",
        "郑国栋",
        "赵丽娟",
        "孙文博",
        "何秀英",
        "罗建华",
        "唐雨欣",
        "邓海涛",
    ];
    let east = index.is_multiple_of(3);
    let event = match index % 7 {
        5 => domain::Event::CheckOut,
        6 => domain::Event::Attempt,
        _ => domain::Event::CheckIn,
    };
    let attempt = event == domain::Event::Attempt;
    let minutes = i64::try_from(index).unwrap() * 4;
    Body::Attendance(Attendance {
        index,
        at: at("2026-03-02 13:50").plus_ms(minutes * 60_000 + 7_000),
        person: (!attempt).then(|| NAMES[usize::try_from(index).unwrap() % NAMES.len()].to_owned()),
        terminal: if east { "cd-east-01" } else { "my-shop-01" }.parse().unwrap(),
        place: Some(if east { chengdu() } else { mianyang() }),
        lesson: Some(if east {
            text("养老护理 3 班", "Elderly care 3")
        } else {
            text("电工基础 1 班", "Electrician 1")
        }),
        event,
        outcome: Some(if attempt { Outcome::NotRecognised } else { Outcome::Accepted }),
        late_minutes: (index % 11 == 4 && event == domain::Event::CheckIn).then_some(12),
    })
}

pub(crate) fn attendances() -> Vec<Body> {
    (0..30).map(attendance).collect()
}

/// The parts in which anomalies differ.
struct Case {
    kind: AnomalyKind,
    severity: Severity,
    at: &'static str,
    who: &'static [(&'static str, &'static str, &'static str)],
    place: Option<Place>,
    terminals: &'static [&'static str],
    zh: &'static str,
    en: &'static str,
    evidence: &'static [(u64, &'static str, &'static str)],
}

pub(crate) fn anomalies() -> Vec<Body> {
    cases().into_iter().map(anomaly).collect()
}

fn anomaly(case: Case) -> Body {
    let indexes: Vec<u64> = case.evidence.iter().map(|(index, _, _)| *index).collect();
    let at = at(case.at);
    let who = case.who.iter();
    Body::Anomaly(Anomaly {
        anomaly: AnomalyId::of(case.kind, &indexes),
        kind: case.kind,
        severity: case.severity,
        at,
        committed_at: at.plus_ms(1_400),
        who: who.map(|(z, e, n)| Person { role: text(z, e), name: (*n).into() }).collect(),
        place: case.place,
        terminals: case.terminals.iter().map(|id| id.parse().unwrap()).collect(),
        why: text(case.zh, case.en),
        evidence: case
            .evidence
            .iter()
            .map(|(index, zh, en)| Evidence {
                index: *index,
                hash: SealedHash::of(&index.to_be_bytes()).to_string().chars().take(8).collect(),
                what: text(zh, en),
            })
            .collect(),
        policy: "sichuan-2025/1".to_owned(),
        rule: 1,
        inputs: BTreeMap::from([("clock_tolerance_s".to_owned(), "120".to_owned())]),
        ledger: Some(LedgerRange { first: 0, last: indexes.iter().copied().max().unwrap_or(0) }),
    })
}

/// An anomaly that has not been there before, for tests that need many.
pub(crate) fn another_anomaly(number: u64) -> Body {
    let Body::Anomaly(mut anomaly) = anomalies().remove(0) else { unreachable!() };
    anomaly.anomaly = AnomalyId::of(anomaly.kind, &[1_000_000 + number]);
    anomaly.at = anomaly.at.plus_ms(i64::try_from(number).unwrap() * 1_000);
    Body::Anomaly(anomaly)
}

fn cases() -> Vec<Case> {
    const TRAINEE: (&str, &str) = ("学员", "trainee");
    const STAND_IN: (&str, &str) = ("相貌所属", "face of");
    vec![
        Case {
            kind: AnomalyKind::OffTimetable,
            severity: Severity::Warning,
            at: "2026-03-02 03:12:07",
            who: &[(TRAINEE.0, TRAINEE.1, "孙文博")],
            place: Some(mianyang()),
            terminals: &["my-shop-01"],
            zh: "03:12 签到，前后六小时内该教学点无已登记课次。可能是设备误触，也可能是补签。",
            en: "A check-in at 03:12; no lesson is registered at this site within six hours. It may be a mistake, or hours made up afterwards.",
            evidence: &[(3, "签到，无课", "check-in, no lesson")],
        },
        Case {
            kind: AnomalyKind::ProxyStandIn,
            severity: Severity::Alarm,
            at: "2026-03-02 08:31:40",
            who: &[(TRAINEE.0, TRAINEE.1, "周晓梅"), (STAND_IN.0, STAND_IN.1, "赵丽娟")],
            place: Some(chengdu()),
            terminals: &["cd-east-01"],
            zh: "声明身份与面部不符：与本人相似度 0.12，与名册中另一人相似度 0.71（阈值 0.42）。双胞胎也会出现此情形。",
            en: "The claim does not fit the face: similarity 0.12 to the person claimed, 0.71 to another of the roster (threshold 0.42). Twins look like this too.",
            evidence: &[(4, "声明签到，像另一人", "claimed check-in, looks like somebody else")],
        },
        Case {
            kind: AnomalyKind::ProxySharedFace,
            severity: Severity::Alarm,
            at: "2026-03-02 08:44:02",
            who: &[(TRAINEE.0, TRAINEE.1, "陈志强"), (TRAINEE.0, TRAINEE.1, "郑国栋")],
            place: Some(chengdu()),
            terminals: &["cd-east-01"],
            zh: "同一张脸在 12 分钟内以两个姓名签到，相似度 0.83。",
            en: "One face checked in under two names within 12 minutes; similarity 0.83.",
            evidence: &[(5, "签到", "check-in"), (6, "签到，同脸", "check-in, same face")],
        },
        Case {
            kind: AnomalyKind::MultiDevice,
            severity: Severity::Alarm,
            at: "2026-03-02 09:20:15",
            who: &[(TRAINEE.0, TRAINEE.1, "罗建华")],
            place: Some(mianyang()),
            terminals: &["cd-east-01", "my-shop-01"],
            zh: "相距 112 公里的两个终端在 18 分钟内均有其签到，所需车速 373 公里/时。",
            en: "Active at two terminals 112 km apart within 18 minutes: that would need 373 km/h.",
            evidence: &[
                (7, "成都签到", "check-in in Chengdu"),
                (8, "绵阳签到", "check-in in Mianyang"),
            ],
        },
        Case {
            kind: AnomalyKind::Forged,
            severity: Severity::Alarm,
            at: "2026-03-02 10:05:33",
            who: &[],
            place: Some(chengdu()),
            terminals: &["cd-east-01"],
            zh: "以该终端名义送来的记录，签名与记录链均不相符：不是该终端所写。",
            en: "Sent in this terminal's name, but neither signature nor chain fit: the terminal did not write it.",
            evidence: &[(9, "拒收：签名不符", "refused: bad signature")],
        },
        Case {
            kind: AnomalyKind::Altered,
            severity: Severity::Alarm,
            at: "2026-03-02 10:07:10",
            who: &[],
            place: Some(mianyang()),
            terminals: &["my-shop-01"],
            zh: "记录接得上该终端的记录链，但签名不符：真记录在途中被改动。",
            en: "It continues the terminal's chain, but the signature does not fit: a genuine record was changed on its way.",
            evidence: &[(10, "拒收：签名不符，链相接", "refused: bad signature, fits the chain")],
        },
        Case {
            kind: AnomalyKind::Replayed,
            severity: Severity::Warning,
            at: "2026-03-02 10:09:51",
            who: &[],
            place: Some(mianyang()),
            terminals: &["cd-east-01", "my-shop-01"],
            zh: "终端 cd-east-01 的记录被以 my-shop-01 的名义再次发送。",
            en: "A record of cd-east-01 was sent again in the name of my-shop-01.",
            evidence: &[
                (5, "原记录", "the original"),
                (11, "拒收：他终端记录", "refused: foreign terminal"),
            ],
        },
        Case {
            kind: AnomalyKind::UnregisteredTerminal,
            severity: Severity::Warning,
            at: "2026-03-02 10:12:00",
            who: &[],
            place: None,
            terminals: &["ghost-77"],
            zh: "未登记的终端发来 3 条记录，均已拒收并留存。",
            en: "A terminal that nobody registered sent 3 records; all were refused and kept.",
            evidence: &[(12, "拒收：终端未登记", "refused: unknown terminal")],
        },
        Case {
            kind: AnomalyKind::ForkedChain,
            severity: Severity::Alarm,
            at: "2026-03-02 11:40:28",
            who: &[],
            place: Some(jinjiang_second()),
            terminals: &["cd-south-01"],
            zh: "同一密钥对序号 29 签出两条不同的记录：密钥可能被复制。",
            en: "One key signed two different records with number 29: the key may have been copied.",
            evidence: &[(13, "拒收：序号重复", "refused: number taken")],
        },
        Case {
            kind: AnomalyKind::ExcessHours,
            severity: Severity::Notice,
            at: "2026-03-02 13:05:00",
            who: &[(TRAINEE.0, TRAINEE.1, "何秀英")],
            place: Some(chengdu()),
            terminals: &["cd-east-01"],
            zh: "当日累计 9.5 学时，超过规则上限 8 学时；可能忘记签退。",
            en: "9.5 hours on one day, the profile allows 8; a check-out may have been forgotten.",
            evidence: &[(14, "签到", "check-in"), (15, "签退", "check-out")],
        },
        Case {
            kind: AnomalyKind::ProxySharedFace,
            severity: Severity::Warning,
            at: "2026-03-02 14:02:18",
            who: &[(TRAINEE.0, TRAINEE.1, "唐雨欣"), (TRAINEE.0, TRAINEE.1, "吴桂芳")],
            place: Some(mianyang()),
            terminals: &["my-shop-01"],
            zh: "两个姓名下的面部相似度 0.61，接近判定线；请核对是否为姐妹。",
            en: "Similarity 0.61 under two names, near the line: check whether they are sisters.",
            evidence: &[(16, "签到", "check-in"), (17, "签到，同脸", "check-in, same face")],
        },
        Case {
            kind: AnomalyKind::MultiDevice,
            severity: Severity::Notice,
            at: "2026-03-02 16:10:44",
            who: &[(TRAINEE.0, TRAINEE.1, "邓海涛")],
            place: Some(jinjiang_second()),
            terminals: &["cd-east-01", "cd-south-01"],
            zh: "相距 2.1 公里的两个终端在 9 分钟内均有其签到，骑车可达，仅供参考。",
            en: "Active at two terminals 2.1 km apart within 9 minutes: possible by bicycle, for information only.",
            evidence: &[
                (18, "东门签到", "check-in at East Gate"),
                (19, "南街签到", "check-in at South Street"),
            ],
        },
    ]
}

fn record(terminal: &TerminalId, index: u64) -> Record {
    let (contradicted, him) = (index == 4, Commitment([9; 32]));
    Record {
        staff: None,
        terminal: terminal.clone(),
        seq: index + 20,
        prev: SealedHash::of(b"before"),
        event: domain::Event::CheckIn,
        outcome: Some(if contradicted { Outcome::LooksLikeOther } else { Outcome::Accepted }),
        lesson: Some("care3-0302-am".parse().unwrap()),
        person: Some(Commitment([index.to_be_bytes()[7]; 32])),
        way: Some(Way::Claimed),
        scores: Some(Scores {
            match_score: Some(Score::from_e4(if contradicted { 1_204 } else { 7_311 })),
            second_score: None,
            threshold: Score::from_e4(4_200),
            detection: Score::from_e4(9_720),
            liveness: None,
            pictures: Some(3),
            challenge: None,
        }),
        other: contradicted.then_some(Other { person: him, score: Score::from_e4(7_102) }),
        same_face: None,
        clock: ClockEvidence {
            wall: at("2026-03-02 08:31:40"),
            uptime: Uptime::from_ms(4_800_000),
            boot: 3,
            signed: Some(at("2026-03-02 08:30")),
            quality: ClockQuality::Synced,
        },
        pack: None,
        policy: "sichuan-2025/1".to_owned(),
        firmware: "0.1.0".to_owned(),
        gap: None,
        notice: None,
    }
}

/// A ledger of invented entries: 0 to 19, of which 9 to 13 are refused bytes; 666 cannot be read.
pub(crate) struct Book;

impl Entries for Book {
    fn entry(&self, index: u64) -> Result<Option<Entry>, EntriesError> {
        if index == 666 {
            return Err("the disk is on fire at /var/lib/secret".into());
        }
        if index > 19 {
            return Ok(None);
        }
        let terminal: TerminalId = "cd-east-01".parse().unwrap();
        let hash = SealedHash::of(&index.to_be_bytes());
        let record = Box::new(record(&terminal, index));
        let body = match index {
            0 => ledger::Body::Fact(domain::Fact::Tick),
            9..=13 => ledger::Body::Refused {
                terminal,
                refusal: Refusal::BadSignature { fits_chain: index == 10 },
                claims: Some(record),
                hash,
            },
            _ => ledger::Body::Record { record, hash, person: None, other: None },
        };
        Ok(Some(Entry { index, committed_at: at("2026-03-02 08:31:42"), body }))
    }

    fn count(&self) -> Result<u64, EntriesError> {
        Ok(1_284)
    }
}

pub(crate) fn site(feed: Arc<Feed>) -> Site {
    Site {
        about: Arc::new(About {
            demo: true,
            origin: "demo.rollcall.example".to_owned(),
            policy: "sichuan-2025/1".to_owned(),
            verify: None,
        }),
        feed,
        log: None,
        entries: Arc::new(Book),
        cases: Arc::new(crate::web_cases::Shelf),
        clock: Arc::new(StepClock::at(at("2026-03-02 16:20"))),
    }
}

/// A running server over a feed in a temporary folder.
pub(crate) struct Server {
    pub(crate) feed: Arc<Feed>,
    pub(crate) address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    serving: Option<tokio::task::JoinHandle<()>>,
    runtime: Runtime,
    folder: TempDir,
}

impl Server {
    /// Serves an empty feed on a free port.
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1:0")
    }

    fn start_on(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::of(Box::new(SqliteLog::open(&folder.path().join("feed.sqlite")).unwrap()));
        let runtime = Runtime::new().unwrap();
        let address = address.parse().unwrap();
        let mut server = Self { feed, address, end: None, serving: None, runtime, folder };
        server.serve();
        server
    }

    fn serve(&mut self) {
        let listening =
            self.runtime.block_on(Listening::bind(self.address, WhenTaken::Fail)).unwrap();
        self.address = listening.address;
        let (end, ended) = oneshot::channel();
        let site = site(Arc::clone(&self.feed));
        self.end = Some(end);
        self.serving = Some(self.runtime.spawn(async move {
            let end = async {
                ended.await.ok();
            };
            listening.serve(site, end).await.unwrap();
        }));
    }

    /// Serves again at the same address, from the named log of the same folder.
    pub(crate) fn serve_again(&mut self, log: &str) {
        self.feed = Feed::of(Box::new(SqliteLog::open(&self.folder.path().join(log)).unwrap()));
        self.serve();
    }

    /// Serves the whole invented province.
    pub(crate) fn of_province() -> Self {
        Self::of_province_on("127.0.0.1:0")
    }

    /// The same, on a loopback address where no other test can take the port while it is free
    /// between two servers.
    pub(crate) fn of_province_on(address: &str) -> Self {
        let server = Self::start_on(address);
        server.feed.announce(&terminals()).unwrap();
        server.feed.announce(&attendances()).unwrap();
        server.feed.announce(&anomalies()).unwrap();
        server
    }

    /// Asks for `path`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (status, headers, mut rest) = request(self.address, method, path, headers);
        // A stream has no length: waiting for its end would wait for ever.
        let length = headers.get("content-length").expect("the answer is one that ends");
        let mut body = vec![0; length.parse().unwrap()];
        rest.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        Answer { status, headers, body }
    }

    /// Opens the stream of events.
    pub(crate) fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Frames {
        let (status, headers, rest) = request(self.address, "GET", path, headers);
        assert_eq!(status, 200, "the stream at {path} opens");
        assert_eq!(headers["content-type"], "text/event-stream");
        Frames(rest)
    }

    /// Ends the server and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
        let serving = self.serving.take().unwrap();
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, serving).await })
            .unwrap()
            .unwrap();
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// HTTP/1.0: the answer's body is everything until the connection closes.
fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, BTreeMap<String, String>, BufReader<TcpStream>) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = format!("{method} {path} HTTP/1.0\r\nhost: {address}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    socket.write_all(text.as_bytes()).unwrap();
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut found = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        found.insert(name.to_lowercase(), value.to_owned());
    }
    (status, found, reader)
}

/// A stream of server-sent events.
pub(crate) struct Frames(BufReader<TcpStream>);

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) retry: Option<String>,
}

impl Frame {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Iterator for Frames {
    type Item = Frame;

    /// The next event; `None` when the server has closed the stream.
    fn next(&mut self) -> Option<Frame> {
        let mut frame = Frame::default();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("the stream goes on") == 0 {
                return None;
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if !frame.event.is_empty() {
                    return Some(frame);
                }
                continue;
            }
            let (name, value) = line.split_once(": ").expect("a line is `name: value`");
            match name {
                "id" => frame.id = Some(value.parse().unwrap()),
                "event" => frame.event = value.to_owned(),
                "data" => frame.data = value.to_owned(),
                "retry" => frame.retry = Some(value.to_owned()),
                other => panic!("a field {other} that the specification does not know"),
            }
        }
    }
}

/// What a page at `address` is told first: all that stands on it now.
pub(crate) fn snapshot(address: &str) -> String {
    let (_, _, rest) = request(address.parse().unwrap(), "GET", "/api/v1/events", &[]);
    Frames(rest).next().expect("a snapshot comes first").data
}
