//! `rollcall terminal evidence …`: the encrypted evidence pictures of a terminal. Nothing here can open
//! one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use data_encoding::HEXLOWER;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{ConfigArg, Told, exit_of, load};
use super::terminal_take::policy_in_force;
use crate::platform::clock::SystemClock;
use crate::platform::secret;
use crate::record::SigningKey;
use crate::terminal::evidence::{Album, AlbumError, Kept, Rule};
use crate::terminal::{Config, Setup, Terminal};
use crate::uplink::NoWaypoints;

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says which pictures are kept, and until when. Changes nothing, also while the terminal runs.
    List(ConfigArg),
    /// Copies the encrypted pictures into a folder, to be handed to the regulator, while the terminal
    /// stands still. That each is handed over is put on record.
    Export {
        #[command(flatten)]
        config: ConfigArg,
        /// The folder.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

impl Args {
    pub(super) fn run(&self) -> Told {
        match &self.command {
            Command::List(config) => list(&load(config)?),
            Command::Export { config, out } => export(&load(config)?, out),
        }
    }
}

fn album_failed(error: &AlbumError) -> (Exit, Report) {
    (exit_of(error.class()), Report::of(error, error.hint()))
}

fn list(config: &Config) -> Told {
    let kept = Album::new(&config.evidence).kept().map_err(|error| album_failed(&error))?;
    kept.iter().for_each(tell);
    say!("{} evidence pictures are kept", kept.len());
    Ok(())
}

fn tell(picture: &Kept) {
    let Kept { seq, taken, until, bytes, digest } = picture;
    let taken = taken.map_or("unreadable".into(), |at| at.to_string());
    let until = until.map_or("some days after its time is proven".into(), |at| at.to_string());
    let digest = HEXLOWER.encode(digest);
    say!("record {seq}: taken {taken}, kept until {until}, {bytes} bytes, {digest}");
}

fn export(config: &Config, out: &Path) -> Told {
    if !out.is_dir() {
        let what = format!("could not hand over evidence pictures in {}", out.display());
        return Err((Exit::Usage, Report::new(what, "there is no such folder", "make it first")));
    }
    let policy = policy_in_force(config)?;
    let key = secret::read(&config.key_file).map_err(|error| secret_failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|io| {
        let hint = "look at the limits of this machine";
        (Exit::Environment, Report::new("could not start", io.to_string(), hint))
    })?;
    let _inside = runtime.enter();
    // The journal's lock keeps out a terminal that runs.
    let terminal = Terminal::start(Setup {
        terminal: config.terminal.clone(),
        key: SigningKey::from_secret(&key),
        journal_dir: config.journal_dir.clone(),
        bounds: config.bounds,
        uplink: config.uplink.clone(),
        policy: policy.profile(),
        pack: None,
        plugged: false,
        clock: Arc::new(SystemClock::start()),
        waypoints: Arc::new(NoWaypoints),
    });
    let terminal =
        terminal.map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
    let handed = Album::new(&config.evidence).hand_over(&terminal, &Rule::of(&policy), out);
    runtime.block_on(terminal.shut_down()).map_err(|error| {
        let hint = "look at the disk; what is in the journal is offered at the next start";
        (exit_of(error.class()), Report::of(&error, hint))
    })?;
    let handed = handed.map_err(|error| album_failed(&error))?;
    handed.iter().for_each(tell);
    say!("handed over {} evidence pictures in {}", handed.len(), out.display());
    Ok(())
}
