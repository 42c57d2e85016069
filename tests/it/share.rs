//! Templates pass between one institution's terminals: real nets, a real Mosquitto, the real collector, and
//! terminals of two institutions. Whoever is enrolled at one is recognised at the other, whoever takes her
//! consent back is forgotten at both, and the centre can read none of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use data_encoding::HEXLOWER;
use rollcall::bench::people::PEOPLE;
use rollcall::camera::{self, CaptureError, Frame, FrameSource};
use rollcall::checkin::pin::Verifier;
use rollcall::checkin::{Plan, Settings, When};
use rollcall::domain::{Lesson, NoticeKind, Outcome, PersonId, Policy};
use rollcall::face::{Gallery, RuntimeChoice, Transform, gallery_file};
use rollcall::kiosk::{Page, Said};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::platform::secret;
use rollcall::record::Record;
use rollcall::record::topic::Channel;
use rollcall::terminal::evidence::Album;
use rollcall::terminal::panel::CameraState;
use rollcall::terminal::register::{Consent, Member, Register};
use rollcall::terminal::share::{Exchange, InstitutionKey};
use rollcall::terminal::{
    Attendee, Cabinet, Config, ConsentText, Door, Looking, Service, SitePlan, Terminal, numbers,
    people_searched, register_file,
};
use rumqttc::{Event, Packet, QoS};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::face_data::opened;
use crate::support::broker::eventually;
use crate::support::day::{rollcall, write};
use crate::support::town::{Town, token_in};
use crate::support::{fine, refused};

/// Two names; who is behind the second one depends on the test.
const LI: PersonId = PersonId([0xa1; 16]);
const WANG: PersonId = PersonId([0xa2; 16]);

/// The teacher's number and PIN.
const TEACHER: (&str, &str) = ("9001", "91735");

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two institutions with a site each, and nobody runs yet.
fn town() -> Town {
    let town = Town::founded();
    let facts = town.file("more.toml");
    write(
        &facts,
        "[[institution]]\nid = \"i-2\"\nname = { zh = \"远航\", en = \"Yuanhang\" }\n\
         [[site]]\nid = \"s-2\"\ninstitution = \"i-2\"\nname = { zh = \"二号\", en = \"Two\" }\n\
         town = { zh = \"绵阳\", en = \"Mianyang\" }\n\
         place = { latitude_e6 = 31467500, longitude_e6 = 104679600 }\n",
    );
    fine(&town.collector("register", &[text(&facts)]));
    town
}

/// `rollcall terminal share COMMAND --config … MORE`, with something to read.
fn share(config: &Path, command: &str, more: &[&str], said: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args(["terminal", "share", command, "--config", text(config)])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), said.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

/// The code among what `share init` or `share code` printed.
fn code(said: &str) -> &str {
    said.lines().find(|line| line.starts_with("ROLLCALL-SHARE:")).unwrap()
}

/// A set-up device at a site, which has the institution key of `from`, or makes one.
fn device(town: &Town, id: &str, site: &str, from: Option<&str>) {
    let said = fine(&town.terminal("add", &["--id", id, "--site", site]));
    fine(&town.init(id, &token_in(&said)));
    match from {
        None => drop(fine(&share(&town.device(id), "init", &[], ""))),
        Some(other) => {
            let said = fine(&share(&town.device(other), "code", &[], ""));
            fine(&share(&town.device(id), "join", &["-"], code(&said)));
        }
    }
}

/// Whoever is called stands before it.
struct Eye {
    pictures: BTreeMap<usize, Frame>,
    standing: Arc<Mutex<Option<usize>>>,
    nobody: Frame,
}

impl FrameSource for Eye {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let standing = *self.standing.lock().unwrap();
        Ok(Some(standing.map_or(&self.nobody, |who| &self.pictures[&who]).clone()))
    }
}

/// A running terminal with camera, nets and counter.
struct Booth {
    terminal: Arc<Terminal>,
    standing: Arc<Mutex<Option<usize>>>,
    mouth: mpsc::Sender<Said>,
    ended: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
    runtime: Runtime,
}

