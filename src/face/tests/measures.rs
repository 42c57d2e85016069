use super::unit;
use crate::camera::Frame;
use crate::face::detect::{Found, Rect};
use crate::face::embed::{Embedder, Embedding};
use crate::face::manifest::{Colour, Normalisation, Output};
use crate::face::onnx::{Net, NetError, Output as NetOutput};
use crate::face::planes::Planes;
use crate::face::quality::measure;
use crate::face::{FrontFace, Look, Timings};

#[test]
fn planes_have_the_order_range_and_padding_that_the_manifest_says() {
    let frame = Frame::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    let mut normalisation = Normalisation {
        colour: Colour::Bgr,
        scale: 2.0,
        mean: [1.0, 2.0, 3.0],
        std: [1.0, 1.0, 0.5],
    };
    let mut planes = Planes::new(&normalisation);
    // Blue 3 and 6, green 2 and 5, red 1 and 4; a black column on the right.
    assert_eq!(planes.lay_out(&frame, 3, 1), [5.0, 11.0, -1.0, 2.0, 8.0, -2.0, -2.0, 10.0, -6.0]);
    normalisation.colour = Colour::Rgb;
    let mut planes = Planes::new(&normalisation);
    assert_eq!(planes.lay_out(&frame, 2, 2)[..4], [1.0, 7.0, -1.0, -1.0]);
    // The buffer is used again: nothing of the larger picture stays in the smaller.
    let black = Frame::black(1, 1);
    assert_eq!(planes.lay_out(&black, 1, 1), [-1.0, -2.0, -6.0]);
}

/// A net that answers with the first four values of its input.
struct FirstFour(Vec<NetOutput>);

impl Net for FirstFour {
    fn run(&mut self, _: [usize; 4], input: &[f32]) -> Result<&[NetOutput], NetError> {
        self.0 = vec![NetOutput { name: "vector".into(), values: input[..4].to_vec() }];
        Ok(&self.0)
    }
}

#[test]
fn mirrored_face_has_the_same_embedding_where_the_manifest_asks_for_the_mean_of_both() {
    let normalisation =
        Normalisation { colour: Colour::Rgb, scale: 1.0, mean: [0.0; 3], std: [1.0; 3] };
    let embed = |reds: [u8; 4], mirror| {
        let output = Output { name: "vector".into(), values: 4 };
        let net = Box::new(FirstFour(Vec::new()));
        let rgb = reds.into_iter().flat_map(|red| [red, 0, 0]).collect();
        let face = Frame::from_rgb(4, 1, rgb).unwrap();
        Embedder::new(net, &normalisation, output, mirror).embed(&face).unwrap().unwrap()
    };
    let (face, mirrored) = ([1, 2, 3, 4], [4, 3, 2, 1]);
    assert_eq!(embed(face, true).as_slice(), embed(mirrored, true).as_slice());
    assert!(embed(face, true).as_slice().iter().all(|value| (value - 0.5).abs() < 1e-6));
    assert_ne!(embed(face, false).as_slice(), embed(mirrored, false).as_slice());
}

fn measured(pixel: impl Fn(usize) -> u8) -> crate::domain::Quality {
    let rgb = (0..112 * 112).flat_map(|at| [pixel(at); 3]).collect();
    let found = Found {
        rect: Rect { x: 0.0, y: 0.0, w: 50.0, h: 60.0 },
        points: [[10.0, 10.0], [40.0, 50.0], [0.0; 2], [0.0; 2], [0.0; 2]],
        confidence: 0.875,
    };
    measure(&found, &Frame::from_rgb(112, 112, rgb).unwrap())
}

#[test]
fn flat_face_is_not_sharp_and_a_chequered_one_is() {
    let flat = measured(|_| 130);
    assert!(flat.sharpness < 1e-3);
    assert!((flat.brightness - 130.0).abs() < 0.01);
    assert_eq!(flat.detection.as_e4(), 8750);
    assert!((flat.eye_distance_px - 50.0).abs() < 1e-4);
    let chequered = measured(|at| if (at % 112 + at / 112) % 2 == 0 { 0 } else { 255 });
    assert!(chequered.sharpness > 100_000.0);
}

#[test]
fn cosine_is_one_with_itself_and_nothing_with_another_kind() {
    let face = unit(&[3.0, 4.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.5, 0.25]);
    assert!((face.cosine(&face) - 1.0).abs() < 1e-6);
    assert!((unit(&[1.0, 0.0]).cosine(&unit(&[1.0, 1.0])) - 0.5_f32.sqrt()).abs() < 1e-6);
    assert!((face.cosine(&unit(&[1.0])) + 1.0).abs() < 1e-6);
}

#[test]
fn vector_without_a_direction_is_no_embedding() {
    assert_eq!(Embedding::unit(vec![0.0; 8]), None);
    assert_eq!(Embedding::unit(vec![f32::NAN, 1.0]), None);
    assert_eq!(Embedding::unit(vec![f32::INFINITY, 1.0]), None);
    assert_eq!(Embedding::mean([]), None);
    assert_eq!(Embedding::mean([&unit(&[1.0]), &unit(&[-1.0])]), None);
}

#[test]
fn debug_of_what_is_private_shows_no_number() {
    let embedding = unit(&[0.25, 0.5]);
    let face = FrontFace {
        rect: Rect { x: 11.0, y: 12.0, w: 13.0, h: 14.0 },
        points: [[15.0, 16.0]; 5],
        fingerprint: 7,
        quality: measured(|_| 17),
        liveness: None,
        embedding: embedding.clone(),
    };
    let mut gallery = crate::face::Gallery::new([1; 32]);
    let pictures = std::slice::from_ref(&embedding);
    gallery.enrol(super::person(1), pictures, crate::domain::Score::default()).unwrap();
    let mut recent = crate::face::Recent::new(crate::domain::Score::default());
    recent.remember(super::person(1), 1, embedding.clone());
    for shown in [
        format!("{embedding:?}"),
        format!("{face:?}"),
        format!("{gallery:?}"),
        format!("{recent:?}"),
    ] {
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }
    let look = Look {
        frame: [640.0, 480.0],
        faces: 1,
        in_front: 1,
        face: Some(face),
        timings: Timings::default(),
    };
    assert!(format!("{look:?}").contains("FrontFace(<hidden>)"));
}
