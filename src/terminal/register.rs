//! What a terminal keeps of people beside plan and templates: who agreed to what, when a template was
//! made, PINs, and who of the staff may do what only staff may. It lies encrypted on the terminal
//! (`register_file.rs`) and leaves it never.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::share::{Newest, Standing};
use crate::checkin::pin::Verifier;
use crate::domain::{PersonId, Timestamp};

/// Everything, by person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Register {
    /// Trainees.
    #[n(1)]
    pub trainees: BTreeMap<PersonId, Trainee>,
    /// Members of the staff.
    #[n(2)]
    pub staff: BTreeMap<PersonId, Member>,
    /// Where the terminal stands with templates of its institution's others.
    #[n(3)]
    pub share: Option<Standing>,
}

/// What is kept of a trainee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Trainee {
    /// To what she agreed.
    #[n(1)]
    pub consent: Option<Consent>,
    /// When the template of her face was made.
    #[n(2)]
    pub template_made: Option<Timestamp>,
    /// Her PIN.
    #[n(3)]
    pub pin: Option<Verifier>,
    /// The newest change of her template that is known, at whatever terminal it was made.
    #[n(4)]
    pub share: Option<Newest>,
}

/// A consent that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Consent {
    /// SHA-256 of the text that she read.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub text: [u8; 32],
    /// When.
    #[n(2)]
    pub at: Timestamp,
}

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// What she types, or what is on her card.
    #[n(1)]
    pub number: String,
    /// Her name, for the list.
    #[n(2)]
    pub name: String,
    /// Her PIN.
    #[n(3)]
    pub pin: Verifier,
}

impl Register {
    /// Her PIN, if she has one.
    pub fn pin(&self, person: &PersonId) -> Option<&Verifier> {
        self.trainees.get(person)?.pin.as_ref()
    }

    /// Whose number this is among the staff.
    pub fn member(&self, number: &str) -> Option<(PersonId, &Member)> {
        let found = self.staff.iter().find(|(_, member)| member.number == number);
        found.map(|(person, member)| (*person, member))
    }

    /// What is kept of her, to be changed.
    pub fn of(&mut self, person: PersonId) -> &mut Trainee {
        self.trainees.entry(person).or_default()
    }

    /// Whose templates were made before `before`.
    pub fn expired(&self, before: Timestamp) -> Vec<PersonId> {
        let old = |trainee: &Trainee| trainee.template_made.is_some_and(|made| made < before);
        self.trainees.iter().filter(|(_, trainee)| old(trainee)).map(|(who, _)| *who).collect()
    }
}
