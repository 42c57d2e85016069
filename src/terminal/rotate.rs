//! Exchanges a terminal's record key (docs/spec/enrolment-v1.md, "Another record key"): the old key
//! signs over to the new one, the centre states it, and only then the terminal seals with it.
//!
//! ```text
//! next key kept ─► succession ══► centre ══► answer ─► journal knows both ─► next key takes the old one's place
//! ```
//!
//! Each step can be repeated; until the last one the terminal runs on with the old key, which the
//! centre takes as long as the new one has sealed nothing.

use std::path::{Path, PathBuf};

use super::Config;
use super::enrol::EnrolError;
use crate::journal::Journal;
use crate::platform::chance;
use crate::platform::durable;
use crate::platform::secret::{self, SecretError};
use crate::record::enrolment::{open_confirmation, seal_succession};
use crate::record::{KeyId, SigningKey};
use crate::uplink::Trust;

/// A change that waits for the centre's answer.
#[derive(Debug)]
pub struct Rotation<'c> {
    config: &'c Config,
    next_file: PathBuf,
    old: KeyId,
    next: SigningKey,
    /// What to send to the centre.
    pub request: Vec<u8>,
}

/// Makes the next key, or finds the one of a change that was cut off, and the request. The terminal
/// must stand still.
pub fn rotate(config: &Config) -> Result<Rotation<'_>, EnrolError> {
    let old = SigningKey::from_secret(&secret::read(&config.key_file)?);
    let next_file = beside(&config.key_file);
    let next = match secret::read(&next_file) {
        Err(SecretError::Missing { .. }) => {
            let next = chance::random_bytes();
            secret::write_new(&next_file, &next)?;
            SigningKey::from_secret(&next)
        }
        read => SigningKey::from_secret(&read?),
    };
    let request = seal_succession(&config.terminal, &old, &next);
    Ok(Rotation { config, next_file, old: old.verifying_key().id(), next, request })
}

fn beside(key_file: &Path) -> PathBuf {
    let mut name = key_file.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

impl Rotation<'_> {
    /// Takes the centre's word that it knows the next key, and puts it in the old one's place.
    pub fn finish(self, answer: &[u8]) -> Result<KeyId, EnrolError> {
        let Self { config, next_file, old, next, request } = self;
        let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)?;
        open_confirmation(answer, &request, &config.terminal, &trust.key())?;
        let id = next.verifying_key().id();
        let journal = Journal::open(&config.journal_dir, &config.terminal, old, config.bounds)?;
        journal.let_key_follow_durably(id)?;
        drop(journal);
        // A crash before this line leaves the old key in its place: it is good as long as the new one
        // has sealed nothing, and the change can be repeated.
        durable::publish(&next_file, &config.key_file)?;
        Ok(id)
    }
}
