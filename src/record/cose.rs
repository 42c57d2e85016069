//! The envelope: COSE_Sign1 (RFC 9052, section 4.2), tagged, with everything in the protected
//! header and one single way to write it. Opening re-encodes what it read and compares, so bytes
//! with any freedom of encoding (RFC 8949, section 4.2) are refused.

use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

use super::{KeyId, SigningKey, VerifyingKey};

/// Largest sealed statement, in bytes. A record has about 400; the bound leaves room for the
/// longest ids and all optional fields, and keeps 64 of them in one MQTT message.
pub const SEALED_BYTES_MAX: usize = 1024;

/// CBOR tag of COSE_Sign1 (RFC 9052, table 1).
const TAG_SIGN1: u64 = 18;
/// Fully specified Ed25519 (RFC 9864, table 1).
const ALG_ED25519: i64 = -19;
/// Header labels: `alg` and `kid` (RFC 9052, table 3), `typ` (RFC 9596, section 2).
const LABEL_ALG: i64 = 1;
const LABEL_KID: i64 = 4;
const LABEL_TYP: i64 = 16;

/// What kind of statement the envelope holds. It stands in the protected header, so that a
/// signature on one kind can never pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typ {
    /// A terminal's record.
    Record,
    /// The centre's answer after commit.
    Receipt,
    /// The centre's answer to a record that it refused and stored as evidence.
    Refusal,
    /// The centre's wish to see records again.
    Wanted,
    /// The centre's time, with a terminal's nonce.
    Time,
    /// A fact of the centre's ledger.
    Fact,
    /// The centre's entry about bytes that it refused and keeps.
    Evidence,
    /// The centre's statement about its ledger's size and root.
    Checkpoint,
    /// A terminal's word to a trainee that it has stored a record.
    Slip,
    /// The centre's statement about a backup of its ledger.
    Backup,
    /// That whoever asks for a certificate holds the TLS key that it shall be for.
    Possession,
    /// A terminal's wish for a certificate.
    Wish,
    /// A terminal's wish to be enrolled, under a one-time token.
    Enrolment,
    /// The centre's answer to either wish.
    Welcome,
    /// A terminal's word that another record key follows its own.
    Succession,
    /// That the key that follows is held by whoever asks.
    NextKey,
    /// The centre's word that it knows the key that follows.
    Confirmation,
    /// The centre's word that another receipt key follows its own.
    Handover,
    /// What a terminal works by.
    Dispatch,
    /// A person's template for the other terminals of an institution, or that there is none any more.
    Share,
    /// The centre's answer to a terminal's question for shares.
    Shared,
    /// What an online platform tells of its sessions.
    Report,
    /// The centre's answer to it, after commit.
    ReportTaken,
}

impl Typ {
    /// The string in the protected header.
    pub fn as_str(self) -> &'static str {
        match self {
            Typ::Record => "rollcall-record-v1",
            Typ::Receipt => "rollcall-receipt-v1",
            Typ::Refusal => "rollcall-refusal-v1",
            Typ::Wanted => "rollcall-wanted-v1",
            Typ::Time => "rollcall-time-v1",
            Typ::Fact => "rollcall-fact-v1",
            Typ::Evidence => "rollcall-evidence-v1",
            Typ::Checkpoint => "rollcall-checkpoint-v1",
            Typ::Slip => "rollcall-slip-v1",
            Typ::Backup => "rollcall-backup-v1",
            Typ::Possession => "rollcall-possession-v1",
            Typ::Wish => "rollcall-wish-v1",
            Typ::Enrolment => "rollcall-enrolment-v1",
            Typ::Welcome => "rollcall-welcome-v1",
            Typ::Succession => "rollcall-succession-v1",
            Typ::NextKey => "rollcall-next-key-v1",
            Typ::Confirmation => "rollcall-confirmation-v1",
            Typ::Handover => "rollcall-handover-v1",
            Typ::Dispatch => "rollcall-dispatch-v1",
            Typ::Share => "rollcall-share-v1",
            Typ::Shared => "rollcall-shared-v1",
            Typ::Report => "rollcall-report-v1",
            Typ::ReportTaken => "rollcall-report-taken-v1",
        }
    }
}

/// Why sealed bytes could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Longer than a statement of its kind may be.
    #[error("{bytes} bytes are more than the {most} that a sealed statement may have")]
    TooLong {
        /// How long they are.
        bytes: usize,
        /// How long they may be.
        most: usize,
    },
    /// Not a COSE_Sign1 of the profile in docs/spec/record-v1.md, or not its only encoding.
    #[error("not a sealed statement: {0}")]
    Envelope(&'static str),
    /// A sealed statement of another kind.
    #[error("not a {wanted}")]
    Type {
        /// The kind that was expected.
        wanted: &'static str,
    },
    /// Sealed with another key than the one that it should be sealed with.
    #[error("sealed with key {found}, not with {wanted}")]
    Key {
        /// The key id in the envelope.
        found: KeyId,
        /// The key id that was expected.
        wanted: KeyId,
    },
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// The payload does not decode, or not from its only encoding.
    #[error("the payload does not decode: {0}")]
    Payload(String),
}

