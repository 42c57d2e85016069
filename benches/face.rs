//! Question: how long from a frame to a sighting, and which stage takes it?
//!
//! To stay under: 120 ms from frame to sighting on one core, so that a kiosk answers while the
//! trainee still stands there. `rollcall models bench --lfw DIR --first 300 --workers 1` shows
//! each stage's median and 95th percentile on many pictures; here are the same stages on one
//! picture, repeatable, and the comparisons that grow with the number of people.
//!
//! Pictures are those of the generated people (assets/). Where the default pack is neither in the
//! program nor in the folder that ROLLCALL_DATA names, the benches that need it say SKIPPED.

use std::path::PathBuf;

use divan::Bencher;
use rollcall::camera::{self, Frame};
use rollcall::domain::{PersonId, Score};
use rollcall::face::{
    Embedding, Gallery, Manifest, Pipeline, Recent, RuntimeChoice, Settings, model_files, sight,
};

fn main() {
    divan::main();
}

const RUNTIMES: [&str; 2] = ["onnxruntime", "rust"];

/// The first picture of the first person.
const PICTURE: &[u8] = include_bytes!("../assets/people/p01/1.jpg");

/// The default pack on one thread, with its liveness nets or without; `None` where it cannot be.
fn opened(runtime: &str, liveness: bool) -> Option<(Pipeline, Frame)> {
    let data = std::env::var_os("ROLLCALL_DATA").map(PathBuf::from);
    let folders = model_files::search_folders(None, data.as_deref());
    let mut settings = Settings::with_folders(folders);
    settings.runtime =
        if runtime == "rust" { RuntimeChoice::Rust } else { RuntimeChoice::OnnxRuntime };
    settings.threads = 1;
    if !Pipeline::runtime_is_there(settings.runtime) {
        eprintln!("SKIPPED: ONNX Runtime is not on this machine");
        return None;
    }
    if !liveness {
        let text: String = include_str!("../models/manifest.toml")
            .lines()
            .filter(|line| !line.starts_with("liveness = "))
            .flat_map(|line| [line, "\n"])
            .collect();
        settings.manifest = Manifest::parse(&text).expect("a pack may do without liveness");
    }
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
        sight(&look, &gallery, &recent, Some(roster[0]), &roster)
    });
}

/// How does comparing grow with the people on the roster, and today's accepted faces?
#[divan::bench(args = [40, 1_000, 10_000])]
fn compare_with_people(bencher: Bencher, count: u32) {
    let Some((mut pipeline, frame)) = opened("rust", false) else { return };
    let face = face(&mut pipeline, &frame);
    let (gallery, recent, roster) = people(&face, count);
    let look = pipeline.look(&frame).expect("the nets run");
    bencher.bench(|| sight(&look, &gallery, &recent, Some(roster[0]), &roster));
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
