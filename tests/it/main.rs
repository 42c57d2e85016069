//! One binary for all tests from the outside; a line of purpose for each module.

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod web_browser; // the page in Chromium: both languages, 1280 and 390 px, live, paused, evidence
mod web_fixture; // an invented province, its server, and a plain HTTP client
