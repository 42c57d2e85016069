//! A terminal: joins the stages that turn a decision into a durable, signed record and bring it to
//! the centre.
//!
//! ```text
//! CheckIn ─► take: seal ─► append durably ─► green      journal ─► uplink ══► centre
//!                                                          ▲                    │
//!                                                          └── signed receipt ◄─┘
//! ```
//!
//! [`Terminal::take`] is the seam: whatever decides (camera, face and checkin, or a script in a
//! test) hands over a [`CheckIn`] and may show green only when `take` has returned `Ok`.

mod cabinet;
mod claim;
mod collect;
mod config;
mod consent;
mod counter;
pub mod dispatched;
pub mod doctor;
pub mod enrol;
pub mod evidence;
pub mod http;
pub mod inbox;
mod looking;
pub mod panel;
mod plan;
pub mod register;
pub mod register_file;
pub mod rotate;
mod door;
pub(crate) mod pen;
mod seal;
mod service;
pub mod share;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use self::cabinet::{Cabinet, CabinetError};
pub use self::claim::Claim;
pub use self::config::{Config, ConfigError, DispatchFiles, FaceSection, RawConfig};
pub use self::consent::{ConsentError, ConsentText};
pub use self::door::{Answer, AttendError, Door, numbers, people_searched};
pub use self::looking::{Looked, Looking};
pub use self::plan::{Attendee, PlanError, SitePlan};
pub use self::service::Service;

use self::pen::Pen;
use crate::domain::{CheckIn, ClockDoubt, ClockEvidence, Note, TerminalId};
use crate::journal::{self, AppendError, Journal, ReplayError, Standing};
use crate::platform::chance;
use crate::platform::clock::Clock;
use crate::platform::telemetry::Class;
use crate::platform::tls::ProvenTime;
use crate::record::share::Share;
use crate::record::{SealedHash, SigningKey, SlipText, VerifyingKey, seal_statement};
use crate::uplink::{
    self, Delivered, RunError, Shown, Step, Switch, Timekeeper, Trust, TrustError, Uplink, View,
    Waypoints,
};

/// Shares and questions for them that wait for the uplink; what does not fit is sent later.
const SHARES_MAX: usize = 32;

/// Answers with shares that wait to be taken in: one is asked for at a time, and a word that there is
/// something new is empty. What does not fit is asked for again.
const SHARED_MAX: usize = 8;

/// All that a terminal is made of.
pub struct Setup {
    /// Its name.
    pub terminal: TerminalId,
    /// Seals its records.
    pub key: SigningKey,
    /// Where its journal is; `Journal::init` must have made it.
    pub journal_dir: PathBuf,
    /// What the journal may hold.
    pub bounds: journal::Bounds,
    /// How it reaches the centre.
    pub uplink: uplink::Config,
    /// Policy profile and version in force.
    pub policy: String,
    /// SHA-256 of the model pack's manifest entry; stands in records that a model took part in.
    pub pack: Option<[u8; 32]>,
    /// Whether a connection is wanted from the start.
    pub plugged: bool,
    /// The terminal's clock.
    pub clock: Arc<dyn Clock>,
    /// Who watches the steps; `Arc::new(NoWaypoints)` in production.
    pub waypoints: Arc<dyn Waypoints>,
}

/// A record that is on stable storage: show green.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its sequence number.
    pub seq: u64,
    /// Its hash.
    pub hash: SealedHash,
    /// Why the clock was not to be believed; the screen says so.
    pub clock_doubt: Option<ClockDoubt>,
}

/// No record: show red.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The journal did not take it.
    #[error("could not keep the record")]
    Append(#[from] AppendError),
}

impl TakeError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            TakeError::Append(error) => error.code(),
        }
    }

    /// What the caller shall do: on `Transient` the person may try again later; on `FailStop` the
    /// process ends, and recovery runs at the next start.
    pub fn class(&self) -> Class {
        match self {
            TakeError::Append(error) => error.class(),
        }
    }
}

