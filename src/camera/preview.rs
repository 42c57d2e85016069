//! A frame as a small JPEG, for the live picture on the terminal's own screen.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage, imageops};

use super::Frame;

/// Widest live picture: half of a screen of 1,280 pixels.
const WIDTH_PX_MAX: u32 = 640;

/// Of 100. Nothing is decided on this picture.
const QUALITY: u8 = 70;

/// The frame as JPEG, at most 640 pixels wide; empty where it cannot be encoded.
pub fn preview(frame: &Frame) -> Vec<u8> {
    let (width, height) = (frame.width(), frame.height());
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    let encoded = if width <= WIDTH_PX_MAX {
        encoder.encode(frame.rgb(), width, height, ExtendedColorType::Rgb8)
    } else {
        let Some(whole) = RgbImage::from_raw(width, height, frame.rgb().to_vec()) else {
            return Vec::new();
        };
        let small_height = (height * WIDTH_PX_MAX).div_ceil(width).max(1);
        let small = imageops::thumbnail(&whole, WIDTH_PX_MAX, small_height);
        encoder.encode_image(&small)
    };
    match encoded {
        Ok(()) => jpeg,
        Err(_) => Vec::new(),
    }
}
