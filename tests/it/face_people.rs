//! The generated people, through the whole pipeline: each pack finds and tells them apart at its own
//! threshold, says of pictures that are none what is wrong with them, and both runtimes decide alike.

use std::path::{Path, PathBuf};

use rollcall::camera::{self, Frame};
use rollcall::checkin::{self, Advice, advise};
use rollcall::domain::{PersonId, Policy, Score, Sighting};
use rollcall::face::{Embedding, Gallery, Manifest, Pipeline, Recent, RuntimeChoice, Track, sight};
use rollcall::terminal::numbers;
use serde::Deserialize;

use super::face_data::{assets, opened, opened_pack, people, runtimes};

fn frame(path: &Path) -> Frame {
    camera::read(path).expect("the picture is sound")
}

fn looked(pipeline: &mut Pipeline, path: &Path) -> rollcall::face::Look {
    pipeline.look(&frame(path)).expect("the nets run")
}

// ---- the gate -------------------------------------------------------------------------------

/// Every picture has exactly one face; same person > threshold > different person, without overlap.
fn tells_people_apart(pipeline: &mut Pipeline) {
    let pack = pipeline.pack().name.clone();
    let matching = pipeline.thresholds().unwrap().matching.cosine;
    let mut faces: Vec<Vec<Embedding>> = Vec::new();
    for (person, pictures) in people() {
        let mut hers = Vec::new();
        for picture in pictures {
            let look = looked(pipeline, &picture);
            assert_eq!(look.faces, 1, "{pack}: {}", picture.display());
            hers.push(look.face.expect("one face was found").embedding);
        }
        assert!(hers.len() >= 6, "{person} has at least six pictures");
        faces.push(hers);
    }
    assert!(faces.len() >= 24);
    let (mut same_min, mut other_max) = (1.0_f32, -1.0_f32);
    for (place, one) in faces.iter().enumerate() {
        for (first, face) in one.iter().enumerate() {
            for mine in &one[first + 1..] {
                same_min = same_min.min(face.cosine(mine));
            }
            for other in faces[place + 1..].iter().flatten() {
                other_max = other_max.max(face.cosine(other));
            }
        }
    }
    println!("{pack}: same person ≥ {same_min:.3}, threshold {matching}, others ≤ {other_max:.3}");
    assert!(Score::from_f32(same_min) > matching, "{pack}: same person {same_min} at {matching}");
    assert!(Score::from_f32(other_max) < matching, "{pack}: two people {other_max} at {matching}");
}

#[derive(Deserialize)]
struct Expected {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    says: Vec<String>,
}

fn word(advice: Result<(), Advice>) -> &'static str {
    match advice {
        Ok(()) => "decides",
        Err(Advice::NobodyThere) => "nobody_there",
        Err(Advice::OneAtATime) => "one_at_a_time",
        Err(Advice::ComeCloser) => "come_closer",
        Err(Advice::MoreLight) => "more_light",
        Err(Advice::LessLight) => "less_light",
        Err(Advice::FaceFront) => "face_front",
        Err(Advice::TakeOffMask) => "take_off_mask",
        Err(Advice::HoldStill) => "hold_still",
    }
}

/// Each hard case gets the answer that is written beside it, and no case is taken for somebody who
/// is not in it.
fn answers_hard_cases(pipeline: &mut Pipeline) {
    let pack = pipeline.pack().name.clone();
    let text = std::fs::read_to_string(assets().join("hard/expected.toml")).unwrap();
    let expected: Expected = toml::from_str(&text).unwrap();
    let thresholds = pipeline.thresholds().unwrap().clone();
    let policy = Policy::sichuan_2025();
    let numbers = numbers(&policy, &thresholds, &checkin::Settings::default(), 0);
    let recent = Recent::new(thresholds.confident.cosine);
    let track = Track::new(thresholds.matching.cosine);
    let gallery = Gallery::new(pipeline.embedding_digest());
    let mut wrong = Vec::new();
    for case in &expected.case {
        let look = looked(pipeline, &assets().join("hard").join(&case.file));
        let said =
            word(advise(&sight(&look, &track, &gallery, &recent, None, &[]), &numbers).map(|_| ()));
        if !case.says.iter().any(|says| says == said) {
            wrong.push(format!("{}: {said}, not {:?}", case.file, case.says));
        }
    }
    assert!(expected.case.len() >= 6);
    assert!(wrong.is_empty(), "{pack}: {wrong:?}");
}

#[test]
fn default_pack_finds_and_tells_apart_the_generated_people() {
    let mut pipeline = opened(RuntimeChoice::Auto);
    tells_people_apart(&mut pipeline);
}

#[test]
fn default_pack_says_what_is_wrong_with_each_hard_case() {
    let mut pipeline = opened(RuntimeChoice::Auto);
    answers_hard_cases(&mut pipeline);
}

#[test]
fn every_other_pack_that_is_here_does_the_same() {
    let manifest = Manifest::shipped();
    let calibrated = manifest.packs()[1..].iter().filter(|pack| pack.thresholds.is_some());
    for pack in calibrated {
        if let Some(mut pipeline) = opened_pack(&pack.name, RuntimeChoice::Auto) {
            tells_people_apart(&mut pipeline);
            answers_hard_cases(&mut pipeline);
        }
    }
}

