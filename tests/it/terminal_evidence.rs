//! Evidence pictures on a terminal: kept only where the policy demands it and for the regulator's key
//! alone, on record when they come, leave and go, also across a crash, and gone when they expire.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use rollcall::camera::{self, Frame};
use rollcall::checkin::{Settings, When};
use rollcall::domain::{CheckIn, Event, NoticeKind, Outcome, Policy, Timestamp, Way};
use rollcall::journal::{Bounds, Journal};
use rollcall::kiosk::Unkept;
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::record::picture::{SealedPicture, digest_of_picture};
use rollcall::record::{ReadingKey, Record};
use rollcall::terminal::evidence::{self, Album, Rule, SWEEP_MS, Times};
use rollcall::terminal::{Setup, Taken, Terminal};
use rollcall::uplink::{self, NoWaypoints};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::kiosk_fixture::Kiosk;
use crate::support::broker::{embedded, eventually};
use crate::support::centre::{Centre, StandIn};
use crate::support::day::write;
use crate::support::records::{committed, receipt_verifying_key, terminal_id, terminal_key};

const RULE: Rule = Rule { pictures: true, days: 30 };

const DAY_MS: i64 = 86_400_000;

pub(crate) fn regulator() -> ReadingKey {
    ReadingKey::from_secret(&[0x41; 32])
}

/// A terminal without a camera, and its folder of pictures.
struct Site {
    terminal: Terminal,
    album: Album,
    clock: Arc<SystemClock>,
    runtime: Runtime,
    folder: TempDir,
}

impl Site {
    fn new() -> Self {
        Self::with(Bounds::default(), 1, 1 << 24)
    }

