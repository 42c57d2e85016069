//! A whole terminal in this process: generated people before a made camera, the real nets, desk,
//! journal and screen. A test says who stands there, and reads the screen as its browser shows it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rollcall::bench::actor::{Actor, Pose, room};
use rollcall::bench::people::PEOPLE;
use rollcall::camera::{self, CaptureError, Frame, FrameSource};
use rollcall::checkin::pin::Verifier;
use rollcall::checkin::{Plan, Settings, When};
use rollcall::domain::{Lesson, PersonId, Policy, TerminalId, Timestamp};
use rollcall::face::{Gallery, Pipeline, RuntimeChoice};
use rollcall::journal::{Bounds, Journal};
use rollcall::kiosk::{Listening, Page};
use rollcall::platform::clock::{Clock, SystemClock};
use rollcall::record::{ReadingKey, ReadingPublic, Record, SigningKey};
use rollcall::terminal::evidence::{self, Album};
use rollcall::terminal::panel::{CameraState, Panel};
use rollcall::terminal::register::{Member, Register};
use rollcall::terminal::{
    Attendee, Cabinet, ConsentText, Door, Looking, Service, Setup, SitePlan, Terminal, numbers,
    people_searched,
};
use rollcall::uplink::{self, NoWaypoints};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::face_data::opened;

/// Three trainees, a fourth who is enrolled here and on no roster, and a newcomer whom nobody has
/// enrolled yet.
const NAMES: [(&str, &str); 5] = [
    ("张小明", "20260001"),
    ("李娜", "20260002"),
    ("欧阳建国", "20260003"),
    ("王强", "20260004"),
    ("赵敏", "20260005"),
];

/// How many of them have a template.
const ENROLLED: u8 = 4;

/// No trainee has this place.
const NOBODY: u8 = u8::MAX;

/// The teacher's number and PIN, and the PIN of the second trainee.
pub(crate) const TEACHER: (&str, &str) = ("9001", "91735");
pub(crate) const PIN: &str = "2580";

pub(crate) fn person(number: u8) -> PersonId {
    PersonId([number + 1; 16])
}

/// Who stands before the camera: a place in [`PEOPLE`], or nobody.
type Standing = Arc<Mutex<Option<usize>>>;

struct MadeCamera {
    actors: Vec<Actor>,
    standing: Standing,
    frame: u64,
    /// Turn and lift of the head in degrees, and how much larger it looks in pixels: where it is, and
    /// where it goes.
    head: [f32; 3],
    wanted: Arc<Mutex<[f32; 3]>>,
    /// A printed picture is held up: it can be moved, and does not turn.
    printed: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl FrameSource for MadeCamera {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        if self.ended.load(Ordering::SeqCst) {
            return Ok(None);
        }
        self.frame += 1;
        #[expect(clippy::cast_precision_loss, reason = "a test takes few frames")]
        let time = self.frame as f32;
        // A head takes some frames for its way.
        let wanted = *self.wanted.lock().unwrap();
        for (angle, wanted) in self.head.iter_mut().zip(wanted) {
            *angle += (wanted - *angle).clamp(-4.0, 4.0);
        }
        let head = Pose {
            at: [320.0 + 3.0 * (time / 7.0).sin(), 250.0],
            size_px: 320.0 + self.head[2],
            turn_deg: 3.0 * (time / 9.0).sin() + self.head[0],
            lift_deg: self.head[1],
        };
        let pose = match self.printed.load(Ordering::SeqCst) {
            false => head,
            // Whoever holds it follows what the screen asks for as far as a hand can.
            true => Pose {
                at: [320.0 + 2.0 * self.head[0], 250.0 - self.head[1]],
                turn_deg: 0.0,
                lift_deg: 0.0,
                ..head
            },
        };
        let frame = match *self.standing.lock().unwrap() {
            Some(who) => self.actors[who].frame(&pose, self.frame),
            None => room(self.frame),
        };
        Ok(Some(frame))
    }
}

