//! The locked cabinet of a terminal: register and templates on its disk, under one key.

use std::path::PathBuf;

use super::register::Register;
use super::register_file::{self, RegisterError};
use crate::face::Gallery;
use crate::face::gallery_file::{self, GalleryFileError};
use crate::platform::lock::Lock;

/// Where they lie, and what is in the register.
pub struct Cabinet {
    register: Register,
    register_file: PathBuf,
    gallery_file: PathBuf,
    key: [u8; 32],
    /// Two that write would undo each other's changes.
    _lock: Lock,
}

/// What was to be kept is not.
#[derive(Debug, thiserror::Error)]
pub enum CabinetError {
    /// The register.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The templates.
    #[error(transparent)]
    Gallery(#[from] GalleryFileError),
}

impl Cabinet {
    /// Opens the register; where there is none, nobody stands in it.
    pub fn open(
        register_file: PathBuf,
        gallery_file: PathBuf,
        key: [u8; 32],
    ) -> Result<Self, RegisterError> {
        let mut lock = register_file.clone().into_os_string();
        lock.push(".lock");
        let lock = Lock::take(&PathBuf::from(lock))
            .map_err(|source| RegisterError::Lock { path: register_file.clone(), source })?;
        let register = register_file::load(&register_file, &key)?;
        Ok(Self { register, register_file, gallery_file, key, _lock: lock })
    }

    /// The register.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Changes the register, durably or not at all. What changes nothing is not written.
    pub fn change(&mut self, change: impl FnOnce(&mut Register)) -> Result<(), CabinetError> {
        let mut changed = self.register.clone();
        change(&mut changed);
        if changed == self.register {
            return Ok(());
        }
        register_file::store(&changed, &self.register_file, &self.key)?;
        self.register = changed;
        Ok(())
    }

    /// Keeps these templates in place of those of before.
    pub fn keep(&self, gallery: &Gallery) -> Result<(), CabinetError> {
        Ok(gallery_file::store(gallery, &self.gallery_file, &self.key)?)
    }
}
