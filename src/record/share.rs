//! Shares: a person's template on its way from one terminal to the others of its institution, through
//! a centre that cannot read it (docs/spec/share-v1.md).
//!
//! ```text
//! terminal ══ Share: COSE_Sign1 by its record key, the content encrypted ══► centre
//! terminal ══ ShareAsk: all behind this place, please ══════════════════════► centre
//! terminal ◄═ Shared: COSE_Sign1 by the receipt key, some shares as they came ══ centre
//! ```
//!
//! What is inside, and under which key, only terminals know.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::cose::{OpenError, Typ};
use super::record_v1::decode_strictly;
use super::statement::Stated;
use crate::domain::{InstitutionId, TerminalId, Timestamp};

/// Longest share, in bytes: its content has one length for all, and there is room for the longest
/// names around it.
pub const SHARE_BYTES_MAX: usize = 4096;

/// Most shares of one answer: a terminal keeps them within a second or so, and people do not wait
/// before its camera for longer.
pub const SHARED_PARCELS_MAX: usize = 32;

/// Longest answer.
pub const SHARED_BYTES_MAX: usize = SHARED_PARCELS_MAX * (SHARE_BYTES_MAX + 3) + 1024;

/// Longest question.
const ASK_BYTES_MAX: usize = 256;

const ASK_MARK: &str = "rollcall-share-ask-v1";

/// A change of one person's template, as the centre sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Share {
    /// Who sends it.
    #[n(1)]
    pub terminal: TerminalId,
    /// For the terminals of this institution.
    #[n(2)]
    pub institution: InstitutionId,
    /// Which institution key encrypts it: the first bytes of a keyed hash.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub key: [u8; 8],
    /// Stands for the person: a keyed hash that only terminals can compute.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub slot: [u8; 16],
    /// When it changed: of two in one slot the later one counts.
    #[n(5)]
    pub changed: Timestamp,
    /// Nonce of the cipher.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; 24],
    /// The content, encrypted.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub content: Vec<u8>,
}

impl Stated for Share {
    const TYP: Typ = Typ::Share;
    const BYTES_MAX: usize = SHARE_BYTES_MAX;
}

impl Share {
    /// What is authenticated beside the content: all that stands readable, so that nothing of it can be
    /// exchanged. Names hold no line breaks.
    pub fn beside(&self) -> Vec<u8> {
        let Self { terminal, institution, key, slot, changed, .. } = self;
        let mut bytes =
            format!("{}\n{terminal}\n{institution}\n", Typ::Share.as_str()).into_bytes();
        bytes.extend(key);
        bytes.extend(slot);
        bytes.extend(changed.as_ms().to_be_bytes());
        bytes
    }
}

/// Up to where a terminal has all shares.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Have {
    /// Of which institution.
    #[n(1)]
    pub institution: InstitutionId,
    /// Names the centre's file of shares: another one counts anew.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub epoch: [u8; 16],
    /// The last number that it has.
    #[n(3)]
    pub upto: u64,
}

/// A terminal's question for shares. Not signed: whoever forges one makes the centre send a terminal what
/// it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareAsk {
    /// Random; the answer carries it.
    pub nonce: [u8; 16],
    /// What it has already; without it, everything is sent.
    pub have: Option<Have>,
}

#[derive(Encode, Decode)]
struct Wire<'b> {
    #[b(0)]
    mark: &'b str,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    nonce: [u8; 16],
    #[n(2)]
    have: Option<Have>,
}

impl ShareAsk {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let wire = Wire { mark: ASK_MARK, nonce: self.nonce, have: self.have.clone() };
        minicbor::to_vec(wire).expect("writing to a vector cannot fail")
    }

    /// Reads it; what it is not is told.
    pub fn decode(bytes: &[u8]) -> Result<Self, OpenError> {
        if bytes.len() > ASK_BYTES_MAX {
            return Err(OpenError::TooLong { bytes: bytes.len(), most: ASK_BYTES_MAX });
        }
        let Wire { mark, nonce, have } = decode_strictly(bytes)?;
        if mark != ASK_MARK {
            return Err(OpenError::Type { wanted: ASK_MARK });
        }
        Ok(Self { nonce, have })
    }
}

/// Some of the shares that a terminal asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Shared {
    /// For whom.
    #[n(1)]
    pub terminal: TerminalId,
    /// The question's nonce: an old answer cannot be played again.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    /// Whose terminal it is, by the ledger.
    #[n(3)]
    pub institution: InstitutionId,
    /// Names the centre's file of shares.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub epoch: [u8; 16],
    /// The terminal has everything up to this number now.
    #[n(5)]
    pub upto: u64,
    /// Whether there is more behind it.
    #[n(6)]
    pub more: bool,
    /// Sealed [`Share`]s, as they came.
    #[n(7)]
    pub parcels: Vec<ByteVec>,
}

impl Stated for Shared {
    const TYP: Typ = Typ::Shared;
    const BYTES_MAX: usize = SHARED_BYTES_MAX;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{SigningKey, open_statement, seal_statement};

    fn name<T: std::str::FromStr>(text: &str) -> T
    where
        T::Err: std::fmt::Debug,
    {
        text.parse().unwrap()
    }

    #[test]
    fn a_question_comes_back_from_its_bytes_and_anything_else_is_none() {
        let have = Have { institution: name("i-1"), epoch: [3; 16], upto: 7 };
        for ask in
            [ShareAsk { nonce: [1; 16], have: None }, ShareAsk { nonce: [1; 16], have: Some(have) }]
        {
            let bytes = ask.encode();
            assert_eq!(ShareAsk::decode(&bytes), Ok(ask));
            for cut in 0..bytes.len() {
                assert!(ShareAsk::decode(&bytes[..cut]).is_err());
            }
        }
        assert!(ShareAsk::decode(&[0x80; 300]).is_err());
    }

    #[test]
    fn the_longest_share_and_the_longest_answer_keep_their_bounds() {
        let long = "a".repeat(40);
        let key = SigningKey::from_secret(&[7; 32]);
        let share = Share {
            terminal: name(&long),
            institution: name(&long),
            key: [1; 8],
            slot: [2; 16],
            changed: Timestamp::from_ms(i64::MAX / 2),
            nonce: [3; 24],
            content: vec![4; 2576],
        };
        let sealed = seal_statement(&share, &key);
        assert_eq!(open_statement::<Share>(&sealed, &key.verifying_key()), Ok(share));
        let parcels = vec![vec![0; SHARE_BYTES_MAX].into(); SHARED_PARCELS_MAX];
        let answer = Shared {
            terminal: name(&long),
            nonce: [1; 16],
            institution: name(&long),
            epoch: [2; 16],
            upto: u64::MAX,
            more: true,
            parcels,
        };
        let sealed = seal_statement(&answer, &key);
        assert_eq!(open_statement::<Shared>(&sealed, &key.verifying_key()), Ok(answer));
    }
}
