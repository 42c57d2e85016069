//! `rollcall terminal take`: a dispatch that somebody has carried to a terminal without a network.

use std::path::Path;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{Told, config_failed};
use crate::domain::Policy;
use crate::platform::clock::{Clock, SystemClock};
use crate::terminal::Config;
use crate::terminal::inbox::{self, Inbox, OpenInboxError, TakeDispatchError};
use crate::uplink::Trust;

/// Takes the dispatch in a file.
pub(super) fn take(config: &Config, from: &Path) -> Told {
    let bytes = inbox::read(from)
        .and_then(|bytes| bytes.ok_or_else(|| std::io::Error::other("there is no such file")));
    let bytes = bytes.map_err(|io| {
        let what = format!("could not read the dispatch {}", from.display());
        (Exit::Usage, Report::new(what, io.to_string(), "look at its path and rights"))
    })?;
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the file's rights")))?;
    let Some((mut inbox, _)) = open(config, &trust)? else {
        let because = "[site] reading_key_file names no key";
        let hint = "`rollcall terminal renew` makes one, and tells the centre";
        return Err((Exit::Usage, Report::new("could not take the dispatch", because, hint)));
    };
    let now = SystemClock::start().now();
    match inbox.take(&bytes, &[trust.key()], Some(now)) {
        Ok(Some(plan)) => {
            let (lessons, people) = (plan.plans.len(), plan.people.len());
            let until = plan.expires.map_or("-".to_owned(), |at| at.to_string());
            say!("took the dispatch: {lessons} lessons, {people} people, until {until}");
            say!("# A terminal that runs takes it at its next start.");
            Ok(())
        }
        Ok(None) => {
            say!("nothing to take: the terminal has this dispatch already");
            Ok(())
        }
        Err(error) => {
            let exit = match &error {
                TakeDispatchError::Refused(_) => Exit::Found,
                TakeDispatchError::Write(_) => Exit::Environment,
            };
            Err((exit, Report::of(&error, error.hint())))
        }
    }
}

/// The policy profile in force: of the newest dispatch, else of the configuration.
pub(super) fn policy_in_force(config: &Config) -> Told<Policy> {
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the file's rights")))?;
    let plan = open(config, &trust)?.and_then(|(_, plan)| plan);
    match plan.and_then(|plan| plan.policy) {
        Some(policy) => Ok((*policy).clone()),
        None => config.policy().map_err(|error| config_failed(&error)),
    }
}

/// The inbox of a terminal that gets dispatches, and the plan of the one that it stored.
pub(super) fn open(
    config: &Config,
    trust: &Trust,
) -> Told<Option<(Inbox, Option<crate::terminal::SitePlan>)>> {
    Inbox::open(&config.terminal, &config.dispatch, trust.all()).map_err(|error| match error {
        OpenInboxError::Key(error) => secret_failed(&error),
        OpenInboxError::Read { .. } => {
            (Exit::Environment, Report::of(&error, "look at the file, its rights and its disk"))
        }
    })
}
