//! `rollcall demo`: a training day in two towns, with everything in one process.

pub mod broker;
pub mod result;
mod script;
mod world;
