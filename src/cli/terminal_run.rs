//! `rollcall terminal run`: camera, models, door, screen and uplink of one terminal, until a signal.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{
    Told, config_failed, exit_of, gallery_failed, look_failed, open_pipeline, thresholds_of,
};
use super::terminal_camera::SYSFS;
use crate::camera;
use crate::domain::Policy;
use crate::face::Gallery;
use crate::face::gallery_file::{self, GalleryFileError};
use crate::kiosk::{Console, Listening, Page, Screens};
use crate::platform::chance;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::secret;
use crate::record::SigningKey;
use crate::terminal::evidence::{Album, Rule, SWEEP_MS};
use crate::terminal::panel::Panel;
use crate::terminal::share::{Exchange, InstitutionKey};
use crate::terminal::{
    AttendError, Cabinet, Config, Door, Looked, Looking, Service, Setup, SitePlan, TakeError,
    Terminal, numbers, people_searched,
};
use crate::uplink::{self, NoWaypoints, Trust};

/// Runs a terminal until SIGINT or SIGTERM.
pub(super) fn run(config: &Config, slips: bool) -> Told {
    let policy = config.policy().map_err(|error| config_failed(&error))?;
    let key = secret::read(&config.key_file).map_err(|error| secret_failed(&error))?;
    let key = SigningKey::from_secret(&key);
    let tls = config.tls.as_ref().map(|files| files.read()).transpose();
    let tls = tls.map_err(|error| {
        let hint =
            "put the files that [uplink] names back, or get new ones: `rollcall terminal renew`";
        (Exit::Usage, Report::of(&error, hint))
    })?;
    let trust = Trust::read(&config.journal_dir, config.uplink.receipt_key)
        .map_err(|error| (Exit::Environment, Report::of(&error, "look at the file's rights")))?;
    let (inbox, site) = super::terminal_take::open(config, &trust)?.unzip();
    // Until the first dispatch, or without any, by the plan in the file.
    let site = match site.flatten() {
        Some(site) => site,
        None if config.camera.is_some() && config.needs_plan_file() => {
            config.site_plan().map_err(|error| config_failed(&error))?
        }
        None => SitePlan::default(),
    };
    let in_force = site.policy.as_deref().unwrap_or(&policy).clone();
    let (plans, site) = watch::channel(Arc::new(site));
    let mut eye = match &config.camera {
        Some(choice) => Some(open(config, &policy, choice, site, slips)?),
        None => None,
    };
    let rule = Rule::of(&in_force);
    if rule.pictures && config.evidence.reader.is_none() {
        let what = "could not keep evidence pictures, which the policy demands";
        let hint = "put the regulator's public key into [evidence] key; check-in goes on without";
        let report = Report::new(what, "no key is configured, and none is kept unencrypted", hint);
        eprintln!("rollcall terminal: {report}");
    }
    let album = Album::new(&config.evidence);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| environment("could not start", &cause))?;
    runtime.block_on(async {
        let clock = Arc::new(SystemClock::start());
        let terminal = Terminal::start(Setup {
            terminal: config.terminal.clone(),
            key,
            journal_dir: config.journal_dir.clone(),
            bounds: config.bounds,
            uplink: uplink::Config { tls, ..config.uplink.clone() },
            policy: in_force.profile(),
            pack: eye.as_ref().map(|eye| eye.pipeline.pack_digest()),
            plugged: true,
            clock: Arc::clone(&clock) as _,
            waypoints: Arc::new(NoWaypoints),
        });
        let terminal =
            terminal.map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
        let terminal = Arc::new(terminal);
        if let Some(eye) = &mut eye {
            eye.door.recall(terminal.journal()).map_err(|error| {
                let hint = "look at the disk; nothing that was shown green is lost by this";
                (exit_of(error.class()), Report::of(&error, hint))
            })?;
        }
        let listening = match (&eye, config.screen) {
            (Some(_), Some(address)) => {
                let bound = Listening::bind(address).await;
                Some(bound.map_err(|error| (Exit::Environment, Report::of(&error, error.hint())))?)
            }
            (Some(_) | None, _) => None,
        };
        say!(
            "rollcall terminal: {} is running, {} records wait",
            terminal.id(),
            terminal.waiting()
        );
        if let Some(listening) = &listening {
            say!("rollcall terminal: its screen is at http://{}", listening.address);
        }
        let panel = eye.as_ref().map(|eye| Panel {
            page: eye.page.clone(),
            terminal: Arc::clone(&terminal),
            site: eye.site.clone(),
            door_opens_ms_before: i64::from(policy.door_opens_minutes_before()) * 60_000,
            list: config.list,
            camera: Arc::clone(&eye.camera_state),
            clock: Arc::clone(&clock) as _,
        });
        let showing = async {
            match (listening, panel) {
                (Some(listening), Some(panel)) => {
                    let page = panel.page.clone();
                    tokio::select! {
                        served = listening.serve(page) => served.map_err(|error| {
                            (Exit::Environment, Report::of(&error, error.hint()))
                        }),
                        () = panel.keep() => Ok(()),
                    }
                }
                (Some(_) | None, _) => std::future::pending().await,
            }
        };
        let ended = async {
            let waited = wait(&terminal).await;
            waited.map_err(|cause| environment("could not wait for signals", &cause))
        };
        let receiving = async {
            if let Some(inbox) = inbox {
                inbox.keep(Arc::clone(&terminal), Arc::clone(&clock) as _, plans).await;
            }
            std::future::pending::<()>().await;
        };
        let looking = async {
            if let Some(eye) = eye {
                follow(
                    eye,
                    Duration::from_millis(config.frame_ms),
                    Arc::clone(&terminal),
                    Arc::clone(&clock),
                )
                .await?;
            }
            // There is no camera, or the replay is over; the records still go to the centre, and what has
            // expired is deleted.
            tidy(album, rule, Arc::clone(&terminal), Arc::clone(&clock)).await
        };
        let broker = format!("{}:{}", config.uplink.broker_host, config.uplink.broker_port);
        let seen = tokio::select! {
            ended = ended => ended,
            failed = looking => failed,
            failed = showing => failed,
            () = warn(&terminal, &broker) => Ok(()),
            () = receiving => Ok(()),
        };
        terminal.shut_down().await.map_err(|error| {
            let hint = "look at the disk; what is in the journal is offered at the next start";
            (exit_of(error.class()), Report::of(&error, hint))
        })?;
        seen?;
        say!("rollcall terminal: ended, {} records wait", terminal.waiting());
        Ok(())
    })
}

