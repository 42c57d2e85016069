//! `rollcall terminal doctor`: looks at what a terminal needs, one thing after the other, and lets
//! `terminal/doctor` judge. It changes nothing but a small file that it writes beside the journal and
//! removes, and never throws a running terminal off the broker.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args as ClapArgs;
use serde::Serialize;

use super::report::{Exit, Report, secret_failed};
use super::terminal::{ConfigArg, config_failed, gallery_failed, load, open_pipeline};
use super::terminal_camera::SYSFS;
use crate::camera::{self, Choice, FrameSource, Light};
use crate::domain::Timestamp;
use crate::face::{Gallery, Pipeline, gallery_file};
use crate::journal::{self, Findings, InspectError, StorageError};
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::telemetry::{Chain, start_logging};
use crate::platform::tls::Identity;
use crate::platform::{disk, probe, secret};
use crate::record::SigningKey;
use crate::terminal::doctor::{
    self, Eye, Finding, JournalFacts, LockFacts, Part, PictureFacts, State,
};
use crate::terminal::evidence::{Album, Rule};
use crate::terminal::{Config, SitePlan};
use crate::uplink::greeting;

/// Pictures that are looked at.
const PICTURES: usize = 10;

/// See the file's head.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'f> {
    wrong: usize,
    warnings: usize,
    findings: &'f [Finding],
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        start_logging("error");
        let config = match load(&self.config) {
            Ok(config) => config,
            Err((exit, report)) => return report.tell("terminal", exit),
        };
        let findings = examine(&config, SystemClock::start().now());
        let count = |state| findings.iter().filter(|finding| finding.state == state).count();
        let (wrong, warnings) = (count(State::Wrong), count(State::Warning));
        if self.json {
            let told = Told { wrong, warnings, findings: &findings };
            say!("{}", serde_json::to_string(&told).expect("findings are plain data"));
        } else {
            findings.iter().for_each(tell);
            say!("{} looked at: {wrong} wrong, {warnings} warnings", findings.len());
        }
        let exit = if wrong == 0 { Exit::Fine } else { Exit::Found };
        exit.into()
    }
}

fn tell(finding: &Finding) {
    let Finding { part, state, what, because, hint } = finding;
    say!("{:<8} {:<12} {what}", state.word(), part.word());
    if *state != State::Ok {
        say!("  because: {}", because.trim_end().replace('\n', "\n    "));
        say!("  hint: {hint}");
    }
}

/// What an adapter could not do is wrong, in its own words.
fn failed(part: Part, (_, report): &(Exit, Report)) -> Finding {
    Finding::wrong(part, &report.what, &report.because, &report.hint)
}

fn examine(config: &Config, now: Timestamp) -> Vec<Finding> {
    let (journal, journal_finding) = examine_journal(config);
    let running = matches!(journal, Looked::Busy);
    let findings = match &journal {
        Looked::At(findings) => Some(findings),
        Looked::Busy | Looked::Failed => None,
    };
    let (identity, certificate) = examine_certificate(config, now);
    let mut all = examine_camera(config);
    all.push(doctor::clock(now, findings, config.uplink.clock_tolerance_ms));
    all.push(examine_disk(config));
    all.push(journal_finding);
    all.push(examine_key(config, findings));
    all.extend(certificate);
    // Without the certificate there is nothing to knock with.
    if config.tls.is_none() || identity.is_some() {
        all.push(examine_network(config, identity.as_ref(), running, now));
    }
    all.push(match config.policy() {
        Ok(policy) => doctor::policy(&policy, now),
        Err(error) => failed(Part::Policy, &config_failed(&error)),
    });
    all.extend(examine_evidence(config));
    if config.camera.is_some() {
        all.extend(examine_people(config, now));
    }
    all
}

enum Looked {
    At(Findings),
    /// The terminal runs and has it.
    Busy,
    Failed,
}

