//! Evidence pictures (docs/spec/picture-v1.md): where the policy demands it, one picture of each attempt
//! that looks like a fraud is kept on this terminal, encrypted to the regulator, until it expires.
//!
//! ```text
//! frame → record durable → sealed file durable → picture_kept on record … expired → file gone →
//! picture_deleted on record
//! ```
//!
//! A record never says more than is true, and what a crash leaves between two steps is made up for by
//! [`Album::sweep`]: the names of the files say which step was the last (`name.rs`). `rule.rs`,
//! `name.rs` and `glimpse.rs` are pure; `files.rs` alone writes. Nothing here ever turns anybody away.

mod config;
mod files;
mod glimpse;
mod name;
mod rule;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use self::config::{Section, Settings};
use self::files::{Files, Found};
use self::glimpse::Glimpse;
use self::name::{Name, Stage};
use self::rule::{Fate, fate};
pub use self::rule::{Rule, Times};
use super::{TakeError, Taken, Terminal};
use crate::camera::{self, Frame};
use crate::domain::{CheckIn, Note, NoticeKind, Timestamp};
use crate::kiosk::Unkept;
use crate::platform::chance;
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::telemetry::{Chain, Class};
use crate::record::ReadingPublic;
use crate::record::picture::{
    Cover, PICTURE_BYTES_MAX, SealPictureError, SealedPicture, digest_of_picture,
};

/// How often it is looked for pictures that have expired, in milliseconds.
pub const SWEEP_MS: u64 = 3_600_000;

/// The sealed pictures of one terminal.
#[derive(Debug)]
pub struct Album {
    files: Files,
    reader: Option<ReadingPublic>,
    bytes_max: u64,
    glimpse: Glimpse,
    unkept: Option<Unkept>,
    swept_ms: Option<u64>,
}

/// A picture that is kept, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Number of the record that it belongs to.
    pub seq: u64,
    /// When it was taken, by the terminal's clock; `None` where its file is damaged.
    pub taken: Option<Timestamp>,
    /// Until when it is kept; `None` as long as no time is proven.
    pub until: Option<Timestamp>,
    /// Size of its file.
    pub bytes: u64,
    /// SHA-256 of its file.
    pub digest: [u8; 32],
}

