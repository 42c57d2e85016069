//! `rollcall demo`: a training day in two towns, with everything in one process and nothing to
//! install. Honest people come and go, frauds happen among them, and at the end it is held
//! against the script whether each fraud was found, for the right reason, and nobody else accused.
//!
//! The script (`script.rs`) knows what ought to come out; the play (`play.rs`) shows pictures to
//! cameras and listens. Between them lies the whole real way: decode, detect, align, embed, match,
//! decide, seal, journal, MQTT, admit, commit, receipt, judge, announce.

pub mod broker;
pub mod result;
mod script;
mod world;
mod pictures;
mod attacker;
mod wiretap;
mod stage;
mod play;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use self::pictures::{AlbumError, albums};
use self::play::Play;
use self::result::{Outcome, Records};
use self::stage::Stage;
use self::wiretap::Wiretap;
use crate::camera::{CaptureError, PictureError};
use crate::collector::cases::Desk;
use crate::collector::{CoreError, Home, HomeError, StartError, StateError};
use crate::collector::{Entries, OpenWatchError};
use crate::domain::{Fact, Policy, Timestamp};
use crate::face::{self, LookError, Pipeline, RuntimeChoice, Settings, gallery::EnrolError};
use crate::platform::clock::{Clock, Stopwatch};
use crate::platform::durable::{self, Access, WriteError};
use crate::platform::scratch::{Scratch, ScratchError};
use crate::terminal::AttendError;
use crate::uplink::RunError;
use crate::web::{About, Listening, Site, WhenTaken};
use crate::{cases, journal};

/// Names the demo's ledger.
const ORIGIN: &str = "rollcall-demo";

