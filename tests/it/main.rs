//! One binary for all tests from the outside; a line of purpose for each module.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod support; // what several files need

mod cli_terminal; // the program `rollcall terminal`: three lines, exit codes
mod journal_faults; // wrong folders, failing writes, damaged values, cut files
mod journal_model; // append, replay, release, crash, reopen against a vector
#[cfg(feature = "testing")]
mod terminal_crash; // killed between every two steps; a full disk
mod terminal_mosquitto; // broker, centre and terminal stopped, killed and started again

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
