//! Drives the link over MQTT 3.1.1 (rumqttc): waits for one event, steps the link, carries out the
//! actions. Each connection has a client and a packet window of its own and leaves nothing behind:
//! the journal is the only queue that survives, and the link knows what is without an answer.
//!
//! The client's window ([`PUBLISHES_MAX`]) is all that a PUBACK opens.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    AsyncClient, EventLoop, LastWill, MqttOptions, Packet, QoS, SubscribeFilter,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::clock::SignedTime;
use super::effect;
use super::link::{Action, Alarm, Event, Link, Pace, Phase};
use super::timekeeper::Timekeeper;
use super::trust::Trust;
use super::waypoint::{Step, Waypoints};
use crate::domain::{ClockQuality, Uptime};
use crate::journal::{Journal, NoteError, ReleaseError, ReplayError};
use crate::platform::chance;
use crate::platform::clock::{Clock, SystemClock};
use crate::platform::lines;
use crate::platform::telemetry::Class;
use crate::platform::tls::{self, Identity, ProvenTime};
use crate::record::dispatch::DISPATCH_BYTES_MAX;
use crate::record::topic::Channel;
use crate::record::{BATCH_BYTES_MAX, CentreKeys, Receipt, VerifyingKey};

/// Messages that the broker may have without a PUBACK: enough to keep a slow line busy.
const PUBLISHES_MAX: u16 = 4;

/// Requests that wait for the client's window: the link's unanswered batches, a subscription,
/// questions and statements of the status, with room to spare. What does not fit is offered again.
const REQUESTS_MAX: usize = 32;

/// Packets that wait for the link. While it is full the socket is not read.
const PACKETS_MAX: usize = 64;

/// Room for topic and header of the largest packet.
const PACKET_FRAME_BYTES: usize = 1024;

/// Silence after which the client pings the broker; after a second such time it calls the
/// connection lost.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Longest wait for the broker to accept a connection.
const CONNECT_S_MAX: u64 = 5;

/// What the uplink needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The broker's host name or address.
    pub broker_host: String,
    /// The broker's port.
    pub broker_port: u16,
    /// Who the terminal is at the broker; `None`: plain TCP.
    pub tls: Option<Identity>,
    /// The receipt key of the centre that opens its answers, or from which others lead on.
    pub receipt_key: VerifyingKey,
    /// Difference between wall clock and signed time that is still called agreement.
    pub clock_tolerance_ms: i64,
    /// How fast it tries.
    pub pace: Pace,
    /// Version of the program, for the status.
    pub firmware: String,
}

/// What the uplink shows of itself: hints for people, never evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The broker listens.
    pub online: bool,
    /// How often it has begun to, since the start of the process.
    pub connections: u64,
    /// Why the last connection failed or broke, until one succeeds.
    pub trouble: Option<String>,
    /// Records that the centre refused, since the start of the process.
    pub refused: u64,
    /// The newest refusal: which record, and the stable word of its reason.
    pub last_refused: Option<(u64, String)>,
    /// Validly signed receipts that do not fit the journal.
    pub strange_receipts: u64,
    /// Answers that were none.
    pub garbage: u64,
    /// The centre has answered the question for the time, in this boot.
    pub time_answered: bool,
    /// The dates of the broker's certificate do not fit the terminal's clock, and no time is proven.
    pub undated: bool,
}

/// What the centre sent to work by, not judged, and what it is to be judged with.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The newest dispatch that came since the start.
    pub dispatch: Option<Arc<[u8]>>,
    /// The centre's keys, as far as they were followed.
    pub keys: CentreKeys,
}

impl Delivered {
    /// Nothing yet.
    pub fn by(trust: &Trust) -> Self {
        Self { dispatch: None, keys: trust.keys.clone() }
    }
}

