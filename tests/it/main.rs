//! One binary for all tests from the outside; a line of purpose for each module.

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit

mod face_bad_models; // unreadable, exchanged, missing model files are told by name at the start
mod face_data; // not tests: where models and pictures are, which runtimes there are
mod face_people; // both runtimes decide the same on real pictures; sizes of frames
mod face_reference; // points, boxes, liveness and embeddings are those of a reference implementation
mod models_cli; // `rollcall models`: exit codes, the three-line error, the JSON of the bench
