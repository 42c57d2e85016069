//! The people whom a terminal can recognise: one template each, the mean direction of her
//! enrolment pictures. Comparing answers with persons and scores, never with vectors.

use std::collections::BTreeMap;
use std::fmt;

use super::embed::Embedding;
use super::manifest::Thresholds;
use super::transform::Transform;
use crate::domain::{Candidate, PersonId, Score};

/// Most people of one terminal: a large site's whole year. From it follows the size of the
/// encrypted file (256 floats each: 10 MB) and the time of one comparison (about a millisecond).
pub const PEOPLE_MAX: usize = 10_000;

/// A person cannot be enrolled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnrolError {
    /// No picture, or pictures that cancel each other out.
    #[error("could not enrol the person: there is no usable picture of the face")]
    NoPicture,
    /// The pictures do not show one person.
    #[error(
        "could not enrol the person: the pictures do not show the same face (lowest score {lowest}, at least {wanted} is needed)"
    )]
    NotOnePerson {
        /// Of a picture against the mean of all.
        lowest: Score,
        /// The pack's match threshold.
        wanted: Score,
    },
    /// The bound.
    #[error("could not enrol the person: the gallery is full ({PEOPLE_MAX} people)")]
    Full,
    /// Vectors of another net.
    #[error("could not enrol the person: the embedding was made by another model")]
    OtherModel,
}

/// Templates by person, all made by one embedding model.
#[derive(Clone, PartialEq)]
pub struct Gallery {
    model: [u8; 32],
    /// Key of the rotation that all templates have passed ([`super::Transform`]).
    transform: [u8; 32],
    people: BTreeMap<PersonId, Embedding>,
}

impl Gallery {
    /// An empty one for the embedding model with this digest
    /// ([`Pipeline::embedding_digest`](super::Pipeline::embedding_digest)).
    pub fn new(model: [u8; 32]) -> Self {
        Self { model, transform: [0; 32], people: BTreeMap::new() }
    }

    /// The same for templates that have passed the rotation of this key.
    #[must_use]
    pub fn with_transform(self, key: [u8; 32]) -> Self {
        Self { transform: key, ..self }
    }

    /// Key of the rotation that a face must pass before it is compared with these templates.
    pub fn transform(&self) -> [u8; 32] {
        self.transform
    }

    /// The same people under another key: whoever has a template of before can compare it with
    /// nothing any more.
    #[must_use]
    pub fn renewed(&self, key: [u8; 32]) -> Self {
        let floats = self.people.values().next().map_or(0, |one| one.as_slice().len());
        let (old, new) = (Transform::new(self.transform, floats), Transform::new(key, floats));
        let people = self.people.iter().map(|(person, face)| (*person, new.apply(&old.undo(face))));
        Self { model: self.model, transform: key, people: people.collect() }
    }

    /// Digest of the embedding model that all templates were made by.
    pub fn model(&self) -> &[u8; 32] {
        &self.model
    }

    /// Puts a person in, or in place of her earlier template. Pictures that score below `same`
    /// against their mean do not show one person, and nothing is changed.
    pub fn enrol(
        &mut self,
        person: PersonId,
        pictures: &[Embedding],
        same: Score,
    ) -> Result<(), EnrolError> {
        let template = Embedding::mean(pictures).ok_or(EnrolError::NoPicture)?;
        let lowest = pictures.iter().map(|one| Score::from_f32(one.cosine(&template))).min();
        match lowest {
            Some(lowest) if lowest < same => Err(EnrolError::NotOnePerson { lowest, wanted: same }),
            Some(_) | None => self.insert(person, template),
        }
    }

    pub(super) fn insert(
        &mut self,
        person: PersonId,
        template: Embedding,
    ) -> Result<(), EnrolError> {
        if !self.people.contains_key(&person) && self.people.len() >= PEOPLE_MAX {
            return Err(EnrolError::Full);
        }
        let known = self.people.values().next();
        if known.is_some_and(|known| known.as_slice().len() != template.as_slice().len()) {
            return Err(EnrolError::OtherModel);
        }
        self.people.insert(person, template);
        Ok(())
    }