/// What an uplink shows to its terminal.
pub struct Shown {
    /// Of itself.
    pub view: watch::Sender<View>,
    /// Of the centre's dispatches.
    pub delivered: watch::Sender<Delivered>,
    /// Answers with shares, as they come.
    pub shared: mpsc::Sender<Vec<u8>>,
}

/// The uplink had to end: the journal can no longer be believed (see
/// `journal::AppendError::Failed`), so releasing on its word would be worse than ending.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Records could not be read.
    #[error("could not offer records")]
    Replay(#[source] ReplayError),
    /// Records could not be released.
    #[error("could not release records")]
    Release(#[source] ReleaseError),
    /// A signed time could not be noted.
    #[error("could not keep the centre's time")]
    Note(#[source] NoteError),
    /// The centre's next key could not be kept.
    #[error("could not keep the centre's next receipt key in {path}")]
    Follow {
        /// In which file.
        path: PathBuf,
        /// Why not.
        #[source]
        io: io::Error,
    },
}

impl RunError {
    /// Stable word for metrics and runbook.
    pub fn code(&self) -> &'static str {
        match self {
            RunError::Replay(error) => error.code(),
            RunError::Release(error) => error.code(),
            RunError::Note(error) => error.code(),
            RunError::Follow { .. } => "receipt_key_not_kept",
        }
    }

    /// What the caller shall do.
    pub fn class(&self) -> Class {
        match self {
            RunError::Replay(error) => error.class(),
            RunError::Release(error) => error.class(),
            RunError::Note(error) => error.class(),
            RunError::Follow { .. } => Class::FailStop,
        }
    }
}

/// What the owner wants of the uplink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// A connection, again and again.
    Plugged,
    /// None, as if somebody had pulled the cable.
    Unplugged,
    /// The end.
    Ended,
}

/// One terminal's uplink. [`Uplink::run`] is its life.
pub struct Uplink {
    config: Config,
    trust: Trust,
    journal: Arc<Journal>,
    timekeeper: Arc<Timekeeper>,
    waypoints: Arc<dyn Waypoints>,
    switch: watch::Receiver<Switch>,
    shares: mpsc::Receiver<Vec<u8>>,
    shown: Shown,
}

enum Incoming {
    Connected,
    Answer(Vec<u8>),
    Dispatch(Vec<u8>),
    Shared(Vec<u8>),
    Lost(String),
}

/// One connection: dropping it aborts the task and closes the socket without a farewell, so that
/// the broker publishes the last will.
struct Connection {
    client: AsyncClient,
    incoming: mpsc::Receiver<Incoming>,
    _pump: JoinSet<()>,
}

impl Uplink {
    /// An uplink that follows `switch` until that says `Ended` or its sender is dropped, brings what
    /// comes out of `shares` to the centre, and shows what there is to show.
    #[expect(clippy::too_many_arguments, reason = "each is another part, and there is one caller")]
    pub fn new(
        config: Config,
        trust: Trust,
        journal: Arc<Journal>,
        timekeeper: Arc<Timekeeper>,
        waypoints: Arc<dyn Waypoints>,
        switch: watch::Receiver<Switch>,
        shares: mpsc::Receiver<Vec<u8>>,
        shown: Shown,
    ) -> Self {
        Self { config, trust, journal, timekeeper, waypoints, switch, shares, shown }
    }