/// The parts of an envelope, borrowed from its bytes. Nothing is verified yet.
pub(super) struct Envelope<'b> {
    protected: &'b [u8],
    pub(super) typ: &'b str,
    pub(super) kid: KeyId,
    pub(super) payload: &'b [u8],
    pub(super) signature: [u8; 64],
}

type VecEncoder = Encoder<Vec<u8>>;
type VecResult = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn encoded(write: impl FnOnce(&mut VecEncoder) -> VecResult) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(SEALED_BYTES_MAX));
    write(&mut encoder).expect("writing to a vector cannot fail");
    encoder.into_writer()
}

fn protected_header(typ: &str, kid: KeyId) -> Vec<u8> {
    encoded(|e| {
        e.map(3)?.i64(LABEL_ALG)?.i64(ALG_ED25519)?;
        e.i64(LABEL_KID)?.bytes(&kid.0)?;
        e.i64(LABEL_TYP)?.str(typ)?.ok()
    })
}

/// What is signed: the Sig_structure of RFC 9052, section 4.4, with no external data.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    encoded(|e| e.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)?.ok())
}

fn assemble(protected: &[u8], payload: &[u8], signature: &[u8; 64]) -> Vec<u8> {
    encoded(|e| {
        e.tag(Tag::new(TAG_SIGN1))?.array(4)?.bytes(protected)?.map(0)?;
        e.bytes(payload)?.bytes(signature)?.ok()
    })
}

/// Seals a payload.
pub(super) fn seal(typ: Typ, payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let protected = protected_header(typ.as_str(), key.verifying_key().id());
    let signature = key.sign(&to_be_signed(&protected, payload));
    assemble(&protected, payload, &signature)
}

/// Takes an envelope apart without verifying its signature.
pub(super) fn parse(bytes: &[u8]) -> Result<Envelope<'_>, OpenError> {
    parse_within(bytes, SEALED_BYTES_MAX)
}

/// The same for a kind of statement that may be longer.
pub(super) fn parse_within(bytes: &[u8], most: usize) -> Result<Envelope<'_>, OpenError> {
    if bytes.len() > most {
        return Err(OpenError::TooLong { bytes: bytes.len(), most });
    }
    let shape = |_| OpenError::Envelope("no tagged array of four");
    let mut d = Decoder::new(bytes);
    if d.tag().map_err(shape)?.as_u64() != TAG_SIGN1 {
        return Err(OpenError::Envelope("no COSE_Sign1 tag"));
    }
    if d.array().map_err(shape)? != Some(4) {
        return Err(OpenError::Envelope("no array of four"));
    }
    let protected = d.bytes().map_err(|_| OpenError::Envelope("no protected header"))?;
    if d.map().map_err(shape)? != Some(0) {
        return Err(OpenError::Envelope("the unprotected header is not empty"));
    }
    let payload = d.bytes().map_err(|_| OpenError::Envelope("no payload"))?;
    let signature: [u8; 64] = d
        .bytes()
        .ok()
        .and_then(|s| s.try_into().ok())
        .ok_or(OpenError::Envelope("no signature of 64 bytes"))?;

    let header = |_| OpenError::Envelope("a wrong protected header");
    let mut h = Decoder::new(protected);
    let wrong = Err(OpenError::Envelope("a wrong protected header"));
    if h.map().map_err(header)? != Some(3) || h.i64().map_err(header)? != LABEL_ALG {
        return wrong;
    }
    if h.i64().map_err(header)? != ALG_ED25519 {
        return Err(OpenError::Envelope("an algorithm other than Ed25519 (-19)"));
    }
    if h.i64().map_err(header)? != LABEL_KID {
        return wrong;
    }
    let kid = h.bytes().map_err(header)?.try_into().map(KeyId);
    let kid = kid.map_err(|_| OpenError::Envelope("no key id of eight bytes"))?;
    if h.i64().map_err(header)? != LABEL_TYP {
        return wrong;
    }
    let typ = h.str().map_err(header)?;

    // One way to write it: whatever was read must encode to exactly what came.
    if protected_header(typ, kid) != protected || assemble(protected, payload, &signature) != bytes
    {
        return Err(OpenError::Envelope("not the deterministic encoding"));
    }
    Ok(Envelope { protected, typ, kid, payload, signature })
}

impl Envelope<'_> {
    /// Checks kind, key and signature, in this order.
    pub(super) fn verify(&self, typ: Typ, key: &VerifyingKey) -> Result<(), OpenError> {
        if self.typ != typ.as_str() {
            return Err(OpenError::Type { wanted: typ.as_str() });
        }
        if self.kid != key.id() {
            return Err(OpenError::Key { found: self.kid, wanted: key.id() });
        }
        if key.verify(&to_be_signed(self.protected, self.payload), &self.signature) {
            Ok(())
        } else {
            Err(OpenError::Signature)
        }
    }
}

/// The key id in the header of sealed bytes, unverified: for finding the key to verify with.
pub fn peek_kid(bytes: &[u8]) -> Result<KeyId, OpenError> {
    parse(bytes).map(|envelope| envelope.kid)
}
