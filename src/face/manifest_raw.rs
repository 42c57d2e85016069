//! The manifest as it is written (the keys that TOML may hold, and no others), and the one step
//! that turns it into the checked values of [`super::manifest`].

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::manifest::{
    Colour, ManifestError, Model, Normalisation, Output, Pack, Role, Source, Threshold, Thresholds,
};
use super::model_files::MODEL_BYTES_MAX;
use super::open_search::{Tail, TailPoint};
use crate::domain::Score;

/// Longest vector of an embedding or list of classes: eight times what is usual.
const OUTPUT_VALUES_MAX: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManifest {
    pub(super) version: u32,
    #[serde(rename = "use")]
    pub(super) used: Option<String>,
    #[serde(default)]
    pub(super) model: Vec<RawModel>,
    #[serde(default)]
    pub(super) pack: Vec<RawPack>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModel {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) file: String,
    pub(super) sha256: String,
    pub(super) input: [u32; 4],
    pub(super) output: Option<RawOutput>,
    pub(super) colour: Colour,
    pub(super) scale: f32,
    pub(super) mean: [f32; 3],
    pub(super) std: [f32; 3],
    pub(super) post: String,
    pub(super) class: Option<usize>,
    pub(super) crop: Option<f32>,
    pub(super) licence: String,
    pub(super) provenance: String,
    pub(super) source: Option<String>,
    pub(super) size_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutput {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPack {
    pub(super) name: String,
    pub(super) detector: String,
    pub(super) embedding: String,
    #[serde(default)]
    pub(super) liveness: Vec<String>,
    pub(super) detector_confidence: f32,
    pub(super) detector_nms: f32,
    #[serde(rename = "match")]
    pub(super) matching: Option<RawThreshold>,
    pub(super) confident: Option<RawThreshold>,
    #[serde(default)]
    pub(super) tail: Vec<RawTailPoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawThreshold {
    pub(super) cosine: f32,
    pub(super) far: f64,
    pub(super) data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTailPoint {
    pub(super) far: f64,
    pub(super) cosine: f32,
}

/// An entry that cannot be used.
pub(super) fn entry(name: &str, why: impl Into<String>) -> ManifestError {
    ManifestError::Entry { entry: name.to_owned(), why: why.into() }
}

pub(super) fn checked_model(raw: RawModel) -> Result<Model, ManifestError> {
    let bad = |why: &str| entry(&raw.name, why);
    let sha256 = HEXLOWER
        .decode(raw.sha256.as_bytes())
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or_else(|| bad("sha256 must be 64 lower-case hexadecimal digits"))?;
    // A manifest names files, not paths: it cannot reach out of the search folders.
    if raw.file.is_empty() || raw.file.starts_with('.') || raw.file.contains(['/', '\\']) {
        return Err(bad("file must be a plain file name"));
    }
    let source = match (raw.source, raw.size_bytes) {
        (None, None) => None,
        (Some(url), Some(size_bytes)) if (1..MODEL_BYTES_MAX).contains(&size_bytes) => {
            if !may_be_asked(&url) {
                return Err(bad("source must begin with https://"));
            }
            Some(Source { url, size_bytes })
        }
        (None, Some(_)) | (Some(_), None | Some(_)) => {
            return Err(bad("source and size_bytes belong together, and a file has up to 256 MiB"));
        }
    };
    let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    if !finite(&raw.mean) || !finite(&raw.std) || !raw.scale.is_finite() || raw.std.contains(&0.0) {
        return Err(bad("scale, mean and std must be finite, std not zero"));
    }
    let side_px = match raw.input {
        [1, 3, height, width] if height == width && (1..=1024).contains(&height) => Some(height),
        [1, 3, 0, 0] => None,
        _ => return Err(bad("input must be [1, 3, side, side], or [1, 3, 0, 0] for any size")),
    };
    let output = match raw.output {
        None => None,
        Some(output) => {
            let values = output.shape.iter().try_fold(1_usize, |all, side| all.checked_mul(*side));
            let values = values.filter(|values| (1..=OUTPUT_VALUES_MAX).contains(values));
            let values =
                values.ok_or_else(|| bad("the shape of output must hold 1 to 4,096 values"))?;
            Some(Output { name: output.name, values })
        }
    };
    let role = match (raw.role.as_str(), raw.post.as_str(), side_px, output, raw.class, raw.crop) {
        ("detector", post @ ("yunet" | "blend"), None, None, None, None) => {
            Role::Detector { blend: post == "blend" }
        }
        ("embedding", post @ ("unit" | "mirror"), Some(side_px), Some(output), None, None) => {
            Role::Embedding { side_px, output, mirror: post == "mirror" }
        }
        ("liveness", "class", Some(side_px), Some(output), Some(class), Some(crop))
            if class < output.values && (1.0..=10.0).contains(&crop) =>
        {
            Role::Liveness { side_px, output, class, crop }
        }
        _ => {
            return Err(bad(
                "role, post, input, output, class and crop do not fit together: a detector has post \
                 yunet or blend and an input of any size; an embedding has post unit or mirror, a fixed input and an \
                 output; a liveness has post class, a fixed input, an output, a class of it, and a \
                 crop from 1 to 10",
            ));
        }
    };
    Ok(Model {
        role,
        sha256,
        normalisation: Normalisation {
            colour: raw.colour,
            scale: raw.scale,
            mean: raw.mean,
            std: raw.std,
        },
        name: raw.name,
        file: raw.file,
        licence: raw.licence,
        provenance: raw.provenance,
        source,
    })
}

/// The hash says whether a file is the right one, whoever sent it; https keeps from others which
/// file was asked for. On this machine itself nobody listens.
fn may_be_asked(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://127.0.0.1:")
}

/// The models of a pack are those read before it.
pub(super) fn checked_pack(raw: RawPack, models: &[Model]) -> Result<Pack, ManifestError> {
    let bad = |why: String| entry(&raw.name, why);
    let find = |name: &str, role: &str| {
        models
            .iter()
            .find(|model| model.name == name && model.role.as_str() == role)
            .cloned()
            .ok_or_else(|| bad(format!("there is no {role} named {name:?}")))
    };
    let liveness = raw
        .liveness
        .iter()
        .map(|name| find(name, "liveness"))
        .collect::<Result<Vec<_>, ManifestError>>()?;
    let share = |value: f32| value > 0.0 && value < 1.0;
    if !share(raw.detector_confidence) || !share(raw.detector_nms) {
        return Err(
            bad("detector_confidence and detector_nms must lie between 0 and 1".to_owned()),
        );
    }
    let threshold = |raw: RawThreshold| {
        let usable = raw.cosine.abs() <= 1.0 && raw.far > 0.0 && raw.far < 1.0;
        usable
            .then(|| Threshold {
                cosine: Score::from_f32(raw.cosine),
                far: raw.far,
                data: raw.data,
            })
            .ok_or_else(|| bad("a cosine lies in −1…1 and its far between 0 and 1".to_owned()))
    };
    let tail = || {
        if !raw.tail.iter().all(|point| point.cosine.abs() <= 1.0) {
            return Err(bad("a cosine lies in −1…1".to_owned()));
        }
        let point =
            |raw: &RawTailPoint| TailPoint { far: raw.far, cosine: Score::from_f32(raw.cosine) };
        Tail::new(raw.tail.iter().map(point).collect()).map_err(|why| bad(why.to_owned()))
    };
    let thresholds = match (raw.matching, raw.confident) {
        (None, None) if raw.tail.is_empty() => None,
        (Some(matching), Some(confident)) => Some(Thresholds {
            matching: threshold(matching)?,
            confident: threshold(confident)?,
            tail: tail()?,
        }),
        (None, None | Some(_)) | (Some(_), None) => {
            return Err(bad(
                "match and confident belong together, and a tail to both; without them the pack \
                 counts as not calibrated"
                    .to_owned(),
            ));
        }
    };
    if let Some(Thresholds { matching, confident, tail }) = &thresholds {
        if confident.cosine < matching.cosine {
            return Err(bad("confident must be at least as strict as match".to_owned()));
        }
        if tail.points().iter().any(|point| point.cosine > confident.cosine) {
            return Err(bad("confident must be at least as strict as the whole tail".to_owned()));
        }
    }
    Ok(Pack {
        detector: find(&raw.detector, "detector")?,
        embedding: find(&raw.embedding, "embedding")?,
        liveness,
        detector_confidence: raw.detector_confidence,
        detector_nms: raw.detector_nms,
        thresholds,
        name: raw.name.clone(),
    })
}
