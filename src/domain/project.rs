//! A training project that was published: what a class may be subsidised for (Sichuan 三, 九). The centre states the
//! list; a class plan names a project on it (docs/rules/limits.md).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::terms::Level;

const DAY_MS: i64 = 86_400_000;

/// A project as one notice publishes it, from a day on. What a notice does not say is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Project {
    /// Its name, as class plans have it.
    #[n(1)]
    pub name: String,
    /// The occupation's name.
    #[n(2)]
    pub occupation: String,
    /// The occupation's code in the national classification.
    #[n(3)]
    pub occupation_code: Option<String>,
    /// The level that it leads to.
    #[n(4)]
    pub level: Option<Level>,
    /// Least lesson hours of a class; the same as the most, where one number is published.
    #[n(5)]
    pub hours_min: Option<u32>,
    /// Most lesson hours of a class.
    #[n(6)]
    pub hours_max: Option<u32>,
    /// For how many persons it is published, of all its classes together.
    #[n(7)]
    pub persons_max: Option<u32>,
    /// The notice that publishes it.
    #[n(8)]
    pub notice: String,
    /// First day, at midnight China standard time.
    #[n(9)]
    pub from: Timestamp,
    /// Last day on which a class may open, at midnight China standard time.
    #[n(10)]
    pub until: Option<Timestamp>,
}

impl Project {
    /// Whether it is over by then: its last day has passed.
    pub fn is_over_at(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|last| at >= last.plus_ms(DAY_MS))
    }
}