impl Booth {
    /// Opens a device; these are enrolled there by their consent, each with the face of that number.
    fn open(town: &Town, id: &str, enrolled: &[(PersonId, usize)]) -> Self {
        let runtime = Runtime::new().unwrap();
        let inside = runtime.enter();
        let config = Config::read(&town.device(id)).unwrap();
        let secret = secret::read(&config.face.gallery_key_file).unwrap();
        let mut pipeline = opened(RuntimeChoice::Auto);
        let thresholds = pipeline.thresholds().unwrap().clone();
        let clock = Arc::new(SystemClock::start());
        let now = clock.now();
        let policy = Policy::sichuan_2025();
        let consent = ConsentText::shipped(policy.template_days_max());
        let (register, gallery_at) = (config.face.register(), config.face.gallery_file.clone());
        let mut cabinet = Cabinet::open(register, gallery_at.clone(), secret).unwrap();
        let model = pipeline.embedding_digest();
        let mut gallery = match gallery_file::load(&gallery_at, &secret, &model) {
            Ok(gallery) => gallery,
            // Each terminal has a rotation of its own.
            Err(_) => Gallery::new(model).with_transform([id.as_bytes()[4]; 32]),
        };
        pipeline.rotate(gallery.transform());
        for (person, face) in enrolled {
            let faces: Vec<_> = PEOPLE[*face][..3]
                .iter()
                .map(|picture| pipeline.look(&camera::decode(picture).unwrap()).unwrap())
                .map(|look| look.face.unwrap().embedding)
                .collect();
            gallery.enrol(*person, &faces, thresholds.matching.cosine).unwrap();
        }
        cabinet.keep(&gallery).unwrap();
        let change = |register: &mut Register| {
            let teacher = PersonId([0xee; 16]);
            let pin = Verifier::new(&teacher, TEACHER.1, [1; 16]);
            let member = Member { number: TEACHER.0.into(), name: "陈老师".into(), pin };
            register.staff.insert(teacher, member);
            for (person, _) in enrolled {
                register.of(*person).template_made = Some(now);
                register.of(*person).consent = Some(Consent { text: consent.digest, at: now });
            }
        };
        cabinet.change(change).unwrap();
        let key = InstitutionKey::from_secret(secret::read(&config.share_key()).unwrap());
        let exchange = Exchange::new(key, &gallery, pipeline.floats(), policy.templates_shared());
        let settings =
            Settings { challenge: When::Never, pictures_min: 1, ..config.checkin.clone() };
        let days = policy.template_days_max();
        let service = Service::new(cabinet, consent, thresholds.clone(), settings.fpir_max, days)
            .with_exchange(Some(exchange));
        let site = Arc::new(site(now));
        let (_, planned) = watch::channel(Arc::clone(&site));
        let (page, _) = Page::new();
        let searched = people_searched(&site.plans, &gallery);
        let numbers = numbers(&policy, &thresholds, &settings, searched);
        let screen = Box::new(page.clone());
        let door = Door::new(numbers, site.plans.clone(), gallery, &thresholds, screen);
        let standing = Arc::<Mutex<Option<usize>>>::default();
        let camera = Eye {
            pictures: [0, 1].map(|who| (who, camera::decode(PEOPLE[who][3]).unwrap())).into(),
            standing: Arc::clone(&standing),
            nobody: rollcall::bench::actor::room(1),
        };
        let (mouth, ear) = mpsc::channel(8);
        let mut looking = Looking {
            camera: Box::new(camera),
            camera_state: Arc::<CameraState>::default(),
            pipeline,
            door,
            site: planned,
            policy,
            settings,
            page,
            ear,
            service,
            album: Album::new(&config.evidence),
        };
        let terminal = Arc::new(town.start(id));
        let ended = Arc::new(AtomicBool::new(false));
        let (device, stop) = (Arc::clone(&terminal), Arc::clone(&ended));
        let looking = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                looking.once(&device, &*clock).expect("models and disk are sound");
            }
        });
        drop(inside);
        Self { terminal, standing, mouth, ended, looking: Some(looking), runtime }
    }

    fn stands(&self, who: Option<usize>) {
        *self.standing.lock().unwrap() = who;
    }

    /// What was decided, and what was noted about whom, in this terminal's own words.
    fn records(&self) -> Vec<(Record, Option<PersonId>, Option<PersonId>)> {
        let kept = self.terminal.journal().replay(1, 999).unwrap();
        let opened = kept.into_iter().map(|(_, parcel)| {
            let (record, _) = Record::peek(parcel.sealed.bytes()).unwrap();
            let person = |opening: Option<rollcall::record::Opening>| opening.map(|it| it.person);
            (record, person(parcel.person), person(parcel.other))
        });
        opened.collect()
    }

    fn noted(&self, person: PersonId, kind: NoticeKind) -> bool {
        self.records().iter().any(|(record, who, _)| {
            *who == Some(person) && record.notice.map(|notice| notice.kind) == Some(kind)
        })
    }

    /// Whose face a refused template was.
    fn refused(&self, person: PersonId) -> Option<PersonId> {
        let kind = Some(NoticeKind::TemplateRefused);
        let found = self.records().into_iter().find(|(record, who, _)| {
            *who == Some(person) && record.notice.map(|notice| notice.kind) == kind
        });
        found.and_then(|(_, _, other)| other)
    }

    fn answered(&self, person: Option<PersonId>, outcome: Outcome) -> bool {
        let mut records = self.records().into_iter();
        records.any(|(record, who, _)| record.outcome == Some(outcome) && who == person)
    }

    /// The staff takes somebody's consent back for her.
    fn withdraws(&self, place: u32) {
        let (number, pin) = TEACHER;
        let words =
            [Said::Staff, Said::Typed(number.into()), Said::Typed(pin.into()), Said::Chose(4)];
        let words = words.into_iter().chain([Said::Chose(place), Said::Chose(1)]);
        for said in words.chain([Said::Nothing]) {
            self.mouth.blocking_send(said).unwrap();
        }
    }
}

