//! The contract between terminal and centre, byte for byte. docs/spec/record-v1.md is the law;
//! this module is one implementation of it.
//!
//! - [`Record`]: what a terminal states about one happening. Names nobody: persons stand in it as
//!   [`Commitment`]s, and their [`Opening`]s travel beside it.
//! - [`Sealed`]: the exact bytes of a signed record (COSE_Sign1), and the only form that is
//!   stored, sent, hashed into the next record and committed.
//! - [`Receipt`]: the centre's signed answer, which alone frees a record at the terminal.
//! - [`dispatch`]: what a terminal works by, signed by the centre and encrypted to the terminal.
//! - [`share`]: templates on their way between an institution's terminals, which the centre cannot read.
//! - [`picture`]: evidence pictures, encrypted to the regulator.
//! - [`note`]: signed notes, in which checkpoints are published and cosigned.
//! - [`Parcel`] and [`Batch`]: what travels over MQTT (docs/spec/transport.md).
//!
//! Whatever cannot be read is an `Err` that says what was wrong; no bytes make it panic.

pub(crate) mod base32;
pub(crate) mod base64;
mod batch;
mod commitment;
mod cose;
pub mod dispatch;
pub mod enrolment;
mod handover;
mod keyring;
mod keys;
pub mod note;
pub mod picture;
mod reading_key;
mod receipt;
mod record_v1;
pub mod report;
pub mod share;
mod slip;
mod statement;
mod token;
pub mod topic;

pub use batch::{BATCH_BYTES_MAX, BATCH_PARCELS_MAX, Batch, BatchError, Parcel};
pub use commitment::{Commitment, Opening, SALT_BYTES, roster_commitment};
pub use cose::{OpenError, SEALED_BYTES_MAX, Typ, peek_kid};
pub use handover::{CENTRE_KEYS_MAX, CentreKeys, Follow, Handover, seal_handover};
pub use keyring::{Keyring, Ringed, SuccessionError};
pub use keys::{KeyError, KeyId, SigningKey, VerifyingKey};
pub use reading_key::{Encrypted, ReadingKey, ReadingPublic, Unreadable};
pub use receipt::{Receipt, Verdict, Wanted};
pub use record_v1::{Gap, Other, Record, Sealed, SealedHash};
pub use slip::{SLIP_CHARS_MAX, Slip, SlipError, SlipText};
pub use statement::{
    BackupSeal, Checkpoint, SealedEvidence, SealedFact, Stated, TimeAnswer, open_statement,
    peek_statement, seal_statement,
};
pub use token::{CentreMark, TOKEN_CHARS_MAX, TOKEN_SECRET_BYTES, Token, TokenError, is_endpoint};
