//! Real pictures of people: both runtimes decide the same, a person is recognised, another is
//! not, and a large picture is measured like a small one.

use std::path::{Path, PathBuf};

use rollcall::camera::{self, Frame};
use rollcall::domain::{PersonId, Score, Sighting};
use rollcall::face::{Gallery, Pipeline, Recent, RuntimeChoice, sight};

use super::face_data::{data_folder, runtimes, settings};

/// Pictures of this many people: 60 in all, which take some seconds even without optimisation.
const PEOPLE: usize = 20;

fn people(data: &Path) -> Vec<(PersonId, Vec<PathBuf>)> {
    let list = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("the data folder has people");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("it can be listed").path()).collect();
        paths.sort();
        paths
    };
    let folders = list(&data.join("faces/people")).into_iter().take(PEOPLE);
    (1..).zip(folders).map(|(id, folder)| (PersonId([id; 16]), list(&folder))).collect()
}

fn frame(path: &Path) -> Frame {
    camera::read(path).expect("the picture is sound")
}

/// Two pictures enrol, the third is looked at, with the true name claimed.
fn sightings(pipeline: &mut Pipeline, people: &[(PersonId, Vec<PathBuf>)]) -> Vec<Sighting> {
    let mut gallery = Gallery::new(pipeline.embedding_digest());
    let mut looked = |path: &Path| pipeline.look(&frame(path)).expect("the nets run");
    for (person, pictures) in people {
        let faces: Vec<_> = pictures[..2]
            .iter()
            .map(|path| looked(path).face.expect("a face is in the picture").embedding)
            .collect();
        gallery.enrol(*person, &faces, Score::from_e4(4000)).expect("both show one person");
    }
    let roster: Vec<_> = people.iter().map(|(person, _)| *person).collect();
    let recent = Recent::new(pipeline.thresholds().unwrap().confident.cosine);
    let mut looked = |path: &Path| pipeline.look(&frame(path)).expect("the nets run");
    people
        .iter()
        .map(|(person, pictures)| {
            sight(&looked(&pictures[2]), &gallery, &recent, Some(*person), &roster)
        })
        .collect()
}

#[test]
fn both_runtimes_decide_the_same_and_know_the_people() {
    let Some(data) = data_folder() else { return };
    let people = people(&data);
    let mut decided = Vec::new();
    for runtime in runtimes() {
        let mut pipeline = Pipeline::open(&settings(&data, runtime)).unwrap();
        let (same, sure) = (
            pipeline.thresholds().unwrap().matching.cosine,
            pipeline.thresholds().unwrap().confident.cosine,
        );
        let sightings = sightings(&mut pipeline, &people);
        let mut right = 0;
        for ((person, _), sighting) in people.iter().zip(&sightings) {
            let face = sighting.face.as_ref().unwrap();
            let (best, second) = (face.best.unwrap(), face.second.unwrap());
            right += usize::from(best.person == *person && best.score >= same);
            assert!(second.score < sure, "{runtime:?}: nobody else is confidently the same");
        }
        assert!(right >= PEOPLE - 1, "{runtime:?}: {right} of {PEOPLE} recognised");
        let decisions = sightings.iter().map(|sighting| {
            let face = sighting.face.as_ref().unwrap();
            let best = face.best.unwrap();
            (
                sighting.faces,
                best.person,
                face.second.unwrap().person,
                (best.score >= same, best.score >= sure),
                face.liveness.unwrap() >= Score::from_e4(5000),
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
    let Some(data) = data_folder() else { return };
    let mut pipeline = Pipeline::open(&settings(&data, RuntimeChoice::Auto)).unwrap();
    let small = frame(&people(&data)[0].1[0]);
    let face = pipeline.look(&small).unwrap().face.unwrap();
    // 250 × 8 = 2,000 pixels: shrunk by 3, which is no divisor of 8.
    let large = pipeline.look(&enlarged(&small, 8)).unwrap().face.unwrap();
    for (is, should) in large.points.as_flattened().iter().zip(face.points.as_flattened()) {
        let should = should * 8.0 + 3.5;
        // Three pixels of the small picture: the net itself is no surer of a point.
        assert!((is - should).abs() < 24.0, "{is} {should}");
    }
    let cosine = large.embedding.cosine(&face.embedding);
    assert!(cosine > 0.9, "cosine {cosine}");
}

#[test]
fn picture_of_nothing_has_no_face_and_the_smallest_picture_does_no_harm() {
    let Some(data) = data_folder() else { return };
    for runtime in runtimes() {
        let mut pipeline = Pipeline::open(&settings(&data, runtime)).unwrap();
        for (width, height) in [(1, 1), (33, 1), (640, 480), (1, 3000)] {
            let grey = vec![127; width as usize * height as usize * 3];
            let frame = Frame::from_rgb(width, height, grey).unwrap();
            let look = pipeline.look(&frame).unwrap();
            assert!(look.faces == 0 && look.face.is_none(), "{width} × {height}");
        }
    }
}