impl Drop for Booth {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(looking) = self.looking.take() {
            looking.join().ok();
        }
        drop(self.runtime.block_on(self.terminal.shut_down()));
    }
}

/// A lesson that both expect, which has begun.
fn site(now: rollcall::domain::Timestamp) -> SitePlan {
    let lesson = Lesson {
        id: "cook-a-1".parse().unwrap(),
        class: "cook-a".parse().unwrap(),
        site: "s-1".parse().unwrap(),
        starts: now.plus_ms(-600_000),
        ends: now.plus_ms(7_200_000),
    };
    let attendee =
        |name: &str| Attendee { name: name.into(), number: format!("{name}的卡"), pin: None };
    SitePlan {
        plans: vec![Plan { lesson, roster: [LI, WANG].into() }],
        people: [(LI, attendee("李娜")), (WANG, attendee("王强"))].into(),
        ..SitePlan::default()
    }
}

/// What a device has stored of shares.
fn register(town: &Town, id: &str) -> Register {
    let config = Config::read(&town.device(id)).unwrap();
    let secret = secret::read(&config.face.gallery_key_file).unwrap();
    register_file::load(&config.face.register(), &secret).unwrap()
}

/// Somebody's template at a device, without its rotation.
fn floats(town: &Town, id: &str, person: PersonId) -> Option<Vec<u8>> {
    let config = Config::read(&town.device(id)).unwrap();
    let secret = secret::read(&config.face.gallery_key_file).unwrap();
    let pipeline = opened(RuntimeChoice::Auto);
    let gallery =
        gallery_file::load(&config.face.gallery_file, &secret, &pipeline.embedding_digest());
    let gallery = gallery.unwrap();
    gallery.give(&person, &Transform::new(gallery.transform(), pipeline.floats()))
}

/// Publishes bytes as somebody who has these files, and waits until the broker has them.
fn publishes(town: &Town, device: &str, channel: Channel, to: &str, bytes: &[u8]) {
    let files = if device == "collector" { town.own_files() } else { town.files(device) };
    let (client, mut connection) = town.client(device, &files);
    let topic = channel.of(&to.parse().unwrap());
    client.publish(topic, QoS::AtLeastOnce, false, bytes).unwrap();
    let arrived = |event| matches!(event, Ok(Event::Incoming(Packet::PubAck(_))));
    assert!(connection.iter().any(arrived));
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|part| part == word)
}

#[test]
fn who_is_enrolled_at_one_terminal_is_known_at_the_institutions_others_until_she_withdraws() {
    let mut town = town();
    town.start_broker();
    town.start_collector();
    device(&town, "t-101", "s-1", None);
    device(&town, "t-102", "s-1", Some("t-101"));
    // Of another institution, although somebody carried the key there.
    device(&town, "t-201", "s-2", Some("t-101"));
    // Nothing that is no share harms anybody.
    let junk: [&[u8]; 5] = [b"", b"nothing", &[0xd2; 3_000], &[0x83; 200], &[0; 8_000]];
    for bytes in junk {
        publishes(&town, "t-102", Channel::Share, "t-102", bytes);
    }
    let first = Booth::open(&town, "t-101", &[(LI, 0)]);
    let second = Booth::open(&town, "t-102", &[]);
    let foreign = Booth::open(&town, "t-201", &[]);
    eventually("she is at the second", || second.noted(LI, NoticeKind::TemplateShared));
    second.stands(Some(0));
    eventually("she is recognised there", || second.answered(Some(LI), Outcome::Accepted));
    second.stands(None);
    let unsaid = |id: &str| {
        let known = register(&town, id).trainees.get(&LI).and_then(|it| it.share.clone());
        known.is_none_or(|known| known.unsaid)
    };
    eventually("the first knows that it has arrived", || !unsaid("t-101"));
    eventually("the foreign one has asked", || register(&town, "t-201").share.is_some());
    foreign.stands(Some(0));
    eventually("she is nobody there", || foreign.answered(None, Outcome::NotRecognised));
    foreign.stands(None);
    assert!(!foreign.noted(LI, NoticeKind::TemplateShared));

    // The centre has it, and can read neither whose it is nor what is in it.
    let shares = std::fs::read(town.data().join("shares.sqlite")).unwrap();
    let template = floats(&town, "t-101", LI).unwrap();
    let (here, there) = (template.len(), floats(&town, "t-102", LI).unwrap().len());
    assert_eq!(here, there);
    assert!(holds(&shares, b"t-101") && shares.len() > here);
    assert!(!holds(&shares, &LI.0) && !holds(&shares, HEXLOWER.encode(&LI.0).as_bytes()));
    for entry in std::fs::read_dir(town.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert!(!holds(&std::fs::read(&path).unwrap(), &template[..64]), "{path:?}");
        }
    }

    // While the second is away, she takes her consent back at the first.
    let mut view = second.terminal.view();
    second.terminal.disconnect();
    second.runtime.block_on(view.wait_for(|view| !view.online)).unwrap();
    first.withdraws(0);
    eventually("it is deleted at the first", || {
        first.noted(LI, NoticeKind::ConsentWithdrawn)
            && first.noted(LI, NoticeKind::TemplateDeleted)
    });
    eventually("the centre has it", || !unsaid("t-101"));
    assert!(!second.noted(LI, NoticeKind::TemplateDeleted));
    second.terminal.connect();
    eventually("it is deleted at the second", || second.noted(LI, NoticeKind::TemplateDeleted));
    // What somebody with the collector's certificate sends, and the centre did not sign, changes nothing either.
    town.stop_collector();
    for bytes in junk {
        publishes(&town, "collector", Channel::Shared, "t-102", bytes);
    }
    second.stands(Some(0));
    eventually("she is nobody at the second", || second.answered(None, Outcome::NotRecognised));
    drop((first, second, foreign));
    assert_eq!((floats(&town, "t-101", LI), floats(&town, "t-102", LI)), (None, None));
    for id in ["t-101", "t-102"] {
        let records = town.records(id);
        assert!(records > 0, "{id} has brought its records");
    }
}

