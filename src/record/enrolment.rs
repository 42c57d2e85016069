//! What terminal and centre say to each other when a terminal is enrolled, when it wants another
//! certificate, and when its record key changes (docs/spec/enrolment-v1.md). Sealed statements, as
//! everything between them: who may read or repeat them on the way gains nothing.
//!
//! ```text
//! Enrolment ── by the token's key          the bearer of the token means
//!   └ Wish ── by the record key              the holder of this record key, who asks for
//!       └ Possession ── by the TLS key          a certificate for the TLS key that it holds
//! ```

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::cose::{OpenError, Typ};
use super::record_v1::decode_strictly;
use super::statement::{Stated, open_statement, peek_statement, seal_statement};
use super::{CentreMark, KeyId, ReadingPublic, SigningKey, VerifyingKey, peek_kid};
use crate::domain::{SiteId, TerminalId, Timestamp};

/// Largest answer: two certificates of about 400 bytes, a sealed statement, and room.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Largest certificate that an answer carries, in bytes of DER.
const CERTIFICATE_BYTES_MAX: usize = 2 * 1024;

#[derive(Encode, Decode)]
#[cbor(map)]
struct Possession {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    tls_key: [u8; 32],
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    centre: [u8; 16],
}

impl Stated for Possession {
    const TYP: Typ = Typ::Possession;
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Wish {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    record_key: [u8; 32],
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    possession: Vec<u8>,
    /// What shall be encrypted to for this terminal; a terminal of an earlier build has none.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    reading_key: Option<[u8; 32]>,
}

impl Stated for Wish {
    const TYP: Typ = Typ::Wish;
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Enrolment {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    wish: Vec<u8>,
}

impl Stated for Enrolment {
    const TYP: Typ = Typ::Enrolment;
}

/// What a request proves: this terminal's bearer holds both private keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Seals records.
    pub record: VerifyingKey,
    /// For the TLS certificate.
    pub tls: VerifyingKey,
    /// What shall be encrypted to for it, by the word of its record key: who names another one than
    /// its own reads nothing.
    pub reading: Option<ReadingPublic>,
}

/// A terminal's wish for a certificate, proven by both keys.
pub fn seal_wish(
    terminal: &TerminalId,
    centre: CentreMark,
    record: &SigningKey,
    tls: &SigningKey,
    reading: Option<ReadingPublic>,
) -> Vec<u8> {
    let tls_key = tls.verifying_key().to_bytes();
    let possession = Possession { terminal: terminal.clone(), tls_key, centre: centre.0 };
    let wish = Wish {
        terminal: terminal.clone(),
        record_key: record.verifying_key().to_bytes(),
        possession: seal_statement(&possession, tls),
        reading_key: reading.map(|ReadingPublic(key)| key),
    };
    seal_statement(&wish, record)
}

/// The same under a one-time token: a terminal's wish to be enrolled.
pub fn seal_enrolment(
    terminal: &TerminalId,
    centre: CentreMark,
    token: &SigningKey,
    record: &SigningKey,
    tls: &SigningKey,
    reading: Option<ReadingPublic>,
) -> Vec<u8> {
    let wish = seal_wish(terminal, centre, record, tls, reading);
    seal_statement(&Enrolment { terminal: terminal.clone(), wish }, token)
}

/// What a request claims to be; nothing of it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who it says that it is.
    pub terminal: TerminalId,
    /// The key that it says that it is sealed with.
    pub key: KeyId,
    /// What it asks for.
    pub kind: RequestKind,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// To be enrolled, under a token.
    Enrolment,
    /// Another certificate.
    Wish,
    /// Another record key.
    Succession,
}

/// Reads what a request claims, so that the keys to check it with can be looked up.
pub fn peek_request(bytes: &[u8]) -> Result<Claim, OpenError> {
    let key = peek_kid(bytes)?;
    if let Ok(Enrolment { terminal, .. }) = peek_statement(bytes) {
        return Ok(Claim { terminal, key, kind: RequestKind::Enrolment });
    }
    if let Ok(Succession { terminal, .. }) = peek_statement(bytes) {
        return Ok(Claim { terminal, key, kind: RequestKind::Succession });
    }
    let Wish { terminal, .. } = peek_statement(bytes)?;
    Ok(Claim { terminal, key, kind: RequestKind::Wish })
}

/// Opens a wish to be enrolled: the token's signature, then both keys' own.
pub fn open_enrolment(
    bytes: &[u8],
    token: &VerifyingKey,
    centre: &[CentreMark],
) -> Result<Held, OpenError> {
    let Enrolment { terminal, wish } = open_statement(bytes, token)?;
    let Wish { record_key, .. } = peek_statement(&wish)?;
    open_wish(&wish, &usable(&record_key)?, &terminal, centre)
}

