//! What the detector's bench does to pictures: another size, sensor noise, and pieces that hold no
//! face. Pure: chance comes in.

use super::super::seeded::Seeded;
use crate::camera::Frame;
use crate::face::{Found, Points, Rect};

/// Smallest piece of a picture, in pixels: less, enlarged, is a blur in which nothing can be seen.
const CUT_SIDE_PX_MIN: u32 = 48;

/// How much wider than the box of a face, to each side, what no piece may touch: hair, ears, chin.
const MARGIN: f32 = 0.25;

/// Where pieces are tried: so many steps along a side.
const STEPS: u32 = 16;

/// The picture with its longer side at `side_px`, sampled bilinearly.
pub(super) fn resized(frame: &Frame, side_px: u32) -> Frame {
    let longer = u64::from(frame.width().max(frame.height()));
    let part = |side: u32| {
        let scaled = (u64::from(side) * u64::from(side_px) + longer / 2) / longer;
        u32::try_from(scaled).unwrap_or(side_px).max(1)
    };
    let all = [0, 0, frame.width(), frame.height()];
    sampled(frame, all, [part(frame.width()), part(frame.height())])
}

/// The part `[left, top, width, height]` of a picture, drawn as `[width, height]`.
#[expect(clippy::cast_precision_loss, reason = "sides have at most 8,192 pixels")]
fn sampled(frame: &Frame, [left, top, width, height]: [u32; 4], to: [u32; 2]) -> Frame {
    let mut drawn = Frame::black(to[0], to[1]);
    let columns = drawn.width();
    let steps = [width as f32 / drawn.width() as f32, height as f32 / drawn.height() as f32];
    for (pixel, index) in drawn.rgb_mut().chunks_exact_mut(3).zip(0_u32..) {
        let (column, row) = (index % columns, index / columns);
        // Centres of pixels lie on centres.
        let place = |at: u32, step: f32, from: u32, side: u32| {
            let place = ((at as f32 + 0.5) * step - 0.5).clamp(0.0, (side - 1) as f32);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the picture"
            )]
            let first = place as u32;
            (from + first, from + (first + 1).min(side - 1), place - first as f32)
        };
        let (x, next_x, right) = place(column, steps[0], left, width);
        let (y, next_y, lower) = place(row, steps[1], top, height);
        let corners = [(x, y), (next_x, y), (x, next_y), (next_x, next_y)];
        let corners = corners.map(|(x, y)| frame.pixel(x, y).map(f32::from));
        for (plane, byte) in pixel.iter_mut().enumerate() {
            let [a, b, c, d] = corners.map(|corner| corner[plane]);
            let (upper, under) = (a + (b - a) * right, c + (d - c) * right);
            *byte = to_byte(f64::from(upper + (under - upper) * lower));
        }
    }
    drawn
}

fn to_byte(value: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let byte = value.round().clamp(0.0, 255.0) as u8;
    byte
}

/// The picture as a sensor with this noise sees it: each colour of each pixel is off by a normal
/// number with the standard deviation `sigma` (in grey levels of 255).
pub(super) fn noisy(frame: &Frame, sigma: f64, seeded: &mut Seeded) -> Frame {
    let mut noisy = frame.clone();
    for byte in noisy.rgb_mut() {
        *byte = to_byte(f64::from(*byte) + sigma * seeded.normal());
    }
    noisy
}

/// The largest square piece that neither holds nor comes near a face: no piece touches a face's box
/// made half as wide and high again. Enlarged to `side_px`. `None` when there is no room.
pub(super) fn face_free(frame: &Frame, faces: &[Found], side_px: u32) -> Option<Frame> {
    let near: Vec<Rect> = faces
        .iter()
        .map(|Found { rect: Rect { x, y, w, h }, .. }| Rect {
            x: x - w * MARGIN,
            y: y - h * MARGIN,
            w: w * (1.0 + 2.0 * MARGIN),
            h: h * (1.0 + 2.0 * MARGIN),
        })
        .collect();
    let shorter = frame.width().min(frame.height());
    for size in (1..=STEPS).rev() {
        let side = shorter * size / STEPS;
        if side < CUT_SIDE_PX_MIN {
            return None;
        }
        let step = (shorter / STEPS).max(1) as usize;
        for top in (0..=frame.height() - side).step_by(step) {
            for left in (0..=frame.width() - side).step_by(step) {
                if near.iter().all(|face| !touches([left, top], side, face)) {
                    return Some(sampled(frame, [left, top, side, side], [side_px, side_px]));
                }
            }
        }
    }
    None
}

#[expect(clippy::cast_precision_loss, reason = "sides have at most 8,192 pixels")]
fn touches([left, top]: [u32; 2], side: u32, face: &Rect) -> bool {
    let (left, top, side) = (left as f32, top as f32, side as f32);
    left < face.x + face.w && face.x < left + side && top < face.y + face.h && face.y < top + side
}

