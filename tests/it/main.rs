//! One binary for all tests from the outside; a line of purpose for each module.

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit

mod face_data; // not tests: where models and pictures are, which runtimes there are
mod face_reference; // points, boxes, liveness and embeddings are those of a reference implementation
