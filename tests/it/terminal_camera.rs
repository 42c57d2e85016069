//! A camera that sends Motion JPEG over HTTP, with a real server that breaks off and comes back; the
//! cameras that the kernel knows, as it tells them in sysfs; and a pinned camera that is exchanged.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use image::{ImageFormat, RgbImage};
use rollcall::camera::http::StreamUrl;
use rollcall::camera::{
    self, CaptureError, Choice, Frame, FrameSource, Identity, OpenError, pin_file, sysfs,
};
use rollcall::checkin::Settings;
use rollcall::domain::{Event, NoticeKind, Policy, Timestamp};
use rollcall::face::{Gallery, RuntimeChoice};
use rollcall::journal::{Bounds, Journal};
use rollcall::kiosk::Page;
use rollcall::platform::clock::{StepClock, SystemClock};
use rollcall::record::{Record, SigningKey};
use rollcall::terminal::evidence::{self, Album};
use rollcall::terminal::panel::CameraState;
use rollcall::terminal::{
    Cabinet, ConsentText, Door, Looked, Looking, Service, Setup, SitePlan, Terminal, numbers,
};
use rollcall::uplink::{self, NoWaypoints, Pace};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::face_data::opened;
use crate::support::day::{rollcall, write};
use crate::support::records::receipt_verifying_key;
use crate::support::{fine, refused};

// ---- a stream -------------------------------------------------------------------------------

fn jpeg(width: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = RgbImage::from_fn(width, 8, |x, _| image::Rgb([u8::try_from(x).unwrap(); 3]));
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes
}

const HEAD: &str = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n";

/// An answer with pictures of these widths.
fn answer(widths: &[u32]) -> Vec<u8> {
    let mut bytes = HEAD.as_bytes().to_vec();
    for width in widths {
        let picture = jpeg(*width);
        let part =
            format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
        bytes.extend(part.as_bytes());
        bytes.extend(picture);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// A camera that gives each caller one answer and hangs up. Keeps what it was asked.
struct Served {
    url: String,
    asked: Receiver<String>,
}

impl Served {
    fn with(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/video", listener.local_addr().unwrap());
        let (sender, asked) = sync_channel(64);
        // Ends with its last answer: then nobody answers at this port.
        std::thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let request = request_on(&stream);
                // The test may have seen enough.
                sender.send(request).ok();
                (&stream).write_all(&answer).ok();
            }
        });
        Self { url, asked }
    }
}

fn request_on(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

struct Scene {
    camera: Box<dyn FrameSource>,
    clock: Arc<StepClock>,
    now: Timestamp,
}

impl Scene {
    fn of(url: &str) -> Self {
        Self::with(url, None, Path::new("/no/sysfs"), Path::new("/no/pin"))
    }

    fn with(url: &str, device: Option<PathBuf>, root: &Path, pin: &Path) -> Self {
        let now = Timestamp::from_ms(1_800_000_000_000);
        let clock = Arc::new(StepClock::at(now));
        let url = StreamUrl::parse(url).unwrap();
        let choice = Choice::Stream { url, device, pin_file: pin.to_owned() };
        let camera = camera::open(&choice, root, Arc::clone(&clock) as _).unwrap();
        Self { camera, clock, now }
    }

    fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.clock.set(self.now);
    }

    fn width(&mut self) -> Result<u32, CaptureError> {
        self.camera.next().map(|frame| frame.expect("a camera has no end").width())
    }

    /// The widths of all pictures up to the end of the connection.
    fn widths(&mut self) -> (Vec<u32>, CaptureError) {
        let mut seen = Vec::new();
        loop {
            match self.width() {
                Ok(width) => seen.push(width),
                Err(error) => return (seen, error),
            }
        }
    }
}

