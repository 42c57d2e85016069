//! Who the people behind commitments are, beside the ledger: a name, and an identification number
//! as HMAC-SHA-256 (RFC 2104) under a key of the centre, never the number itself. Whoever is erased
//! here is erased for good; ledger, tree and proofs stay as they are (docs/spec/facts-v1.md).

mod sqlite;

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub use sqlite::{People, PeopleError};

use crate::domain::{IdNumber, PersonId, TerminalId};
use crate::record::{Opening, SALT_BYTES};

/// A keyed hash of an identification number: tells two apart, and tells nobody without the key what
/// the number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub [u8; 32]);

impl Tag {
    /// The tag of a number under the centre's key.
    pub fn of(key: &[u8; 32], number: &IdNumber) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(b"rollcall-id-number-v1");
        mac.update(number.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }
}

/// What a terminal's random roll calls follow from: the same as long as the centre's key is, so that the
/// centre can say afterwards when the roll was to be called. Tells nothing of the key.
pub fn spot_seed(key: &[u8; 32], terminal: &TerminalId) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"rollcall-spot-seed-v1");
    mac.update(terminal.as_str().as_bytes());
    mac.finalize().into_bytes().into()
}

/// Whom a row names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Her name, where it is given.
    pub name: Option<String>,
    /// Her number, where it is given.
    pub number: Option<IdNumber>,
    /// Her id at this centre, where it is given.
    pub person: Option<PersonId>,
    /// What is on her card, or what she types at a terminal, where it is given.
    pub card: Option<String>,
}

/// What has to be kept before the facts are stated. A crash between the two leaves people whom no
/// entry knows; the same import finds them again and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Somebody new, or somebody whose name is new.
    Person {
        /// Who.
        id: PersonId,
        /// Her name.
        name: String,
        /// Her number.
        tag: Tag,
    },
    /// What is on somebody's card.
    Card {
        /// Whose.
        person: PersonId,
        /// The number on it.
        card: String,
    },
    /// What opens a commitment.
    Opening {
        /// For which roster or engagement.
        scope: String,
        /// The opening.
        opening: Opening,
    },
}

/// Why a row names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nobody {
    /// Neither number nor person.
    Neither,
    /// The person is not known here.
    Unknown,
    /// Number and person are not the same.
    Another,
    /// A new person needs a name.
    Nameless,
}

/// Finds people by what rows say, and makes what is new. Pure but for the look-ups: chance comes as
/// an argument.
pub struct Resolver<'p> {
    people: &'p People,
    key: [u8; 32],
    chance: fn() -> [u8; 32],
    tags: HashMap<Tag, (PersonId, String)>,
    openings: HashMap<(String, PersonId), Opening>,
    changes: Vec<Change>,
}

impl<'p> Resolver<'p> {
    /// Resolves against `people`; `chance` gives random bytes.
    pub fn new(people: &'p People, key: [u8; 32], chance: fn() -> [u8; 32]) -> Self {
        let (tags, openings) = (HashMap::new(), HashMap::new());
        Self { people, key, chance, tags, openings, changes: Vec::new() }
    }

    /// The person whom a row means, and whether her name is another than before.
    pub fn person(&mut self, who: &Who) -> Result<Result<(PersonId, bool), Nobody>, PeopleError> {
        let found = self.named(who)?;
        if let (Ok((person, _)), Some(card)) = (found, &who.card) {
            self.changes.push(Change::Card { person, card: card.clone() });
        }
        Ok(found)
    }

    fn named(&mut self, who: &Who) -> Result<Result<(PersonId, bool), Nobody>, PeopleError> {
        let Some(number) = &who.number else {
            let Some(person) = who.person else { return Ok(Err(Nobody::Neither)) };
            let known = self.people.name(person)?.is_some()
                || self.tags.values().any(|(known, _)| *known == person);
            return Ok(if known { Ok((person, false)) } else { Err(Nobody::Unknown) });
        };
        let tag = Tag::of(&self.key, number);
        let known = match self.tags.get(&tag) {
            Some(known) => Some(known.clone()),
            None => self.people.by_tag(&tag)?,
        };
        let (id, old) = match known {
            Some((id, old)) => (id, Some(old)),
            None => {
                let mut id = [0; 16];
                id.copy_from_slice(&(self.chance)()[..16]);
                (PersonId(id), None)
            }
        };
        if who.person.is_some_and(|person| person != id) {
            return Ok(Err(Nobody::Another));
        }
        let Some(name) = who.name.clone().or_else(|| old.clone()) else {
            return Ok(Err(Nobody::Nameless));
        };
        let renamed = old.as_ref().is_some_and(|old| *old != name);
        if old.as_ref() != Some(&name) {
            self.changes.push(Change::Person { id, name: name.clone(), tag });
        }
        self.tags.insert(tag, (id, name));
        Ok(Ok((id, renamed)))
    }

    /// Her commitment in one scope; made where there is none.
    pub fn commitment(&mut self, scope: &str, person: PersonId) -> Result<[u8; 32], PeopleError> {
        if let Some(opening) = self.standing(scope, person)? {
            return Ok(opening.commitment().0);
        }
        let salt: [u8; SALT_BYTES] = (self.chance)();
        let opening = Opening { salt, person };
        self.changes.push(Change::Opening { scope: scope.to_owned(), opening });
        self.openings.insert((scope.to_owned(), person), opening);
        Ok(opening.commitment().0)
    }

    /// Her opening in one scope, where there is one.
    pub fn standing(&self, scope: &str, person: PersonId) -> Result<Option<Opening>, PeopleError> {
        match self.openings.get(&(scope.to_owned(), person)) {
            Some(opening) => Ok(Some(*opening)),
            None => self.people.opening(scope, person),
        }
    }

    /// What has to be kept.
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

/// The scope of a class's roster.
pub fn roster_scope(class: &crate::domain::ClassId) -> String {
    format!("class/{class}")
}

/// The scope of a teacher's engagement.
pub fn teacher_scope(teacher: &crate::domain::TeacherId) -> String {
    format!("teacher/{teacher}")
}

/// The scope of something that somebody holds from elsewhere.
pub fn held_scope(held: &crate::domain::HeldId) -> String {
    format!("held/{held}")
}
