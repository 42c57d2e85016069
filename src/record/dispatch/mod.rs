//! A dispatch: all that a terminal works by without asking anybody, from the centre
//! (docs/spec/dispatch-v1.md). Signed by the receipt key, then encrypted to the terminal's reading
//! key: the broker and whoever carries it see for whom it is, and how long.
//!
//! ```text
//! [ mark, terminal, encapsulated key, ciphertext ]
//!                                       └ COSE_Sign1 by the receipt key
//!                                           └ map: lessons, rosters, names, suspensions, policy
//! ```
//!
//! What its numbers mean to the terminal that has one already (newer? expired?) the terminal judges.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::{ByteSlice, ByteVec};
use minicbor::{Decode, Encode};

use crate::domain::{ClassId, Lesson, LessonId, PersonId, SiteId, TerminalId, Timestamp};
use crate::record::cose::{OpenError, Typ};
use crate::record::reading_key::{
    ENCAPSULATED_BYTES, Encrypted, ReadingKey, ReadingPublic, TAG_BYTES,
};
use crate::record::record_v1::decode_strictly;
use crate::record::statement::{Stated, kid_of, open_statement, seal_statement};
use crate::record::{SigningKey, VerifyingKey};

/// Longest dispatch, in bytes: a site of thirty classes of forty with a month of lessons. The broker's
/// limit for a message is the same.
pub const DISPATCH_BYTES_MAX: usize = 256 * 1024;

/// Begins a dispatch, and is the purpose that it is encrypted for.
const MARK: &str = "rollcall-dispatch-v1";

/// What stands around the ciphertext, at most: mark, name, encapsulated key, heads.
const FRAME_BYTES_MAX: usize = 128;

/// Longest name of a person, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Longest number on a card, in bytes.
pub const NUMBER_BYTES_MAX: usize = 64;

/// A lesson at the terminal's site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Taught {
    /// Its name.
    #[n(1)]
    pub id: LessonId,
    /// Of which class.
    #[n(2)]
    pub class: ClassId,
    /// First scheduled moment.
    #[n(3)]
    pub starts: Timestamp,
    /// First moment after it.
    #[n(4)]
    pub ends: Timestamp,
    /// Who teaches; she checks in as trainees do.
    #[n(5)]
    pub teacher: Option<PersonId>,
}

/// Who belongs to a class.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Roster {
    /// Which class.
    #[n(1)]
    pub class: ClassId,
    /// Its people, in the order of their ids.
    #[n(2)]
    pub people: Vec<PersonId>,
}

/// Who somebody of a roster is, or a teacher.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Known {
    /// Her id.
    #[n(1)]
    pub id: PersonId,
    /// Her name.
    #[n(2)]
    pub name: String,
    /// What is on her card, or what she types.
    #[n(3)]
    pub number: Option<String>,
    /// What her PIN is checked with.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub pin: Option<[u8; 32]>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({:?}, <name hidden>)", self.id)
    }
}

/// A time in which a status forbids lessons: of one class, of one lesson, or with neither of the whole
/// site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Suspension {
    /// First moment.
    #[n(1)]
    pub from: Timestamp,
    /// First moment after it, where there is an end.
    #[n(2)]
    pub until: Option<Timestamp>,
    /// Which class alone.
    #[n(3)]
    pub class: Option<ClassId>,
    /// Which lesson alone.
    #[n(4)]
    pub lesson: Option<LessonId>,
}