    /// A person's template without the rotation `turn`, which is this gallery's, as bytes: for the other
    /// terminals of her institution, which rotate otherwise.
    pub fn give(&self, person: &PersonId, turn: &Transform) -> Option<Vec<u8>> {
        let face = turn.undo(self.people.get(person)?);
        Some(face.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Puts a person in whose template another terminal gave; what she had before is handed back.
    pub fn take(
        &mut self,
        person: PersonId,
        given: &[u8],
        turn: &Transform,
    ) -> Result<Option<Embedding>, EnrolError> {
        let (values, rest) = given.as_chunks::<4>();
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match Embedding::stored(values) {
            Some(face) if rest.is_empty() => {
                let before = self.people.get(&person).cloned();
                self.insert(person, turn.apply(&face)).map(|()| before)
            }
            Some(_) | None => Err(EnrolError::NoPicture),
        }
    }

    /// Undoes a [`Self::take`].
    pub fn put_back(&mut self, person: PersonId, before: Option<Embedding>) {
        match before {
            Some(face) => drop(self.people.insert(person, face)),
            None => drop(self.people.remove(&person)),
        }
    }

    /// Takes a person out; whether she was in.
    pub fn remove(&mut self, person: &PersonId) -> bool {
        self.people.remove(person).is_some()
    }

    /// Whether the person has a template.
    pub fn contains(&self, person: &PersonId) -> bool {
        self.people.contains_key(person)
    }

    /// Who has a template.
    pub fn persons(&self) -> impl Iterator<Item = PersonId> {
        self.people.keys().copied()
    }

    /// Who of `others` is most like `person`, template against template; `None` where one has none.
    pub fn most_like(&self, person: &PersonId, others: &[PersonId]) -> Option<Candidate> {
        self.compare(self.people.get(person)?, None, others).best
    }

    /// Who else has the face of `person`, by the strictness of a search among all who have a template
    /// here, and at least confidently.
    pub fn somebody_else(
        &self,
        person: &PersonId,
        thresholds: &Thresholds,
        fpir_max: f64,
    ) -> Option<Candidate> {
        let others: Vec<_> = self.persons().filter(|other| other != person).collect();
        let threshold =
            thresholds.search_threshold(others.len(), fpir_max).max(thresholds.confident.cosine);
        self.most_like(person, &others).filter(|best| best.score >= threshold)
    }

    /// How many people.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    pub(super) fn people(&self) -> impl Iterator<Item = (&PersonId, &Embedding)> {
        self.people.iter()
    }

    /// How similar a face is to a person's template, if she has one.
    pub fn score(&self, face: &Embedding, person: &PersonId) -> Option<Score> {
        self.people.get(person).map(|template| Score::from_f32(face.cosine(template)))
    }

    /// Compares a face with the claimed person, on the roster or not, and with everybody of the
    /// roster who has a template. Equal scores go by the order of the roster.
    pub fn compare(
        &self,
        face: &Embedding,
        claim: Option<PersonId>,
        roster: &[PersonId],
    ) -> Comparison {
        let score = |person| self.score(face, person);
        let (mut best, mut second) = (None::<Candidate>, None::<Candidate>);
        for person in roster {
            let Some(score) = score(person) else { continue };
            let candidate = Candidate { person: *person, score };
            if best.is_none_or(|best| score > best.score) {
                // A roster that names somebody twice does not make her her own rival.
                if best.is_some_and(|best| best.person != *person) {
                    second = best;
                }
                best = Some(candidate);
            } else if best.is_some_and(|best| best.person != *person)
                && second.is_none_or(|second| score > second.score)
            {
                second = Some(candidate);
            }
        }
        Comparison { claimed: claim.as_ref().and_then(score), best, second }
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gallery(<templates hidden>)")
    }
}

/// What a face is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// Score against the claimed person, if she has a template.
    pub claimed: Option<Score>,
    /// The most similar person of the roster.
    pub best: Option<Candidate>,
    /// The most similar other person of the roster.
    pub second: Option<Candidate>,
}
