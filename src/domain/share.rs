//! A share of independent trials, and how sure it is: the interval of Wilson ("Probable inference, the law
//! of succession, and statistical inference", Journal of the American Statistical Association 22, 1927)
//! with a confidence of 95 %, which behaves for few trials and for shares near 0 and 1.

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_964;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many came out.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl Share {
    /// Counts one more.
    pub fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u64::from(hit);
    }

    /// The share; `None` of nothing.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| float(self.hits) / float(self.of))
    }

    /// From where to where the true share lies; everything is possible of nothing.
    pub fn interval(self) -> (f64, f64) {
        let Some(rate) = self.rate() else { return (0.0, 1.0) };
        let n = float(self.of);
        let z2 = Z * Z / n;
        let middle = (rate + z2 / 2.0) / (1.0 + z2);
        let half = Z / (1.0 + z2) * (rate * (1.0 - rate) / n + z2 / (4.0 * n)).max(0.0).sqrt();
        // Without a hit, or without a miss, the limit is exact; arithmetic alone would miss it by a hair.
        let low = if self.hits == 0 { 0.0 } else { (middle - half).max(0.0) };
        let high = if self.hits == self.of { 1.0 } else { (middle + half).min(1.0) };
        (low, high)
    }
}

/// A count as a number to calculate with.
pub fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53")]
    let number = count as f64;
    number
}
