//! Facts of the centre's side. The ledger holds them beside the attendance records, so that
//! rules read nothing else and nobody can backdate a class (docs/decisions/0007).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{
    Activity, Bilingual, ClassId, InstitutionId, Lesson, Platform, Project, SiteId, TerminalId,
};
use super::{
    CaseStep, Claim, ClaimLine, ClassPlan, Held, InstitutionDetails, Joined, Left, LessonDetails,
    Objected, RollOrder, Status, Teacher, Trial,
};

/// A place on earth, in millionths of a degree (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct GeoPoint {
    /// North positive.
    #[n(1)]
    pub latitude_e6: i32,
    /// East positive.
    #[n(2)]
    pub longitude_e6: i32,
}

/// Something that the centre states, at the moment when its entry is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// An institution is registered.
    #[n(1)]
    #[cbor(map)]
    Institution {
        /// Its id.
        #[n(1)]
        id: InstitutionId,
        /// Its name.
        #[n(2)]
        name: Bilingual,
    },
    /// A site of an institution is registered.
    #[n(2)]
    #[cbor(map)]
    Site {
        /// Its id.
        #[n(1)]
        id: SiteId,
        /// Whose site.
        #[n(2)]
        institution: InstitutionId,
        /// Its name.
        #[n(3)]
        name: Bilingual,
        /// The town it lies in.
        #[n(4)]
        town: Bilingual,
        /// Where it lies.
        #[n(5)]
        place: GeoPoint,
    },
    /// A terminal with its record key is registered for a site.
    #[n(3)]
    #[cbor(map)]
    Terminal {
        /// Its id.
        #[n(1)]
        id: TerminalId,
        /// Where it stands.
        #[n(2)]
        site: SiteId,
        /// Its Ed25519 verification key, 32 bytes.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        key: [u8; 32],
    },
    /// A class is registered, with its roster by commitment only.
    #[n(4)]
    #[cbor(map)]
    Class {
        /// Its id.
        #[n(1)]
        id: ClassId,
        /// Whose class.
        #[n(2)]
        institution: InstitutionId,
        /// Its name.
        #[n(3)]
        name: Bilingual,
        /// How many persons the roster has.
        #[n(4)]
        persons: u32,
        /// SHA-256 over a random salt and the sorted person ids of the roster.
        #[n(5)]
        #[cbor(with = "minicbor::bytes")]
        roster: [u8; 32],
    },
    /// A lesson is put on the timetable.
    #[n(5)]
    Lesson(#[n(0)] Lesson),
    /// A policy profile comes into force.
    #[n(6)]
    #[cbor(map)]
    Policy {
        /// Name and version, as in `sichuan-2025/1`.
        #[n(1)]
        profile: String,
        /// SHA-256 of the profile's file.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
    },
    /// Time passed at the centre and nothing else is said: lets silence be judged by the same fold.
    #[n(7)]
    Tick,
    /// Another key follows the one that a terminal sealed its records with.
    #[n(8)]
    #[cbor(map)]
    TerminalKey {
        /// Which terminal.
        #[n(1)]
        id: TerminalId,
        /// Its next Ed25519 verification key, 32 bytes.
        #[n(2)]
        #[cbor(with = "minicbor::bytes")]
        key: [u8; 32],
        /// The terminal's own word for it: a `rollcall-succession-v1`, sealed with the key before.
        #[n(3)]
        #[cbor(with = "minicbor::bytes")]
        proof: Vec<u8>,
    },
    /// A terminal is let in no more: what it sends from here on is refused, what it sent stays.
    #[n(9)]
    #[cbor(map)]
    Revocation {
        /// Which terminal.
        #[n(1)]
        id: TerminalId,
        /// Why, in words.
        #[n(2)]
        reason: String,
    },
    /// A terminal came in the place of another one, whose records stay as they are.
    #[n(10)]
    #[cbor(map)]
    Replacement {
        /// The new terminal.
        #[n(1)]
        id: TerminalId,
        /// The one in whose place it came.
        #[n(2)]
        replaces: TerminalId,
    },
    // 11 to 15 are left for keys and terminals.
    /// More about an institution.
    #[n(16)]
    InstitutionDetails(#[n(0)] InstitutionDetails),
    /// What a class teaches.
    #[n(17)]
    ClassPlan(#[n(0)] ClassPlan),
    /// More about a lesson.
    #[n(18)]
    LessonDetails(#[n(0)] LessonDetails),
    /// Somebody is on a roster.
    #[n(19)]
    Joined(#[n(0)] Joined),
    /// Somebody is no longer on it.
    #[n(20)]
    Left(#[n(0)] Left),
    /// Somebody teaches at an institution.
    #[n(21)]
    Teacher(#[n(0)] Teacher),
    /// A dated state.
    #[n(22)]
    Status(#[n(0)] Status),
    /// A subsidy is asked for.
    #[n(23)]
    Claim(#[n(0)] Claim),
    /// One person of a claim.
    #[n(24)]
    ClaimLine(#[n(0)] ClaimLine),
    /// The roll is to be called.
    #[n(25)]
    RollOrdered(#[n(0)] RollOrder),
    /// Somebody with the regulator's key is about to look at an evidence picture.
    #[n(26)]
    #[cbor(map)]
    PictureOpened {
        /// SHA-256 of its sealed file, as the terminal's notice has it.
        #[n(1)]
        #[cbor(with = "minicbor::bytes")]
        digest: [u8; 32],
        /// Whose camera took it.
        #[n(2)]
        terminal: TerminalId,
        /// The record that it belongs to.
        #[n(3)]
        seq: u64,
        /// Who opens it.
        #[n(4)]
        by: String,
        /// Why.
        #[n(5)]
        reason: String,
    },
    /// Somebody does something about a case.
    #[n(27)]
    CaseStep(#[n(0)] CaseStep),
    /// A training project is published.
    #[n(28)]
    Project(#[n(0)] Project),
    /// Somebody holds a certificate, or drew a subsidy, elsewhere.
    #[n(29)]
    Held(#[n(0)] Held),
    /// What was claimed or engaged goes beyond a limit.
    #[n(30)]
    Objected(#[n(0)] Objected),
    /// An online platform is registered.
    #[n(31)]
    Platform(#[n(0)] Platform),
    /// A stretch of a session on a platform.
    #[n(32)]
    Activity(#[n(0)] Activity),
    /// A policy profile is tried out, or no longer, or promoted.
    #[n(33)]
    Trial(#[n(0)] Trial),
}
