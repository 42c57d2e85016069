//! One binary for all tests from the outside; a line of purpose for each module.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod support; // what several files need

// mod architecture;    the layering law and other absences
mod collector_broker; // a real Mosquitto: exactly once across kill -9, floods, garbage
mod collector_cli; // the collector's commands: exit codes, three-line errors, full disk
mod ingest_refusals; // every reason to refuse, and what is innocent; one flipped bit, every bit
mod ledger_contract; // one suite, run on memory and sqlite
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod verify_cli; // `rollcall verify`: what holds, what was touched, what is not trusted
