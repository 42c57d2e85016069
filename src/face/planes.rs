//! Pixels to what a net eats: planes of floats, in the colour order and range that the manifest
//! says. Through a table of 256 floats per plane, so that nothing is divided per pixel.

use super::manifest::{Colour, Normalisation};
use crate::camera::Frame;

/// Turns frames into the input of one net; keeps its buffer from frame to frame.
pub(super) struct Planes {
    /// For each plane: which byte of a pixel, and what each of its values becomes.
    tables: [(usize, [f32; 256]); 3],
    values: Vec<f32>,
}

impl Planes {
    pub(super) fn new(normalisation: &Normalisation) -> Self {
        let Normalisation { colour, scale, mean, std } = normalisation;
        let tables = std::array::from_fn(|plane| {
            let byte = match colour {
                Colour::Rgb => plane,
                Colour::Bgr => 2 - plane,
            };
            let table = std::array::from_fn(|value| {
                // A byte is exact in f32.
                #[expect(clippy::cast_precision_loss, reason = "0 to 255")]
                let value = value as f32;
                (value * scale - mean[plane]) / std[plane]
            });
            (byte, table)
        });
        Self { tables, values: Vec::new() }
    }

    /// Lays `frame` out as three planes of `width` × `height`, padded on the right and at the
    /// bottom with black. `width` and `height` are at least those of the frame.
    pub(super) fn lay_out(&mut self, frame: &Frame, width: usize, height: usize) -> &[f32] {
        self.values.clear();
        for (_, table) in &self.tables {
            self.values.extend(std::iter::repeat_n(table[0], width * height));
        }
        let row_bytes = frame.width() as usize * 3;
        let planes = self.values.chunks_exact_mut(width * height);
        for (plane, (byte, table)) in planes.zip(&self.tables) {
            let rows = frame.rgb().chunks_exact(row_bytes).zip(plane.chunks_exact_mut(width));
            for (from, to) in rows {
                for (pixel, value) in from.chunks_exact(3).zip(to) {
                    *value = table[usize::from(pixel[*byte])];
                }
            }
        }
        &self.values
    }

    /// Turns what was laid out into its mirror image.
    pub(super) fn mirror(&mut self, width: usize) {
        self.values.chunks_exact_mut(width).for_each(<[f32]>::reverse);
    }

    /// What was laid out last.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}
