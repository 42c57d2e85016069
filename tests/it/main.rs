//! One binary for all tests from the outside; a line of purpose for each module.

mod support;

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod collector_broker; // a real Mosquitto: exactly once across kill -9, floods, garbage
mod ingest_refusals; // every reason to refuse, and what is innocent
mod ledger_contract; // one suite, run on memory and sqlite
