//! The root of the centre: joins broker, ingest and ledger, and hands every committed entry on.
//!
//! ```text
//! broker ══► mqtt thread ══bounded══► core thread ──► on_committed(&[Entry])
//!    ▲                            ▲     │ admit, commit (one fsync for many), then answer
//!    └────────── receipts ◄───────┼─────┘
//!              platforms over HTTP (platforms/)
//! ```
//!
//! [`Collector::start`] runs it inside any process; `rollcall collector run` and the demo are two
//! of them. Nothing here waits for the broker: facts are stated and the page works while it is
//! away.

mod announce;
pub mod candidate;
pub mod profiles;
pub mod replay;
pub mod shadow;
pub mod ca;
pub mod audit;
pub mod clerk;
pub mod backup;
pub mod cases;
pub mod carried;
mod config;
pub mod dispatch;
pub mod enrol;
mod core;
pub mod facts;
pub mod limits;
pub mod people;
pub mod sheet;
mod home;
mod keys;
mod mqtt;
pub mod notify;
pub mod office;
pub mod picture;
pub mod platforms;
pub mod prove;
pub mod publish;
pub mod roll_calls;
pub mod share;
mod store;
mod watch;
pub mod wishes;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

pub use announce::{Announcer, Names, SelfReport, Told};
pub(crate) use config::read_bounded;
pub use config::{
    BrokerSection, Config, ConfigError, LogSection, Rules, StoreSection, Ticks, Web, WitnessSection,
};
pub use home::{Home, HomeError};
pub use keys::{Role, Signer};
pub use mqtt::Herald;
pub use store::Store;
pub use watch::{Entries, Judging, OpenWatchError, Watch};

use self::core::{Core, Inbound, Parts, Way};
use self::office::Payload;
use self::platforms::Heard;
use crate::domain::{Fact, PlatformId, TerminalId, Timestamp};
use crate::ingest::Limits;
use crate::ledger::{CommitError, Entry, Item, ReadError, StageError, Staged};
use crate::platform::clock::Clock;
use crate::platform::telemetry::Class;
use crate::platform::tls::Identity;
use crate::record::{KeyError, SEALED_BYTES_MAX, SigningKey, VerifyingKey};

/// Messages that may wait for the core. With the longest messages 20 MiB.
const QUEUE_MESSAGES: usize = 256;

/// Where the broker is.
#[derive(Clone)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Names the collector's session at the broker; two collectors must not share one.
    pub client_id: String,
    /// User name and password, where the broker asks for them.
    pub login: Option<(String, String)>,
    /// Who the collector is at the broker; `None`: plain TCP, on loopback.
    pub tls: Option<Identity>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({}:{} as {})", self.host, self.port, self.client_id)
    }
}

/// What a collector needs to know besides its folder.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the broker is.
    pub broker: Broker,
    /// Names the ledger in its checkpoints.
    pub origin: String,
    /// Bounds of what ingest keeps.
    pub limits: Limits,
    /// A tick is stated when this long has passed by the clock; `None` leaves ticks to
    /// [`Collector::state`].
    pub tick_ms: Option<u64>,
}

type OnCommitted = Box<dyn FnMut(&[Entry]) + Send>;
type OnStatus = Box<dyn FnMut(&TerminalId, &[u8]) + Send>;
type OnShare = Box<dyn FnMut(&TerminalId, &[u8]) + Send>;

/// What happens with what the collector hears. All are called on the core's thread: they should
/// be quick, and must not call back into [`Collector`].
pub struct Hooks {
    /// Sees every entry of the ledger once and in order, from index 0: first those that are there
    /// already (before `start` returns), then each batch after its commit.
    pub on_committed: OnCommitted,
    /// Sees the status messages of registered terminals: hints, never evidence.
    pub on_status: OnStatus,
    /// Sees what registered terminals send on their channels for shares: not judged yet.
    pub on_share: OnShare,
}

