//! One binary for all tests from the outside; a line of purpose for each module.

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit

mod cases_once; // an anomaly is stored once, however often the ledger is judged
mod rules_golden; // each rule fires with the very words that people read, and stays silent
mod rules_honest_life; // honest days raise nothing; the order of arrival changes nothing
mod rules_scene; // the small world in which rules are tested
