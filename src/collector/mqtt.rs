//! The collector's connection to the broker. It translates and reconnects, and decides nothing.
//!
//! The broker is only a carrier. Its session is persistent and messages are acknowledged after
//! the commit, so that a restart of the collector costs nothing; but no promise rests on that:
//! what the broker loses has no receipt, and its terminal offers it again.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Outgoing, PubAck,
    Publish, QoS, Request, StateError, Subscribe, SubscribeFilter, TlsConfiguration, Transport,
};
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::core::{Inbound, Way};
use super::office::Payload;
use super::{Broker, Counters};
use crate::ingest::Evidence;
use crate::platform::telemetry::Chain;
use crate::record::BATCH_BYTES_MAX;
use crate::record::topic::{
    ALL_QUESTIONS, ALL_RECORDS, ALL_REPORTS, ALL_SHARES, ALL_STATUS, Channel, platform_of,
};

/// Largest MQTT packet that is read. Above [`BATCH_BYTES_MAX`] a message is refused and its
/// beginning kept; above this the broker's session is given up, because a client of MQTT 3.1.1
/// cannot tell the broker to drop one message. The broker's own `message_size_limit` should stand
/// far below it.
const PACKET_BYTES_MAX: usize = 1024 * 1024;

/// Answers that may wait for the connection. Beyond it they are dropped and counted: a terminal
/// without an answer offers again.
const OUTBOX_MESSAGES: usize = 4_096;

/// Messages on their way to the broker that it has not acknowledged.
const INFLIGHT_MESSAGES: u16 = 1_000;

const KEEP_ALIVE: Duration = Duration::from_secs(20);
const BACKOFF_MS_MIN: u64 = 100;
const BACKOFF_MS_MAX: u64 = 5_000;
/// How long the last answers may take on their way out when the collector stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is needed to acknowledge one message, after the commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    packet: u16,
    /// Which connection it came on: on another one its number means another message.
    connection: u64,
}

/// The way out. Never blocks: the core must not wait for a broker.
pub(super) struct Outlet {
    client: AsyncClient,
    connection: Arc<AtomicU64>,
    counters: Arc<Counters>,
    /// Acknowledgements that found no room. At most one for each packet number.
    waiting: Vec<Ticket>,
}

