//! The pipeline against what a reference implementation computed: points within a pixel,
//! embeddings with a cosine of at least 0.99, on both runtimes.

use std::path::Path;

use rollcall::camera;
use rollcall::face::{Pipeline, RuntimeChoice};
use serde::Deserialize;

use super::face_data::{cosine, data_folder, runtimes, settings};

#[derive(Deserialize)]
struct Reference {
    image: String,
    faces: usize,
    box_xywh: [f32; 4],
    points_xy: [f32; 10],
    score: f32,
    mobilefacenet_foamliu: Vec<f32>,
    mobileface_v2_first16: Vec<f32>,
    liveness_live: f32,
}

fn references(data: &Path) -> Vec<Reference> {
    let text = std::fs::read_to_string(data.join("models/reference-vectors.json"))
        .expect("the data folder has reference vectors");
    serde_json::from_str(&text).expect("they are JSON")
}

fn opened(data: &Path, pack: &str, runtime: RuntimeChoice) -> Pipeline {
    let mut settings = settings(data, runtime);
    settings.pack = Some(pack.to_owned());
    Pipeline::open(&settings).expect("the pack opens")
}

#[test]
fn points_boxes_liveness_and_embeddings_are_those_of_the_reference() {
    let Some(data) = data_folder() else { return };
    let references = references(&data);
    assert!(references.len() >= 20);
    for runtime in runtimes() {
        let mut pipeline = opened(&data, "mobilefacenet", runtime);
        for reference in &references {
            let frame = camera::read(&data.join(&reference.image)).unwrap();
            let look = pipeline.look(&frame).unwrap();
            let image = &reference.image;
            assert_eq!(look.faces, reference.faces, "{runtime:?} {image}");
            let face = look.face.unwrap();
            for (is, should) in face.points.as_flattened().iter().zip(reference.points_xy) {
                assert!((is - should).abs() <= 1.0, "{runtime:?} {image}: {is} {should}");
            }
            let rect = [face.rect.x, face.rect.y, face.rect.w, face.rect.h];
            for (is, should) in rect.iter().zip(reference.box_xywh) {
                assert!((is - should).abs() <= 1.0, "{runtime:?} {image}: {is} {should}");
            }
            let detection = face.quality.detection.as_e4() as f32 / 1e4;
            assert!((detection - reference.score).abs() < 0.01, "{runtime:?} {image}: {detection}");
            let cosine = cosine(&face.embedding, &reference.mobilefacenet_foamliu);
            assert!(cosine >= 0.99, "{runtime:?} {image}: cosine {cosine}");
            let live = face.liveness.unwrap().as_e4() as f32 / 1e4;
            let off = (live - reference.liveness_live).abs();
            assert!(
                off < 0.1,
                "{runtime:?} {image}: live {live}, should {}",
                reference.liveness_live
            );
        }
    }
}

#[test]
fn second_pack_gives_the_reference_too() {
    let Some(data) = data_folder() else { return };
    for runtime in runtimes() {
        let mut pipeline = opened(&data, "mobileface_v2", runtime);
        for reference in references(&data).iter().take(5) {
            let frame = camera::read(&data.join(&reference.image)).unwrap();
            let face = pipeline.look(&frame).unwrap().face.unwrap();
            let cosine = cosine(&face.embedding, &reference.mobileface_v2_first16);
            assert!(cosine >= 0.99, "{runtime:?} {}: cosine {cosine}", reference.image);
        }
    }
}