/// How many of [`PEOPLE`] a test can call before the camera: the last is known to nobody.
const ACTORS: usize = 5;

pub(crate) struct Kiosk {
    pub(crate) url: String,
    pub(crate) terminal: Arc<Terminal>,
    standing: Standing,
    wanted: Arc<Mutex<[f32; 3]>>,
    printed: Arc<AtomicBool>,
    plans: watch::Sender<Arc<SitePlan>>,
    ended: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    /// Folder of its evidence pictures.
    pub(crate) evidence: PathBuf,
    _folder: TempDir,
}

impl Kiosk {
    /// A terminal whose lesson has just begun. `broker_port` 1 is never reached.
    /// No movements are asked for.
    pub(crate) fn open(broker_port: u16, bounds: Bounds) -> Self {
        let settings = Settings { challenge: When::Never, ..Settings::default() };
        Self::with(broker_port, bounds, &settings)
    }

    /// A terminal with these settings.
    pub(crate) fn with(broker_port: u16, bounds: Bounds, settings: &Settings) -> Self {
        Self::expecting(3, NOBODY, broker_port, bounds, settings)
    }

    /// The policy demands evidence pictures, or does not; this key reads them.
    pub(crate) fn with_evidence(pictures: bool, reader: &ReadingKey, settings: &Settings) -> Self {
        let profile = Policy::sichuan_2025().text().to_owned();
        let (before, rest) = profile.split_once("[numbers.evidence_pictures]").unwrap();
        let rest = rest.replacen("value = false", &format!("value = {pictures}"), 1);
        let profile = format!("{before}[numbers.evidence_pictures]{rest}");
        let policy = Policy::parse(&profile, "a test's").unwrap();
        let reader = Some(reader.public());
        Self::demanding(policy, reader, 3, NOBODY, 1, Bounds::default(), settings)
    }

    /// The newcomer is expected too, and no movements are asked for.
    pub(crate) fn with_newcomer() -> Self {
        let settings = Settings { challenge: When::Never, ..Settings::default() };
        Self::expecting(5, NOBODY, 1, Bounds::default(), &settings)
    }

    /// The template of this one was made long ago, and no movements are asked for.
    pub(crate) fn with_expired(who: u8) -> Self {
        let settings = Settings { challenge: When::Never, ..Settings::default() };
        Self::expecting(3, who, 1, Bounds::default(), &settings)
    }

    /// The first `roster` are on the roster; the template of `expired` has expired.
    fn expecting(
        roster: u8,
        expired: u8,
        broker_port: u16,
        bounds: Bounds,
        settings: &Settings,
    ) -> Self {
        let policy = Policy::sichuan_2025();
        Self::demanding(policy, None, roster, expired, broker_port, bounds, settings)
    }

