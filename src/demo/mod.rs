//! `rollcall demo`: a training day in two towns, with everything in one process.

mod attacker;
pub mod broker;
mod pictures;
pub mod result;
mod script;
mod wiretap;
mod world;
