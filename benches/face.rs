//! Question: how long from a frame to a sighting, and which stage takes it?
//!
//! To stay under: 120 ms from frame to sighting on one core, so that a kiosk answers while the
//! trainee still stands there. `rollcall models bench --lfw DIR --first 300 --workers 1` shows
//! each stage's median and 95th percentile on many pictures; here are the same stages on one
//! picture, repeatable, and the comparisons that grow with the number of people.
//!
//! Pictures are those of the generated people (assets/). Benches that need a pack which is not here
//! say SKIPPED.
//! Two compare packs on the pure-Rust runtime, from the frame to the decision: each calibrated pack,
//! and in one run the ratio of the default pack to `mobilefacenet` (at most a third is wanted). The
//! last compares the shipped detector with the small detector that it must outrun.

use std::path::PathBuf;
use std::sync::Arc;

use divan::Bencher;
use rollcall::camera::{self, Frame};
use rollcall::checkin::{self, Desk};
use rollcall::domain::{CheckIn, PersonId, Policy, Score, Timestamp};
use rollcall::face::{
    Embedding, Gallery, Manifest, Pipeline, Recent, RuntimeChoice, Settings, Track, model_files,
    sight,
};
use rollcall::platform::clock::Stopwatch;
use rollcall::terminal::numbers;
use rten_tensor::TensorView;

fn main() {
    divan::main();
}

const RUNTIMES: [&str; 2] = ["onnxruntime", "rust"];

/// The first picture of the first person.
const PICTURE: &[u8] = include_bytes!("../assets/people/p01/1.jpg");

/// The default pack on one thread, with its liveness nets or without; `None` where it cannot be.
fn opened(runtime: &str, liveness: bool) -> Option<(Pipeline, Frame)> {
    opened_pack(runtime, liveness, None)
}

fn opened_pack(runtime: &str, liveness: bool, pack: Option<&str>) -> Option<(Pipeline, Frame)> {
    let text: String = include_str!("../models/manifest.toml")
        .lines()
        .filter(|line| liveness || !line.starts_with("liveness = "))
        .flat_map(|line| [line, "\n"])
        .collect();
    let manifest = Manifest::parse(&text).expect("a pack may do without liveness");
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from);
    let folders = model_files::search_folders(None, data.as_deref());
    let mut settings = Settings::with_folders(folders);
    settings.runtime =
        if runtime == "rust" { RuntimeChoice::Rust } else { RuntimeChoice::OnnxRuntime };
    settings.threads = 1;
    settings.pack = pack.map(str::to_owned);
    if !Pipeline::runtime_is_there(settings.runtime) {
        eprintln!("SKIPPED: ONNX Runtime is not on this machine");
        return None;
    }
    settings.manifest = manifest;
    let frame = camera::decode(PICTURE).expect("the picture is sound");
    match Pipeline::open(&settings) {
        Ok(pipeline) => Some((pipeline, frame)),
        Err(error) => {
            eprintln!("SKIPPED: {error:?}");
            None
        }
    }
}

/// How long does a picture of 320 × 320 take to decode?
#[divan::bench]
fn decode_a_picture(bencher: Bencher) {
    bencher.bench(|| camera::decode(PICTURE));
}

/// How long does the detector look at a room without a face? This is what a kiosk does all day.
#[divan::bench(args = RUNTIMES)]
fn detect_nothing_in_640_by_480(bencher: Bencher, runtime: &str) {
    let Some((mut pipeline, _)) = opened(runtime, true) else { return };
    let grey = Frame::from_rgb(640, 480, vec![127; 640 * 480 * 3]).expect("the size fits");
    bencher.bench_local(|| pipeline.look(&grey));
}

/// How long do detecting, aligning and embedding take? The difference to the next is liveness.
#[divan::bench(args = RUNTIMES)]
fn look_without_liveness(bencher: Bencher, runtime: &str) {
    let Some((mut pipeline, frame)) = opened(runtime, false) else { return };
    bencher.bench_local(|| pipeline.look(&frame));
}

/// How long does everything up to the sighting take, for a roster of 40? Under 120 ms?
#[divan::bench(args = RUNTIMES)]
fn frame_to_sighting(bencher: Bencher, runtime: &str) {
    let Some((mut pipeline, frame)) = opened(runtime, true) else { return };
    let face = face(&mut pipeline, &frame);
    let (gallery, recent, roster) = people(&face, 40);
    bencher.bench_local(|| {
        let look = pipeline.look(&frame).expect("the nets run");
        sight(&look, &track(), &gallery, &recent, Some(roster[0]), &roster)
    });
}

/// How does comparing grow with the people on the roster, and today's accepted faces?
#[divan::bench(args = [40, 1_000, 10_000])]
fn compare_with_people(bencher: Bencher, count: u32) {
    let Some((mut pipeline, frame)) = opened("rust", false) else { return };
    let face = face(&mut pipeline, &frame);
    let (gallery, recent, roster) = people(&face, count);
    let look = pipeline.look(&frame).expect("the nets run");
    bencher.bench(|| sight(&look, &track(), &gallery, &recent, Some(roster[0]), &roster));
}

/// Nobody has stood there before.
fn track() -> Track {
    Track::new(Score::from_e4(4_500))
}

fn face(pipeline: &mut Pipeline, frame: &Frame) -> Embedding {
    let look = pipeline.look(frame).expect("the nets run");
    look.face.expect("a face is in the picture").embedding
}