fn environment(what: &str, cause: &std::io::Error) -> (Exit, Report) {
    let hint = "look at the limits of this machine";
    (Exit::Environment, Report::new(what, cause.to_string(), hint))
}

fn open(
    config: &Config,
    policy: &Policy,
    choice: &camera::Choice,
    site: watch::Receiver<Arc<SitePlan>>,
    slips: bool,
) -> Told<Looking> {
    let now = Arc::clone(&site.borrow());
    let clock = Arc::new(SystemClock::start());
    let camera = camera::open(choice, Path::new(SYSFS), clock)
        .map_err(|error| (Exit::Usage, Report::of(&error, error.hint())))?;
    let secret =
        secret::read(&config.face.gallery_key_file).map_err(|error| secret_failed(&error))?;
    let mut pipeline = open_pipeline(&config.face)?;
    let model = pipeline.embedding_digest();
    let gallery = match gallery_file::load(&config.face.gallery_file, &secret, &model) {
        Ok(gallery) => gallery,
        // Nobody is enrolled yet: the staff does it at the screen.
        Err(GalleryFileError::Read { .. }) if !config.face.gallery_file.exists() => {
            Gallery::new(model).with_transform(chance::random_bytes())
        }
        Err(error) => return Err(gallery_failed(&error)),
    };
    pipeline.rotate(gallery.transform());
    let thresholds = thresholds_of(&pipeline)?;
    let cabinet = Cabinet::open(config.face.register(), config.face.gallery_file.clone(), secret);
    let cabinet =
        cabinet.map_err(|error| (exit_of(error.class()), Report::of(&error, error.hint())))?;
    let days = policy.template_days_max();
    let consent = config.consent(days).map_err(|error| config_failed(&error))?;
    let thresholds = thresholds.clone();
    let exchange = match &config.share_key_file {
        Some(file) => {
            let key = InstitutionKey::from_secret(super::terminal_share::secret_in(file)?);
            Some(Exchange::new(key, &gallery, pipeline.floats(), policy.templates_shared()))
        }
        None => None,
    };
    let service = Service::new(cabinet, consent, thresholds.clone(), config.checkin.fpir_max, days)
        .with_exchange(exchange);
    let (page, ear) = Page::new();
    let console = Console::new(config.terminal.as_str()).with_slips(slips);
    let screen = Screens(vec![Box::new(console), Box::new(page.clone())]);
    let people = people_searched(&now.plans, &gallery);
    let in_force = now.policy.as_deref().unwrap_or(policy);
    let numbers = numbers(in_force, &thresholds, &config.checkin, people);
    let door = Door::new(numbers, now.plans.clone(), gallery, &thresholds, Box::new(screen))
        .with_names(now.masked_names())
        .with_spot_checks(now.seed())
        .with_orders(now.orders.clone());
    Ok(Looking {
        camera,
        camera_state: Arc::default(),
        pipeline,
        door,
        site,
        policy: policy.clone(),
        settings: config.checkin.clone(),
        page,
        ear,
        service,
        album: Album::new(&config.evidence),
    })
}

