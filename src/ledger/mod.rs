//! The append-only ledger: what was admitted, what was refused, and what the centre stated, in
//! one order, each once.

mod entry;

pub use entry::{Body, Entry};
