use proptest::prelude::*;

use crate::camera::Frame;
use crate::face::align::{Similarity, TEMPLATE, align};
use crate::face::detect::{
    Found, Points, Rect, blended, faces, front, scaled_back, shrink, suppress,
};
use crate::face::liveness::{Crop, crop_of, draw};
use crate::face::onnx::{NetError, Output};

fn frame(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Frame {
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Frame::from_rgb(width, height, rows.flat_map(|(x, y)| colour(x, y)).collect()).unwrap()
}

fn moved(points: &Points, by: &Similarity) -> Points {
    #[expect(clippy::cast_possible_truncation, reason = "test points are small numbers")]
    points.map(|[x, y]| by.apply([f64::from(x), f64::from(y)]).map(|v| v as f32))
}

proptest! {
    #[test]
    fn similarity_between_points_and_their_image_is_recovered(
        angle in -3.1_f64..3.1, scale in 0.05_f64..20.0, tx in -500.0_f64..500.0, ty in -500.0_f64..500.0,
    ) {
        let truth = Similarity { a: scale * angle.cos(), b: scale * angle.sin(), tx, ty };
        let found = Similarity::between(&TEMPLATE, &moved(&TEMPLATE, &truth)).unwrap();
        for point in TEMPLATE {
            let point = point.map(f64::from);
            let (is, should) = (found.apply(point), truth.apply(point));
            prop_assert!((is[0] - should[0]).hypot(is[1] - should[1]) < 1e-3, "{found:?} {truth:?}");
            let back = found.inverse().apply(found.apply(point));
            prop_assert!((back[0] - point[0]).hypot(back[1] - point[1]) < 1e-6);
        }
    }

    #[test]
    fn no_similarity_is_nearer_than_the_one_found(
        noise in prop::array::uniform10(-9.0_f32..9.0), a in -0.1_f64..0.1, b in -0.1_f64..0.1,
        tx in -3.0_f64..3.0, ty in -3.0_f64..3.0,
    ) {
        let mut to = TEMPLATE;
        to.as_flattened_mut().iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
        let found = Similarity::between(&TEMPLATE, &to).unwrap();
        let other = Similarity { a: found.a + a, b: found.b + b, tx: found.tx + tx, ty: found.ty + ty };
        let distance = |by: &Similarity| -> f64 {
            let apart = |(p, q): (&[f32; 2], &[f32; 2])| {
                let [x, y] = by.apply(p.map(f64::from));
                (x - f64::from(q[0])).powi(2) + (y - f64::from(q[1])).powi(2)
            };
            TEMPLATE.iter().zip(&to).map(apart).sum()
        };
        prop_assert!(distance(&found) <= distance(&other) + 1e-6);
    }

    #[test]
    fn suppression_keeps_apart_faces_and_drops_only_what_a_better_one_covers(
        raw in prop::collection::vec((0.0_f32..100.0, 0.0_f32..100.0, 1.0_f32..60.0, 0.6_f32..1.0), 0..30),
        overlap_max in 0.05_f32..0.95,
    ) {
        let all: Vec<Found> = raw.iter().map(|(x, y, side, sure)| found(*x, *y, *side, *sure)).collect();
        let kept = suppress(all.clone(), overlap_max);
        for (index, one) in kept.iter().enumerate() {
            for other in &kept[index + 1..] {
                prop_assert!(one.rect.overlap(&other.rect) <= overlap_max);
                prop_assert!(one.confidence >= other.confidence);
            }
        }
        for one in &all {
            let covers = |other: &Found| {
                other == one
                    || (other.confidence >= one.confidence && other.rect.overlap(&one.rect) > overlap_max)
            };
            prop_assert!(kept.iter().any(covers));
        }
    }

    #[test]
    fn liveness_crop_always_lies_in_the_frame(
        x in -2000.0_f32..4000.0, y in -2000.0_f32..4000.0, w in 0.0_f32..3000.0, h in 0.0_f32..3000.0,
        wanted in 1.0_f32..10.0, width in 1_u32..2000, height in 1_u32..2000,
    ) {
        let Crop { left, top, width: w, height: h } = crop_of(&Rect { x, y, w, h }, wanted, width, height);
        prop_assert!(w >= 1 && h >= 1 && left + w <= width && top + h <= height);
    }
}

fn found(x: f32, y: f32, side: f32, confidence: f32) -> Found {
    Found { rect: Rect { x, y, w: side, h: side }, points: TEMPLATE, confidence }
}

#[test]
fn of_two_overlapping_faces_the_more_certain_stays() {
    let kept = suppress(vec![found(0.0, 0.0, 10.0, 0.7), found(1.0, 0.0, 10.0, 0.9)], 0.3);
    assert!(kept == [found(1.0, 0.0, 10.0, 0.9)]);
    let apart = suppress(vec![found(0.0, 0.0, 10.0, 0.7), found(8.0, 0.0, 10.0, 0.9)], 0.3);
    assert_eq!(apart.len(), 2);
}

#[test]
fn answers_to_one_face_are_blended_by_their_odds_and_another_face_has_no_part() {
    let moved = |x: f32, confidence| {
        let mut face = found(x, 0.0, 10.0, confidence);
        face.points.iter_mut().for_each(|point| point[0] += x);
        face
    };
    // The root of the odds: 3 at 0.9, 2 at 0.8.
    let all = [moved(0.0, 0.9), moved(1.0, 0.8), moved(30.0, 0.99)];
    let one = blended(&all[0], &all);
    assert!((one.rect.x - 0.4).abs() < 1e-5 && one.confidence == 0.9);
    assert!((one.rect.w - 10.0).abs() < 1e-5 && (one.rect.h - 10.0).abs() < 1e-5);
    for (point, place) in one.points.iter().zip(TEMPLATE) {
        assert!((point[0] - place[0] - 0.4).abs() < 1e-4 && (point[1] - place[1]).abs() < 1e-4);
    }
    let alone = blended(&all[2], &all);
    assert!((alone.rect.x - 30.0).abs() < 1e-4);
    // Certainty itself has odds without end, and a face without a size shares nothing.
    assert!(blended(&moved(0.0, 1.0), &[moved(0.0, 1.0)]).rect.x.is_finite());
    assert!(blended(&found(1.0, 1.0, 0.0, 0.9), &all) == found(1.0, 1.0, 0.0, 0.9));
}

#[test]
fn points_on_one_spot_make_no_face() {
    assert_eq!(Similarity::between(&[[7.0, 7.0]; 5], &TEMPLATE), None);
    assert_eq!(Similarity::between(&[[f32::NAN; 2]; 5], &TEMPLATE), None);
    let mut aligned = Frame::black(112, 112);
    assert!(!align(&frame(20, 20, |_, _| [9; 3]), &[[7.0, 7.0]; 5], &mut aligned));
}

#[test]
fn face_that_lies_on_the_template_already_is_not_changed() {
    let picture = frame(112, 112, |x, y| [x, y, (x * y) % 256].map(|v| v.to_le_bytes()[0]));
    let mut aligned = Frame::black(112, 112);
    assert!(align(&picture, &TEMPLATE, &mut aligned));
    assert!(aligned == picture);
}

#[test]
fn shifted_face_is_shifted_back_and_what_lies_outside_is_black() {
    let picture = frame(112, 112, |x, y| [x + 1, y + 1, 50].map(|v| v.to_le_bytes()[0]));
    let mut aligned = Frame::black(112, 112);
    let points = TEMPLATE.map(|[x, y]| [x + 20.0, y + 30.0]);
    assert!(align(&picture, &points, &mut aligned));
    assert_eq!(aligned.pixel(10, 10), [31, 41, 50]);
    assert_eq!(aligned.pixel(100, 100), [0; 3]);
}

/// The twelve outputs of a 32 × 32 frame, silent but for what `set` writes.
fn outputs(set: impl Fn(&str, &mut [f32])) -> Vec<Output> {
    let parts = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
    let strides = [(8, 16), (16, 4), (32, 1)];
    let output = |(part, values): (&str, usize), (stride, cells): (usize, usize)| {
        let name = format!("{part}_{stride}");
        let mut values = vec![0.0; cells * values];
        set(&name, &mut values);
        Output { name, values }
    };
    parts.into_iter().flat_map(|part| strides.map(|stride| output(part, stride))).collect()
}

#[test]
fn cell_of_the_detector_becomes_box_and_points() {
    // Stride 16, second row, first column: cell 2 of 4.
    let outputs = outputs(|name, values| match name {
        "cls_16" => values[2] = 0.81,
        "obj_16" => values[2] = 4.0,
        "bbox_16" => values[8..12].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln()]),
        "kps_16" => values[20..22].copy_from_slice(&[1.0, -0.5]),
        _ => {}
    });
    let found = faces(&outputs, 32, 32, 0.6).unwrap();
    assert_eq!(found.len(), 1);
    let Found { rect, points, confidence } = found[0];
    assert!((confidence - 0.9).abs() < 1e-6, "the objectness counts as 1 at most");
    assert!((rect.w - 16.0).abs() < 1e-4 && (rect.h - 32.0).abs() < 1e-4);
    assert!((rect.x - 0.0).abs() < 1e-4 && (rect.y - 4.0).abs() < 1e-4);
    assert_eq!(points[0], [16.0, 8.0]);
    assert_eq!(points[1], [0.0, 16.0]);
}