impl Hooks {
    /// Hooks that do nothing.
    pub fn none() -> Self {
        Self {
            on_committed: Box::new(|_| {}),
            on_status: Box::new(|_, _| {}),
            on_share: Box::new(|_, _| {}),
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hooks")
    }
}

/// A collector could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ledger could not be read back.
    #[error("could not read the ledger back")]
    Read(#[from] ReadError),
    /// The ledger was sealed with another key than the one in the folder.
    #[error("entry {index} of the ledger is not sealed with this folder's log key")]
    ForeignLogKey {
        /// Which entry.
        index: u64,
    },
    /// The entries are not those that the ledger's own tree was built from.
    #[error("the ledger's entries do not give the root that it keeps")]
    Contradiction,
    /// The operating system gave no thread.
    #[error("could not start a thread")]
    Thread(#[source] std::io::Error),
}

/// Facts could not be stated; none of them is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A terminal's key is no key.
    #[error("the key of terminal {terminal} is not usable")]
    Key {
        /// Whose.
        terminal: TerminalId,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// A name is too long.
    #[error("a fact of {bytes} bytes cannot be stated; {SEALED_BYTES_MAX} are allowed")]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// The ledger could not be written.
    #[error("could not commit the facts")]
    Commit(#[from] CommitError),
    /// The collector has ended.
    #[error("the collector has ended")]
    Ended,
}

/// States facts for others of this process; see [`Collector::state`].
#[derive(Debug, Clone)]
pub struct Stater(SyncSender<Inbound>);

impl Stater {
    /// States facts: all of them, in this order, or none. Returns once they are committed.
    pub fn state(&self, facts: Vec<Fact>) -> Result<Vec<Entry>, StateError> {
        let (reply, answer) = sync_channel(1);
        self.0.send(Inbound::State { facts, reply }).map_err(|_| StateError::Ended)?;
        answer.recv().map_err(|_| StateError::Ended)?
    }
}

/// Hands over reports of platforms that did not come over the broker, one after the other.
#[derive(Debug, Clone)]
pub struct Postbox(SyncSender<Inbound>);

impl Postbox {
    /// Hands a report over, and says where to hear what becomes of it: nothing, if the collector ends before. Blocks
    /// while the core has no room.
    pub fn post(
        &self,
        platform: PlatformId,
        sealed: Vec<u8>,
        reply: oneshot::Sender<Heard>,
    ) -> Result<(), StateError> {
        let (payload, way) = (Payload::Whole(sealed), Way::Waiting(reply));
        self.0.send(Inbound::Report { platform, payload, way }).map_err(|_| StateError::Ended)
    }
}

/// Facts are checked before anything of them is taken in, so that they are stated all or none.
fn check_facts(facts: &[Fact], log: &SigningKey) -> Result<(), StateError> {
    for fact in facts {
        if let Fact::Terminal { id, key, .. } = fact {
            VerifyingKey::from_bytes(key)
                .map_err(|cause| StateError::Key { terminal: id.clone(), cause })?;
        }
    }
    let trial = facts.iter().cloned().map(Item::Fact);
    let sealed = Staged::seal(trial, Timestamp::default(), Timestamp::default(), log);
    sealed.map(drop).map_err(|StageError::TooLong { bytes }| StateError::TooLong { bytes })
}

/// The core ended by itself: it could not keep a promise.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The ledger could not be read.
    #[error("could not look something up in the ledger")]
    Read(#[from] ReadError),
    /// The ledger could not be written.
    #[error("could not commit what came in")]
    Commit(#[from] CommitError),
    /// A statement of our own did not fit its bound.
    #[error("could not seal a statement")]
    Stage(#[source] StageError),
    /// The core panicked: a mistake in this program.
    #[error("the core has died")]
    Died,
}

impl CoreError {
    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            CoreError::Read(_) => Class::Transient,
            CoreError::Commit(error) => error.class(),
            CoreError::Stage(_) | CoreError::Died => Class::FailStop,
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    connected: AtomicBool,
    messages: AtomicU64,
    admitted: AtomicU64,
    refused: AtomicU64,
    repeated: AtomicU64,
    parked: AtomicU64,
    uncommitted: AtomicU64,
    nameless: AtomicU64,
    shares_ignored: AtomicU64,
    reports_refused: AtomicU64,
    answers_dropped: AtomicU64,
    sessions_dropped: AtomicU64,
}

/// What a collector has done since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// MQTT messages under a terminal's name, and reports of platforms.
    pub messages: u64,
    /// Records admitted and committed.
    pub admitted: u64,
    /// Refusals kept as evidence.
    pub refused: u64,
    /// Exact repetitions of what was answered before.
    pub repeated: u64,
    /// Times that a record came before its predecessor.
    pub parked: u64,
    /// Refusals over their sender's bound: counted here and nowhere else.
    pub uncommitted: u64,
    /// Messages on topics that name no terminal.
    pub nameless: u64,
    /// Messages on a channel for shares that were too long, or of a terminal that nobody registered.
    pub shares_ignored: u64,
    /// Reports of platforms that were not taken in.
    pub reports_refused: u64,
    /// Answers for which the outbox had no room.
    pub answers_dropped: u64,
    /// Broker sessions given up because of a message of more than a mebibyte.
    pub sessions_dropped: u64,
}

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    core: Option<JoinHandle<Result<(), CoreError>>>,
    line: Option<JoinHandle<()>>,
    inbound: SyncSender<Inbound>,
    hang_up: Option<oneshot::Sender<()>>,
    counters: Arc<Counters>,
    herald: Herald,
}

impl Collector {
    /// Starts it. Returns once the ledger is read back; the broker may be away.
    pub fn start(
        home: Home,
        setup: Setup,
        clock: Arc<dyn Clock>,
        hooks: Hooks,
    ) -> Result<Self, StartError> {
        let Setup { broker, origin, limits, tick_ms } = setup;
        let counters = Arc::new(Counters::default());
        let (line, outlet) = mqtt::line(&broker, &counters);
        let herald = outlet.herald();
        let parts = Parts {
            limits,
            clock,
            origin,
            tick_ms,
            hooks,
            outlet,
            counters: Arc::clone(&counters),
        };
        let core = Core::resume(home, parts)?;
        let (inbound, messages) = sync_channel(QUEUE_MESSAGES);
        let core = thread::Builder::new()
            .name("collector-core".into())
            .spawn(move || core.run(&messages))
            .map_err(StartError::Thread)?;
        let (hang_up, stop) = oneshot::channel();
        let into_core = inbound.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let line = thread::Builder::new()
            .name("collector-mqtt".into())
            .spawn(move || runtime.block_on(line.drive(into_core, stop)))
            .map_err(StartError::Thread)?;
        let (core, line, hang_up) = (Some(core), Some(line), Some(hang_up));
        Ok(Self { core, line, inbound, hang_up, counters, herald })
    }

    /// States facts: all of them, in this order, or none. Returns once they are committed.
    pub fn state(&self, facts: Vec<Fact>) -> Result<Vec<Entry>, StateError> {
        self.stater().state(facts)
    }

    /// A handle for others of this process that state facts.
    pub fn stater(&self) -> Stater {
        Stater(self.inbound.clone())
    }

    /// A handle for another way on which reports of platforms come.
    pub fn postbox(&self) -> Postbox {
        Postbox(self.inbound.clone())
    }

    /// A handle for others of this process that publish what the broker shall retain.
    pub fn herald(&self) -> Herald {
        self.herald.clone()
    }

    /// The ledger's size and root now, sealed with the log key.
    pub fn checkpoint(&self) -> Result<Vec<u8>, StateError> {
        let (reply, answer) = sync_channel(1);
        self.inbound.send(Inbound::Checkpoint { reply }).map_err(|_| StateError::Ended)?;
        answer.recv().map_err(|_| StateError::Ended)
    }

    /// Whether the broker is there.
    pub fn is_connected(&self) -> bool {
        self.counters.connected.load(SeqCst)
    }

    /// Whether the core has ended, by itself: [`Self::stop`] tells why.
    pub fn has_ended(&self) -> bool {
        self.core.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        let c = &*self.counters;
        Counts {
            messages: c.messages.load(Relaxed),
            admitted: c.admitted.load(Relaxed),
            refused: c.refused.load(Relaxed),
            repeated: c.repeated.load(Relaxed),
            parked: c.parked.load(Relaxed),
            uncommitted: c.uncommitted.load(Relaxed),
            nameless: c.nameless.load(Relaxed),
            shares_ignored: c.shares_ignored.load(Relaxed),
            reports_refused: c.reports_refused.load(Relaxed),
            answers_dropped: c.answers_dropped.load(Relaxed),
            sessions_dropped: c.sessions_dropped.load(Relaxed),
        }
    }

    /// Finishes what has come in, lets the last answers out, and ends.
    pub fn stop(mut self) -> Result<(), CoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), CoreError> {
        let Some(core) = self.core.take() else { return Ok(()) };
        // An error means that the core has ended already; joining it tells why.
        drop(self.inbound.send(Inbound::Stop));
        let ended = core.join().unwrap_or(Err(CoreError::Died));
        if let Some(hang_up) = self.hang_up.take() {
            // The line may have ended with the core already.
            hang_up.send(()).ok();
        }
        if let Some(line) = self.line.take() {
            drop(line.join());
        }
        ended
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!("The collector ended: {}", crate::platform::telemetry::Chain(&error));
        }
    }
}
