//! The manifest as it is written: the keys that TOML may hold, and no others.
//! [`super::manifest`] turns them into checked values.

use serde::Deserialize;

use super::manifest::Colour;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManifest {
    pub(super) version: u32,
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
    pub(super) matching: RawThreshold,
    pub(super) confident: RawThreshold,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawThreshold {
    pub(super) cosine: f32,
    pub(super) far: f64,
    pub(super) data: String,
}
