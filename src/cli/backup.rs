//! `rollcall collector backup`, `restore` and `renew-receipt-key`: what a centre needs on a bad day.

use std::path::Path;

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report};
use crate::collector::backup::{self, BackupError, RestoreError};
use crate::collector::{Home, HomeError};
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::secret::SecretError;

pub(super) fn backup(config: &ConfigArg, out: &Path) -> Told {
    let config = load(config)?;
    let store = store(&config)?;
    let log = Home::log_secret(&config.data_dir).map_err(home_failed)?;
    let now = SystemClock::start().now();
    let held = backup::backup(&store, &config.origin, &log, out, now).map_err(|error| {
        let (exit, hint) = match &error {
            BackupError::Exists { .. } => (Exit::Usage, "choose another name; none is overwritten"),
            BackupError::Open(_) => {
                (Exit::Environment, "look at the disk, or at the database's server and [store]")
            }
            BackupError::Read(_) => (Exit::Environment, "look at the disk, or at the database"),
            BackupError::Write(_) => (Exit::Environment, "look at the folder and its free space"),
            BackupError::Contradiction => {
                (Exit::Found, "`rollcall collector audit` names the entries; keep older backups")
            }
        };
        (exit, Report::of(&error, hint))
    })?;
    say!("{}: {} entries, root {}", out.display(), held.entries, held.root);
    say!("# It opens commitments, so it names persons: keep it like a roster.");
    say!(
        "# The collector's keys are not in it. Keep copies of {0}/log.key, {0}/receipt.key and the \
         authority's key apart from it (docs/runbook/centre-keys.md, keys.md).",
        config.data_dir.display()
    );
    Ok(())
}

pub(super) fn restore(config: &ConfigArg, from: &Path) -> Told {
    let config = load(config)?;
    let store = store(&config)?;
    let settings = config.log.settings(&config.data_dir);
    let mut origins = vec![config.origin.as_str()];
    origins.extend(settings.follows.as_deref());
    let held = backup::restore(&config.data_dir, &store, &origins, &settings, from);
    let held = held.map_err(|error| {
        let (exit, hint) = match error {
            // Where one is to be restored, a key that `init` makes would be the wrong one.
            RestoreError::Home(HomeError::Key(error @ SecretError::Missing { .. })) => {
                let hint = "copy log.key and receipt.key to there (docs/runbook/centre-keys.md)";
                return (Exit::Environment, Report::of(&error, hint));
            }
            RestoreError::Home(error) => return home_failed(error),
            RestoreError::Read { .. } => (Exit::Environment, "look at its path, rights and disk"),
            RestoreError::Wrong { .. } => {
                (Exit::Found, "nothing was restored; take another backup, or the right log.key")
            }
            RestoreError::OtherLog { .. } => {
                (Exit::Usage, "put the backup's name into `origin`, or into [log] follows")
            }
            RestoreError::NotEmpty { .. } => {
                (Exit::Usage, "nothing was overwritten; restore into an empty place")
            }
            RestoreError::Open(error) => return home_failed(error.into()),
            RestoreError::Commit(_) | RestoreError::Entry(_) | RestoreError::Place(_) => {
                (Exit::Environment, "look at the store and its free space, and restore again")
            }
            RestoreError::Published(_) => {
                (Exit::Environment, "look at the folder in [log], and restore again")
            }
        };
        (exit, Report::of(&error, hint))
    })?;
    say!("{store}: {} entries, root {}, as of {}", held.entries, held.root, held.at);
    super::collector_terminal::recall(&config)?;
    say!("# `rollcall collector run` goes on from here. What came later, terminals offer again.");
    Ok(())
}

pub(super) fn renew_receipt_key(config: &ConfigArg) -> Told {
    let config = load(config)?;
    let now = SystemClock::start().now();
    let (key, old) = Home::renew_receipt_key(&config.data_dir, now).map_err(home_failed)?;
    match old {
        Some(old) => {
            say!("# The key of before: {}. It has signed over to this one:", old.display());
            say!("# terminals follow by themselves when the collector runs again.");
        }
        None => {
            say!(
                "# The key of before is not here, so nothing leads terminals to this one. Bring it to"
            );
            say!(
                "# each (`receipt_key` in its configuration); until then it keeps its records and"
            );
            say!("# offers them again (docs/runbook/centre-keys.md).");
        }
    }
    say!("receipt {key}");
    Ok(())
}