/// So many people, all with this face: comparing costs the same whomever it shows.
fn people(face: &Embedding, count: u32) -> (Gallery, Recent, Vec<PersonId>) {
    let mut gallery = Gallery::new([0; 32]);
    let mut recent = Recent::new(Score::from_e4(5400));
    let mut roster = Vec::new();
    for number in 0..count {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let person = PersonId(id);
        gallery.enrol(person, std::slice::from_ref(face), Score::default()).expect("there is room");
        recent.remember(person, u64::from(number), face.clone());
        roster.push(person);
    }
    (gallery, recent, roster)
}

/// Everything between a frame and the decision, with one pack on the pure-Rust runtime and one
/// thread; a roster of 40, whose first person is before the camera.
struct Kiosk {
    pipeline: Pipeline,
    frame: Frame,
    gallery: Gallery,
    recent: Recent,
    roster: Vec<PersonId>,
    desk: Desk,
    now: Timestamp,
}

impl Kiosk {
    /// `None` where the pack or its files are not here.
    fn open(pack: &str, liveness: bool) -> Option<Self> {
        let (mut pipeline, frame) = opened_pack("rust", liveness, Some(pack))?;
        let face = face(&mut pipeline, &frame);
        let (gallery, recent, roster) = people(&face, 40);
        let thresholds = pipeline.thresholds().expect("a shipped pack is calibrated");
        let settings = checkin::Settings::default();
        let numbers = numbers(&Policy::sichuan_2025(), thresholds, &settings, roster.len());
        let now = Timestamp::parse_shanghai("2026-03-02 08:25").expect("it is a time");
        let desk = Desk::new(numbers, Vec::new());
        Some(Self { pipeline, frame, gallery, recent, roster, desk, now })
    }

    fn decide(&mut self) -> Option<CheckIn> {
        let look = self.pipeline.look(&self.frame).expect("the nets run");
        let claim = Some(self.roster[0]);
        let sighting = sight(&look, &track(), &self.gallery, &self.recent, claim, &self.roster);
        sighting.face.map(|face| self.desk.decide(&face, claim, self.now))
    }
}

/// How long from the frame to the decision on one core, with each calibrated pack as it is?
#[divan::bench(args = packs())]
fn frame_to_decision_in_rust(bencher: Bencher, pack: &str) {
    let Some(mut kiosk) = Kiosk::open(pack, true) else { return };
    bencher.bench_local(|| kiosk.decide());
}

fn packs() -> Vec<String> {
    let manifest = Manifest::shipped();
    let calibrated = manifest.packs().iter().filter(|pack| pack.thresholds.is_some());
    calibrated.map(|pack| pack.name.clone()).collect()
}

/// What share of the time of `mobilefacenet` does the default pack need? At most a third? Both look
/// in turn, so that what else the machine does strikes both; the ratio of the medians is printed,
/// with all nets of the packs and without those for liveness.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn default_pack_against_mobilefacenet(bencher: Bencher) {
    const LOOKS: usize = 60;
    let default = packs().swap_remove(0);
    bencher.bench_local(|| {
        for (liveness, nets) in [(true, "all nets"), (false, "no liveness")] {
            let kiosks =
                [default.as_str(), "mobilefacenet"].map(|pack| Kiosk::open(pack, liveness));
            let [Some(mut own), Some(mut other)] = kiosks else { return };
            let [own, other] = medians_ms(LOOKS, |first| {
                let kiosk = if first { &mut own } else { &mut other };
                kiosk.decide();
            });
            eprintln!(
                "frame to decision, {nets}: {default} {own:.1} ms, mobilefacenet {other:.1} ms, \
                 ratio {:.3}",
                own / other
            );
        }
    });
}

/// Is the shipped detector faster than `YuNet_s` on the same input of 320 × 320, on the pure-Rust
/// runtime and one thread? Only the nets run, in turn; the medians are printed. (`YuNet_s` is
/// published for this one size, so no pack can have it.)
#[divan::bench(sample_count = 1, sample_size = 1)]
fn default_detector_against_yunet_s(bencher: Bencher) {
    const LOOKS: usize = 60;
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from).unwrap_or_default();
    let Ok(yunet_s) = std::fs::read(data.join("models/yunet_s_320_320.onnx")) else {
        eprintln!("SKIPPED: ROLLCALL_DATA names no folder with models/yunet_s_320_320.onnx");
        return;
    };
    let own = include_bytes!("../models/rollcall_detector.onnx").to_vec();
    let [own, other] = [own, yunet_s].map(|bytes| {
        let mut options = rten::ModelOptions::with_all_ops();
        options.prepack_weights(true);
        options.load(bytes).expect("rten reads it")
    });
    let pool = Arc::new(rten::ThreadPool::with_num_threads(1));
    let noise: Vec<f32> = (0..3 * 320 * 320).map(|place| (place % 251) as f32 / 251.0).collect();
    bencher.bench_local(|| {
        let [own, other] = medians_ms(LOOKS, |first| {
            let net = if first { &own } else { &other };
            let input = TensorView::from_data(&[1, 3, 320, 320], noise.as_slice());
            let options = rten::RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
            let inputs = vec![(net.input_ids()[0], input.into())];
            net.run(inputs, net.output_ids(), Some(options)).expect("the net runs");
        });
        eprintln!("detect in 320 x 320, pure Rust: ours {own:.2} ms, YuNet_s {other:.2} ms");
    });
}

/// The medians of two things that run in turn: the first where the argument is true.
fn medians_ms(looks: usize, mut run: impl FnMut(bool)) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..looks {
        for (first, times) in [true, false].into_iter().zip(&mut times) {
            let watch = Stopwatch::start();
            run(first);
            times.push(watch.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[looks / 2].as_secs_f64() * 1000.0
    })
}