    /// Offers until the owner ends it, or the journal fails.
    pub async fn run(self) -> Result<(), RunError> {
        let Self { config, trust, journal, timekeeper, waypoints, mut switch, .. } = self;
        let (Shown { view, delivered, shared }, mut shares) = (self.shown, self.shares);
        let mut standing = journal.watch();
        // Looked at in a statement of its own: while the look lasts the journal cannot announce,
        // and asking the journal for more meanwhile would wait for itself.
        let stands = *standing.borrow_and_update();
        let link = Link::new(
            journal.terminal().clone(),
            trust.keys,
            config.pace,
            stands,
            journal.freed_ahead(),
        );
        // Waits of the network run on the machine's own time, also when the terminal's clock is
        // one that a demo or a test moves.
        let network_clock = SystemClock::start();
        let tls = config.tls.as_ref().map(|own| {
            let time: Arc<dyn ProvenTime> = Arc::clone(&timekeeper) as _;
            own.client(Some(time))
        });
        let mut shell = Shell {
            config,
            tls,
            keys_file: trust.path,
            journal,
            timekeeper,
            waypoints,
            view,
            delivered,
            shared,
            link,
            connection: None,
            asked: None,
        };
        switch.mark_changed();
        loop {
            let wait = shell.link.wake_at_ms().map(|wake_ms| {
                Duration::from_millis(wake_ms.saturating_sub(network_clock.uptime().as_ms()))
            });
            let event = tokio::select! {
                changed = switch.changed() => {
                    let wanted = *switch.borrow_and_update();
                    match (changed, wanted) {
                        (Ok(()), Switch::Plugged) => Event::Plug,
                        (Ok(()), Switch::Unplugged) => Event::Unplug,
                        (Ok(()), Switch::Ended) | (Err(_), _) => return Ok(()),
                    }
                }
                Ok(()) = standing.changed() => Event::Journal(*standing.borrow_and_update()),
                incoming = next_incoming(&mut shell.connection) => match shell.received(incoming) {
                    Some(event) => event,
                    None => continue,
                },
                Some(share) = shares.recv() => {
                    // What is not handed over is sent again by whoever has it.
                    shell.publish(Channel::Share, false, share);
                    continue;
                }
                () = sleep(wait.unwrap_or(Duration::MAX)), if wait.is_some() => {
                    Event::Tick { nonce: chance::random_bytes() }
                }
            };
            shell.handle(event, &network_clock).await?;
        }
    }
}

async fn next_incoming(connection: &mut Option<Connection>) -> Incoming {
    match connection {
        Some(connection) => {
            let lost = || Incoming::Lost("the client ended".into());
            connection.incoming.recv().await.unwrap_or_else(lost)
        }
        None => std::future::pending().await,
    }
}

struct Shell {
    config: Config,
    tls: Option<tls::Client>,
    keys_file: PathBuf,
    journal: Arc<Journal>,
    timekeeper: Arc<Timekeeper>,
    waypoints: Arc<dyn Waypoints>,
    view: watch::Sender<View>,
    delivered: watch::Sender<Delivered>,
    shared: mpsc::Sender<Vec<u8>>,
    link: Link,
    connection: Option<Connection>,
    asked: Option<Uptime>,
}

impl Shell {
    /// What the link has to hear of it.
    fn received(&mut self, incoming: Incoming) -> Option<Event> {
        Some(match incoming {
            Incoming::Connected => {
                let undated = self.tls.as_ref().is_some_and(tls::Client::undated);
                self.view.send_modify(|view| {
                    (view.trouble, view.undated) = (None, undated);
                    view.connections += 1;
                });
                Event::Connected { nonce: chance::random_bytes() }
            }
            Incoming::Answer(bytes) => Event::Answer(bytes),
            Incoming::Dispatch(bytes) => {
                self.delivered.send_modify(|delivered| delivered.dispatch = Some(bytes.into()));
                return None;
            }
            Incoming::Shared(bytes) => {
                if self.shared.try_send(bytes).is_err() {
                    tracing::debug!("No room for an answer with shares; it is asked for again.");
                }
                return None;
            }
            Incoming::Lost(why) => {
                tracing::info!(%why, "the broker is not reached; records stay in the journal");
                self.connection = None;
                self.view.send_modify(|view| view.trouble = Some(why));
                Event::Lost
            }
        })
    }

