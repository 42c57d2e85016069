//! Sightings over time → at most one decision each.
//!
//! ```text
//! Sighting ─► Visit: good enough? ─► enough pictures? ─► Desk: who, and when? ─► alive? ─► CheckIn
//!                    │ advice             │ look              │ no: look on        │ moves asked for
//! ```
//!
//! [`Visit`] is pure: a sighting, a claim and the time go in; out comes what to show the person
//! before the camera, and once, [`Step::Decided`] with a [`crate::domain::CheckIn`] to seal.
//! [`Desk`] knows the day's lessons and rosters and who is already in. Neither knows a camera, a
//! disk or a clock. All numbers stand in [`Numbers`] and come from the policy profile, the model
//! pack and the site's settings.
//!
//! A failed match is an attempt, never by itself an absence or a fraud: only a *claim* together
//! with a confident match to somebody else is recorded as such (docs/rules/proxy_stand_in.md).

mod advice;
pub mod challenge;
mod desk;
mod identify;
pub mod pin;
mod roll;
mod room;
mod settings;
mod visit;
#[cfg(test)]
mod tests;

pub use advice::{Advice, advise, advise_picture};
pub use desk::{Desk, Plan, Unseen};
pub use roll::{RollCall, Standing, spot_checks};
pub use room::Room;
pub use settings::{Settings, When};
pub use visit::{Step, Visit};

use crate::domain::Score;

/// Every number that a decision rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// From how long before its start a lesson takes check-ins.
    pub door_opens_ms_before: i64,
    /// Until how long after its start a lesson takes check-ins; a late comer is welcome until then.
    pub door_closes_ms_after: i64,
    /// A second look sooner than this after the check-in is "already in", later it is a check-out.
    pub checkout_ms_after: i64,
    /// How long before a lesson a person is told "too early" rather than "no lesson".
    pub early_ms_max: i64,
    /// How long after a lesson's end an open check-in still takes its check-out. Later hours
    /// are recorded as they are: the centre judges them.
    pub open_stay_ms_max: i64,
    /// Whether who comes without a face may check in by card or number and PIN.
    pub by_pin: bool,
    /// Whether who comes without a face may be confirmed by the staff.
    pub by_staff: bool,
    /// How long each has to show the face when the roll is called, in milliseconds.
    pub roll_ms: i64,
    /// How often the roll of a lesson is called at times that a seed gives.
    pub spot_checks: u32,
    /// How many faces of one picture a roll call may confirm; 1: one person at a time.
    pub roll_faces_max: usize,
    /// Similarity from which a face is that of the person claimed (1:1).
    pub match_threshold: Score,
    /// Similarity from which the most similar face of the roster is recognised without a claim
    /// (1:N); it grows with the roster.
    pub search_threshold: Score,
    /// Similarity from which a face is *confidently* somebody's, enough to contradict a claim.
    pub confident_threshold: Score,
    /// Lead that the best match needs over the second person.
    pub margin: Score,
    /// Passive liveness from which a face counts as live; `None` where it only goes on record.
    pub live_threshold: Option<Score>,
    /// Smallest distance between the eyes, in pixels.
    pub eye_distance_px_min: f32,
    /// Smallest variance of the Laplacian on the aligned face.
    pub sharpness_min: f32,
    /// Darkest and brightest mean grey level of the aligned face.
    pub brightness_range: (f32, f32),
    /// How far a face may be turned to the side ([`crate::domain::Quality::turn`]).
    pub turn_max: f32,
    /// How far it may be lifted and lowered ([`crate::domain::Quality::nod`]).
    pub nod_range: (f32, f32),
    /// How far the head may lean, in degrees.
    pub lean_deg_max: f32,
    /// Least contrast around the mouth against that around the eyes.
    pub mouth_detail_min: f32,
    /// Good pictures that a decision needs.
    pub pictures_min: u32,
    /// How long a visit looks on for a better answer before it says no, in milliseconds.
    pub patience_ms: u64,
    /// How long after a "no" the same person is looked at anew, in milliseconds.
    pub again_ms: u64,
    /// When movements are asked for.
    pub when: When,
    /// Share of check-ins for which they are asked for by chance, in percent.
    pub share_percent: u32,
    /// A match that passes its threshold by less than this is thin.
    pub thin_margin: Score,
    /// The numbers of a challenge.
    pub challenge: challenge::Numbers,
}
