//! `rollcall collector backup`, `restore`, `take`, `renew-receipt-key` and `renew-log-key`: what a centre needs on a bad day.

use std::path::Path;

use super::collector::{ConfigArg, Told, config_failed, home_failed, load, store, vkey};
use super::report::{Exit, Report};
use crate::collector::backup::{self, BackupError, RestoreError};
use crate::collector::carried::{Carried, CarriedError, ExportError, Outcome};
use crate::collector::{Home, HomeError, Role};
use crate::domain::TerminalId;
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

pub(super) fn take(config: &ConfigArg, from: &Path, named: Option<TerminalId>) -> Told {
    let config = load(config)?;
    let limits = config.setup().map_err(config_failed)?.limits;
    let carried = Carried::read(from, named).map_err(|error| {
        let (exit, hint) = match &error {
            ExportError::Read { .. } => (Exit::Environment, "look at its path, rights and disk"),
            ExportError::Nobody { .. } => (Exit::Usage, "name the terminal with --terminal"),
            ExportError::Json { .. }
            | ExportError::Format { .. }
            | ExportError::Record { .. }
            | ExportError::Name { .. } => {
                (Exit::Found, "nothing was taken in; export the journal again")
            }
        };
        (exit, Report::of(&error, hint))
    })?;
    let mut home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let terminal = carried.terminal().clone();
    let outcome = carried.take_into(&mut home, limits, &SystemClock::start()).map_err(|error| {
        let (exit, hint) = match &error {
            CarriedError::Unknown { .. } => {
                (Exit::Usage, "register it first; nothing was taken in")
            }
            CarriedError::Read(_) | CarriedError::Commit(_) => {
                (Exit::Environment, "look at the store, and take the same file again")
            }
        };
        (exit, Report::of(&error, hint))
    })?;
    let Outcome { committed, known, refused, waiting } = outcome;
    say!("{terminal}: {committed} records committed, {known} were there already");
    for (code, count) in &refused {
        say!("  {count} refused and kept as evidence: {code}");
    }
    if waiting > 0 {
        say!(
            "  {waiting} follow a hole in the chain and were not taken: give what is before them first,"
        );
        say!("  or let the repaired terminal state what is lost (docs/runbook/journal.md)");
    }
    Ok(())
}

pub(super) fn renew_key(config: &ConfigArg, role: Role) -> Told {
    let config = load(config)?;
    let now = SystemClock::start().now();
    let (key, old) = Home::renew_key(&config.data_dir, role, now).map_err(home_failed)?;
    if let Some(old) = &old {
        say!("# The key of before, {}, has signed over to this one.", old.display());
    }
    match (role, old) {
        (Role::Receipt, Some(_)) => {
            say!("# Terminals follow by themselves when the collector runs again.");
            say!("receipt {key}");
        }
        (Role::Receipt, None) => {
            say!("# The key of before is not here: nothing leads terminals to this one. Bring it");
            say!("# to each (`receipt_key` in its configuration); until then it keeps its records");
            say!("# and offers them again (docs/runbook/centre-keys.md).");
            say!("receipt {key}");
        }
        (Role::Log, _) => {
            say!("# Give both lines to auditors, beside the `log` lines that they have, and the");
            say!("# second one to witnesses. As long as the file of the key of before lies there,");
            say!("# checkpoints are signed with both (docs/runbook/centre-keys.md).");
            say!("log {key}");
            say!("# For witnesses and other readers of logs: {}", vkey(&config, key)?);
        }
    }
    Ok(())
}
