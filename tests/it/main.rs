//! One binary for all tests from the outside; a line of purpose for each module.

// Says to clippy that helpers are tests too: they may unwrap.
#![cfg(test)]

// mod architecture;    the layering law and other absences
// mod record_vectors;  docs/spec/vectors, byte for byte; one flipped bit is refused, for every bit
mod feed_live; // who follows the feed misses nothing and sees nothing twice
mod web_api; // the page's server on the wire: stream, JSON, guards, busy port
mod web_browser; // the page in Chromium: both languages, 1280 and 390 px, live, paused, evidence
mod web_fixture; // an invented province, its server, and a plain HTTP client