    fn demanding(
        policy: Policy,
        reader: Option<ReadingPublic>,
        roster: u8,
        expired: u8,
        broker_port: u16,
        bounds: Bounds,
        settings: &Settings,
    ) -> Self {
        let mut pipeline = opened(RuntimeChoice::Auto);
        let thresholds = pipeline.thresholds().unwrap().clone();
        let (gallery, actors) = people(&mut pipeline, thresholds.matching.cosine);
        let clock = Arc::new(SystemClock::start());
        let site = Arc::new(site(&*clock, roster));
        let (plans, planned) = watch::channel(Arc::clone(&site));
        let runtime = Runtime::new().unwrap();
        let _inside = runtime.enter();
        let (terminal, folder) = terminal(broker_port, bounds, &pipeline, &clock);
        let terminal = Arc::new(terminal);

        let (page, ear) = Page::new();
        let searched = people_searched(&site.plans, &gallery);
        let numbers = numbers(&policy, &thresholds, settings, searched);
        let screen = Box::new(page.clone());
        let door = Door::new(numbers, site.plans.clone(), gallery, &thresholds, screen)
            .with_names(site.masked_names());
        let (standing, ended) = (Standing::default(), Arc::new(AtomicBool::new(false)));
        let wanted = Arc::<Mutex<[f32; 3]>>::default();
        let printed = Arc::<AtomicBool>::default();
        let camera = MadeCamera {
            actors,
            standing: Arc::clone(&standing),
            frame: 0,
            head: [0.0; 3],
            wanted: Arc::clone(&wanted),
            printed: Arc::clone(&printed),
            ended: Arc::clone(&ended),
        };
        let camera_state = Arc::<CameraState>::default();
        let days = policy.template_days_max();
        let consent = ConsentText::shipped(days);
        let dir = folder.path().join("evidence");
        let evidence = evidence::Settings { reader, dir: dir.clone(), bytes_max: 1 << 24 };
        let cabinet = cabinet(folder.path(), expired);
        let service = Service::new(cabinet, consent, thresholds, settings.fpir_max, days);
        let mut looking = Looking {
            camera: Box::new(camera),
            camera_state: Arc::clone(&camera_state),
            pipeline,
            door,
            site: planned.clone(),
            policy: policy.clone(),
            settings: settings.clone(),
            page: page.clone(),
            ear,
            service,
            album: Album::new(&evidence),
        };
        let panel = Panel {
            page: page.clone(),
            terminal: Arc::clone(&terminal),
            site: planned,
            door_opens_ms_before: 1_800_000,
            list: true,
            camera: camera_state,
            clock: Arc::clone(&clock) as _,
        };
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listening = runtime.block_on(Listening::bind(any)).unwrap();
        let address = listening.address;
        runtime.spawn(listening.serve(page));
        runtime.spawn(panel.keep());
        let (device, stop) = (Arc::clone(&terminal), Arc::clone(&ended));
        let looking = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                looking.once(&device, &*clock).expect("models and disk are sound");
            }
        });
        Self {
            url: format!("http://{address}/"),
            terminal,
            standing,
            wanted,
            printed,
            plans,
            ended,
            looking: Some(looking),
            runtime: Some(runtime),
            evidence: dir,
            _folder: folder,
        }
    }

    /// The plan changes while the terminal runs, as by a dispatch.
    pub(crate) fn plans(&self, change: impl FnOnce(&mut SitePlan)) {
        let mut plan = SitePlan::clone(&self.plans.borrow());
        change(&mut plan);
        self.plans.send_replace(Arc::new(plan));
    }

    /// This one of [`PEOPLE`] stands before the camera now.
    pub(crate) fn stands(&self, who: usize) {
        *self.standing.lock().unwrap() = Some(who);
    }

    /// It is not her, but a printed picture of her.
    pub(crate) fn is_printed(&self) {
        self.printed.store(true, Ordering::SeqCst);
    }

    /// She does what the arrow on the screen asks for; anything else is looking straight ahead.
    pub(crate) fn follows(&self, arrow: &str) {
        *self.wanted.lock().unwrap() = match arrow {
            "⬅" => [26.0, 0.0, 0.0],
            "➡" => [-26.0, 0.0, 0.0],
            "⬆" => [0.0, 42.0, 0.0],
            "⤢" => [0.0, 0.0, 100.0],
            _ => [0.0; 3],
        };
    }

    /// She turns her head so far, in degrees.
    pub(crate) fn turns(&self, degrees: f32) {
        *self.wanted.lock().unwrap() = [degrees, 0.0, 0.0];
    }

    /// All records so far.
    pub(crate) fn records(&self) -> Vec<Record> {
        let kept = self.terminal.journal().replay(1, 99).unwrap();
        kept.iter().map(|(_, parcel)| Record::peek(parcel.sealed.bytes()).unwrap().0).collect()
    }

    /// Nobody does.
    pub(crate) fn leaves(&self) {
        *self.standing.lock().unwrap() = None;
    }

    /// The terminal's program dies: camera, screen and all.
    pub(crate) fn dies(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(looking) = self.looking.take() {
            looking.join().unwrap();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(looking) = self.looking.take() {
            looking.join().ok();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn people(pipeline: &mut Pipeline, same: rollcall::domain::Score) -> (Gallery, Vec<Actor>) {
    let mut gallery = Gallery::new(pipeline.embedding_digest());
    let mut actors = Vec::new();
    for (number, pictures) in (0..).zip(&PEOPLE[..ACTORS]) {
        let mut look = |picture: &[u8]| {
            let frame = camera::decode(picture).unwrap();
            let face = pipeline.look(&frame).unwrap().face.expect("a face is there");
            (frame, face)
        };
        let faces: Vec<_> = pictures[..3].iter().map(|picture| look(picture).1.embedding).collect();
        if number < ENROLLED {
            gallery.enrol(person(number), &faces, same).unwrap();
        }
        let (frame, face) = look(pictures[3]);
        actors.push(Actor::new(frame, &face.points));
    }
    (gallery, actors)
}

/// The teacher is known, and the second trainee has a PIN beside her template.
fn cabinet(folder: &Path, expired: u8) -> Cabinet {
    let (register, gallery) = (folder.join("register"), folder.join("gallery"));
    let mut cabinet = Cabinet::open(register, gallery, [5; 32]).unwrap();
    let change = |register: &mut Register| {
        let (number, pin) = TEACHER;
        let teacher = PersonId([0xee; 16]);
        let pin = Verifier::new(&teacher, pin, [1; 16]);
        let member = Member { number: number.into(), name: "陈老师".into(), pin };
        register.staff.insert(teacher, member);
        register.of(person(1)).pin = Some(Verifier::new(&person(1), PIN, [2; 16]));
        for number in 0..ENROLLED {
            let made = if number == expired { 0 } else { i64::MAX / 2 };
            register.of(person(number)).template_made = Some(Timestamp::from_ms(made));
        }
    };
    cabinet.change(change).unwrap();
    cabinet
}

fn site(clock: &dyn Clock, roster: u8) -> SitePlan {
    let now = clock.now();
    let lesson = Lesson {
        id: "cook-a-1".parse().unwrap(),
        class: "cook-a".parse().unwrap(),
        site: "huaxin-1".parse().unwrap(),
        starts: now.plus_ms(-600_000),
        ends: now.plus_ms(7_200_000),
    };
    let people = (0..).zip(NAMES).map(|(number, (name, card))| {
        (person(number), Attendee { name: name.into(), number: card.into(), pin: None })
    });
    SitePlan {
        plans: vec![Plan { lesson, roster: (0..roster).map(person).collect() }],
        people: people.collect::<BTreeMap<_, _>>(),
        ..SitePlan::default()
    }
}

fn terminal(
    broker_port: u16,
    bounds: Bounds,
    pipeline: &Pipeline,
    clock: &Arc<SystemClock>,
) -> (Terminal, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let id: TerminalId = "huaxin-1-a".parse().unwrap();
    let key = SigningKey::from_secret(&[7; 32]);
    let journal_dir = folder.path().join("journal");
    Journal::init(&journal_dir, &id, key.verifying_key().id()).unwrap();
    let terminal = Terminal::start(Setup {
        terminal: id,
        key,
        journal_dir,
        bounds,
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            broker_port,
            receipt_key: SigningKey::from_secret(&[8; 32]).verifying_key(),
            clock_tolerance_ms: 120_000,
            pace: uplink::Section::default().pace().unwrap(),
            firmware: "test".into(),
        },
        policy: Policy::sichuan_2025().profile(),
        pack: Some(pipeline.pack_digest()),
        plugged: true,
        clock: Arc::clone(clock) as _,
        waypoints: Arc::new(NoWaypoints),
    });
    (terminal.unwrap(), folder)
}