    fn with(bounds: Bounds, broker_port: u16, bytes_max: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal_dir = folder.path().join("journal");
        let key = terminal_key();
        Journal::init(&journal_dir, &terminal_id(), key.verifying_key().id()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let clock = Arc::new(SystemClock::start());
        let inside = runtime.enter();
        let terminal = Terminal::start(Setup {
            terminal: terminal_id(),
            key,
            journal_dir,
            bounds,
            uplink: uplink::Config {
                tls: None,
                broker_host: "127.0.0.1".into(),
                broker_port,
                receipt_key: receipt_verifying_key(),
                clock_tolerance_ms: 120_000,
                pace: uplink::Section { ask_ms: 1_000, ..Default::default() }.pace().unwrap(),
                firmware: "test".into(),
            },
            policy: Policy::sichuan_2025().profile(),
            pack: None,
            plugged: broker_port != 1,
            clock: Arc::clone(&clock) as _,
            waypoints: Arc::new(NoWaypoints),
        });
        drop(inside);
        let settings = evidence::Settings {
            reader: Some(regulator().public()),
            dir: folder.path().join("evidence"),
            bytes_max,
        };
        let album = Album::new(&settings);
        Self { terminal: terminal.unwrap(), album, clock, runtime, folder }
    }

    /// Somebody with another one's card, and the camera sees it.
    fn attempt(&mut self) -> Taken {
        let attempt = attempt(Outcome::LooksLikeOther);
        let taken = self.terminal.take(&attempt).unwrap();
        self.album.see(&RULE, &frame(), Some(1));
        let now = self.clock.now();
        self.album.keep(&self.terminal, &RULE, (&attempt, &taken), now).unwrap();
        taken
    }

    fn sweep(&mut self, times: &Times) {
        self.album.sweep(&self.terminal, &RULE, times).unwrap();
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.dir()) else { return Vec::new() };
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What was stated about pictures, in its order.
    fn stated(&self) -> Vec<(NoticeKind, [u8; 32])> {
        notices(&self.terminal)
    }
}

fn notices(terminal: &Terminal) -> Vec<(NoticeKind, [u8; 32])> {
    let stored = terminal.journal().replay(1, 1_000).unwrap();
    let notice = |sealed: &[u8]| {
        let record = Record::open(sealed, &terminal.verifying_key()).unwrap();
        record.consistent().unwrap();
        record.notice.map(|notice| (notice.kind, notice.digest.unwrap()))
    };
    stored.iter().filter_map(|(_, parcel)| notice(parcel.sealed.bytes())).collect()
}

fn attempt(outcome: Outcome) -> CheckIn {
    CheckIn {
        event: Event::Attempt,
        outcome,
        lesson: None,
        person: None,
        way: Some(Way::Claimed),
        scores: None,
        other: None,
        same_face: None,
        staff: None,
    }
}

/// Something with a gradient, as a JPEG likes it.
fn frame() -> Frame {
    let pixel = |n: u32| u8::try_from(n % 256).unwrap();
    let rgb = (0..96 * 64).flat_map(|at| [pixel(at), pixel(at / 96), pixel(at / 7)]).collect();
    Frame::from_rgb(96, 64, rgb).unwrap()
}

fn proven(at: Timestamp) -> Times {
    Times { proven: Some(at), signed: None }
}

fn sealed_in(path: &std::path::Path) -> SealedPicture {
    SealedPicture::parse(fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_picture_of_an_attempt_is_kept_for_the_regulator_alone_and_is_on_record() {
    let mut site = Site::new();
    let taken = site.attempt();
    assert_eq!(site.names(), ["1.picture"]);
    let bytes = fs::read(site.file("1.picture")).unwrap();
    assert_eq!(site.stated(), [(NoticeKind::PictureKept, digest_of_picture(&bytes))]);
    for jpeg in [&[0xff, 0xd8, 0xff][..], b"JFIF"] {
        assert!(!bytes.windows(jpeg.len()).any(|part| part == jpeg), "it lies there in the clear");
    }
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(site.dir()), mode(site.file("1.picture"))), (0o700, 0o600));

    let sealed = SealedPicture::parse(bytes).unwrap();
    assert_eq!((sealed.cover().seq, sealed.cover().record), (taken.seq, taken.hash));
    assert!(sealed.open(&ReadingKey::from_secret(&[0x42; 32])).is_err());
    let seen = camera::decode(&sealed.open(&regulator()).unwrap()).unwrap();
    assert_eq!((seen.width(), seen.height()), (96, 64));
    let off = |(a, b): (&u8, &u8)| u32::from(a.abs_diff(*b));
    let off: u32 = seen.rgb().iter().zip(frame().rgb()).map(off).sum();
    assert!(off < 20 * 96 * 64 * 3, "it is another picture");
}

#[test]
fn nothing_is_kept_of_anything_else() {
    let mut site = Site::new();
    let others = [
        Outcome::Accepted,
        Outcome::AlreadyIn,
        Outcome::NotRecognised,
        Outcome::Ambiguous,
        Outcome::NotOnRoster,
        Outcome::TooEarly,
        Outcome::TooLate,
        Outcome::NoLesson,
        Outcome::RefusedByPolicy,
    ];
    let mut decisions: Vec<_> = others.map(|outcome| (RULE, attempt(outcome))).to_vec();
    let no = Rule { pictures: false, ..RULE };
    decisions.push((no, attempt(Outcome::LooksLikeOther)));
    decisions.push((no, attempt(Outcome::NotLive)));
    for (rule, decision) in decisions {
        let taken = site.terminal.take(&decision).unwrap();
        site.album.see(&rule, &frame(), Some(1));
        site.album.keep(&site.terminal, &rule, (&decision, &taken), site.clock.now()).unwrap();
    }
    assert_eq!((site.names(), site.stated()), (vec![], vec![]));
}

#[test]
fn without_a_key_nothing_is_kept_and_that_is_said() {
    let mut site = Site::new();
    let settings = evidence::Settings { reader: None, dir: site.dir(), bytes_max: 1 << 24 };
    site.album = Album::new(&settings);
    site.album.tick(&site.terminal, &RULE, 0).unwrap();
    site.attempt();
    assert_eq!((site.names(), site.stated()), (vec![], vec![]));
    assert_eq!(site.album.unkept(), Some(Unkept::NoKey));
    site.album.tick(&site.terminal, &Rule { pictures: false, ..RULE }, 1).unwrap();
    assert_eq!(site.album.unkept(), None);
}

#[test]
fn what_has_expired_is_gone_and_that_is_on_record() {
    let mut site = Site::new();
    site.attempt();
    let digest = digest_of_picture(&fs::read(site.file("1.picture")).unwrap());
    // The terminal has not heard the centre yet: the days begin when it does.
    let heard = Timestamp::from_ms(1_800_000_000_000);
    site.sweep(&proven(heard));
    let until = heard.plus_ms(30 * DAY_MS);
    assert_eq!(site.names(), [format!("1.{}.picture", until.as_ms())]);
    site.sweep(&proven(until.plus_ms(-1)));
    assert_eq!(site.album.kept().unwrap()[0].until, Some(until));
    site.sweep(&proven(until));
    let (kept, deleted) = (NoticeKind::PictureKept, NoticeKind::PictureDeleted);
    assert_eq!(site.stated(), [(kept, digest), (deleted, digest)]);
    assert_eq!(site.names(), [""; 0]);
}

/// The wall clock is not asked, and a signed time of before says nothing about how long it was.
#[test]
fn no_clock_that_somebody_can_set_deletes_a_picture() {
    let mut site = Site::new();
    site.attempt();
    let late = site.clock.now().plus_ms(9_999 * DAY_MS);
    site.sweep(&Times::default());
    site.sweep(&Times { proven: None, signed: Some(late) });
    assert_eq!(site.names(), ["1.picture"]);
}

#[test]
fn it_is_looked_for_what_has_expired_at_the_start_and_every_hour() {
    let mut site = Site::new();
    site.attempt();
    site.sweep(&proven(Timestamp::from_ms(0)));
    site.attempt();
    site.sweep(&proven(Timestamp::from_ms(SWEEP_MS.try_into().unwrap())));
    assert_eq!(site.names().len(), 2);
    // Now the centre's signed time reaches the terminal: first the one's end, then the other's.
    let signed = |site: &Site, at: i64| {
        let at = Timestamp::from_ms(at);
        site.terminal.journal().note_signed_time_durably(at).unwrap();
    };
    let mut at_ms = 0;
    let mut tick = |site: &mut Site, later_ms| {
        at_ms += later_ms;
        site.album.tick(&site.terminal, &RULE, at_ms).unwrap();
        site.names().len()
    };
    signed(&site, 30 * DAY_MS);
    assert_eq!(tick(&mut site, 0), 1, "at the start");
    signed(&site, 31 * DAY_MS);
    assert_eq!(tick(&mut site, SWEEP_MS - 1), 1, "not before an hour is over");
    assert_eq!(tick(&mut site, 1), 0, "then by itself");
}

#[test]
fn a_picture_of_a_terminal_that_knows_the_time_has_its_date_from_the_beginning() {
    let port = embedded();
    let mut site = Site::with(Bounds::default(), port, 1 << 24);
    let known = [(terminal_id(), terminal_key().verifying_key())].into_iter().collect();
    let _centre = StandIn::start(port, known);
    eventually("the centre tells the time", || site.terminal.times().proven.is_some());
    let before = site.terminal.times().proven.unwrap();
    site.attempt();
    let after = site.terminal.times().proven.unwrap();
    let until = sealed_in(&site.file("1.picture")).cover().expires.unwrap();
    assert!((before.plus_ms(30 * DAY_MS)..=after.plus_ms(30 * DAY_MS)).contains(&until));
    site.runtime.block_on(site.terminal.shut_down()).unwrap();
}

#[test]
fn each_step_that_a_crash_has_left_undone_is_made_up_for() {
    let mut site = Site::new();
    site.attempt();
    let (kept, deleted) = (NoticeKind::PictureKept, NoticeKind::PictureDeleted);
    let sealed = fs::read(site.file("1.picture")).unwrap();
    let digest = digest_of_picture(&sealed);
    let now = proven(Timestamp::from_ms(0));

    // Stored, and not on record.
    fs::remove_file(site.file("1.picture")).unwrap();
    write(&site.file("1.new"), &sealed);
    // Half written.
    write(&site.file("2.new.partial"), &sealed[..100]);
    site.sweep(&Times::default());
    assert_eq!(site.names(), ["1.picture"]);
    assert_eq!(site.stated(), [(kept, digest); 2]);

    // To be deleted, and still there.
    write(&site.file("1.gone"), digest);
    site.sweep(&now);
    assert_eq!(site.names(), [""; 0]);
    assert_eq!(site.stated()[2..], [(deleted, digest)]);

    // Deleted, and not on record.
    write(&site.file("7.1775003405000.gone"), [5; 32]);
    site.sweep(&now);
    assert_eq!(site.names(), [""; 0]);
    assert_eq!(site.stated()[3..], [(deleted, [5; 32])]);
}

#[test]
fn a_full_journal_turns_nobody_away_for_a_picture_and_a_later_sweep_puts_it_on_record() {
    let bounds = Bounds { records_max: 1, ..Bounds::default() };
    let mut site = Site::with(bounds, 1, 1 << 24);
    let taken = site.attempt();
    assert_eq!((site.names(), site.stated()), (vec!["1.new".to_owned()], vec![]));
    assert!(site.album.sweep(&site.terminal, &RULE, &Times::default()).is_err());
    site.album.tick(&site.terminal, &RULE, 0).unwrap();
    assert_eq!(site.names(), ["1.new"]);
    // The centre's receipt makes room.
    let receipt = committed(1, taken.seq, taken.hash, Timestamp::from_ms(1));
    site.terminal.journal().release_durably(&receipt).unwrap();
    site.sweep(&Times::default());
    assert_eq!(site.names(), ["1.picture"]);
    let digest = digest_of_picture(&fs::read(site.file("1.picture")).unwrap());
    assert_eq!(site.stated(), [(NoticeKind::PictureKept, digest)]);
}

#[test]
fn at_the_bound_no_further_picture_is_kept_and_none_is_dropped() {
    let mut site = Site::new();
    site.attempt();
    let one = fs::metadata(site.file("1.picture")).unwrap().len();
    let settings = evidence::Settings {
        reader: Some(regulator().public()),
        dir: site.dir(),
        bytes_max: one * 2 + one / 2,
    };
    site.album = Album::new(&settings);
    for unkept in [None, Some(Unkept::Full), Some(Unkept::Full)] {
        site.attempt();
        assert_eq!(site.album.unkept(), unkept);
    }
    assert_eq!(site.names(), ["1.picture", "3.picture"]);
    assert_eq!(site.terminal.waiting(), 6, "each attempt, and two notices");

    // When there is room again the next one is kept.
    let heard = Timestamp::from_ms(0);
    site.sweep(&proven(heard));
    assert_eq!(site.album.unkept(), Some(Unkept::Full), "nothing has gone");
    site.sweep(&proven(heard.plus_ms(30 * DAY_MS)));
    assert_eq!((site.names(), site.album.unkept()), (vec![], None));
    site.attempt();
    assert_eq!(site.names(), ["9.picture"]);
}

#[test]
fn what_is_handed_over_is_on_record_and_stays_sealed() {
    let mut site = Site::new();
    site.attempt();
    site.attempt();
    let out = site.folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let handed = site.album.hand_over(&site.terminal, &RULE, &out).unwrap();
    let digests: Vec<_> = handed.iter().map(|picture| picture.digest).collect();
    for (seq, digest) in [1, 3].into_iter().zip(&digests) {
        let copy = fs::read(out.join(format!("terminal-1-{seq}.picture"))).unwrap();
        assert_eq!(digest_of_picture(&copy), *digest);
        assert_eq!(copy, fs::read(site.file(&format!("{seq}.picture"))).unwrap());
    }
    let over = NoticeKind::PictureHandedOver;
    assert_eq!(site.stated()[2..], [(over, digests[0]), (over, digests[1])]);

    // Where a copy cannot be written the record says more than happened, never less.
    let nowhere = site.folder.path().join("nowhere");
    assert!(site.album.hand_over(&site.terminal, &RULE, &nowhere).is_err());
    assert_eq!(site.stated()[4..], [(over, digests[0])]);
}

// ---- through the whole terminal ------------------------------------------------------------------

/// A card reader at the kiosk.
fn reads_card(kiosk: &Kiosk, number: &str) {
    let address = kiosk.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let body = format!(r#"{{"number":"{number}"}}"#);
    let request = format!(
        "POST /say HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
}

/// The first trainee holds up the card of the second; then she comes with her own.
fn plays(kiosk: &Kiosk) {
    let has = |outcome| move |record: &Record| record.outcome == Some(outcome);
    reads_card(kiosk, "20260002");
    kiosk.stands(0);
    eventually("the attempt is on record", || {
        kiosk.records().iter().any(has(Outcome::LooksLikeOther))
    });
    kiosk.leaves();
    reads_card(kiosk, "20260002");
    kiosk.stands(1);
    eventually("she is in", || kiosk.records().iter().any(has(Outcome::Accepted)));
}

fn never() -> Settings {
    Settings { challenge: When::Never, ..Settings::default() }
}

#[test]
fn a_stand_in_leaves_one_sealed_picture_and_whoever_is_accepted_none() {
    let mut kiosk = Kiosk::with_evidence(true, &regulator(), &never());
    plays(&kiosk);
    kiosk.dies();
    let entries: Vec<_> = fs::read_dir(&kiosk.evidence).unwrap().map(|it| it.unwrap()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let sealed = sealed_in(&entries[0].path());
    assert_eq!(notices(&kiosk.terminal), [(NoticeKind::PictureKept, sealed.digest())]);
    let records = kiosk.records();
    let attempt = &records[usize::try_from(sealed.cover().seq).unwrap() - 1];
    assert_eq!(attempt.outcome, Some(Outcome::LooksLikeOther));
    let seen = camera::decode(&sealed.open(&regulator()).unwrap()).unwrap();
    assert_eq!((seen.width(), seen.height()), (640, 480));
    let light = camera::Light::of(&seen);
    assert!(light.spread > 50, "somebody is in it: {light:?}");
}

#[test]
fn where_the_policy_does_not_demand_it_nothing_is_ever_written() {
    let mut kiosk = Kiosk::with_evidence(false, &regulator(), &never());
    plays(&kiosk);
    kiosk.dies();
    assert!(!kiosk.evidence.exists());
    assert_eq!(notices(&kiosk.terminal), []);
}
