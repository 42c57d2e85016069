//! Templates that can be renewed (ISO/IEC 24745): every embedding passes a rotation that a key gives,
//! before it is compared or stored. Angles stay what they are, so that accuracy does too; vectors of
//! two keys have nothing to do with each other, so that a template that got out is worthless as soon
//! as the key is exchanged.
//!
//! The rotation is no encryption: whoever has enough pairs of faces and templates can compute it.
//! Secrecy rests on the encryption of the file that holds key and templates.

use std::fmt;

use sha2::{Digest, Sha256};

use super::embed::Embedding;

/// A rotation of vectors of one length, or a rotation and a reflection: any orthogonal matrix is as
/// likely as any other (Stewart, "The Efficient Generation of Random Orthogonal Matrices", 1980).
#[derive(Clone, PartialEq)]
pub struct Transform {
    key: [u8; 32],
    /// Directions of length 1 to reflect along, each in the space of the last two, three, … numbers
    /// of a vector. Empty: nothing is rotated.
    along: Vec<Vec<f32>>,
    /// Which numbers change their sign at last.
    flipped: Vec<bool>,
}

impl Transform {
    /// The rotation of `key` for vectors of `floats` numbers. A key of zeros rotates nothing.
    pub fn new(key: [u8; 32], floats: usize) -> Self {
        if key == [0; 32] {
            return Self { key, along: Vec::new(), flipped: Vec::new() };
        }
        let along = (2..=floats).filter_map(|length| reflection(&key, length)).collect();
        let flipped = stream(&key, 0).take(floats).map(|byte| byte % 2 == 1).collect();
        Self { key, along, flipped }
    }

    /// Its key.
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    /// Rotates. A vector of another length than the transform's is like no other afterwards.
    #[must_use]
    pub fn apply(&self, face: &Embedding) -> Embedding {
        let mut values = face.as_slice().to_vec();
        self.along.iter().for_each(|direction| reflect(&mut values, direction));
        self.flip(&mut values);
        Embedding::stored(values).unwrap_or_else(|| face.clone())
    }

    /// Rotates back.
    #[must_use]
    pub fn undo(&self, face: &Embedding) -> Embedding {
        let mut values = face.as_slice().to_vec();
        self.flip(&mut values);
        self.along.iter().rev().for_each(|direction| reflect(&mut values, direction));
        Embedding::stored(values).unwrap_or_else(|| face.clone())
    }

    fn flip(&self, values: &mut [f32]) {
        for (value, _) in values.iter_mut().zip(&self.flipped).filter(|(_, flipped)| **flipped) {
            *value = -*value;
        }
    }
}

/// Reflects the last numbers of a vector, as many as the direction has.
fn reflect(values: &mut [f32], direction: &[f32]) {
    let Some(from) = values.len().checked_sub(direction.len()) else { return };
    let last = &mut values[from..];
    let shared: f32 = last.iter().zip(direction).map(|(a, b)| a * b).sum::<f32>() * 2.0;
    last.iter_mut().zip(direction).for_each(|(a, b)| *a -= shared * b);
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transform(<hidden>)")
    }
}

/// The Householder reflection that brings a random direction to the first axis.
fn reflection(key: &[u8; 32], length: usize) -> Option<Vec<f32>> {
    let bytes: Vec<u8> = stream(key, length).take(length * 4).collect();
    // Sums of four bytes scatter evenly enough to all sides.
    let sums = bytes.as_chunks::<4>().0.iter().map(|four| {
        let sum: u16 = four.iter().map(|byte| u16::from(*byte)).sum();
        f32::from(sum) - 510.0
    });
    let mut direction = Embedding::unit(sums.collect())?.as_slice().to_vec();
    let first = direction.first_mut()?;
    *first += 1.0_f32.copysign(*first);
    Embedding::unit(direction).map(|unit| unit.as_slice().to_vec())
}

/// Bytes that look random to all who do not know the key.
fn stream(key: &[u8; 32], which: usize) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |block| {
        let mut hash = Sha256::new();
        hash.update(b"rollcall-transform-v1");
        hash.update(key);
        hash.update((which as u64).to_le_bytes());
        hash.update(block.to_le_bytes());
        <[u8; 32]>::from(hash.finalize())
    })
}