#[test]
fn a_stream_gives_pictures_in_their_order_up_to_the_newest() {
    let served = Served::with(vec![answer(&[8, 16, 24, 32])]);
    let (seen, error) = Scene::of(&served.url).widths();
    // Who looks late misses pictures and never sees an old one.
    assert_eq!(seen.last(), Some(&32), "{seen:?}");
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    assert!(matches!(error, CaptureError::Lost { .. }), "{error:?}");
    let request = served.asked.recv().unwrap();
    assert!(request.starts_with("GET /video HTTP/1.0\nHost: 127.0.0.1"), "{request}");
}

#[test]
fn a_camera_that_hangs_up_is_lost_and_found_again_without_hammering_at_it() {
    let served = Served::with(vec![answer(&[8]), answer(&[16])]);
    let mut scene = Scene::of(&served.url);
    assert_eq!(scene.width().unwrap(), 8);
    assert!(!scene.camera.is_lost());
    assert!(matches!(scene.width(), Err(CaptureError::Lost { .. })));
    assert!(scene.camera.is_lost());
    scene.pass(499);
    assert!(matches!(scene.width(), Err(CaptureError::Away)));
    scene.pass(1);
    assert_eq!(scene.width().unwrap(), 16);
    assert!(!scene.camera.is_lost());
    // Gone for good: the waits double, up to eight seconds.
    assert!(matches!(scene.width(), Err(CaptureError::Lost { .. })));
    for wait_ms in [500, 1_000, 2_000, 4_000, 8_000, 8_000] {
        scene.pass(wait_ms - 1);
        assert!(matches!(scene.width(), Err(CaptureError::Away)), "before {wait_ms} ms");
        scene.pass(1);
        assert!(matches!(scene.width(), Err(CaptureError::Open { .. })), "after {wait_ms} ms");
    }
}

#[test]
fn what_is_no_stream_is_told_and_tried_again() {
    let chunked = HEAD.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (answer, what) in [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n".to_vec(), "401"),
        (b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), "instead of 200"),
        (vec![b'x'; 100_000], "too long"),
        (chunked.into_bytes(), "chunks"),
        (Vec::new(), "hung up"),
    ] {
        let served = Served::with(vec![answer]);
        let error = Scene::of(&served.url).width().unwrap_err();
        let CaptureError::Open { io, .. } = &error else { panic!("{error:?}") };
        // What lies unread when a camera hangs up may cost its last words.
        assert!(io.to_string().contains(what) || what == "too long", "{io}");
    }
}

#[test]
fn a_damaged_picture_costs_one_look_and_not_the_camera() {
    let mut broken = answer(&[]);
    broken.extend([0xff, 0xd8, 0xff, 0x02]);
    broken.extend(answer(&[8]).split_off(HEAD.len()));
    let served = Served::with(vec![broken]);
    let mut scene = Scene::of(&served.url);
    let seen: Vec<_> = (0..2).map(|_| scene.width()).filter_map(Result::ok).collect();
    assert_eq!(seen, [8]);
}

#[test]
fn a_login_goes_to_the_camera_and_into_no_message() {
    let served = Served::with(vec![answer(&[8])]);
    let url = served.url.replace("http://", "http://eye:secret@");
    assert_eq!(Scene::of(&url).width().unwrap(), 8);
    let request = served.asked.recv().unwrap();
    assert!(request.contains("Authorization: Basic ZXllOnNlY3JldA=="), "{request}");
    let url = StreamUrl::parse(&url).unwrap();
    assert!(!format!("{url} {url:?}").contains("secret"));
}

// ---- the kernel's cameras -------------------------------------------------------------------

/// A tree as the kernel makes it: a USB camera of two nodes, and one that is soldered on.
struct Kernel {
    folder: TempDir,
}