/// Looks at each frame in turn, until the replay is over.
async fn follow(
    mut eye: Looking,
    frame: Duration,
    terminal: Arc<Terminal>,
    clock: Arc<SystemClock>,
) -> Told {
    let mut pace = tokio::time::interval(frame);
    // A frame that took long is not made up for by a burst of others.
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let (device, time) = (Arc::clone(&terminal), Arc::clone(&clock));
        let looked = tokio::task::spawn_blocking(move || {
            let looked = eye.once(&device, &*time);
            (eye, looked)
        });
        let (back, looked) = looked.await.expect("looking at a frame does not panic");
        eye = back;
        match looked {
            Ok(Looked::Answered(_) | Looked::Lost | Looked::Served) => {}
            Ok(Looked::Over) => {
                say!("rollcall terminal: the replay is over");
                return Ok(());
            }
            Err(AttendError::Look(error)) => return Err(look_failed(&error)),
            Err(AttendError::Take(error)) => return Err(take_failed(&error)),
        }
    }
}

/// Looks after the evidence pictures where no camera does.
async fn tidy(
    mut album: Album,
    rule: Rule,
    terminal: Arc<Terminal>,
    clock: Arc<SystemClock>,
) -> Told {
    let mut pace = tokio::time::interval(Duration::from_millis(SWEEP_MS));
    loop {
        pace.tick().await;
        let (device, at_ms) = (Arc::clone(&terminal), clock.uptime().as_ms());
        let swept = tokio::task::spawn_blocking(move || {
            let swept = album.tick(&device, &rule, at_ms);
            (album, swept)
        });
        let (back, swept) = swept.await.expect("looking after pictures does not panic");
        album = back;
        swept.map_err(|error| take_failed(&error))?;
    }
}

/// A record could not be kept, for good.
fn take_failed(error: &TakeError) -> (Exit, Report) {
    let hint = "look at the disk; what was shown green is safe in the journal";
    (exit_of(error.class()), Report::of(error, hint))
}

/// Tells of a broker that is not reached and of a clock that is not to be believed, once each time
/// that it begins. Neither ends the terminal: it goes on taking records.
async fn warn(terminal: &Terminal, broker: &str) {
    let mut view = terminal.view();
    let (mut offline, mut doubted, mut undated) = (false, None, false);
    loop {
        let (trouble, dates) = {
            let view = view.borrow_and_update();
            (view.trouble.clone(), view.undated)
        };
        if dates && !undated {
            let what = "could not check the dates of the broker's certificate";
            let because = "they do not fit this terminal's clock, and no time is confirmed yet";
            let hint = "nothing needs to be done if the clock is wrong; its name and its issuer are \
                        right, and check-in goes on";
            eprintln!("rollcall terminal: {}", Report::new(what, because, hint));
        }
        undated = dates;
        if let (false, Some(trouble)) = (offline, &trouble) {
            let what = format!("could not reach the broker at {broker}");
            let hint = "records are kept and offered again; look at the network and [uplink]";
            eprintln!("rollcall terminal: {}", Report::new(what, trouble, hint));
        }
        offline = trouble.is_some();
        let (evidence, doubt) = terminal.clock_evidence();
        if let (None, Some(doubt)) = (doubted, doubt) {
            let what = format!("could not believe the clock, which shows {}", evidence.wall);
            let signed = evidence.signed.map_or("none".into(), |at| at.to_string());
            let because =
                format!("it {}; the centre's newest signed time: {signed}", doubt.text().en);
            let hint = "set the clock or connect the network; until then check-in goes on, and \
                        records say that their time is doubtful";
            eprintln!("rollcall terminal: {}", Report::new(what, because, hint));
        }
        doubted = doubt;
        // A clock can be changed while the line is quiet: look again from time to time.
        let changed = tokio::time::timeout(Duration::from_secs(30), view.changed()).await;
        // The uplink is gone: its end is told by others.
        if let Ok(Err(_)) = changed {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for a signal, or for the uplink's end.
async fn wait(terminal: &Terminal) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = terminal.ended() => {}
    }
    Ok(())
}
