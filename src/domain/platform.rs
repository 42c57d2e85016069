//! Online platforms: what evidences one, and what it reports of its sessions (docs/spec/platform-v1.md).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::terms::{Happening, PlatformFunction};
use super::{Bilingual, Committed, LessonId, PersonId, PlatformId, Timestamp};

/// Most happenings of one stretch: a beat a minute for half an hour, and what else happens in it; and the longest
/// stretch fits one sealed fact.
pub const HAPPENINGS_MAX: usize = 40;

/// A function that a platform must have, and what evidences it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Evidenced {
    /// Which.
    #[n(1)]
    pub function: PlatformFunction,
    /// By which document.
    #[n(2)]
    pub basis: String,
}

/// An online platform is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Platform {
    /// Its id.
    #[n(1)]
    pub id: PlatformId,
    /// Its name.
    #[n(2)]
    pub name: Bilingual,
    /// The Ed25519 verification key of its reports, 32 bytes.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// Which functions are evidenced, by their order.
    #[n(4)]
    pub functions: Vec<Evidenced>,
    /// The published list that it stands on; without one, what it reports does not count.
    #[n(5)]
    pub listed: Option<String>,
}

impl Platform {
    /// Whether what it reports may count: all functions evidenced, and selected publicly.
    pub fn counts(&self) -> bool {
        let evidenced =
            |wanted: &PlatformFunction| self.functions.iter().any(|it| it.function == *wanted);
        self.listed.is_some() && <PlatformFunction as super::Word>::ALL.iter().all(evidenced)
    }
}

/// Something that happened in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Happened {
    /// Milliseconds after the beginning of the stretch; never falling.
    #[n(0)]
    pub after_ms: u32,
    /// What.
    #[n(1)]
    pub what: Happening,
    /// How many pages of the course are open, with a beat.
    #[n(2)]
    pub pages: Option<u32>,
}

/// A stretch of one session, as a platform reported it. The page is in the background, and nothing plays,
/// until the stretch says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Activity {
    /// Who reports it.
    #[n(1)]
    pub platform: PlatformId,
    /// The number of the report.
    #[n(2)]
    pub report: u64,
    /// SHA-256 of the sealed report.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub digest: [u8; 32],
    /// Names the session: random.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub session: [u8; 16],
    /// Stands for the account, for one day: another one on the next, under a secret of the platform.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub account: [u8; 32],
    /// Stands for the device's fingerprint, for one day, likewise.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub device: [u8; 32],
    /// Whose account it is, by a commitment of this stretch alone.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub person: Committed,
    /// The lesson that it is part of.
    #[n(8)]
    pub lesson: Option<LessonId>,
    /// When it begins, by the platform's clock.
    #[n(9)]
    pub from: Timestamp,
    /// What happened in it.
    #[n(10)]
    pub happenings: Vec<Happened>,
    /// What opens `person`: salt and person. Lies beside the entry, is never sealed, and gone once she is
    /// erased.
    #[serde(skip)]
    #[cbor(skip)]
    pub opened: Option<([u8; 32], PersonId)>,
}

impl Activity {
    /// Whose account it is, as long as anybody knows.
    pub fn who(&self) -> Option<PersonId> {
        self.opened.map(|(_, person)| person)
    }

    /// When the last of it happened.
    pub fn until(&self) -> Timestamp {
        let last = self.happenings.last().map_or(0, |it| it.after_ms);
        self.from.plus_ms(i64::from(last))
    }
}