impl Kernel {
    fn new() -> Self {
        let kernel = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(kernel.at("class/video4linux")).unwrap();
        kernel
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plug(&self, port: &str, serial: &str, first_node: u32) {
        let usb = format!("devices/pci0000:00/usb1/{port}");
        let interface = format!("{usb}/{port}:1.0");
        fs::create_dir_all(self.at(&interface)).unwrap();
        for (name, value) in
            [("idVendor", "046d"), ("idProduct", "0825"), ("product", "Webcam C270")]
        {
            write(&self.at(&usb).join(name), format!("{value}\n"));
        }
        if !serial.is_empty() {
            write(&self.at(&usb).join("serial"), format!("{serial}\n"));
        }
        for index in 0..2 {
            self.node(first_node + index, index, &interface);
        }
    }

    fn node(&self, number: u32, index: u32, device: &str) {
        let node = self.at(&format!("{device}/video4linux/video{number}"));
        fs::create_dir_all(&node).unwrap();
        write(&node.join("name"), "A camera\n");
        write(&node.join("index"), format!("{index}\n"));
        symlink(self.at(device), node.join("device")).unwrap();
        symlink(&node, self.at(&format!("class/video4linux/video{number}"))).unwrap();
    }

    fn unplug(&self, first_node: u32) {
        for node in [first_node, first_node + 1] {
            fs::remove_file(self.at(&format!("class/video4linux/video{node}"))).unwrap();
        }
    }
}

#[test]
fn cameras_are_listed_with_model_serial_and_port_and_without_their_other_nodes() {
    let kernel = Kernel::new();
    kernel.plug("1-2", "AB12", 0);
    kernel.node(10, 0, "devices/platform/csi");
    let found = sysfs::cameras(kernel.folder.path()).unwrap();
    let devices: Vec<_> = found.iter().map(|camera| camera.device.to_str().unwrap()).collect();
    assert_eq!(devices, ["/dev/video0", "/dev/video10"]);
    let usb = Identity::new("046d:0825 Webcam C270", "AB12", "usb-1-2");
    assert_eq!(found[0].identity, usb);
    assert_eq!(found[1].identity, Identity::new("A camera", "", "csi"));
    kernel.unplug(0);
    let device = Path::new("/dev/video0");
    assert_eq!(sysfs::camera(kernel.folder.path(), device).unwrap(), None);
    assert_eq!(sysfs::cameras(Path::new("/no/sysfs")).unwrap(), []);
}

#[test]
fn a_camera_with_a_serial_may_move_to_another_port_and_one_without_may_not() {
    let camera = |serial, bus| Identity::new("046d:0825 C270", serial, bus);
    assert!(camera("A", "usb-1-2").is(&camera("A", "usb-1-3")));
    assert!(!camera("A", "usb-1-2").is(&camera("B", "usb-1-2")));
    assert!(!camera("", "usb-1-2").is(&camera("", "usb-1-3")));
    assert!(camera("", "usb-1-2").is(&camera("", "usb-1-2")));
    assert!(!Identity::new("other", "A", "usb-1-2").is(&camera("A", "usb-1-2")));
}

#[test]
fn a_camera_is_pinned_once_and_another_one_only_when_told() {
    let kernel = Kernel::new();
    kernel.plug("1-2", "AB12", 0);
    let config = kernel.at("terminal.toml");
    let pin = kernel.at("camera.json");
    write(
        &config,
        format!(
            "[terminal]\nid = \"t-1\"\n[centre]\nreceipt_key = \"{}\"\n[camera]\n\
             stream = \"http://127.0.0.1:8081/\"\ndevice = \"/dev/video0\"\npin_file = {pin:?}\n",
            receipt_verifying_key()
        ),
    );
    let root = kernel.folder.path().to_str().unwrap();
    let config = config.to_str().unwrap();
    let run = |more: &[&str]| {
        let command = ["terminal", "camera", "pin", "--config", config, "--sysfs", root];
        rollcall(&[&command, more].concat())
    };
    let listed = fine(&rollcall(&["terminal", "camera", "list", "--sysfs", root]));
    assert_eq!(listed, "/dev/video0\t046d:0825 Webcam C270, AB12, at usb-1-2\n");
    assert!(fine(&run(&[])).starts_with("pinned: 046d:0825"));
    assert!(fine(&run(&[])).starts_with("pinned already"));
    kernel.unplug(0);
    refused(&run(&[]), 2, &["no camera that the kernel knows"]);
    fs::remove_dir_all(kernel.at("devices")).unwrap();
    kernel.plug("1-2", "CD34", 0);
    refused(&run(&[]), 2, &["another one is pinned", "AB12", "--again"]);
    fine(&run(&["--again"]));
    assert_eq!(pin_file::read(&pin).unwrap().unwrap().serial, "CD34");
    write(&pin, "nonsense");
    refused(&run(&[]), 3, &["could not read the pinned camera", "--again"]);
}

#[test]
fn a_camera_that_comes_back_as_another_one_is_noticed() {
    let kernel = Kernel::new();
    kernel.plug("1-2", "AB12", 0);
    let pin = kernel.at("camera.json");
    let pinned = Identity::new("046d:0825 Webcam C270", "AB12", "usb-1-2");
    pin_file::write(&pin, &pinned).unwrap();
    let served = Served::with(vec![answer(&[8]), answer(&[8])]);
    let device = Some("/dev/video0".into());
    let mut scene = Scene::with(&served.url, device, kernel.folder.path(), &pin);
    scene.width().unwrap();
    assert_eq!(scene.camera.other(), None);
    assert!(matches!(scene.width(), Err(CaptureError::Lost { .. })));
    // Unplugged, then another one in the same port.
    kernel.unplug(0);
    scene.pass(500);
    assert!(matches!(scene.width(), Err(CaptureError::Open { .. })));
    fs::remove_dir_all(kernel.at("devices")).unwrap();
    kernel.plug("1-2", "CD34", 0);
    scene.pass(1_000);
    scene.width().unwrap();
    let other = Identity::new("046d:0825 Webcam C270", "CD34", "usb-1-2");
    assert_eq!(scene.camera.other(), Some(other.digest()));
    // Who cannot say which camera is the right one does not start.
    write(&pin, "nonsense");
    let url = StreamUrl::parse(&served.url).unwrap();
    let choice = Choice::Stream { url, device: None, pin_file: pin };
    let clock = Arc::new(SystemClock::start());
    let opened = camera::open(&choice, kernel.folder.path(), clock);
    assert!(matches!(opened.err(), Some(OpenError::Pin(_))));
}

// ---- on record ------------------------------------------------------------------------------

/// What the camera is at each look: gone, or another one than the pinned one.
#[derive(Clone, Copy)]
enum Look {
    Gone,
    Is(Option<[u8; 32]>),
}

struct Scripted {
    looks: Arc<Mutex<VecDeque<Look>>>,
    now: Look,
}

impl FrameSource for Scripted {
    fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        let Some(look) = self.looks.lock().unwrap().pop_front() else { return Ok(None) };
        self.now = look;
        match look {
            Look::Gone => Err(CaptureError::Away),
            Look::Is(_) => Ok(Frame::from_rgb(320, 240, vec![90; 320 * 240 * 3])),
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self.now, Look::Gone)
    }

