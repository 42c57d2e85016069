//! A frame as a JPEG: small for the live picture on the terminal's own screen, good enough to look at
//! closely for an evidence picture.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage, imageops};

use super::Frame;

/// How large a JPEG may be, and how good.
struct Kind {
    width_px_max: u32,
    /// Of 100.
    quality: u8,
}

/// Half of a screen of 1,280 pixels, and nothing is decided on it.
const PREVIEW: Kind = Kind { width_px_max: 640, quality: 70 };

/// Somebody will ask whether this is paper, a screen or a face.
const STILL: Kind = Kind { width_px_max: 1280, quality: 85 };

/// The frame as JPEG, at most 640 pixels wide; empty where it cannot be encoded.
pub fn preview(frame: &Frame) -> Vec<u8> {
    encode(frame, &PREVIEW).unwrap_or_default()
}

/// The frame as a good JPEG, at most 1,280 pixels wide, or as a small one where that would have more
/// than so many bytes; `None` where neither fits or it cannot be encoded.
pub fn still(frame: &Frame, bytes_max: usize) -> Option<Vec<u8>> {
    let fits = |kind: &Kind| encode(frame, kind).filter(|jpeg| jpeg.len() <= bytes_max);
    fits(&STILL).or_else(|| fits(&PREVIEW))
}

fn encode(frame: &Frame, kind: &Kind) -> Option<Vec<u8>> {
    let (width, height) = (frame.width(), frame.height());
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, kind.quality);
    let encoded = if width <= kind.width_px_max {
        encoder.encode(frame.rgb(), width, height, ExtendedColorType::Rgb8)
    } else {
        let whole = RgbImage::from_raw(width, height, frame.rgb().to_vec())?;
        let small_height = (height * kind.width_px_max).div_ceil(width).max(1);
        let small = imageops::thumbnail(&whole, kind.width_px_max, small_height);
        encoder.encode_image(&small)
    };
    encoded.ok().map(|()| jpeg)
}