/// Pictures could not be kept, listed, handed over or deleted.
#[derive(Debug, thiserror::Error)]
pub enum AlbumError {
    /// The folder or a file cannot be read.
    #[error("could not read the evidence pictures in {dir}")]
    Read {
        /// Which folder.
        dir: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
    /// A file cannot be written or removed.
    #[error("could not change the evidence pictures")]
    Write(#[from] WriteError),
    /// What was done could not be put on record.
    #[error("could not put an evidence picture on record")]
    Take(#[from] TakeError),
    /// The picture cannot be encrypted.
    #[error("could not encrypt an evidence picture")]
    Seal(#[from] SealPictureError),
}

impl AlbumError {
    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            Self::Read { .. } | Self::Write(_) => Class::Transient,
            Self::Take(error) => error.class(),
            Self::Seal(_) => Class::Permanent,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write(_) => {
                "look at the folder in [evidence] dir, its rights and its disk"
            }
            Self::Take(_) => "connect the network, so that receipts make room in the journal",
            Self::Seal(_) => "ask the regulator for another key, and put it into [evidence] key",
        }
    }
}

impl Album {
    /// The pictures in the folder of these settings.
    pub fn new(settings: &Settings) -> Self {
        let Settings { reader, dir, bytes_max } = settings.clone();
        let (files, glimpse) = (Files::new(dir), Glimpse::default());
        Self { files, reader, bytes_max, glimpse, unkept: None, swept_ms: None }
    }

    /// Why pictures are not kept, where they should be.
    pub fn unkept(&self) -> Option<Unkept> {
        self.unkept
    }

    /// Takes note of a frame, in memory alone and only if the rule may want it; `visit` is whose.
    pub fn see(&mut self, rule: &Rule, frame: &Frame, visit: Option<u64>) {
        if rule.pictures && self.reader.is_some() {
            self.glimpse.see(frame, visit);
        } else {
            self.glimpse.clear();
        }
    }

    /// Once an hour, and at the start: deletes what has expired, and makes up for what a crash has left
    /// undone. An error ends the terminal.
    pub fn tick(&mut self, terminal: &Terminal, rule: &Rule, at_ms: u64) -> Result<(), TakeError> {
        match (rule.pictures, self.reader) {
            (false, _) => self.unkept = None,
            (true, None) => self.tell(Unkept::NoKey, "no regulator's key is configured"),
            (true, Some(_)) => {}
        }
        if self.swept_ms.is_some_and(|swept| at_ms.saturating_sub(swept) < SWEEP_MS) {
            return Ok(());
        }
        self.swept_ms = Some(at_ms);
        match self.sweep(terminal, rule, &terminal.times()) {
            Ok(_) => Ok(()),
            Err(AlbumError::Take(error)) if error.class() != Class::Transient => Err(error),
            Err(error) => {
                tracing::error!("Could not look after the evidence pictures: {}.", Chain(&error));
                Ok(())
            }
        }
    }

    /// Keeps the picture of a decision whose record is durable, if the rule wants it. An error ends the
    /// terminal; that there is no picture is told, and ends nothing.
    pub fn keep(
        &mut self,
        terminal: &Terminal,
        rule: &Rule,
        (checkin, taken): (&CheckIn, &Taken),
        now: Timestamp,
    ) -> Result<(), TakeError> {
        let Some(reader) = self.reader.filter(|_| rule.wants(checkin)) else { return Ok(()) };
        let Some(frame) = self.glimpse.of(checkin) else { return Ok(()) };
        let Some(jpeg) = camera::still(frame, PICTURE_BYTES_MAX) else {
            self.tell(Unkept::Failed, "the frame cannot be encoded");
            return Ok(());
        };
        let cover = Cover {
            terminal: terminal.id().clone(),
            seq: taken.seq,
            record: taken.hash,
            taken: now,
            expires: terminal.times().proven.map(|now| rule.until(now)),
            reader: reader.0,
        };
        match self.store(terminal, cover, &jpeg) {
            Ok(true) => self.unkept = None,
            Ok(false) => self.tell(Unkept::Full, "they have as many bytes as [evidence] allows"),
            Err(AlbumError::Take(error)) if error.class() != Class::Transient => return Err(error),
            // The file is there; a sweep puts it on record when there is room again.
            Err(AlbumError::Take(_)) => {}
            Err(error) => self.tell(Unkept::Failed, &Chain(&error).to_string()),
        }
        Ok(())
    }

    /// Stores a picture, if there is room for it; whether there was.
    fn store(&self, terminal: &Terminal, cover: Cover, picture: &[u8]) -> Result<bool, AlbumError> {
        let name = Name { seq: cover.seq, until: None, stage: Stage::New };
        let sealed = SealedPicture::seal(cover, picture, chance::random_bytes())?;
        let files = self.list()?;
        if files.iter().any(|found| found.name.seq == name.seq) {
            let why = format!("there is a picture of another record {} already", name.seq);
            return Err(self.unread(io::Error::new(io::ErrorKind::AlreadyExists, why)));
        }
        let held: u64 = files.iter().map(|found| found.bytes).sum();
        let more = u64::try_from(sealed.bytes().len()).unwrap_or(u64::MAX);
        if held.saturating_add(more) > self.bytes_max {
            return Ok(false);
        }
        // A crash before this line leaves a record without a picture; after it, a picture that the next
        // start puts on record.
        self.files.write(name, sealed.bytes())?;
        self.put_on_record(terminal, name, sealed.digest())?;
        Ok(true)
    }

    /// States that a picture is kept. A crash between the two steps states it twice, of one digest.
    fn put_on_record(
        &self,
        terminal: &Terminal,
        name: Name,
        digest: [u8; 32],
    ) -> Result<Name, AlbumError> {
        terminal.note(&Note::new(NoticeKind::PictureKept, Some(digest)))?;
        let kept = name.at(Stage::Kept);
        self.files.rename(name, kept)?;
        Ok(kept)
    }

    /// Makes up for steps that a crash has left undone, and deletes what has expired by `times`. Gives
    /// what is kept after it.
    pub fn sweep(
        &mut self,
        terminal: &Terminal,
        rule: &Rule,
        times: &Times,
    ) -> Result<Vec<Kept>, AlbumError> {
        self.files.clear_partial().map_err(|io| self.unread(io))?;
        let (mut kept, mut gone, mut failed) = (Vec::new(), false, None);
        for found in self.list()? {
            match self.settle(terminal, rule, times, found) {
                Ok(Some(picture)) => kept.push(picture),
                Ok(None) => gone = true,
                Err(error @ AlbumError::Take(_)) => return Err(error),
                // One bad file keeps no other one beyond its time.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if gone && self.unkept == Some(Unkept::Full) {
            self.unkept = None;
        }
        failed.map_or(Ok(kept), Err)
    }

    /// Takes the next steps of one file; gives its picture, if it stays.
    fn settle(
        &self,
        terminal: &Terminal,
        rule: &Rule,
        times: &Times,
        Found { name, bytes }: Found,
    ) -> Result<Option<Kept>, AlbumError> {
        let name = match name.stage {
            Stage::Gone => {
                self.finish_deleting(terminal, name)?;
                return Ok(None);
            }
            Stage::New => {
                let digest = digest_of_picture(&self.read(name)?);
                self.put_on_record(terminal, name, digest)?
            }
            Stage::Kept => name,
        };
        let sealed = match self.files.read(name) {
            Ok(sealed) => sealed,
            // Its deletion had begun, and was ended just before.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(io) => return Err(self.unread(io)),
        };
        let mut picture = described(name, bytes, sealed);
        match fate(picture.until, rule, times) {
            Fate::Stays => {}
            Fate::Dated(until) => {
                self.files.rename(name, Name { until: Some(until), ..name })?;
                picture.until = Some(until);
            }
            Fate::Expired => {
                self.delete(terminal, name, picture.digest)?;
                return Ok(None);
            }
        }
        Ok(Some(picture))
    }

    /// First it is gone, then that is on record.
    fn delete(&self, terminal: &Terminal, name: Name, digest: [u8; 32]) -> Result<(), AlbumError> {
        let gone = name.at(Stage::Gone);
        // A crash after this line leaves the picture and its digest: the next start goes on from there.
        self.files.write(gone, &digest)?;
        self.finish_deleting(terminal, gone)?;
        tracing::info!(record.seq = name.seq, "Deleted an evidence picture that had expired.");
        Ok(())
    }

    fn finish_deleting(&self, terminal: &Terminal, gone: Name) -> Result<(), AlbumError> {
        self.files.remove(gone.at(Stage::Kept))?;
        let digest = self.read(gone)?.try_into().ok();
        terminal.note(&Note::new(NoticeKind::PictureDeleted, digest))?;
        // A crash before this line states it twice, of one digest.
        Ok(self.files.remove(gone)?)
    }

    /// All that is kept, without changing anything; also while the terminal runs.
    pub fn kept(&self) -> Result<Vec<Kept>, AlbumError> {
        let of = |found: &Found| matches!(found.name.stage, Stage::New | Stage::Kept);
        let described =
            |found: Found| Ok(described(found.name, found.bytes, self.read(found.name)?));
        self.list()?.into_iter().filter(of).map(described).collect()
    }

    /// Copies the sealed files into a folder. That each is handed over is on record before it is copied:
    /// what lets a picture out may say too much, never too little. What has expired is deleted instead.
    pub fn hand_over(
        &mut self,
        terminal: &Terminal,
        rule: &Rule,
        out: &Path,
    ) -> Result<Vec<Kept>, AlbumError> {
        let kept = self.sweep(terminal, rule, &terminal.times())?;
        for found in self.list()? {
            if found.name.stage != Stage::Kept {
                continue;
            }
            let sealed = self.read(found.name)?;
            let digest = Some(digest_of_picture(&sealed));
            terminal.note(&Note::new(NoticeKind::PictureHandedOver, digest))?;
            let copy = out.join(format!("{}-{}.picture", terminal.id(), found.name.seq));
            durable::write(&copy, &sealed, Access::Owner)?;
        }
        Ok(kept)
    }

    fn list(&self) -> Result<Vec<Found>, AlbumError> {
        self.files.list().map_err(|io| self.unread(io))
    }

    fn read(&self, name: Name) -> Result<Vec<u8>, AlbumError> {
        self.files.read(name).map_err(|io| self.unread(io))
    }

    fn unread(&self, io: io::Error) -> AlbumError {
        AlbumError::Read { dir: self.files.dir().to_owned(), io }
    }

    /// Told once, until it is another one.
    fn tell(&mut self, why: Unkept, because: &str) {
        if self.unkept.replace(why) != Some(why) {
            tracing::warn!("Evidence pictures are not kept: {because}. Check-in goes on.");
        }
    }
}

fn described(name: Name, bytes: u64, sealed: Vec<u8>) -> Kept {
    let digest = digest_of_picture(&sealed);
    // A damaged one has no date: it goes as those do that were taken while no time was proven.
    let cover = SealedPicture::parse(sealed).ok().map(|picture| picture.cover().clone());
    let taken = cover.as_ref().map(|cover| cover.taken);
    let until = name.until.or(cover.and_then(|cover| cover.expires));
    Kept { seq: name.seq, taken, until, bytes, digest }
}
