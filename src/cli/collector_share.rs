//! The part of `rollcall collector run` that relays templates between an institution's terminals, on a
//! thread of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::collector::Told;
use super::report::{Exit, Report};
use crate::collector::enrol::Roll;
use crate::collector::share::{self, Desk, Heard, Parts, Shelf};
use crate::collector::{Config, Herald};
use crate::domain::Policy;
use crate::platform::clock::Clock;
use crate::record::SigningKey;

/// Relays until the core, which has the other end of what is `heard`, has ended.
pub(super) fn relaying(
    config: &Config,
    receipt: SigningKey,
    policy: &Policy,
    roll: Roll,
    (heard, herald, clock): (Heard, Herald, Arc<dyn Clock>),
) -> Told<JoinHandle<()>> {
    let shelf = Shelf::open(&config.data_dir).map_err(|error| {
        let hint =
            "look at the disk; a file that is broken may be moved away: terminals fill a new one";
        (Exit::Environment, Report::of(&error, hint))
    })?;
    let template_days = policy.template_days_max();
    let desk = Desk::new(Parts { roll, shelf, receipt, template_days });
    let started = thread::Builder::new()
        .name("collector-shares".into())
        .spawn(move || share::serve(desk, &heard, &herald, &*clock));
    started.map_err(|cause| {
        let hint = "look at the limits of this machine";
        (Exit::Environment, Report::new("could not start a thread", cause.to_string(), hint))
    })
}
