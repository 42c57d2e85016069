//! How a picture is lit: what the doctor looks at before anybody stands there.

use super::Frame;

/// How bright a picture is, in grey levels of 0 to 255 (Rec. 601 luma).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Light {
    /// Mean grey level.
    pub mean: f32,
    /// Difference between the levels below which 5 % and 95 % of the picture lie: of a lens that is
    /// covered almost nothing.
    pub spread: u8,
}

impl Light {
    /// Measures every pixel.
    pub fn of(frame: &Frame) -> Self {
        let mut levels = [0_u64; 256];
        for pixel in frame.rgb().chunks_exact(3) {
            let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            // Weights of 299, 587 and 114 thousandths.
            levels[((299 * r + 587 * g + 114 * b) / 1_000) as usize] += 1;
        }
        let pixels: u64 = levels.iter().sum();
        let sum: u64 = (0_u64..).zip(&levels).map(|(level, count)| level * count).sum();
        #[expect(clippy::cast_precision_loss, reason = "a picture has fewer than 2^27 pixels")]
        let mean = sum as f32 / pixels.max(1) as f32;
        let below = |percent: u64| {
            let mut seen = 0;
            (0_u8..=255).find(|level| {
                seen += levels[usize::from(*level)];
                seen * 100 >= pixels * percent
            })
        };
        let spread = below(95).unwrap_or(255).saturating_sub(below(5).unwrap_or(0));
        Self { mean, spread }
    }
}
