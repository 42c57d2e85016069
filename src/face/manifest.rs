//! `models/manifest.toml`: which models there are, how each is fed, what its numbers mean, and
//! which of them work together as a pack. Read strictly (an unknown key is an error) and turned
//! once into checked values; nothing behind this file looks at TOML, and no code names a model.
//!
//! A [`Pack`] has a digest that stands in every record, so that an auditor knows years later by
//! what a face was measured. It covers everything that can change a score or a decision, and
//! leaves out prose (licence, provenance).

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::manifest_raw::{RawManifest, checked_model, checked_pack, entry};
use super::open_search::{Tail, TailPoint, far_for};
use crate::domain::Score;

/// What the repository ships; the model files themselves come from elsewhere.
const SHIPPED: &str = include_str!("../../models/manifest.toml");

/// The only version so far.
pub(super) const VERSION: u32 = 1;

/// A manifest is no usable description of models.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No TOML, an unknown key, a missing key, a wrong type.
    #[error("line {line} of the model manifest is not usable: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// What the TOML reader said.
        message: String,
    },
    /// Made for another program.
    #[error("the model manifest has version {found}, this program knows {VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// One entry contradicts itself or another.
    #[error("the entry {entry:?} of the model manifest is not usable: {why}")]
    Entry {
        /// Name of the model or pack.
        entry: String,
        /// What is wrong.
        why: String,
    },
    /// A name that the manifest does not know.
    #[error("the model manifest has no pack {wanted:?}; it has {known}")]
    NoSuchPack {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
}

/// Order of the colour planes that a net expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How bytes become what a net was trained on: `(v × scale − mean) / std`, per plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Order of the planes.
    pub colour: Colour,
    /// Applied to the byte first.
    pub scale: f32,
    /// Subtracted then, in the order of `colour`.
    pub mean: [f32; 3],
    /// Divided by last, in the order of `colour`.
    pub std: [f32; 3],
}

/// One output of a net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// As the file calls it.
    pub name: String,
    /// How many values it has for one picture.
    pub values: usize,
}

/// What a net is for, and what its numbers mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Finds faces and their five points, by the outputs of a YuNet.
    Detector,
    /// Turns an aligned face of `side_px` × `side_px` into a vector.
    Embedding {
        /// Side of the input.
        side_px: u32,
        /// The vector.
        output: Output,
    },
    /// Tells a living face from a shown one.
    Liveness {
        /// Side of the input.
        side_px: u32,
        /// Probabilities of the classes.
        output: Output,
        /// Which of them means "live".
        class: usize,
        /// How many times larger than the face box the crop is.
        crop: f32,
    },
}

impl Role {
    /// The word of the manifest.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Embedding { .. } => "embedding",
            Self::Liveness { .. } => "liveness",
        }
    }
}

/// One model file.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name in the manifest.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// File name, looked for in the search folders.
    pub file: String,
    /// What the file must hash to.
    pub sha256: [u8; 32],
    /// How it is fed.
    pub normalisation: Normalisation,
    /// SPDX name.
    pub licence: String,
    /// Where it is from.
    pub provenance: String,
}

/// A cosine, and what it is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// At or above counts.
    pub cosine: Score,
    /// Share of impostor pairs at or above it.
    pub far: f64,
    /// On which pictures that share was measured.
    pub data: String,
}

/// Models that work together, with their thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Its name in the manifest.
    pub name: String,
    /// Finds faces.
    pub detector: Model,
    /// Measures them.
    pub embedding: Model,
    /// Judge whether they live; their answers are averaged. May be empty.
    pub liveness: Vec<Model>,
    /// The detector's answer counts from here, 0…1.
    pub detector_confidence: f32,
    /// Two boxes that share more than this of their area are one face, 0…1.
    pub detector_nms: f32,
    /// From here two pictures count as one person.
    pub matching: Threshold,
    /// From here a match may accuse.
    pub confident: Threshold,
    /// Which cosine stands for which FAR, for searches over a roster. May be empty.
    pub tail: Tail,
}

/// All models and packs; the first pack is the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    models: Vec<Model>,
    packs: Vec<Pack>,
}

