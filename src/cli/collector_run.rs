//! `rollcall collector run`: the centre until a signal: broker, ledger, page, enrolment, reports of platforms,
//! dispatches, roll calls and the relay of shares in one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::collector::{ConfigArg, Told, config_failed, load, store};
use super::collector_dispatch::dispatcher;
use super::collector_home::home_failed;
use super::collector_share::relaying;
use super::report::{Exit, Report};
use super::rules_replay::profiles_failed;
use super::{collector_roll_call, collector_terminal, notifications};
use crate::collector::dispatch::{self, Projection};
use crate::collector::enrol::{self, Roll};
use crate::collector::profiles::{Profiles, Standing};
use crate::collector::publish::PublishError;
use crate::collector::share::Letterbox;
use crate::collector::{
    Collector, Config, CoreError, Entries, Home, Judging, Names, StartError, Stater, Watch, cases,
    notify, platforms, roll_calls,
};
use crate::domain::{Fact, Policy};
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::telemetry::{Chain, Class};
use crate::record::SigningKey;
use crate::web::{About, Listening, Site, WhenTaken};

/// How often it is looked whether the core still lives.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the centre until SIGINT or SIGTERM.
pub(super) fn run(config: &ConfigArg) -> Told {
    let config = load(config)?;
    let setup = config.setup().map_err(config_failed)?;
    let webhooks = notifications::webhooks(&config)?;
    let configured = config.policy().map_err(config_failed)?;
    let mut profiles = Profiles::open(&config.data_dir).map_err(|error| profiles_failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| no_runtime(&cause))?;
    let desk_at = match config.enrolment.address() {
        Some(wanted) => {
            Some(runtime.block_on(enrol::Listening::bind(wanted)).map_err(|error| {
                let hint = "choose another address in [enrolment] listen, or end the other program";
                (Exit::Environment, Report::of(&error, hint))
            })?)
        }
        None => None,
    };
    // The page's port first: whoever configured it will look for it there.
    let listening = runtime.block_on(Listening::bind(config.web.listen, WhenTaken::Fail));
    let listening = listening.map_err(|error| {
        let hint = "choose another address in [web] listen, or end the other program";
        (Exit::Environment, Report::of(&error, hint))
    })?;
    let platforms_at = platforms_at(&config)?;
    let home = Home::open_in(&config.data_dir, store(&config)?).map_err(home_failed)?;
    let publisher = home
        .publisher(&config.origin, config.log.settings(&config.data_dir))
        .map_err(|error| publish_failed(&error))?;
    let store = home.store().clone();
    let judging = Judging {
        configured: configured.clone(),
        kept: profiles.kept().to_vec(),
        trials: Some(config.data_dir.clone()),
    };
    let watch = Watch::open(&store, judging, Names::Numbers).map_err(|error| {
        (Exit::Environment, Report::of(&error, "look at the folder's rights and free space"))
    })?;
    let [receipt, dispatch_key, share_key] = [(); 3].map(|()| home.receipt_signer());
    let (roll, projection) = (Roll::default(), Projection::default());
    let (broker, origin) = (format!("{:?}", setup.broker), setup.origin.clone());
    let clock = Arc::new(SystemClock::start());
    // The projection first: what the roll says to be new is in it then.
    let (letterbox, heard) = Letterbox::new();
    let hooks = letterbox.fed_by(projection.fed_by(roll.fed_by(watch.hooks())));
    let collector =
        Collector::start(home, setup, Arc::clone(&clock) as _, hooks).map_err(|error| {
            let (exit, hint) = match &error {
                StartError::Read(_) => (Exit::Environment, "look at the disk, or restore a backup"),
                StartError::Contradiction => (
                    Exit::FailStop,
                    "restore the ledger from its backup; terminals offer the rest again",
                ),
                StartError::ForeignLogKey { .. } => {
                    (Exit::Usage, "put back the log.key that belongs to this ledger")
                }
                StartError::Thread(_) => (Exit::Environment, "look at the limits of this machine"),
            };
            (exit, Report::of(&error, hint))
        })?;
    let policy = in_force(configured, &mut profiles, &watch, &collector)?;
    let orders =
        collector_roll_call::orders(&config, &policy, projection.clone(), collector.stater())?;
    let steps = cases::Steps {
        watch: watch.clone(),
        waiting: super::cases::waiting(&config)?,
        stater: collector.stater(),
    };
    let dispatcher = dispatcher(&config, dispatch_key, projection, roll.clone())?;
    let within = (heard, collector.herald(), Arc::clone(&clock) as _);
    let relaying = relaying(&config, share_key, &policy, roll.clone(), within)?;
    let enrolling = enrolling(&config, receipt, roll, Arc::clone(&clock) as _, collector.stater());
    let enrolling = enrolling?;
    // Before anybody is told that it runs: whoever then ends it meets a program that listens.
    let signals = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    let [interrupt, terminate] = signals.map(|made| made.map_err(|cause| no_runtime(&cause)));
    let signals = [interrupt?, terminate?];
    let every = Duration::from_millis(config.log.publish_every_ms);
    let publishing = publisher.start(every).map_err(|cause| no_runtime(&cause))?;
    let telling = notifications::tellers(&config, webhooks, &watch, collector.herald())?;
    let telling = notify::start(telling, &(Arc::clone(&clock) as _));
    let telling = telling.map_err(|cause| no_runtime(&cause))?;
    let platforms_url = platforms_at.as_ref().map(platforms::Listening::url);
    let hearing = platforms_at.map(|at| {
        at.serve(collector.postbox(), Arc::clone(&clock) as _, platforms::Bounds::default())
    });
    let hearing = hearing.transpose().map_err(|cause| no_runtime(&cause))?;
    say!("rollcall collector: running, {broker}");
    say!("rollcall collector: live page at {}", listening.url());
    if let Some(desk_at) = &desk_at {
        say!("rollcall collector: terminals are enrolled at http://{}", desk_at.address);
    }
    if let Some(url) = platforms_url {
        say!("rollcall collector: platforms report at {url}");
    }
    let site = Site {
        about: Arc::new(About { demo: false, origin, policy: policy.profile(), verify: None }),
        feed: watch.feed(),
        entries: Arc::new(Entries::of(&store)),
        cases: Arc::new(cases::Desk(watch.clone())),
        log: Some(config.log.folder(&config.data_dir)),
        clock,
    };
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (herald, dispatch_clock) = (collector.herald(), Arc::clone(&site.clock));
    let dispatching = async {
        if let Some(dispatcher) = dispatcher {
            dispatch::serve(dispatcher, herald, dispatch_clock).await;
        }
        std::future::pending::<()>().await;
    };
    let ordering = roll_calls::serve(orders, Arc::clone(&site.clock));
    let stepping = cases::serve(steps, Arc::clone(&site.clock));
    let enrolling = async {
        match enrolling {
            Some(desk) => enrol::serve(desk, desk_at).await,
            None => std::future::pending().await,
        }
    };
    let (waited, served) = runtime.block_on(async {
        let served = listening.serve(site, async {
            // An error means that the waiting is over as well.
            drop(ended.await);
        });
        let waited = async {
            let waited = tokio::select! {
                waited = wait(&collector, signals) => waited,
                desk = enrolling => desk.map_err(|error| error.io),
                () = dispatching => Ok(()),
                () = ordering => Ok(()),
                () = stepping => Ok(()),
            };
            // Serving may have ended by itself: then nobody listens.
            end.send(()).ok();
            waited
        };
        tokio::join!(waited, served)
    });
    waited.map_err(|cause| no_runtime(&cause))?;
    telling.stop();
    let stopped = collector.stop();
    if let Some(hearing) = hearing {
        hearing.stop();
    }
    // It does not panic; what it was about to keep comes again.
    drop(relaying.join());
    publishing.stop();
    stopped.map_err(|error| core_failed(&error))?;
    served.map_err(|error| {
        (Exit::Environment, Report::of(&error, "start again; records are safe in the ledger"))
    })?;
    say!("rollcall collector: ended");
    Ok(())
}