    /// One event, its actions, and the events that these cause, to the end.
    async fn handle(&mut self, event: Event, network_clock: &SystemClock) -> Result<(), RunError> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.link.step(event, network_clock.uptime().as_ms()) {
                events.extend(self.perform(action).await?);
            }
        }
        let online = self.link.phase() == Phase::Online;
        let garbage = self.link.garbage();
        self.view.send_if_modified(|view| {
            let changed = (view.online, view.garbage) != (online, garbage);
            (view.online, view.garbage) = (online, garbage);
            changed
        });
        Ok(())
    }

    async fn perform(&mut self, action: Action) -> Result<Option<Event>, RunError> {
        match action {
            Action::Connect => self.connection = Some(self.connect()),
            Action::HangUp => self.connection = None,
            Action::Ask { nonce } => {
                self.asked = Some(self.timekeeper.uptime());
                self.publish(Channel::Ask, false, nonce.to_vec());
            }
            Action::Tell { waiting } => {
                let status = self.status(waiting);
                self.publish(Channel::Status, true, status);
            }
            Action::Offer { seqs } => return self.offer(seqs).await,
            Action::Release(receipt) => return self.release(receipt).await.map(Some),
            Action::NoteTime { at } => {
                let journal = Arc::clone(&self.journal);
                blocking(move || journal.note_signed_time_durably(at))
                    .await
                    .map_err(RunError::Note)?;
                let answered = self.timekeeper.uptime();
                let asked = self.asked.unwrap_or(answered);
                self.timekeeper.answered(SignedTime { at, asked, answered });
                self.view.send_modify(|view| (view.time_answered, view.undated) = (true, false));
            }
            Action::Follow { handover } => {
                let (path, followed) = (self.keys_file.clone(), handover.clone());
                let kept = blocking(move || lines::append_durably(&path, &handover)).await;
                kept.map_err(|io| RunError::Follow { path: self.keys_file.clone(), io })?;
                // What came before the key that it is sealed with is judged once more.
                self.delivered.send_modify(|delivered| drop(delivered.keys.follow(&followed)));
                tracing::info!("the centre's receipt key was followed by another one");
            }
            Action::Raise(alarm) => self.raise(&alarm),
        }
        Ok(None)
    }

    fn connect(&self) -> Connection {
        let terminal = self.journal.terminal();
        let host = self.config.broker_host.clone();
        let mut options = MqttOptions::new(terminal.as_str(), host, self.config.broker_port);
        let offline = json!({ "state": "offline" }).to_string();
        let will = LastWill::new(Channel::Status.of(terminal), offline, QoS::AtLeastOnce, true);
        options
            .set_keep_alive(KEEP_ALIVE)
            // The broker keeps nothing for us while we are away: the journal is the session, what
            // has no answer is offered again. A kept session would also keep a message too large
            // for us, and break every connection with it anew.
            .set_clean_session(true)
            .set_inflight(PUBLISHES_MAX)
            .set_max_packet_size(
                DISPATCH_BYTES_MAX + PACKET_FRAME_BYTES,
                BATCH_BYTES_MAX + PACKET_FRAME_BYTES,
            )
            .set_last_will(will);
        if let Some(tls) = &self.tls {
            options
                .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.config())));
        }
        let (client, mut eventloop) = AsyncClient::new(options, REQUESTS_MAX);
        eventloop.network_options.set_connection_timeout(CONNECT_S_MAX);
        let (outgoing, incoming) = mpsc::channel(PACKETS_MAX);
        let mut tasks = JoinSet::new();
        let topics = [Channel::Answers, Channel::Dispatch, Channel::Shared]
            .map(|channel| channel.of(terminal));
        tasks.spawn(pump(eventloop, client.clone(), topics, outgoing));
        Connection { client, incoming, _pump: tasks }
    }

    fn status(&self, waiting: u64) -> Vec<u8> {
        let clock = match self.timekeeper.evidence().0.quality {
            ClockQuality::Synced => "synced",
            ClockQuality::Holding => "holding",
            ClockQuality::Doubtful => "doubtful",
        };
        let firmware = &self.config.firmware;
        json!({ "state": "online", "waiting": waiting, "firmware": firmware, "clock": clock })
            .to_string()
            .into_bytes()
    }

    /// Hands a message to the client. When its queue is full the message is not sent: a batch is
    /// offered again after its time, a question or status is only a hint.
    fn publish(&self, channel: Channel, retain: bool, bytes: Vec<u8>) -> bool {
        let Some(connection) = &self.connection else { return false };
        let topic = channel.of(self.journal.terminal());
        let sent = connection.client.try_publish(topic, QoS::AtLeastOnce, retain, bytes);
        sent.inspect_err(|error| tracing::debug!(%error, ?channel, "not handed over")).is_ok()
    }

    async fn offer(&self, seqs: Vec<u64>) -> Result<Option<Event>, RunError> {
        let journal = Arc::clone(&self.journal);
        let offer = blocking(move || effect::batch(&journal, &seqs)).await;
        let effect::Offer { message, absent } = offer.map_err(RunError::Replay)?;
        if message.is_some_and(|batch| self.publish(Channel::Records, false, batch)) {
            self.waypoints.reached(Step::Offered);
        }
        Ok(absent)
    }

    async fn release(&self, receipt: Receipt) -> Result<Event, RunError> {
        self.waypoints.reached(Step::ReceiptReceived);
        let journal = Arc::clone(&self.journal);
        let event = blocking(move || effect::release(&journal, receipt)).await;
        let event = event.map_err(RunError::Release)?;
        if matches!(event, Event::Released { .. }) {
            self.waypoints.reached(Step::Released);
        }
        Ok(event)
    }

    fn raise(&self, alarm: &Alarm) {
        match alarm {
            Alarm::Refused { seq, code } => {
                tracing::warn!(seq, %code, "the centre refused a record and keeps it as evidence");
                self.view.send_modify(|view| {
                    view.refused += 1;
                    view.last_refused = Some((*seq, code.clone()));
                });
            }
            Alarm::StrangeReceipt { seq } => {
                tracing::warn!(seq, "a signed receipt names a record that this journal has not");
                self.view.send_modify(|view| view.strange_receipts += 1);
            }
        }
    }
}

