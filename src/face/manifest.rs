//! `models/manifest.toml`: which models there are, how each is fed, what its numbers mean, and
//! which of them work together as a pack. Read strictly (an unknown key is an error) and turned
//! once into checked values; nothing behind this file looks at TOML, and no code names a model.
//! A site adds entries of its own in a local manifest ([`super::local_manifest`]).
//!
//! A pack without thresholds is not calibrated: its models run and can be measured, and nobody is
//! judged by it ([`Pack::calibrated`]).
//!
//! A [`Pack`] has a digest that stands in every record, so that an auditor knows years later by
//! what a face was measured. It covers everything that can change a score or a decision, and
//! leaves out prose (licence, provenance).

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::manifest_raw::{RawManifest, checked_model, checked_pack, entry};
use super::open_search::{Tail, TailPoint};
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
    /// The thresholds of a pack are wanted, and nobody has measured them.
    #[error("the pack {pack} is not calibrated: it has no thresholds, so it cannot judge anybody")]
    Uncalibrated {
        /// Its name.
        pack: String,
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

impl ManifestError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::Version { .. } | Self::Entry { .. } => {
                "mend that place; `rollcall models explain` shows an entry that works"
            }
            Self::Uncalibrated { .. } => {
                "measure its thresholds on pictures of your own with `rollcall models calibrate`, \
                 or choose a calibrated pack: `rollcall models list`"
            }
            Self::NoSuchPack { .. } => {
                "choose one of the packs of the manifest: `rollcall models list`"
            }
        }
    }
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
    Detector {
        /// Whether answers to one face are blended; else the most certain one stands alone.
        blend: bool,
    },
    /// Turns an aligned face of `side_px` × `side_px` into a vector.
    Embedding {
        /// Side of the input.
        side_px: u32,
        /// The vector.
        output: Output,
        /// Whether the mirror image of the face is measured too, and the mean of both counts.
        mirror: bool,
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
            Self::Detector { .. } => "detector",
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
    /// Where the very file can be downloaded; `None`: nobody publishes it in this form.
    pub source: Option<Source>,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its address, pinned to one version of it.
    pub url: String,
    /// How long it is.
    pub size_bytes: u64,
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

/// From which cosines a pack judges. Measured, never guessed: docs/accuracy.md.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// From here two pictures count as one person.
    pub matching: Threshold,
    /// From here a match may accuse.
    pub confident: Threshold,
    /// Which cosine stands for which FAR, for searches over a roster. May be empty.
    pub tail: Tail,
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
    /// `None`: not calibrated.
    pub thresholds: Option<Thresholds>,
}

/// All models and packs. The default pack is the one that `use` names, else the first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    models: Vec<Model>,
    packs: Vec<Pack>,
    used: Option<String>,
}

impl Manifest {
    /// The one in this repository.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test parses the shipped manifest")
    }

    /// Reads a manifest.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        Self::default().extended(text)
    }

    /// This manifest and the entries of another, which may refer to those of this one and may not
    /// redefine them. A `use` of the other chooses among the packs of both.
    pub fn extended(&self, text: &str) -> Result<Self, ManifestError> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let message = error.message().replace('\n', " ");
            ManifestError::Syntax { line: before.matches('\n').count() + 1, message }
        })?;
        if raw.version != VERSION {
            return Err(ManifestError::Version { found: raw.version });
        }
        let twice = |name: &str, known: bool| match known {
            true => entry(name, "Rollcall ships an entry of this name; give yours another one"),
            false => entry(name, "the name is used twice"),
        };
        let mut all = self.clone();
        for model in raw.model {
            let model = checked_model(model)?;
            if all.models.iter().any(|other| other.name == model.name) {
                return Err(twice(&model.name, self.has_model(&model.name)));
            }
            all.models.push(model);
        }
        for pack in raw.pack {
            let pack = checked_pack(pack, &all.models)?;
            if all.packs.iter().any(|other| other.name == pack.name) {
                return Err(twice(&pack.name, self.has_pack(&pack.name)));
            }
            all.packs.push(pack);
        }
        if let Some(used) = raw.used {
            if !all.has_pack(&used) {
                return Err(entry("use", format!("there is no pack named {used:?}")));
            }
            all.used = Some(used);
        }
        Ok(all)
    }

    /// Whether a model has that name.
    pub fn has_model(&self, name: &str) -> bool {
        self.models.iter().any(|model| model.name == name)
    }

    /// Whether a pack has that name.
    pub fn has_pack(&self, name: &str) -> bool {
        self.packs.iter().any(|pack| pack.name == name)
    }

    /// The pack that `use` names.
    pub fn used(&self) -> Option<&str> {
        self.used.as_deref()
    }

    /// Every model, in the order of the file.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Every pack, in the order of the file.
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The pack of that name; without one the pack in use, or else the first.
    pub fn pack(&self, name: Option<&str>) -> Result<&Pack, ManifestError> {
        let name = name.or(self.used());
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
            Role::Detector { blend } => {
                format!("detector {}", if *blend { "blend" } else { "yunet" })
            }
            Role::Embedding { side_px, output, mirror } => {
                let post = if *mirror { "mirror" } else { "unit" };
                format!("embedding {post} {side_px} {} {}", output.name, output.values)
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

    /// The thresholds, by which alone people may be judged.
    pub fn calibrated(&self) -> Result<&Thresholds, ManifestError> {
        let missing = || ManifestError::Uncalibrated { pack: self.name.clone() };
        self.thresholds.as_ref().ok_or_else(missing)
    }

    /// What stands in a record: models and how they are fed, and all thresholds.
    pub fn digest(&self) -> [u8; 32] {
        let mut lines = "rollcall face pack v1\n".to_owned();
        for model in self.models() {
            model.canonical(&mut lines);
        }
        let thresholds = match &self.thresholds {
            Some(Thresholds { matching, confident, .. }) => {
                format!("match {} | confident {}", matching.cosine, confident.cosine)
            }
            None => "not calibrated".to_owned(),
        };
        lines.push_str(&format!(
            "confidence {:?} | nms {:?} | {thresholds}\n",
            self.detector_confidence, self.detector_nms
        ));
        // Written only where there is one, so that packs without keep their digest.
        if let Some(Thresholds { confident, tail, .. }) = &self.thresholds
            && !tail.is_empty()
        {
            lines.push_str(&format!("tail to {:?}", confident.far));
            for TailPoint { far, cosine } in tail.points() {
                lines.push_str(&format!(" | {far:?} {cosine}"));
            }
            lines.push('\n');
        }
        Sha256::digest(lines.as_bytes()).into()
    }
}
