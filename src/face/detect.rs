//! Detect: where the faces of a frame are, each with a box and five points. The net is a YuNet;
//! this file feeds it and reads its twelve outputs. Very large frames are shrunk first, and what
//! was found is scaled back.

use super::manifest::{Pack, Role};
use super::onnx::{Net, NetError, Output, output_named};
use super::planes::Planes;
use crate::camera::Frame;

/// Frames with a longer side are shrunk by a whole factor before detection, so that the cost of a
/// run is bounded: 640 × 480 passes as it is, 1280 × 720 becomes 640 × 360, 1920 × 1080 becomes
/// 960 × 540. Only finding happens on the small picture; the face itself is cut from the frame.
pub(super) const DETECT_SIDE_PX_MAX: u32 = 960;

/// More faces than this in one frame are not told apart: no room before a kiosk holds them, and
/// the cost of suppressing overlaps grows with the square.
const FACES_MAX: usize = 256;

/// What a face at the edge of the frame still weighs, against one in the middle.
const WEIGHT_MIN: f32 = 0.1;

/// Two answers that share this much of their area are about one face, and are blended.
const BLEND_OVERLAP_MIN: f32 = 0.5;

/// The most certain that an answer can be when it is weighed: odds stay finite.
const CERTAIN: f32 = 0.99999;

/// Grid steps of the three heads.
const STRIDES: [usize; 3] = [8, 16, 32];

/// A point of a frame, in pixels from the top left.
pub type Point = [f32; 2];

/// Left eye, right eye, nose, left and right corner of the mouth, as seen in the picture.
pub type Points = [Point; 5];

/// An upright rectangle in pixels.
#[derive(Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// In square pixels.
    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// Shared area over area of both together, 0…1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        let shared = w.max(0.0) * h.max(0.0);
        let both = self.area() + other.area() - shared;
        if both > 0.0 { shared / both } else { 0.0 }
    }
}

/// One face that was found.
#[derive(Clone, Copy, PartialEq)]
pub struct Found {
    /// Where.
    pub rect: Rect,
    /// Eyes, nose, mouth.
    pub points: Points,
    /// The detector's confidence, 0…1.
    pub confidence: f32,
}

/// The detector of a pack, loaded.
pub(super) struct Detector {
    net: Box<dyn Net>,
    planes: Planes,
    confidence: f32,
    nms: f32,
    blend: bool,
}

impl Detector {
    pub(super) fn new(net: Box<dyn Net>, pack: &Pack) -> Self {
        Self {
            net,
            planes: Planes::new(&pack.detector.normalisation),
            confidence: pack.detector_confidence,
            nms: pack.detector_nms,
            blend: pack.detector.role == Role::Detector { blend: true },
        }
    }

    /// All faces of the frame, the most certain first.
    pub(super) fn detect(&mut self, frame: &Frame) -> Result<Vec<Found>, NetError> {
        self.detect_from(frame, self.confidence)
    }

    /// The same, from another confidence on than the pack's.
    pub(super) fn detect_from(
        &mut self,
        frame: &Frame,
        confidence_min: f32,
    ) -> Result<Vec<Found>, NetError> {
        let factor = frame.width().max(frame.height()).div_ceil(DETECT_SIDE_PX_MAX);
        let shrunk = (factor > 1).then(|| shrink(frame, factor));
        let seen = shrunk.as_ref().unwrap_or(frame);
        let width = (seen.width() as usize).next_multiple_of(32);
        let height = (seen.height() as usize).next_multiple_of(32);
        let input = self.planes.lay_out(seen, width, height);
        let outputs = self.net.run([1, 3, height, width], input)?;
        let all = faces(outputs, width, height, confidence_min)?;
        let mut found = suppress(all.clone(), self.nms);
        if self.blend {
            found.iter_mut().for_each(|face| *face = blended(face, &all));
        }
        if factor > 1 {
            found.iter_mut().for_each(|face| *face = scaled_back(face, factor));
        }
        Ok(found)
    }
}

/// The face in front: large, and near the middle. Who stands before a kiosk is both; somebody who
/// leans in at the side may be larger, and somebody behind may be more central. A face's area
/// counts in full in the middle of the frame, and less and less (by the square of the distance)
/// towards the largest circle around it.
pub(super) fn front(found: &[Found], frame: &Frame) -> Option<Found> {
    #[expect(clippy::cast_precision_loss, reason = "sides have at most 8,192 pixels")]
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let radius = width.min(height) / 2.0;
    let weight = |face: &Found| {
        let Rect { x, y, w, h } = face.rect;
        let off = (x + w / 2.0 - width / 2.0).hypot(y + h / 2.0 - height / 2.0) / radius;
        face.rect.area() * (1.0 - off * off).max(WEIGHT_MIN)
    };
    found.iter().copied().max_by(|a, b| weight(a).total_cmp(&weight(b)))
}

