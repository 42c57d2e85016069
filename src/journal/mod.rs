//! The terminal's durable buffer of sealed records.