#[test]
fn pictures_of_the_repository_stay_small() {
    let pictures = people().into_iter().flat_map(|(_, pictures)| pictures);
    let hard = super::face_data::sorted(&assets().join("hard"));
    let size = |path: PathBuf| std::fs::metadata(path).unwrap().len();
    let bytes: u64 = pictures.chain(hard).map(size).sum();
    assert!(bytes <= 4_000_000, "{bytes} bytes");
}

// ---- people at a terminal -------------------------------------------------------------------

/// Two pictures enrol, the third is looked at, with the true name claimed.
fn sightings(pipeline: &mut Pipeline, people: &[(PersonId, Vec<PathBuf>)]) -> Vec<Sighting> {
    let thresholds = pipeline.thresholds().unwrap().clone();
    let mut gallery = Gallery::new(pipeline.embedding_digest());
    for (person, pictures) in people {
        let faces: Vec<_> = pictures[..2]
            .iter()
            .map(|path| looked(pipeline, path).face.expect("a face is there").embedding)
            .collect();
        gallery.enrol(*person, &faces, thresholds.matching.cosine).expect("both show one person");
    }
    let roster: Vec<_> = people.iter().map(|(person, _)| *person).collect();
    let recent = Recent::new(thresholds.confident.cosine);
    let track = Track::new(thresholds.matching.cosine);
    people
        .iter()
        .map(|(person, pictures)| {
            sight(
                &looked(pipeline, &pictures[2]),
                &track,
                &gallery,
                &recent,
                Some(*person),
                &roster,
            )
        })
        .collect()
}

#[test]
fn both_runtimes_decide_the_same_and_know_the_people() {
    let people: Vec<_> =
        (1..).map(|id| PersonId([id; 16])).zip(people().into_iter().map(|(_, all)| all)).collect();
    let mut decided = Vec::new();
    for runtime in runtimes() {
        let mut pipeline = opened(runtime);
        let thresholds = pipeline.thresholds().unwrap().clone();
        let (same, sure) = (thresholds.matching.cosine, thresholds.confident.cosine);
        let sightings = sightings(&mut pipeline, &people);
        for ((person, _), sighting) in people.iter().zip(&sightings) {
            let face = sighting.face.as_ref().unwrap();
            let (best, second) = (face.best.unwrap(), face.second.unwrap());
            assert!(best.person == *person && best.score >= same, "{runtime:?}: {person:?}");
            assert!(second.score < same, "{runtime:?}: nobody else is taken for {person:?}");
        }
        let decisions = sightings.iter().map(|sighting| {
            let face = sighting.face.as_ref().unwrap();
            let best = face.best.unwrap();
            (
                sighting.faces,
                best.person,
                (best.score >= same, best.score >= sure),
                face.liveness.is_some_and(|live| live >= Score::from_e4(5000)),
            )
        });
        decided.push((decisions.collect::<Vec<_>>(), sightings.clone()));
    }
    for (other, sightings) in &decided[1..] {
        assert_eq!(&decided[0].0, other);
        for (a, b) in decided[0].1.iter().zip(sightings) {
            let (a, b) = (a.face.as_ref().unwrap(), b.face.as_ref().unwrap());
            let apart = a.claimed.unwrap().as_e4() - b.claimed.unwrap().as_e4();
            assert!(apart.abs() <= 20, "scores differ by {apart} ten-thousandths");
        }
    }
}

/// Each pixel becomes a square of `factor` × `factor`.
fn enlarged(frame: &Frame, factor: u32) -> Frame {
    let width = frame.width() * factor;
    let height = frame.height() * factor;
    let rgb = (0..height)
        .flat_map(|y| (0..width).map(move |x| (y / factor) * frame.width() + x / factor))
        .flat_map(|at| frame.rgb()[at as usize * 3..at as usize * 3 + 3].iter().copied())
        .collect();
    Frame::from_rgb(width, height, rgb).expect("the sizes fit")
}

#[test]
fn large_frame_is_shrunk_for_the_detector_and_measured_like_the_small_one() {
    let mut pipeline = opened(RuntimeChoice::Auto);
    let small = frame(&people()[0].1[0]);
    let face = pipeline.look(&small).unwrap().face.unwrap();
    // 320 × 7 = 2,240 pixels: shrunk by 4, which is no divisor of 7.
    let large = pipeline.look(&enlarged(&small, 7)).unwrap().face.unwrap();
    let [left, right, ..] = face.points;
    let eyes_px = (right[0] - left[0]).hypot(right[1] - left[1]);
    for (is, should) in large.points.as_flattened().iter().zip(face.points.as_flattened()) {
        let should = should * 7.0 + 3.0;
        // A sixth of the way between the eyes: of a face of another size no net is surer.
        assert!((is - should).abs() < eyes_px * 7.0 / 6.0, "{is} {should}");
    }
    let cosine = large.embedding.cosine(&face.embedding);
    assert!(cosine > 0.9, "cosine {cosine}");
}

#[test]
fn picture_of_nothing_has_no_face_and_the_smallest_picture_does_no_harm() {
    for runtime in runtimes() {
        let mut pipeline = opened(runtime);
        for (width, height) in [(1, 1), (33, 1), (640, 480), (1, 3000)] {
            let grey = vec![127; width as usize * height as usize * 3];
            let frame = Frame::from_rgb(width, height, grey).unwrap();
            let look = pipeline.look(&frame).unwrap();
            assert!(look.faces == 0 && look.face.is_none(), "{width} × {height}");
        }
    }
}
