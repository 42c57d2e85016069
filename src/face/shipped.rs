//! The model files that are part of the program: the default pack can neither be missing nor be
//! exchanged, whatever folder the program runs in. Found by their SHA-256, which the manifest
//! names; so no list of names has to agree with another (docs/decisions/0011).

/// Their bytes.
pub(super) const FILES: &[&[u8]] = &[
    include_bytes!("../../models/rollcall_detector.onnx"),
    include_bytes!("../../models/rollcall_embedding.onnx"),
];
