//! Offers records to the centre until a signed receipt frees them.
//!
//! `link.rs` decides (pure: `step(event, now) -> actions`), `effect.rs` says what that means to the
//! journal, `mqtt.rs` does. The broker may be away,
//! killed or forgetful and the centre may be away: the journal holds everything, the link offers
//! again after a time, and only a receipt that opens with the centre's receipt key and names the
//! hash in the journal releases anything. A PUBACK says that the broker has a message and nothing
//! more; it frees a place in the MQTT client's window, and the link never hears of it.
//!
//! The centre's signed time comes this way too: `timekeeper.rs` keeps it, `clock.rs` (pure) says how
//! far the terminal's own clock is to be believed. So do the centre's keys: `trust.rs`.
//!
//! Nothing but bytes passes between here and the centre's `ingest` (docs/spec/transport.md).

pub mod clock;
mod config;
pub mod effect;
pub mod greeting;
mod link;
mod mqtt;
mod timekeeper;
mod trust;
mod waypoint;

pub use self::config::Section;
pub use self::link::{Action, Alarm, Event, Link, Pace, Phase};
pub use self::mqtt::{Config, Delivered, RunError, Shown, Switch, Uplink, View};
pub use self::timekeeper::Timekeeper;
pub use self::trust::{Trust, TrustError};
pub use self::waypoint::{NoWaypoints, Step, Waypoints};

#[cfg(test)]
mod tests;