fn examine_journal(config: &Config) -> (Looked, Finding) {
    match journal::check(&config.journal_dir) {
        Ok(findings) => {
            let (bounds, terminal) = (&config.bounds, &config.terminal);
            let finding = doctor::journal(JournalFacts { findings: &findings, bounds, terminal });
            (Looked::At(findings), finding)
        }
        Err(InspectError::Storage { source: StorageError::Busy, .. }) => {
            let what = "the running terminal uses it, and says on its screen how full it is";
            (Looked::Busy, Finding::ok(Part::Journal, what))
        }
        Err(error) => {
            let hint = match &error {
                InspectError::Missing { .. } => {
                    "is its disk mounted? `rollcall terminal init` makes it, once"
                }
                InspectError::Storage { .. } => error.hint(),
            };
            let report = Report::of(&error, hint);
            (Looked::Failed, failed(Part::Journal, &(Exit::Environment, report)))
        }
    }
}

fn examine_disk(config: &Config) -> Finding {
    let folder = &config.journal_dir;
    let measured =
        disk::free_bytes(folder).and_then(|free_bytes| Ok((free_bytes, disk::sync_takes(folder)?)));
    match measured {
        Ok((free_bytes, took)) => doctor::disk(free_bytes, took.as_millis(), &config.bounds),
        Err(error) => {
            let what = format!("could not write beside the journal in {}", folder.display());
            let hint = "is its disk mounted, and may this user write there? run the doctor as the \
                        user that runs the terminal";
            Finding::wrong(Part::Disk, what, error.to_string(), hint)
        }
    }
}

fn examine_key(config: &Config, journal: Option<&Findings>) -> Finding {
    let keys = secret::read(&config.key_file)
        .and_then(|key| secret::read(&config.face.gallery_key_file).map(|_| key));
    match keys {
        Ok(key) => {
            let key = SigningKey::from_secret(&key).verifying_key().id();
            let owner = journal.and_then(|journal| journal.owner.as_ref());
            doctor::key(LockFacts { key, owner })
        }
        Err(error) => failed(Part::Key, &secret_failed(&error)),
    }
}

/// Nothing where no policy can be read, which is a finding of its own.
fn examine_evidence(config: &Config) -> Option<Finding> {
    let rule = Rule::of(&super::terminal_take::policy_in_force(config).ok()?);
    Some(match Album::new(&config.evidence).kept() {
        Ok(kept) => doctor::evidence(PictureFacts {
            rule,
            has_key: config.evidence.reader.is_some(),
            kept: kept.len(),
            bytes: kept.iter().map(|picture| picture.bytes).sum(),
            bytes_max: config.evidence.bytes_max,
        }),
        Err(error) => {
            failed(Part::Evidence, &(Exit::Environment, Report::of(&error, error.hint())))
        }
    })
}

/// Nothing without TLS: on loopback nobody needs a certificate.
fn examine_certificate(config: &Config, now: Timestamp) -> (Option<Identity>, Option<Finding>) {
    let Some(files) = &config.tls else { return (None, None) };
    match files.read() {
        Ok(identity) => {
            let finding = doctor::certificate(&identity.own_dates(now));
            (Some(identity), Some(finding))
        }
        Err(error) => {
            let hint = "put the files that [uplink] names back, or get new ones: \
                        `rollcall terminal renew`";
            let finding = failed(Part::Certificate, &(Exit::Usage, Report::of(&error, hint)));
            (None, Some(finding))
        }
    }
}