#[test]
fn numbers_that_are_no_place_are_no_face_and_missing_outputs_are_an_error() {
    let broken = outputs(|name, values| match name {
        "cls_32" | "obj_32" => values[0] = 1.0,
        "bbox_32" => values[2] = f32::INFINITY,
        _ => {}
    });
    assert!(faces(&broken, 32, 32, 0.6).unwrap().is_empty());
    let unsure = outputs(|name, values| {
        if name.starts_with("cls") || name.starts_with("obj") {
            values.fill(f32::NAN);
        }
    });
    assert!(faces(&unsure, 32, 32, 0.6).unwrap().is_empty());
    assert!(matches!(faces(&unsure[1..], 32, 32, 0.6), Err(NetError::Shape(_))));
    assert!(matches!(faces(&unsure, 64, 32, 0.6), Err(NetError::Shape(_))));
}

#[test]
fn shrinking_takes_the_mean_of_blocks_and_points_are_scaled_back_to_their_centres() {
    let picture = frame(5, 4, |x, y| [(x * 10).to_le_bytes()[0], (y * 10).to_le_bytes()[0], 200]);
    let small = shrink(&picture, 2);
    assert_eq!((small.width(), small.height()), (2, 2));
    assert_eq!(small.pixel(1, 1), [25, 25, 200]);
    let mut face = found(1.0, 1.0, 1.0, 0.9);
    face.points = [[1.0, 1.0]; 5];
    // The block of pixels 2 and 3 has its centre at 2.5.
    assert_eq!(scaled_back(&face, 2).points[0], [2.5, 2.5]);
}

