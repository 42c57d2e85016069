//! Frame to sighting: detect, align, embed, match.
//!
//! ```text
//! Frame ─► detect ─► the face in front ─► align ─► quality ─► embed ─► gallery ─► Sighting
//!          YuNet     liveness on a crop    112×112             unit     claim, best, second,
//!          boxes and                                           vector   same face of today
//!          five points
//! ```
//!
//! [`Pipeline::open`] loads a pack of models, checks each file against the manifest, and runs each
//! net once, so that what cannot work fails at the start and not before a trainee.
//! [`Pipeline::look`] measures one frame; [`sight()`] compares what it saw. Pictures and embeddings
//! end here: a [`Sighting`](crate::domain::Sighting) holds numbers and identities only.

pub mod accuracy;
pub mod accuracy_groups;
pub mod accuracy_intervals;
pub mod calibration;
pub mod gallery;
pub mod gallery_file;
pub mod local_manifest;
pub mod manifest;
pub mod model_files;
pub mod open_search;
pub mod recent;
pub mod track;
pub mod transform;

mod align;
mod detect;
mod embed;
mod liveness;
mod manifest_raw;
mod onnx;
mod onnx_check;
mod pipeline;
mod planes;
mod quality;
mod shipped;
mod sight;
#[cfg(test)]
mod tests;

pub use detect::{Found, Point, Points, Rect};
pub use embed::Embedding;
pub use gallery::Gallery;
pub use manifest::{Manifest, Pack, Thresholds};
pub use onnx::{NetError, Runtime, RuntimeChoice, RuntimeError};
pub use pipeline::{FrontFace, Look, LookError, OpenError, Pipeline, Settings, Timings};
pub use recent::Recent;
pub use sight::{sight, sight_one};
pub use track::Track;
pub use transform::Transform;
