//! Chance that can be repeated: the same seed gives the same numbers, on every machine. For
//! measuring only; nothing secret comes from here.

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub(super) struct Seeded(u64);

impl Seeded {
    /// Begins a sequence.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the normal distribution with mean 0 and standard deviation 1 (Box and Muller).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(super) fn normal(&mut self) -> f64 {
        let mut between = || ((self.draw() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        let (a, b) = (between(), between());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}
