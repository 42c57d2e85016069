//! The authority's key is exchanged. For a while two authorities are trusted, so that nobody is cut
//! off: terminals get certificates of the next one while the broker still shows that of the one before.
//!
//! `ca.key.next` is the marker: while it lies there the exchange is not finished, nothing is certified,
//! and doing it again goes on where it was cut off.

use std::path::{Path, PathBuf};

use super::{CA_KEY, CA_PEM, CaError, NEXT_KEY, NEXT_PEM, TRUSTED};
use super::{authority, certificate_in, certificates_in, pem_of_all};
use crate::domain::Timestamp;
use crate::platform::chance::random_bytes;
use crate::platform::durable::{self, Access};
use crate::platform::secret;

/// Lets another authority follow the one in `folder`, while no collector runs. Gives where the key
/// before lies now, where it lay here at all.
pub(super) fn renew(folder: &Path, now: Timestamp) -> Result<Option<PathBuf>, CaError> {
    let path = |name: &str| folder.join(name);
    let failed = |io| CaError::Folder { folder: folder.to_owned(), io };
    let (next_key, next_pem) = (path(NEXT_KEY), path(NEXT_PEM));
    if !next_key.exists() {
        certificate_in(folder)?;
        if trusted(folder)?.len() > 1 {
            return Err(CaError::Overlap { folder: folder.to_owned() });
        }
        // Of an exchange before this one, which was cut off at its last line.
        remove(&next_pem).map_err(failed)?;
        secret::write_new(&next_key, &random_bytes())?;
    }
    let next = secret::read(&next_key)?;
    if !next_pem.exists() {
        let der = authority(&next, now);
        durable::write(&next_pem, pem_of_all(&[der]).as_bytes(), Access::Everyone)?;
    }
    let (old, new) = (certificate_in(folder)?, read_one(folder, NEXT_PEM)?);
    if old != new {
        let known = known(folder)?;
        if known.last() != Some(&old) {
            let kept = path(&format!("{CA_PEM}.{}", known.len() + 1));
            durable::write(
                &kept,
                pem_of_all(std::slice::from_ref(&old)).as_bytes(),
                Access::Everyone,
            )?;
        }
        durable::write(
            &path(TRUSTED),
            pem_of_all(&[new.clone(), old]).as_bytes(),
            Access::Everyone,
        )?;
        durable::write(&path(CA_PEM), pem_of_all(&[new]).as_bytes(), Access::Everyone)?;
    }
    let before = path(&format!("{CA_KEY}.{}", self::known(folder)?.len()));
    // It may lie in a safe.
    if path(CA_KEY).exists() {
        durable::publish(&path(CA_KEY), &before)?;
    }
    // A crash before this line finds the marker; one after it leaves a certificate that is removed above.
    durable::publish(&next_key, &path(CA_KEY))?;
    remove(&next_pem).map_err(failed)?;
    Ok(Some(before).filter(|path| path.exists()))
}

/// Trusts the authority in force alone.
pub(super) fn retire(folder: &Path) -> Result<(), CaError> {
    let newest = certificate_in(folder)?;
    if trusted(folder)?.len() < 2 {
        return Err(CaError::Alone { folder: folder.to_owned() });
    }
    let text = pem_of_all(&[newest]);
    Ok(durable::write(&folder.join(TRUSTED), text.as_bytes(), Access::Everyone)?)
}

/// The certificates that are trusted, the one in force first.
pub(super) fn trusted(folder: &Path) -> Result<Vec<Vec<u8>>, CaError> {
    let newest = certificate_in(folder)?;
    if !folder.join(TRUSTED).exists() {
        return Ok(vec![newest]);
    }
    certificates_in(&folder.join(TRUSTED))
}

/// The certificates that there were before the one in force, the first one first. By them terminals
/// know the centre that were away when it was exchanged.
pub(super) fn known(folder: &Path) -> Result<Vec<Vec<u8>>, CaError> {
    let mut known = Vec::new();
    loop {
        let name = format!("{CA_PEM}.{}", known.len() + 1);
        if !folder.join(&name).exists() {
            return Ok(known);
        }
        known.push(read_one(folder, &name)?);
    }
}

fn read_one(folder: &Path, name: &str) -> Result<Vec<u8>, CaError> {
    super::one_certificate(&folder.join(name))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(io) if io.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.and_then(|()| durable::sync_folder_of(path)),
    }
}
