//! Pictures of cheap webcams: YUYV 4:2:2, two pixels in four bytes, limited range (ITU-R BT.601).

use super::Frame;

/// The picture; `None` where there are fewer bytes than it needs, or no pixel.
pub fn decode(width: u32, height: u32, bytes: &[u8]) -> Option<Frame> {
    let pixels = usize::try_from(u64::from(width).checked_mul(u64::from(height))?).ok()?;
    let bytes = bytes.get(..pixels.checked_mul(2)?)?;
    let mut rgb = Vec::with_capacity(pixels.checked_mul(3)?);
    for [y0, u, y1, v] in bytes.as_chunks::<4>().0 {
        let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
        for y in [y0, y1] {
            let c = 298 * (i32::from(*y) - 16);
            for value in [c + 409 * v, c - 100 * u - 208 * v, c + 516 * u] {
                rgb.push(u8::try_from(((value + 128) >> 8).clamp(0, 255)).unwrap_or(0));
            }
        }
    }
    Frame::from_rgb(width, height, rgb)
}
