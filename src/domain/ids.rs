//! Identifiers as newtypes, so that a trainee cannot be passed for a terminal. Names are short
//! and lower case because they stand in MQTT topics, file names and URLs. A copy of one costs no memory:
//! rules remember them by the hundred thousand.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};

/// Longest name of a terminal, site, institution, class or lesson, in bytes.
const NAME_BYTES_MAX: usize = 40;

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Names have a narrow alphabet.
    #[error(
        "{text:?} is no name: use 1 to {NAME_BYTES_MAX} of the characters a-z, 0-9 and '-', not starting with '-'"
    )]
    Name {
        /// What was given, shortened.
        text: String,
    },
    /// A case is named by the anomaly that opened it.
    #[error("{text:?} is no case id: 32 lower-case hexadecimal digits are needed")]
    Case {
        /// What was given, shortened.
        text: String,
    },
    /// A person is named by 16 random bytes in hexadecimal.
    #[error("{text:?} is no person id: 32 lower-case hexadecimal digits are needed")]
    Person {
        /// What was given, shortened.
        text: String,
    },
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits = (1..=NAME_BYTES_MAX).contains(&text.len())
                    && !text.starts_with('-')
                    && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if fits {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError::Name { text: shortened(text) })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                d.str()?.parse().map_err(decode::Error::custom)
            }
        }
    };
}

name_id!(
    /// A terminal: one kiosk with one key at one site.
    TerminalId
);
name_id!(
    /// A training institution (培训机构).
    InstitutionId
);
name_id!(
    /// A teaching site (教学点): a place where terminals stand.
    SiteId
);
name_id!(
    /// A class (班级): a roster that is taught by one timetable.
    ClassId
);
name_id!(
    /// A lesson (课次): one stretch of a class's timetable.
    LessonId
);
name_id!(
    /// A teacher (教师) of an institution, by a number that says nothing about the person.
    TeacherId
);
name_id!(
    /// A claim for a subsidy (补贴申领).
    ClaimId
);
name_id!(
    /// An online platform that reports sessions.
    PlatformId
);
name_id!(
    /// Something that somebody holds from elsewhere: a certificate, or a subsidy that was drawn.
    HeldId
);

/// A person, by 16 random bytes that say nothing about her. Never in a signed record: there only
/// a commitment to it stands (docs/spec/record-v1.md, "Person").
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonId(pub [u8; 16]);

/// In the order of the bytes, as one number: rules look persons up at every record.
impl Ord for PersonId {
    fn cmp(&self, other: &Self) -> Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for PersonId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for PersonId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_be_bytes(self.0));
    }
}

impl FromStr for PersonId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| IdError::Person { text: shortened(text) })
    }
}

impl TryFrom<String> for PersonId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<PersonId> for String {
    fn from(id: PersonId) -> String {
        id.to_string()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a log, too little to look one up.
        write!(f, "PersonId({}…)", HEXLOWER.encode(&[self.0[0], self.0[1]]))
    }
}

impl<C> Encode<C> for PersonId {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PersonId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        bytes.try_into().map(Self).map_err(|_| decode::Error::message("a person id has 16 bytes"))
    }
}
