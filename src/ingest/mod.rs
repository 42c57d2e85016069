//! Bytes to admitted records or refusals. Everything here is pure: what is registered and what
//! was committed before comes in as an argument, and nothing is stored or sent.
//!
//! - [`admit()`] judges one offered record. It alone makes an [`Admitted`], and the ledger commits
//!   nothing else: whoever holds one need not ask again whether the signature held.
//! - [`Intake`] is the state between records: heads, keys, what is parked behind a gap, and how
//!   much evidence a sender has already left behind. It turns offers into [`Step`]s.
//! - [`answers`] says what terminals are told once the steps are committed.
//!
//! Start reading at [`admit()`].

mod admit;
mod answer;
mod intake;
mod park;
mod quota;

pub use admit::{
    Admitted, Duplicate, EVIDENCE_BYTES_MAX, Evidence, Head, Known, Link, Offer, Refused, Ruling,
    SEQ_MAX, admit,
};
pub use answer::{Answer, answers};
pub use intake::{Intake, Past, Step};
pub use quota::Limits;
