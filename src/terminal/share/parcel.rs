//! What is in a share: whose template, who made it, when, by which model, and to what she agreed; or that
//! there is none any more. It is encrypted under the institution key and has one length for all.

use minicbor::{Decode, Encode};

use super::key::InstitutionKey;
use super::merge::Rank;
use crate::domain::{InstitutionId, PersonId, TerminalId, Timestamp};
use crate::platform::aead::{self, NONCE_BYTES};
use crate::record::share::Share;
use crate::record::{OpenError, peek_statement};
use crate::terminal::register::Consent;

/// Every content is filled up to this length: 512 numbers and all that stands beside them. So nobody
/// tells by its length whether it is a template.
const CONTENT_BYTES: usize = 2560;

/// The plaintext.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inside {
    /// Whose.
    #[n(1)]
    pub person: PersonId,
    /// Where the change was made; whoever sends it may be another terminal.
    #[n(2)]
    pub origin: TerminalId,
    /// Her template; without it, there is none any more.
    #[n(3)]
    pub template: Option<Template>,
}

/// A template on its way.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Template {
    /// When it was made: it expires by this, wherever it is.
    #[n(1)]
    pub made: Timestamp,
    /// Digest of the embedding model.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub model: [u8; 32],
    /// To what she agreed.
    #[n(3)]
    pub consent: Option<Consent>,
    /// The numbers, without any terminal's rotation.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub floats: Vec<u8>,
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inside(<hidden>)")
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template(<hidden>)")
    }
}

/// A template of a model with more than 512 numbers cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a template of this model is too long to be shared")]
pub struct TooLong;

/// A parcel is passed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Passed {
    /// It is no share.
    #[error("it is no share")]
    Shape(#[source] OpenError),
    /// It is for others.
    #[error("it is of another institution")]
    Institution,
    /// Another key encrypts it.
    #[error("it was made under another institution key than this terminal's")]
    OtherKey,
    /// The cipher does not open.
    #[error("it was changed, or whoever made it has not the institution key")]
    Unreadable,
    /// It holds something else.
    #[error("its content is none of this version, or stands in another person's place")]
    Content,
}

impl Passed {
    /// Stable word for the log.
    pub fn code(&self) -> &'static str {
        match self {
            Passed::Shape(_) => "share_shape",
            Passed::Institution => "share_other_institution",
            Passed::OtherKey => "share_other_key",
            Passed::Unreadable => "share_unreadable",
            Passed::Content => "share_content",
        }
    }
}

impl Inside {
    /// Encrypts it for the terminals of an institution. The nonce is fresh and random.
    pub fn seal(
        &self,
        key: &InstitutionKey,
        terminal: TerminalId,
        institution: InstitutionId,
        changed: Timestamp,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Share, TooLong> {
        let said = minicbor::to_vec(self).expect("writing to a vector cannot fail");
        let length = u16::try_from(said.len()).map_err(|_| TooLong)?;
        let mut plain = [&length.to_be_bytes()[..], &said].concat();
        if plain.len() > CONTENT_BYTES {
            return Err(TooLong);
        }
        plain.resize(CONTENT_BYTES, 0);
        let (mark, slot, content) = (key.mark(), key.slot(&self.person), Vec::new());
        let mut share = Share { terminal, institution, key: mark, slot, changed, nonce, content };
        share.content = aead::seal(key.cipher(), &nonce, &share.beside(), &plain);
        Ok(share)
    }

    /// Opens a sealed share. Who signed it, the centre has looked at: here it counts that whoever made it
    /// has the institution key.
    pub fn open(
        sealed: &[u8],
        key: &InstitutionKey,
        institution: &InstitutionId,
    ) -> Result<(Self, Rank), Passed> {
        let share: Share = peek_statement(sealed).map_err(Passed::Shape)?;
        if share.institution != *institution {
            return Err(Passed::Institution);
        }
        if share.key != key.mark() {
            return Err(Passed::OtherKey);
        }
        let plain = aead::open(key.cipher(), &share.nonce, &share.beside(), &share.content);
        let plain = plain.ok_or(Passed::Unreadable)?;
        let inside = Self::read(&plain).filter(|it| key.slot(&it.person) == share.slot);
        let inside = inside.ok_or(Passed::Content)?;
        let (deleted, origin) = (inside.template.is_none(), inside.origin.clone());
        Ok((inside, Rank { changed: share.changed, deleted, origin }))
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (length, rest) = plain.split_first_chunk::<2>()?;
        let said = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        minicbor::decode(said).ok()
    }
}
