//! A score as a record carries it: whole numbers, so that its bytes are the same on every machine.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A cosine or a probability in ten-thousandths: 0.4612 is 4612. Cosines run from −10,000 to 10,000.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    Encode,
    Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Score(#[n(0)] i32);

impl Score {
    /// From ten-thousandths.
    pub const fn from_e4(e4: i32) -> Self {
        Self(e4)
    }

    /// From a cosine or probability; what lies outside −1…1 is clamped, NaN counts as −1.
    pub fn from_f32(value: f32) -> Self {
        if value.is_nan() {
            return Self(-10_000);
        }
        #[expect(clippy::cast_possible_truncation, reason = "clamped to ±10,000 before the cast")]
        Self((value.clamp(-1.0, 1.0) * 10_000.0).round() as i32)
    }

    /// In ten-thousandths.
    pub const fn as_e4(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", f64::from(self.0) / 10_000.0)
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Score({self})")
    }
}
