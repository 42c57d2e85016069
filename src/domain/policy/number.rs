//! One number of a profile: its value within its range, and on what ground it stands.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::domain::{Bilingual, Score};

/// A number with its ground.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw<V>", bound(deserialize = "V: Deserialize<'de>"))]
pub(super) struct Number<V> {
    /// The number.
    pub(super) value: V,
    /// Whose it is.
    pub(super) basis: Basis,
    /// What it means, for people to read.
    pub(super) note: Bilingual,
}

/// Whose a number is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Basis {
    /// The policy text demands it.
    Law {
        /// The article, as the text counts.
        clause: String,
        /// How strongly.
        modality: Modality,
    },
    /// The text is silent; the operator chose it.
    Operator,
}

/// How strongly a text demands something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// 不得, 仅限.
    Hard,
    /// 原则上, 一般.
    Soft,
    /// 可, 探索.
    May,
}

/// A number as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NumberLine<'p> {
    /// Its key in the file, with the unit.
    pub name: &'static str,
    /// The value as text.
    pub value: String,
    /// Whose it is.
    #[serde(flatten)]
    pub basis: &'p Basis,
    /// What it means.
    pub note: &'p Bilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<V> {
    value: V,
    source: Source,
    clause: Option<String>,
    modality: Option<Modality>,
    note: Bilingual,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Law,
    Operator,
}

impl<V> TryFrom<Raw<V>> for Number<V> {
    type Error = &'static str;

    fn try_from(raw: Raw<V>) -> Result<Self, Self::Error> {
        let basis = match (raw.source, raw.clause, raw.modality) {
            (Source::Law, Some(clause), Some(modality)) => Basis::Law { clause, modality },
            (Source::Law, ..) => return Err("source = \"law\" needs a clause and a modality"),
            (Source::Operator, None, None) => Basis::Operator,
            (Source::Operator, ..) => {
                return Err(
                    "source = \"operator\" must have no clause and no modality: it is nobody's law",
                );
            }
        };
        Ok(Self { value: raw.value, basis, note: raw.note })
    }
}

/// What a number's value is to the program, and to a reader.
pub(super) trait Value: fmt::Display {
    type Plain;
    fn plain(&self) -> Self::Plain;
}

impl<V: Value> Number<V> {
    pub(super) fn line(&self, name: &'static str) -> NumberLine<'_> {
        NumberLine { name, value: self.value.to_string(), basis: &self.basis, note: &self.note }
    }
}

/// A whole number from `LEAST` to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Value for Whole<LEAST, MOST> {
    type Plain = u32;
    fn plain(&self) -> u32 {
        self.0
    }
}

impl<const LEAST: u32, const MOST: u32> fmt::Display for Whole<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = i64::deserialize(deserializer)?;
        u32::try_from(given)
            .ok()
            .filter(|value| (LEAST..=MOST).contains(value))
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{given} is not within {LEAST} to {MOST}")))
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Allowed(bool);

impl Value for Allowed {
    type Plain = bool;
    fn plain(&self) -> bool {
        self.0
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A similarity from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cosine(Score);

impl Value for Cosine {
    type Plain = Score;
    fn plain(&self) -> Score {
        self.0
    }
}

impl fmt::Display for Cosine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Cosine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = f32::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&given) {
            Ok(Self(Score::from_f32(given)))
        } else {
            Err(de::Error::custom(format!("{given} is not within 0 to 1")))
        }
    }
}

/// A time of day, written `22:00`; in minutes after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay(u32);

impl Value for TimeOfDay {
    type Plain = u32;
    fn plain(&self) -> u32 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let minutes = given.split_once(':').and_then(|(hours, minutes)| {
            let part = |text: &str, end: u32| {
                let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
                text.parse().ok().filter(|n: &u32| digits && *n < end)
            };
            Some(part(hours, 24)? * 60 + part(minutes, 60)?)
        });
        minutes.map(Self).ok_or_else(|| {
            de::Error::custom(format!("{given:?} is no time of day: write it like \"22:00\""))
        })
    }
}

/// A part of a whole: `numerator` of `denominator`. A third has no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    /// Above the line.
    pub numerator: u32,
    /// Below it; never 0.
    pub denominator: u32,
}

impl Fraction {
    /// Whether `part` of `whole` is at least this; exactly this is enough. Of nothing it is.
    pub fn is_reached_by(self, part: u64, whole: u64) -> bool {
        let (part, whole) = (u128::from(part), u128::from(whole));
        part * u128::from(self.denominator) >= whole * u128::from(self.numerator)
    }
}

/// A part of a whole, written `1/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part(Fraction);

impl Value for Part {
    type Plain = Fraction;
    fn plain(&self) -> Fraction {
        self.0
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.numerator, self.0.denominator)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let read = given.split_once('/').and_then(|(numerator, denominator)| {
            let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
            let fits = denominator > 0 && numerator <= denominator;
            fits.then_some(Self(Fraction { numerator, denominator }))
        });
        read.ok_or_else(|| {
            de::Error::custom(format!("{given:?} is no part of a whole: write it like \"1/3\""))
        })
    }
}
