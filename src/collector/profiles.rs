//! Every policy profile that was ever in force, or is tried out, lies in the data folder under the SHA-256
//! of its text: `policies/<digest>.toml`. Such a file is never changed and never removed, so what was
//! judged by it can be judged again years later by the very same numbers (docs/decisions/0027).
//!
//! Name and version stand for one text: another text of the same name and version is refused.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use super::{ConfigError, read_bounded};
use crate::cases::{self, SqliteCases};
use crate::domain::Policy;
use crate::platform::durable::{self, Access, WriteError};

const FOLDER: &str = "policies";

/// The profiles of a data folder.
#[derive(Debug)]
pub struct Profiles {
    folder: PathBuf,
    kept: Vec<Policy>,
}

/// Profiles could not be kept, read or used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// The operating system refused.
    #[error("could not use the folder {folder}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A kept profile could not be read.
    #[error("could not read a profile that is kept")]
    Read(#[from] ConfigError),
    /// Somebody changed it.
    #[error("could not use {path}: its text is not the one that it was kept for")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The name and version stand for another text already.
    #[error(
        "could not use the policy profile {profile}: another text of this name and version was put in force or tried out"
    )]
    Changed {
        /// Name and version.
        profile: String,
    },
    /// A profile could not be kept.
    #[error("could not keep the policy profile")]
    Write(#[from] WriteError),
}

impl ProfilesError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Folder { .. } | Self::Read(_) | Self::Write(_) => {
                "look at the folder's rights and free space"
            }
            Self::Damaged { .. } => "put back the file from a backup",
            Self::Changed { .. } => {
                "raise `version` in the profile: what was judged names the old one"
            }
        }
    }
}

/// By what a collector works from its start on.
#[derive(Debug, PartialEq)]
pub enum Standing {
    /// The configured profile is the one in force.
    InForce,
    /// None is in force, or one that is not kept: the configured one is to be stated.
    ToState,
    /// Another one is in force and stays so until somebody promotes the configured one.
    Other(Box<Policy>),
}

