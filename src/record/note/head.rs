//! The text of a checkpoint (C2SP tlog-checkpoint): origin, size, root, and lines that extend it.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::vkey::is_name;
use crate::record::base64;

/// Longest origin: it is the name of the log's key as well.
pub const ORIGIN_BYTES_MAX: usize = 200;

/// Most extension lines that are read, and the bytes of each.
const EXTENSIONS_MAX: usize = 8;
const EXTENSION_BYTES_MAX: usize = 1_024;

/// A text is no checkpoint's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The first line.
    #[error("a checkpoint begins with its origin, 1 to {ORIGIN_BYTES_MAX} bytes")]
    Origin,
    /// The second line.
    #[error("the second line of a checkpoint is its size in decimal")]
    Size,
    /// The third line.
    #[error("the third line of a checkpoint is its root, 32 bytes in base64")]
    Root,
    /// The lines after it.
    #[error("a checkpoint has at most {EXTENSIONS_MAX} further lines, none of them empty")]
    Extension,
}

/// What a checkpoint says of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Which log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// Root hash over them (RFC 9162, section 2.1).
    pub root: [u8; 32],
    /// Lines that extend it, each without its newline.
    pub extensions: Vec<String>,
}

/// Whether a text can be the origin of a log of ours: it is the name of its key as well, and must
/// not be the first line of what witnesses sign.
pub fn is_origin(text: &str) -> bool {
    is_name(text) && text.len() <= ORIGIN_BYTES_MAX && text != "cosignature/v1"
}

impl FromStr for TreeHead {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let mut lines = text.strip_suffix('\n').ok_or(HeadError::Root)?.split('\n');
        let origin = lines.next().filter(|line| (1..=ORIGIN_BYTES_MAX).contains(&line.len()));
        let origin = origin.ok_or(HeadError::Origin)?.to_owned();
        let size = lines.next().and_then(decimal).ok_or(HeadError::Size)?;
        let root = lines.next().and_then(hash).ok_or(HeadError::Root)?;
        let mut extensions = Vec::new();
        for line in lines {
            if extensions.len() == EXTENSIONS_MAX
                || !(1..=EXTENSION_BYTES_MAX).contains(&line.len())
            {
                return Err(HeadError::Extension);
            }
            extensions.push(line.to_owned());
        }
        Ok(Self { origin, size, root, extensions })
    }
}

/// A decimal number with no sign and no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading = text.len() > 1 && text.starts_with('0');
    if plain && !leading { text.parse().ok() } else { None }
}

/// 32 bytes in base64.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    if text.len() != 44 {
        return None;
    }
    base64::decode(text)?.try_into().ok()
}

impl fmt::Display for TreeHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