/// The address where platforms report over HTTP, if the configuration names one.
fn platforms_at(config: &Config) -> Told<Option<platforms::Listening>> {
    let tls = config.platforms_tls().map_err(config_failed)?;
    let Some(wanted) = config.platforms.address() else { return Ok(None) };
    platforms::Listening::bind(wanted, tls).map(Some).map_err(|error| {
        let hint = "choose another address in [platforms] listen, or end the other program";
        (Exit::Environment, Report::of(&error, hint))
    })
}

/// The profile to work by. The configured one comes into force where there is none; over another it does
/// only when somebody promotes it (docs/decisions/0027).
fn in_force(
    configured: Policy,
    profiles: &mut Profiles,
    watch: &Watch,
    collector: &Collector,
) -> Told<Policy> {
    let in_force = watch.policy_in_force();
    let named = in_force.as_ref().map(|(profile, digest)| (profile.as_str(), digest));
    let standing =
        profiles.standing(named, &configured).map_err(|error| profiles_failed(&error))?;
    if let Standing::Other(policy) = standing {
        let (own, other) = (configured.profile(), policy.profile());
        tracing::warn!(
            "The configuration names {own}, and {other} is in force: that stays so until somebody promotes \
             {own} (`rollcall rules shadow`, `rollcall rules promote`)."
        );
        return Ok(*policy);
    }
    // The text first: what the ledger names can be found.
    profiles.keep_durably(&configured).map_err(|error| profiles_failed(&error))?;
    if standing == Standing::ToState {
        if let Some((other, _)) = named {
            let own = configured.profile();
            tracing::warn!(
                "{other} was in force, and its text is not kept in policies/, or is none of this program's: {own} \
                 comes into force."
            );
        }
        let (profile, digest) = (configured.profile(), configured.digest());
        collector.state(vec![Fact::Policy { profile, digest }]).map_err(|error| {
            (Exit::Environment, Report::of(&error, "look at the disk's free space and health"))
        })?;
    }
    Ok(configured)
}

