//! Liveness: does a living face stand there, or a picture of one? Each net looks at a crop of the
//! frame around the face, wider than the face; the mean of their answers counts. Passive and
//! imperfect (docs/accuracy.md): a deterrent, not a proof.

use super::detect::Rect;
use super::manifest::{Normalisation, Output};
use super::onnx::{Net, NetError, output_named};
use super::planes::Planes;
use crate::camera::Frame;

/// One liveness net, loaded.
pub(super) struct LivenessNet {
    pub(super) net: Box<dyn Net>,
    pub(super) planes: Planes,
    pub(super) output: Output,
    pub(super) class: usize,
    pub(super) crop: f32,
    pub(super) picture: Frame,
}

impl LivenessNet {
    pub(super) fn new(
        net: Box<dyn Net>,
        normalisation: &Normalisation,
        side_px: u32,
        output: Output,
        (class, crop): (usize, f32),
    ) -> Self {
        let planes = Planes::new(normalisation);
        Self { net, planes, output, class, crop, picture: Frame::black(side_px, side_px) }
    }

    /// Probability that the face in `rect` is alive, 0…1.
    fn alive(&mut self, frame: &Frame, rect: &Rect) -> Result<f32, NetError> {
        draw(frame, &crop_of(rect, self.crop, frame.width(), frame.height()), &mut self.picture);
        let side = self.picture.width() as usize;
        let input = self.planes.lay_out(&self.picture, side, side);
        let outputs = self.net.run([1, 3, side, side], input)?;
        let classes = output_named(outputs, &self.output.name)?;
        match classes.get(self.class) {
            Some(alive) if classes.len() == self.output.values => Ok(*alive),
            Some(_) | None => Err(NetError::Shape(format!(
                "{} has {} values instead of {}",
                self.output.name,
                classes.len(),
                self.output.values
            ))),
        }
    }
}

/// The mean answer of all nets, 0…1; `None` without a net.
pub(super) fn liveness(
    nets: &mut [LivenessNet],
    frame: &Frame,
    rect: &Rect,
) -> Result<Option<f32>, NetError> {
    let mut sum = 0.0;
    let mut count = 0_u8;
    for net in nets {
        sum += net.alive(frame, rect)?;
        count += 1;
    }
    Ok((count > 0).then(|| sum / f32::from(count)))
}

/// A part of a frame in whole pixels: first column and row, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crop {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The box enlarged `wanted` times about its centre, as far as the frame allows, and shifted
/// into the frame rather than cut off: the nets were trained on undistorted surroundings.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places are clamped into the frame, whose sides are at most 8,192"
)]
pub(super) fn crop_of(rect: &Rect, wanted: f32, width: u32, height: u32) -> Crop {
    let (last_x, last_y) = ((width - 1) as f32, (height - 1) as f32);
    let scale = wanted.min(last_y / rect.h.max(1.0)).min(last_x / rect.w.max(1.0));
    let side = |centre: f32, length: f32, last: f32| {
        let half = length * scale / 2.0;
        let (mut first, mut end) = (centre - half, centre + half);
        if first < 0.0 {
            end -= first;
            first = 0.0;
        }
        if end > last {
            first -= end - last;
            end = last;
        }
        let first = first.clamp(0.0, last) as u32;
        let end = end.clamp(0.0, last) as u32;
        (first, end.max(first) - first + 1)
    };
    let (left, width) = side(rect.x + rect.w / 2.0, rect.w, last_x);
    let (top, height) = side(rect.y + rect.h / 2.0, rect.h, last_y);
    Crop { left, top, width, height }
}

/// Draws a crop into `picture`, bilinearly, edge to edge.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places are clamped into the crop, which lies in the frame; colours are bytes"
)]
pub(super) fn draw(frame: &Frame, crop: &Crop, picture: &mut Frame) {
    let side = picture.width();
    // For each column or row of the picture: two neighbours of the crop and the second's share.
    let neighbours = |length: u32, first: u32| -> Vec<(u32, u32, f32)> {
        let step = length as f32 / side as f32;
        let place = |index: u32| {
            let at = ((index as f32 + 0.5) * step - 0.5).clamp(0.0, (length - 1) as f32);
            let near = at as u32;
            (first + near, first + (near + 1).min(length - 1), at - near as f32)
        };
        (0..side).map(place).collect()
    };
    let columns = neighbours(crop.width, crop.left);
    let rows = neighbours(crop.height, crop.top);
    let places = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
    for (pixel, ((upper, lower, lower_share), (left, right, right_share))) in
        picture.rgb_mut().chunks_exact_mut(3).zip(places)
    {
        let upper = [frame.pixel(*left, *upper), frame.pixel(*right, *upper)];
        let lower = [frame.pixel(*left, *lower), frame.pixel(*right, *lower)];
        for (plane, byte) in pixel.iter_mut().enumerate() {
            let mix = |[a, b]: [[u8; 3]; 2]| {
                f32::from(a[plane]) * (1.0 - right_share) + f32::from(b[plane]) * right_share
            };
            let value = mix(upper) * (1.0 - lower_share) + mix(lower) * lower_share;
            *byte = (value + 0.5) as u8;
        }
    }
}