impl Manifest {
    /// The one in this repository.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test parses the shipped manifest")
    }

    /// Reads a manifest.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let message = error.message().replace('\n', " ");
            ManifestError::Syntax { line: before.matches('\n').count() + 1, message }
        })?;
        if raw.version != VERSION {
            return Err(ManifestError::Version { found: raw.version });
        }
        let mut models: Vec<Model> = Vec::with_capacity(raw.model.len());
        for model in raw.model {
            let model = checked_model(model)?;
            if models.iter().any(|other| other.name == model.name) {
                return Err(entry(&model.name, "the name is used twice"));
            }
            models.push(model);
        }
        let mut packs: Vec<Pack> = Vec::with_capacity(raw.pack.len());
        for pack in raw.pack {
            let pack = checked_pack(pack, &models)?;
            if packs.iter().any(|other| other.name == pack.name) {
                return Err(entry(&pack.name, "the name is used twice"));
            }
            packs.push(pack);
        }
        Ok(Self { models, packs })
    }

    /// Every model, in the order of the file.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Every pack, in the order of the file.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of that name, or the first one.
    pub fn pack(&self, name: Option<&str>) -> Result<&Pack, ManifestError> {
        let found = match name {
            Some(name) => self.packs.iter().find(|pack| pack.name == name),
            None => self.packs.first(),
        };
        found.ok_or_else(|| ManifestError::NoSuchPack {
            wanted: name.unwrap_or("(the first)").to_owned(),
            known: match self.packs.iter().map(|pack| pack.name.as_str()).collect::<Vec<_>>() {
                names if names.is_empty() => "none".to_owned(),
                names => names.join(", "),
            },
        })
    }
}

impl Model {
    /// Everything that makes its numbers what they are, one fact a line.
    fn canonical(&self, lines: &mut String) {
        let Normalisation { colour, scale, mean, std } = self.normalisation;
        let feed = format!("{colour:?} {scale:?} {mean:?} {std:?}");
        let role = match &self.role {
            Role::Detector => "detector yunet".to_owned(),
            Role::Embedding { side_px, output } => {
                format!("embedding unit {side_px} {} {}", output.name, output.values)
            }
            Role::Liveness { side_px, output, class, crop } => {
                format!(
                    "liveness class {class} {crop:?} {side_px} {} {}",
                    output.name, output.values
                )
            }
        };
        lines.push_str(&format!("{role} | {feed} | {}\n", HEXLOWER.encode(&self.sha256)));
    }

    /// What templates made by this model are bound to: vectors of different digests must not be
    /// compared. Covers the file and how it is fed.
    pub fn digest(&self) -> [u8; 32] {
        let mut lines = "rollcall face model v1\n".to_owned();
        self.canonical(&mut lines);
        Sha256::digest(lines.as_bytes()).into()
    }
}

impl Pack {
    /// The models in the order of their work.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        [&self.detector, &self.embedding].into_iter().chain(&self.liveness)
    }

    /// The cosine from which a search over `people` recognises the most similar one, when a
    /// stranger may be taken for one of them in at most `fpir_max` of all cases
    /// ([`super::open_search`]).
    ///
    /// Never looser than `match`, since nobody is recognised more easily in a crowd than alone;
    /// never stricter than `confident`, which lies above every impostor pair that was measured.
    /// The tail ends in `confident`. A pack without a tail knows no better than `match`.
    pub fn search_threshold(&self, people: usize, fpir_max: f64) -> Score {
        if self.tail.is_empty() {
            return self.matching.cosine;
        }
        let far = far_for(people, fpir_max);
        let cosine = self.tail_to_confident().cosine_at(far).unwrap_or(self.confident.cosine);
        cosine.clamp(self.matching.cosine, self.confident.cosine)
    }

    /// The measured points, and `confident` behind them where its stated FAR is smaller still:
    /// that FAR is an upper bound of what was measured at a cosine this high.
    fn tail_to_confident(&self) -> Tail {
        let last = TailPoint { far: self.confident.far, cosine: self.confident.cosine };
        let points = self.tail.points().iter().copied().chain([last]).collect();
        Tail::new(points).unwrap_or_else(|_| self.tail.clone())
    }

    /// What stands in a record: models and how they are fed, and all thresholds.
    pub fn digest(&self) -> [u8; 32] {
        let mut lines = "rollcall face pack v1\n".to_owned();
        for model in self.models() {
            model.canonical(&mut lines);
        }
        lines.push_str(&format!(
            "confidence {:?} | nms {:?} | match {} | confident {}\n",
            self.detector_confidence,
            self.detector_nms,
            self.matching.cosine,
            self.confident.cosine
        ));
        // Written only where there is one, so that packs without keep their digest.
        if !self.tail.is_empty() {
            lines.push_str(&format!("tail to {:?}", self.confident.far));
            for TailPoint { far, cosine } in self.tail.points() {
                lines.push_str(&format!(" | {far:?} {cosine}"));
            }
            lines.push('\n');
        }
        Sha256::digest(lines.as_bytes()).into()
    }
}
