//! Quality: whether a face picture is good enough to decide on. Measures only; what is good
//! enough the policy of the check-in says.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::detect::{Found, Point, Points};
use crate::camera::Frame;
use crate::domain::{Quality, Score};

/// Measures a face that was found and its aligned picture.
pub(super) fn measure(found: &Found, aligned: &Frame) -> Quality {
    let grey = grey(aligned);
    let pose = pose(&found.points);
    Quality {
        eye_distance_px: pose.eye_distance_px,
        detection: Score::from_f32(found.confidence),
        sharpness: laplacian_variance(&grey, aligned.width() as usize),
        brightness: mean(grey.iter().copied()),
        turn: pose.turn,
        nod: pose.nod,
        lean_deg: pose.lean_deg,
        mouth_detail: mouth_detail(&grey, aligned.width() as usize),
    }
}

struct Pose {
    eye_distance_px: f32,
    turn: f32,
    nod: f32,
    lean_deg: f32,
}

/// What the five points say of where the face looks. Not a number where points coincide.
fn pose(&[left, right, nose, mouth_left, mouth_right]: &Points) -> Pose {
    let minus = |a: Point, b: Point| [a[0] - b[0], a[1] - b[1]];
    let middle = |a: Point, b: Point| [f32::midpoint(a[0], b[0]), f32::midpoint(a[1], b[1])];
    let dot = |a: Point, b: Point| a[0] * b[0] + a[1] * b[1];
    let eyes = minus(right, left);
    let distance = eyes[0].hypot(eyes[1]);
    let along = [eyes[0] / distance, eyes[1] / distance];
    let down = [-along[1], along[0]];
    let between = middle(left, right);
    let nose = minus(nose, between);
    let mouth = minus(middle(mouth_left, mouth_right), between);
    Pose {
        eye_distance_px: distance,
        turn: dot(nose, along) / distance,
        nod: dot(nose, down) / dot(mouth, down),
        lean_deg: eyes[1].atan2(eyes[0]).to_degrees().abs(),
    }
}

/// Where eyes and mouth lie in an aligned face (`align::TEMPLATE`): rows and columns of 112.
const EYES: (Range<usize>, Range<usize>) = (44..60, 28..84);
const MOUTH: (Range<usize>, Range<usize>) = (84..102, 36..76);

/// Mean slope around the mouth over that around the eyes; over drawn masks it is a small part of that of
/// bare faces.
fn mouth_detail(grey: &[f32], width: usize) -> f32 {
    let scaled = |range: &Range<usize>| range.start * width / 112..range.end * width / 112;
    let slope = |(rows, columns): &(Range<usize>, Range<usize>)| {
        let cells = scaled(rows).flat_map(|row| scaled(columns).map(move |c| row * width + c));
        let inside = cells.filter(|at| (width..grey.len().saturating_sub(width)).contains(at));
        mean(inside.map(|at| {
            let across = grey[at + 1] - grey[at - 1];
            let down = grey[at + width] - grey[at - width];
            across.hypot(down)
        }))
    };
    slope(&MOUTH) / slope(&EYES).max(f32::MIN_POSITIVE)
}

/// The same for the same picture only: the first eight bytes of the SHA-256 of its pixels. A camera's
/// noise makes each picture another one.
pub(super) fn fingerprint(aligned: &Frame) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(aligned.rgb()));
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// ITU-R BT.601 luma, 0…255.
fn grey(frame: &Frame) -> Vec<f32> {
    let luma = |pixel: &[u8]| {
        0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2])
    };
    frame.rgb().chunks_exact(3).map(luma).collect()
}

/// How much neighbouring pixels differ: near zero on a blurred face.
fn laplacian_variance(grey: &[f32], width: usize) -> f32 {
    let height = grey.len() / width;
    let inner = (1..height.saturating_sub(1))
        .flat_map(|row| (1..width.saturating_sub(1)).map(move |column| row * width + column));
    let curvature = inner.map(|at| {
        grey[at - 1] + grey[at + 1] + grey[at - width] + grey[at + width] - 4.0 * grey[at]
    });
    let average = mean(curvature.clone());
    mean(curvature.map(|value| (value - average).powi(2)))
}

/// Zero of nothing.
fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0_f64, 0_u32), |(sum, n), v| (sum + f64::from(v), n + 1));
    #[expect(clippy::cast_possible_truncation, reason = "a mean of small numbers fits")]
    let mean = (sum / f64::from(count.max(1))) as f32;
    mean
}
