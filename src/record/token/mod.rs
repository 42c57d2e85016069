//! The one-time token that brings a terminal to its centre (docs/spec/enrolment-v1.md, "Token").
//!
//! It travels by hand: printed, drawn as a QR code, read out. So it is base32 (RFC 4648) in groups of
//! five with a checksum at its end, and whoever mistypes it is told so at once. Its secret is the seed
//! of a key: the device signs with it, and the centre keeps the public half alone.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::base32::BASE32;
use super::{SigningKey, VerifyingKey};
use crate::domain::TerminalId;

/// Bytes of the secret: as hard to guess as the keys that it stands for.
pub const TOKEN_SECRET_BYTES: usize = 16;

/// Longest address of an enrolment endpoint, in bytes.
const URL_BYTES_MAX: usize = 200;

/// Longest token in characters, with every dash and a good many blanks: what the longest name and
/// address need, and half as much again.
pub const TOKEN_CHARS_MAX: usize = 800;

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const GROUP_CHARS: usize = 5;

/// Sixteen bytes by which a terminal knows its centre at first contact: the beginning of a SHA-256
/// over the receipt key and the certificate of the centre's CA. Nobody finds another pair with the
/// same beginning (a second preimage of 128 bits).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CentreMark(pub [u8; 16]);

impl CentreMark {
    /// Of a centre with these.
    pub fn of(receipt_key: &VerifyingKey, ca_der: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"rollcall-centre-v1\0");
        hash.update(receipt_key.to_bytes());
        hash.update(ca_der);
        let digest: [u8; 32] = hash.finalize().into();
        let mut mark = [0; 16];
        mark.copy_from_slice(&digest[..16]);
        Self(mark)
    }
}

impl fmt::Display for CentreMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for CentreMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CentreMark({self})")
    }
}

/// A token, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Whom it enrols.
    pub terminal: TerminalId,
    /// Which centre.
    pub centre: CentreMark,
    /// Where the centre enrols, `http://…` or `https://…`; empty where requests travel as files.
    pub url: String,
    secret: [u8; TOKEN_SECRET_BYTES],
}

/// A text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_CHARS_MAX`].
    #[error("could not read the token: it has more than {TOKEN_CHARS_MAX} characters")]
    TooLong,
    /// A character that no token has.
    #[error("could not read the token: {found:?} stands in it, which no token has")]
    Character {
        /// Which.
        found: char,
    },
    /// A character is missing, too many or another one.
    #[error("could not read the token: its checksum does not fit, so a character is wrong")]
    Checksum,
    /// A token of another version of Rollcall.
    #[error("could not read the token: it is of version {found}, and this program reads version 1")]
    Version {
        /// Which.
        found: u8,
    },
    /// The checksum fits, the content does not: made by another program.
    #[error("could not read the token: {0}")]
    Content(&'static str),
}

impl TokenError {
    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            TokenError::TooLong | TokenError::Character { .. } | TokenError::Checksum => {
                "copy it again as `rollcall collector terminal add` printed it, or read the QR code"
            }
            TokenError::Version { .. } | TokenError::Content(_) => {
                "use the same version of Rollcall at the centre and on the terminal"
            }
        }
    }
}

impl Token {
    /// A new one. `secret` must come from chance. `None` when the address is no address, or too long.
    pub fn new(
        terminal: TerminalId,
        secret: [u8; TOKEN_SECRET_BYTES],
        centre: CentreMark,
        url: String,
    ) -> Option<Self> {
        is_endpoint(&url).then_some(Self { terminal, centre, url, secret })
    }

    /// The key that its secret stands for: signs the enrolment, once.
    pub fn key(&self) -> SigningKey {
        let mut hash = Sha256::new();
        hash.update(b"rollcall-token-v1\0");
        hash.update(self.secret);
        SigningKey::from_secret(&hash.finalize().into())
    }
}

/// Whether enrolment requests can be sent there; empty is a place as well: nowhere.
pub fn is_endpoint(url: &str) -> bool {
    let web = ["http://", "https://"].iter().any(|scheme| {
        url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    });
    let fits = url.len() <= URL_BYTES_MAX && url.bytes().all(|byte| byte.is_ascii_graphic());
    url.is_empty() || (web && fits)
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Sha256::digest(content).into();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| u8::try_from(text.len()).expect("both are bounded below 256");
        let mut bytes = vec![VERSION];
        bytes.extend(self.secret);
        bytes.extend(self.centre.0);
        bytes.push(short(self.terminal.as_str()));
        bytes.extend(self.terminal.as_str().bytes());
        bytes.push(short(&self.url));
        bytes.extend(self.url.bytes());
        bytes.extend(checksum(&bytes));
        let text = BASE32.encode(&bytes);
        for (place, group) in text.as_bytes().chunks(GROUP_CHARS).enumerate() {
            let group = std::str::from_utf8(group).expect("base32 is ASCII");
            let dash = if place == 0 { "" } else { "-" };
            write!(f, "{dash}{group}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the secret: it must not reach a log.
        write!(f, "Token({} at {})", self.terminal, self.centre)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.chars().take(TOKEN_CHARS_MAX + 1).count() > TOKEN_CHARS_MAX {
            return Err(TokenError::TooLong);
        }
        let mut symbols = String::with_capacity(text.len());
        for found in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            if !found.is_ascii_alphanumeric() || found == '9' {
                return Err(TokenError::Character { found });
            }
            symbols.push(found);
        }
        // What base32 does not allow (a wrong length, bits over) is a wrong character as well.
        let bytes = BASE32.decode(symbols.as_bytes()).map_err(|_| TokenError::Checksum)?;
        let (content, sum) =
            bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(TokenError::Checksum)?;
        if checksum(content) != *sum {
            return Err(TokenError::Checksum);
        }
        let mut rest = Rest(content);
        let [version] = rest.array()?;
        if version != VERSION {
            return Err(TokenError::Version { found: version });
        }
        let secret = rest.array()?;
        let centre = CentreMark(rest.array()?);
        let terminal = rest.text()?.parse();
        let terminal = terminal.map_err(|_| TokenError::Content("it names no terminal"))?;
        let url = rest.text()?.to_owned();
        if !rest.0.is_empty() {
            return Err(TokenError::Content("something follows its end"));
        }
        Self::new(terminal, secret, centre, url)
            .ok_or(TokenError::Content("the centre's address in it is none"))
    }
}

struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (taken, rest) =
            self.0.split_first_chunk().ok_or(TokenError::Content("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn text(&mut self) -> Result<&'b str, TokenError> {
        let [length] = self.array()?;
        let (taken, rest) = self
            .0
            .split_at_checked(length.into())
            .ok_or(TokenError::Content("it ends too early"))?;
        self.0 = rest;
        std::str::from_utf8(taken).map_err(|_| TokenError::Content("a text in it is none"))
    }
}

#[cfg(test)]
mod tests;