/// Opens the wish of a terminal whose record key is known, if it is meant for one of these marks.
pub fn open_wish(
    bytes: &[u8],
    record: &VerifyingKey,
    terminal: &TerminalId,
    centre: &[CentreMark],
) -> Result<Held, OpenError> {
    let wish: Wish = open_statement(bytes, record)?;
    let Possession { tls_key, .. } = peek_statement(&wish.possession)?;
    let tls = usable(&tls_key)?;
    let possession: Possession = open_statement(&wish.possession, &tls)?;
    let one = wish.terminal == *terminal && possession.terminal == *terminal;
    if !one || wish.record_key != record.to_bytes() {
        return Err(OpenError::Payload("its parts speak of different terminals or keys".into()));
    }
    if !centre.iter().any(|mark| mark.0 == possession.centre) {
        return Err(OpenError::Payload("it is meant for another centre".into()));
    }
    Ok(Held { record: *record, tls, reading: wish.reading_key.map(ReadingPublic) })
}

fn usable(key: &[u8; 32]) -> Result<VerifyingKey, OpenError> {
    VerifyingKey::from_bytes(key).map_err(|error| OpenError::Payload(error.to_string()))
}

/// What the centre tells a terminal that it takes in, signed with the receipt key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// Whom.
    #[n(1)]
    pub terminal: TerminalId,
    /// SHA-256 of the request: an old answer cannot be played again.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub asked: [u8; 32],
    /// The centre's time.
    #[n(3)]
    pub at: Timestamp,
    /// Where the terminal stands.
    #[n(4)]
    pub site: SiteId,
    /// The broker's host name or address.
    #[n(5)]
    pub broker_host: String,
    /// The broker's port.
    #[n(6)]
    pub broker_port: u16,
    /// SHA-256 of the certificate that comes beside it.
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: [u8; 32],
    /// When the certificate ends.
    #[n(8)]
    pub until: Timestamp,
    /// What [`digest_of_all`] gives of the authorities that come beside it: so an exchanged one is
    /// believed by the word of the receipt key.
    #[n(9)]
    #[cbor(with = "minicbor::bytes")]
    pub authorities: [u8; 32],
}

impl Stated for Welcome {
    const TYP: Typ = Typ::Welcome;
}

/// The whole answer to a wish.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    /// The CA's certificate, DER.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub ca: Vec<u8>,
    /// The centre's receipt key.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub receipt_key: [u8; 32],
    /// The terminal's certificate, DER.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// A sealed [`Welcome`].
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub welcome: Vec<u8>,
    /// The certificate, DER, of the authority before, while it is trusted beside the one in force.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    pub before: Option<Vec<u8>>,
}

/// By what the centre of an answer is known.
#[derive(Debug, Clone, Copy)]
pub enum Expected<'e> {
    /// By the mark of a token, which names authority and receipt key.
    Mark(CentreMark),
    /// By its receipt key: its authority may be another one by now.
    ReceiptKey(&'e VerifyingKey),
}

/// An answer cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It cannot be read.
    #[error("could not read the centre's answer: {0}")]
    Shape(String),
    /// CA and receipt key are not those that the token names.
    #[error("could not believe the answer: it comes from centre {found}, not from {wanted}")]
    Centre {
        /// Whose it is.
        found: CentreMark,
        /// Whose it should be.
        wanted: CentreMark,
    },
    /// The centre's statement does not open.
    #[error("could not believe the centre's statement")]
    Welcome(#[source] OpenError),
    /// It answers something else, or brings another certificate than it speaks of.
    #[error("could not believe the answer: {0}")]
    Other(&'static str),
}

/// What an answer brings, once it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcomed {
    /// The centre's statement.
    pub welcome: Welcome,
    /// The centre's receipt key.
    pub receipt_key: VerifyingKey,
    /// The certificates of the authorities that are to be trusted, DER, the one in force first.
    pub authorities: Vec<Vec<u8>>,
    /// The terminal's certificate, DER.
    pub certificate: Vec<u8>,
}

/// SHA-256 of some bytes, as a [`Welcome`] names request and certificate.
pub fn digest_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 over the SHA-256 of each, as a [`Welcome`] names authorities.
pub fn digest_of_all(authorities: &[Vec<u8>]) -> [u8; 32] {
    let digests: Vec<u8> = authorities.iter().flat_map(|one| digest_of(one)).collect();
    digest_of(&digests)
}