impl Suspension {
    /// Whether it holds at a moment, for a lesson that is under way or for none.
    pub fn holds(&self, now: Timestamp, lesson: Option<&Lesson>) -> bool {
        let meant = match (&self.class, &self.lesson) {
            (None, None) => true,
            (class, id) => lesson.is_some_and(|lesson| {
                class.as_ref().is_none_or(|class| *class == lesson.class)
                    && id.as_ref().is_none_or(|id| *id == lesson.id)
            }),
        };
        meant && self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A roll call that somebody who supervises has ordered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ordered {
    /// Names the order; the record of the roll call has it as its digest.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub order: [u8; 32],
    /// In which lesson.
    #[n(2)]
    pub lesson: LessonId,
    /// The centre's time when it was ordered.
    #[n(3)]
    pub at: Timestamp,
    /// How long each has to show the face, in minutes.
    #[n(4)]
    pub minutes: u32,
}

/// What the centre sends one terminal to work by.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Dispatch {
    /// For whom.
    #[n(1)]
    pub terminal: TerminalId,
    /// Higher than that of each dispatch before it.
    #[n(2)]
    pub version: u64,
    /// When the centre made it.
    #[n(3)]
    pub issued: Timestamp,
    /// Until when it is to be believed.
    #[n(4)]
    pub expires: Timestamp,
    /// Where the terminal stands.
    #[n(5)]
    pub site: SiteId,
    /// The site's lessons.
    #[n(6)]
    pub lessons: Vec<Taught>,
    /// The rosters of their classes.
    #[n(7)]
    pub rosters: Vec<Roster>,
    /// Everybody on them, and the teachers, as far as the centre knows who they are.
    #[n(8)]
    pub people: Vec<Known>,
    /// When lessons are forbidden here.
    #[n(9)]
    pub suspensions: Vec<Suspension>,
    /// The policy profile in force, the whole file.
    #[n(10)]
    pub policy: String,
    /// What the times of roll calls follow from; a centre of an earlier build sent none.
    #[n(11)]
    #[cbor(with = "minicbor::bytes")]
    pub spot_seed: Option<[u8; 32]>,
    /// Roll calls that were ordered here lately; `None` for none.
    #[n(12)]
    pub orders: Option<Vec<Ordered>>,
}

impl Stated for Dispatch {
    const TYP: Typ = Typ::Dispatch;
    const BYTES_MAX: usize = DISPATCH_BYTES_MAX - FRAME_BYTES_MAX - ENCAPSULATED_BYTES - TAG_BYTES;
}

/// A dispatch could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealDispatchError {
    /// There is too much for one.
    #[error("its {bytes} bytes are more than the {most} that a dispatch may have", most = Dispatch::BYTES_MAX)]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// Nobody could read it.
    #[error("the terminal's reading key is not usable")]
    Key,
}

/// A dispatch cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DispatchError {
    /// No dispatch.
    #[error("it is no dispatch: {0}")]
    Shape(String),
    /// For somebody else.
    #[error("it is for terminal {found}")]
    Other {
        /// For whom.
        found: TerminalId,
    },
    /// The cipher does not open.
    #[error(
        "it is encrypted to another reading key than this terminal's, or was changed on the way"
    )]
    Unreadable,
    /// The centre did not sign it.
    #[error("it is not from this terminal's centre")]
    Seal(#[source] OpenError),
    /// It contradicts itself.
    #[error("it contradicts itself: {0}")]
    Inside(String),
}

#[derive(Encode, Decode)]
struct Wire<'b> {
    #[b(0)]
    mark: &'b str,
    #[n(1)]
    terminal: TerminalId,
    #[b(2)]
    encapsulated: &'b ByteSlice,
    #[n(3)]
    ciphertext: ByteVec,
}

/// Signs a dispatch and encrypts it to its terminal. `chance`: 32 fresh random bytes.
pub fn seal_dispatch(
    dispatch: &Dispatch,
    centre: &SigningKey,
    to: &ReadingPublic,
    chance: [u8; 32],
) -> Result<Vec<u8>, SealDispatchError> {
    let sealed = seal_statement(dispatch, centre);
    if sealed.len() > Dispatch::BYTES_MAX {
        return Err(SealDispatchError::TooLong { bytes: sealed.len() });
    }
    let terminal = dispatch.terminal.clone();
    let encrypted = to
        .encrypt(&sealed, MARK.as_bytes(), terminal.as_str().as_bytes(), chance)
        .map_err(|_| SealDispatchError::Key)?;
    let Encrypted { encapsulated, ciphertext } = &encrypted;
    let (encapsulated, ciphertext) = (encapsulated[..].into(), ciphertext.clone().into());
    let wire = Wire { mark: MARK, terminal, encapsulated, ciphertext };
    Ok(minicbor::to_vec(wire).expect("writing to a vector cannot fail"))
}

