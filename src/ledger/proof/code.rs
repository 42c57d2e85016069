//! A proof as a QR code: what the trainee keeps on paper (docs/spec/proof-v1.md, "As a QR code"). It
//! leaves out what can be computed (the root) and what can be had from others (that the terminal's
//! registration is in the log): its seal by the log's key vouches for that.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};

use super::super::tree::{PROOF_HASHES_MAX, TreeHash, included_root};
use super::Proof;
use crate::record::note::{HeadError, Line, Note, NoteError, SIGNATURES_MAX, TreeHead};
use crate::record::{Opening, SEALED_BYTES_MAX};

/// What its text begins with. Capitals, digits and the colon make the smaller QR codes.
const START: &str = "ROLLCALL-PROOF:";

/// Longest text: what a QR code of version 30 takes, error correction L, alphanumeric mode (ISO/IEC
/// 18004, table 7).
pub const CODE_CHARS_MAX: usize = 2_520;

/// A proof in the form for QR codes. Nothing in it is believed before `check_code`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Code {
    /// The record's place in the log.
    #[n(0)]
    pub index: u64,
    /// The record's complete sealed bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub record: Vec<u8>,
    /// The hashes of its inclusion proof, one after the other.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub hashes: Vec<u8>,
    /// Opens the record's person, unless erased.
    #[n(3)]
    pub person: Option<Opening>,
    /// The fact that registered the terminal with its key: complete sealed bytes.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub registration: Vec<u8>,
    /// The checkpoint's origin.
    #[n(5)]
    pub origin: String,
    /// The checkpoint's size.
    #[n(6)]
    pub size: u64,
    /// The lines that extend the checkpoint.
    #[n(7)]
    pub extensions: Vec<String>,
    /// Its signatures.
    #[n(8)]
    pub signatures: Vec<Signature>,
}

/// A signature line of the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Signature {
    /// The signer's name; none for the log, whose name is the origin.
    #[n(0)]
    pub name: Option<String>,
    /// The short id of the key and the signature.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// A text is no proof in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too long, or not the letters of one.
    #[error("a proof as text is {START} and letters, at most {CODE_CHARS_MAX} in all")]
    Text,
    /// The letters hold no proof.
    #[error("the letters hold no proof")]
    Content,
}

/// A proof cannot take this form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// Its checkpoint is no note.
    #[error("could not read the checkpoint")]
    Note(#[from] NoteError),
    /// Its checkpoint says nothing.
    #[error("could not read the checkpoint's text")]
    Head(#[from] HeadError),
    /// It is too large.
    #[error("could not fit {chars} characters into a QR code of {CODE_CHARS_MAX}")]
    TooLong {
        /// How many it needs.
        chars: usize,
    },
}

impl Code {
    /// The QR form of a proof, if it fits.
    pub fn of(proof: &Proof) -> Result<Self, NoCode> {
        let note: Note = proof.checkpoint.parse()?;
        let TreeHead { origin, size, root: _, extensions } = note.text().parse()?;
        let signature = |line: &Line| Signature {
            name: (line.name() != origin).then(|| line.name().to_owned()),
            bytes: line.bytes(),
        };
        let salt = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).ok();
        let code = Self {
            index: proof.record.index,
            record: proof.record.sealed.0.clone(),
            hashes: proof.record.proof.iter().flat_map(|hash| hash.0.iter().copied()).collect(),
            person: proof.person.as_ref().and_then(|opened| {
                Some(Opening { salt: salt(&opened.salt.0)?, person: opened.person })
            }),
            registration: proof.registration.sealed.0.clone(),
            signatures: note.lines().iter().map(signature).collect(),
            origin,
            size,
            extensions,
        };
        let chars = code.to_string().len();
        if chars > CODE_CHARS_MAX { Err(NoCode::TooLong { chars }) } else { Ok(code) }
    }

    /// The checkpoint, with the root that the inclusion proof gives; `None` where it gives none.
    pub(super) fn note(&self) -> Option<Note> {
        let hashes = self.hashes.chunks(32).map(|hash| hash.try_into().ok().map(TreeHash));
        let hashes: Vec<_> = hashes.collect::<Option<_>>()?;
        let leaf = TreeHash::of_sealed(&self.record);
        let TreeHash(root) = included_root(leaf, self.index, self.size, &hashes)?;
        let (origin, extensions) = (self.origin.clone(), self.extensions.clone());
        let text = TreeHead { origin, size: self.size, root, extensions }.to_string();
        let line = |signature: &Signature| {
            let name = signature.name.as_deref().unwrap_or(&self.origin);
            Line::from_parts(name, &signature.bytes)
        };
        let lines = self.signatures.iter().map(line).collect::<Option<_>>()?;
        // As text and back: what a note's text must look like is known in one place.
        Note::new(text, lines).to_string().parse().ok()
    }

    fn is_bounded(&self) -> bool {
        self.record.len() <= SEALED_BYTES_MAX
            && self.registration.len() <= SEALED_BYTES_MAX
            && self.hashes.len() <= PROOF_HASHES_MAX * 32
            && self.signatures.len() <= SIGNATURES_MAX
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = minicbor::to_vec(self).expect("writing to a vector cannot fail");
        write!(f, "{START}{}", BASE32_NOPAD.encode(&bytes))
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        if text.len() > CODE_CHARS_MAX {
            return Err(CodeError::Text);
        }
        let letters = text.strip_prefix(START).ok_or(CodeError::Text)?;
        let bytes = BASE32_NOPAD.decode(letters.as_bytes()).map_err(|_| CodeError::Text)?;
        let code: Self = minicbor::decode(&bytes).map_err(|_| CodeError::Content)?;
        // One form only, as everywhere.
        let again = minicbor::to_vec(&code).expect("writing to a vector cannot fail");
        if code.is_bounded() && again == bytes { Ok(code) } else { Err(CodeError::Content) }
    }
}
