//! Enrolment of terminals at the centre (docs/spec/enrolment-v1.md, docs/decisions/0015): one-time
//! tokens, the desk that takes terminals in and renews their certificates, and who may speak to the
//! broker.
//!
//! ```text
//! terminal add ─► token note ─┐
//!                             ▼
//! request ─► judge ─► keys bound to the token, durably ─► facts stated ─► certificate ─► answer
//! ```
//!
//! Each arrow can be repeated: a terminal whose answer was lost asks again with the same keys and is
//! given the same place. A fact about a terminal is stated only here, or by `collector register`.

mod acl;
mod config;
mod desk;
mod files;
mod http;
mod judge;
mod recall;
mod roll;

pub use acl::acl;
pub use config::Section;
pub use desk::{Desk, DeskError, Told};
pub use files::{Notes, NotesError, RevocationWish};
pub use http::{Listening, ServeError, serve};
pub use judge::{Bound, Denied, Known, Ruling, TokenNote, judge};
pub use recall::{forgotten, shut_out};
pub use roll::{Roll, RollError, Standing};

#[cfg(test)]
mod tests;
