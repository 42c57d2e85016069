//! Signed notes (C2SP signed-note, c2sp.org/signed-note): a text and the lines of those who signed
//! it. Checkpoints travel as notes, so that whoever watches other transparency logs can watch ours.
//!
//! - [`Vkey`]: a name with a public key, as `name+hash+base64`.
//! - [`Note`]: the text with its signature lines, written and strictly parsed.
//! - [`TreeHead`]: what a checkpoint's text says (C2SP tlog-checkpoint).
//! - [`Policy`]: whose signatures make a checkpoint count.
//! - [`sign`] and [`cosign`]: the log's line and a witness's (C2SP tlog-cosignature).
//!
//! The log signs notes with the key that seals its COSE statements. Neither can be taken for the
//! other: COSE signs bytes that begin with 0x84, which no UTF-8 text does, and a text to be
//! cosigned begins with `cosignature/v1`, which no origin may be.

mod head;
mod policy;
mod vkey;

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

pub use head::{HeadError, ORIGIN_BYTES_MAX, TreeHead, is_origin};
pub use policy::{POLICY_KEYS_MAX, Policy, Unpublished};
pub use vkey::{KeyKind, NAME_BYTES_MAX, Vkey, VkeyError};

use super::{SigningKey, base64};

/// Longest note that is read: sixteen of the longest signatures that the standard foresees (5 kB)
/// and a text of a few lines.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

/// Most signature lines of a note. The standard asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// What each signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Prefix of the message that a witness signs (tlog-cosignature, "Ed25519 signed message").
const COSIGNATURE: &str = "cosignature/v1\n";

/// Some bytes are no note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than any note.
    #[error("a note of {bytes} bytes; {NOTE_BYTES_MAX} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Not UTF-8, or with control characters.
    #[error("a note is UTF-8 without control characters other than newlines")]
    Characters,
    /// No blank line before signature lines, or no newline at an end.
    #[error("a note is a text, an empty line, and signature lines, each ending in a newline")]
    Shape,
    /// A signature line is none.
    #[error("signature line {line} of the note is not `\u{2014} name base64`")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// More lines than anybody needs.
    #[error("more than {SIGNATURES_MAX} signature lines")]
    TooMany,
}

/// One signature line.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Line {
    /// A line of `name` with the short id of its key before the signature, if it can be one.
    pub fn from_parts(name: &str, bytes: &[u8]) -> Option<Self> {
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        (vkey::is_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }

    /// The short id of the key and the signature.
    pub fn bytes(&self) -> Vec<u8> {
        [&self.id[..], &self.signature].concat()
    }

    /// Whose name stands in it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_of(&self, key: &Vkey) -> bool {
        self.name == key.name() && self.id == key.id()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{DASH}{} {}", self.name, BASE64.encode(&self.bytes()))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.name)
    }
}

/// Reads signature lines that stand alone, as a witness answers them.
pub fn parse_lines(text: &str) -> Result<Vec<Line>, NoteError> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong { bytes: text.len() });
    }
    let whole = text.strip_suffix('\n').ok_or(NoteError::Shape)?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(whole.split('\n')) {
        if lines.len() == SIGNATURES_MAX {
            return Err(NoteError::TooMany);
        }
        lines.push(line_of(line).ok_or(NoteError::Line { line: number })?);
    }
    Ok(lines)
}

fn line_of(line: &str) -> Option<Line> {
    let (name, base64) = line.strip_prefix(DASH)?.split_once(' ')?;
    Line::from_parts(name, &base64::decode(base64)?)
}

/// What a key has to say of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// There is no line of this key.
    Silent,
    /// There is one, and it does not hold: somebody touched the note.
    Wrong,
    /// It holds; `at_s` is when a witness cosigned, in seconds since 1970 UTC.
    Signed {
        /// The time in the cosignature; `None` with a plain signature.
        at_s: Option<u64>,
    },
}

/// A text with its signature lines. Parsing believes nothing: ask [`Note::word_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<Line>,
}

