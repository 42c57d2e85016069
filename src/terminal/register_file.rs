//! The register on disk, encrypted with the key of the templates.
//!
//! `RCREGISTER` · version 1 (u8), then as in `platform/sealed_file.rs`; the plaintext is CBOR
//! ([`Register`]).

use std::io;
use std::path::{Path, PathBuf};

use super::register::Register;
use crate::platform::durable::WriteError;
use crate::platform::lock::LockError;
use crate::platform::sealed_file::{self, Unreadable};
use crate::platform::telemetry::Class;

const HEAD: &[u8] = b"RCREGISTER\x01";

/// 10,000 people with all that is kept of them, and some room.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The register cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Not readable.
    #[error("could not read the register {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        io: io::Error,
    },
    /// Changed, or not its key.
    #[error("could not decrypt the register {path}: it was changed, or this is not its key")]
    Sealed {
        /// Which file.
        path: PathBuf,
    },
    /// Some other file, or of a later version.
    #[error("could not use the register {path}: it is none that this program knows")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// Somebody else has it.
    #[error("could not open the register {path}")]
    Lock {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: LockError,
    },
    /// Not written.
    #[error("could not store the register")]
    Write(#[source] WriteError),
}

impl RegisterError {
    /// A full disk may be emptied; a file that is wrong stays wrong.
    pub fn class(&self) -> Class {
        match self {
            Self::Read { .. } | Self::Lock { .. } | Self::Write(_) => Class::Transient,
            Self::Sealed { .. } | Self::Format { .. } => Class::Permanent,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write(_) => "check the disk and who may read and write there",
            Self::Lock { .. } => "stop the terminal first, or do it at its screen",
            Self::Sealed { .. } | Self::Format { .. } => {
                "restore register, gallery and key from the same backup; or move the file away: \
                 PINs and the staff must be entered again then, and consents asked for"
            }
        }
    }
}

/// Reads the register; where there is no file yet, nobody stands in it.
pub fn load(path: &Path, key: &[u8; 32]) -> Result<Register, RegisterError> {
    let at = || path.to_owned();
    match sealed_file::load(path, &[HEAD], key, FILE_BYTES_MAX) {
        Ok((_, plain)) => {
            minicbor::decode(&plain).map_err(|_| RegisterError::Format { path: at() })
        }
        Err(Unreadable::Io(io)) if io.kind() == io::ErrorKind::NotFound => Ok(Register::default()),
        Err(Unreadable::Io(io)) => Err(RegisterError::Read { path: at(), io }),
        Err(Unreadable::Format) => Err(RegisterError::Format { path: at() }),
        Err(Unreadable::Sealed) => Err(RegisterError::Sealed { path: at() }),
    }
}

/// Replaces the file by this register. A crash leaves the old one or the new one.
pub fn store(register: &Register, path: &Path, key: &[u8; 32]) -> Result<(), RegisterError> {
    let plain = minicbor::to_vec(register).expect("writing to a vector cannot fail");
    sealed_file::store(path, HEAD, &plain, key).map_err(RegisterError::Write)
}

#[cfg(test)]
mod tests {
    use super::super::register::{Consent, Member, Trainee};
    use super::super::share::{Newest, What};
    use super::*;
    use crate::checkin::pin::Verifier;
    use crate::domain::{PersonId, Timestamp};

    fn register() -> Register {
        let (li, teacher) = (PersonId([1; 16]), PersonId([2; 16]));
        let mut register = Register::default();
        *register.of(li) = Trainee {
            consent: Some(Consent { text: [7; 32], at: Timestamp::from_ms(1) }),
            template_made: Some(Timestamp::from_ms(2)),
            pin: Some(Verifier::new(&li, "2580", [3; 16])),
            share: Some(Newest {
                changed: Timestamp::from_ms(2),
                origin: "t-1".parse().unwrap(),
                what: What::Held,
                unsaid: true,
            }),
        };
        let pin = Verifier::new(&teacher, "9173", [4; 16]);
        register.staff.insert(teacher, Member { number: "T1".into(), name: "陈老师".into(), pin });
        register
    }

    #[test]
    fn register_comes_back_as_it_was_stored_and_nothing_can_be_read_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register");
        assert_eq!(load(&path, &[5; 32]).unwrap(), Register::default());
        store(&register(), &path, &[5; 32]).unwrap();
        assert_eq!(load(&path, &[5; 32]).unwrap(), register());
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(9).any(|window| window == "陈老师".as_bytes()));
        assert!(matches!(load(&path, &[6; 32]), Err(RegisterError::Sealed { .. })));
        assert!(matches!(load(folder.path(), &[5; 32]), Err(RegisterError::Read { .. })));
    }

    #[test]
    fn templates_expire_by_their_age() {
        assert!(register().expired(Timestamp::from_ms(2)).is_empty());
        assert_eq!(register().expired(Timestamp::from_ms(3)), [PersonId([1; 16])]);
    }
}
