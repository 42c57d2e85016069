//! `rollcall collector picture …`: the regulator's key for evidence pictures, and how one is opened.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report, secret_failed};
use crate::collector::picture::{OpenPictureError, Wish, open};
use crate::collector::{Home, StateError};
use crate::platform::chance;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::secret;
use crate::record::ReadingKey;
use crate::record::picture::{PictureError, SEALED_PICTURE_BYTES_MAX, SealedPicture};

/// `rollcall collector picture …`
#[derive(Debug, Subcommand)]
pub(super) enum PictureCommand {
    /// Makes the key that reads evidence pictures, once, for the regulator alone: on a machine of his
    /// own, without any configuration. Prints the key that terminals are given.
    Init {
        /// Folder for picture.key and picture.pub.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// States in the ledger that a picture is opened, by whom and why, and only then decrypts it. While
    /// no collector runs.
    Open {
        /// The sealed picture, as `rollcall terminal evidence export` wrote it.
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArg,
        /// The regulator's key.
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
        /// Who opens it: public for ever.
        #[arg(long)]
        by: String,
        /// Why: public for ever.
        #[arg(long)]
        reason: String,
        /// Where to write the JPEG; there must be no such file.
        #[arg(long, value_name = "JPG")]
        out: PathBuf,
    },
}

impl PictureCommand {
    pub(super) fn run(self) -> Told {
        match self {
            Self::Init { out } => init(&out),
            Self::Open { file, config, key, by, reason, out } => {
                let wish = Wish::new(&by, &reason).map_err(|error| open_failed(&error))?;
                look(&file, &config, &key, wish, &out)
            }
        }
    }
}

fn unwritten(error: &WriteError) -> (Exit, Report) {
    (Exit::Environment, Report::of(error, "look at the folder and its free space"))
}

fn exists(path: &Path) -> Told {
    if !path.exists() {
        return Ok(());
    }
    let what = format!("could not write {}", path.display());
    Err((Exit::Usage, Report::new(what, "it is there already", "name another place")))
}

fn init(out: &Path) -> Told {
    let (secret_file, public_file) = (out.join("picture.key"), out.join("picture.pub"));
    exists(&secret_file)?;
    exists(&public_file)?;
    let secret = chance::random_bytes();
    let public = ReadingKey::from_secret(&secret).public();
    secret::write_new(&secret_file, &secret).map_err(|error| secret_failed(&error))?;
    // A crash here leaves a key whose public half nobody was told: it is removed by hand.
    let line = format!("{public}\n");
    durable::write(&public_file, line.as_bytes(), Access::Everyone)
        .map_err(|error| unwritten(&error))?;
    say!("# {} stays with the regulator. Terminals get, in [evidence]:", secret_file.display());
    say!("key = \"{public}\"");
    Ok(())
}

fn look(file: &Path, config: &ConfigArg, key: &Path, wish: Wish, out: &Path) -> Told {
    exists(out)?;
    let sealed = SealedPicture::parse(read(file)?).map_err(|error| open_failed(&error.into()))?;
    let key = secret::read(key).map_err(|error| secret_failed(&error))?;
    let config = load(config)?;
    let mut home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let now = SystemClock::start().now();
    let jpeg = open(&mut home, &sealed, &ReadingKey::from_secret(&key), wish, now)
        .map_err(|error| open_failed(&error))?;
    durable::write(out, &jpeg, Access::Owner).map_err(|error| unwritten(&error))?;
    let cover = sealed.cover();
    say!(
        "{}: the picture of record {} of terminal {}, taken {}; that it was opened is in the ledger",
        out.display(),
        cover.seq,
        cover.terminal,
        cover.taken
    );
    Ok(())
}

fn read(file: &Path) -> Told<Vec<u8>> {
    let limit = u64::try_from(SEALED_PICTURE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|io| {
        let what = format!("could not read the picture {}", file.display());
        (Exit::Usage, Report::new(what, io.to_string(), "look at its path and rights"))
    })?;
    Ok(bytes)
}

fn open_failed(error: &OpenPictureError) -> (Exit, Report) {
    let (exit, hint) = match error {
        OpenPictureError::Wish { field, hint, .. } => (Exit::Usage, format!("--{field}: {hint}")),
        OpenPictureError::Picture(PictureError::Shape(_)) => {
            (Exit::Usage, "name a file of `rollcall terminal evidence export`".into())
        }
        OpenPictureError::Picture(PictureError::OtherKey { .. }) => {
            (Exit::Usage, "name the key that it is encrypted to; nothing was stated".into())
        }
        OpenPictureError::Picture(PictureError::Unreadable | PictureError::Inside) => {
            (Exit::Found, "ask for another copy; that it was tried is in the ledger".into())
        }
        OpenPictureError::Unknown { .. } => {
            let hint = "wait until the terminal's records are here; if they are, this is none of its \
                        pictures. Nothing was stated";
            (Exit::Found, hint.into())
        }
        OpenPictureError::OtherRecord { .. } => {
            (Exit::Found, "keep the file as it is, and look at that terminal".into())
        }
        OpenPictureError::Read(_) => {
            (Exit::Environment, "look at the disk, or restore a backup".into())
        }
        OpenPictureError::State(StateError::Key { .. } | StateError::TooLong { .. }) => {
            (Exit::Usage, "say it in fewer words".into())
        }
        OpenPictureError::State(StateError::Commit(_) | StateError::Ended) => {
            (Exit::Environment, "nothing was opened; mend the disk and try again".into())
        }
    };
    (exit, Report::of(error, hint))
}