/// Between two scenes when somebody watches: slow enough to follow on the page.
const PACE: Duration = Duration::from_millis(350);

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// End after the script instead of waiting for Ctrl-C.
    pub once: bool,
    /// Narrate on standard error, so that standard output holds the JSON alone.
    pub json: bool,
    /// Folder with one sub-folder of pictures per person; `None`: the generated people.
    pub faces: Option<PathBuf>,
    /// Folder with `models/`, beside the usual places.
    pub data: Option<PathBuf>,
    /// Where the page is wanted.
    pub listen: SocketAddr,
    /// Which inference runtime.
    pub runtime: RuntimeChoice,
    /// Folder for what an auditor gets at the end: a bundle and the keys to trust.
    pub export: Option<PathBuf>,
}

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant says in its message what could not be done")]
pub enum DemoError {
    #[error("could not use the faces")]
    Album(#[from] AlbumError),
    #[error("could not read the picture {path}")]
    Picture {
        path: PathBuf,
        #[source]
        why: PictureError,
    },
    #[error("could not open the models")]
    Models(#[from] face::OpenError),
    #[error("could not look at a picture")]
    Look(#[from] LookError),
    #[error("could not enrol somebody")]
    Enrol(#[from] EnrolError),
    #[error("could not read a camera")]
    Capture(#[from] CaptureError),
    #[error("could not answer somebody")]
    Attend(#[from] AttendError),
    #[error("could not start the MQTT broker")]
    Broker(#[source] io::Error),
    #[error(transparent)]
    Folder(#[from] ScratchError),
    #[error("could not make the collector")]
    Home(#[from] HomeError),
    #[error("could not open cases and feed")]
    Watch(#[from] OpenWatchError),
    #[error("could not start the collector")]
    Start(#[from] StartError),
    #[error("could not state a fact")]
    State(#[from] StateError),
    #[error("could not make a journal")]
    Init(#[from] journal::InitError),
    #[error("could not start a terminal")]
    Terminal(#[from] crate::terminal::StartError),
    #[error("could not serve the page")]
    Web(#[from] crate::web::BindError),
    #[error("could not speak to the broker")]
    Client(#[from] rumqttc::ClientError),
    #[error("could not read the anomalies")]
    Cases(#[from] cases::ReadError),
    #[error("an uplink ended")]
    Uplink(#[from] RunError),
    #[error("the collector ended")]
    Core(#[from] CoreError),
    #[error("could not export the ledger")]
    Export(#[from] crate::ledger::ReadError),
    #[error("could not write the export")]
    Write(#[from] WriteError),
}

/// Tells people what happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrator {
    on_stderr: bool,
}

impl Narrator {
    fn say(self, line: &str) {
        if self.on_stderr {
            eprintln!("{line}");
        } else {
            // Who reads these lines may go away; the day is played to its end.
            writeln!(std::io::stdout(), "{line}").ok();
        }
    }
}

/// Runs the demo to its end. `None`: somebody pressed Ctrl-C before the script was over.
pub async fn run(options: Options) -> Result<Option<Outcome>, DemoError> {
    let watch = Stopwatch::start();
    let narrator = Narrator { on_stderr: options.json };
    let albums = match &options.faces {
        Some(folder) => albums(folder, world::FACES)?,
        None => pictures::shipped(),
    };
    let settings = Settings::installed(None, options.data.as_deref())?;
    let settings = Settings { runtime: options.runtime, ..settings };
    let mut pipeline = Pipeline::open(&settings)?;
    narrator.say("Rollcall demo: one training day in two towns / 演示：两地一天的培训");
    narrator.say(&format!(
        "Face models: pack {} on {} ({})",
        pipeline.pack().name,
        pipeline.runtime().as_str(),
        pipeline.runtime_why()
    ));

    let scratch = Scratch::make("demo")?;
    narrator.say("Enrolling / 登记人脸 …");
    let mut stage = tokio::task::block_in_place(|| {
        stage::set(scratch.path(), &mut pipeline, &albums, |person| {
            narrator.say(&format!("      {} {}", person.name.0, person.name.1));
        })
    })?;
    let page = Page::open(&stage, options.listen, narrator).await?;
    let wiretap = Wiretap::start(stage.broker).await?;

    let outcome = tokio::select! {
        outcome = perform(&mut stage, &mut pipeline, &albums, &wiretap, narrator, options.once, watch) => {
            Some(outcome?)
        }
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(DemoError::Broker)?;
            None
        }
    };
    if let Some(outcome) = &outcome {
        tell(narrator, outcome);
        if !options.once {
            narrator
                .say(&format!("\nThe page stays at {} — Ctrl-C ends / 按 Ctrl-C 结束", page.url));
            tokio::signal::ctrl_c().await.map_err(DemoError::Broker)?;
        }
    }
    narrator.say("Closing / 正在关闭 …");
    wiretap.stop().await;
    page.close().await;
    let Stage { terminals, collector, clock, .. } = stage;
    for (terminal, _) in &terminals {
        terminal.shut_down().await?;
    }
    // Their journals write when they close, which must be before their folder goes.
    drop(terminals);
    tokio::task::block_in_place(|| collector.stop())?;
    if let Some(folder) = &options.export {
        export(&scratch, folder, clock.now(), narrator)?;
    }
    drop(scratch);
    Ok(outcome)
}

/// Writes what an auditor gets, and says how to check it.
fn export(
    scratch: &Scratch,
    folder: &Path,
    at: Timestamp,
    narrator: Narrator,
) -> Result<(), DemoError> {
    let home = Home::open(&scratch.path().join("collector"))?;
    let bundle = home.export(ORIGIN, None, at)?;
    fs::create_dir_all(folder).map_err(|io| ScratchError { folder: folder.to_owned(), io })?;
    let (trust, file) = (folder.join("demo.trust"), folder.join("demo.bundle"));
    durable::write(&trust, home.trust_lines().as_bytes(), Access::Everyone)?;
    durable::write(&file, bundle.to_json().as_bytes(), Access::Owner)?;
    narrator.say(&format!(
        "Check it yourself / 自行核验: rollcall verify --trust {} {}",
        trust.display(),
        file.display()
    ));
    Ok(())
}

async fn perform(
    stage: &mut Stage,
    pipeline: &mut Pipeline,
    albums: &[pictures::Album],
    wiretap: &Wiretap,
    narrator: Narrator,
    once: bool,
    watch: Stopwatch,
) -> Result<Outcome, DemoError> {
    let scenes = script::scenes();
    let turn = vec![0; albums.len()];
    let mut play = Play { stage, pipeline, albums, narrator: &narrator, wiretap, turn };
    for (done, scene) in scenes.iter().enumerate() {
        if done % 10 == 0 {
            narrator.say(&format!("[{done}/{}]", scenes.len()));
        }
        play.scene(scene).await?;
        if !once {
            tokio::time::sleep(PACE).await;
        }
    }
    let last = scenes.last().map_or(world::registered(), |scene| scene.at);
    stage.clock.set(last.plus_ms(30 * 60_000));
    let entries = tokio::task::block_in_place(|| stage.collector.state(vec![Fact::Tick]))?;
    if let Some(tick) = entries.last() {
        stage.watch.judged(tick.index + 1).await;
    }
    let counts = stage.collector.counts();
    let made = stage.terminals.iter().map(|(terminal, _)| terminal.journal().next().seq - 1).sum();
    let records = Records { made, committed: counts.admitted, refused: counts.refused };
    let elapsed_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let anomalies = stage.watch.anomalies()?;
    Ok(Outcome::judge(&script::plants(), &anomalies, records, elapsed_ms))
}

/// The live page, served until it is closed.
struct Page {
    url: String,
    end: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), crate::web::ServeError>>,
}

impl Page {
    async fn open(
        stage: &Stage,
        wanted: SocketAddr,
        narrator: Narrator,
    ) -> Result<Self, DemoError> {
        let listening = Listening::bind(wanted, WhenTaken::TakeAnother).await?;
        if let Some(taken) = listening.instead_of {
            narrator.say(&format!("{taken} is taken by another program / 端口已被占用"));
        }
        let url = listening.url();
        narrator.say(&format!("Live page / 实时页面: {url}"));
        let site = Site {
            about: Arc::new(About {
                demo: true,
                origin: ORIGIN.into(),
                policy: Policy::sichuan_2025().profile(),
                verify: None,
            }),
            feed: stage.watch.feed(),
            log: None,
            entries: Arc::new(Entries::of(&stage.store)),
            cases: Arc::new(Desk(stage.watch.clone())),
            clock: Arc::clone(&stage.clock) as Arc<dyn Clock>,
        };
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(listening.serve(site, async {
            // An error means that the page was dropped: the end as well.
            drop(ended.await);
        }));
        Ok(Self { url, end, serving })
    }

    async fn close(self) {
        // Serving may have ended by itself already.
        self.end.send(()).ok();
        drop(self.serving.await);
    }
}

fn tell(narrator: Narrator, outcome: &Outcome) {
    narrator.say("\nVerdict / 结果");
    for planted in &outcome.planted {
        let sign = if planted.ok { "✔" } else { "✘ MISSED" };
        narrator.say(&format!("  {sign} {}", planted.expected));
        if planted.ok {
            narrator.say(&format!("      {}", planted.got));
        }
    }
    for wrong in &outcome.honest_flagged {
        narrator.say(&format!("  ✘ WRONGLY FLAGGED {wrong}"));
    }
    let Records { made, committed, refused } = outcome.records;
    if made != committed {
        narrator.say(&format!("  ✘ LOST: {made} records were made, {committed} committed"));
    }
    narrator.say(&format!(
        "  records: {made} made, {committed} committed, {refused} refused; {} ms",
        outcome.elapsed_ms
    ));
}
