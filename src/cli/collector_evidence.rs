//! What `rollcall collector` reads out of its ledger for others: `audit | prove | export`.

use std::path::{Path, PathBuf};

use super::collector::{ConfigArg, Told, home_failed, load, store};
use super::report::{Exit, Report};
use crate::collector::Home;
use crate::collector::audit::audit as audit_ledger;
use crate::collector::prove::{ProveError, prove as prove_record};
use crate::domain::TerminalId;
use crate::ledger::proof::Code;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::durable::{self, Access};
use crate::platform::qr;

pub(super) fn audit(config: &ConfigArg, others: &[PathBuf]) -> Told {
    let config = load(config)?;
    let keys = Home::peek(&config.data_dir).map_err(home_failed)?;
    let settings = config.log.settings(&config.data_dir);
    let audited = audit_ledger(&store(&config)?, &config.origin, keys, &settings, others);
    let audited = audited.map_err(|error| {
        (
            Exit::Environment,
            Report::of(&error, "look at the paths and the disk, or at the database and [store]"),
        )
    })?;
    let root = audited.root;
    say!("账本 ledger     : {} entries, root {root}", audited.entries);
    say!("检查点 checkpoints: {} held against it", audited.checkpoints);
    let wrong = audited.wrong.len() + audited.more;
    if wrong == 0 {
        say!("结论 result     : 成立 holds");
        return Ok(());
    }
    for finding in &audited.wrong {
        say!("  - {finding}");
    }
    if audited.more > 0 {
        say!("  - … 另有 {more} 处 and {more} more", more = audited.more);
    }
    let because = format!("{wrong} things do not fit, listed above");
    let hint = "keep the files as they are, and tell whoever supervises the centre";
    Err((Exit::Found, Report::new("the ledger is not what was published", because, hint)))
}

pub(super) fn prove(
    config: &ConfigArg,
    terminal: &TerminalId,
    seq: u64,
    out: &Path,
    qr: Option<&Path>,
) -> Told {
    let config = load(config)?;
    let folder = config.log.folder(&config.data_dir);
    let proof = prove_record(&store(&config)?, &folder, terminal, seq).map_err(|error| {
        let (exit, hint) = match &error {
            ProveError::NoRecord { .. } => (Exit::Found, "look at terminal and number"),
            ProveError::NotYet { .. } | ProveError::Unpublished { .. } => {
                (Exit::Found, "ask again once the next checkpoint is published")
            }
            ProveError::Open(_)
            | ProveError::Read(_)
            | ProveError::Folder(_)
            | ProveError::Node(_)
            | ProveError::Head(_) => {
                (Exit::Environment, "look at the disk; `rollcall collector audit` tells more")
            }
        };
        (exit, Report::of(&error, hint))
    })?;
    let written = |path: &Path, text: &str| {
        durable::write(path, text.as_bytes(), Access::Owner).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
        })
    };
    written(out, &proof.to_json())?;
    say!("{}: record {seq} of terminal {terminal}, entry {}", out.display(), proof.record.index);
    let Some(qr) = qr else { return Ok(()) };
    let code = Code::of(&proof).map_err(|error| {
        (Exit::Found, Report::of(&error, "the proof is in its file; hand out that"))
    })?;
    let drawn = qr::as_svg(&code.to_string()).expect("what fits its bound fits a QR code");
    written(qr, &drawn)?;
    say!("{}: the same as a QR code", qr.display());
    Ok(())
}

pub(super) fn export(config: &ConfigArg, out: &Path, terminal: Option<&TerminalId>) -> Told {
    let config = load(config)?;
    let home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let bundle =
        home.export(&config.origin, terminal, SystemClock::start().now()).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the disk, or restore a backup"))
        })?;
    if bundle.entries.is_empty() {
        let because = match terminal {
            Some(terminal) => format!("the ledger has nothing of terminal {terminal}"),
            None => "the ledger is empty".to_owned(),
        };
        let hint = "look at the name of the terminal, or register something first";
        return Err((Exit::Found, Report::new("there is nothing to export", because, hint)));
    }
    durable::write(out, bundle.to_json().as_bytes(), Access::Owner).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
    })?;
    say!("{}: {} entries", out.display(), bundle.entries.len());
    Ok(())
}