impl Outlet {
    pub(super) fn publish(&self, topic: String, payload: Vec<u8>) {
        if self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_err() {
            self.counters.answers_dropped.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn herald(&self) -> Herald {
        let (client, connection) = (self.client.clone(), Arc::clone(&self.connection));
        Herald { client, connection, counters: Arc::clone(&self.counters) }
    }

    pub(super) fn acknowledge(&mut self, tickets: Vec<Ticket>) {
        self.waiting.extend(tickets);
        let current = self.connection.load(SeqCst);
        let client = &self.client;
        self.waiting.retain(|ticket| {
            if ticket.connection != current {
                return false;
            }
            let mut publish = Publish::new("", QoS::AtLeastOnce, Vec::new());
            publish.pkid = ticket.packet;
            client.try_ack(&publish).is_err()
        });
    }
}

/// Publishes what others of this process have for terminals. Never blocks either.
#[derive(Clone)]
pub struct Herald {
    client: AsyncClient,
    connection: Arc<AtomicU64>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Herald {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Herald")
    }
}

impl Herald {
    /// Which connection there is, counted from the start; `None` while there is none.
    pub fn connection(&self) -> Option<u64> {
        self.counters.connected.load(SeqCst).then(|| self.connection.load(SeqCst))
    }

    /// Hands a message over; without room it is dropped and counted.
    pub fn publish(&self, topic: String, payload: Vec<u8>) {
        if self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_err() {
            self.counters.answers_dropped.fetch_add(1, Relaxed);
        }
    }

    /// Hands a message over; `false` while there is no connection or no room.
    pub fn offer(&self, topic: String, payload: Vec<u8>) -> bool {
        self.connection().is_some()
            && self.client.try_publish(topic, QoS::AtLeastOnce, false, payload).is_ok()
    }

    /// Hands a message over that the broker shall retain; `false` if there was no room.
    pub fn publish_retained(&self, topic: String, payload: Vec<u8>) -> bool {
        self.client.try_publish(topic, QoS::AtLeastOnce, true, payload).is_ok()
    }
}

/// The connection before it is driven.
pub(super) struct Line {
    events: EventLoop,
    client: AsyncClient,
    connection: Arc<AtomicU64>,
    counters: Arc<Counters>,
}

/// Both ends of a connection to `broker`; nothing is connected yet.
pub(super) fn line(broker: &Broker, counters: &Arc<Counters>) -> (Line, Outlet) {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    options
        .set_clean_session(false)
        .set_manual_acks(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_inflight(INFLIGHT_MESSAGES)
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some(own) = &broker.tls {
        let config = TlsConfiguration::Rustls(own.client(None).config());
        options.set_transport(Transport::tls_with_config(config));
    }
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password);
    }
    let (client, events) = AsyncClient::new(options, OUTBOX_MESSAGES);
    let connection = Arc::new(AtomicU64::new(0));
    let outlet = Outlet {
        client: client.clone(),
        connection: Arc::clone(&connection),
        counters: Arc::clone(counters),
        waiting: Vec::new(),
    };
    (Line { events, client, connection, counters: Arc::clone(counters) }, outlet)
}

impl Line {
    /// Drives the connection until `stop` says so or the core has gone. Sending into the core
    /// may block this thread: nothing else runs on it, and the core never waits for it.
    pub(super) async fn drive(
        mut self,
        core: SyncSender<Inbound>,
        mut stop: oneshot::Receiver<()>,
    ) {
        let mut backoff_ms = BACKOFF_MS_MIN;
        let mut away = false;
        loop {
            let event = tokio::select! {
                _ = &mut stop => break,
                event = self.events.poll() => event,
            };
            match event {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                    backoff_ms = BACKOFF_MS_MIN;
                    away = false;
                    self.connected();
                }
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    if let Some(message) = self.receive(publish)
                        && core.send(message).is_err()
                    {
                        return;
                    }
                }
                Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
                Err(error) => {
                    self.counters.connected.store(false, SeqCst);
                    if is_too_long(&error) {
                        warn!(
                            "A message above {PACKET_BYTES_MAX} bytes came; the broker's session \
                             is given up with all that waits in it. Terminals will offer again."
                        );
                        self.events.mqtt_options.set_clean_session(true);
                        self.counters.sessions_dropped.fetch_add(1, Relaxed);
                    } else if !away {
                        away = true;
                        warn!("Lost the broker, trying again: {}", Chain(&error));
                    }
                    tokio::select! {
                        _ = &mut stop => return,
                        () = tokio::time::sleep(Duration::from_millis(backoff_ms)) => {}
                    }
                    backoff_ms = (backoff_ms * 2).min(BACKOFF_MS_MAX);
                }
            }
        }
        self.farewell().await;
    }

    fn connected(&mut self) {
        if self.events.mqtt_options.clean_session() {
            // The clean session has emptied the old one. Back to a persistent one.
            self.events.mqtt_options.set_clean_session(false);
            self.events.clean();
            return;
        }
        self.connection.fetch_add(1, SeqCst);
        let filters = [ALL_RECORDS, ALL_QUESTIONS, ALL_STATUS, ALL_SHARES, ALL_REPORTS]
            .map(|filter| SubscribeFilter::new(filter.to_owned(), QoS::AtLeastOnce));
        self.events.pending.push_front(Request::Subscribe(Subscribe::new_many(filters)));
        self.counters.connected.store(true, SeqCst);
        info!("Connected to the broker.");
    }

    fn receive(&mut self, publish: Publish) -> Option<Inbound> {
        let ticket = (publish.qos != QoS::AtMostOnce)
            .then(|| Ticket { packet: publish.pkid, connection: self.connection.load(SeqCst) });
        let payload = if publish.payload.len() > BATCH_BYTES_MAX {
            Payload::TooLong(Evidence::of(&publish.payload))
        } else {
            Payload::Whole(publish.payload.to_vec())
        };
        if let Some(platform) = platform_of(&publish.topic) {
            return Some(Inbound::Report { platform, payload, way: Way::Broker(ticket) });
        }
        let Some((terminal, channel)) = Channel::parse(&publish.topic) else {
            // Our filters let through only names that are no names: nobody to keep it under.
            self.counters.nameless.fetch_add(1, Relaxed);
            if ticket.is_some() {
                self.events.pending.push_back(Request::PubAck(PubAck::new(publish.pkid)));
            }
            return None;
        };
        Some(Inbound::Message { terminal, channel, payload, ticket })
    }

    /// Lets the last answers out: the good-bye waits behind them.
    async fn farewell(mut self) {
        if !self.counters.connected.load(SeqCst) || self.client.try_disconnect().is_err() {
            return;
        }
        let last = async {
            loop {
                match self.events.poll().await {
                    Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        // Without an end in time the broker notices by itself that we are gone.
        drop(tokio::time::timeout(FAREWELL, last).await);
    }
}

fn is_too_long(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::MqttState(StateError::Deserialization(
            rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(_)
        ))
    )
}
