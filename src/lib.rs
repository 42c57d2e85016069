//! Rollcall: attendance for subsidised vocational training that nobody can forge, lose, backdate
//! or deny. ARCHITECTURE.md is the map; the stages below stand in the order in which a check-in
//! passes through them.

// Ground floor.
pub mod domain;
pub mod record;
pub mod platform;

// Terminal.
#[cfg(feature = "terminal")]
pub mod camera;
#[cfg(feature = "terminal")]
pub mod face;
#[cfg(feature = "terminal")]
pub mod checkin;
#[cfg(feature = "terminal")]
pub mod journal;
#[cfg(feature = "terminal")]
pub mod uplink;
#[cfg(feature = "terminal")]
pub mod kiosk;

// Centre.
#[cfg(feature = "collector")]
pub mod ingest;
#[cfg(feature = "collector")]
pub mod ledger;
#[cfg(feature = "collector")]
pub mod registry;
#[cfg(feature = "collector")]
pub mod rules;
#[cfg(feature = "collector")]
pub mod cases;
#[cfg(feature = "collector")]
pub mod feed;
#[cfg(feature = "collector")]
pub mod web;

// Roots.
#[cfg(feature = "terminal")]
pub mod terminal;
#[cfg(feature = "terminal")]
pub mod bench;
#[cfg(feature = "collector")]
pub mod collector;
#[cfg(feature = "collector")]
pub mod witness;
#[cfg(feature = "collector")]
pub mod province;
#[cfg(feature = "collector")]
pub mod evaluate;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(all(feature = "terminal", feature = "collector", feature = "testing"))]
pub mod simulate;
pub mod cli;
