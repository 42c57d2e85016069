mod accuracy;
mod accuracy_groups;
mod accuracy_intervals;
mod calibration;
mod gallery;
mod gallery_file;
mod geometry;
mod local_manifest;
mod manifest;
mod measures;
mod open_search;
mod track;
mod transform;

use super::embed::Embedding;
use crate::domain::PersonId;

/// A vector of length 1 in the direction of these numbers.
fn unit(values: &[f32]) -> Embedding {
    Embedding::unit(values.to_vec()).expect("the numbers have a direction")
}

fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}
