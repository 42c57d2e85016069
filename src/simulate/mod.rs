//! Voyages: several terminals, a broker and a centre in one thread, with time, network and disks in
//! the hand of a seed (docs/decisions/0018). What is tested is the real thing: journal, link, pen and
//! timekeeper of the terminal, office, intake and ledger of the centre. Ours are the sea between
//! them (`world.rs`, `aboard.rs`, `sea.rs`), what goes wrong (`weather.rs`, `storm.rs`), the disks (`disk.rs`), and who
//! watches (`oracle.rs`): each step is held against named invariants, and in fair weather everybody
//! must get his answer.
//!
//! The same seed gives the same voyage, to the byte of its trace. `mutant.rs` breaks one promise on
//! purpose, to show that it would be noticed.

mod aboard;
mod centre;
mod dice;
mod disk;
mod mutant;
mod oracle;
mod sea;
mod station;
mod storm;
mod weather;
mod world;

pub use mutant::Mutant;
pub use oracle::{Broken, Invariant};

use crate::record::SealedHash;

/// A voyage that has ended.
#[derive(Debug)]
pub struct Voyage {
    /// Well, or at a promise that was not kept.
    pub outcome: Result<(), Broken>,
    /// Check-ins that were shown green.
    pub greens: u64,
    /// Entries in the ledger at the end.
    pub entries: u64,
    /// All that happened, a line each: time in seconds, station, what.
    pub trace: String,
}

impl Voyage {
    /// Names the whole trace: two voyages with one hash were the same.
    pub fn trace_hash(&self) -> String {
        SealedHash::of(self.trace.as_bytes()).to_string()
    }
}

/// Sails one voyage.
pub fn sail(seed: u64, mutant: Option<Mutant>) -> Voyage {
    let mut world = world::World::new(seed, mutant);
    let outcome = world.sail();
    if let Err(broken) = &outcome {
        world.say(format_args!("BROKEN {broken}"));
    }
    let entries = crate::ledger::Ledger::size(&world.centre.ledger);
    Voyage { outcome, greens: world.greens, entries, trace: world.trace }
}