/// A terminal does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] journal::OpenError),
    /// The journal's newest records, which say how late it was, cannot be read.
    #[error("could not read the time of the newest record")]
    Newest(#[from] ReplayError),
    /// The centre's receipt keys cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl StartError {
    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            StartError::Open(error) => error.class(),
            StartError::Newest(error) => error.class(),
            StartError::Trust(_) => Class::Permanent,
        }
    }

    /// What a person can do.
    pub fn hint(&self) -> &'static str {
        match self {
            StartError::Open(error) => error.hint(),
            StartError::Newest(_) => "keep the folder as it is and look at its disk",
            StartError::Trust(_) => "look at the file's rights and disk",
        }
    }
}

/// A running terminal.
pub struct Terminal {
    pen: Pen,
    waypoints: Arc<dyn Waypoints>,
    switch: watch::Sender<Switch>,
    view: watch::Receiver<View>,
    ended: watch::Receiver<bool>,
    delivered: watch::Receiver<Delivered>,
    shares: mpsc::Sender<Vec<u8>>,
    shared: Mutex<mpsc::Receiver<Vec<u8>>>,
    uplink: Mutex<Option<JoinHandle<Result<(), RunError>>>>,
    /// One record at a time: each is chained to the one before it.
    turn: Mutex<()>,
}

impl Terminal {
    /// Opens the journal and starts the uplink. Call it inside a tokio runtime.
    pub fn start(setup: Setup) -> Result<Self, StartError> {
        let Setup { terminal, key, journal_dir, bounds, policy, pack, clock, waypoints, .. } =
            setup;
        let key_id = key.verifying_key().id();
        let journal = Arc::new(Journal::open(&journal_dir, &terminal, key_id, bounds)?);
        let trust = Trust::read(&journal_dir, setup.uplink.receipt_key)?;
        let firmware = setup.uplink.firmware.clone();
        let tolerance_ms = setup.uplink.clock_tolerance_ms;
        let timekeeper =
            Timekeeper::start(clock, Arc::clone(&journal), &key.verifying_key(), tolerance_ms)?;
        let timekeeper = Arc::new(timekeeper);
        let pen = Pen {
            terminal,
            key,
            journal: Arc::clone(&journal),
            timekeeper: Arc::clone(&timekeeper),
            policy: policy.into(),
            firmware,
            pack,
        };
        // Before the uplink looks: numbers that are passed over are none that it could offer.
        let stated = pen.state_gap();
        let unstated = |source| journal::OpenError::Unstated { dir: journal_dir, source };
        if let Some(gap) = stated.map_err(unstated)? {
            tracing::warn!(
                gap.first,
                gap.last,
                "Stated that the records {} to {} are lost; the journal was repaired.",
                gap.first,
                gap.last
            );
        }
        let wanted = if setup.plugged { Switch::Plugged } else { Switch::Unplugged };
        let (switch, switched) = watch::channel(wanted);
        let (view_sender, view) = watch::channel(View::default());
        let (delivered_sender, delivered) = watch::channel(Delivered::by(&trust));
        let (ended_sender, ended) = watch::channel(false);
        let (shares, shares_out) = mpsc::channel(SHARES_MAX);
        let (shared_sender, shared) = mpsc::channel(SHARED_MAX);
        let life = Uplink::new(
            setup.uplink,
            trust,
            journal,
            timekeeper,
            Arc::clone(&waypoints),
            switched,
            shares_out,
            Shown { view: view_sender, delivered: delivered_sender, shared: shared_sender },
        );
        let uplink = tokio::spawn(async move {
            let outcome = life.run().await;
            ended_sender.send_replace(true);
            outcome
        });
        Ok(Self {
            pen,
            waypoints,
            switch,
            view,
            ended,
            delivered,
            shares,
            shared: Mutex::new(shared),
            uplink: Mutex::new(Some(uplink)),
            turn: Mutex::new(()),
        })
    }

    /// Seals a decision and appends it to the journal. **Green means durable:** on `Ok`, and only
    /// then, the record is on stable storage. Blocks for the disk; in async code call it through
    /// `spawn_blocking`.
    pub fn take(&self, checkin: &CheckIn) -> Result<Taken, TakeError> {
        self.waypoints.reached(Step::Decided);
        let _turn = lock(&self.turn);
        let salts = [chance::random_bytes(), chance::random_bytes()];
        self.pen.take(checkin, salts, &*self.waypoints)
    }