impl Profiles {
    /// Reads what is kept; none where nothing was kept yet.
    pub fn open(data_dir: &Path) -> Result<Self, ProfilesError> {
        let folder = data_dir.join(FOLDER);
        let failed = |cause| ProfilesError::Folder { folder: folder.clone(), cause };
        let mut paths = Vec::new();
        match fs::read_dir(&folder) {
            Ok(files) => {
                for file in files {
                    paths.push(file.map_err(failed)?.path());
                }
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => return Err(failed(cause)),
        }
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        paths.sort();
        let mut kept = Vec::new();
        for path in paths {
            match Policy::parse(&read_bounded(&path)?, &path.display().to_string()) {
                Ok(policy) if path == file_of(&folder, &policy.digest()) => kept.push(policy),
                Ok(_) => return Err(ProfilesError::Damaged { path }),
                // One of before, that lacks a number of today: what it judged stands, and cannot be
                // judged again by this program.
                Err(error) => tracing::warn!("A kept policy profile is passed over: {error}."),
            }
        }
        Ok(Self { folder, kept })
    }

    /// All that can be used.
    pub fn kept(&self) -> &[Policy] {
        &self.kept
    }

    /// One of them.
    pub fn by_digest(&self, digest: &[u8; 32]) -> Option<&Policy> {
        self.kept.iter().find(|policy| policy.digest() == *digest)
    }

    /// Keeps a profile; one that is kept already stays as it is.
    pub fn keep_durably(&mut self, policy: &Policy) -> Result<(), ProfilesError> {
        if self.by_digest(&policy.digest()).is_some() {
            return Ok(());
        }
        self.is_free(policy)?;
        fs::create_dir_all(&self.folder)
            .map_err(|cause| ProfilesError::Folder { folder: self.folder.clone(), cause })?;
        let path = file_of(&self.folder, &policy.digest());
        durable::write(&path, policy.text().as_bytes(), Access::Everyone)?;
        self.kept.push(policy.clone());
        Ok(())
    }

    /// Whether no other text has this name and version.
    fn is_free(&self, policy: &Policy) -> Result<(), ProfilesError> {
        let profile = policy.profile();
        match self.kept.iter().find(|other| other.profile() == profile) {
            Some(other) if other.digest() != policy.digest() => {
                Err(ProfilesError::Changed { profile })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// By what to work, where the ledger names `in_force` and the configuration names `configured`.
    pub fn standing(
        &self,
        in_force: Option<(&str, &[u8; 32])>,
        configured: &Policy,
    ) -> Result<Standing, ProfilesError> {
        let profile = configured.profile();
        match in_force {
            Some((_, digest)) if *digest == configured.digest() => Ok(Standing::InForce),
            Some((name, _)) if name == profile => Err(ProfilesError::Changed { profile }),
            Some((_, digest)) => {
                self.is_free(configured)?;
                let other = self.by_digest(digest).cloned().map(Box::new);
                Ok(other.map_or(Standing::ToState, Standing::Other))
            }
            None => Ok(Standing::ToState),
        }
    }

    /// Where the anomalies of a candidate lie: beside its profile, in no other's way.
    pub fn trial_file(data_dir: &Path, digest: &[u8; 32]) -> PathBuf {
        data_dir.join(FOLDER).join(format!("{}.trial.sqlite", HEXLOWER.encode(digest)))
    }

    /// Opens the anomalies of a candidate.
    pub fn open_trial(data_dir: &Path, digest: &[u8; 32]) -> Result<SqliteCases, cases::OpenError> {
        SqliteCases::open(&Self::trial_file(data_dir, digest))
    }
}

fn file_of(folder: &Path, digest: &[u8; 32]) -> PathBuf {
    folder.join(format!("{}.toml", HEXLOWER.encode(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shipped profile with another number, and perhaps another version.
    fn changed(version: u32, speed: u32) -> Policy {
        let text = Policy::sichuan_2025().text().replacen(
            "version = 2",
            &format!("version = {version}"),
            1,
        );
        let text = text.replacen("value = 120", &format!("value = {speed}"), 1);
        Policy::parse(&text, "test").unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Policy::sichuan_2025(), changed(3, 80));
        let mut profiles = Profiles::open(folder.path()).unwrap();
        profiles.keep_durably(&one).unwrap();
        profiles.keep_durably(&two).unwrap();
        profiles.keep_durably(&one).unwrap();
        let again = Profiles::open(folder.path()).unwrap();
        assert_eq!(again.kept().len(), 2);
        assert_eq!(again.by_digest(&two.digest()), Some(&two));
        let error = profiles.keep_durably(&changed(3, 81)).unwrap_err();
        assert!(
            matches!(&error, ProfilesError::Changed { profile } if profile == "sichuan-2025/3")
        );
        assert!(error.hint().starts_with("raise `version`"));

        let file = file_of(&folder.path().join(FOLDER), &two.digest());
        durable::write(&file, one.text().as_bytes(), Access::Everyone).unwrap();
        let error = Profiles::open(folder.path()).unwrap_err();
        assert!(matches!(error, ProfilesError::Damaged { path } if path == file));
    }

    /// A program that asks for more numbers must still start.
    #[test]
    fn a_kept_profile_that_lacks_a_number_of_today_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(FOLDER)).unwrap();
        let file = file_of(&folder.path().join(FOLDER), &[7; 32]);
        durable::write(&file, b"name = \"old\"", Access::Everyone).unwrap();
        assert_eq!(Profiles::open(folder.path()).unwrap().kept(), []);
    }

    #[test]
    fn what_is_in_force_stays_in_force_until_somebody_promotes_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Policy::sichuan_2025(), changed(3, 80));
        let mut profiles = Profiles::open(folder.path()).unwrap();
        let name = one.profile();
        let (digest, gone) = (one.digest(), [7; 32]);
        assert_eq!(profiles.standing(None, &one).unwrap(), Standing::ToState);
        profiles.keep_durably(&one).unwrap();
        let in_force = Some((name.as_str(), &digest));
        assert_eq!(profiles.standing(in_force, &one).unwrap(), Standing::InForce);
        let other = Standing::Other(Box::new(one.clone()));
        assert_eq!(profiles.standing(in_force, &two).unwrap(), other);
        let of_before = Some(("sichuan-2024/1", &gone));
        assert_eq!(profiles.standing(of_before, &one).unwrap(), Standing::ToState, "not kept");
        let same_name = profiles.standing(in_force, &changed(2, 80));
        assert!(matches!(same_name, Err(ProfilesError::Changed { .. })));
    }
}