impl Answer {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a vector cannot fail")
    }

    /// Believes an answer to `request` of `terminal` as far as it proves itself to come from
    /// `centre`, and brings the authorities that the centre speaks of.
    pub fn open(
        bytes: &[u8],
        request: &[u8],
        terminal: &TerminalId,
        centre: Expected<'_>,
    ) -> Result<Welcomed, AnswerError> {
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(AnswerError::Shape(format!("it has more than {ANSWER_BYTES_MAX} bytes")));
        }
        let answer: Self =
            decode_strictly(bytes).map_err(|error| AnswerError::Shape(error.to_string()))?;
        let Self { ca, receipt_key, certificate, welcome, before } = answer;
        let authorities: Vec<Vec<u8>> = [ca].into_iter().chain(before).collect();
        let too_long = |der: &Vec<u8>| der.len() > CERTIFICATE_BYTES_MAX;
        if too_long(&certificate) || authorities.iter().any(too_long) {
            return Err(AnswerError::Shape("a certificate in it is too long".into()));
        }
        let receipt_key = VerifyingKey::from_bytes(&receipt_key)
            .map_err(|error| AnswerError::Shape(error.to_string()))?;
        let found = CentreMark::of(&receipt_key, &authorities[0]);
        let wanted = match centre {
            Expected::Mark(mark) => mark,
            Expected::ReceiptKey(key) => CentreMark::of(key, &authorities[0]),
        };
        if found != wanted {
            return Err(AnswerError::Centre { found, wanted });
        }
        let welcome: Welcome =
            open_statement(&welcome, &receipt_key).map_err(AnswerError::Welcome)?;
        if welcome.terminal != *terminal || welcome.asked != digest_of(request) {
            return Err(AnswerError::Other("it answers another request"));
        }
        if welcome.certificate != digest_of(&certificate) {
            return Err(AnswerError::Other("the certificate beside it is another one"));
        }
        if welcome.authorities != digest_of_all(&authorities) {
            return Err(AnswerError::Other("the authorities beside it are other ones"));
        }
        Ok(Welcomed { welcome, receipt_key, authorities, certificate })
    }
}

/// That whoever asks holds the key that follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct NextKey {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    key: [u8; 32],
}

/// A terminal's word that another key follows the one that this is sealed with.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Succession {
    #[n(1)]
    terminal: TerminalId,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    next: Vec<u8>,
}

impl Stated for NextKey {
    const TYP: Typ = Typ::NextKey;
}

impl Stated for Succession {
    const TYP: Typ = Typ::Succession;
}

/// The old key signs over to the new one, and the new one signs that it is held.
pub fn seal_succession(terminal: &TerminalId, old: &SigningKey, new: &SigningKey) -> Vec<u8> {
    let terminal = terminal.clone();
    let key = new.verifying_key().to_bytes();
    let next = seal_statement(&NextKey { terminal: terminal.clone(), key }, new);
    seal_statement(&Succession { terminal, next }, old)
}

/// Which key follows `old` for `terminal`, if this proves it.
pub fn open_succession(
    bytes: &[u8],
    terminal: &TerminalId,
    old: &VerifyingKey,
) -> Result<VerifyingKey, OpenError> {
    let succession: Succession = open_statement(bytes, old)?;
    let NextKey { key, .. } = peek_statement(&succession.next)?;
    let new = usable(&key)?;
    let proven: NextKey = open_statement(&succession.next, &new)?;
    if succession.terminal != *terminal || proven.terminal != *terminal {
        return Err(OpenError::Payload("it speaks of another terminal".into()));
    }
    Ok(new)
}

/// The centre's word that it knows the key that follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Confirmation {
    /// Whose.
    #[n(1)]
    pub terminal: TerminalId,
    /// SHA-256 of the request.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub asked: [u8; 32],
    /// The centre's time.
    #[n(3)]
    pub at: Timestamp,
}

impl Stated for Confirmation {
    const TYP: Typ = Typ::Confirmation;
}

/// Believes the centre's answer to a succession.
pub fn open_confirmation(
    bytes: &[u8],
    request: &[u8],
    terminal: &TerminalId,
    receipt_key: &VerifyingKey,
) -> Result<Confirmation, AnswerError> {
    let confirmation: Confirmation =
        open_statement(bytes, receipt_key).map_err(AnswerError::Welcome)?;
    if confirmation.terminal != *terminal || confirmation.asked != digest_of(request) {
        return Err(AnswerError::Other("it answers another request"));
    }
    Ok(confirmation)
}
