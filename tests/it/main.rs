//! One binary for all tests from the outside; a line of purpose for each module.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod support; // what several files need

mod journal_model; // append, replay, release, crash, reopen against a vector

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
