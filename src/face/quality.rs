//! Quality: whether a face picture is good enough to decide on. Measures only; what is good
//! enough the policy of the check-in says.

use sha2::{Digest, Sha256};

use super::detect::Found;
use crate::camera::Frame;
use crate::domain::{Quality, Score};

/// Measures a face that was found and its aligned picture.
pub(super) fn measure(found: &Found, aligned: &Frame) -> Quality {
    let [left, right, ..] = found.points;
    let grey = grey(aligned);
    Quality {
        eye_distance_px: (right[0] - left[0]).hypot(right[1] - left[1]),
        detection: Score::from_f32(found.confidence),
        sharpness: laplacian_variance(&grey, aligned.width() as usize),
        brightness: mean(grey.iter().copied()),
    }
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