/// Distance of two sets of points, the mean of the five, as a share of the eye distance of `of`.
pub(super) fn points_apart(points: &Points, of: &Points) -> f64 {
    let apart = |(p, q): (&[f32; 2], &[f32; 2])| f64::from((p[0] - q[0]).hypot(p[1] - q[1]));
    points.iter().zip(of).map(apart).sum::<f64>() / 5.0 / eye_distance_px(of)
}

/// How far points wander over several looks, the mean of the five, as a share of the eye distance:
/// of each point the root of the mean square distance from its middle. `None` of fewer than two.
pub(super) fn unsteadiness(looks: &[Points]) -> Option<f64> {
    if looks.len() < 2 {
        return None;
    }
    let mean = |value: &dyn Fn(&Points) -> f64| {
        #[expect(clippy::cast_precision_loss, reason = "some tens of looks")]
        let count = looks.len() as f64;
        looks.iter().map(value).sum::<f64>() / count
    };
    let wander = (0..5).map(|point| {
        let axis = |axis: usize| {
            let middle = mean(&|points| f64::from(points[point][axis]));
            mean(&|points| (f64::from(points[point][axis]) - middle).powi(2))
        };
        (axis(0) + axis(1)).sqrt()
    });
    Some(wander.sum::<f64>() / 5.0 / mean(&eye_distance_px))
}

fn eye_distance_px(points: &Points) -> f64 {
    let [left, right, ..] = points;
    // Points that coincide are no face; then everything is far off, and nothing is divided by zero.
    f64::from((right[0] - left[0]).hypot(right[1] - left[1])).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Frame {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = pixels.flat_map(|(x, y)| [grey(x, y); 3]).collect();
        Frame::from_rgb(width, height, rgb).unwrap()
    }

    fn found(x: f32, y: f32, side: f32) -> Found {
        let rect = Rect { x, y, w: side, h: side };
        Found { rect, points: [[0.0; 2]; 5], confidence: 1.0 }
    }

    #[test]
    fn picture_keeps_its_shape_when_its_longer_side_is_set() {
        let small = resized(&frame(200, 100, |x, _| u8::try_from(x).unwrap()), 100);
        assert_eq!((small.width(), small.height()), (100, 50));
        // Each pixel is the mean of the two in its place: 0.5 is rounded up.
        assert_eq!([small.pixel(0, 0)[0], small.pixel(50, 20)[0]], [1, 101]);
        let same = frame(30, 40, |x, y| u8::try_from(x * y % 256).unwrap());
        assert_eq!(resized(&same, 40), same);
    }

    #[test]
    fn piece_without_a_face_is_the_largest_that_comes_near_none() {
        // A face of 40 pixels in the corner keeps 50 away; the piece lies opposite.
        let grey = frame(160, 160, |x, y| if x < 50 && y < 50 { 255 } else { 7 });
        let piece = face_free(&grey, &[found(0.0, 0.0, 40.0)], 64).unwrap();
        assert_eq!((piece.width(), piece.height()), (64, 64));
        assert!(piece.rgb().iter().all(|byte| *byte == 7));
        assert!(face_free(&grey, &[found(50.0, 50.0, 60.0)], 64).is_none(), "no room of 48");
        assert!(face_free(&frame(30, 30, |_, _| 0), &[], 64).is_none(), "too small");
    }

    #[test]
    fn noise_has_the_strength_that_was_asked_for_and_repeats_itself() {
        let grey = frame(100, 100, |_, _| 128);
        let noise = |seed| noisy(&grey, 4.0, &mut Seeded::new(seed));
        assert_eq!(noise(1), noise(1));
        assert_ne!(noise(1), noise(2));
        let off = |byte: &u8| f64::from(*byte) - 128.0;
        let bytes = noise(1);
        let mean = bytes.rgb().iter().map(off).sum::<f64>() / 30_000.0;
        let sd = (bytes.rgb().iter().map(|byte| off(byte).powi(2)).sum::<f64>() / 30_000.0).sqrt();
        assert!(mean.abs() < 0.1 && (sd - 4.0).abs() < 0.1, "{mean} {sd}");
    }

    #[test]
    fn distances_are_shares_of_the_eye_distance() {
        let points: Points = [[0.0, 0.0], [50.0, 0.0], [25.0, 30.0], [5.0, 50.0], [45.0, 50.0]];
        let moved = points.map(|[x, y]| [x + 3.0, y + 4.0]);
        assert!((points_apart(&moved, &points) - 0.1).abs() < 1e-6);
        // Two looks, five pixels apart: each 2.5 from the middle.
        assert!((unsteadiness(&[points, moved]).unwrap() - 0.05).abs() < 1e-6);
        assert_eq!(unsteadiness(&[points]), None);
    }
}
