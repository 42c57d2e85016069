//! What online platforms report (docs/spec/platform-v1.md), and the two ways on which it comes in: the broker, and
//! HTTP. Both lead to the same thread, which judges, commits, and only then answers the way that the report came.
//!
//! ```text
//! broker ══► mqtt.rs ═════════╗
//!                             ╠═ bounded ═► core.rs: judge.rs, commit, then tell
//! HTTPS ═► tcp.rs ═► http.rs ═╝
//! ```
//!
//! - [`Platforms`] (`judge.rs`) decides which reports are taken. Pure.
//! - `words.rs`: what a refusal over HTTP says. Pure.
//! - [`Section`] (`config.rs`): `[platforms]` of the configuration.
//! - [`Listening`] (`tcp.rs`) takes an address and lets in so many connections, each for so long, over TLS unless it is
//!   on this machine; `http.rs` reads requests from them and writes answers (docs/decisions/0033).

mod config;
mod http;
mod judge;
mod tcp;
mod words;

pub use config::Section;
pub use http::Serving;
pub use judge::{Heard, Platforms, Reason};
pub use tcp::{BindError, Bounds, Listening};

#[cfg(test)]
mod tests;
