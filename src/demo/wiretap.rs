//! Somebody on the network: reads what the terminals send, and sends what he likes.
//! The broker of the demo asks nobody for a name; with firmware-config/mosquitto.conf and the
//! access lists that follow, only terminals can speak, each in its own name.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, ClientError, Event, MqttOptions, Packet, QoS};
use tokio::task::JoinHandle;

use super::attacker::Message;
use crate::domain::TerminalId;
use crate::record::topic::{self, Channel};
use crate::record::{BATCH_BYTES_MAX, Batch, Parcel};

/// Messages kept of each terminal: the newest are enough to abuse.
const KEPT_MAX: usize = 8;

/// What was overheard, and what he said himself and so does not take for news.
#[derive(Default)]
struct Notes {
    seen: HashMap<TerminalId, Vec<Vec<u8>>>,
    own: Vec<Vec<u8>>,
}

pub(super) struct Wiretap {
    client: AsyncClient,
    notes: Arc<Mutex<Notes>>,
    task: JoinHandle<()>,
}

impl Wiretap {
    /// Connects; must be called inside a tokio runtime.
    pub(super) async fn start(broker: SocketAddr) -> Result<Self, ClientError> {
        let mut options = MqttOptions::new("somebody", broker.ip().to_string(), broker.port());
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(2 * BATCH_BYTES_MAX, 2 * BATCH_BYTES_MAX);
        let (client, mut connection) = AsyncClient::new(options, 64);
        client.subscribe(topic::ALL_RECORDS, QoS::AtLeastOnce).await?;
        let notes = Arc::new(Mutex::new(Notes::default()));
        let shared = Arc::clone(&notes);
        let task = tokio::spawn(async move {
            while let Ok(event) = connection.poll().await {
                if let Event::Incoming(Packet::Publish(publish)) = event
                    && let Some((terminal, Channel::Records)) = Channel::parse(&publish.topic)
                {
                    let mut notes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    if notes.own.iter().any(|own| *own == publish.payload) {
                        continue;
                    }
                    let kept = notes.seen.entry(terminal).or_default();
                    if kept.len() == KEPT_MAX {
                        kept.remove(0);
                    }
                    kept.push(publish.payload.to_vec());
                }
            }
        });
        Ok(Self { client, notes, task })
    }

    /// The newest message of this terminal, byte for byte.
    pub(super) fn newest_message(&self, terminal: &TerminalId) -> Option<Message> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = notes.seen.get(terminal)?.last()?.clone();
        Some(Message { topic: Channel::Records.of(terminal), payload })
    }

    /// The newest record of this terminal.
    pub(super) fn newest_parcel(&self, terminal: &TerminalId) -> Option<Parcel> {
        let message = self.newest_message(terminal)?;
        Batch::decode(&message.payload).ok()?.0.pop()
    }

    /// Sends a message.
    pub(super) async fn send(&self, message: Message) -> Result<(), ClientError> {
        let own = message.payload.clone();
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).own.push(own);
        self.client.publish(message.topic, QoS::AtLeastOnce, false, message.payload).await
    }

    /// Hangs up.
    pub(super) async fn stop(self) {
        // Already disconnected is as good as disconnecting.
        drop(self.client.disconnect().await);
        self.task.abort();
    }
}