fn examine_network(
    config: &Config,
    identity: Option<&Identity>,
    running: bool,
    now: Timestamp,
) -> Finding {
    let (host, port) = (&config.uplink.broker_host, config.uplink.broker_port);
    let mut reached = match probe::reach(host, port, identity, now) {
        Ok(reached) => reached,
        Err(error) => {
            let hint = "look at the cable or the Wi-Fi, then at broker_host and broker_port in \
                        [uplink], then ask the centre; records are kept meanwhile";
            return failed(Part::Network, &(Exit::Environment, Report::of(&error, hint)));
        }
    };
    // Two of one name: the broker would throw the terminal out.
    let let_in = (!running).then(|| {
        let said = |error: std::io::Error| error.to_string();
        let mut answer = [0; greeting::ANSWER_BYTES];
        reached.write_all(&greeting::hello(&config.terminal)).map_err(said)?;
        reached.read_exact(&mut answer).map_err(said)?;
        greeting::understood(answer)?;
        reached.write_all(&greeting::GOODBYE).map_err(said)
    });
    let broker = format!("{host}:{port}");
    doctor::network(&broker, reached.dates.as_ref(), let_in.as_ref())
}

fn examine_camera(config: &Config) -> Vec<Finding> {
    let Some(choice) = &config.camera else {
        let what = "no camera is configured";
        let because = "[camera] names none: the terminal only brings its records to the centre";
        let hint = "name one in [camera], if people shall check in here";
        return vec![Finding::warning(Part::Camera, what, because, hint)];
    };
    let eye = look(choice);
    let light = doctor::light(&eye.lights, &config.checkin);
    [Some(doctor::camera(&eye)), light].into_iter().flatten().collect()
}

/// Some pictures, as they come.
fn look(choice: &Choice) -> Eye {
    let mut eye = Eye { name: choice.to_string(), frozen: true, ..Eye::default() };
    let clock = Arc::new(SystemClock::start());
    let mut camera: Box<dyn FrameSource> = match camera::open(choice, Path::new(SYSFS), clock) {
        Ok(camera) => camera,
        Err(error) => {
            eye.lost = (1, Chain(&error).to_string());
            eye.hint = error.hint().into();
            return eye;
        }
    };
    let mut before = None;
    // A camera that is away is asked once: whoever waits for the doctor can call it again.
    for _ in 0..PICTURES {
        match camera.next() {
            Ok(Some(frame)) => {
                eye.size = Some((frame.width(), frame.height()));
                eye.lights.push(Light::of(&frame));
                eye.frozen &= before.as_ref().is_none_or(|before| *before == frame);
                before = Some(frame);
            }
            Ok(None) => break,
            Err(error) => {
                eye.lost = (eye.lost.0 + 1, Chain(&error).to_string());
                eye.hint = error.hint().into();
                if camera.is_lost() {
                    break;
                }
            }
        }
    }
    eye.other = camera.other().is_some();
    eye
}

/// Models, templates, plan: what people are recognised with.
fn examine_people(config: &Config, now: Timestamp) -> Vec<Finding> {
    let mut all = Vec::new();
    let pipeline = match open_pipeline(&config.face) {
        Ok(pipeline) => {
            let what = format!(
                "pack {} runs on {}, and its files are those of its manifest",
                pipeline.pack().name,
                pipeline.runtime().as_str()
            );
            all.push(Finding::ok(Part::Models, what));
            Some(pipeline)
        }
        Err(failure) => {
            all.push(failed(Part::Models, &failure));
            None
        }
    };
    let site = config.site_plan();
    if let (Some(pipeline), Ok(site)) = (&pipeline, &site) {
        all.push(examine_templates(config, pipeline, site));
    }
    all.push(match &site {
        Ok(site) => doctor::plan(site, now),
        Err(error) => failed(Part::Plan, &config_failed(error)),
    });
    all
}

fn examine_templates(config: &Config, pipeline: &Pipeline, site: &SitePlan) -> Finding {
    let secret = match secret::read(&config.face.gallery_key_file) {
        Ok(secret) => secret,
        Err(error) => return failed(Part::Templates, &secret_failed(&error)),
    };
    let path = &config.face.gallery_file;
    let gallery: Result<Gallery, _> =
        gallery_file::load(path, &secret, &pipeline.embedding_digest());
    match gallery {
        Ok(gallery) => doctor::templates(site, &gallery),
        Err(error) => failed(Part::Templates, &gallery_failed(&error)),
    }
}