/// Opens a dispatch for `terminal`, if one of the `centre`'s keys has signed it. All or nothing.
pub fn open_dispatch(
    bytes: &[u8],
    terminal: &TerminalId,
    reading: &ReadingKey,
    centre: &[VerifyingKey],
) -> Result<Dispatch, DispatchError> {
    let shape = |why: String| DispatchError::Shape(why);
    if bytes.len() > DISPATCH_BYTES_MAX {
        return Err(shape(format!("it has more than {DISPATCH_BYTES_MAX} bytes")));
    }
    let Wire { mark, terminal: found, encapsulated, ciphertext } =
        decode_strictly(bytes).map_err(|error| shape(error.to_string()))?;
    if mark != MARK {
        return Err(shape("another format, or a later version".into()));
    }
    if found != *terminal {
        return Err(DispatchError::Other { found });
    }
    let encapsulated: [u8; ENCAPSULATED_BYTES] = (**encapsulated)
        .try_into()
        .map_err(|_| shape("an encapsulated key of another length".into()))?;
    let encrypted = Encrypted { encapsulated, ciphertext: ciphertext.into() };
    let sealed = reading
        .decrypt(&encrypted, MARK.as_bytes(), terminal.as_str().as_bytes())
        .map_err(|_| DispatchError::Unreadable)?;
    let kid = kid_of::<Dispatch>(&sealed).map_err(DispatchError::Seal)?;
    let newest = centre.last().ok_or_else(|| DispatchError::Inside("no centre is known".into()))?;
    let key = centre.iter().rfind(|key| key.id() == kid).unwrap_or(newest);
    let dispatch: Dispatch = open_statement(&sealed, key).map_err(DispatchError::Seal)?;
    if dispatch.terminal != *terminal {
        return Err(DispatchError::Other { found: dispatch.terminal });
    }
    dispatch.consistent().map_err(DispatchError::Inside)?;
    Ok(dispatch)
}

impl Dispatch {
    /// Whether its parts fit each other; else what does not.
    fn consistent(&self) -> Result<(), String> {
        if self.expires <= self.issued {
            return Err("it expires before it begins".into());
        }
        let rosters: BTreeMap<_, _> = self.rosters.iter().map(|it| (&it.class, it)).collect();
        if rosters.len() != self.rosters.len() {
            return Err("a class stands twice in it".into());
        }
        let mut seen = BTreeSet::new();
        for Taught { id, class, starts, ends, .. } in &self.lessons {
            if ends <= starts {
                return Err(format!("lesson {id} ends before it starts"));
            }
            if !rosters.contains_key(class) {
                return Err(format!("lesson {id} belongs to class {class}, which is not in it"));
            }
            if !seen.insert(id) {
                return Err(format!("lesson {id} stands twice in it"));
            }
        }
        let mut orders = BTreeSet::new();
        for Ordered { order, lesson, minutes, .. } in self.orders.iter().flatten() {
            if !orders.insert(order) || *minutes == 0 {
                return Err(format!("a roll call of {lesson} is ordered twice, or for no minute"));
            }
        }
        let (mut people, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for Known { id, name, number, .. } in &self.people {
            let number = number.as_deref();
            let long = number.is_some_and(|it| !(1..=NUMBER_BYTES_MAX).contains(&it.len()));
            if long || !(1..=NAME_BYTES_MAX).contains(&name.len()) {
                return Err(format!("the name or number of {id:?} is empty or too long"));
            }
            if !people.insert(id) || number.is_some_and(|number| !numbers.insert(number)) {
                return Err(format!("{id:?}, or her number, stands twice in it"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