#[test]
fn strip_of_a_picture_is_shrunk_without_a_panic() {
    for (width, height) in [(8192, 1), (1, 8192), (3, 2000)] {
        let small = shrink(&Frame::black(width, height), 9);
        assert!(small.width() >= 1 && small.height() >= 1);
    }
}

#[test]
fn liveness_crop_is_shifted_into_the_frame_and_not_cut() {
    let at_the_corner = Rect { x: 0.0, y: 10.0, w: 20.0, h: 20.0 };
    let crop = crop_of(&at_the_corner, 3.0, 200, 100);
    assert_eq!(crop, Crop { left: 0, top: 0, width: 61, height: 61 });
    let too_large = Rect { x: 10.0, y: 10.0, w: 60.0, h: 80.0 };
    let crop = crop_of(&too_large, 4.0, 100, 100);
    assert_eq!((crop.top, crop.height), (0, 100));
}

#[test]
fn crop_is_drawn_edge_to_edge() {
    let picture = frame(8, 4, |x, _| if x < 4 { [0; 3] } else { [200, 100, 50] });
    let mut drawn = Frame::black(4, 4);
    draw(&picture, &Crop { left: 0, top: 0, width: 8, height: 4 }, &mut drawn);
    assert_eq!(drawn.pixel(0, 0), [0; 3]);
    assert_eq!(drawn.pixel(3, 3), [200, 100, 50]);
}

#[test]
fn face_in_front_is_large_and_near_the_middle() {
    let room = Frame::black(640, 480);
    let centred = |x: f32, y: f32, side: f32| found(x - side / 2.0, y - side / 2.0, side, 0.9);
    let in_front = |faces: &[Found]| front(faces, &room).unwrap();
    let trainee = centred(320.0, 240.0, 100.0);
    // Somebody leans in from the side, a little larger; somebody stands far behind.
    assert!(in_front(&[centred(600.0, 240.0, 120.0), trainee]) == trainee);
    let aside = centred(420.0, 240.0, 100.0);
    assert!(in_front(&[aside, centred(320.0, 240.0, 60.0)]) == aside);
    // Alone at the very edge is in front too.
    let edge = centred(5.0, 5.0, 40.0);
    assert!(in_front(&[edge]) == edge);
    assert!(front(&[], &room).is_none());
}
