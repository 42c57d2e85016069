//! Embed: an aligned face becomes a vector of length 1; the cosine of two vectors says how alike
//! the faces are.

use std::fmt;

use super::manifest::{Normalisation, Output};
use super::onnx::{Net, NetError, output_named};
use super::planes::Planes;
use crate::camera::Frame;

/// A face as a vector of length 1. It can be turned back into a likeness, so it stays inside
/// `face` and the terminal's encrypted files, and does not print its numbers.
#[derive(Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Brings `values` to length 1; `None` when they have no direction (all zero, or not finite).
    pub(super) fn unit(mut values: Vec<f32>) -> Option<Self> {
        let square: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        let length = square.sqrt();
        if !length.is_finite() || length < 1e-12 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 1 after the division")]
        values.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        Some(Self(values))
    }

    /// A vector of the same length that is nobody's face: as far from all as chance has it. Fills a
    /// gallery for a bench.
    pub fn of_nobody(&self, number: u32) -> Option<Self> {
        let value = |place: usize| {
            // The fractions of multiples of the golden ratio, squared, scatter evenly enough.
            let step = f64::from(number + 1) * (place as f64 + 1.0).powi(2) * 0.618_033_988_749_895;
            #[expect(clippy::cast_possible_truncation, reason = "between -0.5 and 0.5")]
            let value = (step.fract() - 0.5) as f32;
            value
        };
        Self::unit((0..self.0.len()).map(value).collect())
    }

    /// A vector that was stored; it has length 1 already, and keeps its exact bits.
    pub(super) fn stored(values: Vec<f32>) -> Option<Self> {
        let square: f64 = values.iter().map(|value| f64::from(*value).powi(2)).sum();
        ((square - 1.0).abs() < 1e-3).then_some(Self(values))
    }

    /// The direction of the mean of several; `None` without any, or when they cancel out.
    pub(super) fn mean<'e>(embeddings: impl IntoIterator<Item = &'e Self>) -> Option<Self> {
        let mut sum: Vec<f32> = Vec::new();
        for Self(values) in embeddings {
            sum.resize(values.len(), 0.0);
            sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        Self::unit(sum)
    }

    /// The numbers themselves, for measurement (`rollcall models`) and for the gallery's file.
    /// They must not leave the terminal.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// −1…1; vectors of different nets have nothing in common: −1.
    pub fn cosine(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return -1.0;
        }
        // Eight sums side by side, which the compiler turns into vector instructions.
        let mut sums = [0.0_f32; 8];
        let (left, right) = (self.0.chunks_exact(8), other.0.chunks_exact(8));
        let rest: f32 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
        for (a, b) in left.zip(right) {
            for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                *sum += a * b;
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedding(<hidden>)")
    }
}

/// The embedding net of a pack, loaded.
pub(super) struct Embedder {
    net: Box<dyn Net>,
    planes: Planes,
    output: Output,
    mirror: bool,
}

impl Embedder {
    /// With `mirror`, an embedding is the mean of those of the face and of its mirror image: twice
    /// the time, and errors that differ between the two cancel out (docs/accuracy.md has figures).
    pub(super) fn new(
        net: Box<dyn Net>,
        normalisation: &Normalisation,
        output: Output,
        mirror: bool,
    ) -> Self {
        Self { net, planes: Planes::new(normalisation), output, mirror }
    }

    /// How many numbers an embedding has.
    pub(super) fn floats(&self) -> usize {
        self.output.values
    }

    /// `None` when the net sees nothing (a vector of zeros).
    pub(super) fn embed(&mut self, aligned: &Frame) -> Result<Option<Embedding>, NetError> {
        let (width, height) = (aligned.width() as usize, aligned.height() as usize);
        self.planes.lay_out(aligned, width, height);
        let seen = self.run(width, height)?;
        if !self.mirror {
            return Ok(seen);
        }
        self.planes.mirror(width);
        let mirrored = self.run(width, height)?;
        Ok(seen.zip(mirrored).and_then(|(a, b)| Embedding::mean([&a, &b])))
    }

    /// What the net says of the planes as they lie.
    fn run(&mut self, width: usize, height: usize) -> Result<Option<Embedding>, NetError> {
        let outputs = self.net.run([1, 3, height, width], self.planes.values())?;
        let values = output_named(outputs, &self.output.name)?;
        if values.len() != self.output.values {
            return Err(NetError::Shape(format!(
                "{} has {} values instead of {}",
                self.output.name,
                values.len(),
                self.output.values
            )));
        }
        Ok(Embedding::unit(values.to_vec()))
    }
}
