//! One binary for all tests from the outside; a line of purpose for each module.

#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod architecture; //    the layering law and other absences
mod broken_vectors; //  the generator of docs/spec/vectors/invalid.json
mod broker_config; //   firmware-config/mosquitto.conf, with a real Mosquitto
mod pages; //           every link of every page leads somewhere
mod record_vectors; //  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod vectors; //         the generator of the other docs/spec/vectors