/// Reads the twelve outputs: per stride one cell each 8, 16 or 32 pixels, each with a class and
/// an objectness, a box relative to the cell, and five points relative to it.
pub(super) fn faces(
    outputs: &[Output],
    width: usize,
    height: usize,
    confidence_min: f32,
) -> Result<Vec<Found>, NetError> {
    let mut found = Vec::new();
    for stride in STRIDES {
        let columns = width / stride;
        let cells = columns * (height / stride);
        let part = |name: &str, values: usize| {
            let part = output_named(outputs, &format!("{name}_{stride}"))?;
            if part.len() == cells * values {
                Ok(part)
            } else {
                Err(NetError::Shape(format!(
                    "{name}_{stride} has {} values instead of {}",
                    part.len(),
                    cells * values
                )))
            }
        };
        let (class, object) = (part("cls", 1)?, part("obj", 1)?);
        let (boxes, points) = (part("bbox", 4)?, part("kps", 10)?);
        for cell in 0..cells {
            let score = (class[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
            // Written so that NaN counts as no face.
            if score > confidence_min {
                let at = [cell % columns, cell / columns];
                let face = read_cell(at, stride, &boxes[cell * 4..], &points[cell * 10..], score);
                found.extend(face);
            }
        }
    }
    Ok(found)
}

/// `None` when the net gave numbers that are no place in a picture.
#[expect(clippy::cast_precision_loss, reason = "cells and strides are small whole numbers")]
fn read_cell(
    [column, row]: [usize; 2],
    stride: usize,
    rect: &[f32],
    points: &[f32],
    confidence: f32,
) -> Option<Found> {
    let (column, row, stride) = (column as f32, row as f32, stride as f32);
    let (w, h) = (rect[2].exp() * stride, rect[3].exp() * stride);
    let (x, y) = ((column + rect[0]) * stride - w / 2.0, (row + rect[1]) * stride - h / 2.0);
    let points: Points = std::array::from_fn(|point| {
        [(points[2 * point] + column) * stride, (points[2 * point + 1] + row) * stride]
    });
    let finite = [x, y, w, h].iter().chain(points.as_flattened()).all(|value| value.is_finite());
    finite.then_some(Found { rect: Rect { x, y, w, h }, points, confidence })
}

/// Non-maximum suppression: of faces that overlap by more than `overlap_max`, only the most
/// certain stays.
pub(super) fn suppress(mut found: Vec<Found>, overlap_max: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Found> = Vec::new();
    for face in found {
        if kept.iter().all(|other| face.rect.overlap(&other.rect) <= overlap_max) {
            kept.push(face);
        }
        if kept.len() == FACES_MAX {
            break;
        }
    }
    kept
}

/// The mean of all answers that share half their area with this one, each weighing the root of its
/// odds; the confidence stays. Cells that look at one face from different sides err differently
/// (the blending of BlazeFace, Bazarevsky et al. 2019, section 3.4).
pub(super) fn blended(best: &Found, all: &[Found]) -> Found {
    let mut sum = Found { rect: Rect { x: 0.0, y: 0.0, w: 0.0, h: 0.0 }, ..*best };
    sum.points = Points::default();
    let mut weights = 0.0;
    for face in all.iter().filter(|face| face.rect.overlap(&best.rect) >= BLEND_OVERLAP_MIN) {
        let p = face.confidence.clamp(0.0, CERTAIN);
        let weight = (p / (1.0 - p)).sqrt();
        weights += weight;
        let Rect { x, y, w, h } = face.rect;
        let sums = [&mut sum.rect.x, &mut sum.rect.y, &mut sum.rect.w, &mut sum.rect.h];
        sums.into_iter().zip([x, y, w, h]).for_each(|(sum, value)| *sum += weight * value);
        let points = sum.points.as_flattened_mut().iter_mut().zip(face.points.as_flattened());
        points.for_each(|(sum, value)| *sum += weight * value);
    }
    // The best shares all of its area with itself; unless its box is none, or it weighs nothing.
    if weights <= 0.0 {
        return *best;
    }
    let Rect { x, y, w, h } = sum.rect;
    sum.rect = Rect { x: x / weights, y: y / weights, w: w / weights, h: h / weights };
    sum.points = sum.points.map(|point| point.map(|value| value / weights));
    sum
}

/// Each pixel becomes the mean of `factor` × `factor` pixels; a rest at the right or lower edge
/// that fills no block is left out.
#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes is a byte")]
pub(super) fn shrink(frame: &Frame, factor: u32) -> Frame {
    let (width, height) = (frame.width() / factor, frame.height() / factor);
    let mut small = Frame::black(width, height);
    let (factor, columns) = (factor as usize, frame.width() as usize);
    let pixels = (factor * factor) as u32;
    let target_columns = small.width() as usize;
    for (index, pixel) in small.rgb_mut().chunks_exact_mut(3).enumerate() {
        let (left, top) = (index % target_columns * factor, index / target_columns * factor);
        let mut sums = [0_u32; 3];
        for row in top..top + factor {
            let start = (row * columns + left) * 3;
            // A picture narrower than the factor has a shorter block.
            let block = frame.rgb().get(start..start + factor * 3).unwrap_or_default();
            for from in block.chunks_exact(3) {
                for (sum, byte) in sums.iter_mut().zip(from) {
                    *sum += u32::from(*byte);
                }
            }
        }
        for (byte, sum) in pixel.iter_mut().zip(sums) {
            *byte = ((sum + pixels / 2) / pixels) as u8;
        }
    }
    small
}

/// Centres of pixels lie at whole numbers, so a point moves by half a block more than it scales.
#[expect(clippy::cast_precision_loss, reason = "the factor is at most 9")]
pub(super) fn scaled_back(face: &Found, factor: u32) -> Found {
    let factor = factor as f32;
    let back = |value: f32| value * factor + (factor - 1.0) / 2.0;
    Found {
        rect: Rect {
            x: back(face.rect.x),
            y: back(face.rect.y),
            w: face.rect.w * factor,
            h: face.rect.h * factor,
        },
        points: face.points.map(|point| point.map(back)),
        confidence: face.confidence,
    }
}