impl Note {
    /// A note of our own. `text` ends in a newline.
    pub fn new(text: String, lines: Vec<Line>) -> Self {
        debug_assert!(text.ends_with('\n'), "a note's text ends in a newline");
        Self { text, lines }
    }

    /// Reads a note from bytes of anybody.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        std::str::from_utf8(bytes).map_err(|_| NoteError::Characters)?.parse()
    }

    /// The text that was signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Adds a line, unless it is there.
    pub fn add(&mut self, line: Line) {
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// Whether `key` signed this text. One wrong line outweighs a right one: an honest key makes
    /// none (signed-note, "Signatures").
    pub fn word_of(&self, key: &Vkey) -> Word {
        let mut word = Word::Silent;
        for line in self.lines.iter().filter(|line| line.is_of(key)) {
            match (word_of_line(&self.text, line, key), word) {
                (Word::Wrong | Word::Silent, _) => return Word::Wrong,
                // Of several cosignatures the latest counts.
                (Word::Signed { at_s: new }, Word::Signed { at_s: old }) if new <= old => {}
                (signed @ Word::Signed { .. }, _) => word = signed,
            }
        }
        word
    }

    /// The lines of `key` that hold.
    pub fn lines_of<'n>(&'n self, key: &'n Vkey) -> impl Iterator<Item = &'n Line> {
        let holds = |line: &&Line| {
            line.is_of(key) && matches!(word_of_line(&self.text, line, key), Word::Signed { .. })
        };
        self.lines.iter().filter(holds)
    }
}

fn word_of_line(text: &str, line: &Line, key: &Vkey) -> Word {
    match key.kind() {
        KeyKind::Log => match <&[u8; 64]>::try_from(line.signature.as_slice()) {
            Ok(signature) if key.key().verify(text.as_bytes(), signature) => {
                Word::Signed { at_s: None }
            }
            Ok(_) | Err(_) => Word::Wrong,
        },
        KeyKind::Witness => {
            let Some((time, signature)) = line.signature.split_first_chunk::<8>() else {
                return Word::Wrong;
            };
            let at_s = u64::from_be_bytes(*time);
            match <&[u8; 64]>::try_from(signature) {
                Ok(signature)
                    if i64::try_from(at_s).is_ok()
                        && key.key().verify(cosigned(text, at_s).as_bytes(), signature) =>
                {
                    Word::Signed { at_s: Some(at_s) }
                }
                Ok(_) | Err(_) => Word::Wrong,
            }
        }
    }
}

/// The message that a witness signs.
fn cosigned(text: &str, at_s: u64) -> String {
    format!("{COSIGNATURE}time {at_s}\n{text}")
}

/// The line of the log itself under `text` (signature type 0x01).
pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Line, VkeyError> {
    let vkey = Vkey::new(name, KeyKind::Log, key.verifying_key())?;
    let signature = key.sign(text.as_bytes()).to_vec();
    Ok(Line { name: name.to_owned(), id: vkey.id(), signature })
}

/// A witness's line under `text`, made at `at_s` seconds since 1970 UTC (signature type 0x04,
/// `cosignature/v1`).
pub fn cosign(text: &str, name: &str, key: &SigningKey, at_s: u64) -> Result<Line, VkeyError> {
    let vkey = Vkey::new(name, KeyKind::Witness, key.verifying_key())?;
    let signature = key.sign(cosigned(text, at_s).as_bytes());
    let signature = [&at_s.to_be_bytes()[..], &signature].concat();
    Ok(Line { name: name.to_owned(), id: vkey.id(), signature })
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(whole: &str) -> Result<Self, NoteError> {
        if whole.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: whole.len() });
        }
        if whole.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Characters);
        }
        // The text may have empty lines; the last one parts it from the signatures.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Shape)?;
        Ok(Self { text: format!("{text}\n"), lines: parse_lines(lines)? })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

#[cfg(test)]
mod tests;