#[test]
fn one_face_under_two_names_at_two_terminals_is_on_record_at_both() {
    let mut town = town();
    town.start_broker();
    town.start_collector();
    device(&town, "t-101", "s-1", None);
    device(&town, "t-102", "s-1", Some("t-101"));
    let first = Booth::open(&town, "t-101", &[(LI, 0)]);
    let second = Booth::open(&town, "t-102", &[(WANG, 0)]);
    eventually("the first refuses Wang as Li", || first.refused(WANG) == Some(LI));
    eventually("the second refuses Li as Wang", || second.refused(LI) == Some(WANG));
    // Once one of the names is gone, the other is taken.
    first.withdraws(0);
    eventually("Wang is taken at the first", || first.noted(WANG, NoticeKind::TemplateShared));
    assert!(!second.noted(LI, NoticeKind::TemplateShared));
}

#[test]
fn an_institution_key_is_made_once_joined_by_its_code_and_never_replaced() {
    let town = town();
    for id in ["t-101", "t-102"] {
        let (request, answer) = (town.file("request"), town.file("answer"));
        let token = token_in(&fine(&town.terminal("add", &["--id", id, "--site", "s-1"])));
        fine(&town.init_with(id, &token, &["--request", text(&request)]));
        fine(&town.terminal("admit", &["--request", text(&request), "--out", text(&answer)]));
        fine(&town.init_with(id, &token, &["--answer", text(&answer)]));
    }
    let [first, second] = ["t-101", "t-102"].map(|id| town.device(id));
    assert!(fine(&share(&first, "status", &[], "")).contains("templates stay on this terminal"));
    refused(&share(&first, "code", &[], ""), 3, &["there is none", "share init"]);
    let made = fine(&share(&first, "init", &[], ""));
    let written = std::fs::read_to_string(&first).unwrap();
    assert!(written.contains("[share]\nkey_file = "), "{written}");
    fine(&rollcall(&["terminal", "check-config", "--config", text(&first)]));
    refused(&share(&first, "init", &[], ""), 2, &["there is one already", "share status"]);
    let mut wrong = code(&made).to_owned();
    let last = if wrong.pop() == Some('A') { 'B' } else { 'A' };
    wrong.push(last);
    refused(&share(&second, "join", &["-"], &wrong), 2, &["a letter of it is wrong"]);
    fine(&share(&second, "join", &[code(&made)], ""));
    let again = fine(&share(&second, "join", &["-"], code(&made)));
    assert!(again.contains("nothing to do"), "{again}");
    assert_eq!(code(&fine(&share(&second, "code", &[], ""))), code(&made));
    let other = InstitutionKey::from_secret([1; 32]).code();
    refused(&share(&second, "join", &["-"], &other), 2, &["there is one already"]);
    let status = fine(&share(&second, "status", &[], ""));
    assert!(status.contains("has not exchanged anything yet"), "{status}");
    let key = town.file("t-102").join("share.key");
    let rights = std::fs::metadata(key).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&rights) & 0o777, 0o600);
}