    fn other(&self) -> Option<[u8; 32]> {
        match self.now {
            Look::Gone => None,
            Look::Is(other) => other,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_camera_is_on_record_once_and_shown_as_long_as_it_is_there() {
    use std::sync::atomic::Ordering::Relaxed;
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::from_secret(&[7; 32]);
    let verifying_key = key.verifying_key();
    let id = "t-1".parse().unwrap();
    Journal::init(folder.path(), &id, verifying_key.id()).unwrap();
    let clock = Arc::new(SystemClock::start());
    let terminal = Terminal::start(Setup {
        terminal: id,
        key,
        journal_dir: folder.path().to_owned(),
        bounds: Bounds::default(),
        uplink: uplink::Config {
            tls: None,
            broker_host: "127.0.0.1".into(),
            broker_port: 1,
            receipt_key: receipt_verifying_key(),
            clock_tolerance_ms: 60_000,
            pace: Pace::default(),
            firmware: "test".into(),
        },
        policy: "test/1".into(),
        pack: None,
        plugged: false,
        clock: Arc::clone(&clock) as _,
        waypoints: Arc::new(NoWaypoints),
    })
    .unwrap();
    let pipeline = opened(RuntimeChoice::Auto);
    let thresholds = pipeline.thresholds().unwrap().clone();
    let (page, ear) = Page::new();
    let (register, templates) = (folder.path().join("register"), folder.path().join("gallery"));
    let cabinet = Cabinet::open(register, templates, [5; 32]).unwrap();
    let numbers = numbers(&Policy::sichuan_2025(), &thresholds, &Settings::default(), 1);
    let gallery = Gallery::new(pipeline.embedding_digest());
    let state = Arc::<CameraState>::default();
    let (one, two) = (Some([1; 32]), Some([2; 32]));
    let script = [
        (Look::Is(None), false, false, 0),
        (Look::Is(one), false, true, 1),
        (Look::Is(one), false, true, 1),
        (Look::Gone, true, true, 1),
        (Look::Is(one), false, true, 1),
        (Look::Is(two), false, true, 2),
        (Look::Is(None), false, false, 2),
        (Look::Is(one), false, true, 3),
    ];
    let looks = Arc::new(Mutex::new(script.iter().map(|(look, ..)| *look).collect()));
    let mut looking = Looking {
        camera: Box::new(Scripted { looks, now: Look::Is(None) }),
        camera_state: Arc::clone(&state),
        pipeline,
        door: Door::new(numbers, Vec::new(), gallery, &thresholds, Box::new(page.clone())),
        site: watch::channel(Arc::new(SitePlan::default())).1,
        policy: Policy::sichuan_2025(),
        settings: Settings::default(),
        page,
        ear,
        service: Service::new(cabinet, ConsentText::shipped(400), thresholds.clone(), 1e-3, 400),
        album: Album::new(&evidence::Section::default().checked().unwrap()),
    };
    for (turn, (_, lost, changed, records)) in script.iter().enumerate() {
        tokio::task::block_in_place(|| looking.once(&terminal, &*clock)).unwrap();
        assert_eq!(state.lost.load(Relaxed), *lost, "lost, look {turn}");
        assert_eq!(state.changed.load(Relaxed), *changed, "changed, look {turn}");
        assert_eq!(terminal.waiting(), *records, "records, look {turn}");
    }
    let over = tokio::task::block_in_place(|| looking.once(&terminal, &*clock)).unwrap();
    assert_eq!(over, Looked::Over);
    let stored = terminal.journal().replay(1, 10).unwrap();
    let digests: Vec<_> = stored
        .iter()
        .map(|(_, parcel)| {
            let record = Record::open(parcel.sealed.bytes(), &verifying_key).unwrap();
            assert_eq!(record.event, Event::Notice);
            assert!(record.person.is_none() && parcel.person.is_none());
            let notice = record.notice.unwrap();
            assert_eq!(notice.kind, NoticeKind::CameraChanged);
            notice.digest
        })
        .collect();
    assert_eq!(digests, [one, two, one]);
    terminal.shut_down().await.unwrap();
}

#[cfg(not(feature = "camera"))]
#[test]
fn device_in_a_program_that_was_built_without_cameras_is_told_with_both_ways_out() {
    let section = camera::Section { device: "/dev/video0".into(), ..camera::Section::default() };
    let choice = section.choice().unwrap().expect("a device is named");
    let opened = camera::open(&choice, Path::new("/sys"), Arc::new(SystemClock::start()));
    let Err(error @ OpenError::NotBuilt { .. }) = opened else { panic!("it opened") };
    assert!(error.to_string().contains("/dev/video0"), "{error}");
    assert!(error.hint().contains("--features camera") && error.hint().contains("stream"));
}
