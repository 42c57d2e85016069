//! How often each fraud is planted: a TOML file, read strictly. Rates are incidents per 1,000
//! institutions in 60 days, one for each level of care, and each kind says where its guess comes
//! from. Some institutions never cheat; the others carry all of it.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::dice::SURE;
use super::kind::{Care, Kind};

/// The mix that travels in the program.
const DEFAULT: &str = include_str!("../../firmware-config/simulate/mix-default.toml");
/// The mix and the seeds of the final evaluation, fixed before any tuning.
const EVALUATION: &str = include_str!("../../firmware-config/simulate/evaluation.toml");

/// Largest rate: one incident of one kind and level in each institution.
const RATE_MAX: u32 = 1_000;
/// What rates are for.
const RATE_DAYS: u64 = 60;

/// Why a text is no mix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read the mix {origin}, line {line}: {detail}")]
pub struct MixError {
    /// Where the text came from: a file's path, or `embedded`.
    pub origin: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub detail: String,
}

/// Seeds and size of a final evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// One world for each.
    pub seeds: Vec<u64>,
    /// How many institutions each has.
    pub institutions: u32,
    /// How many days.
    pub days: u32,
}

/// See the file's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    honest_percent: u32,
    kinds: BTreeMap<Kind, Line>,
    evaluation: Option<Evaluation>,
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    honest_percent: u32,
    evaluation: Option<Evaluation>,
    kinds: BTreeMap<Kind, toml::Spanned<Line>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    clumsy: u32,
    middling: u32,
    careful: u32,
    source: String,
}

impl Mix {
    /// Reads a mix. `origin` (a path) is only for the error's sake.
    pub fn parse(text: &str, origin: &str) -> Result<Self, MixError> {
        let wrong = |at: usize, detail: String| {
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            MixError { origin: origin.to_owned(), line, detail }
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(at, error.message().trim_end().to_owned())
        })?;
        if file.honest_percent > 99 {
            let at = text.find("honest_percent").unwrap_or(0);
            return Err(wrong(at, "honest_percent must be between 0 and 99".to_owned()));
        }
        let mut kinds = BTreeMap::new();
        for (kind, line) in file.kinds {
            let at = line.span().start;
            let line = line.into_inner();
            if [line.clumsy, line.middling, line.careful].iter().any(|rate| *rate > RATE_MAX) {
                let detail = format!("{}: a rate must be between 0 and {RATE_MAX}", kind.code());
                return Err(wrong(at, detail));
            }
            if line.source.trim().is_empty() {
                let detail = format!("{}: it must say where the guess comes from", kind.code());
                return Err(wrong(at, detail));
            }
            kinds.insert(kind, line);
        }
        let digest = HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
        let File { honest_percent, evaluation, .. } = file;
        Ok(Self { honest_percent, kinds, evaluation, digest })
    }

    /// The one that travels in the program.
    pub fn shipped() -> Self {
        Self::parse(DEFAULT, "embedded").expect("a test reads the embedded mix")
    }

    /// That of the final evaluation.
    pub fn of_evaluation() -> Self {
        Self::parse(EVALUATION, "embedded").expect("a test reads the embedded evaluation")
    }

    /// Nobody cheats.
    pub fn honest() -> Self {
        Self::parse("honest_percent = 0\n[kinds]\n", "embedded").expect("it is a mix")
    }

    /// Seeds and size, where the file is that of an evaluation.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        self.evaluation.as_ref()
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The chance that an institution is honest, in hundred thousandths.
    pub(super) fn honest_chance(&self) -> u32 {
        self.honest_percent * (SURE / 100)
    }

    /// The chance of one incident at an institution that is not honest, over so many days, in hundred
    /// thousandths. More than one of the same kind and care is not planted.
    pub(super) fn chance(&self, kind: Kind, care: Care, days: u32) -> u32 {
        let rate = self
            .kinds
            .get(&kind)
            .map_or(0, |line| care.of([line.clumsy, line.middling, line.careful]));
        let others = u64::from(100 - self.honest_percent);
        let chance = u64::from(rate) * u64::from(SURE) * u64::from(days)
            / (u64::from(RATE_MAX) * RATE_DAYS)
            * 100
            / others;
        u32::try_from(chance).unwrap_or(SURE).min(SURE)
    }
}
