//! `rollcall terminal camera …`: which cameras are there, and which one is the terminal's.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};

use super::report::{Exit, Report};
use super::terminal::{ConfigArg, Told, load};
use crate::camera::{Choice, pin_file, sysfs};

/// Where the kernel tells of its devices.
pub(super) const SYSFS: &str = "/sys";

/// See [`Command`].
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the cameras that are plugged into this machine.
    List {
        #[command(flatten)]
        kernel: Kernel,
    },
    /// Pins the camera of `[camera] device`: from now on another one is shown and put on record.
    Pin {
        #[command(flatten)]
        config: ConfigArg,
        /// Pins it in the place of the one that is pinned.
        #[arg(long)]
        again: bool,
        #[command(flatten)]
        kernel: Kernel,
    },
}

#[derive(Debug, ClapArgs)]
struct Kernel {
    /// Where the kernel tells of its devices.
    #[arg(long, value_name = "FOLDER", default_value = SYSFS)]
    sysfs: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Told {
        match &self.command {
            Command::List { kernel } => list(&kernel.sysfs),
            Command::Pin { config, again, kernel } => pin(config, *again, &kernel.sysfs),
        }
    }
}

fn unread(error: &std::io::Error) -> (Exit, Report) {
    let what = "could not ask the kernel for its cameras";
    (Exit::Environment, Report::new(what, error.to_string(), "look at the rights of /sys"))
}

fn list(root: &Path) -> Told {
    let found = sysfs::cameras(root).map_err(|error| unread(&error))?;
    for camera in &found {
        say!("{}\t{}", camera.device.display(), camera.identity);
    }
    if found.is_empty() {
        say!("no camera is plugged in");
    }
    Ok(())
}

fn pin(config: &ConfigArg, again: bool, root: &Path) -> Told {
    let what = "could not pin the camera";
    let refused = |because: &str, hint: &str| (Exit::Usage, Report::new(what, because, hint));
    let config = load(config)?;
    let Some(
        Choice::Stream { device: Some(device), pin_file: path, .. }
        | Choice::Device { device, pin_file: path, .. },
    ) = &config.camera
    else {
        let hint = "name its device in [camera] device; `rollcall terminal camera list` shows all";
        return Err(refused("the configuration names no device", hint));
    };
    let pin_failed =
        |error: pin_file::PinError| (Exit::Environment, Report::of(&error, error.hint()));
    let found = sysfs::camera(root, device).map_err(|error| unread(&error))?;
    let Some(identity) = found else {
        let because = format!("{} is no camera that the kernel knows", device.display());
        return Err(refused(&because, "plug it in; `rollcall terminal camera list` shows all"));
    };
    if !again && let Some(pinned) = pin_file::read(path).map_err(pin_failed)? {
        if pinned == identity {
            say!("pinned already: {identity}");
            return Ok(());
        }
        let because = format!("another one is pinned: {pinned}");
        return Err(refused(&because, "if you exchanged it, say so with --again"));
    }
    pin_file::write(path, &identity).map_err(pin_failed)?;
    say!("pinned: {identity}");
    Ok(())
}