/// The desk that enrols terminals, where this centre has a certificate authority.
fn enrolling(
    config: &Config,
    receipt: SigningKey,
    roll: Roll,
    clock: Arc<dyn Clock>,
    stater: Stater,
) -> Told<Option<Arc<enrol::Desk>>> {
    if config.enrolment.address().is_none() && !config.enrolment.ca_dir(&config.data_dir).exists() {
        return Ok(None);
    }
    let state = move |facts| stater.state(facts).map(drop);
    let desk = collector_terminal::desk(config, receipt, roll, clock, state)?;
    if let Err(error) = desk.ca.ready() {
        tracing::warn!("Nobody can come in, and nothing is renewed: {}.", Chain(&error));
    }
    Ok(Some(Arc::new(desk)))
}

fn no_runtime(cause: &std::io::Error) -> (Exit, Report) {
    let hint = "look at the limits of this machine";
    (Exit::Environment, Report::new("could not wait for events", cause.to_string(), hint))
}

/// Waits for a signal, or for the core's end.
async fn wait(collector: &Collector, signals: [Signal; 2]) -> std::io::Result<()> {
    let [mut interrupt, mut terminate] = signals;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            _ = look.tick() => if collector.has_ended() { return Ok(()) },
        }
    }
}

fn publish_failed(error: &PublishError) -> (Exit, Report) {
    let (exit, hint) = match error {
        PublishError::Open(_) | PublishError::Read(_) | PublishError::Folder(_) => {
            (Exit::Environment, "look at the disk and the folder in [log]")
        }
        PublishError::Origin(_) => (Exit::Usage, "correct `origin`"),
        PublishError::OtherLog { .. } => (
            Exit::Usage,
            "put back the origin; to end that log and follow it, name it in [log] follows, with a \
             new origin and an empty [log] folder",
        ),
        PublishError::Remembered { .. } => {
            (Exit::Usage, "put back the log.key that signed it, or the file from its backup")
        }
        PublishError::Older { .. } => (
            Exit::FailStop,
            "restore a newer backup; where there is none, end this log: a new `origin`, the old one \
             in [log] follows, an empty [log] folder; terminals offer the rest again",
        ),
        PublishError::OtherHistory { .. } | PublishError::Hole { .. } => (
            Exit::FailStop,
            "somebody changed the database: `rollcall collector audit` names the entries; restore it \
             from its backup",
        ),
    };
    (exit, Report::of(error, hint))
}

fn core_failed(error: &CoreError) -> (Exit, Report) {
    let (exit, hint) = match error.class() {
        Class::Transient => (
            Exit::Environment,
            "look at the disk's free space and health, or at the database, and start again; what had no \
             receipt is offered again",
        ),
        Class::Permanent | Class::FailStop => {
            (Exit::FailStop, "start again: the ledger is read back and checked at the start")
        }
    };
    (exit, Report::of(error, hint))
}
