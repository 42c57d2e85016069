//! What a collector says when its folder or its ledger cannot be used.

use super::report::{Exit, Report, secret_failed};
use crate::collector::HomeError;
use crate::ledger::OpenLedgerError;
use crate::platform::postgres::ConnectError;

#[expect(clippy::needless_pass_by_value, reason = "reads as a step of map_err")]
pub(super) fn home_failed(error: HomeError) -> (Exit, Report) {
    let (exit, hint) = match &error {
        HomeError::Exists { .. } => {
            (Exit::Usage, "use it with `rollcall collector run`; nothing was changed")
        }
        HomeError::Key(error) => return secret_failed(error),
        HomeError::Locked { .. } => (Exit::Environment, "end the other collector first"),
        HomeError::Folder { .. } => {
            (Exit::Environment, "look at the folder's rights and free space")
        }
        HomeError::Ledger(OpenLedgerError::Missing { .. }) => {
            (Exit::Environment, "is its disk mounted? restore the ledger from its backup")
        }
        HomeError::Ledger(OpenLedgerError::Contradiction { .. }) => {
            (Exit::FailStop, "restore the ledger from its backup; terminals offer the rest again")
        }
        HomeError::Ledger(OpenLedgerError::Held { .. }) => {
            (Exit::Environment, "end the other collector first")
        }
        HomeError::Ledger(OpenLedgerError::Newer { .. }) => {
            (Exit::Usage, "run the newer program; nothing was changed")
        }
        HomeError::Ledger(OpenLedgerError::Older { .. }) => {
            (Exit::Usage, "`rollcall collector run` brings it forward; begin with a backup")
        }
        HomeError::Ledger(OpenLedgerError::Unfinished { .. }) => {
            (Exit::Usage, "run `rollcall collector restore` again: it begins anew")
        }
        HomeError::Ledger(OpenLedgerError::Exists { .. }) => {
            (Exit::Usage, "use it with `rollcall collector run`; nothing was changed")
        }
        HomeError::Ledger(OpenLedgerError::Connect(ConnectError::Unfit { .. })) => {
            (Exit::Usage, "correct the server's configuration (docs/setup.md, PostgreSQL)")
        }
        HomeError::Ledger(OpenLedgerError::Connect(ConnectError::Away { .. })) => {
            (Exit::Environment, "look at the server, at [store] url and at its password_file")
        }
        HomeError::Ledger(OpenLedgerError::Foreign { .. } | OpenLedgerError::Storage { .. }) => {
            (Exit::Environment, "look at the file and its disk, or at the database")
        }
    };
    let report = match &error {
        HomeError::Exists { .. } | HomeError::Locked { .. } => {
            Report::new("could not use the collector's folder", error.to_string(), hint)
        }
        HomeError::Key(_) | HomeError::Folder { .. } | HomeError::Ledger(_) => {
            Report::of(&error, hint)
        }
    };
    (exit, report)
}