/// Polls the client for one connection's life. It runs in a task of its own, because a poll that is
/// dropped half way may lose the packet that it is writing.
async fn pump(
    mut eventloop: EventLoop,
    client: AsyncClient,
    [answers, dispatches, shared]: [String; 3],
    outgoing: mpsc::Sender<Incoming>,
) {
    loop {
        let incoming = match eventloop.poll().await {
            Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => {
                // Before anything else goes out, so that no answer is missed.
                let filters = [&answers, &dispatches, &shared]
                    .map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtLeastOnce));
                match client.try_subscribe_many(filters) {
                    Ok(()) => Incoming::Connected,
                    Err(error) => Incoming::Lost(error.to_string()),
                }
            }
            Ok(rumqttc::Event::Incoming(Packet::SubAck(ack)))
                if ack.return_codes.first() == Some(&SubscribeReasonCode::Failure) =>
            {
                // Without answers nothing would ever be freed, and nobody would know why.
                Incoming::Lost(format!("the broker does not let this terminal read {answers}"))
            }
            Ok(rumqttc::Event::Incoming(Packet::Publish(publish))) => {
                let bytes = publish.payload.to_vec();
                if publish.topic == dispatches {
                    Incoming::Dispatch(bytes)
                } else if publish.topic == shared {
                    Incoming::Shared(bytes)
                } else {
                    Incoming::Answer(bytes)
                }
            }
            Ok(_) => continue,
            Err(error) => Incoming::Lost(error.to_string()),
        };
        let lost = matches!(incoming, Incoming::Lost(_));
        // Nobody listens any more: the connection was dropped.
        if outgoing.send(incoming).await.is_err() || lost {
            return;
        }
    }
}

/// Runs what waits for the disk where waiting is allowed.
async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(call).await.expect("journal calls do not panic and are not aborted")
}
