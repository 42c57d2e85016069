//! Align: turn, scale and shift a face so that its five points fall on those of the template that
//! embedding nets are trained with. The similarity is Umeyama's (least squares, no mirroring);
//! the picture is sampled bilinearly.

use super::detect::{Point, Points};
use crate::camera::Frame;

/// Side of the aligned face for which [`TEMPLATE`] is given.
const TEMPLATE_SIDE_PX: f32 = 112.0;

/// Where eyes, nose and corners of the mouth lie in an aligned face.
pub(super) const TEMPLATE: Points = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];

/// A turn, scale and shift: (x, y) ↦ (a·x − b·y + tx, b·x + a·y + ty).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) tx: f64,
    pub(super) ty: f64,
}

impl Similarity {
    /// The similarity that brings `from` nearest to `to` (least squares). `None` when the points
    /// of `from` coincide or lie too oddly to give a scale.
    ///
    /// Umeyama 1991 needs a singular value decomposition in general; in the plane, without
    /// mirroring, his solution is this closed form.
    pub(super) fn between(from: &Points, to: &Points) -> Option<Self> {
        let ([fx, fy], [gx, gy]) = (centre(from), centre(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p[0]) - fx, f64::from(p[1]) - fy);
            let (qx, qy) = (f64::from(q[0]) - gx, f64::from(q[1]) - gy);
            along += px * qx + py * qy;
            across += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (a, b) = (along / spread, across / spread);
        let scale = a.hypot(b);
        if !scale.is_finite() || !(1e-4..=1e4).contains(&scale) {
            return None;
        }
        Some(Self { a, b, tx: gx - a * fx + b * fy, ty: gy - b * fx - a * fy })
    }

    #[cfg(test)]
    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.tx, self.b * x + self.a * y + self.ty]
    }

    /// The way back.
    pub(super) fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, tx: b * self.ty - a * self.tx, ty: -b * self.tx - a * self.ty }
    }
}

fn centre(points: &Points) -> [f64; 2] {
    let sum = points.iter().fold([0.0, 0.0], |[x, y]: [f64; 2], point: &Point| {
        [x + f64::from(point[0]), y + f64::from(point[1])]
    });
    sum.map(|sum| sum / 5.0)
}

/// Draws the face with these points into `aligned` (a square); what lies outside the frame is
/// black. `false`, and nothing drawn, when the points make no face.
pub(super) fn align(frame: &Frame, points: &Points, aligned: &mut Frame) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a side of about a hundred pixels")]
    let scale = aligned.width() as f32 / TEMPLATE_SIDE_PX;
    let template = TEMPLATE.map(|point| point.map(|value| value * scale));
    let Some(forward) = Similarity::between(points, &template) else { return false };
    let back = forward.inverse();
    let side = aligned.width() as usize;
    for (index, pixel) in aligned.rgb_mut().chunks_exact_mut(3).enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a side of about a hundred pixels")]
        let (x, y) = ((index % side) as f64, (index / side) as f64);
        let from_x = back.a * x - back.b * y + back.tx;
        let from_y = back.b * x + back.a * y + back.ty;
        pixel.copy_from_slice(&sample(frame, from_x, from_y));
    }
    true
}

/// The colour at a point between pixels; beyond the frame's edge it is black.
#[expect(clippy::cast_possible_truncation, reason = "floors of places near the frame, and bytes")]
fn sample(frame: &Frame, x: f64, y: f64) -> [u8; 3] {
    let (width, height) = (i64::from(frame.width()), i64::from(frame.height()));
    let (left, top) = (x.floor() as i64, y.floor() as i64);
    if left < -1 || top < -1 || left >= width || top >= height {
        return [0; 3];
    }
    let (right_share, lower_share) = ((x - x.floor()) as f32, (y - y.floor()) as f32);
    let pixel = |column: i64, row: i64| -> [f32; 3] {
        match (u32::try_from(column), u32::try_from(row)) {
            (Ok(column), Ok(row)) if column < frame.width() && row < frame.height() => {
                frame.pixel(column, row).map(f32::from)
            }
            _ => [0.0; 3],
        }
    };
    let (upper_left, upper_right) = (pixel(left, top), pixel(left + 1, top));
    let (lower_left, lower_right) = (pixel(left, top + 1), pixel(left + 1, top + 1));
    std::array::from_fn(|plane| {
        let upper = upper_left[plane] + (upper_right[plane] - upper_left[plane]) * right_share;
        let lower = lower_left[plane] + (lower_right[plane] - lower_left[plane]) * right_share;
        // `as` saturates and rounds towards zero: adding a half rounds to the nearest.
        #[expect(clippy::cast_sign_loss, reason = "a mean of bytes is not negative")]
        let byte = (upper + (lower - upper) * lower_share + 0.5) as u8;
        byte
    })
}
