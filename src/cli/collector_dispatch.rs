//! The dispatcher of a running collector, and `rollcall collector terminal dispatch`: what a terminal
//! works by, as a file for one that no network reaches.

use std::path::Path;

use super::collector::{Told, home_failed, store};
use super::collector_sheet::people_failed;
use super::report::{Exit, Report};
use crate::collector::dispatch::{
    DispatchError, Dispatcher, Kept, Parts, Projection, Section, Shelf,
};
use crate::collector::enrol::{self, Notes, Roll};
use crate::collector::people::People;
use crate::collector::{Config, Home, HomeError};
use crate::domain::TerminalId;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::durable::{self, Access};
use crate::record::SigningKey;

/// The dispatcher of this centre; none where no terminal was ever enrolled, or where nobody's name is
/// known.
pub(super) fn dispatcher(
    config: &Config,
    receipt: SigningKey,
    projection: Projection,
    roll: Roll,
) -> Told<Option<Dispatcher>> {
    let notes_dir = enrol::Section::notes_dir(&config.data_dir);
    let enrols = config.enrolment.ca_dir(&config.data_dir).exists() || notes_dir.exists();
    if !enrols || !People::are_in(&config.data_dir) {
        return Ok(None);
    }
    let parts = Parts {
        projection,
        roll,
        notes: Notes::open(notes_dir).map_err(|error| dispatch_failed(&error.into()))?,
        people: People::open(&config.data_dir).map_err(|error| people_failed(&error))?,
        folder: Section::folder(&config.data_dir),
        receipt,
        policy: config.policy().map_err(super::collector::config_failed)?.text().to_owned(),
        valid_days: config.dispatch.valid_days,
    };
    Dispatcher::new(parts).map(Some).map_err(|error| dispatch_failed(&error))
}

/// Writes a terminal's dispatch: a new one, or while a collector runs the one that it has made.
pub(super) fn write(config: &Config, id: &TerminalId, out: &Path) -> Told {
    let kept = match Home::open_in(&config.data_dir, store(config)?) {
        Ok(home) => {
            let failed = |error: DispatchError| dispatch_failed(&error);
            let projection = Projection::read(home.store()).map_err(failed)?;
            let roll = Roll::read(home.store())
                .map_err(|error| (Exit::Environment, Report::of(&error, "look at the disk")))?;
            let dispatcher = dispatcher(config, home.receipt_signer(), projection, roll)?;
            match dispatcher {
                Some(dispatcher) => {
                    dispatcher.issue(id, SystemClock::start().now()).map_err(failed)?;
                    dispatcher.kept(id).map_err(failed)?
                }
                None => None,
            }
        }
        // It looks once a second whether something has changed.
        Err(HomeError::Locked { .. }) => {
            let shelf = Shelf::open(Section::folder(&config.data_dir));
            let kept = shelf.and_then(|shelf| shelf.kept(id));
            kept.map_err(|error| dispatch_failed(&error.into()))?
        }
        Err(error) => return Err(home_failed(error)),
    };
    let Some(Kept { version, bytes, .. }) = kept else {
        let what = format!("could not write a dispatch for terminal {id}");
        let because = "it is not registered, or this centre knows no reading key of it";
        let hint = "`rollcall collector terminal list` shows all; a terminal that was set up by an \
                    earlier build gets its key by `rollcall terminal renew`";
        return Err((Exit::Usage, Report::new(what, because, hint)));
    };
    durable::write(out, &bytes, Access::Owner).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder and its free space"))
    })?;
    say!("# Wrote {}, version {version}: terminal {id} alone can read it.", out.display());
    say!("# On the terminal: rollcall terminal take --config FILE --from DISPATCH");
    Ok(())
}

fn dispatch_failed(error: &DispatchError) -> (Exit, Report) {
    match error {
        DispatchError::People(error) => people_failed(error),
        DispatchError::Seal(_) => {
            let hint = "shorten [dispatch] valid_days, or divide the site";
            (Exit::Usage, Report::of(error, hint))
        }
        DispatchError::Notes(_)
        | DispatchError::Kept(_)
        | DispatchError::Open(_)
        | DispatchError::Read(_) => {
            (Exit::Environment, Report::of(error, "look at the folder's rights and its disk"))
        }
    }
}