    /// Seals what the terminal states about itself, a consent or a lesson, and keeps it like any other
    /// record. Blocks for the disk.
    pub fn note(&self, note: &Note) -> Result<Taken, TakeError> {
        let _turn = lock(&self.turn);
        let salts = [chance::random_bytes(), chance::random_bytes()];
        self.pen.note(note, salts, &*self.waypoints)
    }

    /// What the trainee may take home of a record at once: signed, and not yet confirmed.
    pub fn slip(&self, taken: &Taken) -> SlipText {
        self.pen.slip(taken)
    }

    /// Takes note that the answer to a record is on the screen.
    pub fn shown(&self) {
        self.waypoints.reached(Step::Shown);
    }

    /// What a record made now would say about time, and why its clock is not believed, if so.
    pub fn clock_evidence(&self) -> (ClockEvidence, Option<ClockDoubt>) {
        self.pen.timekeeper.evidence()
    }

    /// What is known for certain of the present: the clock of this machine is not asked.
    pub fn times(&self) -> evidence::Times {
        let signed = self.pen.journal.newest_signed_time();
        evidence::Times { proven: self.pen.timekeeper.proven(), signed }
    }

    /// Wants a connection.
    pub fn connect(&self) {
        self.switch.send_replace(Switch::Plugged);
    }

    /// Wants none, as if somebody had pulled the cable. Records go on being taken.
    pub fn disconnect(&self) {
        self.switch.send_replace(Switch::Unplugged);
    }

    /// Its name.
    pub fn id(&self) -> &TerminalId {
        &self.pen.terminal
    }

    /// Verifies its records.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.pen.verifying_key()
    }

    /// Its journal.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.pen.journal
    }

    /// Records without a receipt.
    pub fn waiting(&self) -> u64 {
        self.pen.journal.standing().waiting
    }

    /// Follows where the journal stands.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.pen.journal.watch()
    }

    /// Follows what the uplink shows of itself.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Follows what the centre sends to work by: not judged yet (`inbox.rs`).
    pub fn delivered(&self) -> watch::Receiver<Delivered> {
        self.delivered.clone()
    }

    /// Which of the connections since the start there is, if there is one.
    pub fn connection(&self) -> Option<u64> {
        let view = self.view.borrow();
        view.online.then_some(view.connections)
    }

    /// Seals a share with the key that seals records.
    pub fn seal_share(&self, share: &Share) -> Vec<u8> {
        seal_statement(share, &self.pen.key)
    }

    /// Sends a share, or a question for those of others; `false` when there is no room now. Whether it
    /// arrives, only an answer says.
    pub fn share(&self, bytes: Vec<u8>) -> bool {
        self.shares.try_send(bytes).is_ok()
    }

    /// What has come from the centre's shares: not judged yet.
    pub fn shared(&self) -> Option<Vec<u8>> {
        lock(&self.shared).try_recv().ok()
    }

    /// From now on records name the policy profile of this plan, where it has one.
    pub fn work_by(&self, plan: &SitePlan) {
        if let Some(policy) = &plan.policy {
            *lock(&self.pen.policy) = policy.profile();
        }
    }

    /// Waits until every record has a receipt.
    pub async fn drained(&self) {
        let mut standing = self.pen.journal.watch();
        let drained = standing.wait_for(|standing| standing.waiting == 0).await;
        drained.expect("the journal lives as long as this terminal");
    }

    /// Waits until the uplink has ended: by [`Terminal::shut_down`], or because the journal can no
    /// longer be believed; then `shut_down` gives the error, and the process should end.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that the task is gone: ended as well.
        drop(ended.wait_for(|ended| *ended).await);
    }

    /// Ends the uplink and waits for it. What has no receipt stays in the journal.
    pub async fn shut_down(&self) -> Result<(), RunError> {
        self.switch.send_replace(Switch::Ended);
        let uplink = lock(&self.uplink).take();
        match uplink {
            Some(uplink) => uplink.await.expect("the uplink does not panic and is not aborted"),
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code under this lock panics")
}
