//! Templates pass between an institution's terminals, through a centre that cannot read them
//! (docs/spec/share-v1.md, docs/decisions/0024).
//!
//! ```text
//! enrolled or deleted here ─► known, unsaid ─► parcel ══► centre ══► the others' answers
//!                                 ▲                                     │
//!                                 └── said: it came back from there ◄───┤
//! enrolled or deleted there ◄─ kept, on record ◄─ weighed ◄─────────────┘
//! ```
//!
//! `key.rs` is the key that the centre lacks, `parcel.rs` what is encrypted with it, `merge.rs` which of
//! two changes counts, `post.rs` when to ask and to send: all pure. `exchange.rs` does it, with
//! the [`Service`](super::Service)'s templates, register and records.

mod books;
mod exchange;
mod key;
mod merge;
mod parcel;
mod post;

pub(super) use self::books::look_again;
pub use self::exchange::Exchange;
pub use self::key::{CodeError, InstitutionKey};
pub use self::merge::{Newest, Rank, Standing, Verdict, What, judge};
pub use self::parcel::{Inside, Passed, Template, TooLong};

#[cfg(test)]
mod tests;
